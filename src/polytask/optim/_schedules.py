"""Learning-rate schedules by name: steps done to a factor on the learning rate."""

from abc import ABC, abstractmethod
from typing import Any

from polytask._by_name import ByName
from polytask._settings import NamedSettings
from polytask.exceptions import OptionError
from polytask.optim._schedule import warmup_cosine


class Schedule(NamedSettings, ABC):
    """Settings of a schedule; ``factor`` gives the factor in [0, 1] on the learning rates of all parts."""

    @abstractmethod
    def factor(self, step: int, *, total_steps: int) -> float:
        """Factor for the step after ``step`` steps of a plan of ``total_steps``."""

    def _check(self, **shares: float) -> None:
        for name, value in shares.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise OptionError(f"`{name}` of {type(self).__name__} must be in [0, 1); got {value!r}.")


class Cosine(Schedule):
    """Linear warm-up, then half a cosine down to 0: :func:`warmup_cosine`.

    Parameters
    ----------
    warmup : float in [0, 1), default=0.05
        Share of the steps for warming up.

    Examples
    --------
    >>> Cosine(warmup=0.1).factor(55, total_steps=100)
    0.5
    """

    def __init__(self, *, warmup: float = 0.05) -> None:
        self.warmup = warmup
        self._check(warmup=warmup)

    def factor(self, step: int, *, total_steps: int) -> float:
        """See :func:`warmup_cosine`."""
        return warmup_cosine(step, total_steps=total_steps, warmup=self.warmup)


class Constant(Schedule):
    """The learning rate as it is, after a linear warm-up.

    Parameters
    ----------
    warmup : float in [0, 1), default=0.0
        Share of the steps for warming up.
    """

    def __init__(self, *, warmup: float = 0.0) -> None:
        self.warmup = warmup
        self._check(warmup=warmup)

    def factor(self, step: int, *, total_steps: int) -> float:
        """1 after the warm-up."""
        return _warm(step, int(self.warmup * total_steps))


class Linear(Schedule):
    """Linear warm-up, then a straight line down to ``end``.

    Parameters
    ----------
    warmup : float in [0, 1), default=0.05
        Share of the steps for warming up.
    end : float in [0, 1), default=0.0
        Factor at the end of the plan.
    """

    def __init__(self, *, warmup: float = 0.05, end: float = 0.0) -> None:
        self.warmup = warmup
        self.end = end
        self._check(warmup=warmup, end=end)

    def factor(self, step: int, *, total_steps: int) -> float:
        """Up, then down."""
        n_warm = int(self.warmup * total_steps)
        left = 1 - min(1.0, max(0, step - n_warm) / max(1, total_steps - n_warm))
        return _warm(step, n_warm) * (self.end + (1 - self.end) * left)


class Step(Schedule):
    """Multiply the learning rate by ``factor`` again and again.

    Parameters
    ----------
    every : float in (0, 1), default=0.3
        Share of the steps between two falls.
    by : float in (0, 1), default=0.1
        What the learning rate is multiplied by.
    warmup : float in [0, 1), default=0.0
        Share of the steps for warming up.

    Examples
    --------
    >>> [round(Step(every=0.5).factor(s, total_steps=10), 3) for s in (0, 4, 5, 9)]
    [1.0, 1.0, 0.1, 0.1]
    """

    def __init__(self, *, every: float = 0.3, by: float = 0.1, warmup: float = 0.0) -> None:
        self.every = every
        self.by = by
        self.warmup = warmup
        self._check(every=every, by=by, warmup=warmup)
        if not every or not by:
            raise OptionError(f"`every` and `by` of Step must be above 0; got {every!r} and {by!r}.")

    def factor(self, step: int, *, total_steps: int) -> float:
        """``by`` to the number of falls until now."""
        falls = step // max(1, round(self.every * total_steps))
        return _warm(step, int(self.warmup * total_steps)) * float(self.by**falls)


class OneCycle(Schedule):
    """Up from ``start`` to 1 and down to ``end``, both along half a cosine.

    Parameters
    ----------
    peak : float in (0, 1), default=0.3
        Share of the steps after which the learning rate is highest.
    start, end : float in [0, 1), default=0.04 and 0.0
        Factors of the first and the last step.

    Notes
    -----
    DIFFERS FROM PAPER: momentum stays as it is.

    References
    ----------
    Smith & Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2018. arXiv:1708.07120
    """

    def __init__(self, *, peak: float = 0.3, start: float = 0.04, end: float = 0.0) -> None:
        self.peak = peak
        self.start = start
        self.end = end
        self._check(peak=peak, start=start, end=end)

    def factor(self, step: int, *, total_steps: int) -> float:
        """Half a cosine up, half a cosine down."""
        top = self.peak * total_steps
        if step < top:
            return 1 - (1 - self.start) * warmup_cosine(step, total_steps=max(1, round(top)), warmup=0)
        left = warmup_cosine(step - round(top), total_steps=max(1, total_steps - round(top)), warmup=0)
        return self.end + (1 - self.end) * left


class Plateau(Schedule):
    """Multiply the learning rate by ``by`` where validation skill has not risen for ``patience`` epochs.

    Every network of a stack falls by its own skill.

    Parameters
    ----------
    by : float in (0, 1), default=0.5
    patience : int, default=5
        Epochs without a better skill before a fall; less than that after which training stops.
    per_task : bool, default=False
        Let parameters that serve one task alone (its head, its tower) follow the skill of this task; all others follow the mean.
    warmup : float in [0, 1), default=0.05
        Share of the steps for warming up.
    """

    def __init__(self, *, by: float = 0.5, patience: int = 5, per_task: bool = False, warmup: float = 0.05) -> None:
        self.by = by
        self.patience = patience
        self.per_task = per_task
        self.warmup = warmup
        self._check(by=by, warmup=warmup)
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1 or not by:
            raise OptionError(
                f"`patience` of Plateau must be a whole number >= 1, and `by` above 0; got {patience!r} and {by!r}."
            )

    def factor(self, step: int, *, total_steps: int) -> float:
        """The warm-up; falls are made by training, which knows skills."""
        return _warm(step, int(self.warmup * total_steps))


SCHEDULES: ByName[Schedule] = ByName(
    Schedule,  # type: ignore[type-abstract]
    {"cosine": Cosine, "constant": Constant, "linear": Linear, "step": Step, "one_cycle": OneCycle, "plateau": Plateau},
    what="a schedule",
    example="cosine:warmup=0.1",
)


def schedule_of(given: Any, *, option: str = "`schedule`") -> Schedule:
    """The schedule of what a user gives: a schedule, a name, a name with settings, or None for :class:`Cosine`.

    >>> schedule_of("plateau:patience=3")
    Plateau(patience=3)
    """
    return Cosine() if given is None else SCHEDULES.of(given, option=option)


def _warm(step: int, n_warm: int) -> float:
    return (step + 1) / n_warm if step < n_warm else 1.0
