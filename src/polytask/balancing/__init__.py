"""Balancing: losses [T] to weights [T], and the backward pass that uses them.

>>> import torch
>>> from polytask.balancing import Equal
>>> Equal()(torch.tensor([1.0, 3.0]), torch.tensor([8.0, 2.0]))
tensor([0.5000, 0.5000])
"""

from polytask.balancing._backward import BalancingMethod, backward
from polytask.balancing._equal import Equal

__all__ = ["BalancingMethod", "Equal", "backward"]
