"""The words that name targets: ``price``, ``grade:ordinal=low<middle<high``, ``y_*``, ``tags=y_*:multilabel``, ``log(price)``."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from polytask.exceptions import TargetError
from polytask.tasks._column_names import is_pattern, match, nearest, some
from polytask.tasks._derived import EXPANDED, Derived
from polytask.tasks._derived_fit import fit_derived
from polytask.tasks._derived_parse import parse_derived, unknown_expression
from polytask.tasks._infer import KINDS

_ORDERED = ":ordinal="


@dataclass(frozen=True)
class TargetSpec:
    """One task as the user named it.

    Parameters
    ----------
    name : str
        Name of the task.
    columns : tuple of str
        Its target columns, in the order of the table; more than one only for a multilabel task.
    kind : str or None
        One of :data:`polytask.tasks.KINDS`, or None where it is to be inferred from the column.
    order : tuple of str, default=()
        Classes of an ordinal task from lowest to highest, where the user gives them.
    derived : Derived, optional
        The function that makes the one target column from a column of the table; see :func:`derived_targets`.
    """

    name: str
    columns: tuple[str, ...]
    kind: str | None = None
    order: tuple[str, ...] = ()
    derived: Derived | None = field(default=None, repr=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the table that hold its labels, or from which they are made."""
        return self.columns if self.derived is None else (self.derived.source,)


def parse_targets(specs: Sequence[str], columns: Sequence[str]) -> list[TargetSpec]:
    """Read the targets a user names, against the columns of the table.

    A spec is, in this order: the exact name of a column (even one with ``:``, ``=`` or ``*`` in it); ``NAME:KIND``, split at the
    last colon; a pattern with ``*``, ``?`` or ``[...]`` that names every column it matches, each a task of its own (or all of
    one kind: ``y_*:binary``). ``NAME=COLUMNS:multilabel`` makes one task of several 0/1 columns, given as a pattern or as
    names with commas between. ``NAME:ordinal=low<middle<high`` gives the order of classes; where none of their names has a comma,
    ``low,middle,high`` says the same and needs no quotes in a shell.

    Targets can be made from a column, each a task of its own: ``num>0 as presence`` (also ``>= < <= == !=``; the name may be
    left out), ``log(price)``, ``log1p(visits)``, ``sqrt(area)``, ``bins(age, 30, 60) as age_group`` (ordered),
    ``quantiles(price, 4)``, ``onehot(city)`` (a task per class, ``city=Oslo``), ``split(tags, "|")`` (per tag of a list or text).
    A ``:KIND`` may follow.

    Parameters
    ----------
    specs : sequence of str
        At least one.
    columns : sequence of str
        Column names of the table.

    Returns
    -------
    targets : list of TargetSpec
        In the order of ``specs``, the columns of a pattern in the order of the table.

    Raises
    ------
    TargetError
        If no target is given, a name or pattern matches nothing, a kind or function is unknown, an order has fewer than two
        classes or one of them twice, or one column or name is used twice.

    Examples
    --------
    >>> for target in parse_targets(["price", "grade:ordinal=low<middle<high"], ["id", "price", "grade"]):
    ...     print(target)
    TargetSpec(name='price', columns=('price',), kind=None, order=())
    TargetSpec(name='grade', columns=('grade',), kind='ordinal', order=('low', 'middle', 'high'))
    >>> parse_targets(["tags=y_*:multilabel"], ["id", "y_red", "y_blue"])
    [TargetSpec(name='tags', columns=('y_red', 'y_blue'), kind='multilabel', order=())]
    >>> [(made.name, made.kind, made.sources) for made in parse_targets(["num>0 as presence", "log(age)"], ["num", "age"])]
    [('presence', 'binary', ('num',)), ('log(age)', 'regression', ('age',))]
    """
    if isinstance(specs, str):
        specs = [specs]
    if not specs:
        raise TargetError(f"No target is given: name at least one column to learn (--target NAME); columns are {some(columns)}.")
    found = [(spec, target) for spec in specs for target in _parse_one(spec, list(columns))]
    _check_used_once(found)
    return [target for _, target in found]


def derived_targets(target: TargetSpec, frame: pd.DataFrame, *, counted: Any = None) -> list[TargetSpec]:
    """Fit the function of a derived target to its labels; any other target is given back as it is.

    Parameters
    ----------
    target : TargetSpec
    frame : DataFrame of shape (n, any)
    counted : bool array of shape (n,), optional
        Rows whose labels say where quantiles lie; all by default.

    Returns
    -------
    targets : list of TargetSpec
        Several of ``onehot`` and ``split``, one per class or tag.

    Raises
    ------
    TargetError, UnlearnableError
        See :func:`fit_derived`; and if the name of a part is a column already.

    Examples
    --------
    >>> frame = pd.DataFrame({"city": ["Oslo", "Bergen", "Oslo"]})
    >>> [part.name for part in derived_targets(parse_targets(["onehot(city)"], ["city"])[0], frame)]
    ['city=Bergen', 'city=Oslo']
    """
    if target.derived is None:
        return [target]
    parts = fit_derived(target.derived, frame[target.derived.source], counted=counted)
    is_ordinal = target.kind == "ordinal"
    found = [TargetSpec(p.name, (p.name,), target.kind, p.order if is_ordinal else (), p) for p in parts]
    taken = next((part.name for part in parts if part.name in frame.columns), None)
    if taken is not None:
        raise TargetError(
            f"The name {taken!r} that {target.derived.text!r} makes is a column of the table already. Give another: "
            f"'{target.derived.text} as NAME'."
        )
    return found


def _parse_one(spec: str, columns: list[str]) -> list[TargetSpec]:
    if spec in columns:
        return [TargetSpec(spec, (spec,))]
    head, is_ordered, order = spec.partition(_ORDERED)
    if is_ordered:
        return _with_order(spec, head, order, columns)
    if (made := parse_derived(spec, columns)) is not None:
        return [TargetSpec(derived.name, (derived.name,), kind, derived=derived) for derived, kind in made]
    head, colon, kind = spec.rpartition(":")
    if colon and kind in KINDS:
        return _with_kind(spec, head, kind, columns)
    if matches := match(spec, columns):
        return [TargetSpec(column, (column,)) for column in matches]
    if colon and _means_columns(head, columns):
        guess = nearest(kind.partition("=")[0], KINDS)
        hint = f" Did you mean {guess[0]!r}?" if guess else ""
        raise TargetError(f"Target {spec!r} has the unknown kind {kind!r}; the kinds are {', '.join(KINDS)}.{hint}")
    name, equals, right = spec.partition("=")
    if equals and name and _group(right, columns):
        raise TargetError(f"Target {spec!r} makes one task of several columns, so it needs a kind: write '{spec}:multilabel'.")
    raise unknown_expression(spec, columns) or _not_found(spec, spec, columns)


def _with_kind(spec: str, head: str, kind: str, columns: list[str]) -> list[TargetSpec]:
    if head in columns:
        return [TargetSpec(head, (head,), kind)]
    if matches := match(head, columns):
        if kind == "multilabel":
            raise TargetError(
                f"Target {spec!r} makes one task of {len(matches)} columns, so the task needs a name: write 'NAME={spec}'."
            )
        return [TargetSpec(column, (column,), kind) for column in matches]
    name, equals, right = head.partition("=")
    if not (equals and name):
        raise unknown_expression(spec, columns) or _not_found(spec, head, columns)
    if kind != "multilabel":
        raise TargetError(
            f"Target {spec!r} must be of kind multilabel; got {kind!r}. Only 'NAME=COLUMNS:multilabel' takes a name."
        )
    labels = _group(right, columns)
    if not labels:
        raise _not_found(spec, right, columns)
    return [TargetSpec(name, tuple(labels), kind)]


def _with_order(spec: str, head: str, order: str, columns: list[str]) -> list[TargetSpec]:
    classes = tuple(name.strip() for name in order.split("<" if "<" in order else ","))
    if len(classes) < 2 or not all(classes) or len(set(classes)) < len(classes):
        raise TargetError(
            f"Target {spec!r} must name every class once, from lowest to highest; got {order!r}. "
            f"Write '{head}{_ORDERED}LOWEST<...<HIGHEST'."
        )
    return [replace(target, order=classes) for target in _with_kind(spec, head, "ordinal", columns)]


def _group(text: str, columns: list[str]) -> list[str]:
    """Columns of ``text``: one name, a pattern, or several of both with commas between; empty if one of them matches nothing."""
    if text in columns:
        return [text]
    if matches := match(text, columns):
        return matches
    parts = [part.strip() for part in text.split(",")]
    groups = [[part] if part in columns else match(part, columns) for part in parts]
    if len(parts) < 2 or not all(groups):
        return []
    return list(dict.fromkeys(column for group in groups for column in group))


def _means_columns(head: str, columns: list[str]) -> bool:
    if head in columns or match(head, columns):
        return True
    name, equals, right = head.partition("=")
    return bool(equals and name and _group(right, columns))


def _not_found(spec: str, name: str, columns: list[str]) -> TargetError:
    of = "" if spec == name else f" of target {spec!r}"
    if is_pattern(name) and "," not in name:
        return TargetError(f"The pattern {name!r}{of} matches no column; columns are {some(columns)}.")
    missing = [part.strip() for part in name.split(",")] if of and "," in name else [name]
    unknown = next((part for part in missing if part not in columns and not match(part, columns)), name)
    close = nearest(unknown, columns) or nearest(unknown.rpartition(":")[0], columns)
    what = f"The column {unknown!r}{of}" if of else f"Target {unknown!r}"
    hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Columns are {some(columns)}."
    return TargetError(f"{what} is not in the table. {hint}")


def _check_used_once(found: list[tuple[str, TargetSpec]]) -> None:
    column_of: dict[str, str] = {}
    for spec, target in found:
        for column in () if target.derived is not None else target.columns:  # many tasks may be made from one column
            if column in column_of:
                raise TargetError(
                    f"Column {column!r} is in two targets, {column_of[column]!r} and {spec!r}; a column can be in one task only."
                )
            column_of[column] = spec
    names: dict[str, str] = {}
    for spec, target in found:
        if target.derived is not None and target.derived.function in EXPANDED[1:]:
            continue  # this name is only the beginning of the names of its parts
        if target.name in names:
            raise TargetError(f"Two tasks are named {target.name!r}, of {names[target.name]!r} and {spec!r}. Rename one of them.")
        names[target.name] = spec
