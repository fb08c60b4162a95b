"""Which tasks' losses reach a parameter: one alone reaches its head and tower, all reach what is shared."""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from polytask.balancing import parameters_below
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
    return {name: int(tasks.int().argmax()) for name, tasks in served_tasks(network, inputs).items() if int(tasks.sum()) == 1}


def served_tasks(network: OneNetwork | StackedNetworks, inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Which tasks each parameter serves in training, bool [n_tasks]; arguments as of :func:`own_tasks`."""
    network.set_training(True)  # as some parts, such as the branches of LTB, are reached by no gradient otherwise
    for module in network.module.modules():
        if isinstance(module, _BatchNorm):  # takes several rows, and would remember them
            module.eval()
    with torch.enable_grad(), torch.random.fork_rng(devices={p.device for p in network.parameters.values() if p.is_cuda}):
        _, outputs = network.in_parts(inputs)
    network.set_training(False)
    reached = [{id(p) for p in parameters_below([own])} for own in outputs]
    return {name: torch.tensor([id(p) in own for own in reached]) for name, p in network.parameters.items()}


def learned_shares(network: OneNetwork | StackedNetworks, inputs: tuple[Tensor, ...], learned: Tensor) -> dict[str, Tensor]:
    """Parameters that serve no task of some network, with 1 for networks that learn a task by them and 0 for others.

    Parameters
    ----------
    network, inputs
        As of :func:`own_tasks`.
    learned : Tensor of shape (n_tasks,) or (R, n_tasks)
        Bool: which tasks each network learns.

    Returns
    -------
    shares : dict of name to Tensor of shape () or (R,)
        All other parameters serve a task that every network learns.
    """
    found = {name: (learned & tasks).any(-1) for name, tasks in served_tasks(network, inputs).items()}
    return {name: own.to(network.parameters[name]) for name, own in found.items() if not bool(own.all())}
