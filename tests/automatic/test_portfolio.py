"""The portfolio: mixtures chosen and scored on rows that the models have not seen."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from polytask.automatic._portfolio import Candidate, fit_portfolio
from polytask.data.splits import StratifiedTaskKFold
from polytask.estimators import CodedTable, LearningData, MultiTaskNetwork, boosted_trees, linear_models
from polytask.exceptions import DataError

N = 160
CONSTANT = {"regressor": DummyRegressor(), "classifier": DummyClassifier(strategy="prior")}
LINEAR, CONSTANTS = Candidate("linear", linear_models()), Candidate("constant", CONSTANT)


def learning_data(y_of, n=N):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    y = y_of(X, rng).mask(rng.uniform(size=(n, 2)) < 0.2)
    model = MultiTaskNetwork()
    arrays, labels = model._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    splits = list(StratifiedTaskKFold(4, random_state=0).split(X, y))
    return LearningData(CodedTable(arrays, model.codec_.cardinalities), labels, weight), splits


@pytest.fixture(scope="module")
def linear_world():
    return learning_data(
        lambda X, rng: pd.DataFrame(
            {"price": X["a"] + X["b"] + 0.3 * rng.normal(size=N), "sold": np.where(X["a"] + rng.normal(size=N) > 0, "yes", "no")}
        )
    )


@pytest.fixture(scope="module")
def fitted(linear_world):
    data, splits = linear_world
    network = Candidate("network", MultiTaskNetwork(max_epochs=15), together=True)
    return fit_portfolio(data, [CONSTANTS, LINEAR, Candidate("LightGBM", boosted_trees()), network], splits, seed=0)


def test_weights_are_shares_and_go_to_models_that_learn(fitted):
    for own in fitted.ensembles.values():
        assert sum(own.weights.values()) == pytest.approx(1)
        assert own.weights.get("constant", 0.0) < 0.2
    assert fitted.ensembles["price"].weights["linear"] > 0.5


def test_outputs_mix_the_models_by_their_weights(fitted, linear_world):
    arrays = linear_world[0].table.arrays
    expected = sum(w * fitted.bagged[name].outputs(arrays)["price"] for name, w in fitted.ensembles["price"].weights.items())
    np.testing.assert_allclose(fitted.outputs(arrays)["price"], expected)


def test_the_leaderboard_holds_every_model_and_the_ensemble_per_task(fitted):
    board = fitted.leaderboard()
    assert len(board) == (2 + 1) * 5
    assert board["task"].unique().tolist() == ["price", "sold", "(mean)"]
    price = board[board["task"] == "price"].set_index("model")
    assert price.index[0] == "ensemble"
    assert price["skill"]["linear"] > 0.8
    assert abs(price["skill"]["constant"]) < 0.1
    assert price["together"]["network"]
    assert board["skill"].between(-1, 1).all()


def test_the_share_of_joint_models_is_told(fitted):
    assert fitted.joint_weight()["price"] == fitted.ensembles["price"].weights.get("network", 0.0)


def test_the_score_of_the_ensemble_is_that_of_new_rows():
    """In a world of noise, the mixture chosen among many models is not better than the constant where it is scored."""
    data, splits = learning_data(
        lambda X, rng: pd.DataFrame({"noise": rng.normal(size=N), "coin": np.where(rng.uniform(size=N) > 0.5, "x", "y")})
    )
    many = [Candidate(f"LightGBM {k}", boosted_trees(random_state=k, n_estimators=20)) for k in range(4)]
    found = fit_portfolio(data, [CONSTANTS, LINEAR, *many], splits, seed=0)
    assert all(own.skill < 0.02 for own in found.ensembles.values())


def test_the_same_seed_gives_the_same_mixture(linear_world):
    data, splits = linear_world
    first, second = (fit_portfolio(data, [LINEAR, Candidate("t", boosted_trees())], splits, seed=1) for _ in range(2))
    assert first.ensembles == second.ensembles


def test_without_time_the_first_model_is_fitted_all_the_same(linear_world):
    data, splits = linear_world
    found = fit_portfolio(data, [LINEAR, CONSTANTS], splits, seed=0, deadline=time.monotonic() - 1)
    assert list(found.bagged) == ["linear"]
    assert found.left_out == {"constant": "no time was left"}


def test_a_candidate_for_smaller_tables_is_left_out_and_told(linear_world):
    data, splits = linear_world
    found = fit_portfolio(data, [LINEAR, Candidate("small", CONSTANT, max_rows=100)], splits, seed=0)
    assert found.left_out == {"small": "not for 160 rows and 4 columns"}


def test_with_no_candidate_that_suits_there_is_an_error(linear_world):
    data, splits = linear_world
    with pytest.raises(DataError, match="No candidate suits"):
        fit_portfolio(data, [Candidate("small", CONSTANT, max_columns=1)], splits, seed=0)
