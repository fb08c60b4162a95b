"""How well a model tells from which of two tables a row comes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._audit_columns import Codes, Floats, columns_to_test, numbers_in, row_keys
from polytask.data._columns import ColumnInfo
from polytask.data._values import categories_of
from polytask.metrics import auc_placements

MAX_ROWS, MIN_ROWS, N_FOLDS, N_SHOWN = 10_000, 25, 5, 5
_MAX_CODES = 250  # rarer categories are one


@dataclass(frozen=True)
class ToldApart:
    """The domain classifier.

    Attributes
    ----------
    auc, low, high : float or None
        Area under the ROC curve of held-out rows with its 95 % interval (DeLong): 0.5 if the tables cannot be told apart.
        The interval takes the five models as given, and is about a tenth too narrow on small tables.
    n_rows : tuple of int
        Rows used of each table.
    columns : tuple of (str, float)
        The columns the model used most, with their share of the gain.
    reason : str
        Why there is no AUC; empty if there is one.
    """

    auc: float | None
    low: float | None
    high: float | None
    n_rows: tuple[int, int]
    columns: tuple[tuple[str, float], ...]
    reason: str


def told_apart(reference: pd.DataFrame, new: pd.DataFrame, columns: list[ColumnInfo], *, random_state: int = 0) -> ToldApart:
    """Train boosted trees to tell two tables apart, and score them on rows they have not seen (5 folds).

    References
    ----------
    Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017. arXiv:1610.06545
    """
    rng = np.random.default_rng(random_state)
    parts = [_some(table, rng) for table in (reference, new)]
    sizes = len(parts[0]), len(parts[1])
    used = columns_to_test(reference, columns)
    if min(sizes) < MIN_ROWS or not used:
        why = f"fewer than {MIN_ROWS} rows in a table" if used else "no column of numbers or categories"
        return ToldApart(None, None, None, sizes, (), why)
    X, categorical = _matrix(parts, used)
    y = np.repeat([0, 1], sizes)
    fold = _folds(np.concatenate([row_keys(part, columns) for part in parts]), rng)
    if any(len(np.unique(y[part])) < 2 for k in range(N_FOLDS) for part in (fold == k, fold != k)):
        return ToldApart(None, None, None, sizes, (), "too few different rows")
    placements, gains = np.empty(len(y)), np.zeros(X.shape[1])
    for k in range(N_FOLDS):
        model = _model(random_state).fit(X[fold != k], y[fold != k], categorical_feature=categorical)
        held = fold == k
        placements[held] = auc_placements(y[held], model.predict_proba(X[held])[:, 1])[0]
        gains += model.booster_.feature_importance("gain")
    auc = float(placements[y == 1].mean())
    se = float(np.sqrt(sum(placements[y == side].var(ddof=1) / sizes[side] for side in (0, 1))))
    shares = gains / max(gains.sum(), 1e-300)
    top = [(used[i].name, float(shares[i])) for i in np.argsort(-shares, kind="stable")[:N_SHOWN] if shares[i] > 0]
    return ToldApart(auc, max(auc - 1.96 * se, 0.0), min(auc + 1.96 * se, 1.0), sizes, tuple(top), "")


def _some(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return table if len(table) <= MAX_ROWS else table.iloc[np.sort(rng.permutation(len(table))[:MAX_ROWS])]


def _folds(keys: NDArray[np.uint64], rng: np.random.Generator) -> Codes:
    """Folds in which equal rows are together: a row that is in both tables must not be learned as the other's."""
    row = np.unique(keys, return_inverse=True)[1]
    return (rng.permutation(int(row.max()) + 1) % N_FOLDS)[row]


def _matrix(parts: list[pd.DataFrame], columns: list[ColumnInfo]) -> tuple[Floats, list[int]]:
    """Both tables under each other, float64 [n, d], and the positions of category codes."""
    features, categorical = [], []
    for position, info in enumerate(columns):
        values = [numbers_in(part[info.name], info.kind) for part in parts]
        if values[0] is None:
            categorical.append(position)
            features.append(_codes(pd.concat([part[info.name] for part in parts], ignore_index=True)).astype(np.float64))
        else:
            features.append(np.concatenate(values))  # type: ignore[arg-type]
    return np.stack(features, axis=1), categorical


def _codes(column: pd.Series) -> Codes:
    """Codes in order of frequency, the rare ones as one; -1 is missing."""
    codes, texts = categories_of(column)
    rank = np.empty(len(texts) + 1, dtype=np.int64)
    rank[np.argsort(-np.bincount(codes[codes >= 0], minlength=len(texts)), kind="stable")] = np.arange(len(texts))
    rank[-1] = -1
    return np.minimum(rank[codes], _MAX_CODES)


def _model(seed: int):  # type: ignore[no-untyped-def]  # LightGBM is loaded at first use
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=60,
        learning_rate=0.1,
        num_leaves=15,
        min_child_samples=10,
        class_weight="balanced",
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
        random_state=seed,
    )
