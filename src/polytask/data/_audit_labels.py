"""What a data audit says of the labels: how many, which classes, and where they are missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polytask.data._audit_columns import Floats

MAX_PATTERNS, MAX_PAIRS = 20, 20
FEW_PER_CLASS = 10
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Mask = NDArray[np.bool_]


def label_counts(target: Floats, labels: tuple[Any, ...]) -> dict[str, Any]:
    """Count the labels of one task.

    Parameters
    ----------
    target : float64 array of shape (n, n_targets)
        Codes, numbers, or 0 and 1 per tag; NaN is missing.
    labels : tuple
        Classes or tags; empty for a number.

    Returns
    -------
    counts : dict
        ``n_observed``, ``n_missing``, ``n_partly`` (rows with some of several tags), and ``classes`` (a list of label, count and
        share) or ``numbers`` (range, mean, quantiles, different values, share of the commonest value).

    >>> label_counts(np.array([[0.0], [1.0], [np.nan], [0.0]]), ("no", "yes"))["classes"]
    [{'label': 'no', 'count': 2, 'share': 0.6666666666666666}, {'label': 'yes', 'count': 1, 'share': 0.3333333333333333}]
    """
    seen = ~np.isnan(target)
    counts: dict[str, Any] = {
        "n_observed": int(seen.any(axis=1).sum()),
        "n_missing": int((~seen.any(axis=1)).sum()),
        "n_partly": int((seen.any(axis=1) & ~seen.all(axis=1)).sum()),
    }
    if not labels:
        return counts | {"numbers": _numbers(target[seen])}
    if target.shape[1] > 1 or len(labels) == 1:  # a column per tag
        per_label, of = (target == 1).sum(axis=0), seen.sum(axis=0)
    else:
        per_label = np.bincount(target[seen].astype(np.int64), minlength=len(labels))
        of = np.full(len(labels), seen.sum())
    classes = [
        {"label": _plain(label), "count": int(count), "share": float(count / max(n, 1))}
        for label, count, n in zip(labels, per_label, of, strict=True)
    ]
    return counts | {"classes": classes}


def missing_patterns(observed: Mapping[str, Mask]) -> dict[str, Any]:
    """Which tasks are labelled together.

    Parameters
    ----------
    observed : mapping of task to bool array of shape (n,)

    Returns
    -------
    patterns : dict
        ``shape``: ``"complete"`` (no label is missing), ``"disjoint"`` (each row is labelled for one task at most), ``"nested"``
        (who has the label of one task has those of all commoner ones) or ``"mixed"``; ``n_patterns`` and the commonest
        ``patterns`` (tasks observed, rows, share); ``complete_rows``, ``unlabelled_rows``; ``never_together``: pairs of tasks
        without a row that is labelled for both, the first of ``n_never_together``.

    >>> found = missing_patterns({"a": np.array([True, True, False]), "b": np.array([True, False, False])})
    >>> found["shape"], found["n_patterns"], found["patterns"][0]["tasks"], found["unlabelled_rows"]
    ('nested', 3, ['a', 'b'], 1)
    """
    tasks = list(observed)
    table = np.stack([observed[task] for task in tasks], axis=1)  # [n, T]
    packed = np.packbits(table, axis=1)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    first, counts = np.unique(keys, return_index=True, return_counts=True)[1:]
    order = np.lexsort((first, -counts))
    patterns = [
        {
            "tasks": [task for task, seen in zip(tasks, table[first[i]], strict=True) if seen],
            "n_rows": int(counts[i]),
            "share": float(counts[i] / len(table)),
        }
        for i in order[:MAX_PATTERNS]
    ]
    together = _together(table)
    apart = [(i, j) for i in range(len(tasks)) for j in range(i + 1, len(tasks)) if not together[i, j]]
    n_labelled = table.sum(axis=1)
    return {
        "shape": _shape(table[first], n_labelled),
        "n_patterns": len(counts),
        "patterns": patterns,
        "complete_rows": int((n_labelled == len(tasks)).sum()),
        "unlabelled_rows": int((n_labelled == 0).sum()),
        "n_never_together": len(apart),
        "never_together": [[tasks[i], tasks[j]] for i, j in apart[:MAX_PAIRS]],
    }


def _together(table: Mask) -> NDArray[np.int64]:
    counts = table.astype(np.float32)
    return np.asarray(np.rint(counts.T @ counts), dtype=np.int64)


def _shape(different: Mask, n_labelled: NDArray[np.int64]) -> str:
    """Shape of missingness from the distinct patterns, bool [n_patterns, T]."""
    if different.all():
        return "complete"
    if n_labelled.max() <= 1:
        return "disjoint"
    by_size = different[np.argsort(-different.sum(axis=1))].astype(np.int8)
    return "nested" if (np.diff(by_size, axis=0) <= 0).all() else "mixed"


def _numbers(values: Floats) -> dict[str, Any]:
    distinct, counts = np.unique(values, return_counts=True)
    low, *middle, high = (float(q) for q in np.quantile(values, (0, *_QUANTILES, 1)))
    return {
        "low": low,
        "high": high,
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "quantiles": dict(zip(map(str, _QUANTILES), middle, strict=True)),
        "n_distinct": len(distinct),
        "commonest": {"value": float(distinct[counts.argmax()]), "share": float(counts.max() / len(values))},
    }


def _plain(label: Any) -> Any:
    return label if isinstance(label, str | int | float | bool) else str(label)
