"""Stacking: what it adds where tasks help each other, kinds mixed, labels missing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from polytask.estimators import PerTaskEstimator, StackedAcrossTasks, StackingEstimator
from polytask.estimators._fold_models import feature_of, stacked_numbers
from polytask.estimators._stacked_across_tasks import chain_orders
from polytask.evaluation import out_of_fold
from polytask.tasks import Binary, Multiclass, Multilabel, Regression
from tests.estimators._tables import TASKS, houses

LINEAR = {"regressor": Ridge(1e-3), "classifier": LogisticRegression(max_iter=500)}


@pytest.fixture
def helped(rng):
    """A task with few labels, and one with many that says most of it."""
    X = pd.DataFrame(rng.normal(size=(400, 25)), columns=[f"x{k}" for k in range(25)])
    hidden = X.to_numpy() @ rng.normal(size=25)
    y = pd.DataFrame({"many": hidden + 0.5 * rng.normal(size=400), "few": hidden**3 / 50 + 0.5 * rng.normal(size=400)})
    y.loc[60:299, "few"] = np.nan
    return X[:300], y[:300], X[300:], y[300:]


@pytest.mark.parametrize("method", ["stacked", "chains"])
def test_a_task_with_few_labels_gains_from_one_with_many(helped, method):
    X, y, X_new, y_new = helped
    alone = PerTaskEstimator(LINEAR).fit(X, y)
    trees = {"regressor": DecisionTreeRegressor(max_depth=3, random_state=0)}
    single = PerTaskEstimator(trees).fit(X, y)
    final = {"final_estimator": trees, "passthrough": True} if method == "stacked" else {}
    across = StackedAcrossTasks(LINEAR if method == "stacked" else Ridge(1e-3), method=method, random_state=0, **final).fit(X, y)

    def error(model):
        return np.mean((model.predict(X_new)["few"] - y_new["few"]) ** 2)

    assert error(across) < 0.9 * min(error(alone), error(single)) if method == "stacked" else error(across) < error(alone) * 1.05


def test_probabilities_of_classes_are_inputs_but_for_one_that_says_nothing_new():
    _, y = houses()
    fitted = [task.fit(y) for task in TASKS]
    features = [feature_of(task, task.name) for task in fitted]
    assert dict(features) == {"price": 0, "sold": 1, "style": 1, "grade": 1, "visits": 0, "tags": 0}
    outputs = {
        task.name: np.tile(np.arange(1.0, max(len(task.labels), 1) + 1), (3, 1)).squeeze() if len(task.labels) else np.zeros(3)
        for task in fitted
    }
    assert stacked_numbers(outputs, features).shape == (3, 1 + 1 + 2 + 3 + 1 + 2)


def test_one_tag_alone_is_a_column():
    y = pd.DataFrame({"t": [0, 1, 1, 0]})
    assert feature_of(Multilabel("t", ("t",)).fit(y), "t") == ("t", 0)
    assert feature_of(Binary("t").fit(y), "t") == ("t", 1)


def test_a_linear_stack_of_one_linear_model_is_that_model(rng):
    X = rng.normal(size=(100, 3))
    y = X @ [1.0, 2.0, 0.0] + 0.1 * rng.normal(size=100)
    one = PerTaskEstimator(LinearRegression()).fit(X, y)
    stack = StackingEstimator({"line": LinearRegression()}, final_estimator=LinearRegression(), random_state=0).fit(X, y)
    assert np.corrcoef(stack.predict(X), one.predict(X))[0, 1] == pytest.approx(1)
    np.testing.assert_allclose(stack.predict(X), one.predict(X), rtol=0.05, atol=0.05)


def test_stacking_joins_what_each_part_sees(rng):
    X = rng.normal(size=(300, 3))
    y = 2 * X[:, 0] + 3 * (X[:, 1] > 0) + 0.3 * rng.normal(size=300)
    parts = {"line": LinearRegression(), "tree": DecisionTreeRegressor(max_depth=2, random_state=0)}
    stack = StackingEstimator(parts, random_state=0).fit(X[:200], y[:200])
    each = [PerTaskEstimator(own).fit(X[:200], y[:200]).score(X[200:], y[200:]) for own in parts.values()]
    assert stack.score(X[200:], y[200:]) > max(each) + 0.02


def test_a_class_of_three_helps_a_number(rng):
    X = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    kind = np.digitize(X["a"], [-0.5, 0.5])
    y = pd.DataFrame(
        {"kind": np.array(["u", "v", "w"])[kind], "value": np.array([0.0, 5.0, 1.0])[kind] + 0.1 * rng.normal(size=300)}
    )
    tasks = [Multiclass("kind"), Regression("value")]
    alone = out_of_fold(PerTaskEstimator(LINEAR, tasks), X, y, 4)["value"]
    across = out_of_fold(StackedAcrossTasks(LINEAR, tasks, random_state=0), X, y, 4)["value"]
    assert np.mean((across - y["value"]) ** 2) < 0.8 * np.mean((alone - y["value"]) ** 2)


def test_chains_that_begin_alike_share_their_models():
    X, y = houses(60)
    model = StackedAcrossTasks(LINEAR, TASKS[:3], method="chains", n_chains=6, folds=2, random_state=0).fit(X, y)
    chains = model.model_.models
    assert len(chains) == 6
    firsts = {id(chain.models[0]) for chain in chains}
    assert len(firsts) == 3


def test_orders_differ_and_are_all_where_there_are_few():
    assert len(chain_orders(3, 10, seed=0)) == 6
    drawn = chain_orders(12, 10, seed=0)
    assert len(set(drawn)) == 10
    assert all(sorted(order) == list(range(12)) for order in drawn)
    assert drawn == chain_orders(12, 10, seed=0)
    assert drawn != chain_orders(12, 10, seed=1)
