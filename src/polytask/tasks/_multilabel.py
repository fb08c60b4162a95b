"""Multilabel: any number of tags, in columns of 0 and 1 or in one column of lists."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from polytask._lists import holds_lists, read_lists
from polytask.exceptions import PolytaskWarning, TargetError
from polytask.metrics import (
    HAMMING_LOSS,
    MULTILABEL_LOG_LOSS,
    RANKING_LOSS,
    ROC_AUC_PER_LABEL,
    Metric,
    row_multilabel_log_loss,
)
from polytask.tasks._calibration import fit_calibration, with_calibration
from polytask.tasks._labels import as_number, column_of, numbers_of, one_value_error, smoothed_prior
from polytask.tasks._task import FittedTask, Task

Array = np.ndarray[Any, np.dtype[Any]]

MAX_TAGS = 500  # of a column of lists the most frequent are learned


@dataclass(frozen=True)
class FittedMultilabel(FittedTask):
    """A fitted :class:`Multilabel`; natural outputs are the probability of every tag, [n, n_labels].

    Attributes
    ----------
    tags : tuple of str, int or float
        Of a column of lists: its tags, in order; empty where every tag has a column of its own.
    separator : str or None
        What stands between tags where lists came as text, "json" for lists of JSON.
    """

    tags: tuple[Any, ...] = ()
    separator: str | None = None

    kind: ClassVar[str] = "multilabel"
    estimator_type: ClassVar[str] = "classifier"
    skill_metric: ClassVar[str] = "multilabel_log_loss"
    metrics: ClassVar[tuple[Metric, ...]] = (ROC_AUC_PER_LABEL, RANKING_LOSS, HAMMING_LOSS, MULTILABEL_LOG_LOSS)
    diagnostics: ClassVar[tuple[str, ...]] = ("tags", "tag_calibration")

    @property
    def n_targets(self) -> int:  # type: ignore[override]
        return len(self.labels)

    @property
    def n_outputs(self) -> int:
        return len(self.labels)

    @property
    def labels(self) -> tuple[Any, ...]:
        return self.tags or self.columns

    def encode(self, y: pd.DataFrame) -> Array:
        return self._indicators(y)[0] if self.tags else _tags(y, self.name, self.columns)

    def without_unseen(self, y: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        return y, (self._indicators(y)[1] if self.tags else 0)  # a tag that is not known leaves the other tags of its list

    def _indicators(self, y: pd.DataFrame) -> tuple[Array, int]:
        """0/1 of every tag, [n, n_labels], and how many tags of lists are not known."""
        cells = read_lists(column_of(y, self.columns[0], task=self.name), separator=self.separator, task=self.name)
        found, unknown = cells.indicators(self.tags)
        return found, int(np.isin(cells.tags, [cells.labels.index(label) for label in unknown]).sum())

    def _told_few(self, count: int, target: Array) -> str:
        return f"{count} row{'' if count == 1 else 's'} with other tags than most"

    def with_statistics(self, target: Array, weight: Array) -> Self:
        priors = [smoothed_prior(target[:, k], weight[:, k], 2)[1] for k in range(self.n_targets)]
        return self._with(prior=[float(p) for p in priors])

    def strata(self, target: Array, *, n_bins: int = 5) -> Array:
        missing = np.isnan(target).any(axis=1, keepdims=True)
        return np.concatenate([target == 1, missing] if missing.any() else [target == 1], axis=1)

    def label_losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.loss.binary(outputs, target)

    def batch_losses(self, outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        if not self.has_batch_loss:
            return super().batch_losses(outputs, target, weight)
        target, weight = target.expand(outputs.shape), weight.expand(outputs.shape)
        value, defined = self.loss.of_labels(outputs, target, weight)
        return value.expand(outputs.shape), weight * defined

    def label_errors(self, outputs: Tensor, target: Tensor) -> Tensor:
        if self.loss.is_log_loss or self.loss.calibration:
            return self.label_losses(outputs, target)
        one = self.loss.tag_probabilities(outputs)
        return -torch.where(target == 1, one, 1 - one).clamp(min=1e-7).log()

    def constant_raw(self) -> Array:
        pairs = [self.loss.fitted_probabilities(np.array([1 - p, p])) for p in self.statistics["prior"]]
        return np.array([np.log(yes / no) for no, yes in pairs])

    def link(self, outputs: Tensor) -> Tensor:
        return self.loss.tag_probabilities(with_calibration(outputs.double(), self.statistics.get("calibration")))

    def calibrated(self, outputs: Array, target: Array, weight: Array) -> Self:
        if not self.needs_calibration:
            return self
        found = fit_calibration(outputs, target, weight, prior=self.statistics["prior"], kind=self.loss.calibration)
        return replace(self, statistics={**self.statistics, "calibration": found})

    def constant_outputs(self, n: int) -> Array:
        return np.tile(np.asarray(self.statistics["prior"]), (n, 1))

    @property
    def n_codes(self) -> int:
        return 2

    def join(self, columns: Sequence[Array]) -> Array:
        return np.stack([probabilities[:, 1] for probabilities in columns], axis=1)

    def row_losses(self, outputs: Array, target: Array) -> Array:
        return row_multilabel_log_loss(target, outputs)

    def _scored(self, target: Array) -> Array:
        return target  # one tag too stays a column

    def decode(self, outputs: Array) -> dict[str, Array]:
        chosen = outputs > 0.5
        if not self.tags:
            return {column: chosen[:, k].astype(np.int64) for k, column in enumerate(self.columns)}
        lists = np.empty(len(chosen), dtype=object)
        for row, own in enumerate(chosen):
            lists[row] = [self.tags[k] for k in np.flatnonzero(own)]
        return {self.columns[0]: lists}

    def decode_table(self, outputs: Array) -> dict[str, Array]:
        columns = self.decode(outputs)
        if self.tags:
            (column, lists), mark = next(iter(columns.items())), self._separator_of_table()
            texts = [_written(own, mark) for own in lists]
            shares = {f"{column}:p({tag})": outputs[:, k] for k, tag in enumerate(self.tags)}
            return {column: np.array(texts, dtype=object)} | shares
        return {name: value for k, c in enumerate(self.columns) for name, value in ((c, columns[c]), (f"{c}:p", outputs[:, k]))}

    def _separator_of_table(self) -> str:
        """What stands between predicted tags: as in training, or a bar; JSON where a tag has it in its name."""
        mark = self.separator or "|"
        return "json" if any(mark in str(tag) for tag in self.tags) else mark


@dataclass(frozen=True)
class Multilabel(Task):
    """Multilabel: several 0/1 columns, or one column of lists, learned as one task.

    Of 0/1 columns a single missing tag costs only that tag. Lists are Python lists, tuples or arrays, or texts such as ``a|b``,
    ``a;b``, ``a,b`` and ``["a", "b"]``; an empty list (``[]``) has no tag, and None is not labelled.

    >>> y = pd.DataFrame({"y_a": [0, 1, None], "y_b": [1, 0, 1]})
    >>> Multilabel("tags", ("y_a", "y_b")).fit(y).n_outputs
    2
    >>> y = pd.DataFrame({"genres": ["Comedy|Drama", "[]", None, "Drama"]})
    >>> task = Multilabel("genres").fit(y)
    >>> task.labels, task.encode(y).tolist()
    (('Comedy', 'Drama'), [[1.0, 1.0], [0.0, 0.0], [nan, nan], [0.0, 1.0]])
    """

    kind: ClassVar[str] = "multilabel"
    estimator_type: ClassVar[str] = "classifier"

    def fit(self, y: pd.DataFrame) -> FittedMultilabel:
        """See :meth:`Task.fit`."""
        if len(self.columns) == 1 and _is_of_lists(column_of(y, self.columns[0], task=self.name)):
            return self._fit_lists(y)
        tags = _tags(y, self.name, self.columns)
        seen = tags[~np.isnan(tags)]
        if not len(seen):
            raise one_value_error(self.name, "all its labels are missing")
        if (seen == seen[0]).all():
            raise one_value_error(self.name, f"all its labels are {seen[0]:g}")
        return FittedMultilabel(self.name, self.columns, loss=self.loss, own_metrics=self.metrics)

    def _fit_lists(self, y: pd.DataFrame) -> FittedMultilabel:
        cells = read_lists(y[self.columns[0]], task=self.name)
        if cells.missing.all():
            raise one_value_error(self.name, "all its labels are missing")
        n_rows = np.bincount(cells.tags, minlength=len(cells.labels))
        learned = [label for label, n in zip(cells.labels, n_rows, strict=True) if n < (~cells.missing).sum()]
        if not learned:
            raise one_value_error(self.name, "every list has the same tags" if cells.labels else "no list has a tag")
        if len(cells.labels) > MAX_TAGS:
            most = np.lexsort((np.array([str(label) for label in cells.labels]), -n_rows))[:MAX_TAGS]
            rest = int(n_rows.sum() - n_rows[most].sum())
            told = f"Task {self.name!r} has {len(cells.labels)} tags; the {MAX_TAGS} most frequent are learned, {rest} left out."
            warnings.warn(told, PolytaskWarning, stacklevel=4)
            labels = [cells.labels[k] for k in most]
        else:
            labels = cells.labels
        tags = sorted(labels, key=_order)
        return FittedMultilabel(
            self.name, self.columns, tags=tuple(tags), separator=cells.separator, loss=self.loss, own_metrics=self.metrics
        )


def _written(tags: list[Any], separator: str) -> str:
    """Tags as one text; no tag is the empty list of JSON, since an empty text is a missing label."""
    return json.dumps(tags, ensure_ascii=False) if separator == "json" or not tags else separator.join(map(str, tags))


def _order(label: Any) -> tuple[bool, float, str]:
    """Numbers by size, then texts by the alphabet."""
    number = as_number(label)
    return number is None, 0.0 if number is None else number, str(label)


def _is_of_lists(column: pd.Series) -> bool:
    """Whether a column holds lists, or texts that are not all 0 and 1."""
    if holds_lists(column):
        return True
    texts = [value for value in column.dropna().unique() if isinstance(value, str)] if not _is_numeric(column) else []
    return any(text.strip() not in ("0", "1", "0.0", "1.0") for text in texts)


def _is_numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype))


def _tags(y: pd.DataFrame, name: str, columns: tuple[str, ...]) -> Array:
    tags = np.stack([numbers_of(column_of(y, c, task=name), task=name) for c in columns], axis=1)
    bad = tags[~np.isnan(tags) & (tags != 0) & (tags != 1)]
    if len(bad):
        raise TargetError(f"Task {name!r} of kind multilabel needs columns of 0 and 1; got {bad[0]:g}.")
    return tags
