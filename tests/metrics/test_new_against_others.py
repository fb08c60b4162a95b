"""Distances, correlations, tops and calibration against scikit-learn, scipy or a plain loop."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from polytask import metrics
from polytask.exceptions import OptionError
from polytask.metrics import UndefinedMetric, make_metric, metric_of, metrics_by_name, metrics_of, summarize_tasks

N = 60
NAN = float("nan")


@pytest.fixture(params=[0, 1, 2], ids="seed{}".format)
def rng(request):
    return np.random.default_rng(request.param)


@pytest.fixture(params=["weighted", "unweighted"])
def weight(request, rng):
    return rng.uniform(0.1, 3.0, N) if request.param == "weighted" else None


def scores_of(rng, decimals=12):
    score = rng.random(N).round(decimals)
    return np.stack([1 - score, score], axis=1)


# ----------------------------------------------------------------------------------------------------------- distances


def test_max_and_median_errors(rng):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    assert metrics.max_error(target, outputs) == sk.max_error(target, outputs)
    assert metrics.median_absolute_error(target, outputs) == pytest.approx(sk.median_absolute_error(target, outputs))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_pinball_loss(rng, weight, level):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    expected = sk.mean_pinball_loss(target, outputs, alpha=level, sample_weight=weight)
    assert metrics.pinball_loss(target, outputs, sample_weight=weight, level=level) == pytest.approx(expected)


def test_d2_absolute_error(rng):
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    assert metrics.d2_absolute_error(target, outputs) == pytest.approx(sk.d2_absolute_error_score(target, outputs))


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_d2_pinball_is_against_the_best_constant(rng, weight, level):
    """scikit-learn's constant is an interpolated quantile, which in small tables is not quite the best one."""
    target, outputs = rng.normal(size=N), rng.normal(size=N)
    grid = [metrics.pinball_loss(target, np.full(N, c), sample_weight=weight, level=level) for c in target]
    expected = 1 - metrics.pinball_loss(target, outputs, sample_weight=weight, level=level) / min(grid)
    assert metrics.d2_pinball(target, outputs, sample_weight=weight, level=level) == pytest.approx(expected)


def test_d2_pinball_equals_scikit_learn_in_large_tables(rng):
    target, outputs = rng.normal(size=20_000), rng.normal(size=20_000)
    expected = sk.d2_pinball_score(target, outputs, alpha=0.9)
    assert metrics.d2_pinball(target, outputs, level=0.9) == pytest.approx(expected, abs=1e-3)


def test_d2_log_loss(rng, weight):
    target, outputs = rng.integers(0, 3, N).astype(float), rng.dirichlet(np.ones(3), N)
    expected = sk.d2_log_loss_score(target, outputs, sample_weight=weight, labels=[0, 1, 2])
    assert metrics.d2_log_loss(target, outputs, sample_weight=weight) == pytest.approx(expected, rel=1e-6)


def test_coverage_error_counts_labels_at_or_below():
    assert metrics.coverage_error([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 9.0], level=0.75) == 0.0


# --------------------------------------------------------------------------------------------------------- correlation


@pytest.mark.parametrize("decimals", [0, 12])
def test_correlations_equal_scipy(rng, decimals):
    target, outputs = rng.normal(size=N).round(decimals), rng.normal(size=N).round(decimals)
    assert metrics.pearson(target, outputs) == pytest.approx(stats.pearsonr(target, outputs).statistic)
    assert metrics.spearman(target, outputs) == pytest.approx(stats.spearmanr(target, outputs).statistic)


def test_weighted_pearson_equals_numpy(rng):
    target, outputs, weight = rng.normal(size=N), rng.normal(size=N), rng.uniform(0.1, 3.0, N)
    expected = np.cov(target, outputs, aweights=weight)
    expected = expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1])
    assert metrics.pearson(target, outputs, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [metrics.pearson, metrics.spearman])
def test_a_correlation_without_spread_is_undefined(metric):
    for target, outputs, words in (([1.0, 1.0], [1.0, 2.0], "all labels"), ([1.0, 2.0], [3.0, 3.0], "all predictions")):
        with pytest.raises(UndefinedMetric, match=words):
            metric(target, outputs)
    with pytest.raises(UndefinedMetric, match="only one"):
        metric([1.0], [1.0])


def test_correlations_of_huge_numbers_do_not_overflow():
    assert metrics.pearson([1e300, 2e300, 3e300], [1.0, 2.0, 3.0]) == pytest.approx(1.0)


# ----------------------------------------------------------------------------------------------------------- top of all


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_accuracy(rng, weight, k):
    target, outputs = rng.integers(0, 5, N).astype(float), rng.dirichlet(np.ones(5), N)
    expected = sk.top_k_accuracy_score(target, outputs, k=k, sample_weight=weight, labels=range(5))
    assert metrics.top_k_accuracy(target, outputs, sample_weight=weight, k=k) == pytest.approx(expected)


def test_top_1_is_accuracy_with_ties_too():
    target, outputs = np.array([0.0, 1.0, 2.0]), np.full((3, 3), 1 / 3)
    assert metrics.top_k_accuracy(target, outputs, k=1) == metrics.accuracy(target, outputs)


def test_top_k_of_all_classes_is_undefined():
    with pytest.raises(UndefinedMetric, match="k = 3"):
        metrics.top_k_accuracy([0.0], [[0.2, 0.3, 0.5]], k=3)


@pytest.mark.parametrize("k", [1, 7, 60])
def test_precision_recall_and_lift_of_the_first_rows(rng, k):
    target, outputs = (rng.random(N) < 0.3).astype(float), scores_of(rng)
    first = target[np.argsort(-outputs[:, 1])[:k]]
    assert metrics.precision_at_k(target, outputs, k=k) == pytest.approx(first.mean())
    assert metrics.recall_at_k(target, outputs, k=k) == pytest.approx(first.sum() / target.sum())
    assert metrics.lift_at_k(target, outputs, k=k) == pytest.approx(first.mean() / target.mean())


def test_rows_that_tie_are_taken_in_part():
    target, outputs = np.array([1.0, 0.0, 0.0, 1.0]), np.tile([0.4, 0.6], (4, 1))
    assert metrics.precision_at_k(target, outputs, k=1) == pytest.approx(0.5)
    assert metrics.lift_at_k(target, outputs, k=0.3) == pytest.approx(1.0)


def test_the_gains_table_is_the_curve_of_the_three(rng, weight):
    target, outputs = (rng.random(N) < 0.3).astype(float), scores_of(rng, decimals=1)
    table = metrics.gains_table(target, outputs, sample_weight=weight, n_bins=5)
    for k, share in enumerate(table["share"][:-1]):
        assert table["gain"][k] == pytest.approx(metrics.recall_at_k(target, outputs, sample_weight=weight, k=share))
        assert table["lift"][k] == pytest.approx(metrics.lift_at_k(target, outputs, sample_weight=weight, k=share))
        assert table["precision"][k] == pytest.approx(metrics.precision_at_k(target, outputs, sample_weight=weight, k=share))
    assert [table[key][-1] for key in ("share", "gain", "lift")] == [1.0, 1.0, 1.0]


def test_gain_at_the_whole_curve_is_the_area_of_the_roc(rng):
    """The area under the gains curve is half the prevalence plus (1 - prevalence) times AUC."""
    target, outputs = (rng.random(N) < 0.3).astype(float), scores_of(rng)
    table = metrics.gains_table(target, outputs, n_bins=N)
    area = np.trapezoid(np.r_[0.0, table["gain"]], np.r_[0.0, table["share"]])
    share = target.mean()
    assert area == pytest.approx(share / 2 + (1 - share) * sk.roc_auc_score(target, outputs[:, 1]))


@pytest.mark.parametrize("metric", [metrics.precision_at_k, metrics.recall_at_k, metrics.lift_at_k])
def test_what_cannot_be_ranked_is_told(metric):
    with pytest.raises(ValueError, match=r"must be \(n, 2\)"):
        metric([1.0], [[0.2, 0.3, 0.5]])
    with pytest.raises(ValueError, match="`k` must be"):
        metric([1.0, 0.0], [[0.2, 0.8], [0.5, 0.5]], k=0)
    with pytest.raises(UndefinedMetric, match="more than the 2 observed"):
        metric([1.0, 0.0, NAN], [[0.2, 0.8], [0.5, 0.5], [0.5, 0.5]], k=3)


def test_multilabel_top_k_by_a_plain_loop(rng):
    target, outputs = (rng.random((N, 5)) < 0.4).astype(float), rng.random((N, 5))
    target[rng.random((N, 5)) < 0.2] = NAN
    precisions, recalls = [], []
    for own, scores in zip(target, outputs, strict=True):
        seen = np.flatnonzero(~np.isnan(own))
        if len(seen) >= 2:
            first = seen[np.argsort(-scores[seen])[:2]]
            precisions.append(own[first].mean())
            recalls += [own[first].sum() / own[seen].sum()] if own[seen].sum() else []
    assert metrics.multilabel_precision_at_k(target, outputs, k=2) == pytest.approx(np.mean(precisions))
    assert metrics.multilabel_recall_at_k(target, outputs, k=2) == pytest.approx(np.mean(recalls))


def test_subset_accuracy_equals_scikit_learn(rng, weight):
    target, outputs = (rng.random((N, 3)) < 0.4).astype(float), rng.random((N, 3))
    expected = sk.accuracy_score(target, outputs > 0.5, sample_weight=weight)
    assert metrics.subset_accuracy(target, outputs, sample_weight=weight) == pytest.approx(expected)


# --------------------------------------------------------------------------------------------------------- calibration


def test_calibration_error_by_a_plain_loop(rng):
    target, outputs = (rng.random(N) < 0.4).astype(float), scores_of(rng)
    expected = 0.0
    for rows in np.array_split(np.argsort(outputs[:, 1]), 6):
        expected += len(rows) / N * abs(outputs[rows, 1].mean() - target[rows].mean())
    assert metrics.expected_calibration_error(target, outputs, n_bins=6) == pytest.approx(expected)


def test_calibration_error_agrees_with_the_curve_of_scikit_learn(rng):
    from sklearn.calibration import calibration_curve

    score = rng.random(300)
    target = (rng.random(300) < score**2).astype(float)
    observed, predicted = calibration_curve(target, score, n_bins=5, strategy="quantile")
    found = metrics.expected_calibration_error(target, np.stack([1 - score, score], axis=1), n_bins=5)
    assert found == pytest.approx(np.mean(np.abs(observed - predicted)), rel=1e-9)


def test_many_classes_are_judged_by_the_predicted_one(rng):
    outputs = rng.dirichlet(np.ones(4), 500)
    target = np.array([rng.choice(4, p=p) for p in outputs]).astype(float)
    right = (outputs.argmax(axis=1) == target).astype(float)
    confidence = outputs.max(axis=1)
    two = metrics.expected_calibration_error(right, np.stack([1 - confidence, confidence], axis=1))
    assert metrics.expected_calibration_error(target, outputs) == pytest.approx(two)
    assert two < 0.1


# ------------------------------------------------------------------------------------------------- own metrics, names


def test_a_metric_of_a_users_function_gets_observed_rows_and_weights():
    def told(target, outputs, sample_weight):
        return float(np.average(target * 10 + outputs, weights=sample_weight))

    own = make_metric("told", told, higher_is_better=True)
    assert own([1.0, NAN, 2.0], [5.0, 6.0, 7.0], sample_weight=[1.0, 1.0, 0.0]) == 15.0
    assert own.name == "told"
    assert own.higher_is_better


def test_a_users_function_without_weights_refuses_rows_that_differ_in_weight():
    own = make_metric("bias", lambda target, outputs: float(np.mean(outputs - target)), higher_is_better=False)
    assert own([1.0, 2.0], [2.0, 3.0], sample_weight=[3.0, 3.0]) == 1.0
    with pytest.raises(UndefinedMetric, match="takes no `sample_weight`"):
        own([1.0, 2.0], [2.0, 3.0], sample_weight=[1.0, 3.0])


def test_a_users_function_gets_classes_and_tags_in_their_shapes():
    shapes = []

    def shape(target, outputs):
        shapes.append((target.shape, outputs.shape, bool(np.isnan(target).any())))
        return 1.0

    make_metric("a", shape, higher_is_better=True)([0.0, 1.0, NAN], np.full((3, 2), 0.5))
    tags = make_metric("b", shape, higher_is_better=True, is_multilabel=True)
    tags([[0.0, NAN], [NAN, NAN]], np.full((2, 2), 0.5))
    assert shapes == [((2,), (2, 2), False), ((1, 2), (1, 2), True)]


def test_metrics_are_read_by_name_and_option():
    found = metrics_of(["mae", "pinball_loss:0.9", metrics.R2], known=metrics_by_name)
    assert [metric.name for metric in found] == ["mae", "pinball_loss:0.9", "r2"]
    assert found[1] == metric_of("pinball_loss:0.90", known=metrics_by_name)
    assert metrics_of("mae", known=metrics_by_name) == (metrics.MAE,)


@pytest.mark.parametrize(
    "given, words",
    [
        ("rms", "no metric 'rms' of task 't'. Did you mean"),
        ("xyzzy", "Metrics are mse"),
        ("mae:3", "has no option"),
        ("pinball_loss:2", r"`level` of metric 'pinball_loss' must be a number in \(0, 1\); got '2'"),
        ("precision_at_k:ten", "must be a number > 0"),
        (np.mean, "bare function"),
    ],
)
def test_what_is_no_metric_is_refused(given, words):
    with pytest.raises(OptionError, match=words):
        metric_of(given, known=metrics_by_name, owner=" of task 't'")


@pytest.mark.parametrize("name, function", [("", len), ("a:b", len), ("a", 3)])
def test_a_metric_needs_a_name_and_a_function(name, function):
    with pytest.raises(OptionError, match="must be"):
        make_metric(name, function, higher_is_better=True)


# ----------------------------------------------------------------------------------------------------------- summaries


@pytest.mark.parametrize("ours, theirs", [("uniform", "uniform_average"), ("variance", "variance_weighted")])
def test_multioutput_r2_equals_scikit_learn(rng, weight, ours, theirs):
    target, outputs = rng.normal(size=(N, 4)) * [1, 2, 3, 4], rng.normal(size=(N, 4))
    expected = sk.r2_score(target, outputs, multioutput=theirs, sample_weight=weight)
    assert metrics.multioutput_r2(target, outputs, sample_weight=weight, average=ours) == pytest.approx(expected)


def test_multioutput_r2_takes_each_target_on_its_own_rows(rng):
    target, outputs = rng.normal(size=(N, 2)), rng.normal(size=(N, 2))
    target[:20, 0] = NAN
    expected = (sk.r2_score(target[20:, 0], outputs[20:, 0]) + sk.r2_score(target[:, 1], outputs[:, 1])) / 2
    assert metrics.multioutput_r2(target, outputs) == pytest.approx(expected)
    constant = np.c_[target, np.ones(N)]
    assert metrics.multioutput_r2(constant, np.c_[outputs, np.ones(N)]) == pytest.approx(expected)


def test_multioutput_r2_without_any_target_is_undefined():
    with pytest.raises(UndefinedMetric, match="no target"):
        metrics.multioutput_r2([[1.0], [1.0]], [[1.0], [2.0]])


def test_only_what_has_no_unit_is_averaged_over_tasks():
    values = {"a": {"r2": 0.5, "rmse": 3.0, "roc_auc": 0.9}, "b": {"r2": None, "rmse": 9.0, "roc_auc": 0.7}, "c": {"r2": 0.1}}
    summary = summarize_tasks(values, metrics=list(metrics_by_name.values()))
    assert summary.keys() == {"r2", "roc_auc"}
    assert summary["r2"] == pytest.approx({"mean": 0.3, "min": 0.1, "max": 0.5, "n_tasks": 2})
