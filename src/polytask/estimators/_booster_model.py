"""A LightGBM model read from its text, in the manner of the estimator that was fitted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from lightgbm import Booster, LGBMModel

Array = np.ndarray[Any, np.dtype[Any]]

_EARLY_STOP = ("pred_early_stop", "pred_early_stop_freq", "pred_early_stop_margin")


class BoosterModel:
    """Predictions of a booster, equal to the bit to those of the LGBMRegressor or LGBMClassifier that it was.

    Parameters
    ----------
    booster : Booster
    classes : sequence of int, optional
        Codes of the classes, in order; None for a regressor.
    prediction : mapping
        What :func:`prediction_settings` gave.
    """

    def __init__(self, booster: Booster, *, classes: Any, prediction: Mapping[str, Any]) -> None:
        self.booster_ = booster
        self.prediction = dict(prediction)
        if classes is not None:
            self.classes_ = np.asarray(classes, dtype=np.int64)

    def predict(self, X: Array) -> Array:
        """Means (n,) of a regressor; the classifier's part is :meth:`predict_proba`."""
        return np.asarray(self.booster_.predict(X, **self.prediction))

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""
        found = self.predict(X)
        return found if found.ndim == 2 else np.vstack((1.0 - found, found)).transpose()


def prediction_settings(model: LGBMModel) -> dict[str, Any]:
    """Those of an estimator's parameters that its predictions depend on, and its threads.

    >>> from lightgbm import LGBMRegressor
    >>> prediction_settings(LGBMRegressor(n_jobs=1))
    {'num_threads': 1}
    """
    parameters = model.get_params()
    stops = {name: parameters[name] for name in _EARLY_STOP if name in parameters}
    return {"num_threads": max(model.n_jobs or 0, 0), **stops}  # 0 is LightGBM's own choice
