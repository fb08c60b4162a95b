"""Losses: raw outputs, targets and label weights in; a sum of losses and a sum of weights out.

Every loss has one signature, ``loss(outputs, target, weight) -> (loss_sum, weight_sum)``:

- ``outputs`` [..., n, n_outputs] are raw (logits, log means, scores and thresholds);
- ``target`` [..., n, n_targets] and ``weight`` [..., n, n_targets] belong together: weight 0 says that the label is missing,
  and then the target may be NaN and the outputs anything, they change neither value nor gradient;
- both results have the leading shape [...] (one number per replica), so that the mean is taken once, after adding over
  micro-batches, replicas or processes. No label at all gives 0 and 0.

Each is made by :func:`masked_sums` of a plain function, ``..._per_label(outputs, target)`` -> [..., n, n_targets], which knows
nothing of missing labels and weights; whoever has many tasks masks and weighs all of them at once and calls those.

What a task declares is a :class:`Loss`, a small object with the settings (:class:`Huber`, :class:`Focal`), which :func:`loss_of`
reads from a name, or makes of a user's function.

>>> import torch
>>> from polytask.losses import mse
>>> outputs = torch.tensor([[1.0], [2.0], [5.0]])
>>> target = torch.tensor([[1.0], [4.0], [float("nan")]])
>>> loss_sum, weight_sum = mse(outputs, target, torch.tensor([[1.0], [1.0], [0.0]]))
>>> loss_sum, weight_sum
(tensor(4.), tensor(2.))
"""

from polytask.losses._asymmetric_focal import AsymmetricFocal, asymmetric_focal, asymmetric_focal_per_label
from polytask.losses._auc import AUCM, AUCSquaredHinge, auc_margin, auc_squared_hinge
from polytask.losses._average_precision import AveragePrecision, average_precision_hinge
from polytask.losses._batch_loss import BatchLoss
from polytask.losses._binary_cross_entropy import binary_cross_entropy, binary_cross_entropy_per_label
from polytask.losses._class_balanced_focal import ClassBalancedFocal, effective_number_weights
from polytask.losses._class_loss import ClassLoss
from polytask.losses._cross_entropy import cross_entropy, cross_entropy_per_label
from polytask.losses._cumulative_link import cumulative_link, cumulative_link_per_label, cumulative_link_probabilities
from polytask.losses._focal import Focal, focal, focal_per_label, focal_to_probabilities
from polytask.losses._gaussian import Gaussian, gaussian, gaussian_log_variance, gaussian_of_members, gaussian_per_label
from polytask.losses._huber import Huber, huber, huber_per_label
from polytask.losses._label_smoothing import CrossEntropy, smoothed_cross_entropy
from polytask.losses._log_cosh import LogCosh, log_cosh, log_cosh_per_label
from polytask.losses._loss import Loss
from polytask.losses._loss_of import class_losses, loss_from_dict, loss_of, number_losses
from polytask.losses._mae import MAE, mae, mae_per_label
from polytask.losses._mse import MSE, mse, mse_per_label
from polytask.losses._number_loss import NumberLoss, spread
from polytask.losses._own import OwnClassLoss, OwnNumberLoss, function_name
from polytask.losses._poisson import Poisson, poisson, poisson_per_label
from polytask.losses._quantile import Quantile, quantile, quantile_per_label
from polytask.losses._soft_f1 import SoftF1Macro, SoftF1Micro, soft_f1
from polytask.losses._squared_hinges import squared_hinge_sums
from polytask.losses._sums import masked_inputs, masked_sums

__all__ = [
    "AUCM",
    "MAE",
    "MSE",
    "AUCSquaredHinge",
    "AsymmetricFocal",
    "AveragePrecision",
    "BatchLoss",
    "ClassBalancedFocal",
    "ClassLoss",
    "CrossEntropy",
    "Focal",
    "Gaussian",
    "Huber",
    "LogCosh",
    "Loss",
    "NumberLoss",
    "OwnClassLoss",
    "OwnNumberLoss",
    "Poisson",
    "Quantile",
    "SoftF1Macro",
    "SoftF1Micro",
    "asymmetric_focal",
    "asymmetric_focal_per_label",
    "auc_margin",
    "auc_squared_hinge",
    "average_precision_hinge",
    "binary_cross_entropy",
    "binary_cross_entropy_per_label",
    "class_losses",
    "cross_entropy",
    "cross_entropy_per_label",
    "cumulative_link",
    "cumulative_link_per_label",
    "cumulative_link_probabilities",
    "effective_number_weights",
    "focal",
    "focal_per_label",
    "focal_to_probabilities",
    "function_name",
    "gaussian",
    "gaussian_log_variance",
    "gaussian_of_members",
    "gaussian_per_label",
    "huber",
    "huber_per_label",
    "log_cosh",
    "log_cosh_per_label",
    "loss_from_dict",
    "loss_of",
    "mae",
    "mae_per_label",
    "masked_inputs",
    "masked_sums",
    "mse",
    "mse_per_label",
    "number_losses",
    "poisson",
    "poisson_per_label",
    "quantile",
    "quantile_per_label",
    "smoothed_cross_entropy",
    "soft_f1",
    "spread",
    "squared_hinge_sums",
]
