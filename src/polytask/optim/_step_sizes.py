"""How long the steps of an optimizer are, weight by weight: the metric in which a proximal step is made after it."""

from typing import Any

import torch
from torch import Tensor


def step_sizes(optimizer: torch.optim.Optimizer, group: dict[str, Any], parameter: Tensor) -> Tensor | float:
    r"""How far a constant gradient of 1 would move each weight, from the state that the optimizer has after a step.

    Of SGD that is the learning rate, divided by 1 - momentum, since its steps add up to as much. Optimizers that divide
    gradients by a running size do so to a gradient of 1 too: of Adam it is :math:`\eta / (\sqrt{\hat v} + \epsilon)`. With
    steps by these, the fixed points of gradient and proximal steps are those of the loss plus the penalty.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    group : dict
        The group of ``parameter`` in it, with the learning rate of the step.
    parameter : Tensor

    Returns
    -------
    sizes : float or Tensor in the shape of the parameter
        Of Muon, whose steps have no size of their own for a weight, the learning rate.

    References
    ----------
    Yun, Lozano & Yang, "Adaptive Proximal Gradient Methods for Structured Neural Networks", NeurIPS 2021.

    Examples
    --------
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([0.5, 4.0])
    >>> optimizer = torch.optim.Adam([p], lr=0.1)
    >>> optimizer.step()
    >>> step_sizes(optimizer, optimizer.param_groups[0], p)
    tensor([0.2000, 0.0250])
    """
    rate, state, eps = float(group["lr"]), optimizer.state.get(parameter, {}), float(group.get("eps", 0.0))
    found: Tensor | float
    if "exp_avg_sq" in state:
        beta, steps = group["betas"][1], float(state["step"])
        unbiased = 1 - beta**steps
        sizes = rate / ((state["exp_avg_sq"] / unbiased).sqrt() + eps)
        is_rectified = isinstance(optimizer, torch.optim.RAdam)
        found = _rectified(sizes, rate, beta=beta, steps=steps) if is_rectified else sizes
    elif "exp_inf" in state:  # Adamax
        found = rate / state["exp_inf"].clamp(min=eps)
    elif "acc_delta" in state:  # Adadelta
        found = rate * ((state["acc_delta"] + eps) / (state["square_avg"] + eps)).sqrt()
    elif "square_avg" in state:  # RMSprop
        squares = state["square_avg"] - (state["grad_avg"].square() if group.get("centered") else 0.0)
        found = rate / (squares.sqrt() + eps)
    elif "sum" in state:  # Adagrad
        found = rate / (1 + (float(state["step"]) - 1) * group["lr_decay"]) / (state["sum"].sqrt() + eps)
    else:
        found = rate
    adds_up = "momentum" in group and "ns_steps" not in group  # SGD and RMSprop; not Muon, whose momentum is a mean
    return found / (1 - float(group["momentum"])) if adds_up else found


def _rectified(sizes: Tensor, rate: float, *, beta: float, steps: float) -> Tensor | float:
    """RAdam: the factor of its first steps, before which it is momentum alone."""
    most = 2 / (1 - beta) - 1
    length = most - 2 * steps * beta**steps / (1 - beta**steps)
    if length <= 5:
        return rate
    factor = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
    return sizes * float(factor) ** 0.5
