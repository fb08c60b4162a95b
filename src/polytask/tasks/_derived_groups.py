"""One task per group of rows: the labels of one column become a column for each school, hospital or machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from polytask.exceptions import DataError, UnlearnableError
from polytask.tasks._labels import canonical_label
from polytask.tasks._restore import fitted_task_from_dict
from polytask.tasks._task import FittedTask, FixedTask

Array = np.ndarray[Any, np.dtype[Any]]

MOST_GROUPS = 1000


@dataclass(frozen=True)
class TaskGroups:
    """The tasks that a column divides the targets into, and the way from rows to tasks and back.

    Attributes
    ----------
    column : str
        The column whose values are the groups.
    groups : tuple of str
        The groups as text; 1, 1.0 and "1" are one group.
    targets : tuple of FittedTask
        Each target over all groups, with the constant of all its rows: one kind and one set of classes for all of its tasks.
    learned : dict of target name to tuple of int
        Positions of the groups that have a task of this target.
    """

    column: str
    groups: tuple[str, ...]
    targets: tuple[FittedTask, ...]
    learned: dict[str, tuple[int, ...]]

    def task_names(self, target: str) -> list[str]:
        """Names of the tasks of one target, in the order of its groups."""
        return [part_name(target, self.groups[g]) for g in self.learned[target]]

    def codes(self, values: pd.Series) -> Array:
        """Group of every row, int [n]: a position in ``groups``, or -1 where it is missing or not among them."""
        codes, distinct = pd.factorize(values)
        position = {group: k for k, group in enumerate(self.groups)}
        known = np.array([*(position.get(group_text(value), -1) for value in distinct), -1], dtype=np.int64)
        return known[codes]

    def spread(self, labels: pd.DataFrame, codes: Array) -> pd.DataFrame:
        """Label columns of every task, each with the labels of its own group and nothing else.

        Parameters
        ----------
        labels : DataFrame of shape (n, any)
            The label columns of targets; those of targets that are not there are left out.
        codes : int array of shape (n,)
            Of :meth:`codes`.

        Returns
        -------
        labels : DataFrame of shape (n, n_groups * any)
            Columns named as by :func:`part_name`.
        """
        columns: dict[str, pd.Series] = {}
        for target in self.targets:
            for column in target.columns if set(target.columns) <= set(labels.columns) else ():
                for g in self.learned[target.name]:
                    columns[part_name(column, self.groups[g])] = labels[column].where(codes == g)
        return pd.DataFrame(columns, index=labels.index)

    def own_outputs(self, outputs: Mapping[str, Array], codes: Array) -> dict[str, Array]:
        """Outputs of every target, each row by the task of its own group; the mean over all tasks where it has none.

        Parameters
        ----------
        outputs : dict of task name to array of shape (n,) or (n, n_classes)
            In natural scale.
        codes : int array of shape (n,)

        Returns
        -------
        outputs : dict of target name to array of shape (n,) or (n, n_classes)
        """
        found = {}
        for target in self.targets:
            names = self.task_names(target.name)
            own = np.mean([outputs[name] for name in names], axis=0)
            for g, name in zip(self.learned[target.name], names, strict=True):
                rows = codes == g
                own[rows] = outputs[name][rows]
            found[target.name] = own
        return found

    def without_task(self, target: str, codes: Array) -> Array:
        """Rows of no group that has a task of ``target``, bool [n]."""
        return ~np.isin(codes, self.learned[target])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; :meth:`from_dict` reads it back."""
        return {
            "column": self.column,
            "groups": list(self.groups),
            "targets": [target.to_dict() for target in self.targets],
            "learned": {name: list(groups) for name, groups in self.learned.items()},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave."""
        targets = tuple(fitted_task_from_dict(target) for target in values["targets"])
        learned = {name: tuple(groups) for name, groups in values["learned"].items()}
        return cls(values["column"], tuple(values["groups"]), targets, learned)


def group_tasks(
    tasks: Sequence[FixedTask], labels: pd.DataFrame, groups: pd.Series, *, skip: bool = False
) -> tuple[TaskGroups, list[FixedTask], dict[str, str]]:
    """Make a task of each target in each group.

    Parameters
    ----------
    tasks : sequence of FixedTask
        The targets, fitted on all groups.
    labels : DataFrame of shape (n, any)
        Their label columns.
    groups : Series of shape (n,)
        The group of every row; labels of rows without one are of no task.
    skip : bool, default=False
        Leave out a task whose labels have fewer than two values, instead of raising.

    Returns
    -------
    groups : TaskGroups
    tasks : list of FixedTask
        Named ``TARGET[GROUP]``, with the kind and classes of their target.
    skipped : dict of task name to str
        Why tasks were left out.

    Raises
    ------
    DataError
        If there are fewer than two groups or more than 1,000.
    UnlearnableError
        If a group has nothing to learn and ``skip`` is false, or all have.

    Examples
    --------
    >>> from polytask.tasks import Regression, fixed_task
    >>> frame = pd.DataFrame({"score": [1.0, 2.0, 5.0, 7.0], "school": [1, 1, 2, 2]})
    >>> found, tasks, _ = group_tasks([fixed_task(Regression("score").fit(frame))], frame, frame["school"])
    >>> [task.name for task in tasks]
    ['score[1]', 'score[2]']
    >>> found.spread(frame, found.codes(frame["school"]))["score[2]"].tolist()
    [nan, nan, 5.0, 7.0]
    """
    names = _group_names(groups)
    everything = TaskGroups(str(groups.name), names, tuple(task.fit(labels) for task in tasks), {})
    codes = everything.codes(groups)
    made: list[FixedTask] = []
    skipped: dict[str, str] = {}
    learned: dict[str, tuple[int, ...]] = {}
    for target in everything.targets:
        positions = []
        observed = labels[list(target.columns)]
        for g, group in enumerate(names):
            name = part_name(target.name, group)
            why = _nothing_to_learn(target, observed[codes == g])
            if not why:
                positions.append(g)
                columns = tuple(part_name(column, group) for column in target.columns)
                made.append(FixedTask(name, columns, replace(target, name=name, columns=columns)))
            elif skip:
                skipped[name] = f"Task {name!r} cannot be learned: {why}."
            else:
                raise UnlearnableError(
                    f"Task {name!r} cannot be learned: {why}. Leave its group out, or let it be skipped (--unlearnable skip, "
                    f"unlearnable='skip'); its rows are then predicted by the mean of the other groups."
                )
        learned[target.name] = tuple(positions)
        if not positions:
            raise UnlearnableError(f"No group of column {groups.name!r} is left to learn {target.name!r} in.")
    return replace(everything, learned=learned), made, skipped


def part_name(name: str, group: str) -> str:
    """Name of the task (or label column) of one group.

    >>> part_name("score", "17")
    'score[17]'
    """
    return f"{name}[{group}]"


def group_text(value: Any) -> str:
    """The text by which a group is known, whatever type its column has."""
    return str(canonical_label(value)).strip()


def _group_names(groups: pd.Series) -> tuple[str, ...]:
    names = dict.fromkeys(group_text(value) for value in pd.Series(pd.unique(groups.dropna())).sort_values(key=_sortable))
    if len(names) < 2:
        raise DataError(
            f"Column {groups.name!r} of --task-by must have two values or more, one for each task; got {list(names)}."
        )
    if len(names) > MOST_GROUPS:
        raise DataError(
            f"Column {groups.name!r} of --task-by has {len(names)} different values, which would be as many tasks; at most "
            f"{MOST_GROUPS} are made. Is it an identifier? A column of larger groups, or this one as an input, may do."
        )
    return tuple(names)


def _sortable(values: pd.Series) -> pd.Series:
    return values if pd.api.types.is_numeric_dtype(values) else values.map(group_text)


def _nothing_to_learn(target: FittedTask, labels: pd.DataFrame) -> str:
    """Why a group has nothing to learn; "" if it has."""
    codes = target.encode(labels)
    seen = codes[~np.isnan(codes)]
    if not len(seen):
        return "all its labels are missing"
    if len(seen) == target.n_targets:
        return "it has one label only"
    return f"all its {len(seen)} labels are one value" if (seen == seen[0]).all() else ""
