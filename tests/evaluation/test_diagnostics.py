"""What diagnose says of every kind, checked against scikit-learn, scipy and simulated truth."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from polytask.evaluation import Slices, diagnose, diagnose_tasks
from polytask.exceptions import DataError, OptionError
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression

N = 600


def table(seed=0, n=N):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "price": 3 * x + rng.normal(size=n),
            "visits": rng.poisson(np.exp(0.5 + 0.4 * x)),
            "sold": np.where(rng.random(n) < 1 / (1 + np.exp(-x)), "yes", "no"),
            "colour": rng.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2]),
            "grade": np.clip(np.round(2 + x), 0, 4).astype(int),
            "a": (rng.random(n) < 0.3).astype(float),
            "b": (rng.random(n) < 1 / (1 + np.exp(-2 * x))).astype(float),
        }
    )
    inputs = pd.DataFrame({"x": x, "city": rng.choice(["Oslo", "Bergen"], n), "rooms": rng.integers(1, 4, n)})
    return frame, inputs, rng


KINDS = [
    Regression("price"),
    Count("visits"),
    Binary("sold"),
    Multiclass("colour"),
    Ordinal("grade"),
    Multilabel("tags", ("a", "b")),
]


def outputs_of(task, inputs, rng):
    x, n = inputs["x"].to_numpy(), len(inputs)
    if task.kind == "regression":
        return 3 * x
    if task.kind == "count":
        return np.exp(0.5 + 0.4 * x)
    if task.kind == "binary":
        p = 1 / (1 + np.exp(-x))
        return np.stack([1 - p, p], axis=1)
    if task.kind == "multilabel":
        return np.stack([np.full(n, 0.3), 1 / (1 + np.exp(-2 * x))], axis=1)
    return rng.dirichlet(np.ones(len(task.labels)), size=n)


def case(declared, seed=0, n=N):
    frame, inputs, rng = table(seed, n)
    task = declared.fit(frame)
    return task, outputs_of(task, inputs, rng), task.encode(frame), inputs


@pytest.mark.parametrize("declared", KINDS, ids=lambda task: task.kind)
@pytest.mark.parametrize("grouped", [False, True])
def test_every_kind_gives_the_parts_it_declares_as_strict_small_json(declared, grouped):
    task, outputs, target, inputs = case(declared)
    found = diagnose(task, outputs, target, inputs=inputs, groups=np.arange(N) // 5 if grouped else None, rows="held-out")
    assert list(found["parts"]) == list(task.diagnostics)
    assert found["n_rows"] == N
    assert found["n_groups"] == (N // 5 if grouped else None)
    assert (found["by_group"] is not None) == grouped
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert len(json.dumps(found)) < 60_000


@pytest.mark.parametrize("declared", KINDS, ids=lambda task: task.kind)
@pytest.mark.parametrize("n", [1, 2, 3, 25])
def test_few_rows_give_gaps_but_no_error(declared, n):
    task, outputs, target, inputs = case(declared)
    found = diagnose(
        task, outputs[:n], target[:n], inputs=inputs[:n] if n > 3 else None, groups=np.zeros(n), sample_weight=np.ones(n)
    )
    json.dumps(found, allow_nan=False)
    assert found["n_rows"] == n


@pytest.mark.parametrize("declared", KINDS, ids=lambda task: task.kind)
def test_constant_predictions_and_one_class_give_gaps_but_no_error(declared):
    task, outputs, target, _ = case(declared)
    same = np.repeat(outputs[:1], N, axis=0)
    for found in (diagnose(task, same, target), diagnose(task, outputs, np.repeat(target[:1], N, axis=0))):
        json.dumps(found, allow_nan=False)
        assert found["n_rows"] == N
        assert found["parts"]


def test_rows_without_label_or_weight_count_nothing():
    task, outputs, target, _ = case(Binary("sold"))
    fewer = np.where(np.arange(N)[:, None] < 100, np.nan, target)
    weight = np.where(np.arange(N) < 200, 0.0, 1.0)
    assert diagnose(task, outputs, fewer, sample_weight=weight) == diagnose(task, outputs[200:], target[200:])
    assert diagnose(task, outputs, np.full_like(target, np.nan)) == {}


def test_confusion_counts_as_scikit_learn_does():
    task, outputs, target, _ = case(Multiclass("colour"))
    part = diagnose(task, outputs, target)["parts"]["confusion"]
    assert np.array_equal(part["matrix"], confusion_matrix(target[:, 0], outputs.argmax(axis=1)))
    assert part["accuracy"][0] == pytest.approx((outputs.argmax(axis=1) == target[:, 0]).mean(), rel=1e-4)
    worst = np.where(np.eye(3), 0, confusion_matrix(target[:, 0], outputs.argmax(axis=1)))
    assert part["confused"][0]["n"] == worst.max()


def test_many_classes_are_told_as_others():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"colour": [f"c{k}" for k in rng.integers(0, 60, 3000)]})
    task = Multiclass("colour").fit(frame)
    part = diagnose(task, rng.dirichlet(np.ones(60), 3000), task.encode(frame))["parts"]["confusion"]
    assert len(part["labels"]) + 1 == len(part["matrix"]) == 20
    assert part["n_other"] == 41
    assert np.sum(part["matrix"]) == 3000


def test_areas_are_those_of_scikit_learn_and_curves_end_in_the_corners():
    task, outputs, target, _ = case(Binary("sold"))
    weight = np.random.default_rng(1).uniform(0.5, 2, N)
    entry = diagnose(task, outputs, target, sample_weight=weight)["parts"]["curves"]["classes"][0]
    y, p = target[:, 0], outputs[:, 1]
    assert entry["auc"][0] == pytest.approx(roc_auc_score(y, p, sample_weight=weight), abs=1e-4)
    assert entry["average_precision"][0] == pytest.approx(average_precision_score(y, p, sample_weight=weight), abs=1e-4)
    assert entry["auc"][1] < entry["auc"][0] < entry["auc"][2]
    assert entry["roc"][0] == [0, 0]
    assert entry["roc"][-1] == [1, 1]
    assert len(entry["roc"]) <= 62


def reweighted(p, weights):
    """Probabilities of the population in which classes count by weight."""
    found = p * np.asarray(weights)
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", [Binary, Multiclass, Ordinal])
@pytest.mark.parametrize("class_weight", ["balanced", {"0": 1.0, "1": 6.0}])
def test_calibration_of_a_task_with_class_weights_is_of_the_population_that_they_make(kind, class_weight, rng):
    n, k = 20_000, 2 if kind is Binary else 3
    p = rng.dirichlet([6.0, 1.0, 2.0][:k], size=n)
    y = pd.DataFrame({"sold": (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1)})
    task = kind("sold", class_weight=class_weight).fit(y)
    target = task.encode(y)
    weights = task.with_statistics(target, np.ones((n, 1))).class_weights
    asked, plain = (diagnose(task, outputs, target) for outputs in (reweighted(p, weights), p))
    assert asked["is_class_weighted"]
    part = asked["parts"]["calibration"]
    assert part["predicted"] == pytest.approx(part["observed"][0], abs=0.015)
    assert part["slope"][0] == pytest.approx(1, abs=0.15)
    assert part["error"] < 0.03
    shown = reweighted(p, weights)
    hits = y["sold"] == 1 if k == 2 else y["sold"] == shown.argmax(axis=1)
    assert part["unweighted"] == pytest.approx(hits.mean(), rel=1e-4)
    assert part["n_true"] == hits.sum()
    off = plain["parts"]["calibration"]  # probabilities of the rows as they are, not those that were asked for
    assert abs(off["predicted"] - off["observed"][0]) > 0.05
    for cut in asked["parts"].get("levels", {}).get("cuts", []):
        assert cut["predicted"] == pytest.approx(cut["observed"][0], abs=0.015)


def test_rows_are_as_they_are_without_class_weights():
    frame, inputs, rng = table()
    task = Binary("sold").fit(frame)
    found = diagnose(task, outputs_of(task, inputs, rng), task.encode(frame))
    assert not found["is_class_weighted"]
    assert "unweighted" not in found["parts"]["calibration"]
    assert found["parts"]["calibration"]["observed"][0] == pytest.approx((frame["sold"] == "yes").mean(), rel=1e-4)


def test_the_calibration_line_is_that_of_an_unpenalized_logistic_regression():
    task, outputs, target, _ = case(Binary("sold"))
    p = np.clip(outputs[:, 1] ** 2, 0.01, 0.99)
    part = diagnose(task, np.stack([1 - p, p], axis=1), target)["parts"]["calibration"]
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log(p / (1 - p))[:, None], target[:, 0])
    assert part["slope"][0] == pytest.approx(oracle.coef_[0, 0], rel=1e-3)
    assert part["intercept"][0] == pytest.approx(oracle.intercept_[0], rel=1e-3)


def test_true_probabilities_are_called_calibrated_and_stretched_ones_not():
    frame, inputs, _ = table(3, 4000)
    task = Binary("sold").fit(frame)
    right = outputs_of(task, inputs, None)
    part = diagnose(task, right, task.encode(frame))["parts"]["calibration"]
    assert part["slope"][1] < 1 < part["slope"][2]
    assert all(b["low"] <= b["predicted"] <= b["high"] for b in part["bins"])
    assert part["error"] < 0.03
    stretched = 1 / (1 + np.exp(-3 * inputs["x"].to_numpy()))
    part = diagnose(task, np.stack([1 - stretched, stretched], axis=1), task.encode(frame))["parts"]["calibration"]
    assert part["slope"][0] == pytest.approx(1 / 3, abs=0.06)
    assert part["slope"][2] < 1
    assert part["error"] > 0.1


def test_separated_classes_have_no_slope():
    task, _, target, _ = case(Binary("sold"))
    p = np.where(target[:, 0] == 1, 0.9, 0.1) + np.linspace(0, 0.05, N)
    assert diagnose(task, np.stack([1 - p, p], axis=1), target)["parts"]["calibration"]["slope"] is None


def test_levels_count_distances_with_their_sign():
    frame = pd.DataFrame({"grade": [0, 1, 2, 2]})
    task = Ordinal("grade").fit(frame)
    outputs = np.eye(3)[[1, 1, 0, 2]] * 0.8 + 0.1
    part = diagnose(task, outputs, task.encode(frame))["parts"]["levels"]
    assert part["distances"] == [[-2, 1], [-1, 0], [0, 2], [1, 1]]
    assert part["exact"][0] == 0.5
    assert part["within_one"][0] == 0.75
    assert part["distance"][0] == -0.25


def test_each_tag_is_measured_on_the_rows_where_it_is_observed():
    task, outputs, target, _ = case(Multilabel("tags", ("a", "b")))
    target = target.copy()
    target[:100, 0] = np.nan
    tags = {entry["name"]: entry for entry in diagnose(task, outputs, target)["parts"]["tags"]["tags"]}
    assert (tags["a"]["n"], tags["b"]["n"]) == (N - 100, N)
    assert tags["b"]["auc"][0] == pytest.approx(roc_auc_score(target[:, 1], outputs[:, 1]), abs=1e-4)
    assert tags["a"]["base_rate"] == pytest.approx(target[100:, 0].mean(), rel=1e-4)


def test_the_slope_and_the_trend_are_those_of_numpy_and_scipy():
    task, outputs, target, _ = case(Regression("price"))
    parts = diagnose(task, outputs, target)["parts"]
    assert parts["scatter"]["slope"][0] == pytest.approx(np.polyfit(outputs, target[:, 0], 1)[0], rel=1e-4)
    off = np.abs(target[:, 0] - outputs)
    assert parts["residuals"]["trend"][0] == pytest.approx(spearmanr(outputs, off).statistic, abs=1e-4)
    assert parts["scatter"]["off"][0] == pytest.approx(np.median(off), rel=0.02)


def test_points_are_drawn_at_random_where_there_are_many_and_numbers_are_not():
    task, outputs, target, _ = case(Regression("price"), n=5000)
    found = diagnose(task, outputs, target, most_points=50)
    assert len(found["parts"]["scatter"]["points"]) == found["points"] == 50
    assert sum(b["n"] for b in found["parts"]["scatter"]["bins"]) == 5000


def test_normal_residuals_leave_the_band_seldom_and_heavy_tails_often():
    task = Regression("price").fit(pd.DataFrame({"price": [0.0, 1.0]}))
    rng = np.random.default_rng(0)

    def leaves(residual):
        return diagnose(task, np.zeros(len(residual)), residual)["parts"]["normal_quantiles"]["n_outside"] > 0

    normal = sum(leaves(rng.normal(size=200)) for _ in range(200))
    assert normal <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)
    assert sum(leaves(rng.standard_t(2, size=200)) for _ in range(40)) > 30


def test_the_rootogram_expects_what_poisson_draws_give():
    task, outputs, target, _ = case(Count("visits"), n=4000)
    part = diagnose(task, outputs, target)["parts"]["rootogram"]
    assert sum(bar["observed"] for bar in part["bars"]) == pytest.approx(4000)
    assert sum(bar["expected"] for bar in part["bars"]) == pytest.approx(4000, rel=1e-3)
    assert all(bar["low"] <= bar["observed"] <= bar["high"] for bar in part["bars"])
    assert part["dispersion"][1] < 1 < part["dispersion"][2]
    more = diagnose(task, outputs, np.where(np.arange(4000)[:, None] % 3 == 0, 0, target))["parts"]["rootogram"]
    assert more["zeros"]["observed"] > more["bars"][0]["high"]
    assert more["dispersion"][1] > 1


@pytest.mark.parametrize(("loss", "level"), [("mae", 0.5), ("quantile:0.9", 0.9)])
def test_predicted_quantiles_are_held_against_quantiles(loss, level):
    frame, inputs, _ = table(5, 3000)
    task = Regression("price", loss=loss).fit(frame)
    truth = task.encode(frame)
    outputs = 3 * inputs["x"].to_numpy() + norm.ppf(level)
    part = diagnose(task, outputs, truth)["parts"]["scatter"]
    assert part["level"] == level
    assert part["below"][1] <= level <= part["below"][2]
    lower = diagnose(task, outputs - 1.5, truth)["parts"]["scatter"]
    assert lower["below"][2] < level
    assert all(b["observed"] > b["predicted"] for b in lower["bins"])


def test_counts_that_are_medians_have_no_rootogram():
    task, outputs, target, _ = case(Count("visits", loss="mae"))
    assert list(diagnose(task, outputs, target)["parts"]) == ["scatter"]


def test_large_counts_share_bars():
    task = Count("visits").fit(pd.DataFrame({"visits": [0, 500]}))
    counts = np.random.default_rng(0).poisson(300, 500)
    part = diagnose(task, np.full(500, 300.0), counts)["parts"]["rootogram"]
    assert part["width"] > 1
    assert len(part["bars"]) <= 26


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"target": np.zeros((5, 1))}, "same number of rows"),
        ({"groups": np.zeros(5)}, "same number of rows"),
        ({"inputs": pd.DataFrame({"x": np.arange(7.0)})}, "same number of rows"),
        ({"outputs": np.full((N, 2), np.nan)}, "must be finite"),
    ],
)
def test_wrong_shapes_and_numbers_are_refused(change, match):
    task, outputs, target, _ = case(Binary("sold"))
    given = {"outputs": outputs, "target": target} | change
    with pytest.raises(DataError, match=match):
        diagnose(task, given.pop("outputs"), given.pop("target"), **given)
    with pytest.raises(OptionError, match="confidence"):
        diagnose(task, outputs, target, confidence=1.0)


def test_several_tasks_share_their_slices_and_keep_only_rows_asked_for():
    frame, inputs, rng = table()
    tasks = [declared.fit(frame) for declared in KINDS]
    outputs = {task.name: outputs_of(task, inputs, rng) for task in tasks}
    targets = {task.name: task.encode(frame) for task in tasks}
    kept = np.arange(N) % 2 == 0
    outputs = {name: np.where((kept[:, None] if own.ndim == 2 else kept), own, np.nan) for name, own in outputs.items()}
    found = diagnose_tasks(tasks, outputs, targets, kept=kept, inputs=Slices.of_table(inputs), groups=np.arange(N) // 3)
    assert list(found) == [task.name for task in tasks]
    assert all(own["n_rows"] == N // 2 for own in found.values())
    alone = diagnose(
        tasks[0], outputs["price"][kept], targets["price"][kept], inputs=inputs[kept], groups=(np.arange(N) // 3)[kept]
    )
    assert found["price"]["parts"] == alone["parts"]
