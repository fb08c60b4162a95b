"""What all ensembles promise: any mix of kinds and parts, copies, nested parameters, and the model folder."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from polytask.data.splits import TimeOrder
from polytask.estimators import (
    AveragingEstimator,
    BaggingEstimator,
    BestPerTask,
    GreedyEnsemble,
    PerTaskEstimator,
    StackedAcrossTasks,
    StackingEstimator,
    VotingEstimator,
    load_estimator,
    save_estimator,
)
from polytask.exceptions import OptionError
from polytask.tasks import Binary, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network

LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression(C=0.1, max_iter=500)}
TREES = {"regressor": DecisionTreeRegressor(max_depth=3), "classifier": DecisionTreeClassifier(max_depth=3)}
NEAREST = {"regressor": KNeighborsRegressor(3), "classifier": KNeighborsClassifier(3)}
MIX = {"linear": LINEAR, "trees": PerTaskEstimator(TREES), "network": small_network()}
SEPARATE = {"linear": LINEAR, "trees": TREES}

MODELS = {
    "mean": AveragingEstimator(MIX, TASKS, weights={"linear": 2, "network": 1}),
    "some tasks": AveragingEstimator({"linear": LINEAR, "network": small_network(["sold", "tags"])}, TASKS),
    "soft": VotingEstimator(MIX, TASKS),
    "hard": VotingEstimator(MIX, TASKS, voting="hard", weights={"linear": 1, "trees": 1, "network": 0.5}),
    "rank": VotingEstimator(SEPARATE, TASKS, voting="rank", folds=3),
    "greedy": GreedyEnsemble(MIX, TASKS, folds=3),
    "greedy of folds": GreedyEnsemble(SEPARATE, TASKS, folds=2, refit=False),
    "bootstrap": BaggingEstimator(TREES, TASKS, n_repeats=3),
    "copies of rows": BaggingEstimator(NEAREST, TASKS, n_repeats=2, max_samples=0.5),
    "folds": BaggingEstimator(small_network(), TASKS, folds=3),
    "subspaces": BaggingEstimator(LINEAR, TASKS, folds=2, n_repeats=2, max_features=0.5),
    "stacking": StackingEstimator(MIX, TASKS, folds=2, passthrough=True),
    "layers": StackingEstimator(SEPARATE, TASKS, folds=2, n_layers=2, final_estimator=LINEAR),
    "across tasks": StackedAcrossTasks(TREES, TASKS, folds=2, final_estimator=LINEAR),
    "across tasks as it is": StackedAcrossTasks(TREES, TASKS, folds=2, passthrough=True),
    "networks across tasks": StackedAcrossTasks(small_network(), TASKS, folds=2, final_estimator=small_network(), refit=False),
    "chains": StackedAcrossTasks(TREES, TASKS, method="chains", n_chains=2, folds=2),
    "layers across tasks": StackedAcrossTasks(LINEAR, TASKS, folds=2, n_layers=2, final_estimator=LINEAR),
    "of ensembles": StackedAcrossTasks(
        GreedyEnsemble({"best": BestPerTask(SEPARATE), "alone": PerTaskEstimator(BestPerTask({"trees": TREES}))}, folds=2),
        TASKS,
        folds=2,
        final_estimator=VotingEstimator(SEPARATE),
    ),
}
ONE_WINDOW_IS_TOO_FEW = {"layers", "layers across tasks", "of ensembles"}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    X, y = houses()
    return clone(MODELS[request.param]).set_params(random_state=0).fit(X, y), X, y


def test_every_kind_of_task_has_outputs_for_new_rows(fitted):
    model, _, y = fitted
    unseen, _ = houses(20, seed=1)
    outputs = model.outputs(unseen)
    assert [task.name for task in model.tasks_] == [task.name for task in TASKS]
    for task in model.tasks_:
        assert outputs[task.name].shape == ((20, len(task.labels)) if len(task.labels) else (20,))
        assert np.isfinite(outputs[task.name]).all()
    np.testing.assert_allclose(outputs["style"].sum(axis=1), 1)
    assert list(model.predict(unseen).columns) == list(y.columns)


def test_the_same_seed_gives_the_same_numbers(fitted):
    model, X, y = fitted
    assert_same_outputs(clone(model).fit(X, y).outputs(X), model.outputs(X))


def test_a_row_does_not_depend_on_its_neighbours(fitted):
    model, X, _ = fitted
    whole, part = model.outputs(X), model.outputs(X.iloc[5:9])
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][5:9])


def test_a_model_folder_gives_the_same_outputs_to_the_bit(fitted, tmp_path):
    model, X, _ = fitted
    if "nearest" in str(type(model)) or _holds(model, KNeighborsRegressor):
        pytest.skip("a model folder holds no scikit-learn neighbours")
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert type(loaded) is type(model)
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    for name in model.told:
        assert getattr(loaded, name) == getattr(model, name)
    save_estimator(loaded, tmp_path / "again")
    assert_same_outputs(load_estimator(tmp_path / "again").outputs(X), model.outputs(X))


def test_a_loaded_model_is_fitted_again_with_the_same_result(fitted, tmp_path):
    model, X, y = fitted
    if _holds(model, KNeighborsRegressor):
        pytest.skip("a model folder holds no scikit-learn neighbours")
    save_estimator(model, tmp_path / "model")
    again = clone(load_estimator(tmp_path / "model")).fit(X, y)
    assert_same_outputs(again.outputs(X), model.outputs(X))


def _holds(model, kind):
    return any(isinstance(value, kind) for value in model.get_params().values())


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ONE_WINDOW_IS_TOO_FEW])
def test_times_groups_and_weights_are_taken(name):
    X, y = houses(120)
    rng = np.random.default_rng(0)
    given = {"groups": np.arange(120) // 3, "times": TimeOrder(np.arange(120) // 3)}
    if name != "copies of rows":
        given["sample_weight"] = rng.uniform(0.5, 2, size=120)
    outputs = clone(MODELS[name]).set_params(random_state=0).fit(X, y, **given).outputs(X)
    assert all(np.isfinite(values).all() for values in outputs.values())


def test_nested_parameters_are_reached_by_name():
    model = AveragingEstimator({"linear": LINEAR, "bag": BaggingEstimator(TREES)})
    params = model.get_params()
    assert params["estimators__linear__regressor__alpha"] == 1.0
    assert params["estimators__bag__estimator__classifier__max_depth"] == 3
    other = clone(model).set_params(
        estimators__linear__regressor__alpha=7.0,
        estimators__bag__estimator__classifier=DecisionTreeClassifier(max_depth=9),
        estimators__bag__n_repeats=4,
    )
    assert other.estimators["linear"]["regressor"].alpha == 7.0
    assert other.estimators["bag"].estimator["classifier"].max_depth == 9
    assert other.estimators["bag"].n_repeats == 4
    assert model.estimators["linear"]["regressor"].alpha == 1.0  # a clone shares nothing
    assert model.estimators["bag"].n_repeats is None


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(OptionError, match="'lines'; it has 'linear'"):
        AveragingEstimator({"linear": LINEAR}).set_params(estimators__lines__regressor__alpha=2.0)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (AveragingEstimator({}), "must be a dict of name to estimator"),
        (AveragingEstimator(LINEAR), "must be named"),
        (AveragingEstimator(SEPARATE, weights={"lines": 1}), "dict of the names"),
        (AveragingEstimator(SEPARATE, weights={"linear": 0}), "not all 0"),
        (AveragingEstimator({"one": PerTaskEstimator(LINEAR, ["a"])}), "No estimator of AveragingEstimator learns task 'b'"),
        (AveragingEstimator({"one": PerTaskEstimator(LINEAR, ["c"]), "all": LINEAR}), "declares task 'c'"),
        (AveragingEstimator({"one": PerTaskEstimator(LINEAR, [Regression("b")]), "all": LINEAR}), "as regression"),
        (VotingEstimator(SEPARATE, voting="loud"), "must be 'soft', 'hard' or 'rank'"),
        (GreedyEnsemble(SEPARATE, folds=1), "`folds` must be a whole number >= 2"),
        (BaggingEstimator(LINEAR, n_repeats=0), "`n_repeats`"),
        (BaggingEstimator(LINEAR, max_features=0.0), "`max_features`"),
        (BaggingEstimator(LINEAR, folds=3, max_samples=0.5), "`max_samples`"),
        (StackingEstimator(SEPARATE, n_layers=0), "`n_layers`"),
        (StackedAcrossTasks(LINEAR, method="web"), "`method`"),
        (StackedAcrossTasks(LINEAR, method="chains", n_layers=2), "a chain has none"),
        (StackedAcrossTasks(LINEAR, method="chains", n_chains=0), "`n_chains`"),
    ],
)
def test_bad_settings_are_told(rng, model, told):
    import pandas as pd

    X = pd.DataFrame(rng.normal(size=(30, 2)), columns=["u", "v"])
    y = pd.DataFrame({"a": X["u"], "b": np.where(X["v"] > 0, "yes", "no")})
    with pytest.raises(OptionError, match=told):
        clone(model).set_params(tasks=[Regression("a"), Binary("b")]).fit(X, y)
