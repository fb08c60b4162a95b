"""Losses of a whole batch against loops over pairs, and what they promise about weights, missing labels and replicas."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from polytask.losses import (
    AUCM,
    AUCSquaredHinge,
    AveragePrecision,
    SoftF1Macro,
    SoftF1Micro,
    auc_margin,
    auc_squared_hinge,
    average_precision_hinge,
    soft_f1,
    squared_hinge_sums,
)

NAN = float("nan")
N, C = 14, 2


def micro_f1(outputs, target, weight):
    """Soft F1 of all columns together."""
    return soft_f1(outputs, target, weight, average="micro")


LOSSES = [auc_squared_hinge, auc_margin, average_precision_hinge, soft_f1, micro_f1]
OBJECTS = [AUCSquaredHinge(), AUCM(), AveragePrecision(), SoftF1Macro(), SoftF1Micro()]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


def sample(*, leading=(), columns=C, seed=0):
    """Random scores, labels of both classes, weights; every fourth row has weight 0."""
    generator = torch.Generator().manual_seed(seed)
    shape = (*leading, N, columns)
    outputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    target = (torch.rand(shape, generator=generator) < 0.4).double()
    target[..., 1, :], target[..., 2, :] = 1.0, 0.0
    weight = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1
    weight[..., ::4, :] = 0.0
    return outputs, target, weight


# ---------------------------------------------------------------------------------------------- written out, one column


def hinge_by_pairs(s, y, w, margin):
    pairs = [(i, j) for i, j in itertools.product(range(len(s)), repeat=2) if y[i] == 1 and y[j] == 0]
    return sum(w[i] * w[j] * max(0.0, margin - s[i] + s[j]) ** 2 for i, j in pairs) / sum(w[i] * w[j] for i, j in pairs)


def margin_by_min_max(s, y, w, margin):
    """The objective of Yuan et al. at its saddle point in a, b and alpha, found on grids."""
    h = 1 / (1 + np.exp(-s))
    grid = np.linspace(0, 1, 4001)
    total, free = 0.0, []
    for label in (1, 0):
        own = y == label
        spread = [np.average((h[own] - a) ** 2, weights=w[own]) for a in grid]
        total += min(spread)
        free.append(np.average(h[own], weights=w[own]))
    alpha = np.linspace(0, 4, 40_001)
    return total + (2 * alpha * (margin - free[0] + free[1]) - alpha**2).max()


def precision_by_pairs(s, y, w, margin):
    def hinge(i, j):
        return w[j] * max(0.0, margin - s[i] + s[j]) ** 2

    positives, everyone = [i for i in range(len(s)) if y[i] == 1 and w[i] > 0], range(len(s))
    parts = [w[i] * sum(hinge(i, j) for j in positives) / sum(hinge(i, j) for j in everyone) for i in positives]
    return 1 - sum(parts) / sum(w[i] for i in positives)


def f1_by_counts(s, y, w, margin):
    p = 1 / (1 + np.exp(-s))
    tp, fp, fn = (w * p * y).sum(), (w * p * (1 - y)).sum(), (w * (1 - p) * y).sum()
    return 1 - 2 * tp / (2 * tp + fp + fn)


WRITTEN_OUT = {
    auc_squared_hinge: hinge_by_pairs,
    auc_margin: margin_by_min_max,
    average_precision_hinge: precision_by_pairs,
    soft_f1: f1_by_counts,
    micro_f1: f1_by_counts,
}


@each_loss
@pytest.mark.parametrize("margin", [1.0, 0.3])
def test_equals_the_formula_written_out(loss, margin):
    outputs, target, weight = sample(columns=1)
    options = {} if loss in (soft_f1, micro_f1) else {"margin": margin}
    loss_sum, weight_sum = loss(outputs, target, weight, **options)
    s, y, w = (own[:, 0].numpy() for own in (outputs, target, weight))
    assert float(weight_sum) == pytest.approx(w.sum())
    assert float(loss_sum / weight_sum) == pytest.approx(WRITTEN_OUT[loss](s, y, w, margin), rel=1e-6)


def test_micro_f1_pools_the_tags():
    outputs, target, weight = sample(columns=3)
    loss_sum, weight_sum = micro_f1(outputs, target, weight)
    parts = [own.numpy().ravel() for own in (outputs, target, weight)]
    assert float(loss_sum / weight_sum) == pytest.approx(f1_by_counts(*parts, 1.0))


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_sure_probabilities_have_the_f1_of_their_decisions(average):
    rng = np.random.default_rng(0)
    codes, chosen, weight = rng.integers(3, size=40), rng.integers(3, size=40), rng.uniform(0.1, 2, size=40)
    logits = 200.0 * torch.nn.functional.one_hot(torch.tensor(chosen), 3).double()
    own = SoftF1Macro() if average == "macro" else SoftF1Micro()
    loss, defined = own.of_classes(logits, torch.tensor(codes)[:, None].double(), torch.tensor(weight)[:, None])
    assert bool(defined)
    assert 1 - float(loss) == pytest.approx(f1_score(codes, chosen, average=average, sample_weight=weight))
    yes = codes == 1
    sure = torch.tensor(np.where(chosen == 1, 200.0, -200.0))[:, None]
    loss_sum, total = soft_f1(sure, torch.tensor(yes)[:, None].double(), torch.tensor(weight)[:, None], average=average)
    assert 1 - float(loss_sum / total) == pytest.approx(f1_score(yes, chosen == 1, sample_weight=weight))


def test_macro_f1_averages_the_classes_with_labels():
    logits = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    codes = torch.arange(20)[:, None].double() % 3  # no label of the last class
    weight = torch.rand(20, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p, w, y = logits.softmax(-1).numpy(), weight[:, 0].numpy(), codes[:, 0].numpy()
    scores = [2 * (w * p[:, k] * (y == k)).sum() / ((w * p[:, k]).sum() + (w * (y == k)).sum()) for k in range(3)]
    loss, _ = SoftF1Macro().of_classes(logits, codes, weight)
    assert float(loss) == pytest.approx(1 - np.mean(scores))


def test_the_pairwise_hinge_bounds_the_share_of_pairs_in_the_wrong_order():
    outputs, target, weight = sample(columns=1, seed=3)
    seen = weight[:, 0] > 0
    auc = roc_auc_score(target[seen, 0], outputs[seen, 0], sample_weight=weight[seen, 0])
    loss_sum, total = auc_squared_hinge(outputs, target, weight)
    assert float(loss_sum / total) >= 1 - auc
    apart = torch.where(target == 1, 3.0, -3.0)
    assert auc_squared_hinge(apart, target, weight)[0] == 0


def test_sorted_sums_of_hinges_are_those_of_all_pairs():
    generator = torch.Generator().manual_seed(0)
    t, s = torch.randn(2, 7, 3, generator=generator), torch.randn(2, 11, 3, generator=generator)
    w = torch.rand(2, 2, 11, 3, generator=generator)
    t[:, 0] = s[:, 0]  # ties
    pairs = (s[..., None, :, :] - t[..., :, None, :]).clamp(min=0).square()  # [2, 7, 11, 3]
    for own, found in zip(w, squared_hinge_sums(t, s, w), strict=True):
        torch.testing.assert_close(found, (own[..., None, :, :] * pairs).sum(-2))


# ------------------------------------------------------------------------------------------------- what all of them obey


@each_loss
def test_gradient_agrees_with_finite_differences(loss):
    outputs, target, weight = sample()
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target, weight)[0], (outputs,))


@each_loss
def test_a_weight_of_two_is_the_label_twice(loss):
    outputs, target, _ = sample()
    times = torch.arange(N) % 3
    weighed = loss(outputs, target, times[:, None].expand(N, C).double())
    repeated = loss(*(own.repeat_interleave(times, dim=0) for own in (outputs, target)), torch.ones(int(times.sum()), C).double())
    torch.testing.assert_close(weighed, repeated)


@each_loss
@pytest.mark.parametrize("garbage", [NAN, float("inf"), 1e30])
def test_nothing_at_weight_zero_reaches_value_or_gradient(loss, garbage):
    outputs, target, weight = sample()
    kept = weight[:, 0] > 0
    expected = loss(outputs[kept], target[kept], weight[kept])
    outputs[~kept], target[~kept] = garbage, NAN
    outputs.requires_grad_()
    found = loss(outputs, target, weight)
    found[0].backward()
    torch.testing.assert_close(found, expected)
    assert torch.isfinite(outputs.grad).all()
    assert (outputs.grad[~kept] == 0).all()


@each_loss
@pytest.mark.parametrize("label", [0.0, 1.0, None], ids=["negatives", "positives", "no label"])
def test_a_batch_without_both_classes_weighs_nothing(loss, label):
    outputs, target, weight = sample()
    outputs.requires_grad_()
    target = torch.full_like(target, NAN if label is None else label)
    loss_sum, weight_sum = loss(outputs, target, weight * (label is not None))
    loss_sum.backward()
    assert (loss_sum, weight_sum) == (0.0, 0.0)
    assert (outputs.grad == 0).all()


@pytest.mark.parametrize(
    "loss", [auc_squared_hinge, auc_margin, average_precision_hinge, soft_f1], ids=lambda loss: loss.__name__
)
def test_a_column_without_both_classes_leaves_the_others(loss):
    outputs, target, weight = sample()
    target[:, 1] = 0.0
    torch.testing.assert_close(loss(outputs, target, weight), loss(outputs[:, :1], target[:, :1], weight[:, :1]))


@each_loss
def test_replicas_are_each_alone_also_under_vmap(loss):
    outputs, target, weight = sample(leading=(3,))
    target[1] = 0.0  # one of them without positives
    together = loss(outputs, target, weight)
    alone = [loss(*(own[r] for own in (outputs, target, weight))) for r in range(3)]
    torch.testing.assert_close(together, tuple(torch.stack(own) for own in zip(*alone, strict=True)))
    torch.testing.assert_close(torch.func.vmap(loss)(outputs, target, weight), together)
    gradients = torch.func.vmap(torch.func.grad(lambda *x: loss(*x)[0]))(outputs, target, weight)
    outputs.requires_grad_()
    loss(outputs, target, weight)[0].sum().backward()
    torch.testing.assert_close(gradients, outputs.grad)
    shared = loss(outputs, target[0], weight[0])
    torch.testing.assert_close(shared[0][2], loss(outputs[2], target[0], weight[0])[0])


@each_loss
def test_does_not_depend_on_the_order_of_rows_and_weights_scale_both_sums(loss):
    tensors = sample()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss(*(x[order] for x in tensors)), loss(*tensors))
    loss_sum, weight_sum = loss(*tensors)
    torch.testing.assert_close(loss(*tensors[:2], 3 * tensors[2]), (3 * loss_sum, 3 * weight_sum))


@each_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_narrow_types_and_extreme_outputs_stay_finite(loss, dtype, scale):
    outputs, target, weight = (x.to(dtype) for x in sample())
    outputs = (scale * outputs).requires_grad_()
    sums = loss(outputs, target, weight)
    sums[0].backward()
    assert sums[0].dtype == torch.float32
    assert torch.isfinite(sums[0])
    assert torch.isfinite(outputs.grad).all()
    torch.testing.assert_close(
        sums, loss(outputs.double(), target.double(), weight.double()), check_dtype=False, rtol=1e-4, atol=1e-4
    )


@each_loss
def test_compiles_without_a_graph_break(loss):
    torch.compiler.reset()
    tensors = sample()
    torch.testing.assert_close(torch.compile(loss, fullgraph=True, backend="eager")(*tensors), loss(*tensors))


@pytest.mark.parametrize("loss", OBJECTS, ids=lambda loss: loss.name)
def test_equal_scores_have_a_loss_that_can_divide(loss):
    """The constant prediction, by which training divides, and of which skill is made."""
    target = torch.zeros(20, 1).index_fill(0, torch.arange(3), 1.0)
    logit = math.log(3 / 17)
    value, defined = loss.of_labels(torch.full((20, 1), logit), target, torch.ones(20, 1))
    expected = {"auc": 1.0, "aucm": 1.0}.get(loss.name, 1 - 3 / 20)
    assert bool(defined)
    assert float(value) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", OBJECTS, ids=lambda loss: loss.name)
def test_every_label_has_the_loss_of_the_batch(loss):
    outputs, target, _ = sample()
    value, defined = loss.of_labels(outputs, target, torch.ones_like(target))
    torch.testing.assert_close(loss.binary(outputs, target), (value * defined).expand(N, C))


def test_wrong_shapes_are_told():
    with pytest.raises(ValueError, match="`outputs` of auc must have 1 columns; got 2"):
        auc_squared_hinge(torch.zeros(3, 2), torch.zeros(3, 1), torch.ones(3, 1))
