"""The state of a run on disk, so that a killed run goes on with the same numbers, bit for bit."""

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from polytask.exceptions import ModelFolderError
from polytask.optim import PartOptimizers
from polytask.storage import read_checkpoint, write_checkpoint
from polytask.training._balanced_step import BalancedStep
from polytask.training._history import TENSORS_OF_RECORD, EpochRecord, TrainingHistory
from polytask.training._memory import packed_memory, restore_memory
from polytask.training._network import OneNetwork, StackedNetworks, keep_replicas
from polytask.training._stopping import EarlyStopping, TaskStopping
from polytask.training._update import Update


class Checkpoint:
    """Keeps parameters, optimizer, random state, best parameters and history of a run in one file.

    Parameters
    ----------
    path : path
        The file; replaced whole, so that a kill at any moment leaves the last or the one before.
    every : float, default=5.0
        Least seconds between two writes; it changes where a resumed run starts, never its numbers.
    """

    def __init__(self, path: str | Path, *, every: float = 5.0) -> None:
        self.path = Path(path)
        self.every = every
        self._last = -float("inf")

    def exists(self) -> bool:
        """Whether there is a state to go on from."""
        return self.path.exists()

    def part(self, number: int) -> "Checkpoint":
        """One more file beside this one, for another part of the same run.

        >>> Checkpoint("run/state.polytask").part(24).path.name
        'state-24.polytask'
        """
        return Checkpoint(self.path.with_stem(f"{self.path.stem}-{number}"), every=self.every)

    def save(
        self,
        network: OneNetwork | StackedNetworks,
        optimizer: torch.optim.Optimizer | PartOptimizers,
        stopping: EarlyStopping,
        history: TrainingHistory,
        *,
        epoch: int,
        replicas: Tensor | None = None,
        step: BalancedStep | None = None,
        update: Update | None = None,
    ) -> None:
        """Write the state after ``epoch``, if the last write is long enough ago; ``replicas`` are still in training.

        Of ``step`` the memory of the balancing method is kept, of ``update`` averages and factors.
        """
        if time.monotonic() - self._last < self.every:
            return
        self._last = time.monotonic()
        names = {id(p): name for name, p in network.parameters.items()}
        tensors = {f"now/{name}": p.detach() for name, p in network.parameters.items()}
        tensors |= {f"best/{name}": p for name, p in stopping.parameters.items()}
        for p, moments in optimizer.state.items():
            tensors |= {f"optimizer/{key}/{names[id(p)]}": value for key, value in moments.items()}
        tensors |= {"random": torch.get_rng_state(), "stopping/best": stopping.best, "stopping/best_epoch": stopping.best_epoch}
        if isinstance(stopping, TaskStopping):
            tensors |= {"stopping/best_of_task": stopping.best_of_task, "stopping/last_rise": stopping.last_rise}
        if replicas is not None:
            tensors["replicas"] = replicas
        for k, record in enumerate(history.epochs):
            values = {f"history/{k}/{key}": getattr(record, key) for key in TENSORS_OF_RECORD}
            tensors |= {key: value for key, value in values.items() if value is not None}
        state: dict[str, Any] = {
            "epoch": epoch,
            "steps": history.steps,
            "seconds": history.seconds,
            "records": [[r.epoch, r.max_epochs, r.steps] for r in history.epochs],
        }
        if step is not None:
            state["balancing"], memory = packed_memory(step.method)
            tensors |= memory
        if update is not None:
            tensors |= {f"update/{name}": value for name, value in update.memory().items()}
        write_checkpoint(self.path, {name: t.cpu() for name, t in tensors.items()}, state)

    def restore(
        self,
        network: OneNetwork | StackedNetworks,
        optimizer: torch.optim.Optimizer | PartOptimizers,
        stopping: EarlyStopping,
        history: TrainingHistory,
        *,
        step: BalancedStep | None = None,
        update: Update | None = None,
    ) -> tuple[int, Tensor | None]:
        """Put the saved state into all of them.

        Returns
        -------
        epoch : int
            After which it was written.
        replicas : Tensor or None
            Numbers of the networks of a stack that were still in training; only these are left in ``network``.

        Raises
        ------
        ModelFolderError
            If the file is damaged, or belongs to a network of another shape or balanced by another method.
        """
        tensors, state = read_checkpoint(self.path)
        self._check_fits(network, tensors)
        replicas = tensors.get("replicas")
        if replicas is not None and len(replicas) < (network.n_replicas or 0):
            keep_replicas(network, optimizer, replicas)
            if step is not None:
                step.keep(replicas)
            if update is not None:
                update.keep_memory(replicas)
        if step is not None and "balancing" in state:
            restore_memory(step.method, state["balancing"], tensors, path=self.path)
        with torch.no_grad():
            for name, p in network.parameters.items():
                p.copy_(tensors[f"now/{name}"])
                optimizer.state[p] = _optimizer_state(tensors, name, device=p.device)
        if update is not None:
            self._restore_update(update, tensors)
        if isinstance(stopping, TaskStopping):
            stopping.best_of_task, stopping.last_rise = tensors["stopping/best_of_task"], tensors["stopping/last_rise"]
        stopping.best, stopping.best_epoch = tensors["stopping/best"], tensors["stopping/best_epoch"]
        stopping.parameters = {name: tensors[f"best/{name}"].to(p.device) for name, p in network.parameters.items()}
        torch.set_rng_state(tensors["random"])
        for k, (epoch, max_epochs, steps) in enumerate(state["records"]):
            values = {key: tensors[name] for key in TENSORS_OF_RECORD if (name := f"history/{k}/{key}") in tensors}
            history.epochs.append(EpochRecord(epoch, max_epochs, steps, **values))
        history.steps, history.seconds = state["steps"], state["seconds"]
        return int(state["epoch"]), replicas

    def _restore_update(self, update: Update, tensors: dict[str, Tensor]) -> None:
        prefix = "update/"
        found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        stops = ("stopping/last_rise" in tensors) == (update.settings.stopping == "per_task")
        if found.keys() != update.memory().keys() or not stops:
            raise ModelFolderError(
                f"The checkpoint at '{self.path}' belongs to another run, with other `schedule`, `ema` or `stopping`. "
                "Start again without it, or with the settings it was made with."
            )
        update.restore(found)

    def _check_fits(self, network: OneNetwork | StackedNetworks, tensors: dict[str, Tensor]) -> None:
        found = {name.removeprefix("best/"): t.shape for name, t in tensors.items() if name.startswith("best/")}
        if found != {name: p.shape for name, p in network.parameters.items()}:
            raise ModelFolderError(
                f"The checkpoint at '{self.path}' belongs to another run: its network has other parameters. "
                "Start again without it, or with the settings and data it was made with."
            )


def _optimizer_state(tensors: dict[str, Tensor], name: str, *, device: torch.device) -> dict[str, Any]:
    """State of one parameter; keys are ``optimizer/<what>/<parameter>``."""
    found = {}
    for key, value in tensors.items():
        parts = key.split("/", 2)
        if parts[0] == "optimizer" and parts[2] == name:
            found[parts[1]] = value if parts[1] == "step" and device.type == "cpu" else value.to(device)
    return found
