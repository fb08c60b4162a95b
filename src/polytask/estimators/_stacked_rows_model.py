"""Boosters on stacked rows as a model of a fold: what predicts, and what a folder keeps."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from polytask.data import TableArrays
from polytask.estimators._booster_model import BoosterModel
from polytask.estimators._fold_models import MadeOfModels
from polytask.estimators._joint_calibration import calibrated
from polytask.estimators._joint_folder import States, joint_arrays, joint_content, joint_parts, under
from polytask.estimators._matrix import TableMatrix
from polytask.estimators._stacked_rows import OBJECTIVES, with_position
from polytask.exceptions import DataError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


class StackedRowsModel(MadeOfModels):
    """Boosters of families of label columns, each of which has the column as its last feature.

    Parameters
    ----------
    models : sequence of BoosterModel
    tasks : sequence of FittedTask
    matrix : TableMatrix
    states : dict of task name to list of dict of name to array
        How every target is calibrated.
    columns : dict of name to array of shape (D,)
        ``base``, ``unit`` and ``zero`` of :class:`LabelColumns`, ``rounds``, ``booster`` (-1 for none) and ``position``.
    families : sequence of str
        Of each column: the key of its objective.
    n_features : int
        Columns of the matrix.
    n_votes : int
        Half a vote is the least share of a class.
    """

    def __init__(
        self,
        models: Sequence[BoosterModel],
        tasks: Sequence[FittedTask],
        matrix: TableMatrix,
        states: States,
        columns: Mapping[str, Array],
        *,
        families: Sequence[str],
        n_features: int,
        n_votes: int,
    ) -> None:
        self.models, self.tasks, self.matrix = list(models), list(tasks), matrix
        self.states = {name: list(own) for name, own in states.items()}
        self.columns, self.families = dict(columns), list(families)
        self.n_features, self.n_votes = int(n_features), int(n_votes)

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""
        X = np.ascontiguousarray(self.matrix.transform(arrays, column=None), dtype=np.float32)
        if X.shape[1] != self.n_features:
            raise DataError(f"The boosting on stacked rows has learned from {self.n_features} columns; got {X.shape[1]}.")
        values, start = self._columns(X), 0
        found = {}
        for task in self.tasks:
            width = task.n_codes if task.n_codes > 2 else 1
            own = []
            for state in self.states[task.name]:
                own.append(calibrated(values[:, start : start + width], state, task.n_codes, n_estimators=self.n_votes))
                start += width
            found[task.name] = task.join(own)
        return found

    def content(self) -> dict[str, Any]:
        numbers = {"families": self.families, "n_features": self.n_features, "n_votes": self.n_votes}
        return joint_content(self.tasks, self.matrix, self.states, **numbers)

    def arrays(self) -> dict[str, Array]:
        return joint_arrays(self.matrix, self.states, columns=self.columns)

    @classmethod
    def restore(cls, content: Mapping[str, Any], arrays: Mapping[str, Array], models: list[Any]) -> Self:
        matrix, states = joint_parts(content, arrays)
        columns, numbers = under(arrays, "columns."), content["numbers"]
        if len({len(own) for own in columns.values()} | {len(numbers["families"])}) != 1:
            raise ValueError("the label columns of boosters do not fit together")
        if columns["booster"].max() >= len(models):
            raise ValueError("a label column has a booster that is not there")
        if any(own.booster_.num_feature() != numbers["n_features"] + 1 for own in models):
            raise ValueError("a booster has other features than the inputs have columns")
        return cls(models, content["tasks"], matrix, states, columns, **numbers)

    def _columns(self, X: Array) -> Array:
        """Numbers, or shares of classes, of every label column; not calibrated."""
        given, stacked = self.columns, with_position(X, 0)
        values = np.empty((len(X), len(self.families)))
        for c, family in enumerate(self.families):
            scores = np.zeros(len(X))
            if given["booster"][c] >= 0:
                stacked[:, -1] = given["position"][c]
                settings: dict[str, Any] = {"num_iteration": int(given["rounds"][c]), "raw_score": True, "num_threads": 1}
                scores = np.asarray(self.models[given["booster"][c]].booster_.predict(stacked, **settings))
            values[:, c] = OBJECTIVES[family].link(scores + given["base"][c]) * given["unit"][c] + given["zero"][c]
        return values
