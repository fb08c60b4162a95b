"""Rows cut by an input column or a group, and the error in every part: where does the model fail?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polytask.data import ColumnInfo, TableArrays, TableCodec
from polytask.evaluation._diagnostics_intervals import FloatArray, Observed, all_at_once
from polytask.evaluation._intervals import holm, two_sided_p

LEAST_ROWS, LEAST_GROUPS, LEAST_RARE = 30, 10, 5  # smaller parts are not judged
MOST_ROWS, MOST_CELLS = 20_000, 4_000_000  # rows, and rows times columns; more are drawn at random
_BINS, _CATEGORIES, _WORDS = 5, 8, 20
_MOST_COLUMNS, _MOST_WORST, _MOST_GROUPS = 6, 10, 20
_MISSING = "missing"


@dataclass(frozen=True)
class Slices:
    """Every usable input column, cut into parts.

    Attributes
    ----------
    names : tuple of str
    labels : tuple of tuple of str
        Per column the names of its parts.
    codes : tuple of int arrays of shape (n,)
        Per column the part of every row; -1 for none. Small integers, so that they take an eighth of the table's memory.
    """

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: tuple[NDArray[np.signedinteger[Any]], ...]

    @classmethod
    def of_arrays(cls, codec: TableCodec, arrays: TableArrays) -> Self:
        """Cut what a codec has read: numbers and dates at quantiles, categories as they are, the rare ones together.

        Of free text and lists: by the number of words or tags, and the rows with each of the 20 most frequent ones.
        """
        numbers = {name: k for k, name in enumerate(codec.numeric_names)}
        categories = {name: k for k, name in enumerate(codec.categorical_names)}
        found = []
        for info in codec.used:
            if info.name in categories and info.kind == "categorical":
                cut = _category_parts(arrays.categorical[:, categories[info.name]], info.categories)
            elif info.kind == "datetime":
                cut = _number_parts(arrays.numeric[:, numbers[f"{info.name}:days"]], write=_date)
            elif info.kind == "boolean":
                cut = _number_parts(arrays.numeric[:, numbers[info.name]], write=lambda value: "yes" if value else "no")
            elif info.kind == "numeric":
                cut = _number_parts(arrays.numeric[:, numbers[info.name]])
            else:
                if info.kind in ("text", "list"):
                    found += _word_parts(info, codec, arrays)
                continue
            found.append((info.name, *cut))
        return cls(tuple(f[0] for f in found), tuple(f[1] for f in found), tuple(f[2].astype(np.int8) for f in found))

    @classmethod
    def of_table(cls, table: Any) -> Self:
        """Cut the columns of a table; kinds are inferred as for a fit."""
        codec = TableCodec.fit(table)
        return cls.of_arrays(codec, codec.transform(table))

    def __len__(self) -> int:
        return len(self.codes[0]) if self.codes else 0

    def rows(self, chosen: NDArray[Any]) -> "Slices":
        """Some of the rows (a bool mask or positions)."""
        return Slices(self.names, self.labels, tuple(codes[chosen] for codes in self.codes))


def error_by_column(
    rows: Observed,
    slices: Slices,
    losses: FloatArray,
    constant: FloatArray,
    signed: FloatArray | None,
    *,
    rare: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Error inside every part of every column against the error of all other rows.

    Parameters
    ----------
    rows : Observed
    slices : Slices
        Of the same rows.
    losses, constant : arrays of shape (n,)
        The error that skill is made of, of the model and of a constant.
    signed : array of shape (n,) or None
        True - predicted, where that has a meaning.
    rare : bool array of shape (n,), optional
        Rows whose label is not the most frequent one, of a task with classes: a side without them has next to no error, and next
        to no variance, whatever the model does.

    Returns
    -------
    dict
        ``excess`` is (mean error inside - mean error elsewhere) / (mean error of the constant over all rows). It is no
        difference of skills: ``skill`` of a part is against the constant's error on the rows of that part. Its Welch interval
        (of groups: clustered) holds for all ``n_looked_at`` parts at once (Bonferroni), ``p_adjusted`` is Holm's over them.
        Parts with fewer than 30 rows (or 10 groups, or 5 rare labels) inside or outside are not judged.

    References
    ----------
    Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances Are Involved", Biometrika 34,
    1947. Chung, Kraska, Polyzotis, Tae & Whang, "Slice Finder: Automated Data Slicing for Model Validation", ICDE 2019.
    """
    found = [
        _Part(name, label, *numbers)
        for name, labels, codes in zip(slices.names, slices.labels, slices.codes, strict=True)
        for label, numbers in _parts(rows, codes, labels, losses, rare)
    ]
    base = float(np.average(constant, weights=rows.weight))
    entries = _judged(rows, found, base) if found and base > 0 else []
    by_column: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        by_column.setdefault(entry["column"], []).append(entry)
    contrast = {name: min(entry["p_adjusted"] for entry in parts) for name, parts in by_column.items() if len(parts) > 1}
    shown = sorted(contrast, key=lambda name: (contrast[name], -max(abs(e["excess"]) for e in by_column[name])))[:_MOST_COLUMNS]
    worst = sorted((e for e in entries if e["low"] > 0), key=lambda entry: -entry["low"])
    told = worst[:_MOST_WORST] + [entry for name in shown for entry in by_column[name]]
    _add_means(rows, told, slices, constant, signed)
    return {
        "n_columns": len(slices.names),
        "n_columns_judged": len(by_column),
        "n_looked_at": len(entries),
        "n_worse": len(worst),
        "n_better": sum(entry["high"] < 0 for entry in entries),
        "least_rows": LEAST_ROWS,
        "least_groups": LEAST_GROUPS,
        "least_rare": None if rare is None else LEAST_RARE,
        "n_groups": None if rows.groups is None else len(np.unique(rows.groups)),
        "skill": 1 - float(np.average(losses, weights=rows.weight)) / base if base > 0 else None,
        "visible": float(np.median([entry["excess"] - entry["low"] for entry in entries])) if entries else None,
        "worst": worst[:_MOST_WORST],
        "columns": [{"name": name, "parts": by_column[name]} for name in shown],
    }


@dataclass(frozen=True)
class _Part:
    """One part of a column: its rows by position, mean error inside and outside, standard error of their difference."""

    column: str
    label: str
    n: int
    inside: float
    outside: float
    se: float
    df: float


def _parts(
    rows: Observed,
    codes: NDArray[np.signedinteger[Any]],
    labels: Sequence[str],
    losses: FloatArray,
    rare: NDArray[np.bool_] | None,
) -> list[tuple[str, tuple[Any, ...]]]:
    """The parts of one column that are large enough, with what their test needs."""
    n_parts = len(labels)
    own = np.where(codes < 0, n_parts, codes).astype(np.int64)
    centre = float(losses.mean())
    e, w = losses - centre, rows.weight
    count = np.bincount(own, minlength=n_parts + 1)[:n_parts]
    inside, outside, squares_in, squares_out, units_in, units_out = (
        _row_sums(own, n_parts, e, w) if rows.groups is None else _group_sums(own, n_parts, e, w, rows.groups)
    )
    rare_in = None if rare is None else np.bincount(own[rare], minlength=n_parts + 1)[:n_parts]
    n_rare = 0 if rare is None else int(rare.sum())
    found = []
    for k, label in enumerate(labels):
        enough = units_out[k] >= LEAST_GROUPS and units_in[k] >= LEAST_GROUPS
        if rare_in is not None:
            enough = enough and min(rare_in[k], n_rare - rare_in[k]) >= LEAST_RARE
        if min(count[k], len(own) - count[k]) < LEAST_ROWS or not enough:
            continue
        a, b = squares_in[k] * units_in[k] / (units_in[k] - 1), squares_out[k] * units_out[k] / (units_out[k] - 1)
        if not a + b > 0:
            continue
        df = (a + b) ** 2 / (a**2 / (units_in[k] - 1) + b**2 / (units_out[k] - 1))
        numbers = (int(count[k]), inside[k] + centre, outside[k] + centre, float(np.sqrt(a + b)), float(df))
        found.append((label, numbers))
    return found


def _row_sums(own: NDArray[np.int64], n: int, e: FloatArray, w: FloatArray) -> tuple[FloatArray, ...]:
    """Means inside and outside each part, their variances (without small-sample factors), rows inside and outside."""
    columns = (w, w * e, w**2, w**2 * e, w**2 * e**2)
    sums = [np.bincount(own, weights=v, minlength=n + 1)[:n] for v in columns]
    total = [v.sum() for v in columns]
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for s in (sums, [whole - part for whole, part in zip(total, sums, strict=True)]):
            mean = s[1] / s[0]
            found.append((mean, np.maximum(s[4] - 2 * mean * s[3] + mean**2 * s[2], 0) / s[0] ** 2))
    count = np.bincount(own, minlength=n + 1)[:n].astype(float)
    return found[0][0], found[1][0], found[0][1], found[1][1], count, len(own) - count


def _group_sums(
    own: NDArray[np.int64], n: int, e: FloatArray, w: FloatArray, groups: NDArray[np.int64]
) -> tuple[FloatArray, ...]:
    """As :func:`_row_sums` where rows of a group belong together; one on both sides counts by what it adds to the difference."""
    size = int(groups.max()) + 1
    cell = own * size + groups
    weight = np.bincount(cell, weights=w, minlength=(n + 1) * size).reshape(n + 1, size)[:n]
    error = np.bincount(cell, weights=w * e, minlength=(n + 1) * size).reshape(n + 1, size)[:n]
    all_weight, all_error = np.bincount(groups, weights=w, minlength=size), np.bincount(groups, weights=w * e, minlength=size)
    out_weight, out_error = all_weight - weight, all_error - error
    with np.errstate(divide="ignore", invalid="ignore"):
        inside, outside = error.sum(axis=1) / weight.sum(axis=1), out_error.sum(axis=1) / out_weight.sum(axis=1)
        pull_in = (error - inside[:, None] * weight) / weight.sum(axis=1, keepdims=True)
        pull_out = (out_error - outside[:, None] * out_weight) / out_weight.sum(axis=1, keepdims=True)
        cross = (pull_in * pull_out).sum(axis=1)  # shared half and half, so that both squares add up to that of the difference
        squares_in, squares_out = (pull_in**2).sum(axis=1) - cross, (pull_out**2).sum(axis=1) - cross
    units = (weight > 0).sum(axis=1).astype(float), (out_weight > 1e-9).sum(axis=1).astype(float)
    return inside, outside, np.maximum(squares_in, 0), np.maximum(squares_out, 0), *units


def _judged(rows: Observed, found: Sequence[_Part], base: float) -> list[dict[str, Any]]:
    """The differences with simultaneous intervals and Holm's p values."""
    difference = np.array([part.inside - part.outside for part in found])
    se, df = np.array([part.se for part in found]), np.array([part.df for part in found])
    adjusted = holm(two_sided_p(difference, se=se, df=df))
    reach = stats.t.isf((1 - all_at_once(rows.confidence, len(found))) / 2, df) * se
    return [
        {
            "column": part.column,
            "part": part.label,
            "n": part.n,
            "error": part.inside,
            "elsewhere": part.outside,
            "excess": own / base,
            "low": (own - far) / base,
            "high": (own + far) / base,
            "p_adjusted": p,
        }
        for part, own, far, p in zip(found, difference, reach, adjusted, strict=True)
    ]


def _add_means(
    rows: Observed, entries: Sequence[dict[str, Any]], slices: Slices, constant: FloatArray, signed: FloatArray | None
) -> None:
    """Put the skill inside each part, and the mean of true - predicted, into its entry."""
    places = {name: k for k, name in enumerate(slices.names)}
    for entry in entries:
        column = places[entry["column"]]
        inside = slices.codes[column] == slices.labels[column].index(entry["part"])
        error = float(np.average(constant[inside], weights=rows.weight[inside]))
        entry["skill"] = 1 - entry["error"] / error if error > 0 else None
        entry["bias"] = None if signed is None else float(np.average(signed[inside], weights=rows.weight[inside]))


def error_by_group(
    rows: Observed,
    names: Sequence[Any],
    losses: FloatArray,
    constant: FloatArray,
    signed: FloatArray | None,
    *,
    rare: NDArray[np.bool_] | None = None,
) -> dict[str, Any] | None:
    """Error of every group against all others, its rows taken as independent draws from that group; None without groups.

    Up to 20 groups are told, those with the largest error first; intervals hold for all groups judged at once.
    """
    if rows.groups is None:
        return None
    alone = replace(rows, groups=None)
    labels = tuple(str(k) for k in range(len(names)))  # positions: two groups may have the same text
    found = [_Part("group", label, *numbers) for label, numbers in _parts(alone, rows.groups, labels, losses, rare)]
    base = float(np.average(constant, weights=rows.weight))
    told: dict[str, Any] = {"n_groups": len(np.unique(rows.groups)), "n_looked_at": len(found), "least_rows": LEAST_ROWS}
    told |= {"least_rare": None if rare is None else LEAST_RARE, "groups": []}
    if not found or not base > 0:
        return told
    entries = sorted(_judged(alone, found, base), key=lambda entry: -entry["excess"])
    _add_means(alone, entries[:_MOST_GROUPS], Slices(("group",), (labels,), (rows.groups,)), constant, signed)
    for entry in entries:
        entry["part"] = str(names[int(entry["part"])])
        del entry["column"]
    return told | {
        "n_worse": sum(entry["low"] > 0 for entry in entries),
        "n_better": sum(entry["high"] < 0 for entry in entries),
        "groups": entries[:_MOST_GROUPS],
    }


def _number_parts(values: FloatArray, *, write: Any = None) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Up to five parts of about equal size, or each of few values, and one of the missing."""
    seen = ~np.isnan(values)
    different = np.unique(values[seen])
    if len(different) <= _BINS:
        labels = _texts(different, write)
        codes = np.searchsorted(different, values)
    else:
        edges = np.unique(np.quantile(values[seen], np.arange(1, _BINS) / _BINS, method="lower"))
        edges = edges[edges < different[-1]]  # a part is (edge, next edge]
        codes = np.searchsorted(edges, values, side="left")
        labels = _range_labels(edges, write, step=1 if write is None and not (different % 1).any() else 0)
    codes = np.where(seen, codes, len(labels))
    return (*labels, *([_MISSING] if not seen.all() else [])), codes.astype(np.int64)


def _range_labels(edges: FloatArray, write: Any, *, step: int) -> list[str]:
    """Names of the ranges (edge, next edge]; whole numbers (``step`` 1) begin with the next one.

    >>> _range_labels(np.array([2.0, 3.0, 7.0]), None, step=1), _range_labels(np.array([0.5, 1.5]), None, step=0)
    (['up to 2', '3', '4 to 7', 'above 7'], ['up to 0.5', '0.5 to 1.5', 'above 1.5'])
    """
    ends, starts = _texts(edges, write), _texts(edges + step, write)
    inner = [end if start == end else f"{start} to {end}" for start, end in zip(starts[:-1], ends[1:], strict=True)]
    return [f"up to {ends[0]}", *inner, f"above {ends[-1]}"]


def _texts(values: FloatArray, write: Any) -> list[str]:
    """Different texts for different numbers, as short as that allows."""
    if write is not None:
        return [write(value) for value in values]
    for digits in (3, 5, 8, 17):
        texts = [f"{v:.0f}" if float(v).is_integer() and abs(v) < 1e15 else f"{v:.{digits}g}" for v in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _date(days: float) -> str:
    try:
        return str((pd.Timestamp("1970-01-01") + pd.Timedelta(days=float(days))).date())
    except (OverflowError, ValueError):
        return f"day {days:.0f} since 1970"


def _word_parts(info: ColumnInfo, codec: TableCodec, arrays: TableArrays) -> list[tuple[str, tuple[str, ...], NDArray[np.int64]]]:
    """Number of words or tags, and of the most frequent ones the rows that have them, a column each."""
    what = f"{info.name}:{'words' if info.kind == 'text' else 'tags'}"
    numbers = {name: k for k, name in enumerate(codec.numeric_names)}
    found = [(f"{what} (number)", *_number_parts(arrays.numeric[:, numbers[what]]))]
    if info.as_words:
        codes = arrays.tokens[codec.text_names.index(info.name)].codes
        counts = np.bincount(codes.ravel(), minlength=len(info.categories) + 1)[1:]
    else:
        tags = arrays.numeric[:, [numbers[f"{info.name}={tag}"] for tag in info.categories]] == 1
        counts = tags.sum(axis=0)
    for k in np.argsort(-counts, kind="stable")[:_WORDS]:
        if counts[k] >= LEAST_ROWS:
            there = (codes == k + 1).any(axis=1) if info.as_words else tags[:, k]
            found.append((f"{info.name} has '{info.categories[k]}'", ("yes",), np.where(there, 0, -1)))
    return found


def _category_parts(codes: NDArray[np.int64], categories: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The most frequent categories by name, the others together, and the missing."""
    counts = np.bincount(codes, minlength=2)
    named = [int(k) for k in np.argsort(-counts[2:], kind="stable")[:_CATEGORIES] if counts[2:][k]]
    labels = [categories[k] if k < len(categories) else f"code {k}" for k in named]
    place = np.full(len(counts), len(labels))  # 0 (never seen) and rare ones: "other"
    place[[k + 2 for k in named]] = np.arange(len(named))
    place[1] = len(labels) + 1
    other, missing = "other values", _MISSING
    while other in labels or missing in labels:
        other, missing = f"({other})", f"({missing})"
    return (*labels, other, missing), place[codes].astype(np.int64)
