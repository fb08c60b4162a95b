"""Laws of models that learn all tasks at once; each model's test says which it obeys.

``make(tasks, **settings)`` gives an estimator that has not learned, with settings that are quick.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from polytask.estimators import PerTaskEstimator, StackingEstimator, boosted_trees_stopped, load_estimator, save_estimator
from polytask.tasks import Binary, Count, Multiclass, Regression, Task
from tests.estimators._tables import TASKS, assert_same_outputs, houses

Make = Callable[..., Any]


def assert_every_kind_is_learned(model: Any, *, price: float = 0.85, sold: float = 0.85) -> None:
    """Of a model of houses, its columns, its probabilities, and how right it is on new rows, at least."""
    new, truth = houses(200, seed=5, missing=0.0)
    predicted = model.predict(new)
    assert list(predicted.columns) == list(truth.columns)
    for task, probabilities in model.predict_proba(new).items():
        assert ((probabilities >= 0) & (probabilities <= 1)).all(axis=None)
        if task != "tags":
            np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert r2_score(truth["price"], predicted["price"]) > price
    assert (predicted["sold"] == truth["sold"]).mean() > sold
    assert (model.outputs(new)["visits"] > 0).all()
    assert model.learns_together


def assert_labels_of_weight_0_are_not_read(make: Make, **settings: Any) -> None:
    X, y = houses(80)
    weight = np.ones((80, len(TASKS)))
    weight[::3, 0] = weight[1::3, 1] = weight[::4, 2] = 0
    other = y.copy()
    other.loc[weight[:, 0] == 0, "price"] = 1e6
    other.loc[weight[:, 1] == 0, "sold"] = other["sold"].map({"yes": "no", "no": "yes"})
    other.loc[weight[:, 2] == 0, "style"] = "villa"
    one, two = (make(TASKS, **settings).fit(X, labels, sample_weight=weight) for labels in (y, other))
    assert_same_outputs(one.outputs(X), two.outputs(X))


def assert_rows_without_labels_change_nothing(make: Make, **settings: Any) -> None:
    X, y = houses(80, missing=0.3)
    y.iloc[60:] = None
    one, two = (make(TASKS, **settings).fit(X[:n], y[:n]).outputs(X) for n in (80, 60))
    for task in TASKS:
        np.testing.assert_allclose(one[task.name], two[task.name], rtol=1e-4, atol=1e-5)


def assert_weights_count_but_not_their_unit(make: Make, **settings: Any) -> None:
    """Rows that say the opposite of others, with 20 times their weight, are believed; weights of rows, and of labels."""
    rng = np.random.default_rng(0)
    X, is_light, new = rng.normal(size=(300, 2)), np.arange(300) % 2 > 0, rng.normal(size=(100, 2))
    y = pd.DataFrame({"y": np.where(is_light, -X[:, 0], X[:, 0]), "z": X[:, 1]})
    weight = np.where(is_light, 1.0, 20.0)
    for own in (weight, np.stack([weight, np.ones(300)], axis=1)):  # a unit of 1,024 is rounded as 1 is
        found = [make(None, **settings).fit(X, y, sample_weight=unit * own).predict(new)["y"] for unit in (1, 1024)]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-6, atol=1e-6)
        assert np.corrcoef(found[0], new[:, 0])[0, 1] > 0.8


def assert_order_of_tasks_does_not_matter(make: Make, *, n_tasks: int = len(TASKS), **settings: Any) -> None:
    X, y = houses(120)
    tasks = TASKS[:n_tasks]
    columns = [column for task in tasks for column in task.columns]
    one, two = (make(own, **settings).fit(X, y[columns]).outputs(X) for own in (tasks, tasks[::-1]))
    for task in tasks:
        np.testing.assert_allclose(one[task.name], two[task.name], rtol=1e-3, atol=1e-4)


def assert_labels_all_alike_are_predicted_so(make: Make, **settings: Any) -> None:
    """A count that is always 0 and classes that none has; labels of weight 0 say otherwise."""
    X, y = houses(60, missing=0.0)
    tasks = [Regression("price"), Count("visits"), Binary("sold"), Multiclass("style")]
    weight = np.ones((60, 4))
    weight[y["sold"] == "yes", 2] = weight[y["style"] == "villa", 3] = 0
    y["visits"] = 0
    y.iloc[0, y.columns.get_loc("visits")], weight[0, 1] = 5, 0
    outputs = make(tasks, **settings).fit(X, y, sample_weight=weight).outputs(X)
    assert np.ptp(outputs["visits"]) == 0
    assert np.ptp(outputs["sold"][:, 1]) == 0
    assert outputs["sold"][0, 1] < 0.02
    assert outputs["style"][:, 2].max() < 0.03
    assert np.ptp(outputs["price"]) > 1


def assert_few_labels_learn_from_many(
    make: Make, few: Task, *, alone: Any = None, least: float = 0.7, gain: float = 0.1, **settings: Any
) -> None:
    """Of a number it takes 20 labels of 400, of two classes 15; the score is R² or the share of right answers."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(700, 12))
    signal = np.sign(X[:, 0]) + np.sign(X[:, 1])
    is_number = isinstance(few, Regression)
    y = pd.DataFrame({"many": signal + 0.1 * rng.normal(size=700)})
    y["few"] = 100 + 5 * signal + 0.5 * rng.normal(size=700) if is_number else np.where(signal > 0, "up", "down")
    train = y[:400].copy()
    train.loc[20 if is_number else 15 :, "few"] = None
    alone = boosted_trees_stopped() if alone is None else alone
    together = make([Regression("many"), few], **settings).fit(X[:400], train).predict(X[400:])["few"]
    separate = PerTaskEstimator(alone, [few]).fit(X[:400], train[["few"]]).predict(X[400:])["few"]
    truth = y["few"][400:].to_numpy()
    one, other = (r2_score(truth, own) if is_number else (own == truth).mean() for own in (together, separate))
    assert one > least
    assert one > other + gain


def assert_one_number_is_learned_as_by(make: Make, peer: Any, **settings: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 5))
    y = X[:, 0] * X[:, 1] + X[:, 2] + 0.2 * rng.normal(size=700)
    own, other = (model.fit(X[:400], y[:400]).predict(X[400:]) for model in (make([Regression("y")], **settings), peer))
    assert r2_score(y[400:], own) > r2_score(y[400:], other) - 0.03


def assert_each_task_ends_at_its_own_round(make: Make, **settings: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"noise": rng.normal(size=300), "signal": X[:, 0] * X[:, 1]})
    model = make(None, **settings).fit(X, y)
    assert model.n_rounds_["noise"] < 0.4 * model.n_rounds_["signal"]
    assert np.std(model.predict(rng.normal(size=(100, 4)))["noise"]) < 0.25


def assert_groups_are_kept_whole(make: Make, *, n_groups: int, size: int, **settings: Any) -> None:
    """What holds within groups only is not believed, if the model knows them."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), size)
    X = rng.normal(size=(n_groups, 2))[groups] + 0.01 * rng.normal(size=(n_groups * size, 2))
    y = rng.normal(size=n_groups)[groups] + 0.5 * rng.normal(size=n_groups * size)
    new = rng.normal(size=(300, 2))
    minding, ignoring = (np.std(make(None, **settings).fit(X, y, groups=own).predict(new)) for own in (groups, None))
    assert minding < 0.5 * ignoring


def assert_a_declared_loss_shifts(make: Make, **settings: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    wait = X[:, 0] + rng.exponential(size=300)
    model = make([Regression("wait", loss="quantile:0.9")], **settings).fit(X[:200], wait[:200])
    assert 0.8 < (wait[200:] <= np.ravel(model.predict(X[200:]))).mean() < 0.97


def assert_large_categories_are_learned(make: Make, path: Path, **settings: Any) -> None:
    """They become means of the labels of all tasks, which a folder keeps."""
    rng = np.random.default_rng(0)
    effect, codes = rng.normal(size=80), rng.integers(80, size=900)
    X = pd.DataFrame({"shop": [f"shop {k}" for k in codes], "x": rng.normal(size=900)})
    y = pd.DataFrame({"a": effect[codes] + 0.1 * rng.normal(size=900), "b": np.where(effect[codes] > 0, "up", "down")})
    model = make(None, **settings).fit(X[:600], y[:600])
    assert r2_score(y["a"][600:], model.predict(X[600:])["a"]) > 0.6
    assert_a_folder_gives_the_same(model, X, path)


def assert_a_folder_gives_the_same(model: Any, X: Any, path: Path) -> None:
    """To the bit, settings and rounds too, without anything that is pickled."""
    save_estimator(model, path)
    loaded = load_estimator(path)
    assert_same_outputs(loaded.outputs(X), model.outputs(X))
    assert loaded.get_params() | {"tasks": None} == model.get_params() | {"tasks": None}
    assert getattr(loaded, "n_rounds_", None) == getattr(model, "n_rounds_", None)
    assert {file.suffix for file in path.rglob("*") if file.is_file()} <= {".json", ".safetensors", ".txt"}


def assert_is_a_part_of_an_ensemble(make: Make, path: Path, **settings: Any) -> None:
    X, y = houses(80)
    stack = StackingEstimator({"own": make(None, **settings)}, TASKS[:2], folds=2, random_state=0).fit(X, y)
    save_estimator(stack, path)
    assert_same_outputs(load_estimator(path).outputs(X), stack.outputs(X))


def assert_a_time_limit_ends_it(make: Make, **settings: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = pd.DataFrame({"a": X[:, 0] * X[:, 1], "b": X[:, 0] * X[:, 2]})
    endless = {"n_estimators": 100_000, "patience": 100_000, "learning_rate": 0.001, "time_limit": 0.3}
    started = time.monotonic()
    model = make(None, **endless | settings).fit(X, y)
    assert max(model.n_rounds_.values()) < 50_000
    assert time.monotonic() - started < 30
