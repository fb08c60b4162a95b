"""COSMOS: conditioned one-shot multi-objective search."""

from collections.abc import Hashable, Sequence

import torch
from scipy.special import gammaincinv
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def cosmos_weights(losses: Tensor, preference: Tensor, *, penalty: float = 2.0) -> Tensor:
    r"""Weigh tasks by the slope of the preferred sum of losses less a penalty times its cosine with the preference.

    .. math:: w = \nabla_L \Big(r^\top L - \lambda \frac{r^\top L}{\|r\| \|L\|}\Big)

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
    preference : Tensor of shape (n_tasks,)
        At least 0, summing to 1.
    penalty : float >= 0, default=2.0
        Spreads solutions over the front; 0 is the weighted sum.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        May be negative.

    References
    ----------
    Ruchte & Grabocka, "Scalable Pareto Front Approximation for Deep Multi-Objective Learning", ICDM 2021. arXiv:2103.13392

    Examples
    --------
    >>> cosmos_weights(torch.tensor([3.0, 4.0]), torch.tensor([0.5, 0.5]), penalty=1.0)
    tensor([0.4774, 0.5170])
    """
    length = losses.norm()
    if length == 0:
        return preference
    toward = preference / preference.norm()
    cosine = toward @ losses / length
    return preference - penalty * (toward - cosine * losses / length) / length


class COSMOS(BalancingMethod):
    """One network for the whole front: every step draws a preference that the network is told; see :func:`cosmos_weights`.

    Draw before the forward pass, and give what is drawn to the network as an input::

        r = method.draw(tasks)
        z = trunk(torch.cat([x, r.expand(len(x), -1)], dim=1))
        backward([...], method, tasks=tasks)

    At prediction any preference can be given. A step without a draw draws its own, so that a network which is told nothing is
    trained on random weighted sums.

    Experimental: the slope is checked against automatic differentiation, not against another implementation.

    Parameters
    ----------
    alpha : float > 0, default=1.2
        Of the Dirichlet distribution of preferences: 1 is uniform, less is nearer to single tasks.
    penalty : float >= 0, default=2.0
        Weight of the cosine.
    random_state : int, default=0
    """

    experimental = True

    def __init__(self, *, alpha: float = 1.2, penalty: float = 2.0, random_state: int = 0) -> None:
        super().__init__(random_state=random_state)
        if not alpha > 0 or not penalty >= 0:
            raise ValueError(f"`alpha` of COSMOS must be > 0 and `penalty` >= 0; got {alpha} and {penalty}.")
        self.alpha = alpha
        self.penalty = penalty

    def draw(self, tasks: Sequence[Hashable]) -> Tensor:
        """Preference [n_tasks] of the next step, in the simplex, float64.

        Parameters
        ----------
        tasks : sequence of hashable
            Name of each task, or ``range(n_tasks)`` where ``backward`` is given no names.
        """
        uniform = torch.rand(len(tasks), generator=self.generator, dtype=torch.float64)
        drawn = torch.as_tensor(gammaincinv(self.alpha, uniform.numpy())).clamp(min=1e-300)  # of gamma distributions
        preference = drawn / drawn.sum()
        self.remember("preference", tuple(tasks), preference)
        return preference

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]; the preference is rescaled to sum to 1 over the tasks present."""
        drawn = self.memory.pop("preference", {})
        if not all(task in drawn for task in seen.tasks):
            self.draw(seen.tasks)
            drawn = self.memory.pop("preference")
        preference = torch.stack([drawn[task] for task in seen.tasks]).to(seen.losses)
        total = preference.sum()
        preference = preference / total if total > 0 else torch.full_like(preference, 1 / len(preference))
        return cosmos_weights(seen.losses, preference, penalty=self.penalty)
