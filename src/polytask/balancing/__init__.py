"""Balancing: what stands where ``losses.sum().backward()`` stood.

>>> import torch
>>> from polytask.balancing import Equal, backward
>>> w = torch.tensor([1.0, 2.0], requires_grad=True)
>>> backward(w ** 2, Equal()).weights
tensor([0.5000, 0.5000])
"""

from polytask.balancing._aligned_mtl import AlignedMTL, aligned_mtl_weights
from polytask.balancing._auto_lambda import AutoLambda
from polytask.balancing._backward import backward
from polytask.balancing._balance import Balance
from polytask.balancing._cagrad import CAGrad, cagrad_weights
from polytask.balancing._config import ConFIG, config_weights
from polytask.balancing._cosmos import COSMOS, cosmos_weights
from polytask.balancing._cr_mogm import CRMOGM, cr_mogm_weights
from polytask.balancing._db_mtl import DBMTL, db_mtl_weights
from polytask.balancing._dual_proj import DualProj, dual_proj_weights
from polytask.balancing._dwa import DWA, dwa_weights
from polytask.balancing._equal import Equal
from polytask.balancing._every import Every
from polytask.balancing._excess_mtl import ExcessMTL, excess_risks
from polytask.balancing._famo import FAMO, famo_weights
from polytask.balancing._fixed_weights import FixedWeights
from polytask.balancing._forum import FORUM, forum_weights
from polytask.balancing._go4align import GO4Align, go4align_weights
from polytask.balancing._grad_drop import GradDrop, grad_drop_direction
from polytask.balancing._grad_norm import GradNorm, grad_norm_targets
from polytask.balancing._grad_vac import GradVac, grad_vac_weights
from polytask.balancing._imtl_g import IMTLG, imtl_g_weights
from polytask.balancing._imtl_l import IMTLL, imtl_l_weights
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._mgda import MGDA, mgda_weights
from polytask.balancing._micro_batches import MicroBatches
from polytask.balancing._mo_co import MoCo, mo_co_weights
from polytask.balancing._mo_do import MoDo
from polytask.balancing._moml import MOML
from polytask.balancing._names import method_from_dict, method_names, method_of, method_text, method_to_dict, same_method
from polytask.balancing._nash_mtl import FairGrad, NashMTL, fairgrad_weights, nash_mtl_weights
from polytask.balancing._pbi import PBI, pbi_weights
from polytask.balancing._pcd import PCD, pcd_weights
from polytask.balancing._pcgrad import PCGrad, pcgrad_weights
from polytask.balancing._per_replica import PerReplica, stacked_backward
from polytask.balancing._random_weights import RGW, RLW, random_weights
from polytask.balancing._reach import parameters_below, shared_parameters
from polytask.balancing._samo import SAMO, samo_perturbation
from polytask.balancing._scale_invariant import GeometricMean, ScaleInvariant, geometric_mean_weights, scale_invariant_weights
from polytask.balancing._sdm_grad import SDMGrad, sdm_grad_weights
from polytask.balancing._stch import STCH, stch_weights
from polytask.balancing._step import step
from polytask.balancing._trimmed_mean import TrimmedMean, trimmed_mean_direction
from polytask.balancing._uncertainty import Uncertainty, uncertainty_weights
from polytask.balancing._upgrad import UPGrad, upgrad_weights

__all__ = [
    "COSMOS",
    "CRMOGM",
    "DBMTL",
    "DWA",
    "FAMO",
    "FORUM",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "MOML",
    "PBI",
    "PCD",
    "RGW",
    "RLW",
    "SAMO",
    "STCH",
    "AlignedMTL",
    "AutoLambda",
    "Balance",
    "BalancingMethod",
    "CAGrad",
    "ConFIG",
    "DualProj",
    "Equal",
    "Every",
    "ExcessMTL",
    "FairGrad",
    "FixedWeights",
    "GO4Align",
    "GeometricMean",
    "GradDrop",
    "GradNorm",
    "GradVac",
    "MicroBatches",
    "MoCo",
    "MoDo",
    "NashMTL",
    "Observed",
    "PCGrad",
    "PerReplica",
    "SDMGrad",
    "ScaleInvariant",
    "TrimmedMean",
    "UPGrad",
    "Uncertainty",
    "aligned_mtl_weights",
    "backward",
    "cagrad_weights",
    "config_weights",
    "cosmos_weights",
    "cr_mogm_weights",
    "db_mtl_weights",
    "dual_proj_weights",
    "dwa_weights",
    "excess_risks",
    "fairgrad_weights",
    "famo_weights",
    "forum_weights",
    "geometric_mean_weights",
    "go4align_weights",
    "grad_drop_direction",
    "grad_norm_targets",
    "grad_vac_weights",
    "imtl_g_weights",
    "imtl_l_weights",
    "method_from_dict",
    "method_names",
    "method_of",
    "method_text",
    "method_to_dict",
    "mgda_weights",
    "mo_co_weights",
    "nash_mtl_weights",
    "parameters_below",
    "pbi_weights",
    "pcd_weights",
    "pcgrad_weights",
    "random_weights",
    "same_method",
    "samo_perturbation",
    "scale_invariant_weights",
    "sdm_grad_weights",
    "shared_parameters",
    "stacked_backward",
    "stch_weights",
    "step",
    "trimmed_mean_direction",
    "uncertainty_weights",
    "upgrad_weights",
]
