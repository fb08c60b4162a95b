"""Decisions of rows not learned from, to probabilities or to numbers that can be believed."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

Array = np.ndarray[Any, np.dtype[Any]]


def fit_probabilities(decisions: Array, codes: Array, weight: Array, *, n_classes: int) -> dict[str, Array]:
    """Logistic regression on held-out decisions (Platt 1999), for any number of classes.

    Parameters
    ----------
    decisions : array of shape (n, D)
        Of rows that the model has not seen.
    codes : int array of shape (n,)
        0 to ``n_classes`` - 1.
    weight : array of shape (n,)

    Returns
    -------
    state : dict
        ``slopes`` [n_classes, D] and ``offsets`` [n_classes]; a class that no row has gets the least probability.

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods", 1999.

    Examples
    --------
    >>> state = fit_probabilities(np.array([[-1.0], [1.0], [2.0], [-2.0]]), np.array([0, 1, 1, 0]), np.ones(4), n_classes=2)
    >>> bool(to_probabilities(np.array([[3.0]]), state)[0, 1] > 0.8)
    True
    """
    mean, scale = decisions.mean(axis=0), decisions.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    slopes, offsets = np.zeros((n_classes, decisions.shape[1])), np.full(n_classes, np.log(0.5 / len(codes)))
    model = LogisticRegression(C=10.0, max_iter=1000, tol=1e-6).fit((decisions - mean) / scale, codes, sample_weight=weight)
    seen = model.classes_
    coef, intercept = (model.coef_, model.intercept_) if len(seen) > 2 else _two_sided(model)
    slopes[seen] = coef / scale
    offsets[seen] = intercept - (coef / scale) @ mean
    return {"slopes": slopes, "offsets": offsets}


def _two_sided(model: LogisticRegression) -> tuple[Array, Array]:
    return np.vstack([np.zeros_like(model.coef_), model.coef_]), np.append(0.0, model.intercept_)


def to_probabilities(decisions: Array, state: dict[str, Array]) -> Array:
    """Probabilities [n, n_classes] of decisions [n, D]."""
    return np.asarray(softmax(decisions @ state["slopes"].T + state["offsets"], axis=1))


def fit_shrinkage(outputs: Array, target: Array, weight: Array) -> dict[str, Array]:
    """How far to trust a regressor's distance from the mean: the slope of the target on held-out outputs, from 0 to 1.

    A model that knows nothing about unseen rows (new subjects, say) is drawn to the mean, where it costs nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=1000)
    >>> float(fit_shrinkage(noise, rng.normal(size=1000), np.ones(1000))["slope"]) < 0.1
    True
    """
    center, mean = np.average(outputs, weights=weight), np.average(target, weights=weight)
    spread = np.average((outputs - center) ** 2, weights=weight)
    shared = np.average((outputs - center) * (target - mean), weights=weight)
    slope = np.clip(shared / spread, 0.0, 1.0) if spread > 0 else 1.0
    return {"slope": np.asarray(slope), "center": np.asarray(mean)}


def shrunk(outputs: Array, state: dict[str, Array]) -> Array:
    """Outputs drawn to the mean by ``slope``."""
    return np.asarray(state["center"] + state["slope"] * (outputs - state["center"]))
