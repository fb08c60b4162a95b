"""What a metric is, and how several are told at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from polytask.exceptions import OptionError
from polytask.metrics._undefined import UndefinedMetric


def same(value: float) -> float:
    """Error of a metric that is an error already."""
    return value


def one_minus(value: float) -> float:
    """Error of a score whose best value is 1."""
    return 1.0 - value


@dataclass(frozen=True)
class Metric:
    """A named function of labels and outputs.

    Parameters
    ----------
    name : str
        Key in tables and JSON.
    function : callable
        ``function(target, outputs, *, sample_weight=None) -> float``; raises :class:`UndefinedMetric` where it has no value.
    higher_is_better : bool
        Direction of the value.
    error : callable
        Maps the value to an error L >= 0, of which skill = 1 - L / (L of a constant) is made: 1 - AUC for AUC, MSE for MSE.
    is_multilabel : bool, default=False
        Whether target and outputs are (n, n_labels).
    needs_baseline : bool, default=False
        Whether the function needs the keyword ``baseline``, the mean of the training labels.
    option : str, default=""
        Keyword of the function that a name may set: ``pinball_loss:0.9`` sets ``level``. See :meth:`with_option`.
    has_unit : bool, default=False
        Whether the value has the unit of the label, so that no mean over tasks is taken.

    Examples
    --------
    >>> from polytask.metrics import ACCURACY
    >>> ACCURACY([0.0, 1.0], [[0.9, 0.1], [0.8, 0.2]])
    0.5
    >>> ACCURACY.error(0.9)
    0.1
    """

    name: str
    function: Callable[..., float]
    higher_is_better: bool
    error: Callable[[float], float] = same
    is_multilabel: bool = False
    needs_baseline: bool = False
    option: str = ""
    has_unit: bool = False

    def with_option(self, value: str | float) -> "Metric":
        """Give the metric with another value of its option.

        >>> from polytask.metrics import PINBALL_LOSS
        >>> PINBALL_LOSS.with_option(0.9)([1.0, 2.0], [0.0, 4.0])
        0.55

        Raises
        ------
        OptionError
            If the metric has no option, or the value is no number > 0.
        """
        if not self.option:
            raise OptionError(f"The metric {self.name!r} has no option; got '{self.name}:{value}'.")
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < np.inf or (self.option == "level" and number >= 1):
            least = "in (0, 1)" if self.option == "level" else "> 0"
            raise OptionError(f"The option `{self.option}` of metric {self.name!r} must be a number {least}; got {value!r}.")
        return replace(self, name=f"{self.name}:{number:g}", function=_WithOption(self.function, self.option, number), option="")

    def __call__(
        self,
        target: ArrayLike,
        outputs: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        baseline: float | None = None,
    ) -> float:
        """Value of the metric on observed labels: a finite number.

        Parameters
        ----------
        target : array-like of shape (n,), (n, 1) or, for multilabel, (n, n_labels)
            Labels; NaN is missing.
        outputs : array-like of shape (n,), (n, n_classes) or (n, n_labels)
            In natural scale: means, or probabilities.
        sample_weight : array-like of shape (n,), (n, 1) or (n, n_labels), optional
            Weights >= 0; a label of weight 0 is as if missing.
        baseline : float, optional
            Mean of the training labels, for metrics relative to it.

        Raises
        ------
        UndefinedMetric
            If the metric has no value for these labels; the reason is told.
        ValueError
            If shapes, weights or class codes are wrong.
        """
        extra = {}
        if self.needs_baseline:
            if baseline is None:
                raise UndefinedMetric("the mean of the training labels is not known")
            extra["baseline"] = baseline
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(self.function(target, outputs, sample_weight=sample_weight, **extra))
        if not np.isfinite(value):
            raise UndefinedMetric("its value is not a finite number")
        return value


@dataclass(frozen=True)
class _WithOption:
    """A function with one keyword set; equal to another with the same."""

    function: Callable[..., float]
    option: str
    value: float

    def __call__(self, target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        return self.function(target, outputs, sample_weight=sample_weight, **{self.option: self.value})


def evaluate_metrics(
    metrics: Iterable[Metric],
    target: ArrayLike,
    outputs: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    baseline: float | None = None,
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Evaluate several metrics of one task; an undefined one is None, with its reason beside it.

    Parameters
    ----------
    metrics : iterable of Metric
        What to evaluate.
    target, outputs, sample_weight, baseline
        As for :class:`Metric`.

    Returns
    -------
    values : dict of str to float or None
        Value by name of metric, in the order given.
    reasons : dict of str to str
        Why, for each undefined metric and no other.

    Raises
    ------
    ValueError
        If shapes, weights or class codes are wrong.

    Examples
    --------
    >>> from polytask.metrics import MAE, R2
    >>> evaluate_metrics([MAE, R2], [1.0, 1.0], [1.0, 2.0])
    ({'mae': 0.5, 'r2': None}, {'r2': 'all labels are equal'})
    """
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for metric in metrics:
        try:
            values[metric.name] = metric(target, outputs, sample_weight=sample_weight, baseline=baseline)
        except UndefinedMetric as undefined:
            values[metric.name] = None
            reasons[metric.name] = undefined.reason
    return values, reasons
