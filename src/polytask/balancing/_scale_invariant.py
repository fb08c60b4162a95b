"""Scale-invariant weighting: the sum of the logarithms of the losses, and their geometric mean."""

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def scale_invariant_weights(losses: Tensor, *, eps: float = 1e-8) -> Tensor:
    r"""Weigh tasks so that the mean of the logarithms of the losses is minimized.

    .. math:: \nabla \tfrac1T \sum_t \log L_t = \sum_t \tfrac{1}{T L_t} \nabla L_t

    Parameters
    ----------
    losses : Tensor of shape (..., n_tasks)
        Positive.
    eps : float, default=1e-8
        Losses below it count as it.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, its baseline "scale-invariant". arXiv:2202.01017

    Examples
    --------
    >>> import torch
    >>> scale_invariant_weights(torch.tensor([1.0, 4.0]))
    tensor([0.5000, 0.1250])
    """
    return 1 / losses.clamp(min=eps) / losses.shape[-1]


def geometric_mean_weights(losses: Tensor, *, eps: float = 1e-8) -> Tensor:
    r"""Weigh tasks so that the geometric mean of the losses is minimized.

    .. math:: \nabla \Big(\prod_t L_t\Big)^{1/T} = \sum_t \frac{(\prod_s L_s)^{1/T}}{T L_t} \nabla L_t

    Parameters
    ----------
    losses : Tensor of shape (..., n_tasks)
        Positive.
    eps : float, default=1e-8
        Losses below it count as it.

    References
    ----------
    Chennupati et al., "MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task Learning",
    CVPR Workshops 2019. arXiv:1904.08492

    Examples
    --------
    >>> import torch
    >>> geometric_mean_weights(torch.tensor([1.0, 4.0]))
    tensor([1.0000, 0.2500])
    """
    losses = losses.clamp(min=eps)
    return losses.log().mean(-1, keepdim=True).exp() / losses / losses.shape[-1]


class ScaleInvariant(BalancingMethod):
    """Mean of the log losses, which no task's unit changes; see :func:`scale_invariant_weights`."""

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        check_not_negative(seen.losses, "ScaleInvariant")
        return scale_invariant_weights(seen.losses)


class GeometricMean(BalancingMethod):
    """Geometric mean of the losses; see :func:`geometric_mean_weights`."""

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        check_not_negative(seen.losses, "GeometricMean")
        return geometric_mean_weights(seen.losses)


def check_not_negative(losses: Tensor, method: str) -> None:
    """Raise ValueError where a loss is negative, which has no logarithm."""
    if bool((losses < 0).any()):
        raise ValueError(f"Losses of {method} must not be negative; got {losses.tolist()}. Use a loss that is >= 0.")
