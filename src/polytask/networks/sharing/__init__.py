"""Sharing: features [n, d] to one representation [n, out_features] per task.

>>> import torch
>>> from polytask.networks.sharing import HardSharing
>>> len(HardSharing(tower_width=4).build(8, 3)(torch.zeros(5, 8)))
3
"""

from polytask.networks.sharing._gates import DSelectKGate, SoftmaxGate, TopKGate, smooth_step, top_k_softmax
from polytask.networks.sharing._hard import HardSharing, HardSharingLayer
from polytask.networks.sharing._mmoe import MMoE, MMoELayer
from polytask.networks.sharing._registry import sharing_names, sharing_of, sharing_text

__all__ = [
    "DSelectKGate",
    "HardSharing",
    "HardSharingLayer",
    "MMoE",
    "MMoELayer",
    "SoftmaxGate",
    "TopKGate",
    "sharing_names",
    "sharing_of",
    "sharing_text",
    "smooth_step",
    "top_k_softmax",
]
