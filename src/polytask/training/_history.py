"""What a training run leaves behind."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class EpochRecord:
    """One epoch, as callbacks see it.

    Attributes
    ----------
    epoch, max_epochs, steps : int
        The epoch just done (from 1), the plan, and the steps done in all.
    train_losses : Tensor of shape (..., n_tasks)
        Mean training loss over the epoch, as a share of the constant predictor's; NaN without labels.
    skills : Tensor of shape (..., n_tasks)
        Validation skill; NaN without validation labels.
    mean_skill : Tensor of shape (...,)
        Over the tasks with validation labels; NaN if there is none.
    weights : Tensor of shape (..., n_tasks)
        Mean weight that balancing gave each task, over the steps where it had labels; NaN if there is none, or where a method
        gives a direction and no weights.
    conflict : Tensor of shape (...,), optional
        Share of the pairs of tasks, over all steps, whose gradients point apart; only where gradients are compared.
    cosines : Tensor of shape (..., n_tasks, n_tasks), optional
        Mean cosine between the gradients of every two tasks; only where gradients are compared.
    """

    epoch: int
    max_epochs: int
    steps: int
    train_losses: Tensor
    skills: Tensor
    mean_skill: Tensor
    weights: Tensor | None = None
    conflict: Tensor | None = None
    cosines: Tensor | None = None


TENSORS_OF_RECORD = ("train_losses", "skills", "mean_skill", "weights", "conflict", "cosines")


@dataclass
class TrainingHistory:
    """All epochs of a run, and how it ended.

    Attributes
    ----------
    epochs : list of EpochRecord
    steps : int
        Optimizer steps done.
    best_epoch : Tensor of shape (...,)
        The epoch (from 1) whose parameters were kept.
    best_skill : Tensor of shape (...,)
        Its mean validation skill: optimistic, since it was chosen by these rows. NaN without validation labels.
    n_epochs : Tensor of shape (...,)
        Epochs trained; in a stack one network may stop before the others.
    ended_by : str
        ``patience``, ``epochs``, ``steps``, ``time`` or ``interrupt``.
    seconds : float
    """

    epochs: list[EpochRecord] = field(default_factory=list)
    steps: int = 0
    best_epoch: Tensor | None = None
    best_skill: Tensor | None = None
    n_epochs: Tensor | None = None
    ended_by: str = ""
    seconds: float = 0.0
