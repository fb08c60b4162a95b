"""A look at a table before anything is learned from it: labels, duplicates, leakage suspects, columns to split tasks by."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polytask.data._audit_columns import Floats
from polytask.data._audit_derived import propose_derived
from polytask.data._audit_duplicates import duplicate_columns, duplicate_rows
from polytask.data._audit_groups import propose_splits
from polytask.data._audit_labels import FEW_PER_CLASS, Mask, label_counts, missing_patterns
from polytask.data._audit_scores import folds_of
from polytask.data._audit_suspects import AuditTarget, MissingTold, Suspect, leakage_suspects, missing_labels_told
from polytask.data._columns import ColumnInfo, infer_column
from polytask.data._frames import to_pandas
from polytask.data._leakage import perfect_copies
from polytask.exceptions import DataError

if TYPE_CHECKING:
    from polytask.tasks import FittedTask, Task

FORMAT, VERSION = "polytask.audit", 1
MAX_TESTED_ROWS, MIN_TESTED_ROWS = 20_000, 1_000
_MAX_CELLS = 400_000_000  # rows times inputs times target columns that are looked at in the tests


@dataclass(frozen=True)
class Audit:
    """What :func:`audit` found.

    Attributes
    ----------
    n_rows, n_tested_rows : int
        All rows, and the rows drawn for the tests of suspects and of missing labels (the same unless there are many).
    labels : dict of task name to dict
        Counts of labels and classes, as :func:`~polytask.data._audit_labels.label_counts` gives them, with the ``kind``.
    missing : dict
        Which tasks are labelled together, as :func:`~polytask.data._audit_labels.missing_patterns` gives it.
    missing_told : tuple of MissingTold
        Inputs that tell where labels are missing.
    duplicates : dict
        Rows that are there more than once; ``columns``: sets of equal input columns.
    suspects : tuple of Suspect
        Inputs that may give a target away, the strongest first.
    constants : tuple of str
        Input columns with one value only.
    splits : tuple of dict
        Columns by which tasks could be split; see :func:`~polytask.data._audit_groups.propose_splits`.
    derived : tuple of dict
        Targets that could be made of a column of numbers; see :func:`~polytask.data._audit_derived.propose_derived`.
    """

    n_rows: int
    n_tested_rows: int
    labels: dict[str, dict[str, Any]]
    missing: dict[str, Any]
    missing_told: tuple[MissingTold, ...]
    duplicates: dict[str, Any]
    suspects: tuple[Suspect, ...]
    constants: tuple[str, ...]
    splits: tuple[dict[str, Any], ...]
    derived: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, with format and version."""
        content = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        for suspect in content["suspects"]:
            suspect["grounds"] = list(suspect["grounds"])
        return {"format": FORMAT, "version": VERSION, **content}


def audit(
    inputs: Any,
    labels: Any,
    tasks: "Sequence[Task | FittedTask]",
    *,
    columns: Sequence[ColumnInfo] | None = None,
    groups: Any = None,
    group_columns: Any = None,
    random_state: int = 0,
) -> Audit:
    """Look through a table before learning from it.

    Parameters
    ----------
    inputs : table of shape (n, d)
    labels : table of shape (n, any)
        Holds the label columns of all tasks; a missing label is NaN or None.
    tasks : sequence of Task or FittedTask
        At least one.
    columns : sequence of ColumnInfo, optional
        What is known of the inputs already (``TableCodec.columns``); found out by default.
    groups : array-like of shape (n,), optional
        Rows of one group stay together in the cross-fitted tests: without them an input that marks the group looks like leakage.
    group_columns : table of shape (n, any), optional
        Columns that are no inputs, by which tasks could be split; these are always among ``splits``.
    random_state : int, default=0
        Draws folds, and rows where there are many: suspects are then looked for in at most 20,000 rows, fewer for very wide
        tables, never under 1,000.

    Returns
    -------
    audit : Audit

    Raises
    ------
    DataError
        If tables differ in their number of rows, or there are none.
    TargetError
        If the labels of a task cannot be read.

    Examples
    --------
    >>> from polytask.tasks import Regression
    >>> price = np.arange(100.0)
    >>> X = pd.DataFrame({"price_log": np.log1p(price) + 0.001 * (price % 3), "rooms": np.arange(100) % 4})
    >>> found = audit(X, pd.DataFrame({"price": price}), [Regression("price")])
    >>> [(suspect.column, suspect.task, suspect.grounds) for suspect in found.suspects]
    [('price_log', 'price', ('score', 'name'))]
    """
    X, y = to_pandas(inputs), to_pandas(labels)
    extra = None if group_columns is None else to_pandas(group_columns)
    _check_lengths(X, y, extra, groups)
    fitted = [task.fit(y) if hasattr(task, "fit") else task for task in tasks]
    encoded = {task.name: task.encode(y) for task in fitted}
    infos = [infer_column(X[name]) for name in X.columns] if columns is None else list(columns)
    targets = [target for task in fitted for target in _targets_of(task, encoded[task.name])]
    rng = np.random.default_rng(random_state)
    rows = _rows_to_test(len(X), max(len(infos), 1), sum(max(len(target.classes), 1) for target in targets), rng)
    fold = folds_of(len(rows), None if groups is None else np.asarray(groups)[rows], rng)
    some = X if len(rows) == len(X) else X.iloc[rows]
    observed: dict[str, Mask] = {name: np.asarray(~np.isnan(target).all(axis=1)) for name, target in encoded.items()}
    per_target = {_shown(target, fitted): (target.values, target.classes) for target in targets}
    joined, joined_infos = (X, infos) if extra is None else (_beside(X, extra), [*infos, *_infos(extra)])
    return Audit(
        n_rows=len(X),
        n_tested_rows=len(rows),
        labels={task.name: _labels_of(task, encoded[task.name]) for task in fitted},
        missing=missing_patterns(observed),
        missing_told=tuple(missing_labels_told(some, infos, {name: seen[rows] for name, seen in observed.items()}, fold)),
        duplicates=duplicate_rows(X, infos, encoded) | {"columns": duplicate_columns(X, infos)},
        suspects=tuple(
            leakage_suspects(
                some,
                infos,
                [AuditTarget(target.task, target.name, target.values[rows], target.classes) for target in targets],
                fold,
                copies=set(perfect_copies(X, y[[column for task in fitted for column in task.columns]])),
            )
        ),
        constants=tuple(info.name for info in infos if info.kind == "constant"),
        splits=tuple(propose_splits(joined, joined_infos, per_target, given=[] if extra is None else list(extra.columns))),
        derived=tuple(
            proposal for target in targets if not target.classes for proposal in propose_derived(target.name, target.values)
        ),
    )


def rare_classes(labels: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Classes and tags with fewer than ten rows, per task that has some; ``labels`` as in :attr:`Audit.labels`.

    >>> rare_classes({"grade": {"classes": [{"label": "A", "count": 3}, {"label": "B", "count": 30}]}})
    {'grade': ['A']}
    """
    rare = {
        task: [str(one["label"]) for one in counts.get("classes", []) if one["count"] < FEW_PER_CLASS]
        for task, counts in labels.items()
    }
    return {task: classes for task, classes in rare.items() if classes}


def _check_lengths(X: pd.DataFrame, y: pd.DataFrame, extra: pd.DataFrame | None, groups: Any) -> None:
    lengths = {"inputs": len(X), "labels": len(y)}
    lengths |= {} if extra is None else {"group_columns": len(extra)}
    lengths |= {} if groups is None else {"groups": len(groups)}
    if len(set(lengths.values())) > 1 or not len(X):
        shown = ", ".join(f"{what} {n}" for what, n in lengths.items())
        raise DataError(f"The tables of an audit must have the same rows, at least one; got {shown}.")


def _beside(X: pd.DataFrame, extra: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([X.reset_index(drop=True), extra.reset_index(drop=True)], axis=1)


def _infos(frame: pd.DataFrame) -> list[ColumnInfo]:
    return [infer_column(frame[name]) for name in frame.columns]


def _targets_of(task: "FittedTask", encoded: Floats) -> list[AuditTarget]:
    """One per label column: a class or number, or each tag of several."""
    if (task.n_codes and len(task.labels) != task.n_codes) or encoded.shape[1] > 1:
        return [AuditTarget(task.name, str(tag), encoded[:, k], (0, 1)) for k, tag in enumerate(task.labels)]
    return [AuditTarget(task.name, task.columns[0], encoded[:, 0], task.labels if task.n_codes else ())]


def _shown(target: AuditTarget, tasks: "Sequence[FittedTask]") -> str:
    """Name of a task, or of one of its tags."""
    alone = any(task.name == target.task and task.columns == (target.name,) for task in tasks)
    return target.task if alone else f"{target.task}: {target.name}"


def _labels_of(task: "FittedTask", encoded: Floats) -> dict[str, Any]:
    return {"kind": task.kind, **label_counts(encoded, task.labels)}


def _rows_to_test(n: int, n_inputs: int, n_targets: int, rng: np.random.Generator) -> NDArray[np.int64]:
    most = int(np.clip(_MAX_CELLS // (n_inputs * max(n_targets, 1)), MIN_TESTED_ROWS, MAX_TESTED_ROWS))
    return np.arange(n) if n <= most else np.sort(rng.permutation(n)[:most])
