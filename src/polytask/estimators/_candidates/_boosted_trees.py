"""Boosted trees of LightGBM, with a number of rounds given."""

from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor


def boosted_trees(*, n_estimators: int = 120, learning_rate: float = 0.05, random_state: int = 0) -> dict[str, Any]:
    """LightGBM with small trees and a fixed number of rounds, for :class:`PerTaskEstimator`.

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
