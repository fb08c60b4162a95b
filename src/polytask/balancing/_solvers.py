"""Small exact solvers on Gramians, in float64 on the CPU: as many unknowns as tasks."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv, dsyevd
from scipy.optimize import nnls
from torch import Tensor

Matrix = NDArray[np.float64]

_RANK = 1e-14  # eigenvalues below this share of the largest one are rounding
_SETTLED = 1e-12  # what is on the wrong side of zero by less than this is rounding
_ROUNDS = 10
_DEPENDENT = 1e-12  # unit gradients with an eigenvalue below this depend on each other: angles of about 1e-6
_NEARLY_DEPENDENT = 1e-3  # and below this, sums in float32 leave few digits of it
_SAFE_PIVOT = 1e-4  # where no pivot of a Cholesky factor is smaller, solving is safe without a look at the rank


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
    scaled = matrix / safe[:, None] / safe
    cosines = np.clip((scaled + scaled.T) / 2, -1.0, 1.0)  # sums in float32 may differ a little from one triangle to the other
    np.fill_diagonal(cosines, (norms > 0).astype(np.float64))
    return cosines, norms


def eigen(matrix: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues [n], ascending, and eigenvectors [n, n] as columns, of a symmetric matrix.

    As ``np.linalg.eigh``, by the same algorithm, but on one thread: for that one numpy wakes a thread of its own, even for ten
    rows, and where torch keeps all cores busy it waits for it, a hundred times as long as the work takes.
    """
    values, vectors, info = dsyevd(matrix, lower=1)
    if info:
        raise np.linalg.LinAlgError("The eigenvalues did not converge.")
    return values, vectors


def square_root(matrix: Matrix) -> Matrix:
    """A [r, n] with A.T @ A = matrix, for a symmetric matrix without negative eigenvalues, of rank r."""
    factor = definite_factor(matrix)
    if factor is not None:
        return factor.T
    values, vectors = eigen(matrix)
    kept = values > _RANK * len(matrix) * max(values[-1], 0.0)
    return (vectors[:, kept] * np.sqrt(values[kept])).T


def definite_factor(matrix: Matrix) -> Matrix | None:
    """Cholesky factor [n, n] of a matrix that is far from singular; None for others."""
    try:
        factor = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    largest = np.sqrt(matrix.diagonal().max(initial=0.0))
    return factor if factor.diagonal().min(initial=np.inf) > _SAFE_PIVOT * largest else None


def independent_part(cosines: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues [r] and eigenvectors [n, r] of the cosines, those left out that are rounding."""
    values, vectors = eigen(cosines)
    kept = values > _DEPENDENT * len(cosines)
    return values[kept], vectors[:, kept]


def is_nearly_dependent(gramian: Tensor) -> bool:
    """Whether some of the gradients all but depend on each other, whatever their norms."""
    cosines, norms = cosines_and_norms(gramian)
    some = cosines[np.ix_(norms > 0, norms > 0)]
    return len(some) > 1 and bool(np.linalg.eigvalsh(some)[0] < _NEARLY_DEPENDENT)


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
    square = len(root) == len(matrix)
    target = np.linalg.solve(root.T, linear) if square else np.linalg.lstsq(root.T, linear, rcond=None)[0]
    return nnls(root, target, maxiter=30 * len(matrix))[0]


def nonnegative_quadratics(matrix: Matrix, linear: Matrix) -> Matrix:
    """:func:`nonnegative_quadratic` for many linear terms [m, n] at once: the minimizers [m, n], exactly.

    Block principal pivoting (Kim & Park, "Fast Nonnegative Matrix Factorization", 2011): all entries on the wrong side of zero
    change sides at once, which some steps of a projected gradient have all but settled before. What is not optimal after
    some rounds, or not of full rank, is solved one by one.

    Examples
    --------
    >>> nonnegative_quadratics(np.eye(2), np.array([[1.0, -1.0], [2.0, 3.0]]))
    array([[1., 0.],
           [2., 3.]])
    """
    found, left = np.zeros_like(linear), np.arange(len(linear))
    passive = _projected_gradient(matrix, linear) > 0
    for _ in range(_ROUNDS):
        if not len(left):
            return found
        now, terms = passive[left], linear[left]
        u, solved = _solve_passive(matrix, terms, now)
        slope = u @ matrix - terms
        tol = _SETTLED * np.maximum(1.0, u.max(1, keepdims=True, initial=0.0))
        wrong = np.where(now, (u < -tol) | (np.abs(slope) > 1e3 * tol), slope < -tol)
        done = solved & ~wrong.any(1)
        found[left[done]] = np.maximum(u[done], 0.0)
        passive[left] = np.where(now, u > 0, slope < -tol)
        left = left[~done]
    root = square_root(matrix) if len(left) else None
    for k in left:
        found[k] = nonnegative_quadratic(matrix, linear[k], root=root)
    return found


def _projected_gradient(matrix: Matrix, linear: Matrix, *, n_steps: int = 10) -> Matrix:
    """Some steps of Nesterov's accelerated gradient from zero; near the minimizers."""
    step = 1 / max(min(np.abs(matrix).sum(0).max(), np.linalg.norm(matrix)), 1e-300)
    u = ahead = np.zeros_like(linear)
    momentum = 1.0
    for _ in range(n_steps):
        following = np.maximum(ahead - step * (ahead @ matrix - linear), 0.0)
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / grown * (following - u)
        u, momentum = following, grown
    return u


def _solve_passive(matrix: Matrix, linear: Matrix, passive: NDArray[np.bool_]) -> tuple[Matrix, NDArray[np.bool_]]:
    """Minimizers [m, n] that are zero outside the passive entries [m, n] and free inside; and which of them were found.

    One after the other: batched routines of torch take longer for what is this small, where they share it out among threads.
    """
    found, solved = np.zeros(linear.shape), np.zeros(len(linear), dtype=bool)
    for k, row in enumerate(passive):
        free = np.flatnonzero(row)
        if not len(free):
            solved[k] = True
            continue
        _, solution, info = dposv(matrix.take(free, 0).take(free, 1), linear[k, free], lower=1)
        if info == 0 and np.isfinite(solution).all():
            found[k, free], solved[k] = solution, True
    return found, solved


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
    if len(norms) == 2:
        return np.array(_shortest_between(float(norms[0]), float(norms[1]), float(cosines[0, 1])))
    least = norms.min()
    root = np.vstack([square_root(cosines), least / norms])
    target = np.zeros(len(root))
    target[-1] = 1.0
    weights = nnls(root, target, maxiter=30 * len(norms))[0] / norms
    return weights / weights.sum()


def min_norm_of_two(gramian: Tensor) -> list[float]:
    """:func:`min_norm_weights` of two gradients, without arrays."""
    (a, product), (_, b) = gramian.tolist()
    if a <= 0 or b <= 0:
        return [0.5, 0.5] if a <= 0 and b <= 0 else [float(a <= 0), float(b <= 0)]
    a, b = math.sqrt(a), math.sqrt(b)
    return _shortest_between(a, b, min(max(product / a / b, -1.0), 1.0))


def _shortest_between(a: float, b: float, cosine: float) -> list[float]:
    """Weights of the point nearest to the origin on the line from a gradient of length ``a`` to one of length ``b``."""
    first, second = b * (b - cosine * a), a * (a - cosine * b)
    if first <= 0 or second <= 0:  # one of them is the nearest point; both, if they are the same
        first, second = float(second <= 0), float(first <= 0)
    return [first / (first + second), second / (first + second)]


def two_without_conflict(gramian: Tensor) -> list[float]:
    """Weights [2] of the sum of two gradients, each without its part against the other: of two tasks all projections are this."""
    (a, product), (_, b) = gramian.tolist()
    against = max(-product, 0.0)
    return [1 + against / a if a > 0 else 1.0, 1 + against / b if b > 0 else 1.0]


def as_weights(values: Matrix | list[float], gramian: Tensor) -> Tensor:
    """Back to the dtype and device of the Gramian."""
    return torch.as_tensor(values, dtype=gramian.dtype, device=gramian.device)
