"""Label columns made from other columns: a comparison, a logarithm, bins, one class or one tag against the rest."""

import json
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd

from polytask.exceptions import ModelFolderError, TargetError
from polytask.tasks._labels import as_number, canonical_label, numbers_of

Array = np.ndarray[Any, np.dtype[Any]]

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
TRANSFORMS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], str]] = {
    "log": (np.log, lambda x: x > 0, "greater than 0"),
    "log1p": (np.log1p, lambda x: x > -1, "greater than -1"),
    "sqrt": (np.sqrt, lambda x: x >= 0, "at least 0"),
}  # function, where it is defined, and that in words
EXPANDED = ("quantiles", "onehot", "split")  # these need the labels to say what they are; see `fit_derived`
FUNCTIONS = (*TRANSFORMS, "bins", *EXPANDED)


@dataclass(frozen=True)
class Derived:
    """One label column that is a function of one column of the table.

    Parameters
    ----------
    name : str
        Of the derived column, and so of its task.
    source : str
        The column of the table.
    function : str
        A comparison (``>``, ``>=``, ``<``, ``<=``, ``==``, ``!=``), ``log``, ``log1p``, ``sqrt``, ``bins`` or ``has`` (a tag);
        before :func:`~polytask.tasks.fit_derived` also ``quantiles``, ``onehot`` and ``split``.
    arguments : tuple of str and float
        The number or class compared with, the edges of bins, a tag and its separator.

    Examples
    --------
    >>> derived = Derived("presence", "num", ">", (0.0,))
    >>> derived.derive(pd.Series([0, 2, None]))[0].tolist()
    [False, True, <NA>]
    >>> derived.to_dict()
    {'name': 'presence', 'source': 'num', 'function': '>', 'arguments': [0.0]}
    """

    name: str
    source: str
    function: str
    arguments: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """The expression in the words of the grammar.

        >>> Derived("age group", "age", "bins", (30.0, 60.0)).text
        'bins(age, 30, 60)'
        """
        shown = [written(value) for value in self.arguments]
        if self.function in COMPARISONS:
            return f"{self.source}{self.function}{shown[0]}"
        if self.function == "has":
            return f"{self.source} has {shown[0]}"
        return f"{self.function}({', '.join([self.source, *shown])})"

    @property
    def order(self) -> tuple[str, ...]:
        """Classes from lowest to highest; empty for what is not in bins."""
        return bin_names(self.arguments) if self.function == "bins" else ()

    @property
    def kind(self) -> str:
        """The kind of task it makes unless the user says another."""
        if self.function in TRANSFORMS:
            return "regression"
        return "ordinal" if self.function in ("bins", "quantiles") else "binary"

    def derive(self, column: pd.Series) -> tuple[pd.Series, Array]:
        """Make the label column.

        Parameters
        ----------
        column : Series of shape (n,)
            The source column.

        Returns
        -------
        labels : Series of shape (n,)
            True and false, numbers, or names of bins; missing where the source is.
        outside : int array
            Positions of values for which the function is not defined (the logarithm of 0); missing in ``labels``.

        Raises
        ------
        TargetError
            If the values are not of the kind that the function needs.
        """
        nothing = np.arange(0)
        if self.function in ("==", "!="):
            return self._series(_equals(column, self), column), nothing
        if self.function == "has":
            return self._series(_has_tag(column, *self.arguments), column), nothing
        numbers = numbers_of(column, task=self.name)
        seen = ~np.isnan(numbers)
        if self.function in COMPARISONS:
            found = COMPARISONS[self.function](numbers, self.arguments[0])
            return self._series(pd.arrays.BooleanArray(found, ~seen), column), nothing
        if self.function == "bins":
            names = np.array([*bin_names(self.arguments), None], dtype=object)
            codes = np.searchsorted(np.asarray(self.arguments), numbers, side="right")
            return self._series(names[np.where(seen, codes, len(names) - 1)], column), nothing
        function, is_defined, _ = TRANSFORMS[self.function]
        defined = is_defined(np.where(seen, numbers, 1.0))
        values = np.where(seen & defined, function(np.where(seen & defined, numbers, 1.0)), np.nan)
        return self._series(values, column), np.flatnonzero(~defined)

    def _series(self, values: Any, column: pd.Series) -> pd.Series:
        return pd.Series(values, index=column.index, name=self.name)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; :meth:`from_dict` reads it back, and no text in it is ever run."""
        return {"name": self.name, "source": self.source, "function": self.function, "arguments": list(self.arguments)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        ModelFolderError
            If the function is not one of this version.
        """
        known = {*COMPARISONS, *TRANSFORMS, "bins", "has"}
        if values.get("function") not in known:
            raise ModelFolderError(f"The function {values.get('function')!r} of a target is not known to this version. Upgrade.")
        return cls(values["name"], values["source"], values["function"], tuple(values["arguments"]))


def derive_labels(frame: pd.DataFrame, derived: Iterable[Derived]) -> tuple[pd.DataFrame, list[str]]:
    """Make the label columns whose sources are in the table, from any rows.

    Returns
    -------
    labels : DataFrame of shape (n, any)
        Without the columns whose sources are not in ``frame``.
    notes : list of str
        Which functions are not defined for how many values; these labels are missing.

    Examples
    --------
    >>> labels, notes = derive_labels(pd.DataFrame({"price": [1.0, 0.0]}), [Derived("log(price)", "price", "log")])
    >>> labels["log(price)"].tolist()
    [0.0, nan]
    >>> notes
    ["Target 'log(price)': 1 value of column 'price' is not greater than 0, so its label is missing."]
    """
    columns, notes = {}, []
    for one in derived:
        if one.source not in frame.columns:
            continue
        columns[one.name], outside = one.derive(frame[one.source])
        if len(outside):
            what, whose = ("1 value", "is") if len(outside) == 1 else (f"{len(outside)} values", "are")
            label = "its label is" if len(outside) == 1 else "their labels are"
            needed = f"{whose} not {TRANSFORMS[one.function][2]}"
            notes.append(f"Target {one.name!r}: {what} of column {one.source!r} {needed}, so {label} missing.")
    return pd.DataFrame(columns, index=frame.index), notes


def bin_names(edges: Iterable[float]) -> tuple[str, ...]:
    """Names of the bins between edges, each with its lower edge in it.

    >>> bin_names([30, 60])
    ('<30', '30 to <60', '>=60')
    """
    shown = [written(float(edge)) for edge in edges]
    middle = (f"{low} to <{high}" for low, high in pairwise(shown))
    return (f"<{shown[0]}", *middle, f">={shown[-1]}")


def written(value: Any) -> str:
    """A number or text as the user writes it; whole numbers without a decimal point."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def distinct_texts(column: pd.Series, *, task: str) -> tuple[Array, list[str]]:
    """Number the classes of a column: int codes [n] (-1 where missing) and their texts."""
    try:
        codes, distinct = pd.factorize(column)
    except TypeError as error:
        raise TargetError(
            f"Target {task!r} needs single values; column {column.name!r} holds lists. Write 'split({column.name})'."
        ) from error
    return np.asarray(codes), [str(canonical_label(value)) for value in distinct]


def means_class(written_class: Any, text: str) -> bool:
    """Whether a class of a column is the one that the user wrote; ``1``, ``1.0`` and ``"1"`` are one.

    >>> means_class(1.0, "1"), means_class("yes", "yes"), means_class("yes", "no")
    (True, True, False)
    """
    number = as_number(written_class)
    return text == str(written_class) or (number is not None and text == str(canonical_label(number)))


def tags_of(cell: Any, separator: str) -> list[str] | None:
    """The tags of one cell: a list, a list in JSON, or a text with a separator; None where there is no label.

    >>> tags_of("red| blue", "|"), tags_of(["red"], ""), tags_of('["red", 3]', ""), tags_of(None, "|")
    (['red', 'blue'], ['red'], ['red', '3'], None)
    """
    if isinstance(cell, list | tuple | set | frozenset | np.ndarray):
        return [str(canonical_label(tag)) for tag in cell if tag is not None and tag == tag]  # without NaN
    if not isinstance(cell, str):
        return None if pd.isna(cell) else [str(canonical_label(cell))]
    if cell.strip().startswith("[") and cell.strip().endswith("]"):
        try:
            return tags_of(json.loads(cell), separator)
        except json.JSONDecodeError:
            pass  # a tag that happens to stand in brackets
    return [tag.strip() for tag in (cell.split(separator) if separator else [cell]) if tag.strip()]


def _equals(column: pd.Series, derived: Derived) -> pd.arrays.BooleanArray:
    codes, texts = distinct_texts(column, task=derived.name)
    same = np.array([*(means_class(derived.arguments[0], text) for text in texts), False])
    return pd.arrays.BooleanArray(same[codes] != (derived.function == "!="), codes < 0)


def _has_tag(column: pd.Series, tag: str, separator: str) -> pd.arrays.BooleanArray:
    cells = [tags_of(cell, separator) for cell in column]
    missing = np.array([tags is None for tags in cells], dtype=bool)
    return pd.arrays.BooleanArray(np.array([tag in (tags or ()) for tags in cells], dtype=bool), missing)
