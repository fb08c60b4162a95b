"""What importance is measured on: checked settings, tasks by name, groups as numbers, rows with labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.data import did_you_mean, to_pandas
from polytask.estimators import LabelTable
from polytask.exceptions import DataError, OptionError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


def chosen_tasks(fitted: Sequence[FittedTask], names: Sequence[str] | None) -> list[FittedTask]:
    """Tasks of these names; all for None.

    Raises
    ------
    OptionError
        If a name is not that of a task.
    """
    known = {task.name: task for task in fitted}
    wanted = list(known) if names is None else [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in known:
            raise OptionError(f"`tasks` must name tasks of the model; {name!r} is none.{did_you_mean(str(name), list(known))}")
    if not wanted:
        raise OptionError("`tasks` must name at least one task; got none. Leave it out for all.")
    return [known[name] for name in dict.fromkeys(wanted)]


def group_codes(groups: Any, n: int) -> Array | None:
    """Groups as numbers 0, 1, ...

    Raises
    ------
    DataError
        If there is not one per row.
    """
    if groups is None:
        return None
    own = np.asarray(groups)
    if own.shape != (n,):
        raise DataError(f"`groups` must name a group for each of the {n} rows; got shape {own.shape}.")
    return np.asarray(np.unique(own.astype(str) if own.dtype == object else own, return_inverse=True)[1])


def sampled_rows(
    held: Sequence[Array], labels: LabelTable, weight: Array, tasks: Sequence[FittedTask], max_rows: int | None, seed: int
) -> list[Array]:
    """Rows of each fold with a label of one of the tasks; ``max_rows`` of them over all folds, drawn at random."""
    columns = np.concatenate([np.arange(weight.shape[1])[labels.slices[task.name]] for task in tasks])
    seen: Array = np.asarray((weight[:, columns] > 0).any(axis=1))
    labelled = [rows[seen[rows]] for rows in held]
    n = sum(map(len, labelled))
    if n < 2:
        raise DataError(f"At least 2 held-out rows with a label of positive weight are needed; got {n}.")
    if max_rows is None or n <= max_rows:
        return labelled
    everything = np.concatenate(labelled)
    kept = np.zeros(len(weight), dtype=bool)
    kept[np.random.default_rng([seed, 1]).choice(everything, max_rows, replace=False)] = True
    return [rows[kept[rows]] for rows in labelled]


def check_rows(X: Any, n: int) -> None:
    """Raise if X has another number of rows than y."""
    found = len(X) if isinstance(X, np.ndarray) else len(to_pandas(X))
    if found != n:
        raise DataError(f"X and y must have the same rows; X has {found}, y has {n}.")


def check_settings(n_repeats: Any, max_rows: Any, confidence: Any, random_state: Any) -> None:
    """Raise an :class:`OptionError` for a number that cannot be used."""
    for name, value, least in (("n_repeats", n_repeats, 1), ("max_rows", max_rows, 2), ("random_state", random_state, 0)):
        if value is None and name == "max_rows":
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise OptionError(f"`{name}` must be a whole number >= {least}; got {value!r}.")
    if not isinstance(confidence, float | int) or isinstance(confidence, bool) or not 0 < confidence < 1:
        raise OptionError(f"`confidence` must be between 0 and 1; got {confidence!r}.")
