"""One network, or several of the same shape as one stack: the two things the loop can train."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap


class OneNetwork:
    """A single module.

    Attributes
    ----------
    parameters : dict of name to Tensor
    n_replicas : None
    """

    n_replicas: int | None = None

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.parameters: dict[str, Tensor] = dict(module.named_parameters())

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Inputs [B, ...] to raw outputs [B, outputs]."""
        return self.module(*inputs)

    def set_training(self, mode: bool) -> None:
        """Dropout on or off."""
        self.module.train(mode)

    def load(self, parameters: dict[str, Tensor]) -> None:
        """Put parameters into the module."""
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(parameters[name])


class StackedNetworks:
    """R modules of one shape, run as one by :func:`torch.func.vmap` (batched matrix products).

    Attributes
    ----------
    parameters : dict of name to Tensor of shape (R, ...)
    n_replicas : int
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = list(modules)
        self.module = self.modules[0]
        self.parameters, self.buffers = stack_module_state(self.modules)
        self._run = vmap(self._one, randomness="different")

    @property
    def n_replicas(self) -> int:
        """How many networks are still in training."""
        return len(next(iter(self.parameters.values())))

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Inputs [R, B, ...] to raw outputs [R, B, outputs]."""
        return self._run(self.parameters, self.buffers, inputs)

    def set_training(self, mode: bool) -> None:
        """Dropout on or off; only in the module that runs, the others lend their parameters until :meth:`load`."""
        self.module.train(mode)

    def keep(self, kept: Tensor) -> None:
        """Go on with these replicas only."""
        self.parameters = {name: p.detach()[kept].requires_grad_() for name, p in self.parameters.items()}
        self.buffers = {name: b[kept] for name, b in self.buffers.items()}

    def load(self, parameters: dict[str, Tensor]) -> None:
        """Put stacked parameters [R, ...] back into the R modules."""
        with torch.no_grad():
            for r, module in enumerate(self.modules):
                module.eval()
                for name, p in module.named_parameters():
                    p.copy_(parameters[name][r])

    def _one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
        return functional_call(self.module, (parameters, buffers), inputs)


def clip_gradients_(parameters: Sequence[Tensor], max_norm: float, *, n_replicas: int | None) -> None:
    """Scale gradients so that each network's norm is at most ``max_norm``; in place."""
    grads = [p.grad for p in parameters if p.grad is not None]
    if n_replicas is None:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, torch.nn.utils.get_total_norm(grads))
        return
    squares = torch.stack([g.flatten(1).square().sum(1) for g in grads]).sum(0)  # [R]
    factor = (max_norm / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for g in grads:
        g.mul_(factor.view(-1, *[1] * (g.dim() - 1)))


def all_finite(parameters: Sequence[Tensor]) -> bool:
    """Whether no number in any of the tensors is NaN or infinite."""
    return bool(torch.isfinite(torch.stack([p.detach().sum() for p in parameters])).all())


def keep_replicas(network: OneNetwork | StackedNetworks, optimizer: torch.optim.Optimizer, kept: Tensor) -> None:
    """Go on with some of the networks of a stack only, and with their part of the optimizer's state."""
    assert isinstance(network, StackedNetworks)
    old = network.parameters
    network.keep(kept)
    replaced = {id(old[name]): p for name, p in network.parameters.items()}
    for group in optimizer.param_groups:
        group["params"] = [replaced[id(p)] for p in group["params"]]
    state = dict(optimizer.state)
    optimizer.state.clear()
    for p, s in state.items():
        moved = {key: v[kept] if torch.is_tensor(v) and v.shape == p.shape else v for key, v in s.items()}
        optimizer.state[replaced[id(p)]] = moved
