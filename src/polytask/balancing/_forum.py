"""FORUM: first-order multi-gradient algorithm for multi-objective bi-level optimization."""

from collections.abc import Hashable, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from scipy.optimize import Bounds, LinearConstraint, minimize
from torch import Tensor

from polytask.balancing._adam import adam_step
from polytask.balancing._ahead import Ahead, Taken
from polytask.balancing._balance import Balance
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._solvers import Matrix


def forum_weights(gramian: Tensor, toward: Tensor, squared: float, *, rho: float = 0.1) -> Tensor:
    r"""Mixture of the tasks' held-out gradients for the steepest descent of the worst that also closes a gap.

    .. math:: \min_{\lambda \in \Delta,\, \nu \ge 0} \tfrac12 \Big\|\sum_t \lambda_t F_t + \nu q\Big\|^2 - \nu \rho \|q\|^2,
        \qquad \nu = \max\Big(\sum_t \lambda_t \pi_t,\, 0\Big), \quad \pi_t = \rho - \frac{F_t^\top q}{\|q\|^2}

    It is the dual of the direction that goes down every :math:`F_t` as fast as can be, with a descent along :math:`q` of at least
    :math:`\rho \|q\|^2`.

    Parameters
    ----------
    gramian : Tensor of shape (n_tasks, n_tasks)
        Inner products of the :math:`F_t`.
    toward : Tensor of shape (n_tasks,)
        Inner products of the :math:`F_t` with :math:`q`.
    squared : float
        Squared norm of :math:`q`.
    rho : float, default=0.1

    Returns
    -------
    mixture : float64 Tensor of shape (n_tasks,)
        In the simplex.

    References
    ----------
    Ye et al., "A First-Order Multi-Gradient Algorithm for Multi-Objective Bi-Level Optimization", ECAI 2024. arXiv:2401.09257

    Examples
    --------
    >>> forum_weights(torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2), 1.0)
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    matrix = gramian.detach().to("cpu", torch.float64).numpy()
    n_tasks = len(matrix)
    length = squared**0.5
    along = toward.detach().to("cpu", torch.float64).numpy() / length if length > 0 else np.zeros(n_tasks)
    aside = matrix - np.outer(along, along)
    asked = rho * length

    def value(mixture: Matrix) -> float:  # with the best `nu` put in
        s = float(along @ mixture)
        return float(0.5 * mixture @ aside @ mixture) + (0.5 * s**2 if s >= asked else s * asked - 0.5 * asked**2)

    def slope(mixture: Matrix) -> Matrix:
        found: Matrix = aside @ mixture + max(float(along @ mixture), asked) * along
        return found

    found = minimize(
        value,
        np.full(n_tasks, 1 / n_tasks),
        jac=slope,
        method="SLSQP",
        bounds=Bounds(0.0, 1.0),
        constraints=LinearConstraint(np.ones((1, n_tasks)), 1.0, 1.0),
        options={"ftol": 1e-14, "maxiter": 300},
    ).x.clip(min=0)
    return torch.as_tensor(found / found.sum())


class FORUM(BalancingMethod):
    r"""Weights and parameters moved at once by held-out gradients: through :func:`~polytask.balancing.step`, with two batches.

    Experimental: after the authors' description and code, checked against it written out naively.

    The weights are :math:`w = \mathrm{softmax}(a)`, the training loss :math:`f(a, \theta) = \sum_t w_t L_t`. With
    :math:`\theta^T` a few steps of gradient descent on :math:`f` away, :math:`q` is the gradient of
    :math:`f(a, \theta) - f(a, \theta^T)`, in which :math:`\theta^T` does not move. The step of logits and parameters is
    :math:`\sum_t \lambda_t F_t + \nu q`, with the held-out gradients :math:`F_t` brought to length 1 and the mixture of
    :func:`forum_weights`, which is smoothed by :math:`\lambda \leftarrow \lambda + (\lambda_{new} - \lambda) / e^{3/4}` in epoch
    e; call :meth:`end_epoch` after each. Costs the steps of gradient descent, and a backward pass on held-out rows for each task.

    Parameters
    ----------
    rho : float > 0, default=0.1
        How fast the gap of the training loss shall close.
    inner_learning_rate : float > 0, default=0.1
    inner_steps : int >= 1, default=5
        Of gradient descent on the training loss.
    learning_rate : float > 0, default=1e-3
        Of the logits, by Adam.
    """

    needs = frozenset({"losses", "validation_batch"})
    n_batches = 2
    by_name = False
    experimental = True

    def __init__(
        self,
        *,
        rho: float = 0.1,
        inner_learning_rate: float = 0.1,
        inner_steps: int = 5,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__()
        if (
            not rho > 0
            or not 0 < inner_learning_rate < float("inf")
            or not inner_steps >= 1
            or not 0 < learning_rate < float("inf")
        ):
            raise ValueError(
                "`rho`, `inner_learning_rate`, `inner_steps` and `learning_rate` of FORUM must be positive; got "
                f"{rho}, {inner_learning_rate}, {inner_steps} and {learning_rate}."
            )
        self.rho = rho
        self.inner_learning_rate = inner_learning_rate
        self.inner_steps = inner_steps
        self.learning_rate = learning_rate

    def look_ahead(self, ahead: Ahead) -> Taken:
        """The gradients of the step."""
        losses, in_train = ahead.losses(0)
        weights = torch.zeros(len(losses), dtype=torch.float64)
        there = torch.nonzero(in_train).ravel().cpu()
        names = [ahead.tasks[k] for k in there.tolist()]
        if names:
            weights[there] = torch.softmax(self._logits(names), dim=0)
        of_weights, of_parameters = self._gap(ahead, weights, losses)
        rows, in_held_out = ahead.jacobian(1, of=ahead.parameters)
        present = torch.nonzero(in_held_out).ravel()
        lengths = rows.norm(dim=1, keepdim=True)
        rows = (rows / torch.where(lengths > 0, lengths, 1.0))[present]
        squared = float(of_weights.square().sum()) + float(of_parameters.double().square().sum())
        toward = (rows @ of_parameters).double().cpu()
        mixture = self._mixture([ahead.tasks[k] for k in present.tolist()], (rows @ rows.T).double(), toward, squared)
        pull = max(float((mixture * (self.rho - (toward / squared if squared > 0 else 0.0))).sum()), 0.0)
        if names:
            slope = pull * of_weights[there]
            adam_step(self, "logits", names, self._logits(names), slope, learning_rate=self.learning_rate)
        direction = mixture.to(rows) @ rows + pull * of_parameters
        return Taken(Balance(ahead.tasks, weights), ahead.split(direction))

    def _gap(self, ahead: Ahead, weights: Tensor, losses: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient of the gap of the training loss: along the logits [n_tasks], and along the parameters, flat."""
        here = ahead.gradient(0, weights)
        gradient, after = here, losses
        with ExitStack() as moves:
            for _ in range(self.inner_steps):
                moves.enter_context(ahead.moved(gradient, -self.inner_learning_rate))
                gradient = ahead.gradient(0, weights)
            after = ahead.losses(0)[0]
        of_softmax = torch.diag(weights) - weights[:, None] * weights
        return of_softmax @ (losses - after).double().cpu(), torch.cat([g.reshape(-1) for g in here])

    def _mixture(self, names: Sequence[Hashable], gramian: Tensor, toward: Tensor, squared: float) -> Tensor:
        """The smoothed mixture of these tasks."""
        if not names:
            return torch.zeros(0, dtype=torch.float64)
        found = forum_weights(gramian, toward, squared, rho=self.rho)
        epoch = float(self.recall("epochs", ("",), default=torch.zeros(()))) + 1
        kept = self.recall("mixture", names, default=torch.tensor(0.0, dtype=torch.float64))
        mixture = kept + (found - kept) / epoch**0.75
        self.remember("mixture", names, mixture)
        return mixture

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Count the epoch."""
        self.remember("epochs", ("",), self.recall("epochs", ("",), default=torch.zeros(())).reshape(1) + 1)

    def forward(self, seen: Observed) -> Tensor:
        """Weights of the losses [n_tasks], in the simplex."""
        return torch.softmax(self._logits(seen.tasks), dim=0).to(seen.losses)

    def _logits(self, tasks: Sequence[Hashable]) -> Tensor:
        return self.recall("logits", tasks, default=torch.tensor(0.0, dtype=torch.float64))
