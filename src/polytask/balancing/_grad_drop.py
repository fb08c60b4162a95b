"""GradDrop: gradient sign dropout."""

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def grad_drop_direction(jacobian: Tensor, *, leak: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
    r"""In every coordinate keep the gradients of one sign only, drawn with the share that this sign has.

    .. math:: P = \tfrac12 \Big(1 + \frac{\sum_t g_t}{\sum_t |g_t|}\Big), \qquad
        d = \sum_t \big(\ell_t + (1 - \ell_t) M_t\big) g_t, \qquad M_t = [P > U][g_t > 0] + [P < U][g_t < 0]

    Parameters
    ----------
    jacobian : Tensor of shape (n_tasks, n_parameters)
        The tasks' gradients as rows.
    leak : Tensor of shape (n_tasks,), optional
        Share of each gradient that is never dropped, in [0, 1]; 0 by default, 1 is the plain sum.
    generator : torch.Generator, optional
        Draws one number a coordinate, on the CPU; the global one by default.

    Returns
    -------
    direction : Tensor of shape (n_parameters,)
        On average a step in every coordinate as likely up as the gradients' share; nothing is dropped where signs agree.

    References
    ----------
    Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout", NeurIPS 2020. arXiv:2010.06808

    Examples
    --------
    >>> grad_drop_direction(torch.tensor([[1.0, -2.0], [3.0, -1.0]]))
    tensor([ 4., -3.])
    """
    size = jacobian.abs().sum(0)
    purity = 0.5 * (1 + jacobian.sum(0) / torch.where(size > 0, size, 1.0))
    drawn = torch.rand(purity.shape, dtype=purity.dtype, generator=generator).to(purity.device)
    kept = ((purity > drawn) & (jacobian > 0)) | ((purity < drawn) & (jacobian < 0))
    share = kept.to(jacobian)
    if leak is not None:
        share = leak.to(jacobian)[:, None] + (1 - leak.to(jacobian))[:, None] * share
    return (share * jacobian).sum(0)


class GradDrop(BalancingMethod):
    """Gradient sign dropout: in every coordinate one sign wins, by chance; see :func:`grad_drop_direction`.

    The paper puts it at the last shared features and adds up over the rows of a batch before the draw.
    DIFFERS FROM PAPER: with ``features`` every value of every row is a coordinate of its own here. In several processes each
    draws for its own rows, so that steps are equal to one process in distribution only; with ``shared_params`` they are equal.

    Parameters
    ----------
    leak : float in [0, 1] or mapping from task to float, default=0.0
        Share of gradients that is never dropped; a task that a mapping does not name has 0.
    random_state : int, default=0
    """

    needs = frozenset({"jacobian"})

    def __init__(self, *, leak: float | Mapping[Hashable, float] = 0.0, random_state: int = 0) -> None:
        super().__init__(random_state=random_state)
        given = list(leak.values()) if isinstance(leak, Mapping) else [leak]
        if not all(0 <= value <= 1 for value in given):
            raise ValueError(f"`leak` of GradDrop must be in [0, 1]; got {leak}.")
        self.leak = leak

    def forward(self, seen: Observed) -> Tensor:
        """Direction [n_parameters]."""
        assert seen.jacobian is not None
        given = self.leak if isinstance(self.leak, Mapping) else dict.fromkeys(seen.tasks, self.leak)
        leak = seen.jacobian.new_tensor([given.get(task, 0.0) for task in seen.tasks])
        return grad_drop_direction(seen.jacobian, leak=leak, generator=self.generator)
