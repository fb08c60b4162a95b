"""Balancing: what stands where ``losses.sum().backward()`` stood.

>>> import torch
>>> from polytask.balancing import Equal, backward
>>> w = torch.tensor([1.0, 2.0], requires_grad=True)
>>> backward(w ** 2, Equal()).weights
tensor([0.5000, 0.5000])
"""

from polytask.balancing._backward import backward
from polytask.balancing._balance import Balance
from polytask.balancing._equal import Equal
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._pcgrad import PCGrad, pcgrad_weights

__all__ = ["Balance", "BalancingMethod", "Equal", "Observed", "PCGrad", "backward", "pcgrad_weights"]
