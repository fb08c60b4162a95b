"""Heads: the representation of a task [n, d] to its raw outputs [n, n_outputs].

>>> import torch
>>> from polytask.networks.heads import LinearHead
>>> LinearHead(8, 2)(torch.zeros(5, 8)).shape
torch.Size([5, 2])
"""

from polytask.networks.heads._linear_head import LinearHead
from polytask.networks.heads._member_head import MemberHead
from polytask.networks.heads._stacked_heads import StackedLinearHeads, joined_outputs

__all__ = ["LinearHead", "MemberHead", "StackedLinearHeads", "joined_outputs"]
