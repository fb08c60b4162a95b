"""What every balancing method is: it says what it needs, sees one step, and gives weights or a direction."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from polytask._settings import Settings


@dataclass(frozen=True)
class Observed:
    """What a method sees of one step: the tasks that are present, and of them what it ``needs``.

    Attributes
    ----------
    losses : Tensor of shape (n_tasks,)
        Mean loss of each task, detached; of all processes together.
    label_weight : Tensor of shape (n_tasks,)
        Sum of label weights behind each loss, positive. Methods that are ``batched`` get all tasks, with 0 for an absent one,
        and leading axes for replicas.
    tasks : tuple
        Name of each row; a method keeps its memory under these names, since rows come and go.
    gramian : float64 Tensor of shape (n_tasks, n_tasks) or None
        Inner products of the tasks' gradients.
    jacobian : Tensor of shape (n_tasks, n_parameters) or None
        The tasks' gradients as rows.
    """

    losses: Tensor
    label_weight: Tensor
    tasks: tuple[Hashable, ...]
    gramian: Tensor | None = None
    jacobian: Tensor | None = None


class BalancingMethod(Settings, nn.Module, ABC):
    """A balancing method: settings, and a memory that is whole in its ``state_dict``.

    A method declares what it ``needs``: ``"losses"`` and ``"gramian"`` give weights [n_tasks], ``"jacobian"`` gives a direction
    [n_parameters], ``"jacobian_state"`` besides says that rows of the Jacobian are remembered, ``"losses_after_step"`` asks for a
    call of :meth:`after_step` after the optimizer. ``"extra_batches"``, ``"validation_batch"`` and ``"second_forward"``
    are served by :func:`~polytask.balancing.step` only, through :meth:`look_ahead`.
    It is never told the number of tasks: tasks that are absent from a batch are not shown to it. Each argument of a constructor
    is kept under its name, so that ``get_params``, ``set_params`` and scikit-learn's ``clone`` work.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"losses"})
    by_name: ClassVar[bool] = True  # whether a user may name it, on the command line and elsewhere
    weights_last: ClassVar[bool] = False  # solves for weights from one step's Gramian, so that `Every` may keep them for some
    batched: ClassVar[bool] = False  # whether it takes leading axes of replicas, and absent tasks with label weight 0
    experimental: ClassVar[bool] = False  # not checked against an independent implementation; may change or go
    by_task: ClassVar[tuple[str, ...]] = ()  # settings that are mappings from task
    n_batches: ClassVar[int] = 1  # how many batches `step` must be given, the one that is learned from among them

    def __init__(self, *, random_state: int = 0) -> None:
        super().__init__()
        self.random_state = random_state
        self.memory: dict[str, dict[Hashable, Tensor]] = {}
        self._generator: torch.Generator | None = None

    @abstractmethod
    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks], or a direction [n_parameters] of a method that needs the Jacobian."""

    def compares_now(self, tasks: Sequence[Hashable]) -> bool:
        """Whether the coming step, with these tasks present, needs the gradient of each; asked of methods that compare them."""
        return True

    def asks_for_digits(self, gramian: Tensor) -> bool:
        """Whether a Gramian [n_tasks, n_tasks] that was summed in float32 tells too little, and must be in float64."""
        return False

    def look_ahead(self, ahead: Any) -> Any:
        """Ask what is needed of other batches and other parameters before a step; called by :func:`~polytask.balancing.step`.

        A method that gives a ``Taken`` has made the gradients of the step itself; None leaves them to ``backward``.
        """

    def after_step(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Losses [n_tasks] on the same batch after the optimizer's step; only for methods that need them."""

    def end_epoch(self, losses: Tensor, *, tasks: Sequence[Hashable] | None = None) -> None:
        """Mean training losses [n_tasks] of the epoch that has ended, NaN for a task that was absent from all of it."""

    @property
    def compares_gradients(self) -> bool:
        """Whether it needs the gradient of each task, and so a backward pass for each."""
        return bool(self.needs & {"gramian", "jacobian", "jacobian_state"})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    @property
    def is_experimental(self) -> bool:
        """Whether it, or a method inside it, is ``experimental``."""
        return any(own.experimental for own in self.modules() if isinstance(own, BalancingMethod))

    @property
    def named_tasks(self) -> dict[str, list[Hashable]]:
        """Tasks that settings of it, or of a method inside it, name: setting -> tasks."""
        own = [(part, name) for part in self.modules() if isinstance(part, BalancingMethod) for name in part.by_task]
        return {name: [*given] for part, name in own if isinstance(given := getattr(part, name), Mapping)}

    # ------------------------------------------------------------------ memory

    @property
    def generator(self) -> torch.Generator:
        """Source of chance on the CPU, started from ``random_state``; the same in every process."""
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.random_state)
        return self._generator

    def recall(self, name: str, tasks: Sequence[Hashable], *, default: Tensor) -> Tensor:
        """Values [n_tasks, ...] kept under ``name``; ``default`` (of one task, or a row per task) for tasks not seen before."""
        known = self.memory.get(name, {})
        if not known:
            return default.expand(len(tasks), *default.shape).clone() if default.shape[:1] != (len(tasks),) else default.clone()
        rows = default if default.shape[:1] == (len(tasks),) and default.dim() else [default] * len(tasks)
        return torch.stack([known.get(task, row).to(row) for task, row in zip(tasks, rows, strict=True)])

    def remember(self, name: str, tasks: Sequence[Hashable], values: Tensor) -> None:
        """Keep values [n_tasks, ...] under ``name``; those of other tasks stay."""
        self.memory.setdefault(name, {}).update(zip(tasks, values.detach().clone(), strict=True))

    def get_extra_state(self) -> dict[str, Any]:
        """Memory and state of the generator."""
        memory = {name: {"tasks": list(kept), "values": list(kept.values())} for name, kept in self.memory.items()}
        return {"memory": memory, "generator": None if self._generator is None else self._generator.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`get_extra_state` gave."""
        self.memory = {name: dict(zip(kept["tasks"], kept["values"], strict=True)) for name, kept in state["memory"].items()}
        self._generator = None
        if state["generator"] is not None:
            self.generator.set_state(state["generator"].cpu())
