"""The backward pass of one step: losses of all tasks, balanced by a method, to gradients; and what it tells of an epoch."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from polytask.balancing import (
    Balance,
    BalancingMethod,
    Equal,
    PerReplica,
    backward,
    shared_parameters,
    stacked_backward,
)
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask
from polytask.training._data import TrainingData
from polytask.training._losses import TaskLosses, mean_losses
from polytask.training._network import OneNetwork, StackedNetworks

BalanceAt = Literal["parameters", "features"]
Batch = tuple[tuple[Tensor, ...], Tensor, Tensor]

_SERVED = frozenset({"losses", "losses_after_step", "gramian", "jacobian", "jacobian_state"})


class BalancedStep:
    """Fills ``.grad`` of a network, or of several, from a batch; keeps the memory of the method.

    A network that learns a single task is left alone, whatever the method is.

    Parameters
    ----------
    network : OneNetwork or StackedNetworks
    data : TrainingData
        Its ``scale`` divides the losses; its label weights say which networks learn a single task.
    tasks : sequence of FittedTask
    method : BalancingMethod
        For one network the method itself, whose memory goes on; for several a fresh copy each.
    at : {"parameters", "features"}
        Where gradients are balanced: at the parameters that more than one task's loss reaches, or at the output of the encoder.
    parts : int, default=1
        A batch is gone through in so many parts, whose gradients are added up.
    precision : {"float32", "bfloat16"}
        Of forward and backward passes of the network; losses are float32.

    Raises
    ------
    OptionError
        If gradients of parts are to be balanced, or a loss is a statistic of the batch: these take the whole batch.
    OptionError
        If the method needs what a training loop cannot give, or remembers gradients and is to balance at features.
    """

    def __init__(
        self,
        network: OneNetwork | StackedNetworks,
        data: TrainingData,
        tasks: Sequence[FittedTask],
        *,
        method: BalancingMethod,
        at: BalanceAt = "parameters",
        parts: int = 1,
        precision: str = "float32",
    ) -> None:
        if at not in ("parameters", "features"):
            raise OptionError(f"`balance_at` must be 'parameters' or 'features'; got {at!r}.")
        if not method.needs <= _SERVED:
            missing = ", ".join(sorted(method.needs - _SERVED))
            raise OptionError(
                f"{type(method).__name__} needs {missing}, which training does not give. Use it in a loop of your own, by "
                "`polytask.balancing.step`, or choose another method."
            )
        if at == "features" and "jacobian_state" in method.needs:
            raise OptionError(
                f"{type(method).__name__} remembers gradients from step to step, and the features of a batch are other ones in "
                "every step. Balance at the parameters: `balance_at='parameters'`."
            )
        self.network, self.names = network, [task.name for task in tasks]
        self.n_outputs = [task.n_outputs for task in tasks]
        self.losses_of = TaskLosses(tasks, has_members=network.has_members)
        self.at, self.parts, self.precision = at, parts, precision
        if parts > 1 and not isinstance(method, Equal):
            raise OptionError(
                f"`accumulate` cannot be with {type(method).__name__}, which balances by the losses of a whole batch. Leave "
                "`balancing` out, or use `polytask.balancing.MicroBatches` in a loop of your own."
            )
        of_batch = [task.name for task in tasks if task.has_batch_loss]
        if parts > 1 and of_batch:
            raise OptionError(
                f"`accumulate` cannot be with the loss of {', '.join(map(repr, of_batch))}, which is a statistic of a whole "
                "batch and no sum over its parts. Take a larger `batch_size` instead, or a loss of single labels."
            )
        several = _learns_several(data, self.losses_of)
        self.method: BalancingMethod = _applied(method, several)
        self.compares_gradients = self.method.compares_gradients and bool(several.any())
        self.looks_back = "losses_after_step" in self.method.needs
        self._shared: list[str] | None = None
        if at == "features" and self.compares_gradients and not network.has_features:
            raise OptionError(
                "`balance_at` cannot be 'features' where each task has an encoder of its own, or reads its stages: there are no "
                "features that all tasks read. Leave it at 'parameters'."
            )

    def backward(self, batch: Batch, scale: Tensor, *, penalty: Tensor | None = None) -> tuple[Tensor, Tensor, Balance]:
        """Fill ``.grad``.

        Parameters
        ----------
        batch : inputs, target, weight
        scale : Tensor of shape (..., n_tasks)
        penalty : Tensor, optional
            A scalar that is added to the loss of no task, besides that of the network.

        Returns
        -------
        loss_sums, label_weight : Tensor of shape (..., n_tasks)
            Sums over the batch.
        balance : Balance
        """
        inputs, target, weight = batch
        of_network = self.network.penalty()
        total = penalty if of_network is None else of_network.sum() + (0.0 if penalty is None else penalty)
        if total is not None and not total.requires_grad:  # of frozen parameters only
            total = None
        if self.parts > 1:
            return self._in_parts(batch, scale, total)
        if not self.compares_gradients:
            with self._cast(target):
                all_raw = self.network.forward(inputs)
            loss_sums, label_weight = self.losses_of(all_raw.float(), target, weight)
            losses = mean_losses(loss_sums, label_weight * scale)
            balance = backward(losses, self.method, label_weight=label_weight, tasks=self.names, penalty=total)
            return loss_sums.detach(), label_weight, balance
        with self._cast(target):
            features, raw = self.network.in_parts(inputs)
        outputs = [own.float() for own in raw]
        joined = torch.cat([own.detach() for own in outputs], dim=-1).requires_grad_()
        loss_sums, label_weight = self.losses_of(joined, target, weight)
        means = mean_losses(loss_sums, label_weight * scale)
        (slopes,) = torch.autograd.grad(means.sum(), joined)  # the loss of a task reaches its own outputs only
        parts = zip(outputs, slopes.split(self.n_outputs, dim=-1), means.detach().unbind(-1), strict=True)
        losses_by_task = [_LossOf.apply(own, slope, value) for own, slope, value in parts]
        options: dict[str, Any] = {"label_weight": label_weight, "tasks": self.names}
        if self.at == "features":
            options["features"] = features
        else:
            options["shared_params"] = self._shared_params(losses_by_task)
        parameters = list(self.network.parameters.values())
        if isinstance(self.method, PerReplica):
            if total is not None:
                total.backward()
            balance = stacked_backward(losses_by_task, self.method, parameters=parameters, **options)
        else:
            balance = backward(losses_by_task, self.method, penalty=total, **options)
        for p in parameters:  # a head without labels in this batch; the optimizer is to treat it as without balancing
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        return loss_sums.detach(), label_weight, balance

    def _cast(self, like: Tensor) -> torch.autocast:
        return torch.autocast(like.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def _in_parts(self, batch: Batch, scale: Tensor, penalty: Tensor | None) -> tuple[Tensor, Tensor, Balance]:
        """Add up the gradients of parts of a batch; each loss is divided by the label weight of the whole."""
        inputs, target, weight = batch
        rows = 0 if self.network.n_replicas is None else 1
        of_task = torch.zeros(*weight.shape[:-2], len(self.names), device=weight.device)
        columns = self.losses_of.task_of_column.to(weight.device)
        label_weight = of_task.index_add(-1, columns, weight.sum(-2))
        pieces = [whole.tensor_split(self.parts, dim=rows) for whole in (*inputs, target, weight)]
        loss_sums: Tensor | None = None
        for k in range(min(self.parts, target.shape[rows])):
            *own_inputs, own_target, own_weight = (piece[k] for piece in pieces)
            with self._cast(target):
                outputs = self.network.forward(tuple(own_inputs))
            sums, _ = self.losses_of(outputs.float(), own_target, own_weight)
            losses = mean_losses(sums, label_weight * scale)
            own_penalty = penalty if k == 0 else None
            balance = backward(losses, self.method, label_weight=label_weight, tasks=self.names, penalty=own_penalty)
            loss_sums = sums.detach() if loss_sums is None else loss_sums + sums.detach()
        assert loss_sums is not None
        return loss_sums, label_weight, balance

    @torch.no_grad()
    def after_step(self, batch: Batch, scale: Tensor) -> None:
        """Show the method the losses on the same batch after the optimizer's step, if it needs them."""
        if self.looks_back:
            inputs, target, weight = batch
            loss_sums, label_weight = self.losses_of(self.network.forward(inputs), target, weight)
            self.method.after_step(mean_losses(loss_sums, label_weight * scale), tasks=self.names)

    def end_epoch(self, train_losses: Tensor) -> None:
        """Show the method the mean losses [..., n_tasks] of the epoch, NaN for an absent task."""
        self.method.end_epoch(train_losses, tasks=self.names)

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the networks of a stack only."""
        if isinstance(self.method, PerReplica):
            self.method.keep(kept)

    def _shared_params(self, losses: Sequence[Tensor]) -> list[Tensor]:
        if self._shared is None:
            found = {id(p) for p in shared_parameters(losses)}
            self._shared = [name for name, p in self.network.parameters.items() if id(p) in found]
            if not self._shared:
                raise OptionError(
                    f"{type(self.method).__name__} balances the gradients of what tasks share, and in this network no trained "
                    "parameter is shared. Leave `balancing` out, or let the tasks share an encoder."
                )
        return [self.network.parameters[name] for name in self._shared]


class _LossOf(torch.autograd.Function):
    """The loss of one task as an operation on its own outputs, whose slope [..., n, outputs] is known.

    All losses are computed at once; by this each has its own way back.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, slope: Tensor, value: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return slope * factor.reshape(*factor.shape, *[1] * (slope.dim() - factor.dim())), None, None


def _learns_several(data: TrainingData, losses_of: TaskLosses) -> Tensor:
    """Whether each network sees the labels of more than one task, bool [] or [R]."""
    columns = ((data.weight > 0).any(0) if data.mask is None else data.mask > 0).float().cpu()  # [C] or [R, C]
    seen = torch.zeros(*columns.shape[:-1], len(losses_of.tasks)).index_add(-1, losses_of.task_of_column, columns)
    return (seen > 0).sum(-1) > 1


def _applied(method: BalancingMethod, several: Tensor) -> BalancingMethod:
    if isinstance(method, Equal) or not bool(several.any()):
        return Equal()
    return method if several.dim() == 0 else PerReplica(method, len(several), balanced=several)


class EpochBalance:
    """Weights and conflicts of the steps of one epoch, summed up."""

    def __init__(self) -> None:
        self._weights: list[Tensor] = []
        self._present: list[Tensor] = []
        self._cosines: list[Tensor] = []

    def add(self, balance: Balance, label_weight: Tensor) -> None:
        """Take one step."""
        self._weights.append(balance.weights.detach())
        self._present.append(label_weight > 0)
        cosines = balance.cosines
        if cosines is not None:
            self._cosines.append(cosines)

    def weights(self) -> Tensor:
        """Mean weight of each task [..., n_tasks] over the steps where it had labels; NaN if there is none."""
        present = torch.stack(self._present)
        weights = torch.stack(self._weights).double()
        return (torch.where(present, weights, 0.0).sum(0) / present.sum(0)).cpu()

    def cosines(self) -> Tensor | None:
        """Mean cosine between the gradients of two tasks [..., n_tasks, n_tasks]; None where no gradients were compared."""
        return torch.stack(self._cosines).nanmean(0).cpu() if self._cosines else None

    def conflict(self) -> Tensor | None:
        """Share of the pairs of tasks, over all steps, whose gradients point apart, [...]; NaN where there is no pair."""
        if not self._cosines:
            return None
        cosines = torch.stack(self._cosines)
        first, second = torch.triu_indices(cosines.shape[-1], cosines.shape[-1], offset=1)
        pairs = cosines[..., first, second]  # [steps, ..., pairs]
        seen = ~pairs.isnan()
        return ((pairs < 0) & seen).sum((0, -1)).double().div(seen.sum((0, -1))).cpu()
