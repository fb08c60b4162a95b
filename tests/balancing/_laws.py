"""Laws that balancing methods obey or not; each method's test says which, on which matrices."""

from collections.abc import Callable

import torch
from torch import Tensor

from polytask.balancing import BalancingMethod, Observed

MATRICES = {
    "random": torch.randn(4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
    "wide": torch.randn(6, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(1)),
    "rank deficient": torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    @ torch.randn(2, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(3)),
    "scaled from 1e-6 to 1e6": torch.randn(7, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    * torch.logspace(-6, 6, 7, dtype=torch.float64)[:, None],
    "identical": torch.ones(2, 3, dtype=torch.float64),
    "opposite": torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64),
    "one task": torch.tensor([[3.0, -4.0]], dtype=torch.float64),
    "a task of zeros": torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 2.0]], dtype=torch.float64),
}


def observed(jacobian: Tensor, losses: Tensor | None = None, tasks: tuple | None = None) -> Observed:
    """One step with these gradients; losses of 1 where none are given."""
    n_tasks = len(jacobian)
    losses = torch.ones(n_tasks, dtype=jacobian.dtype) if losses is None else losses
    tasks = tuple(range(n_tasks)) if tasks is None else tasks
    return Observed(losses, torch.ones(n_tasks), tasks, (jacobian @ jacobian.T).double(), jacobian)


def direction(method: BalancingMethod, jacobian: Tensor, losses: Tensor | None = None, tasks: tuple | None = None) -> Tensor:
    """What the method makes of these gradients, [n_parameters]."""
    found = method(observed(jacobian, losses, tasks))
    return found if "jacobian" in method.needs else found.to(jacobian) @ jacobian


def assert_finite(make: Callable[[], BalancingMethod], jacobian: Tensor) -> None:
    assert torch.isfinite(direction(make(), jacobian)).all()


def assert_non_conflicting(make: Callable[[], BalancingMethod], jacobian: Tensor, *, atol: float = 1e-9) -> None:
    """A step along the direction makes no task worse: its product with every gradient is not negative."""
    found = direction(make(), jacobian)
    if found.norm() <= 1e-15 * jacobian.norm():  # none, but for rounding
        return
    cosines = jacobian @ found / (jacobian.norm(dim=1) * found.norm()).clamp(min=1e-300)
    assert (cosines >= -atol).all(), cosines.min()


def assert_permutation_equivariant(make: Callable[[], BalancingMethod], jacobian: Tensor, *, rtol: float = 1e-7) -> None:
    """The order of the tasks does not matter."""
    order = torch.randperm(len(jacobian), generator=torch.Generator().manual_seed(5))
    found = direction(make(), jacobian)
    torch.testing.assert_close(direction(make(), jacobian[order]), found, rtol=rtol, atol=rtol * float(found.abs().max()))


def assert_scale_invariant(make: Callable[[], BalancingMethod], jacobian: Tensor, *, rtol: float = 1e-7) -> None:
    """Multiplying one task's gradient by a positive number leaves the direction (not its length) as it was."""
    found = direction(make(), jacobian)
    for factor in (1e-3, 1e3):
        scaled = jacobian.clone()
        scaled[0] *= factor
        other = direction(make(), scaled)
        torch.testing.assert_close(other / other.norm(), found / found.norm(), rtol=rtol, atol=rtol)


def assert_resumes(make: Callable[[], BalancingMethod], jacobians: list[Tensor]) -> None:
    """A method loaded from its ``state_dict`` goes on bit for bit."""
    whole, first = make(), make()
    losses = [
        torch.rand(len(j), dtype=torch.float64, generator=torch.Generator().manual_seed(k)) for k, j in enumerate(jacobians)
    ]
    expected = [direction(whole, j, loss) for j, loss in zip(jacobians, losses, strict=True)]
    half = len(jacobians) // 2
    for j, loss in zip(jacobians[:half], losses[:half], strict=True):
        direction(first, j, loss)
    second = make()
    second.load_state_dict(first.state_dict())
    for j, loss, value in zip(jacobians[half:], losses[half:], expected[half:], strict=True):
        assert torch.equal(direction(second, j, loss), value)


def assert_takes_tasks_that_come_and_go(make: Callable[[], BalancingMethod]) -> None:
    """Rows may be missing in a step; the memory is kept by name."""
    method, jacobian = make(), MATRICES["random"]
    for tasks in [(0, 1, 2, 3), (0, 2), (3,), (1, 2, 3), (0, 1, 2, 3)]:
        assert torch.isfinite(direction(method, jacobian[list(tasks)], tasks=tasks)).all()
