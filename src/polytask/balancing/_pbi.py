"""PBI: penalty-based boundary intersection."""

from collections.abc import Hashable, Mapping

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed


def pbi_weights(losses: Tensor, preference: Tensor, *, ideal: Tensor | float = 0.0, theta: float = 5.0) -> Tensor:
    r"""Weigh tasks by the slope of the way along a ray, plus a penalty on the distance from it.

    .. math:: d_1 = (L - z)^\top \hat r, \qquad d_2 = \|L - z - d_1 \hat r\|, \qquad w = \nabla_L (d_1 + \theta d_2)

    with the unit vector :math:`\hat r` of the preference. What is sought is the point of the front on the ray: where losses above
    the ideal stand to each other as the preferences do, so that a task with a *larger* entry ends with a larger loss.

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
    preference : Tensor of shape (n_tasks,)
        Positive.
    ideal : Tensor of shape (n_tasks,) or float, default=0.0
        Least values of the losses.
    theta : float >= 0, default=5.0
        Weight of the distance; 0 is a weighted sum.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Negative for a task whose loss is too small for the ray: it is given up for the others.

    References
    ----------
    Zhang & Li, "MOEA/D: A Multiobjective Evolutionary Algorithm Based on Decomposition", IEEE Transactions on Evolutionary
    Computation 2007.

    Examples
    --------
    >>> import torch
    >>> pbi_weights(torch.tensor([2.0, 1.0]), torch.tensor([1.0, 1.0]), theta=0.5)
    tensor([1.0607, 0.3536])
    """
    ray = preference / preference.norm()
    above = losses - ideal
    aside = above - (above @ ray) * ray
    distance = aside.norm()
    if distance <= 1e-12 * above.norm():  # on the ray
        return ray
    return ray + theta * aside / distance


class PBI(BalancingMethod):
    """Penalty-based boundary intersection: losses are led along a ray; see :func:`pbi_weights`. They should be on one scale.

    Parameters
    ----------
    theta : float >= 0, default=5.0
        Weight of the distance from the ray. Above about 1 weights become negative away from the ray.
    preference : mapping from task to float > 0, optional
        How the losses shall stand to each other; equal by default.
    ideal : mapping from task to float, optional
        Least value of each loss; 0 by default.
    """

    by_task = ("preference", "ideal")

    def __init__(
        self,
        *,
        theta: float = 5.0,
        preference: Mapping[Hashable, float] | None = None,
        ideal: Mapping[Hashable, float] | None = None,
    ) -> None:
        super().__init__()
        if not theta >= 0:
            raise ValueError(f"`theta` of PBI must be >= 0; got {theta}.")
        if preference is not None and not all(value > 0 for value in preference.values()):
            raise ValueError(f"`preference` of PBI must be positive; got {dict(preference)}.")
        self.theta = theta
        self.preference = preference
        self.ideal = ideal

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        given, least = self.preference or {}, self.ideal or {}
        preference = seen.losses.new_tensor([given.get(task, 1.0) for task in seen.tasks])
        ideal = seen.losses.new_tensor([least.get(task, 0.0) for task in seen.tasks])
        return pbi_weights(seen.losses, preference, ideal=ideal, theta=self.theta)
