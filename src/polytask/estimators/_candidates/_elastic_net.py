"""Elastic net."""

from typing import Any

import numpy as np
from sklearn.linear_model import ElasticNetCV

from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._linear_models import LogisticByFolds, quietly
from polytask.estimators._candidates._plain import PlainRegressor

Array = np.ndarray[Any, np.dtype[Any]]

L1_RATIO = 0.5


def elastic_net() -> dict[str, Any]:
    """Linear models that leave columns out; the penalty, half of it of absolute values, is chosen on held-out rows.

    >>> elastic_net()["classifier"]
    LogisticByFolds(l1_ratio=0.5)
    """
    return {"regressor": ElasticNetByFolds(), "classifier": LogisticByFolds(l1_ratio=L1_RATIO)}


class ElasticNetByFolds(PlainRegressor):
    """Elastic net; its path of penalties is judged by folds that follow groups and times."""

    def __init__(self, *, l1_ratio: float = L1_RATIO, n_folds: int = 5) -> None:
        self.l1_ratio = l1_ratio
        self.n_folds = n_folds

    def fit(self, X: Array, y: Array, sample_weight: Any = None, groups: Any = None, times: Any = None) -> "ElasticNetByFolds":
        """Choose by squared error and fit on all rows."""
        splits = inner_splits(y, n_splits=self.n_folds, groups=groups, times=times)
        self.models_: dict[str, Any] = {}
        mean, scale = np.average(y, weights=sample_weight), y.std()  # of numbers, the squared penalty depends on their unit
        self.state_ = {"coef": np.zeros(X.shape[1]), "offset": np.asarray(mean)}
        if splits:  # without, the mean: there is nothing to choose by
            model = ElasticNetCV(l1_ratio=self.l1_ratio, cv=splits, alphas=30, max_iter=1000, tol=1e-3)
            quietly(model.fit, X, (y - mean) / scale, sample_weight=sample_weight)
            self.state_ = {"coef": scale * model.coef_, "offset": np.asarray(mean + scale * model.intercept_)}
        return self

    def predict(self, X: Array) -> Array:
        """Numbers (n,)."""
        return np.asarray(X @ self.state_["coef"] + self.state_["offset"])
