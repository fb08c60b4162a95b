"""What models of all tasks keep alike in a model folder: tasks, the matrix of inputs, how targets are calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polytask.estimators._matrix import TableMatrix
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]
States = Mapping[str, list[dict[str, Array]]]


def joint_content(tasks: Sequence[FittedTask], matrix: TableMatrix, states: States, **numbers: Any) -> dict[str, Any]:
    """What JSON keeps of them; ``numbers`` are those of the model itself."""
    return {
        "tasks": [task.to_dict() for task in tasks],
        "matrix": matrix.settings(),
        "n_states": {name: len(own) for name, own in states.items()},
        "numbers": numbers,
    }


def joint_arrays(matrix: TableMatrix, states: States, **more: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays by name: ``more`` are groups of arrays of the model itself, by the name before the dot."""
    found = {f"{group}.{name}": own for group, arrays in more.items() for name, own in arrays.items()}
    found |= {f"matrix.{name}": own for name, own in matrix.statistics().items()}
    for t, of_task in enumerate(states.values()):
        for k, state in enumerate(of_task):
            found |= {f"state.{t}.{k}.{name}": np.asarray(values) for name, values in state.items()}
    return found


def joint_parts(content: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[TableMatrix, States]:
    """The matrix and the calibration of targets that :func:`joint_content` and :func:`joint_arrays` keep."""
    matrix = TableMatrix.restore(content["matrix"], under(arrays, "matrix."))
    counts = enumerate(content["n_states"].items())
    return matrix, {name: [under(arrays, f"state.{t}.{k}.") for k in range(n)] for t, (name, n) in counts}


def under(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """Those arrays whose names begin so, by the rest of the name."""
    return {name.removeprefix(prefix): own for name, own in arrays.items() if name.startswith(prefix)}
