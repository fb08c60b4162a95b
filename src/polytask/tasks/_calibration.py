"""From scores of a network to probabilities, by the labels of a few rows."""

from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax, logit
from torch import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

_FEWEST = 5  # labels of each class
_LEAST_SLOPE, _LARGEST_SLOPE = 1e-3, 1e3  # of scores of spread 1: never 0, so that their order stays


def with_calibration(outputs: Tensor, calibration: Any) -> Tensor:
    """Raw outputs [..., n, m] times a slope, plus an intercept, as :func:`fit_calibration` found them; as they are for None."""
    if calibration is None:
        return outputs
    slope, intercept = torch.tensor(calibration, dtype=outputs.dtype, device=outputs.device)
    return outputs * slope + intercept


def fit_calibration(outputs: Array, target: Array, weight: Array, *, prior: Any, kind: str) -> list[list[float]]:
    """Slopes > 0 and intercepts of raw outputs, with the least log loss on some rows.

    Parameters
    ----------
    outputs : array of shape (n, m)
        One logit-like score per target column, or one per class.
    target, weight : array of shape (n, n_targets)
        0 and 1, or class codes; weight 0 where the label is missing.
    prior : sequence of float
        Share of positives of each target column among the training rows, for columns without both classes here.
    kind : {"platt", "temperature"}
        A slope and an intercept for each column, or a slope alone, which keeps the side of a half, or the class, that is chosen.

    Returns
    -------
    slopes, intercepts : lists of m floats

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999: also the labels drawn a little to the middle. Guo, Pleiss,
    Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017: temperature. arXiv:1706.04599

    Examples
    --------
    >>> scores, labels = np.array([[-2.0], [0.0], [0.0], [2.0]] * 50), np.array([[0.0], [0.0], [1.0], [1.0]] * 50)
    >>> [[slope], [intercept]] = fit_calibration(scores, labels, np.ones((200, 1)), prior=[0.5], kind="platt")
    >>> slope > 1, abs(intercept) < 1e-4
    (True, True)
    """
    outputs, target = np.asarray(outputs, dtype=np.float64), np.where(weight > 0, target, 0.0)
    if outputs.shape[1] > target.shape[1]:
        slope = _temperature_of_classes(outputs, target[:, 0].astype(np.int64), weight[:, 0])
        return [[slope] * outputs.shape[1], [0.0] * outputs.shape[1]]
    found = [_fit_column(*own, kind=kind) for own in zip(outputs.T, target.T, weight.T, prior, strict=True)]
    return [[slope for slope, _ in found], [intercept for _, intercept in found]]


def has_both_classes(target: Array, weight: Array) -> bool:
    """Whether every column [n, n_targets] has five labels that are its most common one, and five that are not.

    >>> has_both_classes(np.array([[0.0]] * 5 + [[1.0]] * 4), np.ones((9, 1)))
    False
    """
    for label, seen in zip(target.T, (weight > 0).T, strict=True):
        counts = np.unique(label[seen], return_counts=True)[1]
        if len(counts) < 2 or counts.sum() - counts.max() < _FEWEST or counts.max() < _FEWEST:
            return False
    return True


def _fit_column(score: Array, label: Array, weight: Array, prior: float, *, kind: str) -> tuple[float, float]:
    seen = weight > 0
    score, label, weight = score[seen], label[seen], weight[seen]
    center, spread = (float(score.mean()), float(score.std())) if len(score) and kind == "platt" else (0.0, 1.0)
    spread = spread if spread > 0 else 1.0
    positives, negatives = float(weight @ label), float(weight @ (1 - label))
    if not (positives > 0 and negatives > 0):  # nothing to fit a slope by: the prior, hardly moved by the score
        slope = _LEAST_SLOPE / spread if kind == "platt" else 1.0
        return slope, float(logit(prior)) - slope * center if kind == "platt" else 0.0
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    soft, x, share = np.where(label == 1, high, low), (score - center) / spread, weight / weight.sum()

    def loss(parameters: Array) -> float:
        z = np.exp(parameters[0]) * x + (parameters[1] if kind == "platt" else 0.0)
        return -float(share @ (soft * log_expit(z) + (1 - soft) * log_expit(-z)))

    bounds = [(np.log(_LEAST_SLOPE), np.log(_LARGEST_SLOPE)), (-30.0, 30.0)]
    start = np.array([0.0, float(logit(share @ soft))])
    n = 2 if kind == "platt" else 1
    best = minimize(loss, start[:n], bounds=bounds[:n], method="L-BFGS-B").x
    slope = float(np.exp(best[0])) / spread
    return slope, float(best[1]) - slope * center if kind == "platt" else 0.0


def _temperature_of_classes(outputs: Array, codes: Array, weight: Array) -> float:
    seen = weight > 0
    if not seen.any() or (codes[seen] == codes[seen][0]).all():
        return 1.0
    outputs, codes, share = outputs[seen], codes[seen], weight[seen] / weight[seen].sum()
    keep = weight[seen].sum() / (weight[seen].sum() + outputs.shape[1])  # labels drawn a little to the middle

    def loss(parameters: Array) -> float:
        log_p = log_softmax(np.exp(parameters[0]) * outputs, axis=1)
        return -float(share @ (keep * log_p[np.arange(len(codes)), codes] + (1 - keep) * log_p.mean(axis=1)))

    bounds = [(np.log(_LEAST_SLOPE), np.log(_LARGEST_SLOPE))]
    return float(np.exp(minimize(loss, np.zeros(1), bounds=bounds, method="L-BFGS-B").x[0]))
