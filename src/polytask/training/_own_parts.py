"""Which task's loss alone reaches a parameter: its head, its tower."""

import torch
from torch import Tensor

from polytask.balancing import shared_parameters
from polytask.training._network import OneNetwork, StackedNetworks


def own_tasks(network: OneNetwork | StackedNetworks, inputs: tuple[Tensor, ...]) -> dict[str, int]:
    """Number of the task that each parameter of one task serves; those that several tasks, or none, reach are left out.

    Parameters
    ----------
    network : OneNetwork or StackedNetworks
        Its module gives ``features`` and ``outputs_of``.
    inputs : tuple of Tensor
        Of a few rows.
    """
    network.set_training(False)  # no dropout: nothing is drawn
    with torch.enable_grad():
        _, outputs = network.in_parts(inputs)
    shared = {id(p) for p in shared_parameters(outputs)}
    found: dict[str, int] = {}
    for k, own in enumerate(outputs):
        reached = {id(p) for p in shared_parameters([own, own])}
        found |= {name: k for name, p in network.parameters.items() if id(p) in reached and id(p) not in shared}
    return found
