"""What follows the backward pass of a step: learning rates, clipping, the optimizer, averages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from polytask.optim import PartOptimizers, Plateau, regularizers_of, schedule_of, step_sizes
from polytask.training._network import OneNetwork, StackedNetworks, clip_gradients_, drop_rounding_, keep_replicas
from polytask.training._plateau import PlateauFactors
from polytask.training._replica import OwnRates
from polytask.training._settings import TrainingSettings


class Update:
    """Moves the parameters of a network, or of several, by their gradients.

    Parameters
    ----------
    network : OneNetwork or StackedNetworks
    optimizer : torch.optim.Optimizer or PartOptimizers
        Groups with a ``rate`` have a learning rate of their own.
    settings : TrainingSettings
    n_tasks : int
    total_steps : int
        Of the plan.
    schedule : callable, optional
        Number of steps done to a factor, instead of that of ``settings``.
    own_tasks : mapping of str to int
        Which parameters serve one task alone; only looked at where they are treated apart.
    penalty_shares : mapping of str to Tensor of shape () or (R,)
        0 for networks by whose penalties a parameter is not counted, since it serves no task that they learn; 1, as of all other
        parameters, where it is.
    columns : mapping of str to Tensor
        Which parameters read which input column; only looked at by regularizations that need it.
    drops_rounding : bool, default=False
        For losses of the order of scores; see :func:`drop_rounding_`.
    own_rates : OwnRates, optional
        Learning rates and decays of the networks of a stack, where they differ; ``optimizer`` and ``settings`` are for it.
    holds : sequence of str, default=()
        Of those with penalty shares, parameters that stay as they are where it is 0, though the optimizer remembers earlier
        gradients of them, or decays them; unless a step has a gradient of them, as of a penalty of the module.
    """

    def __init__(
        self,
        network: OneNetwork | StackedNetworks,
        optimizer: torch.optim.Optimizer | PartOptimizers,
        settings: TrainingSettings,
        *,
        n_tasks: int,
        total_steps: int,
        schedule: Callable[[int], float] | None = None,
        own_tasks: Mapping[str, int] | None = None,
        penalty_shares: Mapping[str, Tensor] | None = None,
        columns: Mapping[str, Tensor] | None = None,
        drops_rounding: bool = False,
        own_rates: OwnRates | None = None,
        holds: Sequence[str] = (),
    ) -> None:
        self.network, self.optimizer, self.settings, self.own_rates = network, optimizer, settings, own_rates
        self.own_tasks, self.columns = own_tasks or {}, columns or {}
        self.penalty_shares, self.drops_rounding, self.holds = dict(penalty_shares or {}), drops_rounding, holds
        self.stopped: Tensor | None = None  # bool [..., n_tasks]: tasks whose own parameters stay as they are
        self.regularizers = regularizers_of(settings.regularization)
        rate_of = {id(p): group.get("rate", settings.learning_rate) for group in optimizer.param_groups for p in group["params"]}
        for own in self.regularizers:
            own.check_rates(network.parameters, lambda name: rate_of[id(network.parameters[name])])
        planned = schedule_of(settings.schedule)
        self.factor_of = schedule or (lambda step: planned.factor(step, total_steps=total_steps))
        is_plateau = schedule is None and isinstance(planned, Plateau)
        self.plateau = PlateauFactors(planned, self._axes, n_tasks) if is_plateau else None  # type: ignore[arg-type]
        self.averages = None if settings.ema is None else {name: p.detach().clone() for name, p in network.parameters.items()}

    def step(self, done: int) -> None:
        """Make one step, after ``done`` others, and drop the gradients."""
        factor = self.factor_of(done)
        for group in self.optimizer.param_groups:
            group["lr"] = group.get("rate", self.settings.learning_rate) * factor
        parameters = self.network.parameters
        if self.drops_rounding:
            drop_rounding_(parameters, n_replicas=self.network.n_replicas)
        if self.settings.clip_norm is not None:
            clip_gradients_(list(parameters.values()), self.settings.clip_norm, n_replicas=self.network.n_replicas)
        slowed = self._slowed()
        self._decay(slowed)
        if self.own_rates is not None:
            self.own_rates.decay_gradients_(parameters)
        before = {name: parameters[name].detach().clone() for name in slowed}
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            for name, share in slowed.items():  # every step here is a multiple of its learning rate
                parameters[name].lerp_(before[name], 1 - share)
            if self.own_rates is not None:
                rate_of = {id(p): group["lr"] for group in self.optimizer.param_groups for p in group["params"]}
                for name, share in slowed.items():
                    p = parameters[name]
                    self.own_rates.decay_(name, p, before[name], rate=rate_of[id(p)], share=share)
            self._shrink(slowed)
            if self.averages is not None:
                assert self.settings.ema is not None
                new = max(1 - self.settings.ema, 9 / (10 + done))  # at first the start counts less
                for name, p in parameters.items():
                    self.averages[name].lerp_(p, new * self._going_on(name, p))

    def _decay(self, slowed: Mapping[str, Tensor]) -> None:
        """Decay the weights of parts, besides the optimizer's own decay."""
        rate_of = {id(p): group["lr"] for group in self.optimizer.param_groups for p in group["params"]}
        parameters = self.network.parameters
        for own in self.regularizers:
            own.decay_(parameters, lambda name: rate_of[id(parameters[name])] * slowed.get(name, 1.0) * self._learned(name))

    def _going_on(self, name: str, p: Tensor) -> Tensor | float:
        """1, but 0 for what belongs to a task that has stopped."""
        task = self.own_tasks.get(name)
        return 1.0 if self.stopped is None or task is None else _beside(~self.stopped[..., task], p)

    def _shrink(self, slowed: Mapping[str, Tensor]) -> None:
        """Make the proximal steps, as long as those of a constant gradient would be."""
        sparse = [own for own in self.regularizers if own.sparse]
        if not sparse:
            return
        parameters, n_replicas = self.network.parameters, self.network.n_replicas
        members = getattr(self.optimizer, "members", [self.optimizer])
        of = {id(p): (member, group) for member in members for group in member.param_groups for p in group["params"]}

        def rates(name: str) -> Tensor | float:
            member, group = of[id(parameters[name])]
            return step_sizes(member, group, parameters[name]) * slowed.get(name, 1.0)

        for own in sparse:
            steps = rates if own.needs_columns else lambda name: rates(name) * self._learned(name)
            uncounted = self.penalty_shares.keys() & self.columns.keys() if own.needs_columns else ()
            before = {name: parameters[name].detach().clone() for name in uncounted}
            own.shrink_(parameters, steps, columns=self.columns, n_replicas=n_replicas, counted=self._counted(parameters))
            for name, was in before.items():  # a column has one factor, which is not of these
                parameters[name].lerp_(was, 1 - self._learned(name))

    def _learned(self, name: str) -> Tensor | float:
        """1, but 0 for networks that learn no task by a parameter, which then stays as it started."""
        share = self.penalty_shares.get(name)
        return 1.0 if share is None else _beside(share, self.network.parameters[name])

    def _counted(self, parameters: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Parameters with zeros where a network's penalty is not of them."""
        shares = {name: _beside(own, parameters[name]) for name, own in self.penalty_shares.items()}
        return {name: p * shares[name] if name in shares else p for name, p in parameters.items()} if shares else parameters

    def sparse_penalty(self) -> Tensor | None:
        """What penalties that make zeros are of the parameters that are judged, [] or [R]; None if there is none."""
        n_replicas = self.network.n_replicas
        parameters = self._counted(self.parameters)
        found = [own.value(parameters, columns=self.columns, n_replicas=n_replicas) for own in self.regularizers]
        values = [value for value in found if value is not None]
        return torch.stack(values).sum(0) if values else None

    def penalty(self) -> Tensor | None:
        """Smooth penalties of all networks, a scalar; None if there is none."""
        parameters = self._counted(self.network.parameters) if self.regularizers else {}
        own = [own.penalty(parameters, n_replicas=self.network.n_replicas) for own in self.regularizers]
        found = [value for value in own if value is not None]
        return torch.stack(found).sum() if found else None

    def _slowed(self) -> dict[str, Tensor]:
        """Parameters of which only a share of the step is made, with that share."""
        falls = self.plateau is not None and bool((self.plateau.factor != 1).any())
        own, held = self.own_rates, {name: self.penalty_shares[name] for name in self.holds}
        if own is None and not falls and not held and (self.stopped is None or not bool(self.stopped.any())):
            return {}
        found = {}
        for name, p in self.network.parameters.items():
            task = self.own_tasks.get(name)
            if own is None and not falls and task is None and name not in held:
                continue
            share = torch.ones(self._axes) if self.plateau is None else self.plateau.of(task)
            if own is not None:
                share = share * own.shares
            if self.stopped is not None and task is not None:
                share = share * ~self.stopped[..., task]
            if name in held:
                share = share * torch.maximum(held[name], _has_gradient(p, self._axes).to(held[name])).to(share)
            found[name] = _beside(share, p)
        return found

    @property
    def _axes(self) -> tuple[int, ...]:
        return () if self.network.n_replicas is None else (self.network.n_replicas,)

    def end_epoch(self, skills: Tensor, mean: Tensor) -> None:
        """Take the validation skills [..., n_tasks] of the networks in training, and their mean [...]."""
        if self.plateau is not None:
            self.plateau.end_epoch(skills, mean)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """What is judged and kept: the averages, or else the parameters."""
        return self.network.parameters if self.averages is None else self.averages

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Let the network run with :attr:`parameters`."""
        if self.averages is None:
            yield
            return
        own = {name: p.detach().clone() for name, p in self.network.parameters.items()}
        with torch.no_grad():
            for name, p in self.network.parameters.items():
                p.copy_(self.averages[name])
            try:
                yield
            finally:
                for name, p in self.network.parameters.items():
                    p.copy_(own[name])

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the networks of a stack only."""
        keep_replicas(self.network, self.optimizer, kept)
        self.keep_memory(kept)

    def keep_memory(self, kept: Tensor) -> None:
        """The part of :meth:`keep` that is not of the network and the optimizer."""
        if self.own_rates is not None:
            self.own_rates.keep(kept)
        self.penalty_shares = {name: own[kept] for name, own in self.penalty_shares.items()}
        if self.plateau is not None:
            self.plateau.keep(kept)
        if self.averages is not None:
            self.averages = {name: average[kept] for name, average in self.averages.items()}

    def memory(self) -> dict[str, Tensor]:
        """What a checkpoint keeps besides parameters and the optimizer's state."""
        found = {} if self.plateau is None else self.plateau.memory()
        if self.averages is not None:
            found |= {f"average/{name}": average for name, average in self.averages.items()}
        return found

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`memory` gave."""
        if self.plateau is not None:
            self.plateau.restore(memory)
        if self.averages is not None:
            for name, average in self.averages.items():
                average.copy_(memory[f"average/{name}"])


def _has_gradient(p: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Whether any number of a parameter [*axes, ...] has a gradient, bool [*axes]."""
    return torch.zeros(axes, dtype=torch.bool) if p.grad is None else (p.grad != 0).reshape(*axes, -1).any(-1)


def _beside(share: Tensor, p: Tensor) -> Tensor:
    """Shares [] or [R] in the shape that multiplies a parameter [...] or [R, ...]."""
    return share.to(p).reshape(*share.shape, *[1] * (p.dim() - share.dim()))
