"""Separate models of other kinds, with defaults that hold up on small tables."""

from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, RidgeCV

ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)


def linear_models() -> dict[str, Any]:
    """Ridge (its penalty chosen by leave-one-out), logistic and Poisson regression, for :class:`PerTaskEstimator`.

    >>> sorted(linear_models())
    ['classifier', 'counter', 'regressor']
    """
    return {
        "regressor": RidgeCV(alphas=ALPHAS),
        "classifier": LogisticRegression(C=0.1, max_iter=500),
        "counter": PoissonRegressor(alpha=0.1, max_iter=500),
    }


def boosted_trees(*, n_estimators: int = 120, learning_rate: float = 0.05, random_state: int = 0) -> dict[str, Any]:
    """LightGBM with small trees, for :class:`PerTaskEstimator`.

    >>> boosted_trees()["counter"].objective
    'poisson'
    """
    settings: dict[str, Any] = {
        "n_estimators": n_estimators,
        "learning_rate": learning_rate,
        "num_leaves": 15,
        "min_child_samples": 10,
        "subsample": 0.8,
        "subsample_freq": 1,
        "colsample_bytree": 0.8,
        "reg_lambda": 1.0,
        "n_jobs": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "random_state": random_state,
    }
    return {
        "regressor": LGBMRegressor(**settings),
        "classifier": LGBMClassifier(**settings),
        "counter": LGBMRegressor(objective="poisson", **settings),
    }
