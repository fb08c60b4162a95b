"""Fitted trees of all tasks as a model of a fold: what predicts, and what a folder keeps."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from scipy.special import expit, softmax

from polytask.data import TableArrays
from polytask.estimators._fold_models import MadeOfModels
from polytask.estimators._forest_arrays import forest_of_arrays
from polytask.estimators._joint_calibration import calibrated
from polytask.estimators._joint_folder import States, joint_arrays, joint_content, joint_parts, under
from polytask.estimators._matrix import TableMatrix
from polytask.exceptions import DataError
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]


class JointTreesModel(MadeOfModels):
    """Trees of all tasks, whose leaves are averaged (a forest) or added (boosting).

    Parameters
    ----------
    models : list
        None; in the manner of the others.
    tasks : sequence of FittedTask
    matrix : TableMatrix
    trees : dict of name to array
        As :func:`joined_trees` gives them.
    states : dict of task name to list of dict of name to array
        Per target: ``centers`` and ``scales`` of its columns, how it is calibrated, and of added leaves of classes ``added``.
    n_features : int
        Columns of the matrix.
    n_votes : int
        Half a vote is the least share of a class.
    added : bool
        Whether leaves are added.
    log_odds : bool, optional
        Whether sums for classes are log odds; by default those of added leaves are.
    """

    def __init__(
        self,
        models: list[Any],
        tasks: Sequence[FittedTask],
        matrix: TableMatrix,
        trees: Mapping[str, Array],
        states: States,
        *,
        n_features: int,
        n_votes: int,
        added: bool = False,
        log_odds: bool | None = None,
    ) -> None:
        self.models: list[Any] = []
        self.tasks, self.matrix = list(tasks), matrix
        self.trees, self.states = dict(trees), {name: list(own) for name, own in states.items()}
        self.n_features, self.n_votes, self.added = int(n_features), int(n_votes), bool(added)
        self.log_odds = self.added if log_odds is None else bool(log_odds)
        leaves = np.zeros((len(self.trees["values"]), 1))
        shell = {"class": "ExtraTreesRegressor", "n_features": self.n_features}
        forest = forest_of_arrays(shell, self.trees | {"values": leaves}, where="The joint forest")
        self._walks = [own.tree_ for own in forest.estimators_]
        ends = np.cumsum(self.trees["n_nodes"])
        self._leaf = np.split(np.cumsum(~self.trees["is_inner"]) - 1, ends[:-1])

    def outputs(self, arrays: TableArrays) -> dict[str, Array]:
        """Outputs in natural scale per task."""
        X = np.ascontiguousarray(self.matrix.transform(arrays, column=None), dtype=np.float32)
        if X.shape[1] != self.n_features:  # the walk through a tree does not look
            raise DataError(f"The joint forest has learned from {self.n_features} columns; got {X.shape[1]}.")
        total = np.zeros((len(X), self.trees["values"].shape[1]))
        for walk, leaf in zip(self._walks, self._leaf, strict=True):
            total += self.trees["values"][leaf[walk.apply(X)]]
        if not self.added:
            total /= len(self._walks)
        found, start = {}, 0
        for task in self.tasks:
            columns = []
            for state in self.states[task.name]:
                width = len(state["scales"])
                own = natural(total[:, start : start + width], state, is_odds=self.log_odds and task.n_codes > 0)
                columns.append(calibrated(own, state, task.n_codes, n_estimators=self.n_votes))
                start += width
            found[task.name] = task.join(columns)
        return found

    def content(self) -> dict[str, Any]:
        numbers = {"n_features": self.n_features, "n_votes": self.n_votes, "added": self.added, "log_odds": self.log_odds}
        return joint_content(self.tasks, self.matrix, self.states, **numbers)

    def arrays(self) -> dict[str, Array]:
        return joint_arrays(self.matrix, self.states, trees=self.trees)

    @classmethod
    def restore(cls, content: Mapping[str, Any], arrays: Mapping[str, Array], models: list[Any]) -> Self:
        matrix, states = joint_parts(content, arrays)
        trees = under(arrays, "trees.")
        if trees["values"].ndim != 2 or trees["values"].shape[1] != sum(len(s["scales"]) for own in states.values() for s in own):
            raise ValueError("the leaves of joint trees do not fit their tasks")
        return cls(models, content["tasks"], matrix, trees, states, **content["numbers"])


def natural(values: Array, state: Mapping[str, Array], *, is_odds: bool) -> Array:
    """Numbers, or shares of classes, of what trees say of the columns of a target; not calibrated."""
    own = values * state["scales"] + state["centers"]
    if not is_odds:
        return np.asarray(own)
    return np.asarray(softmax(own, axis=1) if own.shape[1] > 1 else expit(own))
