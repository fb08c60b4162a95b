"""Support vector machines with a Gaussian kernel."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC, SVR

from polytask.estimators._candidates._by_folds import FAMILIES, FoldedClassifier, FoldedRegressor

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 2048  # rows whose kernel is held at a time


def kernel_svm() -> dict[str, Any]:
    """Support vector machines with a Gaussian kernel; C and its width chosen by folds. For up to 10,000 rows.

    >>> kernel_svm()["classifier"]
    FoldedClassifier(family='kernel_svm', n_folds=3)
    """
    return {"regressor": FoldedRegressor("kernel_svm", n_folds=3), "classifier": FoldedClassifier("kernel_svm", n_folds=3)}


class KernelMachine:
    """One against rest by libsvm, kept as support vectors and their coefficients: nothing of libsvm is needed to predict."""

    takes_missing = False
    calibrated_numbers = True

    def settings(self, n_rows: int, n_columns: int, *, classes: bool) -> Sequence[Mapping[str, float]]:
        """C, and the kernel's gamma by the number of columns, which are standardized."""
        return [{"C": C, "gamma": gamma / n_columns} for gamma in (0.3, 1.0) for C in (1.0, 10.0, 100.0)]

    def fit(self, X: Array, target: Array, weight: Array, setting: Mapping[str, float], *, classes: bool) -> dict[str, Array]:
        """Support vectors of any column of the target, and coefficients [n_vectors, D]."""
        coef, offset = np.zeros((len(X), target.shape[1])), np.zeros(target.shape[1])
        for k, own in enumerate(target.T):
            if np.ptp(own) == 0:
                offset[k] = own[0]
                continue
            shared = {"C": setting["C"], "gamma": setting["gamma"], "cache_size": 500, "max_iter": 200_000}
            model = SVC(**shared) if classes else SVR(epsilon=0.1, **shared)
            model.fit(X, own, sample_weight=weight)
            coef[model.support_, k], offset[k] = model.dual_coef_[0], model.intercept_[0]
        used = np.flatnonzero(coef.any(axis=1))
        return {"vectors": X[used], "coef": coef[used], "offset": offset, "gamma": np.asarray(setting["gamma"])}

    def decide(self, state: dict[str, Array], X: Array) -> Array:
        """Signed distances in the kernel's space."""
        found = np.tile(state["offset"], (len(X), 1))
        if len(state["vectors"]):
            for start in range(0, len(X), _BLOCK):
                own = slice(start, start + _BLOCK)
                found[own] += rbf_kernel(X[own], state["vectors"], gamma=float(state["gamma"])) @ state["coef"]
        return found


FAMILIES["kernel_svm"] = KernelMachine()
