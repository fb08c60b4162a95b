"""Where ``losses.sum().backward()`` stood."""

from typing import Protocol

import torch
from torch import Tensor

from polytask.exceptions import OptionError


class BalancingMethod(Protocol):
    """What a balancing method is: it says what it needs, and gives weights."""

    needs: frozenset[str]

    def __call__(self, losses: Tensor, label_weight: Tensor) -> Tensor:
        """Losses [..., T] and label weights [..., T] to weights [..., T]."""
        ...


def backward(
    losses: Tensor, method: BalancingMethod, *, label_weight: Tensor | None = None, penalty: Tensor | None = None
) -> Tensor:
    """Weigh the losses of the tasks and run the backward pass.

    Parameters
    ----------
    losses : Tensor of shape (..., n_tasks)
        Mean loss of each task; leading axes are independent replicas.
    method : BalancingMethod
        Such as :class:`Equal`. It must need nothing but the losses.
    label_weight : Tensor of shape (..., n_tasks), optional
        Sum of label weights behind each loss; a task with 0 is absent, which is not the same as a loss of 0.
    penalty : Tensor, optional
        Added unweighted.

    Returns
    -------
    weights : Tensor of shape (..., n_tasks)

    Raises
    ------
    OptionError
        If the method needs what this function cannot give it.

    Examples
    --------
    >>> from polytask.balancing import Equal, backward
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> backward(w ** 2, Equal())
    tensor([0.5000, 0.5000])
    >>> w.grad
    tensor([1., 2.])
    """
    if not method.needs <= {"losses"}:
        raise OptionError(f"{type(method).__name__} needs {sorted(method.needs)}; `backward` gives only the losses so far.")
    present = torch.ones_like(losses) if label_weight is None else label_weight
    weights = method(losses.detach(), present)
    gradient = weights.masked_fill(present <= 0, 0.0).to(losses.dtype)  # of the weighted sum, which is never computed itself
    roots, gradients = ([losses], [gradient]) if penalty is None else ([losses, penalty], [gradient, torch.ones_like(penalty)])
    torch.autograd.backward(roots, gradients)
    return weights
