"""How far a new table differs from the one that is learned from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from polytask.data._audit_columns import row_keys
from polytask.data._audit_groups import holm
from polytask.data._columns import ColumnInfo, infer_column
from polytask.data._drift_classifier import ToldApart, told_apart
from polytask.data._drift_columns import ColumnDrift, column_drift
from polytask.data._frames import to_pandas
from polytask.exceptions import DataError

FORMAT, VERSION = "polytask.drift", 1
CLEAR_DISTANCE, CLEAR_MISSING, CLEAR_P = 0.1, 0.05, 0.01


@dataclass(frozen=True)
class Drift:
    """What :func:`drift` found.

    Attributes
    ----------
    n_reference, n_new : int
        Rows of the two tables.
    inputs, targets : tuple of ColumnDrift
        Columns that both tables have, in the order of the reference.
    lacking, unknown : tuple of str
        Columns that only the reference, and only the new table has; targets are not among ``lacking``.
    n_repeated : int
        New rows whose inputs are all equal to those of a row of the reference.
    told_apart : ToldApart
        How well a model tells from which table a row comes.
    """

    n_reference: int
    n_new: int
    inputs: tuple[ColumnDrift, ...]
    targets: tuple[ColumnDrift, ...]
    lacking: tuple[str, ...]
    unknown: tuple[str, ...]
    n_repeated: int
    told_apart: ToldApart

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, with format and version; ``is_clear`` says of each column what :func:`is_clear_drift` does."""
        content = asdict(self)
        for role in ("inputs", "targets"):
            shown = zip(content[role], getattr(self, role), strict=True)
            content[role] = [
                {
                    **column,
                    "missing": list(column["missing"]),
                    "examples": list(column["examples"]),
                    "is_clear": is_clear_drift(found),
                }
                for column, found in shown
            ]
        content["told_apart"]["n_rows"] = list(self.told_apart.n_rows)
        content["lacking"], content["unknown"] = list(self.lacking), list(self.unknown)
        content["told_apart"]["columns"] = [list(pair) for pair in self.told_apart.columns]
        return {"format": FORMAT, "version": VERSION, **content}


def drift(
    reference: Any,
    new: Any,
    *,
    targets: Sequence[str] = (),
    ignore: Sequence[str] = (),
    columns: Sequence[ColumnInfo] | None = None,
    random_state: int = 0,
) -> Drift:
    """Compare a new table with the one that is learned from, column by column and all together.

    Parameters
    ----------
    reference, new : table of shape (n, any)
    targets : sequence of str
        Columns that are no inputs but compared too, where both tables have them.
    ignore : sequence of str
        Columns that are not compared.
    columns : sequence of ColumnInfo, optional
        What is known of the reference's columns already; found out by default.
    random_state : int, default=0
        Draws rows (at most 10,000 of each table) and folds for ``told_apart``.

    Returns
    -------
    drift : Drift

    Raises
    ------
    DataError
        If a table has no rows, or the tables have no input column in common.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> old = pd.DataFrame({"area": rng.normal(size=200), "city": ["Oslo", "Rome"] * 100})
    >>> new = pd.DataFrame({"area": rng.normal(1.0, size=200), "city": ["Oslo", "Bergen"] * 100})
    >>> found = drift(old, new)
    >>> [(column.column, column.measure, column.n_unseen) for column in found.inputs]
    [('area', 'ks', 28), ('city', 'tv', 100)]
    """
    old, now = to_pandas(reference), to_pandas(new)
    if not len(old) or not len(now):
        raise DataError(f"Tables must have rows to be compared; got {len(old)} in the reference and {len(now)} in the new one.")
    known = {info.name: info for info in columns or ()}
    named = [name for name in old.columns if name in now.columns and name not in ignore]
    infos = {name: known.get(name) or infer_column(old[name]) for name in named}
    inputs = [infos[name] for name in named if name not in targets and infos[name].kind not in ("identifier", "ignored")]
    if not inputs:
        raise DataError("The two tables have no input column in common, so they cannot be compared. Check the new file.")
    goals = [infos[name] for name in named if name in targets]
    found = [column_drift(old[info.name], now[info.name], info) for info in [*inputs, *goals]]
    adjusted = holm({i: column.p_value for i, column in enumerate(found)})
    found = [replace(column, p_adjusted=adjusted[i]) for i, column in enumerate(found)]
    return Drift(
        n_reference=len(old),
        n_new=len(now),
        inputs=tuple(found[: len(inputs)]),
        targets=tuple(found[len(inputs) :]),
        lacking=tuple(name for name in old.columns if name not in now.columns and name not in (*targets, *ignore)),
        unknown=tuple(name for name in now.columns if name not in old.columns and name not in (*targets, *ignore)),
        n_repeated=_n_repeated(old, now, inputs),
        told_apart=told_apart(old, now, inputs, random_state=random_state),
    )


def is_clear_drift(column: ColumnDrift) -> bool:
    """Whether a difference is neither chance (adjusted p below 0.01) nor small: distance 0.1, or 5 points of missing values."""
    far = (column.distance or 0.0) >= CLEAR_DISTANCE or abs(column.missing[0] - column.missing[1]) >= CLEAR_MISSING
    return far and column.p_adjusted < CLEAR_P


def _n_repeated(old: pd.DataFrame, new: pd.DataFrame, inputs: list[ColumnInfo]) -> int:
    return int(np.isin(row_keys(new, inputs), row_keys(old, inputs)).sum())
