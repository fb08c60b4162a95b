"""Linear support vector machines."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.svm import LinearSVC, LinearSVR

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]


def linear_svm() -> dict[str, Any]:
    """Linear support vector machines: squared hinge, or squared errors beyond a tenth of a deviation; C chosen by folds.

    >>> linear_svm()["regressor"]
    FoldedRegressor(family='linear_svm')
    """
    return {"regressor": FoldedRegressor("linear_svm"), "classifier": FoldedClassifier("linear_svm")}


class LinearSVM:
    """In the primal (Fan et al., "LIBLINEAR", JMLR 2008), which has one solution whatever the seed."""

    takes_missing = False
    calibrated_numbers = True

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """Penalties, per row, so that they mean the same for many rows and few."""
        return [{"C": C / n_rows} for C in (1.0, 0.1, 10.0, 100.0, 1000.0)]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Slopes and offsets per column of the target."""
        coef, offset = np.zeros((target.shape[1], X.shape[1])), np.zeros(target.shape[1])
        for k, own in enumerate(target.T):
            if np.ptp(own) == 0:
                offset[k] = own[0]
                continue
            shared = {
                "C": setting["C"],
                "dual": False,
                "random_state": 0,
                "max_iter": 200,
                "tol": 1e-3,
                "intercept_scaling": 10.0,
            }
            if classes:
                model = LinearSVC(loss="squared_hinge", **shared)
            else:
                model = LinearSVR(loss="squared_epsilon_insensitive", epsilon=0.1, **shared)
            model.fit(X, own, sample_weight=weight)
            coef[k], offset[k] = model.coef_.ravel(), np.ravel(model.intercept_)[0]
        return {"coef": coef, "offset": offset}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Signed distances."""
        return np.asarray(X @ state["coef"].T + state["offset"])


FAMILIES["linear_svm"] = LinearSVM()
