"""Optimizers and schedules: named parameters to an optimizer; a step number to a factor on its learning rate.

Optimizers and schedules are small objects of settings, which users may also give by name:

>>> from polytask.optim import SGD, optimizers_of, schedule_of
>>> optimizers_of({"encoder": SGD(learning_rate=0.1), "heads": "adagrad"})["heads"]
Adagrad()
>>> schedule_of("cosine:warmup=0").factor(0, total_steps=10)
1.0
"""

from polytask._parts import PARTS, is_matrix, part_of
from polytask.optim._adamw import adamw
from polytask.optim._adaptive_moments import Adam, Adamax, AdamW, Muon, NAdam, RAdam
from polytask.optim._by_part import OPTIMIZERS, PartOptimizers, optimizers_of, part_optimizers, with_usual_rates
from polytask.optim._descent import SGD, Adadelta, Adagrad, RMSprop
from polytask.optim._dropout import Dropout
from polytask.optim._l2 import L2
from polytask.optim._optimizer import Optimizer
from polytask.optim._proximal import group_factors, shrink_groups_, soft_threshold_
from polytask.optim._regularizers import L1, ElasticNet, GroupLasso, Regularizer, SoftOrthogonality, column_norms
from polytask.optim._regularizers_by_name import REGULARIZERS, regularizers_of
from polytask.optim._schedule import warmup_cosine
from polytask.optim._schedules import SCHEDULES, Constant, Cosine, Linear, OneCycle, Plateau, Schedule, Step, schedule_of
from polytask.optim._step_sizes import step_sizes

__all__ = [
    "L1",
    "L2",
    "OPTIMIZERS",
    "PARTS",
    "REGULARIZERS",
    "SCHEDULES",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Constant",
    "Cosine",
    "Dropout",
    "ElasticNet",
    "GroupLasso",
    "Linear",
    "Muon",
    "NAdam",
    "OneCycle",
    "Optimizer",
    "PartOptimizers",
    "Plateau",
    "RAdam",
    "RMSprop",
    "Regularizer",
    "Schedule",
    "SoftOrthogonality",
    "Step",
    "adamw",
    "column_norms",
    "group_factors",
    "is_matrix",
    "optimizers_of",
    "part_of",
    "part_optimizers",
    "regularizers_of",
    "schedule_of",
    "shrink_groups_",
    "soft_threshold_",
    "step_sizes",
    "warmup_cosine",
    "with_usual_rates",
]
