"""Trimmed mean of the gradients."""

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def trimmed_mean_direction(jacobian: Tensor, *, trim: int = 1) -> Tensor:
    """Mean of the gradients in every coordinate, without its largest and smallest values.

    Parameters
    ----------
    jacobian : Tensor of shape (n_tasks, n_parameters)
        The tasks' gradients as rows.
    trim : int, default=1
        How many values are left out at either end; less where fewer than ``2 * trim + 1`` tasks are there.

    Returns
    -------
    direction : Tensor of shape (n_parameters,)

    References
    ----------
    Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018. arXiv:1803.01498

    Examples
    --------
    >>> import torch
    >>> trimmed_mean_direction(torch.tensor([[1.0, 9.0], [2.0, 0.0], [300.0, 1.0]]))
    tensor([2., 1.])
    """
    # DIFFERS FROM PAPER: with too few tasks, which come and go here, the median of what is there instead of none
    trim = min(trim, (len(jacobian) - 1) // 2)
    return jacobian.sort(dim=0).values[trim : len(jacobian) - trim].mean(0)


class TrimmedMean(BalancingMethod):
    """Mean of the gradients without the extreme ones of every coordinate; see :func:`trimmed_mean_direction`.

    Robust to one or a few tasks that run wild, not a way to balance: what few tasks alone ask for is cut off.

    Parameters
    ----------
    trim : int >= 0, default=1
        How many values are left out at either end.
    """

    needs = frozenset({"jacobian"})

    def __init__(self, *, trim: int = 1) -> None:
        super().__init__()
        if not trim >= 0:
            raise ValueError(f"`trim` of TrimmedMean must be >= 0; got {trim}.")
        self.trim = trim

    def forward(self, seen: Observed) -> Tensor:
        """Direction [n_parameters]."""
        assert seen.jacobian is not None
        return trimmed_mean_direction(seen.jacobian, trim=self.trim)
