"""Estimators to model folders and back."""

from collections.abc import Collection
from typing import Any

from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._estimator_from_parts import estimator_from_parts
from polytask.estimators._estimator_parts import estimator_parts, kind_of
from polytask.storage import read_folder, write_folder


def save_estimator(model: MultiTaskEstimator, path: Any, *, overwrite: bool = False, classes: Collection[type] = ()) -> None:
    """Save a fitted estimator as a model folder; :func:`load_estimator` or ``polytask.load`` reads it. No pickle in it.

    Parameters
    ----------
    model : MultiTaskNetwork, PerTaskEstimator, BestPerTask or an ensemble of this room
        Networks become JSON and safetensors, LightGBM its native text, other scikit-learn models skops files of types that are
        in polytask's list.
    path : path
    overwrite : bool, default=False
        Replace a polytask model that is there.
    classes : collection of type
        scikit-learn classes beyond the list, your own for example; they must be given again at load.

    Raises
    ------
    ModelFolderError
        If a model in it cannot be held by a folder, or the path is taken or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from polytask.estimators import PerTaskEstimator
    >>> X = np.random.default_rng(0).normal(size=(20, 2))
    >>> model = PerTaskEstimator(Ridge()).fit(X, X @ [[1.0, 0.5], [0.0, 2.0]])
    >>> path = tempfile.mkdtemp() + "/model"
    >>> save_estimator(model, path)
    >>> bool((load_estimator(path).predict(X) == model.predict(X)).all())
    True
    """
    write_folder(path, estimator_parts(model, classes=list(classes)), kind=kind_of(model), overwrite=overwrite)


def load_estimator(
    path: Any, *, classes: Collection[type] = (), losses: Collection[Any] = (), metrics: Collection[Any] = ()
) -> Any:
    """Load a folder of :func:`save_estimator`; runs no code from it.

    Parameters
    ----------
    path : path
    classes : collection of type
        Your own classes, of modules and of scikit-learn estimators.
    losses : collection of callable
        Your own loss functions; the folder holds their names only.
    metrics : collection of Metric
        Your own metrics, of :func:`~polytask.metrics.make_metric`.

    Raises
    ------
    ModelFolderError
        If it is not such a folder, damaged, or from a newer version.
    """
    return estimator_from_parts(read_folder(path), classes=[*classes, *losses, *metrics])
