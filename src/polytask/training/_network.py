"""One network, or several of the same shape as one stack: the two things the loop can train."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from polytask.optim import PartOptimizers
from polytask.training._own_dropout import differing_rates, with_own_dropout

ROUNDING = 1e-6  # of the largest gradient of a network, below which that of a bias may be rounding alone


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

    def in_parts(self, inputs: tuple[Tensor, ...]) -> tuple[Any, list[Tensor]]:
        """Inputs to the features that all tasks read, and to raw outputs [B, ...] of each task, none of which reads another's.

        The module has ``features`` and ``outputs_of``, as :class:`~polytask.networks.MultiTaskModule` does.
        """
        features = self.module.features(*inputs)  # type: ignore[operator]
        return features, self.module.outputs_of(features)  # type: ignore[operator]

    @property
    def has_features(self) -> bool:
        """Whether all tasks read the same features, where their gradients can be balanced."""
        return getattr(self.module, "reads_features", True)

    @property
    def has_members(self) -> bool:
        """Whether outputs are of the members of an ensemble, with an axis of members before that of rows."""
        return hasattr(getattr(self.module, "sharing", None), "n_members")

    def penalty(self) -> Tensor | None:
        """What is added to the loss of no task, a scalar; None if nothing."""
        own = getattr(self.module, "penalty", None)
        return None if own is None else own()

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

    Rates of ``nn.Dropout`` may differ between them; all else that is not a parameter or buffer is that of the first.

    Attributes
    ----------
    parameters : dict of name to Tensor of shape (R, ...)
    n_replicas : int
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = list(modules)
        self.module = self.modules[0]
        self.parameters, self.buffers = stack_module_state(self.modules)
        rates = differing_rates(self.modules)
        if rates:
            device = next(iter(self.parameters.values())).device
            self.module = with_own_dropout(self.module, rates)
            self.buffers |= {f"{name}.rate": own.to(device) for name, own in rates.items()}
        self._run = vmap(self._one, randomness="different")
        self._run_part = vmap(self._part, in_dims=(None, 0, 0, 0), randomness="different")

    @property
    def n_replicas(self) -> int:
        """How many networks are still in training."""
        return len(next(iter(self.parameters.values())))

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Inputs [R, B, ...] to raw outputs [R, B, outputs]."""
        return self._run(self.parameters, self.buffers, inputs)

    def in_parts(self, inputs: tuple[Tensor, ...]) -> tuple[Any, list[Tensor]]:
        """Inputs [R, B, ...] to features [R, B, ...] and raw outputs [R, B, ...] of each task; see :class:`OneNetwork`."""
        features = self._run_part("features", self.parameters, self.buffers, inputs)
        return features, self._run_part("outputs_of", self.parameters, self.buffers, (features,))

    @property
    def has_features(self) -> bool:
        """Whether all tasks read the same features; see :class:`OneNetwork`."""
        return getattr(self.module, "reads_features", True)

    @property
    def has_members(self) -> bool:
        """Whether outputs are of the members of ensembles; see :class:`OneNetwork`."""
        return hasattr(getattr(self.module, "sharing", None), "n_members")

    def penalty(self) -> Tensor | None:
        """What is added to the loss of no task, [R]; None if nothing."""
        own = getattr(self.module, "penalty", None)
        if own is None or own() is None:
            return None
        run = vmap(lambda parameters, buffers: self._part("penalty", parameters, buffers, ()))
        return run(self.parameters, self.buffers)

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

    def _part(self, name: str, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: tuple[Tensor, ...]) -> Any:
        state = {f"module.{key}": value for own in (parameters, buffers) for key, value in own.items()}
        return functional_call(_Calling(self.module, name), state, inputs)


class _Calling(nn.Module):
    """One of the methods of a module, as a module."""

    def __init__(self, module: nn.Module, name: str) -> None:
        super().__init__()
        self.module = module
        self.name = name

    def forward(self, *inputs: Tensor) -> Any:
        return getattr(self.module, self.name)(*inputs)


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


@torch.no_grad()
def drop_rounding_(parameters: Mapping[str, Tensor], *, n_replicas: int | None) -> None:
    """Let gradients of biases be 0 that are below a millionth of the network's largest gradient; in place.

    The order of scores is not changed by a bias that moves all of them alike, that of a head or of a unit that is active on all
    rows. What then is its gradient is the rounding of a sum, and optimizers that divide gradients by their size would make whole
    steps of it. In measured runs these were below 1e-6, and nearly all others of biases above 1e-5, of the largest.
    """
    lead = 0 if n_replicas is None else 1
    grads = {name: p.grad.abs() for name, p in parameters.items() if p.grad is not None and p.numel()}
    largest = torch.stack([g.flatten(lead).amax(-1) for g in grads.values()]).amax(0)
    for name, size in grads.items():
        if name.endswith("bias") or ".biases." in name:
            least = ROUNDING * largest.reshape(*largest.shape, *[1] * (size.dim() - lead))
            parameters[name].grad.masked_fill_(size < least, 0.0)  # type: ignore[union-attr]


def all_finite(parameters: Sequence[Tensor]) -> bool:
    """Whether no number in any of the tensors is NaN or infinite."""
    return bool(torch.isfinite(torch.stack([p.detach().sum() for p in parameters])).all())


def keep_replicas(network: OneNetwork | StackedNetworks, optimizer: torch.optim.Optimizer | PartOptimizers, kept: Tensor) -> None:
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
