"""Early stopping on the mean validation skill, for one network or several at once."""

import torch
from torch import Tensor


def mean_skill(losses: Tensor, scale: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Skill of every task and their mean.

    Parameters
    ----------
    losses, scale, weights : Tensor of shape (..., n_tasks)
        Mean validation loss, that of the constant predictor (0 where skill is undefined), and the sum of weights behind both.

    Returns
    -------
    skills : Tensor of shape (..., n_tasks)
        1 - loss / scale; NaN for a task without validation labels, or with a scale of 0, and only there: a loss that is not
        finite gives -inf.
    mean : Tensor of shape (...,)
        Mean over tasks with a skill; NaN if there is none.

    Examples
    --------
    >>> mean_skill(torch.tensor([0.5, 9.0]), torch.tensor([1.0, 1.0]), torch.tensor([4.0, 0.0]))
    (tensor([0.5000,    nan]), tensor(0.5000))
    """
    seen = (weights > 0) & (scale > 0)
    skills = torch.where(seen, 1 - infinite_if_nan(losses / torch.where(seen, scale, 1.0)), torch.nan)
    return skills, torch.where(seen, skills, 0.0).sum(-1) / seen.sum(-1)


def labels_vary(target: Tensor, weight: Tensor, task_of_column: Tensor, *, n_tasks: int) -> Tensor:
    """Which tasks have labels of more than one value in some column, bool [n_tasks].

    A task of which validation rows hold one class only must not choose the epoch: its error falls for ever smaller
    probabilities of the classes that are not there, whatever else the network learns or forgets.

    Parameters
    ----------
    target, weight : Tensor of shape (n, C)
        Where the weight is 0 the target may be anything.
    task_of_column : integer Tensor of shape (C,)
    n_tasks : int

    Examples
    --------
    >>> target = torch.tensor([[0.0, 3.0], [0.0, 5.0], [1.0, 5.0]])
    >>> labels_vary(target, torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]), torch.arange(2), n_tasks=2)
    tensor([False,  True])
    """
    varies = torch.zeros(n_tasks, dtype=torch.long, device=target.device)
    if len(target):
        seen = weight > 0
        low, high = torch.where(seen, target, torch.inf).amin(0), torch.where(seen, target, -torch.inf).amax(0)
        varies.index_add_(0, task_of_column.to(target.device), (low < high).long())
    return varies > 0


def infinite_if_nan(losses: Tensor) -> Tensor:
    """A lost loss is infinitely bad."""
    return torch.where(losses.isnan(), torch.inf, losses)


class EarlyStopping:
    """Remember the best parameters; say who may stop.

    Parameters
    ----------
    patience : int or None
        Epochs without a better score after which a network stops; None for never.
    n_replicas : int or None
        None for one network, whose score is a tensor without axes.
    """

    def __init__(self, *, patience: int | None, n_replicas: int | None) -> None:
        axes = () if n_replicas is None else (n_replicas,)
        self.patience = patience
        self.best = torch.full(axes, -torch.inf, dtype=torch.float64)
        self.best_epoch = torch.zeros(axes, dtype=torch.long)
        self.parameters: dict[str, Tensor] = {}

    def update(self, score: Tensor, parameters: dict[str, Tensor], *, epoch: int, replicas: Tensor | None = None) -> None:
        """Keep the parameters of the networks whose score rose.

        ``score`` has an entry for every network; ``parameters`` only for those in ``replicas``, which are still in training.

        A network that has stopped keeps what it has, even if it is trained on beside others that have not.
        """
        score, goes_on = score.detach().double().cpu(), ~self.has_ended(epoch - 1)
        if replicas is None:
            if bool((score > self.best) & goes_on) or not self.parameters:
                self.best, self.best_epoch = score, torch.tensor(epoch)
                self.parameters = {name: p.detach().clone() for name, p in parameters.items()}
            return
        if not self.parameters:
            self.parameters = {name: p.detach().clone() for name, p in parameters.items()}
        better = ((score > self.best) & goes_on)[replicas]
        rose = replicas[better]
        self.best[rose], self.best_epoch[rose] = score[rose], epoch
        for name, p in parameters.items():
            self.parameters[name][rose] = p.detach()[better]

    def n_epochs(self, done: int) -> Tensor:
        """How many of the epochs done each network was trained for; integer tensor with the axes of the score."""
        every = torch.full_like(self.best_epoch, done)
        return every if self.patience is None else torch.minimum(self.best_epoch + self.patience, every)

    def has_ended(self, epoch: int) -> Tensor:
        """Which networks have waited long enough after ``epoch``; bool tensor with the axes of the score."""
        if self.patience is None:
            return torch.zeros_like(self.best_epoch, dtype=torch.bool)
        return epoch - self.best_epoch >= self.patience


class TaskStopping(EarlyStopping):
    """Early stopping task by task: a task whose skill has not risen for ``patience`` epochs no longer teaches; the rest go on.

    What is kept of a network is, as before, its epoch of the best mean skill.

    Parameters
    ----------
    patience : int
    n_replicas : int or None
    n_tasks : int
    """

    def __init__(self, *, patience: int, n_replicas: int | None, n_tasks: int) -> None:
        super().__init__(patience=patience, n_replicas=n_replicas)
        self.wait = patience
        axes = (n_tasks,) if n_replicas is None else (n_replicas, n_tasks)
        self.best_of_task = torch.full(axes, -torch.inf, dtype=torch.float64)
        self.last_rise = torch.zeros(axes, dtype=torch.long)

    def update_tasks(self, skills: Tensor, *, epoch: int) -> None:
        """Take skills [..., n_tasks] after an epoch, NaN for a task without; a task that has stopped does not start again."""
        now = skills.double().cpu()
        rose = (now > self.best_of_task) & ~self.tasks_ended(epoch - 1)
        self.best_of_task = torch.where(rose, now, self.best_of_task)
        self.last_rise = torch.where(rose, epoch, self.last_rise)

    def tasks_ended(self, epoch: int) -> Tensor:
        """Which tasks with a skill have waited long enough after ``epoch``, bool [..., n_tasks]."""
        return (epoch - self.last_rise >= self.wait) & (self.last_rise > 0)

    def n_epochs(self, done: int) -> Tensor:
        """How many of the epochs done each network was trained for."""
        every = torch.full_like(self.best_epoch, done)
        last = self.last_rise.amax(-1)
        return torch.where(last > 0, torch.minimum(last + self.wait, every), every)

    def has_ended(self, epoch: int) -> Tensor:
        """Networks in which no task with a skill goes on; without any skill those that waited for their mean."""
        with_skill = self.last_rise > 0
        of_tasks = (self.tasks_ended(epoch) | ~with_skill).all(-1)
        return torch.where(with_skill.any(-1), of_tasks, super().has_ended(epoch))


def epochs_of_stops(skills: Tensor, *, patience: int) -> list[int | None]:
    """After which epoch each task stopped by its own skill, if it did; of one network trained with :class:`TaskStopping`.

    Parameters
    ----------
    skills : Tensor of shape (n_epochs, n_tasks)
        Validation skills; NaN for a task without.
    patience : int

    Examples
    --------
    >>> epochs_of_stops(torch.tensor([[0.1, 0.1], [0.0, 0.2], [0.0, 0.3]]), patience=2)
    [3, None]
    """
    stopping = TaskStopping(patience=patience, n_replicas=None, n_tasks=skills.shape[1])
    for epoch, own in enumerate(skills, 1):
        stopping.update_tasks(own, epoch=epoch)
    ended, last = stopping.tasks_ended(len(skills)).tolist(), (stopping.last_rise + patience).tolist()
    return [epoch if has_ended else None for epoch, has_ended in zip(last, ended, strict=True)]
