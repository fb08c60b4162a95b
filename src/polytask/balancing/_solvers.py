"""Small exact solvers on Gramians, in float64 on the CPU: as many unknowns as tasks."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

Matrix = NDArray[np.float64]

_RANK = 1e-14  # eigenvalues below this share of the largest one are rounding


def cosines_and_norms(gramian: Tensor) -> tuple[Matrix, Matrix]:
    """Cosines [n, n] between gradients and their norms [n]; of a gradient of zeros the cosines are 0, its norm is 0.

    Solving with cosines keeps every digit where the norms differ by many orders.

    >>> cosines_and_norms(torch.tensor([[4.0, -3.0], [-3.0, 9.0]]))[0]
    array([[ 1. , -0.5],
           [-0.5,  1. ]])
    """
    matrix = gramian.detach().to("cpu", torch.float64).numpy()
    norms = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    safe = np.where(norms > 0, norms, 1.0)
    cosines = np.clip(matrix / safe[:, None] / safe, -1.0, 1.0)
    np.fill_diagonal(cosines, (norms > 0).astype(np.float64))
    return cosines, norms


def square_root(matrix: Matrix) -> Matrix:
    """A [r, n] with A.T @ A = matrix, for a symmetric matrix without negative eigenvalues, of rank r."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > _RANK * len(matrix) * max(values[-1], 0.0)
    return (vectors[:, kept] * np.sqrt(values[kept])).T


def nonnegative_quadratic(matrix: Matrix, linear: Matrix, *, root: Matrix | None = None) -> Matrix:
    """Minimize u'Mu / 2 - l'u over u >= 0, exactly: the active-set method of Lawson & Hanson (1974), by scipy.

    Parameters
    ----------
    matrix : array of shape (n, n)
        Symmetric, without negative eigenvalues.
    linear : array of shape (n,)
        In the range of ``matrix``, so that there is a minimum.
    root : array of shape (r, n), optional
        :func:`square_root` of the matrix, where it is at hand.

    Examples
    --------
    >>> nonnegative_quadratic(np.eye(2), np.array([1.0, -1.0]))
    array([1., 0.])
    """
    root = square_root(matrix) if root is None else root
    if not len(root):
        return np.zeros(len(matrix))
    target = np.linalg.lstsq(root.T, linear, rcond=None)[0]
    return nnls(root, target, maxiter=30 * len(matrix))[0]


def min_norm_weights(cosines: Matrix, norms: Matrix) -> Matrix:
    """Weights in the simplex of the point of least norm in the convex hull of the gradients, exactly.

    The point is found as a nonnegative least-squares problem: for u = s w with w in the simplex, ``|J'u|^2 + (1'u - 1)^2`` is
    least, over s, at a value that rises with ``|J'w|``.

    Parameters
    ----------
    cosines, norms
        Of :func:`cosines_and_norms`.
    """
    if not norms.all():  # a gradient of zeros is the point of least norm itself
        weights = (norms == 0).astype(np.float64)
        return weights / weights.sum()
    least = norms.min()
    root = np.vstack([square_root(cosines), least / norms])
    target = np.zeros(len(root))
    target[-1] = 1.0
    weights = nnls(root, target, maxiter=30 * len(norms))[0] / norms
    return weights / weights.sum()


def as_weights(values: Matrix, gramian: Tensor) -> Tensor:
    """Back to the dtype and device of the Gramian."""
    return torch.as_tensor(values, dtype=gramian.dtype, device=gramian.device)
