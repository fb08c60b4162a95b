"""Models made of models: each gives outputs of tasks for coded rows, and tells its parts for a model folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from polytask.data import TableArrays
from polytask.estimators._bagged import FoldModel
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = dict[str, Array]


class MadeOfModels:
    """A model made of others; ``content``, ``arrays`` and the ``models`` themselves make it again."""

    models: list[Any]

    def content(self) -> dict[str, Any]:
        """Plain JSON."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """Arrays besides."""
        return {}

    @classmethod
    def restore(cls, content: Mapping[str, Any], arrays: Mapping[str, Array], models: list[Any]) -> Self:
        """Make the model of what ``content`` and ``arrays`` gave."""
        return cls(models, **content, **arrays)  # type: ignore[call-arg]  # of the subclass


class JoinedModels(MadeOfModels):
    """Models of different tasks."""

    def __init__(self, models: Sequence[FoldModel]) -> None:
        self.models = list(models)

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Outputs in natural scale of all their tasks."""
        return {name: values for model in self.models for name, values in model.outputs(arrays).items()}


class SideBySide(MadeOfModels):
    """Models of the same tasks, whose outputs are kept apart: that of model 1 for a task is ``"1/task"``."""

    def __init__(self, models: Sequence[FoldModel]) -> None:
        self.models = list(models)

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Outputs of every model and task."""
        return {f"{k}/{name}": own for k, model in enumerate(self.models) for name, own in model.outputs(arrays).items()}


class MixtureModel(MadeOfModels):
    """Weighted means of what models give.

    Parameters
    ----------
    models : sequence of FoldModel
    weights : dict of task name to sequence of float, optional
        One weight >= 0 per model; equal ones by default. Models that have not learned a task do not count for it.
    """

    def __init__(self, models: Sequence[FoldModel], weights: Mapping[str, Sequence[float]] | None = None) -> None:
        self.models = list(models)
        self.weights = None if weights is None else {name: list(own) for name, own in weights.items()}

    def content(self) -> dict[str, Any]:
        return {"weights": self.weights}

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Means in natural scale per task; models without weight are not run."""
        given = self.weights
        used = [given is None or any(own[k] > 0 for own in given.values()) for k in range(len(self.models))]
        found = [model.outputs(arrays) if is_used else {} for model, is_used in zip(self.models, used, strict=True)]
        names = dict.fromkeys(name for own in found for name in own)
        return {name: _weighed(found, name, None if given is None else given.get(name)) for name in names}


class StackModel(MadeOfModels):
    """Models that learn from the outputs of others.

    Parameters
    ----------
    models : sequence of FoldModel
        The model below, then those on top.
    features : list of lists of (output, column)
        For each model on top the outputs that it gets, as numbers after those of the table: their names, and which of their
        columns is the first (1 where probabilities sum to 1, so that one says nothing new).
    with_inputs : list of bool
        Whether each model on top gets the table's inputs too.
    """

    def __init__(self, models: Sequence[FoldModel], features: Sequence[Sequence[Any]], with_inputs: Sequence[bool]) -> None:
        self.models = list(models)
        self.features = [[(str(name), int(first)) for name, first in own] for own in features]
        self.with_inputs = [bool(own) for own in with_inputs]

    def content(self) -> dict[str, Any]:
        return {"features": [[list(one) for one in own] for own in self.features], "with_inputs": self.with_inputs}

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Outputs in natural scale of the models on top."""
        below, found = self.models[0].outputs(arrays), {}
        for model, features, with_inputs in zip(self.models[1:], self.features, self.with_inputs, strict=True):
            found.update(model.outputs(with_numbers(arrays, stacked_numbers(below, features), keep=with_inputs)))
        return found


class ChainModel(MadeOfModels):
    """Models of one task each, in order: each gets the inputs and the outputs of those before it.

    Parameters
    ----------
    models : sequence of FoldModel
    features : list of (task name, column)
        As in :class:`StackModel`.
    """

    def __init__(self, models: Sequence[FoldModel], features: Sequence[Any]) -> None:
        self.models = list(models)
        self.features = [(str(name), int(first)) for name, first in features]

    def content(self) -> dict[str, Any]:
        return {"features": [list(one) for one in self.features]}

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Outputs in natural scale of all tasks of the chain."""
        found: Outputs = {}
        for model, feature in zip(self.models, self.features, strict=True):
            own = model.outputs(arrays)
            found.update(own)
            arrays = with_numbers(arrays, stacked_numbers(own, [feature]))
        return found


class ColumnsModel(MadeOfModels):
    """A model of some of the columns of a coded table."""

    def __init__(
        self, models: Sequence[FoldModel], numeric: Sequence[int], categorical: Sequence[int], tokens: Sequence[int]
    ) -> None:
        self.models = list(models)
        self.numeric, self.categorical, self.tokens = list(numeric), list(categorical), list(tokens)

    def content(self) -> dict[str, Any]:
        return {"numeric": self.numeric, "categorical": self.categorical, "tokens": self.tokens}

    def outputs(self, arrays: TableArrays) -> Outputs:
        """Outputs in natural scale per task."""
        return self.models[0].outputs(some_columns(arrays, self.numeric, self.categorical, self.tokens))


def some_columns(arrays: TableArrays, numeric: Sequence[int], categorical: Sequence[int], tokens: Sequence[int]) -> TableArrays:
    """Return a table of these columns only."""
    return TableArrays(
        arrays.numeric[:, list(numeric)], arrays.categorical[:, list(categorical)], [], tuple(arrays.tokens[k] for k in tokens)
    )


def feature_of(task: FittedTask, key: str) -> tuple[str, int]:
    """Which columns of a task's outputs another model learns from: all, without the first of probabilities that sum to 1."""
    return key, int(len(task.labels) > task.n_targets)


def stacked_numbers(outputs: Mapping[str, Array], features: Sequence[tuple[str, int]]) -> Array:
    """Outputs as columns of numbers, [n, columns].

    >>> outputs = {"price": np.array([1.5, 2.0]), "sold": np.array([[0.25, 0.75], [0.5, 0.5]])}
    >>> stacked_numbers(outputs, [("price", 0), ("sold", 1)]).tolist()
    [[1.5, 0.75], [2.0, 0.5]]
    """
    return np.concatenate([outputs[name].reshape(len(outputs[name]), -1)[:, first:] for name, first in features], axis=1)


def with_numbers(arrays: TableArrays, numbers: Array, *, keep: bool = True) -> TableArrays:
    """Return a table with columns of numbers added, or with these alone."""
    if keep:
        return replace(arrays, numeric=np.concatenate([arrays.numeric, numbers], axis=1), notes=[])
    return TableArrays(numbers, np.zeros((len(numbers), 0), dtype=np.int64), [])


def _weighed(found: Sequence[Outputs], name: str, weights: Sequence[float] | None) -> Array:
    own = [1.0] * len(found) if weights is None else weights
    parts = [(share, outputs[name]) for share, outputs in zip(own, found, strict=True) if share > 0 and name in outputs]
    total = sum(share for share, _ in parts)
    return np.asarray(sum(share / total * values for share, values in parts))
