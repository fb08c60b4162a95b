"""SAMO: sharpness-aware multi-task optimization with joint global-local perturbation."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._ahead import Ahead, Taken
from polytask.balancing._balance import Balance
from polytask.balancing._equal import Equal
from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError


def samo_perturbation(mean: Sequence[Tensor], local: Sequence[Tensor], *, rho: float = 1e-3, beta: float = 0.1) -> list[Tensor]:
    r"""How far to go up before the gradient of a task is taken: along the mean gradient, and a little along its own.

    .. math:: \epsilon = \rho \frac{v}{\|v\|}, \qquad
        v_p = (1 - \beta) \bar g_p + \beta \|\bar g_p\| \frac{\hat g_p}{\|\hat g_p\|} \quad \text{for each parameter tensor } p

    Parameters
    ----------
    mean, local : sequence of Tensor
        Gradient of the mean loss, and an estimate of that of the task, by parameter tensor.
    rho : float, default=1e-3
        Length of the perturbation.
    beta : float, default=0.1
        Share of the task's own, in [0, 1].

    Returns
    -------
    perturbation : list of Tensor
        Zeros if there is no gradient.

    References
    ----------
    "SAMO: A Lightweight Sharpness-Aware Approach for Multi-Task Optimization with Joint Global-Local Perturbation", ICCV 2025.

    Examples
    --------
    >>> samo_perturbation([torch.tensor([3.0, 4.0])], [torch.tensor([1.0, 0.0])], rho=0.1, beta=0.0)
    [tensor([0.0600, 0.0800])]
    """
    mixed = [(1 - beta) * g + beta * g.norm() * _unit(own) for g, own in zip(mean, local, strict=True)]
    length = torch.sqrt(sum((v.double().square().sum() for v in mixed), start=torch.zeros((), dtype=torch.float64)))
    return [v * (rho / float(length)) if length > 0 else torch.zeros_like(v) for v in mixed]


def _unit(g: Tensor) -> Tensor:
    length = g.norm()
    return g / length if length > 0 else torch.zeros_like(g)


class SAMO(BalancingMethod):
    r"""Another method, on gradients taken where the losses are worst nearby: through :func:`~polytask.balancing.step`.

    Every task's gradient is taken at parameters that are moved by :func:`samo_perturbation`, its own part estimated from two
    losses, at :math:`\theta \pm \epsilon z` with random normal z; its head is moved along the head's own gradient. The method
    inside then balances the shared gradients; each head gets the gradient at its moved parameters.

    Experimental: after the authors' code, checked against it written out naively, not against another implementation.
    DIFFERS FROM PAPER: the losses of the estimate are taken in the mode that the closure has, not in evaluation mode.

    Costs three forward passes for each task, and a backward pass, besides one for each that balancing takes.

    Parameters
    ----------
    method : BalancingMethod, default=Equal()
        What balances.
    rho : float >= 0, default=1e-3
        Length of the perturbation.
    beta : float in [0, 1], default=0.1
        Share of the task's own gradient in it.
    eps : float > 0, default=0.01
        Step of the estimate.
    random_state : int, default=0
    """

    by_name = False
    experimental = True

    def __init__(
        self,
        method: BalancingMethod | None = None,
        *,
        rho: float = 1e-3,
        beta: float = 0.1,
        eps: float = 0.01,
        random_state: int = 0,
    ) -> None:
        super().__init__(random_state=random_state)
        method = Equal() if method is None else method
        if method.needs & {"extra_batches", "validation_batch", "second_forward"}:
            raise OptionError(f"SAMO takes a method that `backward` serves; got {type(method).__name__}.")
        if not rho >= 0 or not 0 <= beta <= 1 or not eps > 0:
            raise ValueError(f"`rho` of SAMO must be >= 0, `beta` in [0, 1] and `eps` > 0; got {rho}, {beta} and {eps}.")
        self.method = method
        self.rho = rho
        self.beta = beta
        self.eps = eps

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """A second forward pass, and what is needed inside."""
        return self.method.needs | {"second_forward"}

    def forward(self, seen: Observed) -> Tensor:
        """What the method inside makes of these gradients."""
        found: Tensor = self.method(seen)
        return found

    def look_ahead(self, ahead: Ahead) -> Taken:
        """The gradients of the step."""
        rows, present = ahead.jacobian(0, of=ahead.parameters)
        losses, _ = ahead.losses(0)
        mean = rows[present].mean(0) if bool(present.any()) else torch.zeros_like(rows[0])
        taken = torch.zeros_like(rows)
        for task in torch.nonzero(present).ravel().tolist():
            alone = torch.zeros(len(rows)).index_fill(0, torch.tensor([task]), 1.0)
            with ahead.moved(self._move(ahead, task, mean, rows[task])):
                taken[task] = torch.cat([g.reshape(-1) for g in ahead.gradient(0, alone)])
        return self._balanced(ahead, losses, taken, present)

    def _move(self, ahead: Ahead, task: int, mean: Tensor, own: Tensor) -> list[Tensor]:
        """Perturbation of all parameters for one task."""
        is_shared = ahead.is_shared
        noise = [torch.randn(p.shape, generator=self.generator, dtype=p.dtype).to(p.device) for p in ahead.parameters]
        noise = [z if shared else torch.zeros_like(z) for z, shared in zip(noise, is_shared, strict=True)]
        with ahead.moved(noise, self.eps):
            above = ahead.losses(0)[0][task]
        with ahead.moved(noise, -self.eps):
            below = ahead.losses(0)[0][task]
        slope = (above - below) / (2 * self.eps)
        means, owns = ahead.split(mean), ahead.split(own)
        shared = samo_perturbation(
            [g for g, here in zip(means, is_shared, strict=True) if here],
            [slope.to(z) * z for z, here in zip(noise, is_shared, strict=True) if here],
            rho=self.rho,
            beta=self.beta,
        )
        heads = [g for g, here in zip(owns, is_shared, strict=True) if not here]
        moved = iter(samo_perturbation(heads, heads, rho=self.rho, beta=0.0))
        moved_shared = iter(shared)
        return [next(moved_shared if here else moved) for here in is_shared]

    def _balanced(self, ahead: Ahead, losses: Tensor, taken: Tensor, present: Tensor) -> Taken:
        """The shared gradients balanced, the others as they are."""
        n_tasks, there = len(present), torch.nonzero(present).ravel()
        columns = torch.cat([torch.full((p.numel(),), here) for p, here in zip(ahead.parameters, ahead.is_shared, strict=True)])
        rows = taken[:, columns]
        gramian = (rows @ rows.T).double()
        weights, total = torch.zeros(n_tasks, dtype=torch.float64), taken.sum(0)
        if len(there):
            names = tuple(ahead.tasks[k] for k in there.tolist())
            seen = Observed(losses[there], torch.ones_like(losses[there]), names, gramian[there][:, there], rows[there])
            found: Tensor = self.method(seen)
            if "jacobian" in self.method.needs:
                total[columns] = found.to(total)
                weights[there] = torch.nan
            else:
                weights[there] = found.double().cpu()
                total[columns] = found.to(rows) @ rows[there]
                if not self.method.needs & {"gramian", "jacobian"}:  # weights of losses, heads included
                    total = weights.to(taken) @ taken
        gramian = gramian.masked_fill(~present[:, None] | ~present, torch.nan)
        return Taken(Balance(ahead.tasks, weights, gramian), ahead.split(total))

    def after_step(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Pass on to the method inside."""
        self.method.after_step(losses, tasks=tasks)

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Pass on to the method inside."""
        self.method.end_epoch(losses, tasks=tasks)
