"""Sharing: features [n, d] to one representation [n, out_features] per task.

>>> import torch
>>> from polytask.networks.sharing import HardSharing
>>> len(HardSharing(tower_width=4).build(8, 3)(torch.zeros(5, 8)))
3
"""

from polytask.networks.sharing._adapters import TaskAdapters, TaskAdaptersLayer
from polytask.networks.sharing._adatt import AdaTT, AdaTTLayer
from polytask.networks.sharing._cgc import CGC, CGCLayer
from polytask.networks.sharing._cross_stitch import CrossStitch, CrossStitchLayer
from polytask.networks.sharing._esmm import ESMM
from polytask.networks.sharing._gates import DSelectKGate, SoftmaxGate, TopKGate, smooth_step, top_k_softmax
from polytask.networks.sharing._hard import HardSharing, HardSharingLayer
from polytask.networks.sharing._ltb import LTB, LTBLayer
from polytask.networks.sharing._mmoe import MMoE, MMoELayer
from polytask.networks.sharing._mtan import MTAN, MTANLayer
from polytask.networks.sharing._none import NoSharing, NoSharingLayer
from polytask.networks.sharing._ple import PLE, PLELayer
from polytask.networks.sharing._registry import sharing_names, sharing_of, sharing_text
from polytask.networks.sharing._sluice import Sluice, SluiceLayer
from polytask.networks.sharing._soft import SoftSharing, SoftSharingLayer
from polytask.networks.sharing._stem import STEM, STEMLayer
from polytask.networks.sharing._tabm import TabM, TabMLayer

__all__ = [
    "CGC",
    "ESMM",
    "LTB",
    "MTAN",
    "PLE",
    "STEM",
    "AdaTT",
    "AdaTTLayer",
    "CGCLayer",
    "CrossStitch",
    "CrossStitchLayer",
    "DSelectKGate",
    "HardSharing",
    "HardSharingLayer",
    "LTBLayer",
    "MMoE",
    "MMoELayer",
    "MTANLayer",
    "NoSharing",
    "NoSharingLayer",
    "PLELayer",
    "STEMLayer",
    "Sluice",
    "SluiceLayer",
    "SoftSharing",
    "SoftSharingLayer",
    "SoftmaxGate",
    "TabM",
    "TabMLayer",
    "TaskAdapters",
    "TaskAdaptersLayer",
    "TopKGate",
    "sharing_names",
    "sharing_of",
    "sharing_text",
    "smooth_step",
    "top_k_softmax",
]
