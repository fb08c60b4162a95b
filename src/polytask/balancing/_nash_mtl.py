"""Nash-MTL: the bargaining solution among the tasks; FairGrad: its generalization to alpha-fairness."""

import numpy as np
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import Matrix, as_weights, cosines_and_norms

_RIDGE = 1e-10  # on cosines: keeps weights finite where no direction improves all tasks


def fairgrad_weights(gramian: Tensor, *, alpha: float = 2.0) -> Tensor:
    r"""Weigh gradients so that the improvements of the tasks are alpha-fair.

    .. math:: J J^\top w = w^{-1/\alpha}, \qquad w > 0

    ``alpha=1`` is proportional fairness, the Nash bargaining solution; the larger ``alpha``, the more the task that improves
    least counts. The equation says that a strictly convex function has slope zero, and is solved by Newton's method.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.
    alpha : float > 0, default=2.0

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Positive; a task whose gradient is zero gets 0.

    References
    ----------
    Ban & Ji, "Fair Resource Allocation in Multi-Task Learning", ICML 2024. arXiv:2402.15638

    Examples
    --------
    >>> import torch
    >>> fairgrad_weights(torch.tensor([[1.0, 0.0], [0.0, 16.0]]), alpha=1.0)
    tensor([1.0000, 0.2500])
    """
    cosines, norms = cosines_and_norms(gramian)
    weights, there = np.zeros(len(norms)), norms > 0
    if there.any():
        part = cosines[np.ix_(there, there)]
        scale = np.exp((1 / alpha - 1) * np.log(norms[there]))  # the equation for w * norm, in cosines
        largest = scale.max() ** (alpha / (alpha + 1))  # and in units where its right side is about 1
        found = _fair(part + _RIDGE * np.eye(len(part)), scale / scale.max(), alpha)
        weights[there] = found * largest / norms[there]
    return as_weights(weights, gramian)


def _fair(matrix: Matrix, scale: Matrix, alpha: float, *, max_iter: int = 200) -> Matrix:
    """Solve ``matrix @ w = scale * w ** (-1 / alpha)`` for w > 0, by damped Newton steps in ``log w``."""
    power = 1 / alpha
    w = np.maximum(scale, 1e-8) ** (1 / (1 + power))
    moved = 1.0
    for _ in range(max_iter):
        right = scale * w**-power
        slope = matrix @ w - right
        if np.abs(slope * w).max() <= 1e-13 * max((right * w).max(), 1e-300):
            break
        step = np.linalg.solve(matrix + np.diag(power * right / w), -slope)
        last, moved = moved, np.abs(step / w).max()
        if moved <= 0.03:  # the slope is nearly linear here: full steps, until they no longer shrink tenfold, which is rounding
            w = w + step
            if 0.1 * last < moved < 1e-6:
                break
            continue
        shrink = -(step / w).min()
        size = 1.0 if shrink <= 0 else min(1.0, 0.9 / shrink)
        value = _potential(matrix, scale, w, power)
        while size > 1e-12 and _potential(matrix, scale, w + size * step, power) > value + 1e-4 * size * (slope @ step):
            size /= 2
        if size <= 1e-12:  # as near as float64 gets
            break
        w = w + size * step
    return w


def _potential(matrix: Matrix, scale: Matrix, w: Matrix, power: float) -> float:
    """The convex function whose slope is the equation."""
    gained = np.log(w) if power == 1 else w ** (1 - power) / (1 - power)
    return float(w @ matrix @ w / 2 - scale @ gained)


def nash_mtl_weights(gramian: Tensor) -> Tensor:
    r"""Weigh gradients by the Nash bargaining solution: the product of the tasks' improvements is greatest.

    .. math:: J J^\top w = 1 / w, \qquad w > 0

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Positive, in the unit of ``1 / |g|``: the direction does not depend on the scale of any task, and its length is
        ``sqrt(n_tasks)``. A task whose gradient is zero gets 0.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022. arXiv:2202.01017

    Examples
    --------
    >>> import torch
    >>> nash_mtl_weights(torch.tensor([[1.0, 0.0], [0.0, 16.0]]))
    tensor([1.0000, 0.2500])
    """
    return fairgrad_weights(gramian, alpha=1.0)


class FairGrad(BalancingMethod):
    """Alpha-fair improvements of the tasks; see :func:`fairgrad_weights`.

    Parameters
    ----------
    alpha : float > 0, default=2.0
    """

    needs = frozenset({"gramian"})
    weights_last = True

    def __init__(self, *, alpha: float = 2.0) -> None:
        super().__init__()
        if not alpha > 0:
            raise ValueError(f"`alpha` of FairGrad must be positive; got {alpha}.")
        self.alpha = alpha

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return fairgrad_weights(seen.gramian, alpha=self.alpha)


class NashMTL(BalancingMethod):
    """The Nash bargaining solution among the tasks; see :func:`nash_mtl_weights`.

    DIFFERS FROM PAPER: the equation is solved exactly by Newton's method in every step, where the paper takes up to 20 steps of a
    concave-convex procedure from the last solution; so there is no state, and no norm is clipped here.
    """

    needs = frozenset({"gramian"})
    weights_last = True

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return nash_mtl_weights(seen.gramian)
