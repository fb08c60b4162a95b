"""Leakage suspects: inputs that tell a target almost perfectly alone, or that are named after one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._audit_columns import Codes, Floats, column_bins, columns_to_test
from polytask.data._audit_scores import (
    MIN_LABELS,
    MIN_PER_CLASS,
    BinSums,
    TargetColumns,
    bin_sums,
    lower_bound,
    moments,
    target_columns,
)
from polytask.data._audit_words import prediction_bins, word_columns, word_predictions, words_there
from polytask.data._columns import ColumnInfo

NUMBERS, CLASSES, ONE_CLASS = 0.9, 0.75, 0.85  # skill, lower bound, above which an input is a suspect
NAMED = 0.3  # the same for an input named after the target
DEPENDS = 0.05  # the same for "labels are missing where ..."

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_GENERAL = frozenset(
    {"a", "an", "by", "for", "has", "id", "in", "is", "n", "no", "of", "per", "the", "x", "y", "z"}
    | {"avg", "average", "count", "log", "max", "mean", "median", "min", "norm", "num", "number", "pct", "percent", "pop"}
    | {"class", "code", "flag", "indicator", "label", "name", "rate", "ratio", "scaled", "score", "share", "std", "sum"}
    | {"target", "total", "type", "value", "var"}
)  # words of names that say what was done to a column, not what it is


@dataclass(frozen=True)
class AuditTarget:
    """One target column: its task, its name, its codes or numbers (NaN missing), and its classes if it has any."""

    task: str
    name: str
    values: Floats  # [n]
    classes: tuple[Any, ...]


@dataclass(frozen=True)
class Suspect:
    """An input that may give a target away.

    Attributes
    ----------
    column, task : str
    target : str
        The target column; differs from ``task`` for a tag of a multilabel task.
    label : str or None
        The one class that is told, where only one of several is.
    skill, low : float
        Cross-fitted skill of the input alone and its lower 95 % bound, corrected for all pairs tested.
    grounds : tuple of str
        ``"score"``: it tells the target almost perfectly; ``"missing"``: so does whether it is missing; ``"name"``: it is named
        after the target, and tells of it; ``"copy"``: it is the target under another name.
    """

    column: str
    task: str
    target: str
    label: str | None
    skill: float
    low: float
    grounds: tuple[str, ...]


def leakage_suspects(
    frame: pd.DataFrame, columns: list[ColumnInfo], targets: Sequence[AuditTarget], fold: Codes, *, copies: set[tuple[str, str]]
) -> list[Suspect]:
    """Test every input alone against every target, the strongest first; ``copies`` are (input, target) known to be copies.

    An input is cut into bins (:func:`~polytask.data._audit_columns.column_bins`), the mean of a bin in four fifths of the rows
    predicts the last fifth, and the squared error is compared with that of the overall mean: skill = 1 - error / error of the
    mean. Numbers are compared by ranks, so that neither outliers nor a logarithm matter. An input that is missing for less
    than half of the labels is tested on the rows where it is there, too. Suspects have a lower bound of skill
    above 0.9 (numbers), 0.75 (classes) or 0.85 (one class of several), or above 0.3 if their name contains that of the target.
    Of free text and lists the bins are of what a ridge regression on their words or tags predicts, learned on the other folds.
    """
    told = [target for target in targets if _enough(target)]
    tested, worded = columns_to_test(frame, columns), word_columns(frame, columns)
    if not told or not (tested or worded):
        return []
    parts = target_columns([(target.values, target.classes) for target in told])
    summands, own = moments(parts.values), [np.flatnonzero(parts.owner == k) for k in range(len(told))]
    found: list[Suspect] = []
    n_tested = 2 * (len(tested) + len(worded)) * len(parts.owner)
    for info in worded:
        words = _WordsTest.of(info, frame[info.name], fold, parts, n_tested)
        found += [suspect for target, part in zip(told, own, strict=True) if (suspect := words.suspect(target, part))]
    for info in tested:
        bins = column_bins(frame[info.name], info.kind)
        sums = bin_sums(bins, fold, summands)
        test = _PairTest(info.name, bins, fold, parts, sums, _mostly_there(sums), n_tested)
        for target, part in zip(told, own, strict=True):
            suspect = test.suspect(target, part, is_copy=(info.name, target.name) in copies)
            found += [] if suspect is None else [suspect]
    return sorted(found, key=lambda suspect: -suspect.low)


@dataclass(frozen=True)
class _PairTest:
    """One input against one target after the other, on all rows and on those where the input is there."""

    column: str
    bins: Codes
    fold: Codes
    parts: TargetColumns
    sums: BinSums
    mostly_there: NDArray[np.bool_]
    n_tested: int

    @cached_property
    def _errors(self) -> list[tuple[Floats, Floats]]:
        """Sums of errors, and of the constant's, per target column: on all rows, and where the input is there."""
        both = self.sums, self.sums.where_there()
        guesses = [some.predictions() for some in both]
        return [(some.errors(own), some.errors(constant)) for some, (own, constant) in zip(both, guesses, strict=True)]

    def suspect(self, target: AuditTarget, part: Codes, *, is_copy: bool) -> Suspect | None:
        """Test against the whole target, and then against each of its classes; ``part`` are its target columns."""
        named = is_named_after(self.column, target.name)
        limit = CLASSES if target.classes else NUMBERS
        if is_copy or self._may_exceed(part, min(limit, NAMED) if named else limit):
            found = self._measured(target, part, None, limit, named=named, is_copy=is_copy)
            if found is not None:
                return found
        if len(part) == 1:
            return None
        classes = [part[k : k + 1] for k in range(len(part)) if self._may_exceed(part[k : k + 1], ONE_CLASS)]
        known = [self._measured(target, one, self.parts.labels[one[0]], ONE_CLASS) for one in classes]
        return max(filter(None, known), key=lambda suspect: suspect.low, default=None)

    def _may_exceed(self, part: Codes, limit: float) -> bool:
        (errors, base), (errors_there, base_there) = self._errors
        if errors[part].sum() < (1 - limit) * base[part].sum():
            return True
        return bool(self.mostly_there[part].all() and errors_there[part].sum() < (1 - limit) * base_there[part].sum())

    def _measured(
        self, target: AuditTarget, part: Codes, label: Any, limit: float, *, named: bool = False, is_copy: bool = False
    ) -> Suspect | None:
        values = self.parts.values[:, part]
        if label is not None and min(np.nansum(values), np.nansum(1 - values)) < MIN_PER_CLASS:
            return None
        skill, low = lower_bound(self.bins, self.fold, values, n_tested=self.n_tested)
        there = self.bins > 0
        if self.mostly_there[part].all() and not there.all():
            where_there = lower_bound(self.bins[there], self.fold[there], values[there], n_tested=self.n_tested)
            skill, low = max((skill, low), where_there, key=lambda pair: pair[1])
        low_by_missing = lower_bound(there.astype(np.int64), self.fold, values, n_tested=self.n_tested)[1]
        grounds = {"copy": is_copy, "score": low > limit, "missing": low_by_missing > limit, "name": named and low > NAMED}
        if not any(grounds.values()):
            return None
        reasons = tuple(ground for ground, holds in grounds.items() if holds)
        return Suspect(self.column, target.task, target.name, None if label is None else str(label), skill, low, reasons)


@dataclass(frozen=True)
class _WordsTest:
    """A column of free text or lists against one target after the other."""

    column: str
    predicted: Floats
    missing: NDArray[np.bool_]
    fold: Codes
    parts: TargetColumns
    n_tested: int

    @classmethod
    def of(cls, info: ColumnInfo, column: pd.Series, fold: Codes, parts: TargetColumns, n_tested: int) -> "_WordsTest":
        predicted = word_predictions(words_there(column, info), fold, parts.values)
        return cls(info.name, predicted, column.isna().to_numpy(), fold, parts, n_tested)

    def suspect(self, target: AuditTarget, part: Codes) -> Suspect | None:
        """Test against the whole target, and then against each of its classes."""
        skill, low = self._lower(part)
        by_missing = lower_bound((~self.missing).astype(np.int64), self.fold, self.parts.values[:, part], n_tested=self.n_tested)
        limit, named = CLASSES if target.classes else NUMBERS, is_named_after(self.column, target.name)
        grounds = {"score": low > limit, "missing": by_missing[1] > limit, "name": named and low > NAMED}
        if any(grounds.values()):
            reasons = tuple(ground for ground, holds in grounds.items() if holds)
            return Suspect(self.column, target.task, target.name, None, skill, low, reasons)
        if len(part) == 1:
            return None
        scores = {k: self._lower(part[k : k + 1]) for k in range(len(part)) if self._enough(part[k])}
        best = max(scores, key=lambda k: scores[k][1], default=None)
        if best is None or scores[best][1] <= ONE_CLASS:
            return None
        return Suspect(self.column, target.task, target.name, str(self.parts.labels[part[best]]), *scores[best], ("score",))

    def _lower(self, part: Codes) -> tuple[float, float]:
        bins = prediction_bins(self.predicted[:, part], self.missing)
        return lower_bound(bins, self.fold, self.parts.values[:, part], n_tested=self.n_tested)

    def _enough(self, column: Any) -> bool:
        values = self.parts.values[:, column]
        return bool(min(np.nansum(values), np.nansum(1 - values)) >= MIN_PER_CLASS)


def _mostly_there(sums: BinSums) -> NDArray[np.bool_]:
    """Whether the input is there for at least half of the labels of each target column."""
    per_bin = sums.n.sum(axis=1)
    return np.asarray(2 * per_bin[1:].sum(axis=0) >= per_bin.sum(axis=0))


@dataclass(frozen=True)
class MissingTold:
    """An input that tells of which rows a task has labels: they are not missing at random."""

    task: str
    column: str
    skill: float
    low: float


def missing_labels_told(
    frame: pd.DataFrame, columns: list[ColumnInfo], observed: dict[str, Any], fold: Codes
) -> list[MissingTold]:
    """For each task the input that tells best where its labels are missing, if one does; ``observed`` is bool [n] each."""
    partly = {
        task: seen.astype(np.float64)
        for task, seen in observed.items()
        if MIN_PER_CLASS <= seen.sum() <= len(seen) - MIN_PER_CLASS
    }
    tested = columns_to_test(frame, columns)
    if not partly or not tested:
        return []
    values = np.stack(list(partly.values()), axis=1)
    summands, skills, all_bins = moments(values), np.empty((len(tested), values.shape[1])), []
    for i, info in enumerate(tested):
        all_bins.append(column_bins(frame[info.name], info.kind))
        sums = bin_sums(all_bins[i], fold, summands)
        predicted, constant = sums.predictions()
        skills[i] = 1 - sums.errors(predicted) / sums.errors(constant)
    found = []
    for k, task in enumerate(partly):
        best = int(np.argmax(skills[:, k]))
        skill, low = lower_bound(all_bins[best], fold, values[:, k : k + 1], n_tested=skills.size)
        if low > DEPENDS:
            found.append(MissingTold(task, tested[best].name, skill, low))
    return found


def is_named_after(column: str, target: str) -> bool:
    """Whether the words of a target's name all begin words of the column's name, and are a third of them.

    General words such as "mean" or "per" do not count.

    >>> is_named_after("log_price", "price"), is_named_after("murders", "murdPerPop"), is_named_after("age", "average_price")
    (True, True, False)
    """
    words, wanted = ([word.casefold() for word in _WORD.findall(name)] for name in (column, target))
    words = [word for word in words if word not in _GENERAL]
    wanted = [word for word in wanted if word not in _GENERAL and len(word) >= 3]
    return 0 < len(wanted) >= len(words) / 3 and all(any(_begins(word, own) for own in words) for word in wanted)


def _begins(wanted: str, word: str) -> bool:
    return word == wanted or (len(wanted) >= 4 and word.startswith(wanted))


def _enough(target: AuditTarget) -> bool:
    seen = target.values[~np.isnan(target.values)]
    if len(seen) < MIN_LABELS or seen.min() == seen.max():
        return False
    if not target.classes:
        return True
    return bool(np.sort(np.bincount(seen.astype(np.int64)))[-2] >= MIN_PER_CLASS)
