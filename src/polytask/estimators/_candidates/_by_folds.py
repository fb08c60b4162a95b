"""The shell of families that choose a setting by folds, and calibrate with the same held-out decisions."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from polytask.estimators._candidates._calibration import fit_probabilities, fit_shrinkage, shrunk, to_probabilities
from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._plain import PlainClassifier, PlainRegressor

Array = np.ndarray[Any, np.dtype[Any]]
State = dict[str, Array]

MOST_ROWS = 3000  # rows that choose and calibrate; more of them change little and cost much
LEAST = 1e-7  # of a probability in a loss


class Family(Protocol):
    """A way to learn: functions of arrays, no state but what ``fit`` gives.

    ``target`` is [n, D]: a number, or -1 and 1 per class (one column where there are two classes).
    """

    takes_missing: bool
    calibrated_numbers: bool

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """What to choose from, the simplest first; the first is taken where nothing can be held out."""
        ...

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> State:
        """Learn; arrays only."""
        ...

    def decide(self, state: State, X: Array) -> Array:
        """Decisions [n, D]."""
        ...


FAMILIES: dict[str, Family] = {}


class FoldedRegressor(PlainRegressor):
    """A family for numbers.

    Parameters
    ----------
    family : str
        A name in ``FAMILIES``.
    n_folds : int, default=5
    """

    def __init__(self, family: str, *, n_folds: int = 5) -> None:
        self.family = family
        self.n_folds = n_folds

    @property
    def takes_missing(self) -> bool:  # type: ignore[override]
        return FAMILIES[self.family].takes_missing

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "FoldedRegressor":
        """Choose a setting by squared error of held-out rows and fit it on all rows."""
        family, weight = FAMILIES[self.family], _ones(sample_weight, len(y))
        center, scale = np.average(y, weights=weight), y.std() or 1.0
        target = ((y - center) / scale)[:, None]
        settings = family.settings(*X.shape, classes=False)
        best, shrinkage = settings[0], {"slope": np.asarray(1.0), "center": np.asarray(0.0)}
        if len(settings) > 1 or family.calibrated_numbers or groups is not None or times is not None:
            rows, held = _held_out(family, settings, X, target, weight, y, self.n_folds, groups, times, classes=False)
            if len(rows):
                own, own_weight = target[rows, 0], weight[rows]
                found = [fit_shrinkage(decisions[:, 0], own, own_weight) for decisions in held]
                losses = [
                    np.average((shrunk(decisions[:, 0], state) - own) ** 2, weights=own_weight)
                    for decisions, state in zip(held, found, strict=True)
                ]
                k = int(np.argmin(losses))
                best, shrinkage = settings[k], found[k]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # held-out rows have judged what this many steps give
            fitted = family.fit(X, target, weight, best, classes=False)
        self.setting_ = dict(best)
        self.state_ = {"scale": np.asarray(scale), "offset": np.asarray(center), **shrinkage, **_prefixed(fitted)}
        self.models_: dict[str, Any] = {}
        return self

    def predict(self, X: Array) -> Array:
        """Numbers (n,)."""
        decisions = FAMILIES[self.family].decide(_own(self.state_), X)[:, 0]
        return np.asarray(self.state_["offset"] + self.state_["scale"] * shrunk(decisions, self.state_))


class FoldedClassifier(PlainClassifier):
    """A family for classes: one against rest, then logistic regression on decisions of held-out rows.

    Parameters
    ----------
    family : str
        A name in ``FAMILIES``.
    n_folds : int, default=5
    """

    def __init__(self, family: str, *, n_folds: int = 5) -> None:
        self.family = family
        self.n_folds = n_folds

    @property
    def takes_missing(self) -> bool:  # type: ignore[override]
        return FAMILIES[self.family].takes_missing

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "FoldedClassifier":
        """Choose a setting by log loss of held-out rows and fit it on all rows."""
        family, weight = FAMILIES[self.family], _ones(sample_weight, len(y))
        classes, codes = np.unique(y, return_inverse=True)
        target = 2.0 * (codes[:, None] == np.arange(len(classes))) - 1
        target = target[:, 1:] if len(classes) == 2 else target
        settings = family.settings(*X.shape, classes=True)
        rows, held = _held_out(family, settings, X, target, weight, codes, self.n_folds, groups, times, classes=True)
        if len(rows) and len(np.unique(codes[rows])) > 1:
            found = [fit_probabilities(own, codes[rows], weight[rows], n_classes=len(classes)) for own in held]
            losses = [
                -np.average(
                    np.log(np.maximum(to_probabilities(own, state)[np.arange(len(rows)), codes[rows]], LEAST)),
                    weights=weight[rows],
                )
                for own, state in zip(held, found, strict=True)
            ]
            k = int(np.argmin(losses))
            best, calibration = settings[k], found[k]
        else:  # nothing can be held out: a class's share of the training rows, whatever the inputs
            share = np.bincount(codes, weight) / weight.sum()
            best = settings[0]
            calibration = {"slopes": np.zeros((len(classes), target.shape[1])), "offsets": np.log(np.maximum(share, LEAST))}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # held-out rows have judged what this many steps give
            fitted = family.fit(X, target, weight, best, classes=True)
        self.setting_ = dict(best)
        self.state_ = {"classes": classes, **calibration, **_prefixed(fitted)}
        self.models_: dict[str, Any] = {}
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""
        return to_probabilities(FAMILIES[self.family].decide(_own(self.state_), X), self.state_)


def _held_out(
    family: Family,
    settings: Sequence[Mapping[str, float]],
    X: Array,
    target: Array,
    weight: Array,
    y: Array,
    n_folds: int,
    groups: Any,
    times: Any,
    *,
    classes: bool,
) -> tuple[Array, list[Array]]:
    """Rows that were held out, and their decisions by every setting."""
    pool = np.sort(np.random.default_rng(0).permutation(len(y))[:MOST_ROWS])
    groups = None if groups is None else np.asarray(groups)[pool]
    splits = inner_splits(y[pool], n_splits=n_folds, groups=groups, times=None if times is None else times.of_rows(pool))
    if not splits:
        return np.empty(0, dtype=np.int64), []
    held: list[list[Array]] = [[] for _ in settings]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for train, test in splits:
            rows = pool[train]
            for k, setting in enumerate(settings):
                state = family.fit(X[rows], target[rows], weight[rows], setting, classes=classes)
                held[k].append(family.decide(state, X[pool[test]]))
    return pool[np.concatenate([test for _, test in splits])], [np.concatenate(own) for own in held]


def _ones(weight: Any, n: int) -> Array:
    return np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)


def _prefixed(state: State) -> State:
    return {f"family.{name}": values for name, values in state.items()}


def _own(state: State) -> State:
    return {name.removeprefix("family."): values for name, values in state.items() if name.startswith("family.")}
