"""What weights mean: 2 is the row twice, 0 is a missing label; in losses, statistics, metrics and whole fits.

Where something counts rows (batches, the split for early stopping, the doubt in a class prior, a penalty), weights cannot be
repetition, since their unit does not matter: all weights 2 are all weights 1. Each test says what it leaves out.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from polytask.estimators import BestPerTask, PerTaskEstimator, read_labels
from polytask.networks import HardSharing, recipe_of
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, fixed_task
from polytask.training import TaskLosses
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


@pytest.fixture
def table(rng):
    """Numeric inputs, labels of six kinds, and whole weights of rows."""
    X, y = houses(70)
    X = X[["area"]].assign(width=rng.normal(size=70))
    return X, y, rng.integers(0, 4, 70).astype(float)


def repeated(X, y, weight):
    """Every row as often as its weight says."""
    rows = np.repeat(np.arange(len(X)), weight.astype(int))
    return X.iloc[rows], y.iloc[rows]


def labels_as_often(X, y, weight):
    """Rows for weights (n, T): each row as often as its largest weight, a label missing where its own weight is used up."""
    times = weight.max(axis=1).astype(int)
    rows = np.repeat(np.arange(len(X)), times)
    copy_number = np.concatenate([np.arange(n) for n in times])
    parts = y.iloc[rows].copy().reset_index(drop=True)
    for k, task in enumerate(TASKS):
        parts.loc[copy_number >= weight[rows, k], list(task.columns)] = None
    return X.iloc[rows].reset_index(drop=True), parts


class Plain(torch.nn.Module):
    """An encoder without scaling or dropout: nothing in it counts rows."""

    def __init__(self, shape):
        super().__init__()
        self.linear = torch.nn.Linear(shape.n_numeric, 8)
        self.out_features = 8

    def prepare(self, numeric, categorical):
        return (numeric.float() / 100,)

    def forward(self, dense):
        return torch.tanh(self.linear(dense))


def whole_batches(tasks):
    """A network whose steps see all rows at once, so that the number of rows changes no step."""
    plain = {"encoder": recipe_of(Plain), "sharing": HardSharing(), "validation": None, "batch_size": 10_000, "max_epochs": 8}
    return small_network(tasks, **plain, learning_rate=0.05)


def without_doubt(statistics, n, n_classes):
    """A class prior without the one label's worth of doubt, which is spread over the number of rows, not of weights."""
    return (np.asarray(statistics) * (n + 1) - 1 / n_classes) / n


# ---------------------------------------------------------------------------------------------------- parts of a fit


def test_statistics_of_every_kind(table):
    X, y, weight = table
    labels, many = (
        read_labels(y, TASKS),
        read_labels(repeated(X, y, weight)[1], [fixed_task(t) for t in read_labels(y, TASKS).tasks]),
    )
    for task in labels.tasks:
        part = labels.slices[task.name]
        target = labels.target[:, part]
        own = np.where(np.isnan(target), 0.0, weight[:, None])
        left = task.with_statistics(target, own).statistics
        right = task.with_statistics(many.target[:, part], (~np.isnan(many.target[:, part])).astype(float)).statistics
        n_left, n_right = (own > 0).sum(axis=0), (~np.isnan(many.target[:, part])).sum(axis=0)
        assert left.keys() == right.keys()
        for key in left:
            if key == "prior" and task.kind != "multilabel":
                k = len(task.labels)
                found = [without_doubt(s[key], n[0], k) for s, n in ((left, n_left), (right, n_right))]
            elif key == "prior":
                found = [without_doubt(s[key], n, 2) for s, n in ((left, n_left), (right, n_right))]
            else:
                found = [left[key], right[key]]
            np.testing.assert_allclose(*found, rtol=1e-9, err_msg=f"{task.name}: {key}")


def test_losses_of_every_kind(table, rng):
    X, y, weight = table
    labels = read_labels(y, TASKS)
    fitted, parts = [], []
    for task in labels.tasks:
        own = labels.target[:, labels.slices[task.name]]
        fitted.append(task.with_statistics(own, (~np.isnan(own)).astype(float)))
        parts.append(fitted[-1].training_target(own))
    target = torch.as_tensor(np.nan_to_num(np.concatenate(parts, axis=1)))
    seen = torch.as_tensor((~np.isnan(labels.target)).astype(float))
    outputs = torch.as_tensor(rng.normal(size=(len(X), sum(task.n_outputs for task in fitted))))
    rows = torch.as_tensor(np.repeat(np.arange(len(X)), weight.astype(int)))
    left = TaskLosses(fitted)(outputs, target, seen * torch.as_tensor(weight)[:, None])
    right = TaskLosses(fitted)(outputs[rows], target[rows], seen[rows])
    torch.testing.assert_close(left, right)


def test_the_score(table):
    X, y, weight = table
    model = small_network(TASKS).fit(X, y)
    assert model.score(X, y, sample_weight=weight) == pytest.approx(model.score(*repeated(X, y, weight)), rel=1e-9)
    own = np.random.default_rng(1).integers(0, 3, (len(X), len(TASKS))).astype(float)
    assert model.score(X, y, sample_weight=own) == pytest.approx(model.score(*labels_as_often(X, y, own)), rel=1e-9)


def test_every_metric_of_every_kind(table):
    X, y, weight = table
    model = small_network(TASKS).fit(X, y)
    for task in model.tasks_:
        target = task.encode(y)
        many_X, many_y = repeated(X, y, weight)
        left = task.evaluate(model.outputs(X)[task.name], np.where(weight[:, None] > 0, target, np.nan), sample_weight=weight)
        right = task.evaluate(model.outputs(many_X)[task.name], task.encode(many_y))
        assert left.keys() == right.keys()
        for name in left:
            assert left[name] == pytest.approx(right[name], rel=1e-9), f"{task.name}: {name}"


# ------------------------------------------------------------------------------------------------------- whole fits


def close(left, right, rtol, atol=0.0):
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=rtol, atol=atol, err_msg=name)


def fixed(y):
    """Tasks whose classes are those of all rows, whatever weights leave out."""
    return [fixed_task(task) for task in read_labels(y, TASKS).tasks]


def test_a_network_learns_from_a_weight_as_from_rows(table):
    """All steps see all rows; the doubt in the priors, where heads begin, is what the tolerance of probabilities is for."""
    X, y, weight = table
    left = whole_batches(fixed(y)).fit(X, y, sample_weight=weight)
    right = whole_batches(fixed(y)).fit(*repeated(X, y, weight))
    assert left.outputs(X)["price"].std() > 1
    close(left.outputs(X), right.outputs(X), rtol=1e-3, atol=0.02)
    np.testing.assert_allclose(left.outputs(X)["price"], right.outputs(X)["price"], rtol=1e-4)


def test_weights_of_tasks_are_rows_with_missing_labels(table, rng):
    X, y, _ = table
    weight = rng.integers(0, 4, (len(X), len(TASKS))).astype(float)
    left = whole_batches(fixed(y)).fit(X, y, sample_weight=weight)
    right = whole_batches(fixed(y)).fit(*labels_as_often(X, y, weight))
    close(left.outputs(X), right.outputs(X), rtol=1e-3, atol=0.02)


def test_more_data_with_weights_is_more_rows(table):
    X, y, weight = table
    left, right = (whole_batches(fixed(y)).partial_fit(X, y) for _ in range(2))
    for _ in range(3):
        left.partial_fit(X, y, sample_weight=weight)
        right.partial_fit(*repeated(X, y, weight))
    close(left.outputs(X), right.outputs(X), rtol=1e-4)  # here nothing is fitted anew, so only rounding is left


NO_PENALTY = {
    "lines": {"regressor": LinearRegression(), "classifier": LogisticRegression(C=np.inf, max_iter=5000, tol=1e-8)},
    "scikit-learn trees": {"regressor": DecisionTreeRegressor(max_depth=2), "classifier": DecisionTreeClassifier(max_depth=2)},
}
NUMBERS_AND_CLASSES = [Regression("price"), Binary("sold"), Multiclass("style"), Count("visits")]


@pytest.mark.parametrize("name", NO_PENALTY)
def test_separate_models_without_a_penalty(table, name):
    X, y, weight = table
    y = y[["price", "sold", "style", "visits"]]
    tasks = [fixed_task(task) for task in read_labels(y, NUMBERS_AND_CLASSES).tasks]
    left = PerTaskEstimator(NO_PENALTY[name], tasks).fit(X, y, sample_weight=weight).outputs(X)
    right = PerTaskEstimator(NO_PENALTY[name], tasks).fit(*repeated(X, y, weight)).outputs(X)
    for task in left:
        np.testing.assert_allclose(left[task], right[task], rtol=1e-3, atol=1e-4, err_msg=task)


def test_separate_models_with_weights_of_tasks_see_their_own(table, rng):
    X, y, _ = table
    y = y[["price", "sold"]]
    weight = rng.integers(0, 3, (len(X), 2)).astype(float)
    tasks = [fixed_task(task) for task in read_labels(y, [Regression("price"), Binary("sold")]).tasks]
    both = PerTaskEstimator(NO_PENALTY["lines"], tasks).fit(X, y, sample_weight=weight).outputs(X)
    for k, task in enumerate(tasks):
        alone = PerTaskEstimator(NO_PENALTY["lines"], [task]).fit(*repeated(X, y[[task.name]], weight[:, k])).outputs(X)
        np.testing.assert_allclose(both[task.name], alone[task.name], rtol=1e-3, atol=1e-4)


TREES = {
    "regressor": LGBMRegressor(n_estimators=3, min_child_samples=1, n_jobs=1, verbosity=-1, deterministic=True),
    "classifier": LGBMClassifier(n_estimators=3, min_child_samples=1, n_jobs=1, verbosity=-1, deterministic=True),
}
EVERY = {
    "network": small_network(TASKS),
    "separate": PerTaskEstimator(NO_PENALTY["lines"], TASKS),
    "separate networks": PerTaskEstimator(small_network(), TASKS),
    "best": BestPerTask({"lines": NO_PENALTY["lines"], "trees": TREES, "network": small_network()}, TASKS, random_state=0),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", ["rows", "rows and tasks"])
def test_a_weight_of_zero_is_a_missing_label_to_the_bit(table, rng, name, shape):

    X, y, _ = table
    weight = rng.integers(0, 2, (len(X), len(TASKS))).astype(float)
    if shape == "rows":
        weight[:] = weight[:, :1]
    masked = y.copy()
    for k, task in enumerate(TASKS):
        masked.loc[weight[:, k] == 0, list(task.columns)] = None
    tasks = fixed(y)
    left = clone(EVERY[name]).set_params(tasks=tasks).fit(X, y, sample_weight=weight[:, 0] if shape == "rows" else weight)
    right = clone(EVERY[name]).set_params(tasks=tasks).fit(X, masked)
    assert_same_outputs(left.outputs(X), right.outputs(X))
    if name == "best":
        assert left.selection_skills_ == right.selection_skills_


@pytest.mark.parametrize("name", EVERY)
def test_the_unit_of_weights_does_not_matter(table, name):

    X, y, weight = table
    weight = weight + 0.5
    left = clone(EVERY[name]).fit(X, y, sample_weight=weight).outputs(X)
    right = clone(EVERY[name]).fit(X, y, sample_weight=weight * 8).outputs(X)  # a power of two rounds nothing
    close(left, right, rtol=1e-5)


def test_the_choice_among_separate_models_is_weighed(rng):
    """Heavy rows follow a line, light ones their neighbours: what is chosen depends on whom the weights hear."""
    X = pd.DataFrame({"a": rng.uniform(-3, 3, 400)})
    heavy = rng.random(400) < 0.5
    y = np.where(heavy, X["a"], 5 * np.sign(np.sin(8 * X["a"])))
    candidates = {"line": LinearRegression(), "tree": DecisionTreeRegressor(min_samples_leaf=3)}
    chosen = {}
    for name, weight in {"line": np.where(heavy, 1.0, 1e-6), "tree": np.where(heavy, 1e-6, 1.0)}.items():
        chosen[name] = BestPerTask(candidates, random_state=0).fit(X, y, sample_weight=weight).chosen_["y0"]
    assert chosen == {"line": "line", "tree": "tree"}


def test_multilabel_and_ordinal_tasks_are_among_the_kinds_above():
    assert {type(task) for task in TASKS} == {Regression, Binary, Multiclass, Ordinal, Count, Multilabel}
