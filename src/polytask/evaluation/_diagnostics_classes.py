"""What to look at where a task has classes, levels or tags: confusion, ROC, precision and recall, calibration, distances."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import precision_recall_curve, roc_curve

from polytask.evaluation._diagnostics_intervals import (
    FloatArray,
    Observed,
    all_at_once,
    auc_interval,
    average_precision_interval,
    equal_bins,
    group_variance,
    mean_interval,
    share_interval,
)

MOST_CLASSES = 20  # of a confusion matrix; the rest are "other"
MOST_TOLD = 50  # classes or tags with a line of their own
MOST_CURVES = 6
_CURVE_POINTS = 60
_LEAST_PROBABILITY = 1e-6


def confusion(rows: Observed, labels: tuple[Any, ...]) -> dict[str, Any]:
    """Weighted counts of the true against the most probable class, [n_true, n_predicted]; rare classes become one.

    ``classes`` has per true class the share found (recall), and of those called so the share that is (precision), with intervals.
    """
    true, called = _codes(rows), np.argmax(rows.outputs, axis=1)
    sizes = np.bincount(true, weights=rows.weight, minlength=len(labels))
    kept = np.arange(len(labels))
    if len(labels) > MOST_CLASSES:
        kept = np.sort(np.argsort(-sizes, kind="stable")[: MOST_CLASSES - 1])
    place = np.full(len(labels), len(kept))
    place[kept] = np.arange(len(kept))
    n_shown = len(kept) + (len(kept) < len(labels))
    matrix = np.bincount(place[true] * n_shown + place[called], weights=rows.weight, minlength=n_shown**2).reshape(n_shown, -1)
    pairs = np.bincount(true * len(labels) + called, weights=rows.weight, minlength=len(labels) ** 2).reshape(len(labels), -1)
    wrong = np.where(np.eye(len(labels), dtype=bool), 0.0, pairs)
    worst = [divmod(int(k), len(labels)) for k in np.argsort(-wrong, axis=None, kind="stable")[:5]]
    return {
        "labels": [str(labels[k]) for k in kept],
        "n_other": len(labels) - len(kept),
        "matrix": matrix,
        "accuracy": _share(rows, true == called),
        "classes": [
            _class_entry(rows, str(labels[k]), true == k, called == k) for k in np.argsort(-sizes, kind="stable")[:MOST_TOLD]
        ],
        "confused": [{"true": str(labels[t]), "called": str(labels[c]), "n": wrong[t, c]} for t, c in worst if wrong[t, c] > 0],
    }


def _class_entry(rows: Observed, name: str, is_true: NDArray[np.bool_], is_called: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "name": name,
        "n": rows.weight[is_true].sum(),
        "called": rows.weight[is_called].sum(),
        "found": _share(rows.rows(is_true), is_called[is_true]),
        "right": _share(rows.rows(is_called), is_true[is_called]),
    }


def _share(rows: Observed, hits: NDArray[Any]) -> list[float | None] | None:
    """Share, low, high; None without rows."""
    return list(share_interval(hits.astype(float), rows.weight, rows.groups, confidence=rows.confidence)) if len(rows) else None


def curves(rows: Observed, labels: tuple[Any, ...]) -> dict[str, Any]:
    """ROC and precision-recall of every class against the rest (of two classes: of the second), areas with intervals."""
    true = _codes(rows)
    sizes = np.bincount(true, minlength=len(labels))
    told = [1] if len(labels) == 2 else [int(k) for k in np.argsort(-sizes, kind="stable")[:MOST_TOLD]]
    entries = [ranking_entry(rows, str(labels[k]), (true == k).astype(float), rows.outputs[:, k]) for k in told]
    for entry in entries[MOST_CURVES:]:
        entry["roc"] = entry["precision_recall"] = None
    return {"classes": entries, "n_classes": len(labels)}


def ranking_entry(rows: Observed, name: str, target: FloatArray, score: FloatArray, *, draw: bool = True) -> dict[str, Any]:
    """Areas with intervals, and thinned curves, of one 0/1 label."""
    about = {"confidence": rows.confidence}
    entry: dict[str, Any] = {
        "name": name,
        "n": len(rows),
        "n_positive": int(target.sum()),
        "base_rate": np.average(target, weights=rows.weight),
        "auc": auc_interval(target, score, rows.weight, rows.groups, **about),
        "average_precision": average_precision_interval(target, score, rows.weight, rows.groups, **about),
        "roc": None,
        "precision_recall": None,
    }
    if draw and entry["auc"] is not None:
        false_rate, true_rate, _ = roc_curve(target, score, sample_weight=rows.weight)
        precision, recall, _ = precision_recall_curve(target, score, sample_weight=rows.weight, drop_intermediate=True)
        entry["roc"] = _thinned(false_rate, true_rate)
        entry["precision_recall"] = _thinned(recall[::-1], precision[::-1])
    return entry


def _thinned(x: FloatArray, y: FloatArray) -> FloatArray:
    """At most 62 points of a curve, evenly along it, ends kept; [n, 2]."""
    if len(x) <= _CURVE_POINTS:
        return np.stack([x, y], axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _CURVE_POINTS)).clip(0, len(x) - 1))
    return np.stack([x, y], axis=1)[np.unique(np.append(kept, [0, len(x) - 1]))]


def class_calibration(rows: Observed, labels: tuple[Any, ...]) -> dict[str, Any]:
    """Calibration of the second of two classes; of more classes, of the most probable one of every row (its confidence).

    References
    ----------
    Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017 (confidence of the top class).
    """
    hits, probability = _called(rows, labels)
    n_rare = len(rows) - int(np.bincount(_codes(rows)).max())
    return calibration(rows, hits, probability) | {"of": str(labels[1]) if len(labels) == 2 else None, "n_rare": n_rare}


def calibrated_share(rows: Observed, labels: tuple[Any, ...]) -> float:
    """How often that is true on these rows whose calibration :func:`class_calibration` looks at."""
    return float(np.average(_called(rows, labels)[0], weights=rows.weight))


def _called(rows: Observed, labels: tuple[Any, ...]) -> tuple[FloatArray, FloatArray]:
    """Per row whether it is the second of two classes, or the most probable one of more; and the probability of that."""
    if len(labels) == 2:
        return _codes(rows).astype(float), rows.outputs[:, 1]
    return (np.argmax(rows.outputs, axis=1) == _codes(rows)).astype(float), rows.outputs.max(axis=1)


def calibration(rows: Observed, target: FloatArray, probability: FloatArray) -> dict[str, Any]:
    """Observed share against predicted probability, in up to 10 bins of equal size.

    The Wilson intervals hold for all bins at once (Bonferroni). ``error`` is the root mean squared distance of share and
    probability over the bins, debiased: 0 where it is no larger than chance gives. ``slope`` and ``intercept`` are of the
    logistic regression of the label on the logit of the probability: 1 and 0 are right, a slope below 1 is overconfident.
    ``n`` and ``n_true`` count labels without weights.

    References
    ----------
    Cox, "Two Further Applications of a Model for Binary Regression", Biometrika 45, 1958. Kumar, Liang & Ma, "Verified
    Uncertainty Calibration", NeurIPS 2019. Van Calster et al., "A Calibration Hierarchy for Risk Models Was Defined", Journal
    of Clinical Epidemiology 74, 2016.
    """
    parts = equal_bins(probability)
    confidence = all_at_once(rows.confidence, len(parts))
    bins, excess = [], 0.0
    for part in parts:
        own, hits = rows.rows(part), target[part]
        share, low, high = share_interval(hits, own.weight, own.groups, confidence=confidence)
        mean = float(np.average(probability[part], weights=own.weight))
        bins.append({"predicted": mean, "observed": share, "low": low, "high": high, "n": len(part)})
        noise = share * (1 - share) / (len(part) - 1) if len(part) > 1 else 0.0
        excess += own.weight.sum() * ((share - mean) ** 2 - noise)
    predicted = float(np.average(probability, weights=rows.weight))
    return {
        "bins": bins,
        "n": len(target),
        "n_true": int(target.sum()),
        "predicted": predicted,
        "observed": share_interval(target, rows.weight, rows.groups, confidence=rows.confidence),
        "error": np.sqrt(max(0.0, excess / rows.weight.sum())),
        **_recalibration(rows, target, probability),
        "histogram": [
            np.histogram(probability[target == k], bins=20, range=(0, 1), weights=rows.weight[target == k])[0] for k in (0, 1)
        ],
    }


def _recalibration(rows: Observed, target: FloatArray, probability: FloatArray) -> dict[str, Any]:
    """Intercept and slope of the label on the logit, by Newton's method, with sandwich intervals; None where undefined."""
    undefined = {"slope": None, "intercept": None}
    x = logit(np.clip(probability, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY))
    if np.ptp(target) == 0 or np.ptp(x) < 1e-9 or len(rows) < 20:
        return undefined
    design = np.stack([np.ones(len(x)), x], axis=1)
    beta, last = np.zeros(2), _log_likelihood(np.zeros(len(x)), target, rows.weight)
    for _ in range(50):
        mean = expit(design @ beta)
        information = design.T @ (design * (rows.weight * mean * (1 - mean))[:, None])
        if not np.linalg.cond(information) < 1e12:  # the classes are separated: there is no finite slope
            return undefined
        step = np.linalg.solve(information, design.T @ (rows.weight * (target - mean)))
        if np.abs(step).max() < 1e-8 * (1 + np.abs(beta).max()):
            break
        while (found := _log_likelihood(design @ (beta + step), target, rows.weight)) < last and np.abs(step).max() > 1e-12:
            step /= 2
        beta, last = beta + step, found
    else:  # it runs off, for the same reason
        return undefined
    influence = np.linalg.solve(information, (design * (rows.weight * (target - expit(design @ beta)))[:, None]).T)
    z = stats.norm.isf((1 - rows.confidence) / 2)
    reach = [z * np.sqrt(group_variance(part, rows.groups)[0]) for part in influence]
    spans = [[float(b), float(b - r), float(b + r)] for b, r in zip(beta, reach, strict=True)]
    return {"intercept": spans[0], "slope": spans[1]}


def _log_likelihood(raw: FloatArray, target: FloatArray, weight: FloatArray) -> float:
    return float(-np.sum(weight * np.logaddexp(0.0, np.where(target == 1, -raw, raw))))


def levels(rows: Observed, labels: tuple[Any, ...], *, population: Observed | None = None) -> dict[str, Any]:
    """How many levels the most probable one is off (+ is too high), in all and per true level; and each cut between levels.

    ``population``: the same rows with the weights that probabilities stand for, where a task has class weights; cuts are of it.
    """
    cut = rows if population is None else population
    true, called = _codes(rows), np.argmax(rows.outputs, axis=1)
    distance = called - true
    offs = np.arange(distance.min(), distance.max() + 1)
    about = {"confidence": rows.confidence}
    entries, cuts = [], []
    for k, name in enumerate(labels[:MOST_TOLD]):
        own = rows.rows(true == k)
        if len(own):
            mean = mean_interval(distance[true == k].astype(float), own.weight, own.groups, **about)
            entries.append({"name": str(name), "n": len(own), "distance": mean})
        if k:
            above = (true >= k).astype(float)
            score = rows.outputs[:, k:].sum(axis=1)
            cuts.append(
                {
                    "from": str(name),
                    "predicted": np.average(score, weights=cut.weight),
                    "observed": share_interval(above, cut.weight, cut.groups, **about),
                    "auc": auc_interval(above, score, cut.weight, cut.groups, **about),
                }
            )
    return {
        "n_levels": len(labels),
        "distances": [[int(off), rows.weight[distance == off].sum()] for off in offs],
        "exact": _share(rows, distance == 0),
        "within_one": _share(rows, np.abs(distance) <= 1),
        "distance": mean_interval(distance.astype(float), rows.weight, rows.groups, **about),
        "levels": entries,
        "cuts": cuts,
    }


def tags(rows: Observed, labels: tuple[Any, ...]) -> dict[str, Any]:
    """Per tag, on the rows where it is observed: how often it is there and said to be, areas, shares found and right."""
    entries = []
    for k, name in enumerate(labels):
        seen = ~np.isnan(rows.target[:, k])
        if seen.any():
            own, target, score = rows.rows(seen), rows.target[seen, k], rows.outputs[seen, k]
            called = score > 0.5
            entry = ranking_entry(own, str(name), target, score, draw=False) | {
                "predicted": np.average(score, weights=own.weight),
                "called": own.weight[called].sum(),
                "found": _share(own.rows(target == 1), called[target == 1]),
                "right": _share(own.rows(called), target[called]),
            }
            entries.append({key: value for key, value in entry.items() if key not in ("roc", "precision_recall")})
    areas = [entry["auc"][0] if entry["auc"] else 2.0 for entry in entries]
    whole = np.asarray(~np.isnan(rows.target).any(axis=1))
    sizes = None
    if whole.any():
        sizes = {
            "true": np.average(rows.target[whole].sum(axis=1), weights=rows.weight[whole]),
            "predicted": np.average(rows.outputs[whole].sum(axis=1), weights=rows.weight[whole]),
            "all_right": _share(rows.rows(whole), np.all((rows.outputs > 0.5) == (rows.target == 1), axis=1)[whole]),
        }
    worst = np.argsort(areas, kind="stable")[:MOST_TOLD]
    return {"n_tags": len(labels), "tags": [entries[k] for k in worst], "per_row": sizes}


def tag_calibration(rows: Observed, labels: tuple[Any, ...]) -> dict[str, Any]:
    """Calibration over all tags together; the tags of one row (or group of rows) belong together."""
    row, tag = np.nonzero(~np.isnan(rows.target))
    cells = Observed(
        outputs=rows.outputs[row, tag],
        target=rows.target[row, tag][:, None],
        weight=rows.weight[row],
        groups=row if rows.groups is None else rows.groups[row],
        confidence=rows.confidence,
    )
    return calibration(cells, cells.target[:, 0], cells.outputs) | {"of": None}


def _codes(rows: Observed) -> NDArray[np.int64]:
    return rows.target[:, 0].astype(np.int64)
