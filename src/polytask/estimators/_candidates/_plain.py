"""Estimators whose fitted state is numbers, so that a model folder can hold it without a word of pickle."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

Array = np.ndarray[Any, np.dtype[Any]]


class PlainModel(BaseEstimator):
    """An estimator of this room, fitted by what its library offers and kept as numbers.

    Parameters are JSON. ``fit(X, y, sample_weight=None, groups=None, times=None)`` follows groups and times in its inner splits.

    Attributes
    ----------
    state_ : dict of str to array
        All that predictions need besides ``models_``.
    models_ : dict of str to estimator
        Fitted estimators of scikit-learn or LightGBM, kept in their own formats; mostly none.
    """

    takes_missing: ClassVar[bool] = False
    state_: dict[str, Array]
    models_: dict[str, Any]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.takes_missing
        return tags


class PlainRegressor(RegressorMixin, PlainModel):
    """A :class:`PlainModel` of numbers."""


class PlainClassifier(ClassifierMixin, PlainModel, ABC):
    """A :class:`PlainModel` of classes; ``state_["classes"]`` are their codes."""

    @property
    def classes_(self) -> Array:
        """Codes of the classes seen, ascending."""
        return self.state_["classes"]

    @abstractmethod
    def predict_proba(self, X: Array) -> Array:
        """Probabilities (n, n_classes)."""

    def predict(self, X: Array) -> Array:
        """Most probable code (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
