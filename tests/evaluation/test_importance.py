"""Permutation importance: against known worlds, another library, and what a user means by a column."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from polytask.data.splits import TimeSplit
from polytask.estimators import MultiTaskNetwork, PerTaskEstimator
from polytask.evaluation import importance_of, out_of_fold_importance, permutation_importance
from polytask.exceptions import DataError, OptionError
from polytask.tasks import Regression

BETA = np.array([1.0, 0.5, 0.0, 0.0])
LINEAR = PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()})


def world(n, seed, groups=None):
    rng = np.random.default_rng(seed)
    X, noise = rng.normal(size=(n, 4)), rng.normal(size=n)
    if groups is not None:
        X = 0.5 * X + np.sqrt(0.75) * rng.normal(size=(groups.max() + 1, 4))[groups]
        noise = 0.5 * noise + np.sqrt(0.75) * rng.normal(size=groups.max() + 1)[groups]
    return X, X @ BETA + noise


def mixed(n=240, seed=0):
    """A table with all kinds of columns and two tasks: a number of which a third is missing, and yes or no."""
    rng = np.random.default_rng(seed)
    city = rng.choice(["Oslo", "Bergen", "Rome"], n)
    word = rng.choice(["good", "bad"], n)
    X = pd.DataFrame(
        {
            "area": rng.normal(100, 20, n),
            "city": city,
            "note": [f"a {w} place number {k} by the sea" for k, w in enumerate(word)],
            "tags": [["garden"] if own else [] for own in rng.random(n) < 0.5],
            "sold_at": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "idle": rng.normal(size=n),
        }
    )
    days = (X["sold_at"] - X["sold_at"].min()).dt.days / 300
    price = X["area"] / 20 + 2.0 * (word == "good") + 1.5 * X["tags"].map(len) + days + 0.3 * rng.normal(size=n)
    sold = np.where(rng.random(n) < 1 / (1 + np.exp(-6 * (city == "Rome") + 2)), "yes", "no")
    return X, pd.DataFrame({"price": np.where(rng.random(n) < 0.3, np.nan, price), "sold": sold})


def columns_of(importance, task):
    return {entry["name"]: entry for entry in importance.to_dict()["tasks"][task]["columns"]}


@pytest.fixture(scope="module")
def fitted():
    X, y = mixed()
    return LINEAR.fit(X[:120], y[:120]), X[120:], y[120:]


def test_columns_of_a_known_world_come_in_order_and_near_the_truth():
    X, y = world(4_000, seed=3)
    model = PerTaskEstimator(LinearRegression()).fit(X[:1_000], y[:1_000])
    found = permutation_importance(model, X[1_000:], y[1_000:]).to_dict()["tasks"]["y0"]["columns"]
    # of a linear model b, E[loss with column k permuted] - E[loss] = 2 b beta; the constant's error is beta'beta + 1
    truth = 2 * BETA**2 / (BETA @ BETA + 1)
    np.testing.assert_allclose([entry["importance"] for entry in found], truth, atol=0.1)
    assert [entry["verdict"] for entry in found] == ["matters", "matters", "undecided", "undecided"]


@pytest.mark.parametrize("size", [1, 5])
def test_intervals_cover_the_truth_as_often_as_they_say(size):
    n, n_worlds = 200 * size, 50
    model = PerTaskEstimator(LinearRegression()).fit(*world(100, seed=0))
    coef = model.predict(np.eye(4)) - model.predict(np.zeros((4, 4)))
    groups = np.arange(n) // size
    covered, false, estimates, errors = np.zeros(4), 0, [], []
    mean = float(model.tasks_[0].constant_outputs(1)[0])
    truth = 2 * coef * BETA / (BETA @ BETA + 1 + mean**2)
    for seed in range(1, n_worlds + 1):
        X, y = world(n, seed, groups if size > 1 else None)
        own = permutation_importance(model, X, y, groups=groups if size > 1 else None, random_state=seed)
        found = own.to_dict()["tasks"]["y0"]["columns"]
        covered += [entry["low_unadjusted"] <= t <= entry["high_unadjusted"] for entry, t in zip(found, truth, strict=True)]
        false += any(entry["matters"] for entry in found[2:])
        estimates.append([entry["importance"] for entry in found])
        errors.append([entry["se"] for entry in found])
    assert (covered / n_worlds >= 0.84).all()  # 95% of 50: below 42 comes once in 800 times per column
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(estimates, axis=0)
    assert ((ratio > 0.75) & (ratio < 1.35)).all()
    assert false <= 6


def test_agrees_with_scikit_learn_for_a_single_task():
    X, y = world(500, seed=3)
    model = PerTaskEstimator(LinearRegression()).fit(X[:200], y[:200])
    ours = permutation_importance(model, X[200:], y[200:], n_repeats=60).to_frame().set_index("column")["importance"]
    theirs = sklearn_importance(model, X[200:], y[200:], scoring=lambda m, X, y: m.score(X, y), n_repeats=60, random_state=0)
    # both are means of 60 permutations; 5 standard errors of the difference
    close = 5 * theirs.importances_std * np.sqrt(2 / 60) + 1e-9
    assert (np.abs(ours[["x0", "x1", "x2", "x3"]].to_numpy() - theirs.importances_mean) < close).all()


def test_every_kind_of_column_is_one_column_of_the_users_table(fitted):
    model, X, y = fitted
    importance = permutation_importance(model, X, y)
    price, sold = columns_of(importance, "price"), columns_of(importance, "sold")
    assert list(price) == list(X.columns)
    assert [name for name, own in price.items() if own["matters"]] == ["area", "note", "tags", "sold_at"]
    assert [name for name, own in sold.items() if own["matters"]] == ["city"]
    assert [own["kind"] for own in importance.to_dict()["columns"]] == [
        "numeric", "categorical", "text", "list", "datetime", "numeric",
    ]  # fmt: skip


def test_moving_codes_is_moving_cells(fitted):
    """A model that reads tables in its own way sees cells moved before; the numbers are the same."""
    model, X, y = fitted

    class Own:
        tasks_ = model.tasks_

        def outputs(self, table):
            return model.outputs(table)

    coded, cells = (permutation_importance(own, X, y, n_repeats=2).to_dict() for own in (model, Own()))
    for task in ("price", "sold"):
        for a, b in zip(coded["tasks"][task]["columns"], cells["tasks"][task]["columns"], strict=True):
            assert a["importance"] == pytest.approx(b["importance"], abs=1e-12)
            assert a["se"] == pytest.approx(b["se"], abs=1e-12)


def test_a_column_that_is_not_used_is_exactly_zero():
    X, y = mixed()
    model = PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()}).fit(X, y)
    for task in model.models_.values():
        task.models_[0].coef_[...] = 0.0
    found = columns_of(permutation_importance(model, X, y), "price")
    assert {own["verdict"] for own in found.values()} == {"unused"}
    assert {(own["importance"], own["se"], own["p_value"]) for own in found.values()} == {(0.0, 0.0, 1.0)}


def test_missing_labels_change_nothing_for_the_rest(fitted):
    model, X, y = fitted
    importance = permutation_importance(model, X, y).to_dict()
    assert importance["tasks"]["price"]["n_observed"] == int(y["price"].notna().sum())
    assert importance["tasks"]["sold"]["n_observed"] == len(y)
    json.dumps(importance, allow_nan=False)
    empty = permutation_importance(model, X, y.assign(price=np.nan)).to_dict()
    assert empty["tasks"]["price"]["undefined"] == "fewer than two held-out rows have a label"
    assert empty["tasks"]["price"]["columns"][0]["verdict"] == "undefined"
    assert empty["tasks"]["sold"] == importance["tasks"]["sold"]
    json.dumps(empty, allow_nan=False)


def test_weight_zero_is_a_missing_label_and_units_do_not_matter(fitted):
    model, X, y = fitted
    out = np.arange(len(y)) % 3 == 0
    weight = np.column_stack([np.where(out, 0.0, 1.0), np.ones(len(y))])
    plain = permutation_importance(model, X, y.assign(price=y["price"].where(~out))).to_dict()
    weighted = permutation_importance(model, X, y, sample_weight=weight).to_dict()
    assert weighted["tasks"] == plain["tasks"]
    doubled = permutation_importance(model, X, y, sample_weight=2 * weight).to_dict()
    for a, b in zip(doubled["tasks"]["price"]["columns"], plain["tasks"]["price"]["columns"], strict=True):
        assert a["importance"] == pytest.approx(b["importance"])
        assert a["se"] == pytest.approx(b["se"])


def test_rows_that_weigh_more_count_more():
    X, y = world(600, seed=5)
    y = np.where(X[:, 3] > 0, 2 * X[:, 0], 0.0) + 0.1 * np.random.default_rng(0).normal(size=600)
    X = np.column_stack([X, X[:, 0] * (X[:, 3] > 0)])
    model = PerTaskEstimator(LinearRegression()).fit(X[:300], y[:300])
    heavy = np.where(X[300:, 3] > 0, 1.0, 1e-6)
    plain = columns_of(permutation_importance(model, X[300:], y[300:]), "y0")["x4"]["importance"]
    weighted = columns_of(permutation_importance(model, X[300:], y[300:], sample_weight=heavy), "y0")["x4"]["importance"]
    assert plain > 0
    assert weighted != pytest.approx(plain, rel=0.01)


def test_a_declared_loss_is_the_one_that_counts():
    X, y = world(300, seed=7)
    y[::17] += 40  # outliers: the mean error hardly sees the column, the median error does
    model = PerTaskEstimator(Ridge(), tasks=[Regression("y0", loss="mae")])
    squared = PerTaskEstimator(Ridge(), tasks=[Regression("y0")])
    robust, plain = (
        columns_of(permutation_importance(own.fit(X[:150], y[:150]), X[150:], y[150:]), "y0")["x0"] for own in (model, squared)
    )
    assert robust["importance"] > 2 * plain["importance"]
    assert robust["matters"]


def test_copies_hide_each_other_and_are_named_until_they_are_permuted_together():
    X, y = world(400, seed=9)
    X = pd.DataFrame(X, columns=list("abcd")).assign(a_twin=X[:, 0] + 0.05 * np.random.default_rng(1).normal(size=400))
    model = PerTaskEstimator(Ridge(alpha=30.0)).fit(X[:200], y[:200])
    alone = permutation_importance(model, X[200:], y[200:])
    together = permutation_importance(model, X[200:], y[200:], grouped=True)
    assert [own["columns"] for own in alone.to_dict()["alike"]] == [["a", "a_twin"]]
    assert "'a' and 'a_twin' carry nearly the same" in alone.to_dict()["alike"][0]["words"]
    each, both = columns_of(alone, "y0"), columns_of(together, "y0")
    assert list(both) == ["a + a_twin", "b", "c", "d"]
    assert both["a + a_twin"]["importance"] > 1.5 * max(each["a"]["importance"], each["a_twin"]["importance"])
    assert both["b"]["importance"] == each["b"]["importance"]
    own = permutation_importance(model, X[200:], y[200:], grouped=[["b", "c"]]).to_dict()["columns"]
    assert [entry["name"] for entry in own] == ["a", "b + c", "d", "a_twin"]


def test_numbers_do_not_depend_on_which_columns_are_asked_for(fitted):
    model, X, y = fitted
    everything = columns_of(permutation_importance(model, X, y), "price")
    one = columns_of(permutation_importance(model, X, y, columns=["tags"]), "price")
    assert list(one) == ["tags"]
    assert one["tags"]["importance"] == everything["tags"]["importance"]


def test_same_seed_same_numbers_and_progress_is_told(fitted):
    model, X, y = fitted
    told = []
    first = permutation_importance(model, X, y, random_state=3, on_column=lambda *done: told.append(done)).to_dict()
    assert permutation_importance(model, X, y, random_state=3).to_dict() == first
    assert permutation_importance(model, X, y, random_state=4).to_dict()["tasks"] != first["tasks"]
    assert told == [(k, 6) for k in range(1, 7)]


def test_many_rows_are_drawn(fitted):
    model, X, y = fitted
    assert permutation_importance(model, X, y, max_rows=50).to_dict()["n_rows"] == 50
    assert permutation_importance(model, X, y, max_rows=None).to_dict()["n_rows"] == len(X)


def test_out_of_fold_every_row_is_asked_of_a_model_that_has_not_seen_it():
    """A tree grown to the end knows its rows by a useless column; rows that it has not seen show that the column is useless."""
    from sklearn.tree import DecisionTreeRegressor

    X = pd.DataFrame({"id": np.arange(200.0)})
    y = np.random.default_rng(0).normal(size=200)
    tree = PerTaskEstimator(DecisionTreeRegressor(random_state=0))
    seen = columns_of(permutation_importance(clone_fit(tree, X, y), X, y), "y0")["id"]
    held = columns_of(out_of_fold_importance(tree, X, y, 5), "y0")["id"]
    assert seen["importance"] > 1.5
    assert seen["matters"]
    assert not held["matters"]


def clone_fit(estimator, X, y):
    from sklearn.base import clone

    return clone(estimator).fit(X, y)


def test_out_of_fold_of_mixed_tasks_with_groups_and_weights():
    X, y = mixed()
    groups = np.arange(len(X)) // 3
    found = out_of_fold_importance(LINEAR, X, y, 4, groups=groups, sample_weight=np.ones(len(X)), repeats=2).to_dict()
    assert (found["n_rows"], found["n_groups"], found["n_models"], found["repeats"]) == (240, 80, 8, 2)
    assert [own["name"] for own in found["tasks"]["sold"]["columns"] if own["matters"]] == ["city"]
    assert "rows of groups that no model has learned from" in found["holds_for"]
    assert next(own for own in found["mean"] if own["name"] == "area")["matters"]
    json.dumps(found, allow_nan=False)


def test_out_of_fold_in_time_and_by_group():
    X, y = world(120, seed=2)
    later = out_of_fold_importance(PerTaskEstimator(Ridge()), X, y, TimeSplit(3, times=np.arange(120))).to_dict()
    assert "later rows" in later["holds_for"]
    assert later["n_groups"] < later["n_rows"]
    from sklearn.model_selection import LeaveOneGroupOut

    groups = np.repeat([0, 1, 2], 40)
    by_group = out_of_fold_importance(PerTaskEstimator(Ridge()), X, y, LeaveOneGroupOut(), groups=groups).to_dict()
    assert "one group holds more than half" in by_group["notes"][0]


def test_a_network_is_asked_too():
    X, y = world(200, seed=4)
    network = MultiTaskNetwork(max_epochs=30, random_state=0)
    found = out_of_fold_importance(network, X, np.column_stack([y, 2 * X[:, 1]]), 2, n_repeats=2)
    assert columns_of(found, "y1")["x1"]["matters"]
    assert set(found.to_frame()["task"]) == {"y0", "y1"}


def test_models_that_are_there_already_can_be_asked(fitted):
    from polytask.estimators import LabelTable, encode_labels_of, label_weights
    from polytask.evaluation import held_out_rows

    model, X, y = fitted
    labels = LabelTable(model.tasks_, encode_labels_of(y, model.tasks_), "frame", {})
    parts = [held_out_rows(model, X.iloc[own], own) for own in np.array_split(np.arange(len(X)), 3)]
    found = importance_of(parts, labels, label_weights(None, labels), model.tasks_, about={"rows": "validation"}).to_dict()
    assert (found["rows"], found["n_models"]) == ("validation", 3)
    assert columns_like(found, "sold") == ["city"]


def columns_like(found, task):
    return [own["name"] for own in found["tasks"][task]["columns"] if own["matters"]]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"columns": ["aera"]}, OptionError, "'aera' is not a column that the model learns from.*'area'"),
        ({"columns": []}, OptionError, "at least one column"),
        ({"tasks": ["prize"]}, OptionError, "'prize' is none.*'price'"),
        ({"n_repeats": 0}, OptionError, "`n_repeats` must be a whole number >= 1; got 0"),
        ({"max_rows": 1}, OptionError, "`max_rows`"),
        ({"confidence": 1.0}, OptionError, "`confidence` must be between 0 and 1"),
        ({"grouped": [["area", "city"], ["city"]]}, OptionError, "'city' is in two groups"),
        ({"groups": [1, 2]}, DataError, "`groups` must name a group for each of the 120 rows"),
    ],
)
def test_errors_say_what_to_do(fitted, options, error, words):
    model, X, y = fitted
    with pytest.raises(error, match=words):
        permutation_importance(model, X, y, **options)


def test_rows_must_agree(fitted):
    model, X, y = fitted
    with pytest.raises(DataError, match="X has 10, y has 120"):
        permutation_importance(model, X[:10], y)
