"""Losses: raw outputs, targets and label weights in; a sum of losses and a sum of weights out.

Every loss has one signature, ``loss(outputs, target, weight) -> (loss_sum, weight_sum)``:

- ``outputs`` [..., n, n_outputs] are raw (logits, log means, scores and thresholds);
- ``target`` [..., n, n_targets] and ``weight`` [..., n, n_targets] belong together: weight 0 says that the label is missing,
  and then the target may be NaN and the outputs anything, they change neither value nor gradient;
- both results have the leading shape [...] (one number per replica), so that the mean is taken once, after adding over
  micro-batches, replicas or processes. No label at all gives 0 and 0.

>>> import torch
>>> from polytask.losses import mse
>>> outputs = torch.tensor([[1.0], [2.0], [5.0]])
>>> target = torch.tensor([[1.0], [4.0], [float("nan")]])
>>> loss_sum, weight_sum = mse(outputs, target, torch.tensor([[1.0], [1.0], [0.0]]))
>>> loss_sum, weight_sum
(tensor(4.), tensor(2.))
"""

from polytask.losses._binary_cross_entropy import binary_cross_entropy
from polytask.losses._cross_entropy import cross_entropy
from polytask.losses._cumulative_link import cumulative_link, cumulative_link_probabilities
from polytask.losses._mse import mse
from polytask.losses._poisson import poisson

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "cumulative_link",
    "cumulative_link_probabilities",
    "mse",
    "poisson",
]
