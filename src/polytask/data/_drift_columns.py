"""How far one column differs between two tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from polytask.data._audit_columns import Floats, numbers_in
from polytask.data._columns import ColumnInfo
from polytask.data._values import categories_of

MAX_EXAMPLES = 5
_SMALL_CELL = 5.0  # expected counts below this are put together before the test
_LENGTH_KINDS = ("text", "list")


@dataclass(frozen=True)
class ColumnDrift:
    """How one column differs.

    Attributes
    ----------
    column, kind : str
    measure : str
        ``"ks"``: largest distance of the distribution functions (numbers and dates; lengths in words of free text and lists), or
        ``"tv"``: total variation, half the sum of differences of shares (categories).
    distance : float or None
        In [0, 1], 0 if equal; None where one table has no value.
    p_value : float
        Of no difference in values or in missing ones: the smaller of the two, doubled.
    p_adjusted : float
        The same by Holm over all columns.
    missing : tuple of float
        Share missing in the reference and in the new table.
    n_unseen : int
        New rows with a category that the reference lacks, or a number outside its range.
    examples : tuple of str
        Some of these.
    """

    column: str
    kind: str
    measure: str
    distance: float | None
    p_value: float
    missing: tuple[float, float]
    n_unseen: int
    examples: tuple[str, ...]
    p_adjusted: float = 1.0


def column_drift(reference: pd.Series, new: pd.Series, info: ColumnInfo) -> ColumnDrift:
    """Compare a column of two tables; ``info`` describes it in the reference."""
    unseen: Any = ()
    numbers, measure = [numbers_in(column, info.kind) for column in (reference, new)], "ks"
    if info.kind in _LENGTH_KINDS:
        distance, p = _ks(_lengths(reference), _lengths(new))
    elif numbers[0] is not None and numbers[1] is not None:
        distance, p = _ks(numbers[0], numbers[1])
        unseen = new[_outside(numbers[1], numbers[0])]
    else:
        distance, p, unseen = _tv(reference, new)
        measure = "tv"
    n_missing = _n_missing(reference, info.kind), _n_missing(new, info.kind)
    both = min(1.0, 2 * min(p, _missing_p(n_missing, (len(reference), len(new)))))
    return ColumnDrift(
        column=info.name,
        kind=info.kind,
        measure=measure,
        distance=distance,
        p_value=both,
        missing=(n_missing[0] / len(reference), n_missing[1] / len(new)),
        n_unseen=len(unseen),
        examples=tuple(str(value)[:40] for value in list(dict.fromkeys(map(str, unseen)))[:MAX_EXAMPLES]),
    )


def _outside(new: Floats, old: Floats) -> Any:
    """Whether new numbers are below or above all old ones, bool [n]."""
    seen = old[~np.isnan(old)]
    return (new < seen.min()) | (new > seen.max()) if len(seen) else np.zeros(len(new), dtype=bool)


def _ks(old: Floats, new: Floats) -> tuple[float | None, float]:
    """Kolmogorov and Smirnov's distance and its asymptotic p, which is too large, if anything, where values repeat."""
    a, b = np.sort(old[~np.isnan(old)]), np.sort(new[~np.isnan(new)])
    if not len(a) or not len(b):
        return None, 1.0
    at = np.concatenate([a, b])
    gaps = np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)
    distance = float(np.abs(gaps).max())
    return distance, float(stats.kstwobign.sf(distance * np.sqrt(len(a) * len(b) / (len(a) + len(b)))))


def _tv(reference: pd.Series, new: pd.Series) -> tuple[float | None, float, Any]:
    """Total variation, p of the chi squared test, and the new rows' categories that the reference lacks."""
    (old_codes, old_texts), (new_codes, new_texts) = categories_of(reference), categories_of(new)
    place = pd.Index(old_texts).append(pd.Index(new_texts)).drop_duplicates() if len(old_texts) else pd.Index(new_texts)
    counts = np.zeros((2, len(place)))
    for row, (codes, texts) in enumerate(((old_codes, old_texts), (new_codes, new_texts))):
        counts[row, place.get_indexer(pd.Index(texts, dtype=object))] = np.bincount(codes[codes >= 0], minlength=len(texts))
    is_new = np.array([text not in set(old_texts) for text in new_texts], dtype=bool) if len(new_texts) else np.empty(0, bool)
    unseen = new_texts[new_codes[(new_codes >= 0) & np.append(is_new, False)[new_codes]]]
    totals = counts.sum(axis=1)
    if (totals == 0).any():
        return None, 1.0, unseen
    return float(np.abs(counts[0] / totals[0] - counts[1] / totals[1]).sum() / 2), _chi_squared_p(counts), unseen


def _chi_squared_p(counts: Floats) -> float:
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    small = expected.min(axis=0) < _SMALL_CELL
    pooled = np.column_stack([counts[:, ~small], counts[:, small].sum(axis=1)]) if small.any() else counts
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    return float(stats.chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0


def _n_missing(column: pd.Series, kind: str) -> int:
    numbers = None if kind in _LENGTH_KINDS else numbers_in(column, kind)
    return int(np.isnan(numbers).sum()) if numbers is not None else int((categories_of(column)[0] < 0).sum())


def _missing_p(n_missing: tuple[int, int], n: tuple[int, int]) -> float:
    table = np.array([n_missing, np.subtract(n, n_missing)])
    return 1.0 if (table.sum(axis=1) == 0).any() else float(stats.fisher_exact(table).pvalue)


def _lengths(column: pd.Series) -> Floats:
    """Words of a text, elements of a list."""
    return np.array(
        [
            len(value.split()) if isinstance(value, str) else np.nan if value is None or value is pd.NA else _size(value)
            for value in column
        ],
        dtype=np.float64,
    )


def _size(value: Any) -> float:
    return float(len(value)) if hasattr(value, "__len__") else np.nan
