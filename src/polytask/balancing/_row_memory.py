"""Rows of the Jacobian that a method keeps from step to step."""

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError


def recall_rows(method: BalancingMethod, name: str, seen: Observed) -> Tensor:
    """Rows [n_tasks, n_parameters] kept under ``name`` for the tasks of this step; zeros for new ones.

    Raises
    ------
    OptionError
        If they were of other parameters.
    """
    assert seen.jacobian is not None
    zeros = torch.zeros_like(seen.jacobian)
    kept = next(iter(method.memory.get(name, {}).values()), None)
    if kept is not None and kept.shape != zeros[0].shape:
        raise OptionError(
            f"{type(method).__name__} keeps the gradients of the steps before, of {len(kept)} parameters; got {zeros.shape[1]} "
            "in this step. Balance the same `shared_params` in every step, or start with a new method."
        )
    return method.recall(name, seen.tasks, default=zeros)
