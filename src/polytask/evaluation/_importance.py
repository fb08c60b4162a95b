"""Permutation importance: what a task loses if a column of the user's table tells it nothing any more."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import has_fit_parameter

from polytask.data import TableArrays, TableCodec, did_you_mean, to_pandas
from polytask.estimators import LabelTable, MultiTaskEstimator, MultiTaskNetwork, encode_labels_of, label_weights, read_labels
from polytask.evaluation._columns_alike import ALIKE, MOST_COLUMNS, MOST_ROWS, alike_groups, associations
from polytask.evaluation._donated_columns import CodedRows, FrameRows
from polytask.evaluation._folds import FoldPlan, plan_folds, reserved_rows
from polytask.evaluation._importance_inputs import check_rows, check_settings, chosen_tasks, group_codes, sampled_rows
from polytask.evaluation._importance_of_models import HeldOutRows, measure
from polytask.evaluation._out_of_fold import declared_of, row_getter
from polytask.evaluation._rule import SplitRule, holds_for, read_rule
from polytask.evaluation._time_blocks import time_blocks
from polytask.exceptions import OptionError, PolytaskWarning
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT, VERSION = "polytask.importance", 1


@dataclass(frozen=True)
class Importance:
    """The result of :func:`permutation_importance` and :func:`out_of_fold_importance`.

    Attributes
    ----------
    result : dict
        Plain JSON; kept in a fit or a comparison under ``importance``, where the report draws it.
    """

    result: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return self.result

    def to_frame(self) -> pd.DataFrame:
        """One row per task and column, the most important first: importance in skill, its interval, whether it matters."""
        keys = ("importance", "low", "high", "p_adjusted", "matters", "verdict")
        rows = [
            {"task": task, "column": entry["name"], **{key: entry.get(key) for key in keys}}
            for task, own in self.result["tasks"].items()
            for entry in sorted(own["columns"], key=_by_importance)
        ]
        return pd.DataFrame(rows, columns=["task", "column", *keys])


def permutation_importance(
    model: Any,
    X: Any,
    y: Any,
    *,
    tasks: Sequence[str] | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    n_repeats: int = 5,
    max_rows: int | None = 5_000,
    columns: Sequence[str] | None = None,
    grouped: bool | Sequence[Sequence[str]] = False,
    confidence: float = 0.95,
    random_state: int = 0,
    on_column: Callable[[int, int], None] | None = None,
) -> Importance:
    """Measure per task how much skill a fitted model loses on new rows if a raw column's values are those of other rows.

    A column of the table is permuted as a whole, before it becomes numbers: a text, a list, a date or a category counts as one
    column. Importance is (error with the column permuted - error) / error of the constant of the training rows, in units of
    skill: 0.05 is 5 points of skill lost. Errors are those that skill is made of, so a declared loss counts. It says what *this
    model* makes of a column; another one may read the same from a column that goes along with it (see ``grouped``).

    Parameters
    ----------
    model : fitted multi-task estimator
        With ``tasks_`` and ``outputs``; it must not have seen the rows.
    X, y : as in ``score`` of the estimator
    tasks : sequence of str, optional
        Names of some tasks; all by default.
    groups : array of shape (n_samples,), optional
        Rows of one group count as one in intervals, and never lend values to each other where that can be had.
    sample_weight : array of shape (n_samples,) or (n_samples, n_tasks), optional
        Of the losses; every row lends its values alike.
    n_repeats : int, default=5
        Permutations of each column; the chance in them is counted in the intervals.
    max_rows : int or None, default=5,000
        More labelled rows are drawn at random; None takes all.
    columns : sequence of str, optional
        Raw columns to permute; all that are learned from by default. The numbers of one do not depend on the others.
    grouped : bool or sequence of sequences of str, default=False
        True permutes columns together that carry nearly the same (every two of them associated by 0.8 or more: rank correlation,
        or Cramér's V where one is a category); such columns hide each other if each is permuted alone. Or groups of your own.
    confidence : float, default=0.95
        Of the intervals; adjusted for the number of columns of a task (Holm), as is ``matters``.
    random_state : int, default=0
    on_column : callable, optional
        Called with columns done and columns in all.

    Returns
    -------
    importance : Importance
        ``to_dict()["tasks"][name]["columns"]`` is a list of dicts: ``name``, ``importance``, ``low``, ``high``, ``p_adjusted``,
        ``matters``, ``verdict`` ("matters", "misleads": better without, "undecided", "unused", "undefined") and more; ``mean`` is
        the same for the mean over tasks; ``alike`` lists columns that carry nearly the same.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    DataError, OptionError
        If rows are too few, a name is not known, or a setting cannot be used.

    References
    ----------
    Breiman, "Random Forests", Machine Learning 45, 2001. Fisher, Rudin & Dominici, "All Models are Wrong, but Many are Useful",
    JMLR 20(177), 2019 (model reliance: permutations without fixed points estimate a U-statistic). Molnar, "Interpretable Machine
    Learning", 3rd edition, 2025, chapter "Permutation feature importance" (rows not seen; correlated columns).

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from polytask.estimators import PerTaskEstimator
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = X[:, 0] + 0.2 * rng.normal(size=200)
    >>> model = PerTaskEstimator(Ridge()).fit(X[:100], y[:100])
    >>> importance = permutation_importance(model, X[100:], y[100:])
    >>> importance.to_frame()[["column", "matters"]].to_dict("list")
    {'column': ['x0', 'x1', 'x2'], 'matters': [True, False, False]}
    """
    check_settings(n_repeats, max_rows, confidence, random_state)
    if not hasattr(model, "outputs"):
        raise OptionError(f"`model` must be a multi-task estimator with `outputs`; got {type(model).__name__}.")
    if not hasattr(model, "tasks_"):
        raise NotFittedError(f"This {type(model).__name__} is not fitted yet; call `fit` first.")
    own = chosen_tasks(model.tasks_, tasks)
    target = encode_labels_of(y, model.tasks_)
    labels = LabelTable(list(model.tasks_), target, "matrix", {})
    weight = label_weights(sample_weight, labels, every_task=False)
    check_rows(X, len(target))
    codes = group_codes(groups, len(target))
    rows = sampled_rows([np.arange(len(target))], labels, weight, own, max_rows, random_state)[0]
    getter = row_getter(X)
    part = held_out_rows(model, getter(X, rows), rows)
    about = {"rows": "new", "holds_for": "this model, on new rows drawn like these"}
    return importance_of(
        [part], labels, weight, own, units=codes, groups=codes, n_repeats=n_repeats, columns=columns, grouped=grouped,
        confidence=confidence, random_state=random_state, on_column=on_column, about=about,
    )  # fmt: skip


def out_of_fold_importance(
    estimator: MultiTaskEstimator,
    X: Any,
    y: Any,
    cv: Any = 5,
    *,
    repeats: int = 1,
    tasks: Sequence[str] | None = None,
    groups: Any = None,
    times: Any = None,
    sample_weight: Any = None,
    n_repeats: int = 5,
    max_rows: int | None = 5_000,
    columns: Sequence[str] | None = None,
    grouped: bool | Sequence[Sequence[str]] = False,
    confidence: float = 0.95,
    random_state: int = 0,
    on_column: Callable[[int, int], None] | None = None,
) -> Importance:
    """Permutation importance from one pass of fits: the model of each fold is asked about the rows that it holds out.

    Importance is pooled over all held-out rows (not a mean over folds), as skill is. Its interval counts rows, or groups, and
    what the models of the folds differ by more than their rows explain. Everything else is as in :func:`permutation_importance`.

    Parameters
    ----------
    estimator : MultiTaskEstimator
        Cloned for every fold.
    X, y : as in ``fit``
    cv, groups, times, sample_weight
        As in :func:`out_of_fold`. Where folds follow time, blocks of neighbouring times count as one in the intervals.
    repeats : int, default=1
        Of the cross-validation, with folds drawn anew.
    tasks, n_repeats, max_rows, columns, grouped, confidence, random_state, on_column
        As in :func:`permutation_importance`; ``max_rows`` is of each repeat, over all folds.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from polytask.estimators import PerTaskEstimator
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = out_of_fold_importance(PerTaskEstimator(Ridge()), X, 3 * X[:, 1], cv=4)
    >>> found.to_frame()[["column", "verdict"]].to_dict("list")["column"]
    ['x1', 'x0']
    """
    check_settings(n_repeats, max_rows, confidence, random_state)
    labels, weight = read_labels(y, estimator.tasks).weighed(sample_weight)
    n = len(weight)
    check_rows(X, n)
    own = chosen_tasks(labels.tasks, tasks)
    rule = read_rule(cv, X, n, groups=groups, times=times)
    plan = plan_folds(labels, folds=rule.folds, repeats=repeats, groups=rule.groups, seed=random_state)
    reserved = reserved_rows(None, cv, n) if isinstance(estimator, MultiTaskNetwork) else None
    label_frame, rows_of = labels.observed(y), row_getter(X)
    given = None if sample_weight is None else np.asarray(sample_weight)
    pairs, parts = plan.folds(), []
    chosen: list[Array] = []
    for r in range(len(plan.held)):
        held = [plan.held_rows(r, f) for q, f in pairs if q == r]
        chosen += sampled_rows(held, labels, weight, own, max_rows, random_state + r)
    for (repeat, fold), rows in zip(pairs, chosen, strict=True):
        if len(rows) < 2:
            continue
        train = plan.train_rows(repeat, fold)
        model = clone(estimator).set_params(tasks=declared_of(labels.tasks))
        more: dict[str, Any] = {} if reserved is None else {"reserved": reserved[train]}
        if rule.times is not None and has_fit_parameter(model, "times"):
            more["times"] = rule.times.of_rows(train)
        model.fit(
            rows_of(X, train),
            label_frame.iloc[train],
            sample_weight=None if given is None else given[train],
            groups=None if rule.groups is None else rule.groups[train],
            **more,
        )
        parts.append(held_out_rows(model, rows_of(X, rows), rows, repeat=repeat))
    if not parts:
        raise OptionError("No fold holds out two rows or more, so there is nothing to permute. Use fewer folds.")
    codes = group_codes(rule.groups, n)
    in_blocks = rule.in_time and rule.groups is None and rule.times is not None
    units = time_blocks(rule.times, plan)[0] if in_blocks else codes  # type: ignore[arg-type]
    some = np.sort(np.random.default_rng([random_state, 3]).permutation(n)[:MOST_ROWS])
    about = {
        "rows": "held-out",
        "holds_for": _holds_for(rule, plan),
        "folds": plan.n_folds,
        "repeats": len(plan.held),
        "n_folds_left_out": len(pairs) - len(parts),
    }
    return importance_of(
        parts, labels, weight, own, units=units, groups=codes, n_repeats=n_repeats, columns=columns, grouped=grouped,
        confidence=confidence, random_state=random_state, on_column=on_column, about=about,
        table=_coded(to_pandas(rows_of(X, some))),
    )  # fmt: skip


def importance_of(
    parts: Sequence[HeldOutRows],
    labels: LabelTable,
    weight: Array,
    tasks: Sequence[FittedTask],
    *,
    units: Array | None = None,
    groups: Array | None = None,
    n_repeats: int = 5,
    columns: Sequence[str] | None = None,
    grouped: bool | Sequence[Sequence[str]] = False,
    confidence: float = 0.95,
    random_state: int = 0,
    on_column: Callable[[int, int], None] | None = None,
    table: tuple[TableCodec, TableArrays] | None = None,
    about: dict[str, Any] | None = None,
) -> Importance:
    """Measure importance for models that are there already, such as those of a bagged ensemble, each on rows it has not seen.

    Parameters
    ----------
    parts : sequence of HeldOutRows
        One per model.
    labels : LabelTable
        Of the whole table.
    weight : array of shape (n, C)
        Label weights; 0 where missing.
    tasks : sequence of FittedTask
        Of which importance is wanted.
    units, groups : int arrays of shape (n,), optional
        What counts as one in the intervals, and what never lends values to itself; rows by default.
    table : TableCodec and TableArrays, optional
        Inputs in which columns that carry nearly the same are looked for; those of the first model's rows by default.
    about : dict, optional
        Plain JSON to keep in the result; ``rows`` ("new", "held-out", "validation", "test") and ``holds_for`` are shown.
    """
    used = list(dict.fromkeys(name for own in parts for name in own.inputs.columns))
    alike, told = _alike(_inputs_of(parts[0]) if table is None else table, random_state)
    together = _permuted_together(used, columns, grouped, alike)
    found = measure(
        parts,
        together,
        targets={task.name: labels.target[:, labels.slices[task.name]] for task in tasks},
        weights={task.name: weight[:, labels.slices[task.name]].max(axis=1) for task in tasks},
        units=units,
        groups=groups,
        n_repeats=n_repeats,
        confidence=confidence,
        seed=random_state,
        on_column=on_column,
    )
    for task in tasks:
        found["tasks"][task.name]["kind"] = task.kind
    kinds = column_kinds(parts)
    rows = np.unique(np.concatenate([own.rows for own in parts]))
    shared = found.pop("shared_groups")
    if shared and groups is not None:
        told.append(
            f"In {shared} of {len(parts)} sets of held-out rows, one group holds more than half of the rows: its rows lend "
            "values to each other, and a column that differs between groups only seems to matter less than it does."
        )
    return Importance(
        {
            "format": FORMAT,
            "version": VERSION,
            **(about or {}),
            "n_rows": len(rows),
            "n_groups": None if units is None else len(np.unique(units[rows])),
            "n_models": len(parts),
            "n_repeats": n_repeats,
            "confidence": confidence,
            "seed": random_state,
            "grouped": bool(grouped),
            "columns": [
                {"name": name, "columns": list(own), "kind": kinds[own[0]] if len(own) == 1 else "several"}
                for name, own in together.items()
            ],
            "alike": [{"columns": own, "association": least, "words": alike_words(own, least)} for own, least in alike],
            "notes": told,
            **found,
        }
    )


def held_out_rows(model: Any, X: Any, rows: Array, *, repeat: int = 0) -> HeldOutRows:
    """Make of a fitted multi-task estimator and its inputs of some rows what :func:`importance_of` takes."""
    nested = isinstance(getattr(model, "estimator", None), MultiTaskEstimator)  # reads tables in more than one way
    tasks = {task.name: task for task in model.tasks_}
    if isinstance(model, MultiTaskEstimator) and hasattr(model, "codec_") and not nested:
        arrays = model.codec_.transform(model._read_inputs(X, reset=False))
        return HeldOutRows(CodedRows(model._outputs, model.codec_, arrays), rows, tasks, repeat)
    frame = to_pandas(X)
    as_array = isinstance(X, np.ndarray)
    predict = (lambda own: model.outputs(own.to_numpy(dtype=X.dtype))) if as_array else model.outputs
    return HeldOutRows(FrameRows(predict, frame, tuple(frame.columns)), rows, tasks, repeat)


def alike_words(columns: Sequence[str], least: float) -> str:
    """Say in a sentence what it means that columns carry nearly the same.

    >>> alike_words(["area", "area_sqft"], 0.994)
    "'area' and 'area_sqft' carry nearly the same (association 0.99): permuted alone, each may seem to matter less than both do."
    """
    named = [repr(name) for name in columns]
    shown = named if len(named) <= 6 else [*named[:5], f"{len(named) - 5} more"]
    who = f"{', '.join(shown[:-1])} and {shown[-1]}"
    many = "each may seem to matter less than both do" if len(columns) == 2 else "each may seem to matter less than all do"
    at_least = "" if len(columns) == 2 else "at least "
    return f"{who} carry nearly the same (association {at_least}{least:.2f}): permuted alone, {many}."


def column_kinds(parts: Sequence[HeldOutRows]) -> dict[str, str]:
    """Kind of every raw column, as the first model that learns from it reads it."""
    found: dict[str, str] = {}
    for own in parts:
        known = {info.name: info.kind for info in own.inputs.codec.used} if isinstance(own.inputs, CodedRows) else {}
        for name in own.inputs.columns:
            found.setdefault(name, known.get(name, "column"))
    return found


def _holds_for(rule: SplitRule, plan: FoldPlan) -> str:
    rows = holds_for(rule, plan)
    return rows if plan.n_folds == 1 else f"the models of these folds, on {rows.partition(', and models')[0]}"


def _alike(table: tuple[TableCodec, TableArrays], seed: int) -> tuple[list[tuple[list[str], float]], list[str]]:
    """Columns that carry nearly the same, and what to tell."""
    codec, arrays = table
    if len(codec.used) > MOST_COLUMNS:
        return [], [f"Which columns carry nearly the same was not looked at: there are more than {MOST_COLUMNS:,}."]
    names, found = associations(codec, arrays, rng=np.random.default_rng([seed, 2]))
    return alike_groups(names, found, least=ALIKE), []


def _inputs_of(part: HeldOutRows) -> tuple[TableCodec, TableArrays]:
    own = part.inputs
    return (own.codec, own.arrays) if isinstance(own, CodedRows) else _coded(own.frame)


def _coded(frame: pd.DataFrame) -> tuple[TableCodec, TableArrays]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolytaskWarning)  # told by the models that read these columns
        codec = TableCodec.fit(frame)
        return codec, codec.transform(frame)


def _permuted_together(
    used: Sequence[str], columns: Sequence[str] | None, grouped: Any, alike: Sequence[tuple[list[str], float]]
) -> dict[str, tuple[str, ...]]:
    """What is permuted together, by name, in the order of the table."""
    wanted = list(used) if columns is None else [columns] if isinstance(columns, str) else [str(name) for name in columns]
    groups = [list(own) for own, _ in alike] if grouped is True else [list(map(str, own)) for own in grouped or ()]
    for name in [*wanted, *(name for own in groups for name in own if grouped is not True)]:
        if name not in used:
            raise OptionError(
                f"{name!r} is not a column that the model learns from, so it cannot be permuted.{did_you_mean(name, list(used))}"
            )
    if not wanted:
        raise OptionError("`columns` must name at least one column; got none. Leave it out for all.")
    owner: dict[str, list[str]] = {}
    for own in groups:
        for name in own:
            if name in owner:
                raise OptionError(f"`grouped` must hold every column once; {name!r} is in two groups.")
            owner[name] = own
    found: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        together = tuple(owner.get(name, [name]))
        found.setdefault(" + ".join(together), together)
    return found


def _by_importance(entry: dict[str, Any]) -> float:
    return -entry["importance"] if entry["importance"] is not None else float("inf")
