"""Balancing: what stands where ``losses.sum().backward()`` stood.

>>> import torch
>>> from polytask.balancing import Equal, backward
>>> w = torch.tensor([1.0, 2.0], requires_grad=True)
>>> backward(w ** 2, Equal()).weights
tensor([0.5000, 0.5000])
"""

from polytask.balancing._aligned_mtl import AlignedMTL, aligned_mtl_weights
from polytask.balancing._backward import backward
from polytask.balancing._balance import Balance
from polytask.balancing._cagrad import CAGrad, cagrad_weights
from polytask.balancing._config import ConFIG, config_weights
from polytask.balancing._dual_proj import DualProj, dual_proj_weights
from polytask.balancing._equal import Equal
from polytask.balancing._imtl_g import IMTLG, imtl_g_weights
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._mgda import MGDA, mgda_weights
from polytask.balancing._nash_mtl import FairGrad, NashMTL, fairgrad_weights, nash_mtl_weights
from polytask.balancing._pcgrad import PCGrad, pcgrad_weights
from polytask.balancing._upgrad import UPGrad, upgrad_weights

__all__ = [
    "IMTLG",
    "MGDA",
    "AlignedMTL",
    "Balance",
    "BalancingMethod",
    "CAGrad",
    "ConFIG",
    "DualProj",
    "Equal",
    "FairGrad",
    "NashMTL",
    "Observed",
    "PCGrad",
    "UPGrad",
    "aligned_mtl_weights",
    "backward",
    "cagrad_weights",
    "config_weights",
    "dual_proj_weights",
    "fairgrad_weights",
    "imtl_g_weights",
    "mgda_weights",
    "nash_mtl_weights",
    "pcgrad_weights",
    "upgrad_weights",
]
