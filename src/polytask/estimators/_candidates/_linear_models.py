"""Linear models whose penalty is chosen by rows that they have not seen."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeCV

from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._plain import PlainClassifier, PlainRegressor

Array = np.ndarray[Any, np.dtype[Any]]

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-1, 5, 13))  # of ridge; the columns are standardized
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of logistic regression: ascending, so that each fit starts from the one before
POISSON_ALPHAS = (10.0, 1.0, 0.1, 0.01, 0.001)
MANY_ROWS = 10_000  # from here on one holdout chooses
_NEWTON = 200  # coefficients up to which a Newton step is cheap
_LEAST = 1e-7


def linear_models() -> dict[str, Any]:
    """Ridge, logistic and Poisson regression, each penalty chosen on held-out rows, for :class:`PerTaskEstimator`.

    >>> sorted(linear_models())
    ['classifier', 'counter', 'regressor']
    """
    return {"regressor": RidgeByFolds(), "classifier": LogisticByFolds(), "counter": PoissonByFolds()}


class RidgeByFolds(PlainRegressor):
    """Ridge regression; the penalty by leaving one out, or by whole groups, or the latest rows."""

    def __init__(self, *, n_folds: int = 5) -> None:
        self.n_folds = n_folds

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "RidgeByFolds":
        """Choose by squared error and fit on all rows."""
        weight = _ones(sample_weight, len(y))
        if groups is None and times is None:
            model = RidgeCV(alphas=ALPHAS).fit(X, y, sample_weight=weight)
        else:
            splits = inner_splits(y, n_splits=self.n_folds, groups=groups, times=times)
            losses = np.zeros(len(ALPHAS))
            for train, held in splits:
                for k, alpha in enumerate(ALPHAS):
                    own = Ridge(alpha=alpha).fit(X[train], y[train], sample_weight=weight[train])
                    losses[k] += weight[held] @ (own.predict(X[held]) - y[held]) ** 2
            alpha = ALPHAS[int(losses.argmin())] if splits else 10.0
            model = Ridge(alpha=alpha).fit(X, y, sample_weight=weight)
        self.state_ = {"coef": model.coef_, "offset": np.asarray(model.intercept_)}
        self.models_: dict[str, Any] = {}
        return self

    def predict(self, X: Array) -> Array:
        """Numbers (n,)."""
        return np.asarray(X @ self.state_["coef"] + self.state_["offset"])


class LogisticByFolds(PlainClassifier):
    """Logistic regression; the penalty by log loss of held-out rows.

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=0
        Share of the penalty that is of absolute values: 0 is ridge's.
    """

    def __init__(self, *, l1_ratio: float = 0.0, n_folds: int = 5) -> None:
        self.l1_ratio = l1_ratio
        self.n_folds = n_folds

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "LogisticByFolds":
        """Choose by log loss and fit on all rows."""
        weight = _ones(sample_weight, len(y))
        classes, codes = np.unique(y, return_inverse=True)
        splits = _few_splits(codes, self.n_folds, groups, times)

        def path(rows: Array, strengths: Sequence[float]) -> list[tuple[Array, Array]]:
            return _logistic_path(X[rows], codes[rows], weight[rows], strengths, n_classes=len(classes), l1_ratio=self.l1_ratio)

        losses = np.zeros(len(STRENGTHS))
        for train, held in splits:
            for k, (coef, offset) in enumerate(path(train, STRENGTHS)):
                found = softmax(X[held] @ coef.T + offset, axis=1)[np.arange(len(held)), codes[held]]
                losses[k] -= weight[held] @ np.log(np.maximum(found, _LEAST))
        best = int(losses.argmin()) if splits else STRENGTHS.index(0.1)
        coef, offset = path(np.arange(len(y)), STRENGTHS[best : best + 1])[0]
        self.state_ = {"classes": classes, "coef": coef, "offset": offset, "strength": np.asarray(STRENGTHS[best])}
        self.models_: dict[str, Any] = {}
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""
        return np.asarray(softmax(X @ self.state_["coef"].T + self.state_["offset"], axis=1))


class PoissonByFolds(PlainRegressor):
    """Poisson regression; the penalty by deviance of held-out rows."""

    def __init__(self, *, n_folds: int = 5) -> None:
        self.n_folds = n_folds

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "PoissonByFolds":
        """Choose by deviance and fit on all rows."""
        weight = _ones(sample_weight, len(y))
        splits = [(train, held) for train, held in _few_splits(y, self.n_folds, groups, times) if y[train].sum() > 0]
        losses = np.zeros(len(POISSON_ALPHAS))
        for train, held in splits:
            for k, alpha in enumerate(POISSON_ALPHAS):
                log_mean = _log_mean(X[held], *_poisson(X[train], y[train], weight[train], alpha))
                losses[k] += weight[held] @ (np.exp(log_mean) - y[held] * log_mean)
        alpha = POISSON_ALPHAS[int(losses.argmin())] if splits else 0.1
        coef, offset = _poisson(X, y, weight, alpha)
        # beyond what was seen, a log link runs away; twice the largest count is the most we believe
        self.state_ = {"coef": coef, "offset": np.asarray(offset), "most": np.asarray(2.0 * y.max())}
        self.models_: dict[str, Any] = {}
        return self

    def predict(self, X: Array) -> Array:
        """Means (n,)."""
        log_mean = _log_mean(X, self.state_["coef"], self.state_["offset"])
        return np.minimum(np.exp(log_mean), self.state_["most"])


def _few_splits(y: Array, n_folds: int, groups: Any, times: Any) -> list[tuple[Array, Array]]:
    """Folds, or one of them where there are many rows."""
    return inner_splits(y, n_splits=n_folds, groups=groups, times=times)[: 1 if len(y) > MANY_ROWS else n_folds]


def _logistic_path(
    X: Array, codes: Array, weight: Array, strengths: Sequence[float], *, n_classes: int, l1_ratio: float
) -> list[tuple[Array, Array]]:
    """Slopes [n_classes, d] and offsets [n_classes] for each strength; a class without rows gets a small offset."""
    steps: dict[str, Any] = {"warm_start": True, "max_iter": 300, "tol": 1e-4}
    if l1_ratio:
        steps |= _elastic(l1_ratio) | {"solver": "saga", "max_iter": 60, "tol": 1e-3, "random_state": 0}
    elif X.shape[1] * (1 if n_classes == 2 else n_classes) <= _NEWTON:
        steps["solver"] = "newton-cholesky"
    model, found = LogisticRegression(**steps), []
    for strength in strengths:
        quietly(model.set_params(C=strength).fit, X, codes, sample_weight=weight)
        coef, offset = np.zeros((n_classes, X.shape[1])), np.full(n_classes, np.log(0.5 / len(codes)))
        seen = model.classes_ if len(model.classes_) > 2 else model.classes_[1:]
        offset[model.classes_] = 0.0
        coef[seen], offset[seen] = model.coef_, model.intercept_
        found.append((coef, offset))
    return found


def _elastic(l1_ratio: float) -> dict[str, Any]:
    """How an elastic net is asked for, which scikit-learn 1.8 changed."""
    old = LogisticRegression().get_params().get("penalty") == "l2"
    return {"l1_ratio": l1_ratio, "penalty": "elasticnet"} if old else {"l1_ratio": l1_ratio}


def _poisson(X: Array, y: Array, weight: Array, alpha: float) -> tuple[Array, float]:
    solver = "newton-cholesky" if X.shape[1] <= _NEWTON else "lbfgs"
    model = quietly(PoissonRegressor(alpha=alpha, max_iter=300, solver=solver).fit, X, y, sample_weight=weight)
    return model.coef_, model.intercept_


def _log_mean(X: Array, coef: Array, offset: Any) -> Array:
    return np.minimum(X @ coef + offset, 50.0)


def quietly(fit: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """Fit without a word about steps: what this many of them give is judged by held-out rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(*args, **settings)


def _ones(weight: Any, n: int) -> Array:
    return np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
