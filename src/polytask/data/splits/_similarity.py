"""Clusters of rows that are so alike that they must not be cut apart: near-duplicates, molecules of one series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_random_state

from polytask.data.splits._strata import as_frame, label_texts
from polytask.exceptions import DataError, OptionError

__all__ = ["similarity_clusters"]

_Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

_GRAM = 4  # letters of a substring, as in LINGO
_BLOCK = 2**22  # pairs that are compared at once
_NEAR = 0.9  # rows at least this alike stay together where only a number of clusters is asked for


def similarity_clusters(
    X: Any, *, threshold: float | None = None, n_clusters: int | None = None, metric: str = "auto", random_state: Any = 0
) -> NDArray[np.int64]:
    """Put rows that are alike into one cluster, to be used as ``groups`` of any split.

    With ``threshold`` any two rows at least so similar share a cluster, and so do chains of such pairs: what is left between two
    clusters is *less* similar than that, a promise that k-means or complete linkage cannot give. With ``n_clusters`` these are
    then joined by k-means to that many.

    Parameters
    ----------
    X : array-like of shape (n_samples,) or (n_samples, n_columns), or a table
        One column of texts, or rows of numbers and categories.
    threshold : float in (0, 1], optional
        Similarity from which rows are never cut apart; 0.9 where only ``n_clusters`` is given. 1 joins equal rows only.
    n_clusters : int, optional
        Number of clusters to end with, at least 2.
    metric : {"auto", "smiles", "text", "table"}, default="auto"
        - "smiles": molecules. The sets of substrings of 4 letters, ring numbers made 0 and Cl and Br one letter (LINGO), by their
          Jaccard (Tanimoto) index. SMILES must be written by one program: two ways to write a molecule look different here.
        - "text": the same of the text in lower case, spaces made one.
        - "table": Gower's coefficient: per column 1 - difference / range for numbers, equal or not for anything else; the mean
          over columns. Two missing values are equal, a missing and a present one are not.
        - "auto": "text" for one column of texts, else "table".
    random_state : int, RandomState or None
        Of k-means; not used by ``threshold`` alone.

    Returns
    -------
    clusters : array of int64, shape (n_samples,)
        0, 1, ...; a row's cluster does not depend on the order of the rows.

    Raises
    ------
    OptionError
        If neither is given, or one is out of range or asks for more clusters than there are.
    DataError
        If there are no rows, a text is missing, or a metric for texts gets several columns.

    Notes
    -----
    Every pair is compared once: time grows with the square of the number of different rows (10,000 take seconds), memory does
    not. A chain of similar pairs can grow into one cluster of most rows; then raise ``threshold``.

    # DIFFERS FROM PAPER: LINGO counts how often a substring occurs; sets are compared here. Gower's range is cut at three
    interquartile ranges beyond the quartiles, so that one wild value does not make all others alike.

    References
    ----------
    Vidal, Thormann & Pons, "LINGO, an Efficient Holographic Text Based Method To Calculate Biophysical Properties and
    Intermolecular Similarities", Journal of Chemical Information and Modeling 45(2), 2005.
    Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 27(4), 1971.

    Examples
    --------
    >>> similarity_clusters(["CCCCCCO", "CCCCCCCO", "c1ccccc1C(=O)O", "c2ccccc2C(=O)O"], metric="smiles", threshold=0.8).tolist()
    [0, 0, 1, 1]
    >>> similarity_clusters([[0.0, 1.0], [5.0, 9.0], [0.1, 1.0]], threshold=0.95).tolist()
    [0, 1, 0]
    """
    near = _check(threshold, n_clusters, metric)
    features = _features(X, metric)
    clusters = _components(features, near)
    found = int(clusters.max()) + 1
    if n_clusters is not None and n_clusters != found:
        if n_clusters > found:
            raise OptionError(
                f"`n_clusters` is {n_clusters}, but rows at least {near:g} alike are never cut apart, which leaves {found} "
                "clusters. "
                "Ask for fewer, or raise `threshold`."
            )
        clusters = _merged(features, clusters, n_clusters, random_state)[clusters]
    return clusters[features.of_row]


def _check(threshold: float | None, n_clusters: int | None, metric: str) -> float:
    if threshold is None and n_clusters is None:
        raise OptionError("similarity_clusters needs a `threshold` of similarity, or `n_clusters`; got neither.")
    if threshold is not None and (
        isinstance(threshold, bool) or not isinstance(threshold, Real) or not 0 < float(threshold) <= 1
    ):
        raise OptionError(f"`threshold` of similarity_clusters must be in (0, 1]; got {threshold!r}.")
    if n_clusters is not None and (not isinstance(n_clusters, Integral) or isinstance(n_clusters, bool) or n_clusters < 2):
        raise OptionError(f"`n_clusters` must be a whole number of at least 2; got {n_clusters!r}.")
    if metric not in ("auto", "smiles", "text", "table"):
        raise OptionError(f"`metric` must be 'auto', 'smiles', 'text' or 'table'; got {metric!r}.")
    return _NEAR if threshold is None else float(threshold)


class _Features(Protocol):
    """Different rows of X, and which of them every row is."""

    @property
    def of_row(self) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...
    def similar(self, start: int, stop: int, threshold: float) -> _Pairs:
        """Pairs (i, j) with start <= i < stop, i <= j, at least so similar."""
        ...

    def coordinates(self) -> Any:
        """Points [n, d] for k-means."""
        ...


@dataclass(frozen=True)
class _Sets:
    """Sets as rows of a 0/1 matrix."""

    grams: sparse.csr_array
    of_row: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.grams.shape[0])

    def similar(self, start: int, stop: int, threshold: float) -> _Pairs:
        sizes = np.asarray(self.grams.sum(axis=1)).ravel()
        common = sparse.coo_array(self.grams[start:stop] @ self.grams[start:].T)
        i, j = (np.asarray(axis, dtype=np.int64) + start for axis in common.coords)
        kept = common.data >= threshold * (sizes[i] + sizes[j] - common.data) - 1e-9
        return i[kept], j[kept]

    def coordinates(self) -> Any:
        sizes = np.maximum(np.asarray(self.grams.sum(axis=1)).ravel(), 1)
        return sparse.csr_array(sparse.diags_array(1 / np.sqrt(sizes)) @ self.grams)  # [n, grams], of length 1


@dataclass(frozen=True)
class _Mixed:
    """Numbers in [0, 1] (NaN: missing) and codes of anything else."""

    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]
    of_row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def similar(self, start: int, stop: int, threshold: float) -> _Pairs:
        distance = np.zeros((stop - start, len(self) - start))
        for column in self.numbers.T:
            a, b = column[start:stop, None], column[None, start:]
            away = np.abs(a - b)
            distance += np.where(np.isnan(away), np.isnan(a) != np.isnan(b), away) if np.isnan(column).any() else away
        for column in self.codes.T:
            distance += column[start:stop, None] != column[None, start:]
        n_columns = self.numbers.shape[1] + self.codes.shape[1]
        i, j = np.nonzero(distance <= (1 - threshold) * n_columns + 1e-9)
        return i + start, j + start

    def coordinates(self) -> Any:
        n_codes = self.codes.max(axis=0, initial=0) + 1
        hot = [self.codes[:, [k]] == np.arange(n) for k, n in enumerate(n_codes)]
        gaps = np.isnan(self.numbers)
        return np.column_stack([np.where(gaps, 0.5, self.numbers), gaps, *(np.sqrt(0.5) * own for own in hot)])


def _components(features: _Features, threshold: float) -> NDArray[np.int64]:
    """Cluster of every different row: connected components of the pairs that are similar."""
    n = len(features)
    clusters: NDArray[np.int64] = np.arange(n)
    for start, stop in _blocks(n):
        i, j = features.similar(start, stop, threshold)
        edges = sparse.coo_array((np.ones(len(i), dtype=bool), (clusters[i], clusters[j])), shape=(n, n))
        clusters = connected_components(edges, directed=False)[1].astype(np.int64)[clusters]
    return np.unique(clusters, return_inverse=True)[1]


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    step = max(_BLOCK // max(n, 1), 1)
    for start in range(0, n, step):
        yield start, min(start + step, n)


def _merged(features: _Features, clusters: NDArray[np.int64], n_clusters: int, random_state: Any) -> NDArray[np.int64]:
    """Return the number of the joined cluster of every cluster: k-means of their centres, by their numbers of rows."""
    from sklearn.cluster import KMeans

    rows = np.bincount(features.of_row, minlength=len(features)).astype(float)
    size = np.bincount(clusters, weights=rows)
    mean = sparse.csr_array((rows / size[clusters], (clusters, np.arange(len(clusters)))), shape=(len(size), len(clusters)))
    centres = mean @ features.coordinates()
    if isinstance(centres, sparse.csr_array):  # scikit-learn's k-means takes short indices only
        centres.indices, centres.indptr = centres.indices.astype(np.int32), centres.indptr.astype(np.int32)
    seed = check_random_state(random_state).randint(2**31 - 1)
    joined = KMeans(n_clusters, n_init=5, random_state=seed).fit(centres, sample_weight=size).labels_
    return np.unique(joined, return_inverse=True)[1]


def _features(X: Any, metric: str) -> _Features:
    frame = as_frame(X)
    if not len(frame) or not frame.shape[1]:
        raise DataError(f"similarity_clusters needs rows and columns; got shape {frame.shape}.")
    is_text = frame.shape[1] == 1 and not _is_number(frame.iloc[:, 0])
    if metric == "table" or (metric == "auto" and not is_text):
        return _mixed(frame)
    if frame.shape[1] != 1:
        raise DataError(f"The metric {metric!r} compares one column of texts; got {frame.shape[1]} columns. Pass that column.")
    column = frame.iloc[:, 0]
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(f"A column of texts must have no missing values to be clustered; got {n_missing}. Leave these rows out.")
    return _sets(column.map(str), smiles=metric == "smiles")


def _sets(texts: pd.Series, *, smiles: bool) -> _Sets:
    from sklearn.feature_extraction.text import CountVectorizer

    names, of_row = np.unique(texts.map(_plain_smiles if smiles else _plain_text).to_numpy(dtype=object), return_inverse=True)
    grams = CountVectorizer(analyzer=_grams, binary=True, dtype=np.int64).fit_transform(names)
    return _Sets(sparse.csr_array(grams), of_row)


def _plain_smiles(text: str) -> str:
    """Ring numbers made 0, elements of two letters made one."""
    return re.sub(r"%\d\d|\d", "0", text.strip().replace("Cl", "L").replace("Br", "R"))


def _plain_text(text: str) -> str:
    return " ".join(text.lower().split())


def _grams(text: str) -> list[str]:
    return [text[k : k + _GRAM] for k in range(max(len(text) - _GRAM + 1, 1))]


def _mixed(frame: pd.DataFrame) -> _Mixed:
    columns = [frame.iloc[:, k] for k in range(frame.shape[1])]
    numbers = [_scaled(column) for column in columns if _is_number(column)]
    codes = [pd.factorize(label_texts(column), sort=True)[0] for column in columns if not _is_number(column)]
    joined = np.column_stack([*numbers, *codes]).astype(np.float64)
    different, of_row = np.unique(joined, axis=0, return_inverse=True, equal_nan=False)
    if np.isnan(different).any():  # equal rows with the same gaps are one row too
        keys = pd.DataFrame(joined).fillna(np.inf).to_numpy()
        different, of_row = np.unique(keys, axis=0, return_inverse=True)
        different = np.where(np.isinf(different), np.nan, different)
    n = len(numbers)
    return _Mixed(different[:, :n], different[:, n:].astype(np.int64), of_row.ravel())


def _is_number(column: pd.Series) -> bool:
    kind = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return bool(kind or pd.api.types.is_datetime64_any_dtype(column))


def _scaled(column: pd.Series) -> NDArray[np.float64]:
    """Numbers on [0, 1], 0 and 1 at the ends of the range, or at three interquartile ranges beyond the quartiles."""
    dates = pd.api.types.is_datetime64_any_dtype(column)
    if dates:
        values = (column - column.min()).dt.total_seconds().to_numpy(dtype=np.float64)
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return np.full(len(values), np.nan)
    low, first, third, high = np.quantile(known, [0.0, 0.25, 0.75, 1.0])
    if third > first:
        low, high = max(low, first - 3 * (third - first)), min(high, third + 3 * (third - first))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else np.where(np.isnan(values), np.nan, 0.0)
