"""Forests, calibrated by the rows that their trees have not seen."""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from polytask.estimators._candidates._calibration import fit_probabilities, fit_shrinkage, shrunk, to_probabilities
from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._plain import PlainClassifier, PlainRegressor

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_PER_TREE = 20_000  # of more, each tree sees as many at random; the time of a forest no longer grows with the table
N_FOLDS = 3  # of groups, and for trees that see all rows


def random_forest(*, n_estimators: int = 200, random_state: int = 0) -> dict[str, Any]:
    """Random forests; probabilities are calibrated, and numbers drawn to the mean, by what their trees say of rows not seen.

    >>> random_forest()["regressor"].kind
    'random'
    """
    return _forests("random", n_estimators, random_state)


def extra_trees(*, n_estimators: int = 200, random_state: int = 0) -> dict[str, Any]:
    """Extremely randomized trees (Geurts et al. 2006), calibrated as random forests are.

    >>> extra_trees()["classifier"].kind
    'extra'
    """
    return _forests("extra", n_estimators, random_state)


def _forests(kind: str, n_estimators: int, random_state: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"n_estimators": n_estimators, "random_state": random_state}
    return {"regressor": ForestRegressor(kind, **settings), "classifier": ForestClassifier(kind, **settings)}


class ForestRegressor(PlainRegressor):
    """A forest for numbers, drawn to the mean as held-out rows ask."""

    takes_missing: ClassVar[bool] = True

    def __init__(
        self,
        kind: str,
        *,
        n_estimators: int = 200,
        max_features: float = 0.4,
        min_samples_leaf: int = 1,
        bootstrap: bool = True,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.bootstrap = bootstrap
        self.random_state = random_state

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "ForestRegressor":
        """Grow the trees, and find how far their outputs are to be trusted."""
        make = RandomForestRegressor if self.kind == "random" else ExtraTreesRegressor
        forest, rows, outputs = _grown(self, make, X, y, sample_weight, groups, times)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        self.models_ = {"forest": forest}
        self.state_ = {"slope": np.asarray(1.0), "center": np.asarray(0.0)}
        if len(rows) > 1:
            self.state_ = fit_shrinkage(outputs, y[rows], weight[rows])
        return self

    def predict(self, X: Array) -> Array:
        """Numbers (n,)."""
        return shrunk(self.models_["forest"].predict(X), self.state_)


class ForestClassifier(PlainClassifier):
    """A forest for classes, with logistic regression on the log odds of held-out rows."""

    takes_missing: ClassVar[bool] = True

    def __init__(
        self,
        kind: str,
        *,
        n_estimators: int = 200,
        max_features: float | str = "sqrt",
        min_samples_leaf: int = 2,
        bootstrap: bool = True,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.bootstrap = bootstrap
        self.random_state = random_state

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "ForestClassifier":
        """Grow the trees and calibrate their votes."""
        make = RandomForestClassifier if self.kind == "random" else ExtraTreesClassifier
        classes, codes = np.unique(y, return_inverse=True)
        forest, rows, votes = _grown(self, make, X, codes, sample_weight, groups, times, n_classes=len(classes))
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        self.models_, self.state_ = {"forest": forest}, {"classes": classes}
        if len(rows) and len(np.unique(codes[rows])) > 1:
            odds = _log_odds(votes, self.n_estimators)
            self.state_ |= fit_probabilities(odds, codes[rows], weight[rows], n_classes=len(classes))
        else:
            share = np.bincount(codes, weight) / weight.sum()
            slopes = np.zeros((len(classes), 1 if len(classes) == 2 else len(classes)))
            self.state_ |= {"slopes": slopes, "offsets": np.log(np.maximum(share, 1e-7))}
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""
        return to_probabilities(_log_odds(self.models_["forest"].predict_proba(X), self.n_estimators), self.state_)


def _log_odds(votes: Array, n_estimators: int) -> Array:
    """Log odds [n, 1] of two classes, logarithms [n, K] of more; no vote counts as half a tree's."""
    logs = np.log(votes + 0.5 / n_estimators)
    return np.asarray(logs[:, 1:] - logs[:, :1] if votes.shape[1] == 2 else logs)


def _grown(
    shell: Any, make: Any, X: Array, y: Array, weight: Any, groups: Any, times: Any, *, n_classes: int = 0
) -> tuple[Any, Array, Array]:
    """The forest, and outputs of rows that its trees, or forests like it on other folds, have not seen."""
    settings = {"max_features": shell.max_features, "min_samples_leaf": shell.min_samples_leaf, "bootstrap": shell.bootstrap}
    settings |= {"n_estimators": shell.n_estimators, "random_state": shell.random_state, "n_jobs": 1}
    if shell.bootstrap and len(y) > ROWS_PER_TREE:
        settings["max_samples"] = ROWS_PER_TREE
    if shell.bootstrap and groups is None and times is None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores")  # they are left out below
            warnings.filterwarnings("ignore", message="invalid value encountered in divide")
            forest = make(oob_score=True, **settings).fit(X, y, sample_weight=weight)
        outputs = forest.oob_decision_function_ if n_classes else forest.oob_prediction_
        for own in ("oob_decision_function_", "oob_prediction_", "oob_score_"):  # of the training rows; no model needs them
            if hasattr(forest, own):
                delattr(forest, own)
        rows = np.flatnonzero(np.isfinite(outputs.reshape(len(y), -1)).all(axis=1) & _was_out(outputs))
        return forest, rows, outputs[rows]
    forest = make(**settings).fit(X, y, sample_weight=weight)
    parts: list[Array] = []
    held: list[Array] = []
    for train, test in inner_splits(y, n_splits=N_FOLDS, groups=groups, times=times):
        own = make(**settings).fit(X[train], y[train], sample_weight=None if weight is None else weight[train])
        parts.append(test)
        if n_classes:
            found = np.zeros((len(test), n_classes))
            found[:, own.classes_] = own.predict_proba(X[test])
            held.append(found)
        else:
            held.append(own.predict(X[test]))
    if not parts:
        return forest, np.empty(0, dtype=np.int64), np.empty(0)
    return forest, np.concatenate(parts), np.concatenate(held)


def _was_out(outputs: Array) -> Array:
    """Rows that some tree had not seen: votes of the others are 0."""
    return outputs.sum(axis=1) > 0 if outputs.ndim == 2 else np.ones(len(outputs), dtype=bool)
