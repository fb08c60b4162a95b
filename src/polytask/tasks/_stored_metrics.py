"""A user's metrics as JSON, and back."""

from collections.abc import Iterable, Sequence
from typing import Any

from polytask.exceptions import ModelFolderError, OptionError
from polytask.metrics import Metric, metric_of, metrics_by_name


def metrics_to_list(metrics: Sequence[Metric]) -> list[dict[str, str]]:
    """Names of metrics, and whether a function of the user stands behind them.

    >>> from polytask.metrics import MAE
    >>> metrics_to_list([MAE])
    [{'metric': 'mae'}]
    """
    return [{"metric" if is_known(metric) else "function": metric.name} for metric in metrics]


def is_known(metric: Metric) -> bool:
    """Whether its name alone says what it is."""
    try:
        return metric_of(metric.name, known=metrics_by_name) == metric
    except OptionError:
        return False


def metrics_from_list(content: Sequence[Any], *, own: Iterable[Any] = ()) -> tuple[Metric, ...]:
    """Make the metrics of :func:`metrics_to_list` again; a user's own must be among ``own``.

    Raises
    ------
    ModelFolderError
        If a metric is not known to this version, or the user's own is not given.
    """
    given = {metric.name: metric for metric in own if isinstance(metric, Metric)}
    found = []
    for entry in content:
        if "function" in entry:
            if entry["function"] not in given:
                raise ModelFolderError(
                    f"The model uses your own metric {entry['function']!r}: pass it to load, `metrics=[make_metric(...)]`."
                )
            found.append(given[entry["function"]])
            continue
        try:
            found.append(metric_of(entry["metric"], known=metrics_by_name))
        except OptionError as error:
            raise ModelFolderError(f"A metric of this model is not known to this version ({error}) Upgrade polytask.") from error
    return tuple(found)
