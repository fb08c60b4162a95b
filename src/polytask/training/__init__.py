"""Training: a network, tensors and settings in; the parameters of the best epoch out.

:func:`fit` is the loop. It trains one network (:class:`OneNetwork`) or several of the same shape at once
(:class:`StackedNetworks`): folds, seeds, single-task twins.

>>> from polytask.training import TrainingSettings
>>> TrainingSettings(max_epochs=5).batch_size
64
"""

from polytask.training._balanced_step import BalanceAt, BalancedStep, EpochBalance
from polytask.training._checkpoint import Checkpoint
from polytask.training._data import TrainingData, class_strata, epoch_batches, n_batches, seed_of
from polytask.training._fit import fit
from polytask.training._history import EpochRecord, TrainingHistory
from polytask.training._losses import TaskLosses, mean_losses
from polytask.training._network import OneNetwork, StackedNetworks
from polytask.training._replica import Replica
from polytask.training._settings import TrainingSettings
from polytask.training._stopping import EarlyStopping, epochs_of_stops, labels_vary, mean_skill

__all__ = [
    "BalanceAt",
    "BalancedStep",
    "Checkpoint",
    "EarlyStopping",
    "EpochBalance",
    "EpochRecord",
    "OneNetwork",
    "Replica",
    "StackedNetworks",
    "TaskLosses",
    "TrainingData",
    "TrainingHistory",
    "TrainingSettings",
    "class_strata",
    "epoch_batches",
    "epochs_of_stops",
    "fit",
    "labels_vary",
    "mean_losses",
    "mean_skill",
    "n_batches",
    "seed_of",
]
