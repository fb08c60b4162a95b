"""What losses for a metric do to that metric on real tables, against cross-entropy or squared error.

Small networks, so that it takes seconds; ``benchmarks/quality/metric_losses.py`` and ``number_losses.py`` are the measurement.
Tests ask for about half of what was found in four draws. Where no gain was found, they bound the harm.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from polytask.datasets import load_students
from polytask.estimators import MultiTaskNetwork, standard_deviations
from polytask.networks import MLP
from polytask.tasks import Binary, Multilabel, Regression

pytestmark = pytest.mark.filterwarnings("ignore:The loss .* is of batches")  # rare failures of machines are not in all of them
SEEDS = (0, 1)
FOLDER = Path(__file__).parent / "data"
GRADES = ["math_grade", "portuguese_grade"]


@cache
def table(name):
    """Inputs, and five binary targets of which 0.5 to 23 labels in a hundred are positive."""
    frame = pd.read_csv(FOLDER / f"{name}.csv.gz")
    return frame.iloc[:, :-5], frame.iloc[:, -5:].astype(float)


@cache
def metrics(name, loss, tags, seed):
    """Means over targets on rows that no network has seen."""
    X, y = table(name)
    rows = np.random.default_rng(seed).permutation(len(X))
    train, test = rows[: int(0.6 * len(X))], rows[int(0.6 * len(X)) :]
    tasks = Multilabel("tags", tuple(y), loss=loss) if tags else [Binary(target, loss=loss) for target in y]
    model = small(tasks, seed=seed).fit(X.iloc[train], y.iloc[train])
    outputs, target = model.outputs(X.iloc[test]), y.iloc[test].to_numpy()
    p = outputs["tags"] if tags else np.column_stack([outputs[one][:, 1] for one in y])
    return {
        "AUC": np.mean([roc_auc_score(*own) for own in zip(target.T, p.T, strict=True)]),
        "average precision": np.mean([average_precision_score(*own) for own in zip(target.T, p.T, strict=True)]),
        "F1": f1_score(target, p > 0.5, average="macro", zero_division=0),
        "micro F1": f1_score(target, p > 0.5, average="micro", zero_division=0),
    }


def small(tasks, *, seed):
    return MultiTaskNetwork(tasks, max_epochs=15, encoder=MLP(width=32, dropout=0.0), random_state=seed)


def gain(name, loss, metric, *, tags=False):
    found = [[metrics(name, own, tags, seed)[metric] for own in (loss, "cross_entropy")] for seed in SEEDS]
    return float(np.mean([own - base for own, base in found]))


@pytest.mark.parametrize(
    ("loss", "metric", "name", "least"),
    [
        ("soft_f1_macro", "F1", "myocardial", 0.12),
        ("soft_f1_macro", "F1", "ai4i2020", 0.05),
        ("class_balanced_focal", "F1", "myocardial", 0.12),
        ("class_balanced_focal", "average precision", "ai4i2020", 0.01),
        ("asymmetric_focal", "AUC", "ai4i2020", 0.0),
        ("auc", "AUC", "ai4i2020", 0.005),
    ],
)
def test_beats_cross_entropy_in_its_metric(loss, metric, name, least):
    assert gain(name, loss, metric) > least


def test_micro_soft_f1_beats_cross_entropy_in_micro_f1():
    assert gain("myocardial", "soft_f1_micro", "micro F1", tags=True) > 0.12


@pytest.mark.parametrize(
    ("loss", "metric", "name", "most"),
    [
        ("auc", "AUC", "myocardial", 0.01),
        ("aucm", "AUC", "myocardial", 0.01),
        ("aucm", "AUC", "ai4i2020", 0.06),
        ("average_precision", "average precision", "myocardial", 0.01),
        ("average_precision", "average precision", "ai4i2020", 0.03),
        ("asymmetric_focal", "AUC", "myocardial", 0.08),
    ],
)
def test_is_not_shown_to_beat_cross_entropy_and_is_behind_by_little(loss, metric, name, most):
    assert gain(name, loss, metric) > -most


@cache
def grades(loss, seed, outliers):
    """MAE as a share of that of the median, and the negative log-likelihood with labels of spread 1; of two grades of pupils."""
    students = load_students()
    X, y = students.frame.drop(columns=[*GRADES, "pupil"]), students.frame[GRADES].astype(float)
    draw = np.random.default_rng(seed)
    train, apart, test = np.split(draw.permutation(len(X)), [400, 470])
    learned = y.iloc[train] + outliers * (draw.uniform(size=(400, 2)) < 0.05) * draw.choice([-40.0, 40.0], size=(400, 2))
    model = small([Regression(grade, loss=loss) for grade in GRADES], seed=seed).fit(X.iloc[train], learned)
    preds, errors = model.predict(X.iloc[test]), model.predict(X.iloc[apart]) - y.iloc[apart]
    spread = standard_deviations(model, X.iloc[test]) if loss == "gaussian" else np.sqrt((errors**2).mean())
    far = y.iloc[test] - preds
    likelihood = pd.DataFrame(norm.logpdf(far / spread), far.index, far.columns) - np.log(spread / y.iloc[train].std())
    return {
        "mae": float((far.abs().mean() / (y.iloc[test] - y.iloc[train].median()).abs().mean()).mean()),
        "nll": -float(likelihood.mean().mean()),
        "covered": float((far.abs() < norm.ppf(0.95) * spread)[far.notna()].mean().mean()),
    }


def test_log_cosh_has_less_absolute_error_than_squared_error_where_labels_are_outliers():
    assert np.mean([grades("mse", seed, True)["mae"] - grades("log_cosh", seed, True)["mae"] for seed in SEEDS]) > 0.03


def test_gaussian_gives_distributions_no_worse_than_one_variance_per_task():
    found = [(grades("gaussian", seed, False), grades("mse", seed, False)) for seed in SEEDS]
    assert np.mean([own["nll"] - base["nll"] for own, base in found]) < 0.05
    assert np.mean([own["covered"] for own, _ in found]) == pytest.approx(0.9, abs=0.05)
