"""What all multi-task estimators do alike: read inputs and labels, predict, score."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from polytask.data import TableArrays, TableCodec, to_pandas
from polytask.estimators._labels import (
    LabelTable,
    check_same_length,
    check_same_tasks,
    declared_tasks,
    encode_labels_of,
    is_frame,
    label_array_of,
    label_frame,
    read_labels,
    task_slices,
)
from polytask.estimators._nested_params import nested_params, with_nested_param
from polytask.estimators._output_frames import check_container, framed
from polytask.exceptions import DataError, OptionError, PolytaskWarning
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def _has_probabilities(estimator: "MultiTaskEstimator") -> bool:
    """Whether any task has classes or tags, as far as can be known."""
    tasks = getattr(estimator, "tasks_", None) or declared_tasks(estimator.tasks) or ["to be inferred"]
    return any(getattr(task, "estimator_type", "classifier") == "classifier" for task in tasks)


class MultiTaskEstimator(BaseEstimator, ABC):
    """Interface of the estimators of this room; a subclass has a parameter ``tasks``, ``fit`` and ``_outputs``.

    After ``fit``: ``tasks_`` (fitted tasks), ``codec_`` (how inputs become arrays), ``n_features_in_``.
    """

    tasks: Any
    tasks_: list[FittedTask]
    codec_: TableCodec
    _defaults: ClassVar[Mapping[str, Callable[[], Any]]] = {}  # what stands for parameters that are None
    _by_name: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}  # what makes an object of parameters that are names

    @abstractmethod
    def fit(self, X: Any, y: Any, *, sample_weight: Any = None, groups: Any = None) -> Self:
        """Learn all tasks.

        Parameters
        ----------
        X : table or array of shape (n_samples, n_features)
        y : array of shape (n_samples,) or (n_samples, n_tasks), Series or DataFrame
            A missing label is NaN or None and costs nothing but itself.
        sample_weight : array of shape (n_samples,) or (n_samples, n_tasks), optional
        groups : array of shape (n_samples,), optional
            Rows of one group are not divided by inner splits.
        """

    @abstractmethod
    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""

    def outputs(self, X: Any, *, known: Any = None) -> dict[str, Array]:
        """Outputs in natural scale: means [n] for numbers, probabilities [n, n_classes] for classes, per task name.

        Parameters
        ----------
        X : table or array of shape (n_samples, n_features)
        known : None
            Tasks known at prediction time; this estimator cannot use them and says so.
        """
        check_is_fitted(self, "tasks_")
        if known is not None:
            raise OptionError(f"{type(self).__name__} cannot condition on known tasks; leave `known` out.")
        return self._outputs(self._coded_inputs(X))

    def predict(self, X: Any, *, known: Any = None) -> Any:
        """Predict the labels of all tasks.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_label_columns), or a frame
            In the form of the ``y`` that was fitted; a frame is of the kind of ``X`` and has its index. See :meth:`set_output`.
        """
        outputs = self.outputs(X, known=known)
        columns = {name: values for task in self.tasks_ for name, values in task.decode(outputs[task.name]).items()}
        if self.form_ == "frame" or self._container != "default":
            return framed(X, columns, container=self._container)
        return next(iter(columns.values())) if self.form_ == "vector" else label_array_of(columns)

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any, *, known: Any = None) -> dict[str, Any]:
        """Probabilities of every task that has classes or tags.

        Returns
        -------
        probabilities : dict of task name to array of shape (n_samples, n_classes)
            Frames, with classes as columns, where ``y`` was a frame.
        """
        outputs = self.outputs(X, known=known)
        named = {task.name: (task, outputs[task.name]) for task in self.tasks_ if len(task.labels)}
        if self.form_ != "frame" and self._container == "default":
            return {name: values for name, (_, values) in named.items()}
        return {
            name: framed(X, {str(label): values[:, k] for k, label in enumerate(task.labels)}, container=self._container)
            for name, (task, values) in named.items()
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, with those inside of dicts of estimators: ``estimator__regressor__alpha``."""
        found: dict[str, Any] = super().get_params(deep=deep)
        if deep:
            for name, value in super().get_params(deep=False).items():
                if isinstance(value, Mapping):
                    found.update(nested_params(name, value))
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those inside of dicts of estimators, and of what None or a name stands for (``encoder__width``).

        Raises
        ------
        OptionError
            If a parameter is None, nothing stands for it, and one inside of it is set.
        """
        own = super().get_params(deep=False)
        for path in params:
            name, inside_of, rest = path.partition("__")
            if not inside_of or name not in own or name in params:
                continue
            if own[name] is None or (isinstance(own[name], str) and name in self._by_name):
                own[name] = self._default_of(name, rest) if own[name] is None else self._by_name[name](own[name])
                setattr(self, name, own[name])
        dicts = {name: value for name, value in (own | params).items() if isinstance(value, Mapping)}
        inside = {path: given for path, given in params.items() if "__" in path and path.partition("__")[0] in dicts}
        super().set_params(**{name: given for name, given in params.items() if name not in inside})
        for path, given in inside.items():
            name, _, rest = path.partition("__")
            owner = f"`{name}` of {type(self).__name__}"
            setattr(self, name, with_nested_param(getattr(self, name), rest, given, owner=owner))
        return self

    def _default_of(self, name: str, inner: str) -> Any:
        """What stands for a parameter that is None."""
        if name not in self._defaults:
            raise OptionError(
                f"`{name}` of {type(self).__name__} is None, so `{name}__{inner}` is nothing to set. "
                f"Set `{name}` first, to an object that has `{inner}`."
            )
        return self._defaults[name]()

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what ``predict`` and ``predict_proba`` give, in the words of scikit-learn; ``clone`` keeps the choice.

        The setting of :func:`sklearn.set_config` is for transformers only and changes nothing here.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            ``"default"``: the form of the ``y`` that was fitted. Otherwise always a frame of that kind, of pandas with the index
            of ``X``. None changes nothing.
        """
        if transform is not None:
            check_container(transform)
            self._sklearn_output_config = {"transform": transform}
        return self

    @property
    def _container(self) -> str:
        return getattr(self, "_sklearn_output_config", {}).get("transform", "default")

    def score(self, X: Any, y: Any, *, sample_weight: Any = None) -> float:
        """Mean skill over the tasks with labels in ``y``: 1 - error / error of the constant of the training rows; 1 is best.

        Parameters
        ----------
        X, y : as in ``fit``
        sample_weight : array of shape (n_samples,) or (n_samples, n_tasks), optional
        """
        target = encode_labels_of(y, self.tasks_)
        outputs, slices = self.outputs(X), task_slices(self.tasks_)
        skills = []
        weight = _score_weight(sample_weight, len(target), len(self.tasks_))
        for k, task in enumerate(self.tasks_):
            own = target[:, slices[task.name]]
            error = _mean(task.row_losses(outputs[task.name], own), weight[:, k])
            constant = _mean(task.row_losses(task.constant_outputs(len(own)), own), weight[:, k])
            if np.isfinite(error) and constant > 0 and task.labels_vary(own, weight[:, k]):
                skills.append(1 - error / constant)
        if not skills:
            raise DataError(
                "No task has a score: the observed labels of every task in y are all alike. Pass rows with labels that differ."
            )
        return float(np.mean(skills))

    def _read_inputs(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Inputs as a frame; numpy arrays get the checks of scikit-learn."""
        if issparse(X) or not is_frame(X):
            array = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype=None, ensure_min_samples=1)
            return to_pandas(array)
        frame = to_pandas(X)
        if reset:
            self.n_features_in_ = frame.shape[1]
            self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        if not len(frame):
            raise DataError(f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required. Pass rows.")
        return frame

    def _coded_inputs(self, X: Any) -> TableArrays:
        """Inputs of ``predict`` as arrays; an array of numbers needs no frame in between."""
        if not is_frame(X) and not issparse(X) and self.codec_.is_numeric and not hasattr(self, "feature_names_in_"):
            array = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=None, ensure_min_samples=1)
            if array.dtype.kind in "iufb":
                return self.codec_.transform_array(array)
        return self.codec_.transform(self._read_inputs(X, reset=False))

    def _row_getter(self, X: Any) -> Callable[[Array], Any]:
        """Choose rows of X: a frame gives a frame, anything else an array."""
        frame = self._read_inputs(X, reset=False)
        if hasattr(self, "feature_names_in_"):
            return lambda rows: frame.iloc[rows]
        array = np.asarray(X)
        return lambda rows: array[rows]

    def _read_training_data(self, X: Any, y: Any, *, classes: Any = None) -> tuple[TableArrays, LabelTable]:
        """Read X and y of ``fit``; sets ``codec_`` and ``form_``."""
        frame = self._read_inputs(X, reset=True)
        if len(frame) < 2:
            raise DataError(f"{type(self).__name__} cannot learn from 1 sample; n_samples = 1. Pass at least 2 rows.")
        labels = read_labels(y, self.tasks, classes=classes)
        check_same_length(len(frame), len(labels.target))
        is_array = not hasattr(self, "feature_names_in_")
        numeric = frame.dtypes.map(pd.api.types.is_numeric_dtype).all()
        kinds = dict.fromkeys(frame.columns, "numeric") if is_array and numeric else {}
        self.codec_ = TableCodec.fit(frame, kinds=kinds | dict(getattr(self, "column_kinds", None) or {}))
        self.form_ = labels.form
        return self.codec_.transform(frame), labels

    def _read_more_data(self, X: Any, y: Any) -> tuple[TableArrays, LabelTable]:
        """Read X and y in the way that is fitted: columns, categories and classes stay; what does not fit in is told.

        Raises
        ------
        DataError
            If an input column is missing, or a label is of a class that is not known.
        OptionError
            If ``tasks`` was changed since.
        """
        frame = self._read_inputs(X, reset=False)
        check_same_tasks(self.tasks, y, self.tasks_)
        labels, form = label_frame(y, self.tasks_)
        check_same_length(len(frame), len(labels))
        target = np.concatenate([task.encode(labels) for task in self.tasks_], axis=1)
        arrays = self.codec_.transform(frame)
        for note in arrays.notes:
            warnings.warn(note, PolytaskWarning, stacklevel=3)
        return arrays, LabelTable(self.tasks_, target, form, dict.fromkeys((task.name for task in self.tasks_), "fitted before"))

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        declared = declared_tasks(self.tasks)
        n_columns = sum(len(getattr(task, "columns", (task,))) for task in declared or ())
        tags.target_tags.multi_output = declared is None or n_columns > 1
        tags.target_tags.single_output = declared is None or n_columns == 1
        return tags


def _score_weight(sample_weight: Any, n: int, n_tasks: int) -> Array:
    """Weights [n, n_tasks] of a score."""
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape not in ((n,), (n, n_tasks)):
        raise OptionError(f"`sample_weight` must be ({n},) or ({n}, {n_tasks}) (rows, tasks); got {weight.shape}.")
    return np.broadcast_to(weight[:, None], (n, n_tasks)) if weight.ndim == 1 else weight


def _mean(losses: Array, weight: Array) -> float:
    seen = ~np.isnan(losses) & (weight > 0)
    return float(np.average(losses[seen], weights=weight[seen])) if seen.any() else float("nan")
