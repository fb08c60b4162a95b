"""CAGrad: conflict-averse gradient descent."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import Matrix, as_weights, cosines_and_norms, min_norm_weights


def cagrad_weights(gramian: Tensor, *, c: float = 0.5) -> Tensor:
    r"""Weigh gradients by the direction near their mean that improves the worst task most.

    .. math:: d = \arg\max_{\|d - g_0\| \le c \|g_0\|} \min_t g_t^\top d, \qquad g_0 = \tfrac1T \sum_t g_t

    Solved through its dual over the simplex, ``min_w g_w' g_0 + c |g_0| |g_w|``, exactly: with ``tau = |g_w| / (c |g_0|)`` the
    weights are the point of least norm in the hull of ``g_t + tau g_0``, and on its face ``tau`` has a closed form.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the tasks' gradients.
    c : float, default=0.5
        Radius of the ball about the mean gradient, in its norm; 0 is the mean, and below 1 the losses' mean still converges.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        Of the direction as in the paper; the authors' code can divide it by ``1 + c`` or ``1 + c**2`` besides.

    References
    ----------
    Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021. arXiv:2110.14048

    Examples
    --------
    >>> import torch
    >>> cagrad_weights(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor([0.7500, 0.7500])
    """
    cosines, norms = cosines_and_norms(gramian)
    n_tasks, largest = len(norms), norms.max()
    if largest == 0:
        return as_weights(np.full(n_tasks, 1 / n_tasks), gramian)
    matrix = cosines * np.outer(norms, norms) / largest**2
    mean = np.full(n_tasks, 1 / n_tasks)
    radius = c * np.sqrt(max(float(mean @ matrix @ mean), 0.0))
    if radius <= 1e-12:
        return as_weights(mean, gramian)
    w = _by_faces(cosines, norms / largest, matrix @ mean, radius)
    if w is None:
        w = _worst_mixture(matrix, matrix @ mean, radius)
    length = np.sqrt(max(float(w @ matrix @ w), 0.0))
    if length <= 1e-12:  # the worst mixture is no gradient at all: nothing to lean to
        return as_weights(mean, gramian)
    return as_weights(mean + radius / length * w, gramian)


def _by_faces(cosines: Matrix, norms: Matrix, inner: Matrix, radius: float, *, max_iter: int = 30) -> Matrix | None:
    """The same weights by going from face to face of the simplex; None where that does not end, or a face has no minimum.

    On a face the minimum has a closed form. Weights that come out negative leave the face, others whose slope is lower than
    that on the face enter it, all at once; where nothing does, the minimum of this convex function is found.
    """
    if not norms.all():
        return None
    face = np.ones(len(norms), dtype=bool)
    for _ in range(max_iter):
        own = norms[face]
        try:
            factor = cho_factor(cosines[np.ix_(face, face)], check_finite=False)
        except np.linalg.LinAlgError:
            return None
        p, q = cho_solve(factor, np.stack([1 / own, inner[face] / own], axis=1), check_finite=False).T / own
        a = p.sum()
        lean = p * q.sum() / a - q
        rest = radius**2 + lean @ inner[face]  # lean sums to 0, so that |lean|^2 in the matrix is -lean'inner
        if rest <= 0:  # without an end along ``lean``: some weights must go
            face[face] = lean > 0
            continue
        tau = 1 / np.sqrt(a * rest)
        w = np.zeros(len(norms))
        w[face] = p / a + tau * lean
        slope = norms * (cosines @ (norms * w)) / tau + inner
        level = float(w @ slope)
        tol = 1e-11 * max(np.abs(inner).max(), abs(level), radius)
        leaving, entering = w < 0, ~face & (slope < level - tol)
        if not leaving.any() and not entering.any():
            fits = np.abs(slope[face] - level).max() <= 1e-9 * max(np.abs(inner).max(), abs(level), radius)
            return w if fits else None
        face = (face & ~leaving) | entering
        if not face.any():
            return None
    return None


def _worst_mixture(matrix: Matrix, inner: Matrix, radius: float, *, max_iter: int = 60) -> Matrix:
    """Weights in the simplex that minimize ``w'inner + radius |w|_matrix``."""

    def mixture(tau: float) -> tuple[Matrix, float]:
        shifted = matrix + tau * (inner[:, None] + inner) + tau**2 * inner.mean()
        norms = np.sqrt(np.maximum(shifted.diagonal(), 0.0))
        safe = np.where(norms > 0, norms, 1.0)
        w = min_norm_weights(shifted / safe[:, None] / safe, norms)
        return w, np.sqrt(max(float(w @ matrix @ w), 0.0))

    low, high = 0.0, 1.0
    while mixture(high)[1] > radius * high and high < 1e12:  # |g_w| <= 1 here, so that this ends
        low, high = high, 4 * high
    tau = high
    for _ in range(max_iter):
        w, length = mixture(tau)
        if abs(length - radius * tau) <= 1e-12 * max(length, radius * tau, 1e-300):
            break
        low, high = (tau, high) if length > radius * tau else (low, tau)
        guess = _on_face(matrix, inner, radius, w > 0)
        tau = guess if guess is not None and low < guess < high else (low + high) / 2
        if high - low <= 1e-15 * high:
            break
    return w


def _on_face(matrix: Matrix, inner: Matrix, radius: float, face: NDArray[np.bool_]) -> float | None:
    """``tau`` if the weights stay on this face, where ``|g_w|^2 = 1/a + tau^2 r``; None where that has no answer."""
    part = matrix[np.ix_(face, face)]
    try:
        p, q = np.linalg.solve(part, np.stack([np.ones(len(part)), inner[face]], axis=1)).T
    except np.linalg.LinAlgError:
        return None
    a = p.sum()
    lean = p * q.sum() / a - q
    rest = radius**2 - lean @ part @ lean
    return 1 / np.sqrt(a * rest) if a > 0 and rest > 0 else None


class CAGrad(BalancingMethod):
    """Conflict-averse gradient: near the mean, best for the worst task; see :func:`cagrad_weights`.

    Parameters
    ----------
    c : float >= 0, default=0.5
        Radius of the ball about the mean gradient.
    """

    needs = frozenset({"gramian"})
    weights_last = True

    def __init__(self, *, c: float = 0.5) -> None:
        super().__init__()
        if not c >= 0:
            raise ValueError(f"`c` of CAGrad must be >= 0; got {c}.")
        self.c = c

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        assert seen.gramian is not None
        return cagrad_weights(seen.gramian, c=self.c)
