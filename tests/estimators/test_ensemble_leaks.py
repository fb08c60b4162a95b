"""Nothing that is kept as out-of-fold comes from a model that has seen a label of the row, of any task."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from polytask.data.splits import TimeOrder
from polytask.estimators import (
    BaggingEstimator,
    CodedTable,
    GreedyEnsemble,
    LearningData,
    PerTaskEstimator,
    StackedAcrossTasks,
    StackingEstimator,
    bag_estimator,
    inner_folds,
)
from polytask.estimators._bag_estimator import bag_by
from polytask.evaluation import out_of_fold
from polytask.tasks import Binary, Regression

N = 120
TREES = {"regressor": DecisionTreeRegressor(), "classifier": DecisionTreeClassifier()}  # full trees know rows by heart
NEAREST = {"regressor": KNeighborsRegressor(1), "classifier": KNeighborsClassifier(1)}
LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression(max_iter=500)}
STACKS = {
    "stacked": StackedAcrossTasks(TREES, final_estimator=TREES, passthrough=True, folds=3, random_state=0),
    "linear upon trees": StackedAcrossTasks(TREES, final_estimator=LINEAR, folds=3, random_state=0),
    "as it is": StackedAcrossTasks(TREES, folds=3, random_state=0),
    "linear upon neighbours": StackedAcrossTasks(NEAREST, final_estimator=LINEAR, folds=3, random_state=0),
    "layers": StackedAcrossTasks(TREES, final_estimator=LINEAR, n_layers=2, folds=3, random_state=0),
    "chains": StackedAcrossTasks(TREES, method="chains", folds=3, random_state=0),
    "stacking": StackingEstimator({"trees": TREES, "linear": LINEAR}, folds=3, random_state=0),
    "layers of stacking": StackingEstimator({"trees": TREES, "linear": LINEAR}, n_layers=2, folds=2, random_state=0),
}


@pytest.fixture(scope="module")
def planted():
    """Noise that no input tells of, and two tasks that are that noise again: each gives the others of its row away."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("abcd"))
    noise = rng.normal(size=N)
    y = pd.DataFrame({"noise": noise, "same": 2 * noise + 1, "sign": np.where(noise > 0, "yes", "no")})
    return X, y.mask(rng.random(y.shape) < 0.1)


def skill(model, X, y, name="same"):
    """Out-of-fold skill of a task of numbers, all folds outside of the whole model."""
    values = out_of_fold(model, X, y, KFold(4, shuffle=True, random_state=1))[name]
    seen = y[name].notna().to_numpy()
    truth = y[name].to_numpy()[seen]
    return 1 - np.mean((values[seen] - truth) ** 2) / np.var(truth)


@pytest.mark.parametrize("name", STACKS)
def test_labels_of_other_tasks_do_not_help(planted, name):
    assert skill(STACKS[name], *planted) < 0.05


def test_the_planted_leak_would_be_seen(planted):
    X, y = planted
    leaky = X.assign(noise=y["noise"])
    assert skill(STACKS["stacked"], leaky, y) > 0.5


def test_a_stack_of_outputs_that_know_the_row_would_be_seen(planted):
    X, y = planted
    data = coded(X, y)
    rows = np.arange(N)
    trees = bag_estimator("", PerTaskEstimator(TREES), data, [(rows, rows)], seed=0)  # held-out rows are learned from
    honest = bag_estimator("", PerTaskEstimator(TREES), data, inner_folds(data, rows, 3, seed=0), seed=0)
    seen = y[["same", "noise"]].notna().all(axis=1).to_numpy()
    for bagged, low, high in ((trees, 0.999, 1.0001), (honest, -np.inf, 0.1)):
        truth = y["same"].to_numpy()[seen]
        found = 1 - np.mean((bagged.held_out["noise"][seen] * 2 + 1 - truth) ** 2) / np.var(truth)
        assert low < found < high


def test_kept_scores_of_a_selection_do_not_rise(planted):
    X, y = planted
    model = GreedyEnsemble({"trees": TREES, **STACKS}, folds=3, random_state=0).fit(X, y)
    assert max(model.skill_.values()) < 0.05
    assert max(max(own.values()) for own in model.skills_.values()) < 0.05


def coded(X, y, **given):
    reader = GreedyEnsemble({"x": TREES}, [Regression("noise"), Regression("same"), Binary("sign")])
    arrays, labels = reader._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    return LearningData(CodedTable(arrays, reader.codec_.cardinalities), labels, weight, **given)


def changed(y, row):
    """The same labels but for one row, whose labels are others, or missing."""
    y = y.copy()
    y.loc[row, ["noise", "same"]] = [50.0, np.nan]
    y.loc[row, "sign"] = {"yes": "no", "no": "yes"}.get(y.loc[row, "sign"], "yes")
    return y


@pytest.mark.parametrize("name", [*STACKS, "bagging of stacks", "network"])
def test_held_out_outputs_of_a_row_do_not_change_with_its_labels(planted, name):
    from tests.estimators._tables import small_network

    X, y = planted
    own = {
        "bagging of stacks": BaggingEstimator(STACKS["stacked"], n_repeats=2, random_state=0),
        "network": small_network(validation=None),
    }
    model = clone((STACKS | own)[name])
    if hasattr(model, "folds") and name != "bagging of stacks":
        model.set_params(folds=KFold(3))
    splits = list(KFold(4).split(X))
    before = bag_estimator("", model, coded(X, y), splits, seed=0).held_out
    after = bag_estimator("", model, coded(X, changed(y, 17)), splits, seed=0).held_out
    for task, values in before.items():
        np.testing.assert_array_equal(values[17], after[task][17], err_msg=task)
    assert any((values != after[task]).any() for task, values in before.items())  # others learn from the row


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_inputs_of_every_layer_do_not_change_with_the_labels_of_the_row(planted, layer):
    """What the next layer learns from: a whole stack per fold, however many layers it has."""
    X, y = planted
    model = StackingEstimator({"trees": TREES, "linear": LINEAR}, folds=KFold(2))
    rows, splits = np.arange(N), list(KFold(3).split(X))

    def inputs(y):
        def fit(data, rows, seed):
            return model._fit_layer(model.estimators, data, rows, layer, seed)

        return bag_by(fit, coded(X, y), splits, seed=0).held_out

    before, after = inputs(y), inputs(changed(y, 17))
    for key, values in before.items():
        np.testing.assert_array_equal(values[17], after[key][17], err_msg=key)
    assert len(rows) == len(before["0/noise"])


@pytest.mark.parametrize("model", [GreedyEnsemble({"trees": TREES}), BaggingEstimator(TREES, folds=2), BaggingEstimator(TREES)])
def test_kept_outputs_are_not_those_of_models_that_know_the_group(planted, model):
    """Rows of a group are alike: whoever knows one of them knows the label of the others."""
    X, y = planted
    X, y = X.loc[np.arange(N) // 4 * 4].reset_index(drop=True), y.loc[np.arange(N) // 4 * 4].reset_index(drop=True)
    model = clone(model).set_params(random_state=0)
    ignoring = model.fit(X, y).held_out_["noise"]
    minding = clone(model).fit(X, y, groups=np.arange(N) // 4).held_out_["noise"]

    def correlation(values):
        seen = y["noise"].notna().to_numpy() & np.isfinite(values)
        return np.corrcoef(values[seen], y["noise"].to_numpy()[seen])[0, 1]

    assert correlation(ignoring) > 0.8
    assert correlation(minding) < 0.4


def test_inner_folds_keep_groups_whole_and_follow_time(planted):
    X, y = planted
    groups = np.arange(N) % 10
    for train, held in inner_folds(coded(X, y, groups=groups), np.arange(N), 5, seed=0):
        assert not np.intersect1d(groups[train], groups[held]).size
    times = np.random.default_rng(0).permutation(N) // 2
    for train, held in inner_folds(coded(X, y, times=TimeOrder(times, gap=4)), np.arange(20, N), 5, seed=0):
        assert times[train].max() < times[held].min()
        assert train.min() >= 20
    for train, held in inner_folds(coded(X, y, groups=groups), np.arange(N), GroupKFold(3), seed=0):
        assert not np.intersect1d(groups[train], groups[held]).size


def test_copies_of_a_drawn_row_are_not_divided(planted):
    X, y = planted
    seen = []

    class Watching(GreedyEnsemble):
        def _learn(self, data, rows, *, seed):
            seen.append([(set(train), set(held)) for train, held in inner_folds(data, rows, 3, seed=seed)])
            return super()._learn(data, rows, seed=seed)

    nearest = {"near": {"regressor": KNeighborsRegressor(1), "classifier": KNeighborsClassifier(1)}}
    BaggingEstimator(Watching(nearest, folds=2), n_repeats=2, random_state=0).fit(X, y)
    assert len(seen) == 2
    assert all(not train & held for own in seen for train, held in own)
