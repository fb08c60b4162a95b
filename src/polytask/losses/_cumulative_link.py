"""Cumulative link (proportional odds) for ordinal targets."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, pad

from polytask.losses._cross_entropy import at_code
from polytask.losses._sums import check_width, masked_sums


def cumulative_link(outputs: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""Negative log-likelihood of ordered levels that cut one score at rising thresholds.

    .. math::

        P(y \le k) = \sigma(\theta_k - s), \quad \theta_0 = r_0, \quad \theta_k = \theta_{k-1} + \mathrm{softplus}(r_k)

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_levels)
        The score s, then the n_levels - 1 raw thresholds r. A head may give every row the same thresholds
        (McCullagh's model) or let them depend on the row.
    target : Tensor of shape (..., n, 1)
        Level 0 .. n_levels - 1 as a float; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, 1)
        Label weights >= 0; 0 means missing.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses in nats and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    McCullagh, "Regression Models for Ordinal Data", Journal of the Royal Statistical Society B, 1980.

    Examples
    --------
    >>> import torch
    >>> outputs = torch.tensor([[0.0, 0.0, 1.0]])  # P(y <= 0) = sigmoid(0) = 0.5
    >>> cumulative_link(outputs, torch.tensor([[0.0]]), torch.ones(1, 1))
    (tensor(0.6931), tensor(1.))
    """
    return masked_sums(cumulative_link_per_label, outputs, target, weight, loss="cumulative_link")


def cumulative_link_per_label(outputs: Tensor, target: Tensor) -> Tensor:
    """Losses [..., n, 1] of outputs [..., n, n_levels] and targets [..., n, 1] without NaN; see :func:`cumulative_link`."""
    check_width(target.shape[-1], 1, what="target", loss="cumulative_link")
    return -at_code(cumulative_link_log_probabilities(outputs), target)


def cumulative_link_probabilities(outputs: Tensor) -> Tensor:
    """Probability of each level under :func:`cumulative_link`.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_levels)
        The score, then the n_levels - 1 raw thresholds.

    Returns
    -------
    probabilities : Tensor of shape (..., n, n_levels)
        Positive, summing to 1 over the last axis; float32 or wider.

    Raises
    ------
    ValueError
        If there are fewer than two levels.

    Examples
    --------
    >>> import torch
    >>> cumulative_link_probabilities(torch.tensor([[0.0, 0.0, 1.0]]))
    tensor([[0.5000, 0.2881, 0.2119]])
    """
    return cumulative_link_log_probabilities(outputs.to(torch.promote_types(outputs.dtype, torch.float32))).exp()


def cumulative_link_log_probabilities(outputs: Tensor) -> Tensor:
    """Log probability of each level [..., n, n_levels].

    Sums logsigmoids instead of taking the log of a difference of sigmoids, which would underflow.

    sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), and with a - b = softplus(r) the last factor is sigmoid(r).
    """
    if outputs.shape[-1] < 2:
        raise ValueError(f"`outputs` of cumulative_link must have one column per level, at least 2; got {outputs.shape[-1]}.")
    score, first, steps = outputs[..., :1], outputs[..., 1:2], outputs[..., 2:]
    # -logsigmoid(-r) is softplus(r) without its switch to a straight line at 20
    thresholds = torch.cat([first, -logsigmoid(-steps)], dim=-1).cumsum(dim=-1)
    below_upper = pad(logsigmoid(thresholds - score), (0, 1))  # the last level has no upper threshold
    above_lower = pad(logsigmoid(score - thresholds), (1, 0))  # the first level has no lower threshold
    return below_upper + above_lower + pad(logsigmoid(steps), (1, 1))
