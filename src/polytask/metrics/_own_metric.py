"""Metrics that a user writes as one function, and metrics by their names."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from polytask.exceptions import OptionError
from polytask.metrics._metric import Metric
from polytask.metrics._observed import observed_classes, observed_labels, observed_values
from polytask.metrics._undefined import UndefinedMetric


def make_metric(
    name: str, function: Callable[..., float], *, higher_is_better: bool, is_multilabel: bool = False, has_unit: bool = False
) -> Metric:
    """Make a metric of a user's function, in one line.

    Parameters
    ----------
    name : str
        Key in tables and JSON.
    function : callable
        ``function(target, outputs)`` or ``function(target, outputs, sample_weight=...)``. It gets the rows with an observed label
        only: class codes or numbers (n,) and outputs in natural scale (n,) or (n, n_classes); for multilabel both
        (n, n_labels), with NaN where a label is missing. It may raise :class:`UndefinedMetric`.
    higher_is_better : bool
        Direction of the value.
    is_multilabel : bool, default=False
    has_unit : bool, default=False
        Whether the value has the label's unit, so that no mean over tasks is taken.

    Returns
    -------
    metric : Metric

    Examples
    --------
    >>> bias = make_metric("bias", lambda target, outputs: float(np.mean(outputs - target)), higher_is_better=False)
    >>> bias([1.0, float("nan")], [3.0, 9.0])
    2.0
    """
    if not isinstance(name, str) or not name or ":" in name:
        raise OptionError(f"The name of a metric must be a text without ':'; got {name!r}.")
    if not callable(function):
        raise OptionError(f"The function of metric {name!r} must be callable; got {function!r}.")
    own = _OwnFunction(function, is_multilabel)
    return Metric(name, own, higher_is_better=higher_is_better, is_multilabel=is_multilabel, has_unit=has_unit)


def metric_of(given: str | Metric, *, known: Mapping[str, Metric], owner: str = "") -> Metric:
    """Read a metric as a user declares it: a name, a name with its option (``precision_at_k:0.2``), or a :class:`Metric`.

    Parameters
    ----------
    given : str or Metric
    known : mapping of name to Metric
    owner : str
        For errors, such as ``" of task 'price'"``.

    Raises
    ------
    OptionError
        If there is no such metric or option.

    Examples
    --------
    >>> from polytask.metrics import metrics_by_name
    >>> metric_of("pinball_loss:0.9", known=metrics_by_name).name
    'pinball_loss:0.9'
    """
    if isinstance(given, Metric):
        return given
    if callable(given):
        raise OptionError(
            f"The metric {getattr(given, '__name__', given)!r}{owner} is a bare function: whether higher is better is not known. "
            "Write `make_metric('name', function, higher_is_better=...)`."
        )
    name, colon, value = str(given).partition(":")
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else f" Metrics are {', '.join(known)}."
        raise OptionError(f"There is no metric {name!r}{owner}.{hint}")
    return known[name].with_option(value) if colon else known[name]


def metrics_of(given: Iterable[str | Metric], *, known: Mapping[str, Metric], owner: str = "") -> tuple[Metric, ...]:
    """Read several; see :func:`metric_of`."""
    if isinstance(given, str | Metric):
        given = [given]
    return tuple(metric_of(metric, known=known, owner=owner) for metric in given)


@dataclass(frozen=True)
class _OwnFunction:
    """A user's function behind the guards that every metric passes."""

    function: Callable[..., float]
    is_multilabel: bool

    def __call__(self, target: ArrayLike, outputs: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        if self.is_multilabel:
            target, outputs, weight = observed_labels(target, outputs, sample_weight)
            target = np.where(weight > 0, target, np.nan)
        elif np.ndim(outputs) == 2 and np.shape(outputs)[1] > 1:
            target, outputs, weight = observed_classes(target, outputs, sample_weight)
        else:
            target, outputs, weight = observed_values(target, outputs, sample_weight)
        arguments: dict[str, Any] = {}
        if "sample_weight" in inspect.signature(self.function).parameters:
            arguments["sample_weight"] = weight
        elif np.ptp(weight[weight > 0]) > 0:
            raise UndefinedMetric("rows have different weights, and the function takes no `sample_weight`")
        return float(self.function(target, outputs, **arguments))
