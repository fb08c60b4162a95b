"""DWA: dynamic weight average."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def dwa_weights(last: Tensor, previous: Tensor, *, temperature: float = 2.0) -> Tensor:
    r"""Weight tasks by how slowly their loss falls.

    .. math:: w_t = T \cdot \mathrm{softmax}_t(r_t / \tau), \quad r_t = L_t^{(e-1)} / L_t^{(e-2)}

    Parameters
    ----------
    last, previous : Tensor of shape (n_tasks,)
        Mean training loss of each task over the last epoch and the one before; positive, in the loss's own unit.
    temperature : float, default=2.0
        Larger is closer to equal weights.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Positive, summing to ``n_tasks``.

    Raises
    ------
    ValueError
        If the two tensors differ in shape.

    References
    ----------
    Liu, Johns & Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019. arXiv:1803.10704

    Examples
    --------
    >>> dwa_weights(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 2.0]))
    tensor([1.1244, 0.8756])
    """
    if last.shape != previous.shape:
        raise ValueError(
            f"`last` and `previous` must have one loss per task each; got shapes {tuple(last.shape)} and {tuple(previous.shape)}."
        )
    return len(last) * torch.softmax(last / previous / temperature, dim=0)


class DWA(BalancingMethod):
    """Dynamic weight average of the last two epochs; see :func:`dwa_weights`.

    Call :meth:`end_epoch` with the mean losses of every epoch; the training loop does. The first two epochs weigh all tasks
    equally, as in the paper; so does a task that was absent in one of the last two.

    Parameters
    ----------
    temperature : float > 0, default=2.0
    """

    def __init__(self, *, temperature: float = 2.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"`temperature` of DWA must be positive; got {temperature}.")
        self.temperature = temperature

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks], 1 on the mean."""
        last, previous = (
            self.recall(epoch, seen.tasks, default=torch.full_like(seen.losses, torch.nan)) for epoch in ("last", "previous")
        )
        ratio = (last / previous).nan_to_num(nan=1.0, posinf=1.0, neginf=1.0)
        return dwa_weights(ratio, torch.ones_like(ratio), temperature=self.temperature)

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Remember the mean losses [n_tasks] of the epoch that has ended; NaN for a task that was absent."""
        names = tuple(range(len(losses))) if tasks is None else tuple(tasks)
        self.remember("previous", names, self.recall("last", names, default=torch.full_like(losses, torch.nan)))
        self.remember("last", names, losses)
