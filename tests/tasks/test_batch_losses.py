"""Tasks whose networks minimise a statistic of the batch, and make probabilities of their scores afterwards."""

import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from polytask.exceptions import OptionError
from polytask.tasks import Binary, Multiclass, Multilabel, Ordinal, Regression, fitted_task_from_dict
from polytask.training import TaskLosses
from tests.tasks._tables import label_table, weights_of

TASKS = {
    "binary auc": Binary("sold", loss="auc"),
    "binary aucm weighted": Binary("sold", loss="aucm", class_weight={"yes": 3}),
    "binary average precision": Binary("sold", loss="average_precision:0.5"),
    "binary f1 weighted": Binary("sold", loss="soft_f1_macro", class_weight="balanced"),
    "binary asymmetric": Binary("sold", loss="asymmetric_focal"),
    "multiclass macro": Multiclass("colour", loss="soft_f1_macro"),
    "multiclass micro": Multiclass("colour", loss="soft_f1_micro"),
    "multilabel auc": Multilabel("tags", ("a", "b", "c"), loss="auc"),
    "multilabel micro": Multilabel("tags", ("a", "b", "c"), loss="soft_f1_micro"),
    "multilabel asymmetric": Multilabel("tags", ("a", "b", "c"), loss="asymmetric_focal"),
}
every_task = pytest.mark.parametrize("name", TASKS)


@pytest.fixture(scope="module")
def y():
    return label_table()


@pytest.fixture(scope="module")
def fitted(y):
    found = {}
    for name, task in TASKS.items():
        own = task.fit(y)
        found[name] = own.with_statistics(own.encode(y), weights_of(own.encode(y)))
    return found


def raw_outputs(task, n=200, *, seed=0):
    return torch.randn(n, task.n_outputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every_task
def test_missing_labels_reach_neither_value_nor_gradient(y, fitted, name):
    task = fitted[name]
    target, seen = task.encode(y), ~np.isnan(task.encode(y)).all(axis=1)
    raw, weight = raw_outputs(task).requires_grad_(), torch.tensor(weights_of(task.encode(y)))
    sums = task.loss_sums(raw, torch.tensor(target), weight)
    sums[0].backward()
    torch.testing.assert_close(sums, task.loss_sums(raw[seen], torch.tensor(target)[seen], weight[seen]))
    assert torch.isfinite(raw.grad).all()
    assert (raw.grad[~seen] == 0).all()


@every_task
def test_all_tasks_at_once_are_each_alone_also_in_stacks(y, fitted, name):
    tasks = [
        fitted[name],
        Regression("price").fit(y).with_statistics(*[np.arange(9.0)[:, None]] * 2),
        fitted["binary asymmetric"],
    ]
    target = torch.tensor(np.concatenate([task.encode(y) for task in tasks], axis=1)).nan_to_num()
    weight = torch.tensor(np.concatenate([weights_of(task.encode(y)) for task in tasks], axis=1))
    raw = torch.cat([torch.stack([raw_outputs(task, seed=seed) for seed in range(2)]) for task in tasks], dim=-1)
    weight = torch.stack([weight, weight * (torch.arange(200) % 2)[:, None]])
    sums, weights = TaskLosses(tasks)(raw, target, weight)
    for r in range(2):
        expected = TaskLosses(tasks)(raw[r], target, weight[r])
        torch.testing.assert_close((sums[r], weights[r]), expected)
        columns = [own.n_targets for own in tasks]
        parts = zip(
            tasks,
            raw[r].split([t.n_outputs for t in tasks], -1),
            target.split(columns, -1),
            weight[r].split(columns, -1),
            strict=True,
        )
        alone = [task.loss_sums(*part) for task, *part in parts]
        torch.testing.assert_close(expected, tuple(torch.stack(own) for own in zip(*alone, strict=True)))


@every_task
def test_early_stopping_is_by_the_loss_itself(y, fitted, name):
    task = fitted[name]
    target = torch.tensor(np.nan_to_num(task.encode(y)))
    torch.testing.assert_close(task.label_errors(raw_outputs(task), target), task.label_losses(raw_outputs(task), target))


@every_task
def test_calibration_makes_probabilities_and_keeps_the_order(y, fitted, name):
    """Scores of another unit and origin are linked to the same probabilities, and better ones than as they are."""
    task, target = fitted[name], fitted[name].encode(y)
    weight = weights_of(target)
    labels = (
        torch.nn.functional.one_hot(torch.tensor(np.nan_to_num(target[:, 0])).long(), 3)
        if task.n_outputs > task.n_targets
        else None
    )
    signal = labels if labels is not None else torch.tensor(np.nan_to_num(target))
    raw = (6 * (signal + raw_outputs(task))).numpy()
    shift = 0.0 if "f1" in str(task.loss.name) else 40.0
    assert task.needs_calibration
    found = task.calibrated(raw, np.nan_to_num(target), weight)
    other = task.calibrated(0.01 * raw + shift, np.nan_to_num(target), weight)
    outputs = found.link(torch.tensor(raw)).numpy()
    np.testing.assert_allclose(other.link(torch.tensor(0.01 * raw + shift)).numpy(), outputs, rtol=2e-2, atol=2e-3)

    def error(values):
        losses = task.row_losses(values, target)
        return np.average(losses[~np.isnan(losses)], weights=weight.max(axis=1)[~np.isnan(losses)])

    assert error(outputs) < error(task.link(torch.tensor(raw)).numpy())
    assert error(outputs) < error(task.constant_outputs(200))
    columns = outputs[:, 1:] if outputs.shape[1] == 2 and task.n_outputs == 1 else outputs
    before = raw if shift else task.link(torch.tensor(raw)).numpy()[:, -columns.shape[1] :]
    if shift:
        assert all((np.argsort(own) == np.argsort(was)).all() for own, was in zip(columns.T, before.T, strict=True))
    else:  # the decisions, at a half or by the largest, are those of the scores
        decided = found.decode(outputs).values()
        assert all(
            (a == b).all() for a, b in zip(decided, task.decode(task.link(torch.tensor(raw)).numpy()).values(), strict=True)
        )


@every_task
def test_json_keeps_loss_and_calibration(y, fitted, name):
    task = fitted[name]
    task = task.calibrated(raw_outputs(task).numpy(), np.nan_to_num(task.encode(y)), weights_of(task.encode(y)))
    again = fitted_task_from_dict(json.loads(json.dumps(task.to_dict(), allow_nan=False)))
    assert again == task
    torch.testing.assert_close(again.link(raw_outputs(task)), task.link(raw_outputs(task)))


def test_platt_calibration_is_a_logistic_regression_of_the_score(y):
    rng = np.random.default_rng(0)
    score = rng.normal(3.0, 5.0, size=(4000, 1))
    label = (score[:, 0] / 5 + rng.logistic(size=4000) > 2.0).astype(float)
    weight = rng.integers(0, 4, size=(4000, 1)).astype(float)
    task = Binary("sold", loss="auc").fit(y).with_statistics(label[:, None], weight)
    found = task.calibrated(score, label[:, None], weight).statistics["calibration"]
    expected = LogisticRegression(C=np.inf).fit(score, label, sample_weight=weight[:, 0])
    assert found[0][0] == pytest.approx(expected.coef_[0, 0], rel=0.01)
    assert found[1][0] == pytest.approx(expected.intercept_[0], rel=0.01)


def test_labels_of_one_class_calibrate_to_the_prior(fitted):
    task = fitted["binary auc"]
    scores = np.linspace(-50, 50, 20)[:, None]
    outputs = task.calibrated(scores, np.zeros((20, 1)), np.ones((20, 1))).link(torch.tensor(scores)).numpy()
    np.testing.assert_allclose(outputs, task.constant_outputs(20), atol=1e-3)
    assert (np.diff(outputs[:, 1]) > 0).all()


@pytest.mark.parametrize(
    "declare", [lambda: Multiclass("colour", loss="auc"), lambda: Ordinal("size", loss="soft_f1_macro")], ids=["auc", "f1"]
)
def test_kinds_that_a_loss_does_not_know_are_refused(declare):
    with pytest.raises(OptionError, match="is for tasks of kind binary"):
        declare()


def test_a_class_against_the_rest_is_told_as_the_way_out():
    with pytest.raises(OptionError, match=r"such as 'focal', or a task for each class, 'onehot\(colour\)'\."):
        Multiclass("colour", loss="average_precision")
