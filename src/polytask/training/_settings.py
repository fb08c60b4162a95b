"""Settings of one training run."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.exceptions import OptionError
from polytask.optim import Plateau, optimizers_of, regularizers_of, schedule_of


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How long and how fast to train.

    Parameters
    ----------
    max_epochs : int, default=100
        Passes over the training rows in the plan; the learning-rate schedule follows this plan.
    batch_size : int, default=64
        Rows per step.
    learning_rate : float, default=1e-3
        Highest learning rate of all optimizers without one of their own.
    weight_decay : float, default=1e-2
        Decoupled decay by all optimizers without one of their own, not of biases, norms and embeddings.
    optimizer : Optimizer, str, mapping of part to either, or None
        See :func:`polytask.optim.optimizers_of`; AdamW by default.
    schedule : Schedule, str or None
        See :func:`polytask.optim.schedule_of`; by default a warm-up and half a cosine.
    ema : float in (0, 1), optional
        Judge and keep a moving average of the parameters, of which after each step this share is the average before; in the
        first steps less. None keeps the parameters themselves.
    clip_norm : float or None, default=1.0
        Largest norm of the gradient of one network.
    patience : int or None, default=16
        Stop after this many epochs without a better mean validation skill; None never stops early.
    max_steps : int, optional
        Stop after this many steps in all; the plan and the schedule stay the same.
    time_limit : float, optional
        Stop after this many seconds; what was best until then is kept.
    regularization : Regularizer, str, list of either, or None
        See :func:`polytask.optim.regularizers_of`.
    accumulate : int, default=1
        Rows of so many batches make one step, whose gradient is added up batch by batch; that of one larger batch.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the forward and backward pass; parameters, losses, validation and predictions stay float32.
    stopping : {"mean", "per_task"}, default="mean"
        Whether ``patience`` is for the mean skill, or for each task: then a task whose skill has not risen for so long gives no
        gradient any more, and what serves it alone stays as it is, while the others go on.
    batches : {"shuffled", "class_aware"}, default="shuffled"
        With "class_aware" the rows of each class, by the rarest that a row has, are dealt evenly to the batches of an epoch.
        Every row is still in one batch of an epoch, with its weight.
    """

    max_epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    clip_norm: float | None = 1.0
    patience: int | None = 16
    max_steps: int | None = None
    time_limit: float | None = None
    optimizer: Any = None
    schedule: Any = None
    ema: float | None = None
    regularization: Any = None
    accumulate: int = 1
    precision: str = "float32"
    stopping: str = "mean"
    batches: str = "shuffled"

    @property
    def rows_per_step(self) -> int:
        """Rows behind one step of the optimizer."""
        return self.batch_size * self.accumulate

    def __post_init__(self) -> None:
        for name in ("max_epochs", "batch_size", "patience", "max_steps", "accumulate"):
            value = getattr(self, name)
            is_count = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 1
            if not is_count and not (value is None and name in ("patience", "max_steps")):
                raise OptionError(f"`{name}` must be a whole number >= 1; got {value!r}.")
        for name in ("learning_rate", "clip_norm", "time_limit"):
            value = getattr(self, name)
            is_positive = _is_number(value) and 0 < value < math.inf
            if not is_positive and not (value is None and name in ("clip_norm", "time_limit")):
                raise OptionError(f"`{name}` must be positive and finite; got {value!r}.")
        if not (_is_number(self.weight_decay) and 0 <= self.weight_decay < math.inf):
            raise OptionError(f"`weight_decay` must be >= 0 and finite; got {self.weight_decay!r}.")
        if self.ema is not None and not (_is_number(self.ema) and 0 < self.ema < 1):
            raise OptionError(f"`ema` must be in (0, 1), such as 0.999, or None; got {self.ema!r}.")
        if self.ema is not None and any(own.sparse for own in regularizers_of(self.regularization)):
            raise OptionError(
                "`ema` cannot be with a regularization that makes exact zeros: means of weights are not 0. Leave one of them out."
            )
        if self.stopping not in ("mean", "per_task"):
            raise OptionError(f"`stopping` must be 'mean' or 'per_task'; got {self.stopping!r}.")
        if self.stopping == "per_task" and self.patience is None:
            raise OptionError("`stopping='per_task'` needs a `patience`; got None.")
        if self.batches not in ("shuffled", "class_aware"):
            raise OptionError(f"`batches` must be 'shuffled' or 'class_aware'; got {self.batches!r}.")
        if self.precision not in ("float32", "bfloat16"):
            raise OptionError(f"`precision` must be 'float32' or 'bfloat16'; got {self.precision!r}.")
        optimizers_of(self.optimizer)
        schedule = schedule_of(self.schedule)
        if isinstance(schedule, Plateau) and self.patience is not None and schedule.patience >= self.patience:
            if schedule.per_task and self.stopping == "mean":  # a task may wait while the mean still rises
                return
            raise OptionError(
                f"Training stops after {self.patience} epochs without a better skill, and the schedule waits "
                f"{schedule.patience} for the learning rate to fall, which it never would. Let the schedule wait less "
                "(--schedule plateau:patience=5, `schedule='plateau:patience=5'`)."
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
