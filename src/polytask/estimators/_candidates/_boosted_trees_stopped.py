"""Boosted trees of LightGBM that end when held-out rows gain no more."""

import time
from typing import Any, ClassVar

import lightgbm
import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._plain import PlainClassifier, PlainRegressor

Array = np.ndarray[Any, np.dtype[Any]]

SEVERAL_FOLDS = 3000  # below it, one holdout is too noisy to stop by
_SHARED = {
    "subsample": 0.8,
    "subsample_freq": 1,
    "reg_lambda": 1.0,
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


def boosted_trees_stopped(
    *,
    variant: str = "small",
    n_estimators: int = 3000,
    patience: int = 60,
    time_limit: float | None = None,
    random_state: int = 0,
) -> dict[str, Any]:
    """LightGBM, its rounds chosen by early stopping on rows held out inside the training rows, then fitted on all of them.

    Held-out rows follow groups and times. With fewer than 3,000 rows the rounds are the geometric mean over four
    folds, so that one fold which never ends does not decide.

    Parameters
    ----------
    variant : {"small", "large", "fine", "extra"}, default="small"
        Trees of 15 leaves; of 63; of 15 with 3 rows in a leaf instead of 10, for functions with little noise; of 31 with
        thresholds drawn at random (extra trees), for much noise.
    n_estimators : int, default=3000
        Most rounds.
    patience : int, default=60
        Rounds without a gain after which it stops.
    time_limit : float, optional
        Seconds of one fit; with it, numbers depend on the machine.

    Examples
    --------
    >>> boosted_trees_stopped()["counter"].objective
    'poisson'
    """
    settings: dict[str, Any] = {"variant": variant, "n_estimators": n_estimators, "patience": patience}
    settings |= {"time_limit": time_limit, "random_state": random_state}
    return {
        "regressor": StoppedRegressor(**settings),
        "classifier": StoppedClassifier(**settings),
        "counter": StoppedRegressor(objective="poisson", **settings),
    }


VARIANTS: dict[str, dict[str, Any]] = {
    "small": {"num_leaves": 15, "min_child_samples": 10, "colsample_bytree": 0.8, "learning_rate": 0.05},
    "large": {"num_leaves": 63, "min_child_samples": 20, "colsample_bytree": 0.6, "learning_rate": 0.03},
    "fine": {"num_leaves": 15, "min_child_samples": 3, "colsample_bytree": 0.8, "learning_rate": 0.05},
    "extra": {
        "num_leaves": 31,
        "min_child_samples": 5,
        "colsample_bytree": 0.9,
        "learning_rate": 0.05,
        "extra_trees": True,
    },
}


class StoppedRegressor(PlainRegressor):
    """LightGBM for numbers; see :func:`boosted_trees_stopped`."""

    takes_missing: ClassVar[bool] = True

    def __init__(
        self,
        *,
        variant: str = "small",
        objective: str = "regression",
        alpha: float = 0.9,
        n_estimators: int = 3000,
        patience: int = 60,
        time_limit: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.variant = variant
        self.objective = objective
        self.alpha = alpha
        self.n_estimators = n_estimators
        self.patience = patience
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "StoppedRegressor":
        """Find the number of rounds and fit on all rows."""
        settings: dict[str, Any] = {"objective": self.objective, "alpha": self.alpha}
        model = stopped(LGBMRegressor(**settings), self, X, y, sample_weight, groups, times)
        self.models_, self.state_ = {"booster": model}, {"n_rounds": np.asarray(model.n_estimators)}
        return self

    def predict(self, X: Array) -> Array:
        """Numbers (n,)."""
        return np.asarray(self.models_["booster"].predict(X))


class StoppedClassifier(PlainClassifier):
    """LightGBM for classes; see :func:`boosted_trees_stopped`."""

    takes_missing: ClassVar[bool] = True

    def __init__(
        self,
        *,
        variant: str = "small",
        n_estimators: int = 3000,
        patience: int = 60,
        time_limit: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.variant = variant
        self.n_estimators = n_estimators
        self.patience = patience
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "StoppedClassifier":
        """Find the number of rounds and fit on all rows."""
        classes, codes = np.unique(y, return_inverse=True)
        model = stopped(LGBMClassifier(), self, X, codes, sample_weight, groups, times)
        self.models_ = {"booster": model}
        self.state_ = {"classes": classes, "n_rounds": np.asarray(model.n_estimators)}
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""
        return np.asarray(self.models_["booster"].predict_proba(X))


def stopped(model: Any, shell: Any, X: Array, y: Array, weight: Any, groups: Any, times: Any) -> Any:
    """Fit ``model`` on all rows with the rounds at which it was best on held-out rows, on average."""
    started = time.monotonic()
    model.set_params(**_SHARED, **VARIANTS[shell.variant], random_state=shell.random_state, n_estimators=shell.n_estimators)
    n_splits = 4 if len(y) < SEVERAL_FOLDS else 1
    splits = inner_splits(y, n_splits=max(n_splits, 5 if n_splits == 1 else 4), groups=groups, times=times)[:n_splits]
    splits = [(train, held) for train, held in splits if isinstance(model, LGBMRegressor) or np.isin(y[held], y[train]).all()]
    rounds, until = [], np.inf
    for k, (train, held) in enumerate(splits):
        if (
            shell.time_limit is not None
        ):  # half of the time for the folds, each an equal share of what is left; half for the last fit
            until = time.monotonic() + (0.5 * shell.time_limit - (time.monotonic() - started)) / (len(splits) - k)
        rounds.append(_best_round(model, shell.patience, X, y, weight, train, held, until))
    n_rounds = max(1, round(float(np.exp(np.mean(np.log(rounds)))))) if rounds else 100
    last = model.set_params(n_estimators=n_rounds)
    until = np.inf if shell.time_limit is None else started + shell.time_limit
    callbacks = [_Clock(until)] if np.isfinite(until) else None
    return last.fit(X, y, sample_weight=weight, callbacks=callbacks)


def _best_round(model: Any, patience: int, X: Array, y: Array, weight: Any, train: Array, held: Array, until: float) -> int:
    own = clone(model)
    judged = {"eval_X": X[held], "eval_y": y[held]} if has_fit_parameter(own, "eval_X") else {"eval_set": [(X[held], y[held])]}
    callbacks: list[Any] = [lightgbm.early_stopping(patience, verbose=False)]
    if np.isfinite(until):
        callbacks.insert(0, _Clock(until))
    own.fit(
        X[train],
        y[train],
        sample_weight=None if weight is None else weight[train],
        eval_sample_weight=None if weight is None else [weight[held]],
        callbacks=callbacks,
        **judged,
    )
    return int(own.best_iteration_ or own.n_estimators)


class _Clock:
    """A callback that ends boosting when the time is over."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.order = 40  # after LightGBM's own early stopping has seen the round
        self.before_iteration = False

    def __call__(self, env: Any) -> None:
        if time.monotonic() > self.until:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])
