"""Tasks that declare a loss, metrics or class weights keep every promise of their kind."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.exceptions import ModelFolderError, OptionError
from polytask.losses import CrossEntropy, Focal, Huber, Quantile
from polytask.metrics import MAE, make_metric
from polytask.tasks import (
    Binary,
    Count,
    Multiclass,
    Multilabel,
    Ordinal,
    Regression,
    fitted_task_from_dict,
    fixed_task,
    with_options,
)
from tests.tasks._tables import label_table, weights_of


def triple(preds, target):
    """Too low costs three times as much as too high."""
    return torch.where(preds < target, 3.0, 1.0) * (preds - target).abs()


def logistic(outputs, target):
    """Binary cross-entropy, by hand."""
    return torch.nn.functional.softplus(torch.where(target == 1, -outputs, outputs))


BIAS = make_metric("bias", lambda target, outputs: float(np.mean(outputs - target)), higher_is_better=False)

NUMBERS = {
    "regression mae": Regression("price", loss="mae"),
    "regression huber": Regression("price", loss="huber"),
    "regression huber 0.3": Regression("price", loss=Huber(delta=0.3)),
    "regression quantile 0.9": Regression("price", loss="quantile:0.9"),
    "regression own": Regression("price", loss=triple),
    "regression log-cosh": Regression("price", loss="log_cosh"),
    "regression gaussian": Regression("price", loss="gaussian"),
    "count log-cosh": Count("visits", loss="log_cosh:2"),
    "count mae": Count("visits", loss="mae"),
    "count mse": Count("visits", loss="mse"),
    "count quantile": Count("visits", loss=Quantile(0.8)),
    "count own": Count("visits", loss=triple),
}
CLASSES = {
    "binary focal": Binary("sold", loss="focal"),
    "binary smoothed": Binary("sold", loss="cross_entropy:0.1"),
    "binary weighted": Binary("sold", class_weight="balanced"),
    "binary focal weighted": Binary("sold", loss=Focal(1.0), class_weight={"yes": 5}),
    "binary class-balanced": Binary("sold", loss="class_balanced_focal:0.99"),
    "multiclass class-balanced": Multiclass("colour", loss="class_balanced_focal"),
    "binary own": Binary("sold", loss=logistic),
    "multiclass focal": Multiclass("colour", loss="focal:3"),
    "multiclass smoothed": Multiclass("colour", loss=CrossEntropy(0.2)),
    "multiclass weighted": Multiclass("colour", class_weight="balanced"),
    "ordinal focal": Ordinal("size", order=("S", "M", "L", "XL"), loss="focal"),
    "ordinal weighted": Ordinal("size", order=("S", "M", "L", "XL"), class_weight="balanced"),
    "multilabel focal": Multilabel("tags", ("a", "b", "c"), loss="focal"),
    "multilabel smoothed": Multilabel("tags", ("a", "b", "c"), loss="cross_entropy:0.1"),
}
DECLARED = {**NUMBERS, **CLASSES}
every_task = pytest.mark.parametrize("name", DECLARED)
every_number = pytest.mark.parametrize("name", NUMBERS)
every_class = pytest.mark.parametrize("name", CLASSES)


@pytest.fixture(scope="module")
def y():
    return label_table()


@pytest.fixture(scope="module")
def fitted(y):
    found = {}
    for name, task in DECLARED.items():
        own = task.fit(y)
        target = own.encode(y)
        found[name] = own.with_statistics(target, weights_of(target))
    return found


def raw_outputs(task, n=200, *, seed=0):
    return torch.randn(n, task.n_outputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ------------------------------------------------------------------------------------------------------------ all tasks


@every_task
def test_the_constant_raw_outputs_give_the_constant_outputs(fitted, name):
    task = fitted[name]
    raw = torch.as_tensor(task.constant_raw()).expand(5, -1)
    assert raw.shape == (5, task.n_outputs)
    np.testing.assert_allclose(task.link(raw).numpy(), task.constant_outputs(5), rtol=1e-7, atol=1e-9)


@every_task
def test_the_constant_has_the_least_error_of_skill(y, fitted, name):
    """So that skill 0 is the best that can be done without inputs; classes have one label's worth of doubt."""
    task = fitted[name]
    target = task.encode(y)
    weight = weights_of(target).max(axis=1)

    def error(outputs):
        losses = task.row_losses(outputs, target)
        seen = ~np.isnan(losses)
        return np.average(losses[seen], weights=weight[seen])

    constant = error(task.constant_outputs(200))
    for seed in range(5):
        other = task.link((torch.as_tensor(task.constant_raw()) + 0.2 * raw_outputs(task, 1, seed=seed)).expand(200, -1)).numpy()
        assert constant <= error(other) * 1.005


@every_task
def test_row_losses_agree_with_the_errors_of_raw_outputs(y, fitted, name):
    task = fitted[name]
    target = task.encode(y)
    rows = ~np.isnan(target).any(axis=1)
    target, raw = target[rows], 0.5 * raw_outputs(task, int(rows.sum()))
    errors = task.label_errors(raw, torch.tensor(task.training_target(target))).mean(dim=1).numpy()
    ratio = task.row_losses(task.link(raw).numpy(), target) / errors
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


@every_task
def test_missing_labels_reach_neither_value_nor_gradient(y, fitted, name):
    task = fitted[name]
    target = task.encode(y)
    weight = weights_of(target)
    raw = raw_outputs(task).requires_grad_()
    loss, _ = task.loss_sums(raw, torch.tensor(task.training_target(target)), torch.tensor(weight))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(raw.grad).all()
    assert (raw.grad[np.isnan(target).all(axis=1)] == 0).all()


@every_task
def test_replicas_are_trained_as_each_alone(y, fitted, name):
    task = fitted[name]
    target = torch.tensor(np.nan_to_num(task.training_target(task.encode(y))))
    raw = torch.stack([raw_outputs(task, seed=seed) for seed in range(3)])
    together = task.label_losses(raw, target.expand(3, -1, -1))
    for r in range(3):
        torch.testing.assert_close(together[r], task.label_losses(raw[r], target))
    torch.testing.assert_close(torch.func.vmap(task.label_losses, in_dims=(0, None))(raw, target), together)


@every_task
def test_json_gives_the_same_task_again(fitted, name):
    task = replace(fitted[name], own_metrics=(MAE, BIAS))
    again = fitted_task_from_dict(json.loads(json.dumps(task.to_dict(), allow_nan=False)), own=[triple, logistic, BIAS, dict])
    assert again == task
    assert again.to_dict() == task.to_dict()


@every_task
def test_folds_without_labels_still_give_a_constant(fitted, name):
    task = fitted[name]
    nothing = np.full((7, task.n_targets), np.nan)
    constant = task.with_statistics(nothing, np.zeros((7, task.n_targets)))
    assert np.isfinite(constant.constant_outputs(2)).all()
    assert np.isfinite(constant.constant_raw()).all()


@every_task
def test_a_fixed_task_keeps_the_loss(y, fitted, name):
    assert fixed_task(fitted[name]).fit(y).loss == fitted[name].loss


@every_task
def test_all_metrics_are_told_and_the_skill_metric_has_a_name(y, fitted, name):
    task = fitted[name]
    values = task.evaluate(task.link(raw_outputs(task)).numpy(), task.encode(y))
    assert list(values) == [metric.name for metric in task.scored_by]
    assert isinstance(task.skill_metric, str)


# -------------------------------------------------------------------------------------------------------------- numbers


@every_number
def test_networks_that_minimise_the_loss_predict_the_constant(y, fitted, name):
    """A free raw output, found by descent on the training loss, ends at the constant of the task."""
    task = fitted[name]
    target = task.encode(y)
    weight = torch.as_tensor(weights_of(target))
    numbers = torch.tensor(task.training_target(target))
    raw = (torch.as_tensor(task.constant_raw()).double() + 0.3).requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=0.02)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / 600)
        optimizer.zero_grad()
        loss, total = task.loss_sums(raw.expand(200, -1), numbers, weight)
        (loss / total).backward()
        optimizer.step()
    found = task.link(raw.detach()[None]).numpy()
    losses = [np.nansum(task.row_losses(np.full(200, c), target) * weight.numpy()[:, 0]) for c in (found[0], task.center)]
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)


def test_the_constants_are_mean_median_and_quantile():
    y = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 90.0]})

    def constant(**options):
        task = Regression("x", **options).fit(y)
        return task.with_statistics(task.encode(y), np.ones((5, 1))).center

    assert constant() == pytest.approx(20.0)
    assert constant(loss="mae") == 3.0
    assert constant(loss="quantile:0.8") == pytest.approx(47.0)  # anything from 4 to 90 is the 0.8 quantile
    assert 3.0 < constant(loss="huber") < 4.0


def test_robust_losses_are_not_scaled_by_outliers():
    y = pd.DataFrame({"x": np.r_[np.random.default_rng(0).normal(0, 2, size=999), 1e9]})
    task = Regression("x", loss="mae").fit(y)
    assert task.with_statistics(task.encode(y), np.ones((1000, 1))).statistics["scale"] == pytest.approx(2.0, rel=0.1)


def test_quantiles_are_told_by_their_own_metrics(fitted):
    task = fitted["regression quantile 0.9"]
    assert [metric.name for metric in task.scored_by][:2] == ["pinball_loss:0.9", "coverage_error:0.9"]
    assert task.skill_metric == "pinball_loss:0.9"
    assert fitted["regression mae"].skill_metric == "mae"
    assert fitted["regression own"].skill_metric == "triple"
    assert fitted["regression own"].scored_by[0].name == "triple"


def test_the_default_loss_by_its_name_is_the_default(y):
    task = Regression("price", loss="mse").fit(y)
    assert task == Regression("price").fit(y)
    assert task.separate_loss is None


# -------------------------------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize("name", ["binary focal", "multiclass focal", "ordinal focal"])
def test_focal_outputs_are_probabilities_of_the_data(y, fitted, name):
    """The constant that minimises the focal loss is linked to the shares of the classes, not to something milder."""
    task = fitted[name]
    plain = replace(task, loss=CrossEntropy())
    np.testing.assert_allclose(task.constant_outputs(1), plain.constant_outputs(1))
    assert np.abs(task.constant_raw() - plain.constant_raw()).max() > 0.1
    target = task.encode(y)
    rows = ~np.isnan(target[:, 0])
    prior = np.asarray(task.statistics["prior"])
    weights = torch.as_tensor(
        prior[target[rows, 0].astype(int)] / np.bincount(target[rows, 0].astype(int))[target[rows, 0].astype(int)]
    )
    raw = torch.as_tensor(task.constant_raw()).requires_grad_()
    (task.label_losses(raw.expand(int(rows.sum()), -1), torch.as_tensor(target[rows]))[:, 0] * weights).sum().backward()
    assert raw.grad.abs().max() < 1e-7


def test_balanced_weights_make_classes_count_alike(y, fitted):
    task = fitted["multiclass weighted"]
    codes = task.encode(y)[:, 0]
    task = task.with_statistics(codes[:, None], (~np.isnan(codes))[:, None].astype(float))
    sums = [task.importance(codes[:, None])[codes == k].sum() for k in range(3)]
    np.testing.assert_allclose(sums, sums[0])
    np.testing.assert_allclose(np.mean(task.importance(codes[:, None])[~np.isnan(codes)]), 1.0)
    assert task.skill_metric == "weighted_log_loss"
    np.testing.assert_allclose(task.constant_outputs(1), 1 / 3, atol=1e-3)


def test_balanced_weights_equal_scikit_learn(y):
    from sklearn.utils.class_weight import compute_class_weight

    task = Multiclass("colour", class_weight="balanced").fit(y)
    seen = y["colour"].dropna().to_numpy()
    expected = compute_class_weight("balanced", classes=np.array(task.classes), y=seen)
    target = task.encode(y)
    task = task.with_statistics(target, np.where(np.isnan(target), 0.0, 2.5))
    np.testing.assert_allclose(task.class_weights, expected)


def test_a_class_weight_of_two_is_the_label_twice(y):
    weighted = Binary("sold", class_weight={"yes": 2}).fit(y)
    target = weighted.encode(y)
    once = np.where(np.isnan(target), 0.0, 1.0)
    twice = np.where(target == 1, 2.0, once)
    plain = Binary("sold").fit(y)
    raw, numbers = raw_outputs(weighted), torch.as_tensor(np.nan_to_num(target))
    first = weighted.loss_sums(raw, numbers, torch.as_tensor(once))[0]
    torch.testing.assert_close(first, plain.loss_sums(raw, numbers, torch.as_tensor(twice))[0])
    shares = weighted.with_statistics(target, once).constant_outputs(1)
    np.testing.assert_allclose(shares, plain.with_statistics(target, twice).constant_outputs(1), atol=1e-3)


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "declare, words",
    [
        (lambda: Regression("price", loss="focal"), "one of mse, mae, huber"),
        (lambda: Regression("price", loss="poisson"), "make it a Count task"),
        (lambda: Count("visits", loss="gaussian"), "make it a Regression task"),
        (lambda: Binary("sold", loss="mae"), "one of cross_entropy, focal"),
        (lambda: Multiclass("colour", loss="asymmetric_focal"), "for tasks of kind binary and multilabel; task 'colour'"),
        (lambda: Multilabel("tags", loss="class_balanced_focal"), "'tags' is of kind multilabel. Choose another"),
        (lambda: Regression("price", metrics=["maee"]), "no metric 'maee' of task 'price'. Did you mean 'mae'"),
        (lambda: Regression("price", metrics=[np.mean]), "bare function"),
    ],
)
def test_what_cannot_be_declared_is_refused_at_once(declare, words):
    with pytest.raises(OptionError, match=words):
        declare()


@pytest.mark.parametrize(
    "weight, words",
    [("even", "'balanced' or a dict"), ({"maybe": 2}, "names 'maybe', which is no class"), ({"yes": 0}, "must be positive")],
)
def test_class_weights_that_cannot_be_used_are_refused(y, weight, words):
    with pytest.raises(OptionError, match=words):
        Binary("sold", class_weight=weight).fit(y)


def test_a_loss_that_weighs_classes_takes_no_other_class_weights(y):
    with pytest.raises(OptionError, match="weighs the classes itself; leave `class_weight` out"):
        Binary("sold", loss="class_balanced_focal", class_weight="balanced").fit(y)


def test_effective_numbers_are_counted_on_the_training_rows(y):
    task = Multiclass("colour", loss="class_balanced_focal:0.9").fit(y)
    target = task.encode(y)
    weight = weights_of(target)
    counts = [weight[target == k].sum() for k in range(3)]
    expected = (1 - 0.9) / (1 - 0.9 ** np.array(counts))
    found = np.array(task.with_statistics(target, weight).class_weights)
    np.testing.assert_allclose(found / found[0], expected / expected[0])
    assert not task.has_fixed_losses
    assert task.skill_metric == "weighted_log_loss"


def test_what_is_not_given_at_load_is_named(fitted):
    with pytest.raises(ModelFolderError, match=r"your own loss 'triple'"):
        fitted_task_from_dict(fitted["regression own"].to_dict())
    with pytest.raises(ModelFolderError, match=r"your own metric 'bias'"):
        fitted_task_from_dict(replace(fitted["regression mae"], own_metrics=(BIAS,)).to_dict())


def test_folders_of_before_have_no_loss_and_load(y):
    task = Binary("sold").fit(y)
    content = {key: value for key, value in task.to_dict().items() if key not in ("loss", "own_metrics", "class_weights")}
    assert fitted_task_from_dict(content) == task


def test_own_metrics_stand_before_those_of_the_kind(y):
    task = Regression("price", metrics=["spearman", BIAS, "rmse"]).fit(y)
    assert [metric.name for metric in task.scored_by] == ["spearman", "bias", "rmse", "mae", "r2", "relative_rmse", "mse"]
    assert Regression("price", metrics="mae").metrics == (MAE,)


def test_options_are_given_to_a_task_that_is_there():
    task = with_options(Binary("sold"), loss="focal", metrics=["precision_at_k:0.2"], class_weight="balanced")
    assert task == Binary("sold", loss="focal", metrics=["precision_at_k:0.2"], class_weight="balanced")
    assert with_options(task) is task
    assert with_options(task, loss="cross_entropy").class_weight == "balanced"
    assert with_options(Ordinal("size", order=("S", "L")), loss="focal").order == ("S", "L")


def test_options_that_a_task_cannot_have_are_refused(y):
    with pytest.raises(OptionError, match="'price' of kind regression has no classes to weigh"):
        with_options(Regression("price"), class_weight="balanced")
    with pytest.raises(OptionError, match="'sold' is fitted already; its loss cannot be changed"):
        with_options(fixed_task(Binary("sold").fit(y)), loss="focal")
