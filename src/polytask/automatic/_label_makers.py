"""How the labels of all tasks are made from the rows of a table, at the fit and ever after."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from polytask.exceptions import DataError, ModelFolderError, PolytaskWarning
from polytask.tasks import Derived, FittedTask, TaskGroups, derive_labels

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class LabelMakers:
    """Functions of columns, and the division of targets into a task per group; plain JSON in a model folder.

    Attributes
    ----------
    derived : tuple of Derived
    groups : TaskGroups or None
    """

    derived: tuple[Derived, ...] = ()
    groups: TaskGroups | None = None

    def of_targets(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table with the derived label columns whose sources are in it; warns of values that have no label."""
        if not self.derived:
            return frame
        made, notes = derive_labels(frame, self.derived)
        for note in notes:
            warnings.warn(note, PolytaskWarning, stacklevel=3)
        names = [one.name for one in self.derived]
        return pd.concat([frame.drop(columns=[name for name in names if name in frame.columns]), made], axis=1)

    def of_tasks(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The label columns of tasks, as far as the table has what they are made from.

        Examples
        --------
        >>> makers = LabelMakers((Derived("presence", "num", ">", (0.0,)),))
        >>> makers.of_tasks(pd.DataFrame({"num": [0, 3]}))["presence"].tolist()
        [False, True]
        """
        labels = self.of_targets(frame)
        if self.groups is None:
            return labels
        if self.groups.column not in frame.columns:
            return pd.DataFrame(index=frame.index)
        return self.groups.spread(labels, self.groups.codes(frame[self.groups.column]))

    def codes(self, frame: pd.DataFrame, *, missing_columns: str = "error") -> Array:
        """Group of every row, int [n]; -1 where it has none, which is told.

        Raises
        ------
        DataError
            If the column is not in the table and ``missing_columns`` is not "fill".
        """
        assert self.groups is not None
        column = self.groups.column
        if column not in frame.columns:
            if missing_columns != "fill":
                raise DataError(
                    f"The table has no column {column!r}, which says the task of each row. Add it, with empty cells where it is "
                    "not known, or predict every row by the mean of all tasks (--missing-columns fill, missing_columns='fill')."
                )
            codes = np.full(len(frame), -1)
        else:
            codes = self.groups.codes(frame[column])
        for target in self.groups.targets:
            n_without = int(self.groups.without_task(target.name, codes).sum())
            if n_without:
                warnings.warn(
                    f"Target {target.name!r}: {n_without} of {len(frame)} rows get the mean over all tasks: their column "
                    f"{column!r} is empty, or holds what the fit had no labels of.",
                    PolytaskWarning,
                    stacklevel=4,
                )
        return codes

    def predicted(
        self, outputs: Mapping[str, Array], frame: pd.DataFrame, tasks: Sequence[FittedTask], *, missing_columns: str
    ) -> list[tuple[FittedTask, Array]]:
        """What is predicted, with its outputs: ``tasks``, or the targets that groups divide, each row by its own task."""
        if self.groups is None:
            return [(task, outputs[task.name]) for task in tasks]
        own = self.groups.own_outputs(outputs, self.codes(frame, missing_columns=missing_columns))
        return [(target, own[target.name]) for target in self.groups.targets]

    def with_constants(self, frame: pd.DataFrame, rows: Array, weight: Array | None) -> Self:
        """With the constant prediction of every divided target over the training ``rows`` of all groups."""
        if self.groups is None:
            return self
        labels = self.of_targets(frame)
        targets = []
        for target in self.groups.targets:
            encoded = target.encode(labels)
            share = np.ones(len(frame)) if weight is None else weight
            own = np.where(np.isnan(encoded), 0.0, share[:, None])
            targets.append(target.with_statistics(encoded[rows], own[rows]))
        return replace(self, groups=replace(self.groups, targets=tuple(targets)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; :meth:`from_dict` reads it back."""
        return {
            "derived": [one.to_dict() for one in self.derived],
            "task_by": None if self.groups is None else self.groups.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        ModelFolderError
            If it is damaged or from a newer version.
        """
        try:
            derived = tuple(Derived.from_dict(one) for one in values["derived"])
            return cls(derived, None if values["task_by"] is None else TaskGroups.from_dict(values["task_by"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelFolderError(f"How labels are made cannot be read: {error!r}. Save the model again.") from error
