"""Laws that every loss obeys, and each loss against an independent source."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_poisson_deviance
from torch.nn import functional

from polytask.losses import (
    asymmetric_focal,
    asymmetric_focal_per_label,
    binary_cross_entropy,
    binary_cross_entropy_per_label,
    cross_entropy,
    cross_entropy_per_label,
    cumulative_link,
    cumulative_link_per_label,
    cumulative_link_probabilities,
    focal,
    focal_per_label,
    gaussian,
    gaussian_per_label,
    huber,
    huber_per_label,
    log_cosh,
    log_cosh_per_label,
    mae,
    mae_per_label,
    masked_inputs,
    masked_sums,
    mse,
    mse_per_label,
    poisson,
    poisson_per_label,
    quantile,
    quantile_per_label,
)

NAN = float("nan")
PER_LABEL = {
    mse: mse_per_label,
    binary_cross_entropy: binary_cross_entropy_per_label,
    cross_entropy: cross_entropy_per_label,
    poisson: poisson_per_label,
    cumulative_link: cumulative_link_per_label,
    focal: focal_per_label,
    mae: mae_per_label,
    huber: huber_per_label,
    quantile: quantile_per_label,
    log_cosh: log_cosh_per_label,
    asymmetric_focal: asymmetric_focal_per_label,
    gaussian: gaussian_per_label,
}
LOSSES = list(PER_LABEL)
N_ROWS, N_LEVELS, N_LABELS = 12, 4, 3


def sample(loss, *, leading=(), dtype=torch.float64, seed=0):
    """Random outputs, target and weight that fit the loss; every third row has weight 0."""
    generator = torch.Generator().manual_seed(seed)
    of_labels = loss in (binary_cross_entropy, asymmetric_focal)
    n_outputs = (
        N_LABELS if of_labels else 2 if loss is gaussian else N_LEVELS if loss in (cross_entropy, focal, cumulative_link) else 1
    )
    n_targets = N_LABELS if of_labels else 1
    shape = (*leading, N_ROWS, n_targets)
    outputs = torch.randn((*leading, N_ROWS, n_outputs), generator=generator, dtype=torch.float64)
    if loss in (mse, mae, huber, quantile, log_cosh, gaussian):
        target = torch.randn(shape, generator=generator, dtype=torch.float64)
    else:
        n_values = 2 if of_labels else N_LEVELS
        target = torch.randint(n_values, shape, generator=generator).double()
    weight = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1
    weight[..., ::3, :] = 0.0
    return outputs.to(dtype), target.to(dtype), weight.to(dtype)


each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


@each_loss
def test_gradient_agrees_with_finite_differences(loss):
    outputs, target, weight = sample(loss)
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target, weight)[0], (outputs,))
    assert torch.autograd.gradgradcheck(lambda x: loss(x, target, weight)[0], (outputs,))


@each_loss
def test_is_the_weighted_sum_of_the_losses_per_label(loss):
    outputs, target, weight = sample(loss, leading=(2,))
    values = PER_LABEL[loss](outputs, target)
    assert values.shape == target.shape
    assert (values >= 0).all() or loss is gaussian  # a density may be above 1
    torch.testing.assert_close(loss(outputs, target, weight), ((values * weight).sum((-2, -1)), weight.sum((-2, -1))))


@each_loss
def test_sums_over_two_halves_equal_the_whole(loss):
    outputs, target, weight = sample(loss)
    halves = [loss(outputs[part], target[part], weight[part]) for part in (slice(0, 5), slice(5, None))]
    for whole, first, second in zip(loss(outputs, target, weight), *halves, strict=True):
        torch.testing.assert_close(first + second, whole)


@each_loss
def test_a_row_of_weight_zero_is_the_row_removed(loss):
    outputs, target, weight = sample(loss)
    kept = weight[:, 0] > 0
    removed = loss(outputs[kept], target[kept], weight[kept])
    torch.testing.assert_close(loss(outputs, target, weight), removed)


@each_loss
@pytest.mark.parametrize("garbage", [NAN, float("inf"), 1e30])
def test_nothing_at_weight_zero_reaches_value_or_gradient(loss, garbage):
    outputs, target, weight = sample(loss, dtype=torch.float32)
    expected = loss(outputs, target, weight)
    missing = weight[:, 0] == 0
    outputs[missing], target[missing] = garbage, NAN
    outputs.requires_grad_()
    sums = loss(outputs, target, weight)
    sums[0].backward()
    torch.testing.assert_close(sums, expected)
    assert torch.isfinite(outputs.grad).all()
    assert (outputs.grad[missing] == 0).all()


def test_single_missing_labels_inside_a_multilabel_row_are_left_out():
    outputs, target, weight = sample(binary_cross_entropy)
    weight[1, 2] = 0.0
    target[1, 2] = NAN
    outputs.requires_grad_()
    loss_sum, _ = binary_cross_entropy(outputs, target, weight)
    loss_sum.backward()
    assert torch.isfinite(outputs.grad).all()
    assert outputs.grad[1, 2] == 0
    assert outputs.grad[1, 1] != 0


@each_loss
def test_no_label_at_all_gives_two_zeros(loss):
    outputs, target, weight = sample(loss)
    outputs.requires_grad_()
    loss_sum, weight_sum = loss(outputs, torch.full_like(target, NAN), torch.zeros_like(weight))
    loss_sum.backward()
    assert loss_sum == 0
    assert weight_sum == 0
    assert (outputs.grad == 0).all()


@each_loss
def test_an_empty_batch_gives_two_zeros(loss):
    outputs, target, weight = (x[:0] for x in sample(loss))
    assert loss(outputs, target, weight) == (0.0, 0.0)


@each_loss
def test_does_not_depend_on_the_order_of_rows(loss):
    tensors = sample(loss)
    order = torch.randperm(N_ROWS, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss(*(x[order] for x in tensors)), loss(*tensors))


@each_loss
def test_weights_scale_both_sums(loss):
    outputs, target, weight = sample(loss)
    loss_sum, weight_sum = loss(outputs, target, weight)
    torch.testing.assert_close(loss(outputs, target, 3.0 * weight), (3.0 * loss_sum, 3.0 * weight_sum))


@each_loss
def test_leading_axes_are_replicas(loss):
    outputs, target, weight = sample(loss, leading=(2, 3))
    loss_sum, weight_sum = loss(outputs, target, weight)
    assert loss_sum.shape == weight_sum.shape == (2, 3)
    torch.testing.assert_close((loss_sum[1, 2], weight_sum[1, 2]), loss(outputs[1, 2], target[1, 2], weight[1, 2]))


@each_loss
def test_replicas_may_share_one_target(loss):
    outputs, _, _ = sample(loss, leading=(2,))
    _, target, weight = sample(loss)
    loss_sum, weight_sum = loss(outputs, target, weight)
    assert loss_sum.shape == weight_sum.shape == (2,)
    torch.testing.assert_close((loss_sum[1], weight_sum[1]), loss(outputs[1], target, weight))


@each_loss
def test_runs_under_vmap_and_per_replica_gradients(loss):
    outputs, target, weight = sample(loss, leading=(3,))
    torch.testing.assert_close(torch.func.vmap(loss)(outputs, target, weight), loss(outputs, target, weight))
    gradients = torch.func.vmap(torch.func.grad(lambda *x: loss(*x)[0]))(outputs, target, weight)
    outputs.requires_grad_()
    loss(outputs, target, weight)[0].sum().backward()
    torch.testing.assert_close(gradients, outputs.grad)


@each_loss
def test_compiles_without_a_graph_break(loss):
    torch.compiler.reset()
    tensors = sample(loss)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*tensors), loss(*tensors))


@each_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_every_float_type_gives_the_same_sums(loss, dtype):
    outputs, target, weight = sample(loss, dtype=dtype)
    sums = loss(outputs, target, weight)
    assert sums[0].dtype == sums[1].dtype == torch.promote_types(dtype, torch.float32)
    expected = loss(outputs.double(), target.double(), weight.double())
    torch.testing.assert_close(sums, expected, check_dtype=False)


@each_loss
def test_the_sum_of_weights_survives_half_precision(loss):
    outputs, target, weight = (x.repeat(200, 1) for x in sample(loss, dtype=torch.bfloat16))
    _, weight_sum = loss(outputs, target, torch.ones_like(weight))
    assert weight_sum == weight.numel()


@each_loss
@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_extreme_outputs_stay_finite_in_float32(loss, scale):
    outputs, target, weight = sample(loss, dtype=torch.float32)
    outputs = (outputs * scale).requires_grad_()
    loss_sum, _ = loss(outputs, target, weight)
    loss_sum.backward()
    assert torch.isfinite(loss_sum)
    assert torch.isfinite(outputs.grad).all()


@each_loss
def test_error_names_all_shapes(loss):
    outputs, target, weight = sample(loss)
    with pytest.raises(ValueError, match=rf"{loss.__name__} must be .*\({N_ROWS - 1}, "):
        loss(outputs, target, weight[1:])


@pytest.mark.parametrize("loss", [mse, mae, huber, quantile, poisson, log_cosh, binary_cross_entropy, asymmetric_focal])
def test_error_names_a_wrong_number_of_outputs(loss):
    with pytest.raises(ValueError, match="must have 1 column; got 2"):
        loss(torch.zeros(3, 2), torch.zeros(3, 1), torch.ones(3, 1))


@pytest.mark.parametrize("loss", [cross_entropy, focal, cumulative_link])
def test_error_names_a_wrong_number_of_targets(loss):
    with pytest.raises(ValueError, match=r"`target` of .* must have 1 column; got 2"):
        loss(torch.zeros(3, 2), torch.zeros(3, 2), torch.ones(3, 2))


def test_a_label_masks_the_outputs_in_its_reach_and_no_others():
    reach = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    weight = torch.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    outputs, target, _ = masked_inputs(torch.full((2, 4), 7.0), torch.full((2, 3), 5.0), weight, loss="mine", reach=reach)
    assert outputs.tolist() == [[0, 7, 7, 0], [7, 0, 0, 0]]
    assert target.tolist() == [[0, 5, 0], [5, 0, 0]]


def test_a_loss_of_two_labels_and_three_outputs_masks_rows_without_any_label():
    weight = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    outputs = torch.tensor([[1.0, 2.0, 3.0], [NAN, NAN, NAN]])
    sums = masked_sums(lambda o, t: o[..., :2] + o[..., 2:] - t, outputs, torch.zeros(2, 2), weight, loss="mine")
    assert sums == (4.0, 1.0)


def test_the_slope_of_the_poisson_deviance_stays_that_at_the_bound():
    outputs = torch.tensor([[40.0], [50.0], [50.5], [60.0]], dtype=torch.float64, requires_grad=True)
    loss_sum, _ = poisson(outputs, torch.ones(4, 1), torch.ones(4, 1))
    loss_sum.backward()
    expected = 2 * (np.exp([40.0, 50.0, 50.0, 50.0]) - 1)
    np.testing.assert_allclose(outputs.grad[:, 0], expected, rtol=1e-12)
    line, _ = poisson(outputs[3:].detach(), torch.ones(1, 1), torch.ones(1, 1))
    assert float(line) == pytest.approx(2 * np.exp(50.0) * 11, rel=1e-12)  # the value at 50 and ten steps of that slope


def test_mse_equals_torch():
    outputs, target, weight = sample(mse)
    expected = (weight * functional.mse_loss(outputs, target, reduction="none")).sum()
    torch.testing.assert_close(mse(outputs, target, weight), (expected, weight.sum()))


def test_cross_entropy_equals_torch_and_scikit_learn():
    outputs, target, weight = sample(cross_entropy)
    loss_sum, weight_sum = cross_entropy(outputs, target, weight)
    codes = target[:, 0].long()
    torch.testing.assert_close(loss_sum, (weight[:, 0] * functional.cross_entropy(outputs, codes, reduction="none")).sum())
    expected = log_loss(codes, outputs.softmax(-1), sample_weight=weight[:, 0], labels=range(N_LEVELS))
    assert float(loss_sum / weight_sum) == pytest.approx(expected)


def test_binary_cross_entropy_equals_scikit_learn():
    outputs, target, weight = sample(binary_cross_entropy)
    loss_sum, weight_sum = binary_cross_entropy(outputs, target, weight)
    expected = log_loss(target.ravel(), outputs.sigmoid().ravel(), sample_weight=weight.ravel())
    assert float(loss_sum / weight_sum) == pytest.approx(expected)


def test_poisson_equals_scikit_learn():
    outputs, target, weight = sample(poisson)
    loss_sum, weight_sum = poisson(outputs, target, weight)
    expected = mean_poisson_deviance(target[:, 0], outputs[:, 0].exp(), sample_weight=weight[:, 0])
    assert float(loss_sum / weight_sum) == pytest.approx(expected)


def test_poisson_keeps_its_digits_for_large_counts_in_float32():
    count, ratio = 1e8, 1.001
    outputs, target = torch.tensor([[count * ratio]]).log(), torch.tensor([[count]])
    loss_sum, _ = poisson(outputs, target, torch.ones(1, 1))
    log_ratio = float(outputs.double() - np.log(count))
    assert float(loss_sum) == pytest.approx(2 * count * (np.expm1(log_ratio) - log_ratio), rel=1e-2)


def test_poisson_is_zero_where_the_mean_is_the_count():
    counts = torch.arange(1.0, 9.0, dtype=torch.float64)[:, None]
    loss_sum, _ = poisson(counts.log(), counts, torch.ones_like(counts))
    assert loss_sum == pytest.approx(0.0, abs=1e-12)


def explicit_probabilities(outputs):
    """The textbook difference of sigmoids, in numpy."""
    score, raw = outputs[:, :1], outputs[:, 1:]
    thresholds = np.cumsum(np.hstack([raw[:, :1], np.log1p(np.exp(raw[:, 1:]))]), axis=1)
    cumulative = 1 / (1 + np.exp(score - thresholds))
    edges = np.hstack([np.zeros_like(score), cumulative, np.ones_like(score)])
    return np.diff(edges, axis=1)


def test_cumulative_link_equals_the_explicit_formula():
    outputs, target, weight = sample(cumulative_link)
    probabilities = explicit_probabilities(outputs.numpy())
    np.testing.assert_allclose(cumulative_link_probabilities(outputs), probabilities)
    loss_sum, weight_sum = cumulative_link(outputs, target, weight)
    expected = log_loss(target[:, 0], probabilities, sample_weight=weight[:, 0], labels=range(N_LEVELS))
    assert float(loss_sum / weight_sum) == pytest.approx(expected)


def test_cumulative_link_integrates_the_logistic_density_between_thresholds():
    outputs = torch.tensor([[0.3, -1.0, 0.5, 1.5]], dtype=torch.float64)
    thresholds = np.cumsum([-1.0, np.log1p(np.exp(0.5)), np.log1p(np.exp(1.5))])
    grid = np.linspace(thresholds[0], thresholds[1], 20_001)
    density = np.exp(0.3 - grid) / (1 + np.exp(0.3 - grid)) ** 2
    middle = np.trapezoid(density, grid)
    assert float(cumulative_link_probabilities(outputs)[0, 1]) == pytest.approx(middle, rel=1e-7)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize("n_levels", [2, 3, 10])
def test_level_probabilities_sum_to_one(scale, n_levels):
    outputs = scale * torch.randn(50, n_levels, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    probabilities = cumulative_link_probabilities(outputs)
    assert (probabilities >= 0).all()
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(50, dtype=torch.float64), rtol=0, atol=1e-12)


def test_two_levels_are_a_binary_task():
    outputs = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target, weight = torch.tensor([[0.0, 1.0] * 3]).T.double(), torch.ones(6, 1)
    logits = outputs[:, :1] - outputs[:, 1:]
    torch.testing.assert_close(cumulative_link(outputs, target, weight), binary_cross_entropy(logits, target, weight))


def test_a_single_level_is_refused():
    with pytest.raises(ValueError, match="at least 2; got 1"):
        cumulative_link_probabilities(torch.zeros(3, 1))
