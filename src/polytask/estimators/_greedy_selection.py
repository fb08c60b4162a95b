"""Greedy selection: weights of an ensemble, one model at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
RowLosses = Callable[[Array], Array]


def greedy_selection(
    outputs: Sequence[Array],
    row_losses: RowLosses,
    weight: Array,
    *,
    max_rounds: int = 50,
    n_start: int = 1,
    tol: float = 1e-6,
) -> Array:
    """Weigh models by adding, again and again, the one that lowers the loss of the mean most.

    A model may be added more than once, so that weights are whole shares. Selection starts from the best single model and
    ends when no addition lowers the loss by a share of ``tol``; the weights of the best round are given.

    Parameters
    ----------
    outputs : sequence of n_models arrays of shape (n, ...)
        Outputs in natural scale of rows that no model has learned from.
    row_losses : callable
        Outputs [n, ...] to losses [n]; NaN where a label is missing. Such as ``task.row_losses`` with its targets.
    weight : array of shape (n,)
        Row weights >= 0.
    max_rounds : int, default=50
        Most additions.
    n_start : int, default=1
        The best models, each added once at the start (sorted initialization).
    tol : float, default=1e-6
        Least improvement, as a share of the loss, to go on.

    Returns
    -------
    weights : float64 array of shape (n_models,)
        In the simplex; most of them are 0.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004.

    Examples
    --------
    >>> target = np.array([0.0, 1.0, 2.0, 3.0])
    >>> models = [target + 1.0, target - 1.0, np.zeros(4)]
    >>> greedy_selection(models, lambda mean: (mean - target) ** 2, np.ones(4))
    array([0.5, 0.5, 0. ])
    """
    if not len(outputs):
        raise ValueError("`outputs` must hold at least one model; got none.")
    stacked = [np.asarray(own, dtype=np.float64) for own in outputs]
    single = np.array([_mean(row_losses(own), weight) for own in stacked])
    if not np.isfinite(single).any():
        return np.full(len(stacked), 1 / len(stacked))
    single = np.where(np.isfinite(single), single, np.inf)
    counts = np.zeros(len(stacked))
    for model in np.argsort(single, kind="stable")[: max(n_start, 1)]:
        if np.isfinite(single[model]):
            counts[model] += 1
    total = _mixture(counts, stacked)
    best = _mean(row_losses(total / counts.sum()), weight)
    if single.min() < best:  # several at the start, and together worse than the best of them
        counts = np.eye(len(stacked))[int(single.argmin())]
        total, best = _mixture(counts, stacked), float(single.min())
    best_counts = counts.copy()
    for _ in range(max_rounds):
        size = counts.sum() + 1
        losses = np.array(
            [
                _mean(row_losses((total + own) / size), weight) if np.isfinite(single[k]) else np.inf
                for k, own in enumerate(stacked)
            ]
        )
        chosen = int(losses.argmin())
        counts[chosen] += 1
        total = total + stacked[chosen]
        if losses[chosen] < best * (1 - tol):
            best, best_counts = losses[chosen], counts.copy()
        elif losses[chosen] > best * (1 + 1e-3) or size > 4 * best_counts.sum() + 4:
            break
    return best_counts / best_counts.sum()


def bagged_selection(
    outputs: Sequence[Array], row_losses: RowLosses, weight: Array, *, n_bags: int, seed: int = 0, **settings: Any
) -> Array:
    """Mean weights of greedy selections on bootstrap samples of the rows, which follow chance less than one selection does.

    Parameters
    ----------
    outputs, row_losses, weight
        As for :func:`greedy_selection`.
    n_bags : int
        Samples; 1 selects once, on the rows as they are.
    seed : int, default=0
    **settings
        Of :func:`greedy_selection`.

    Returns
    -------
    weights : float64 array of shape (n_models,)

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004, section 2.3; there it is
    the models that are drawn, here the rows.

    Examples
    --------
    >>> target = np.array([0.0, 1.0, 2.0, 3.0])
    >>> bagged_selection([target, -target], lambda own: (own - target) ** 2, np.ones(4), n_bags=5)
    array([1., 0.])
    """
    if n_bags == 1:
        return greedy_selection(outputs, row_losses, weight, **settings)
    rng = np.random.default_rng(seed)
    chances = np.full(len(weight), 1 / len(weight))
    drawn = [weight * rng.multinomial(len(weight), chances) for _ in range(n_bags)]
    return np.asarray(np.mean([greedy_selection(outputs, row_losses, own, **settings) for own in drawn], axis=0))


def cross_fitted_outputs(
    outputs: Sequence[Array], row_losses_of: Callable[[Array], RowLosses], weight: Array, parts: Array, **settings: Any
) -> Array:
    """Outputs [n, ...] of an ensemble whose weights, for every row, were chosen on the other parts of the rows.

    So its loss is that of rows that chose nothing, which is what may be reported.

    Parameters
    ----------
    outputs : sequence of n_models arrays of shape (n, ...)
        Out-of-fold outputs.
    row_losses_of : callable
        Rows (int array) to the losses of outputs of these rows.
    weight : array of shape (n,)
    parts : int array of shape (n,)
        Part of every row, such as its fold; groups and times as in the outer split.
    **settings
        Of :func:`greedy_selection`.
    """
    stacked = [np.asarray(own, dtype=np.float64) for own in outputs]
    mixed = np.full_like(stacked[0], np.nan)
    for part in np.unique(parts):
        held, chosen = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        weights = greedy_selection([own[chosen] for own in stacked], row_losses_of(chosen), weight[chosen], **settings)
        mixed[held] = _mixture(weights, [own[held] for own in stacked])
    return mixed


def _mixture(shares: Array, outputs: Sequence[Array]) -> Array:
    used = [share * own for share, own in zip(shares, outputs, strict=True) if share]
    return np.asarray(np.sum(used, axis=0))


def _mean(losses: Array, weight: Array) -> float:
    seen = ~np.isnan(losses) & (weight > 0)
    return float(np.average(losses[seen], weights=weight[seen])) if seen.any() else float("nan")
