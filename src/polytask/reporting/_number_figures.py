"""The figures of a task that is a number."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._count_plot import bar_name, rootogram_plot
from polytask.reporting._figures import Figure, Table
from polytask.reporting._number_plots import quantile_plot, residual_plot, scale_location_plot, scatter_plot
from polytask.reporting._numbers import finite, significant
from polytask.reporting._words_of_numbers import compared, ends_text, normal_words, residual_words, rootogram_words, scatter_words


def scatter_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Predicted against true."""
    words = scatter_words(part)
    rows = [[significant(b["predicted"]), significant(b["observed"]), span(b), f"{b['n']:,}"] for b in part.get("bins") or []]
    what = compared(part)
    header = ["Mean predicted", f"{what.capitalize()} of the truth", "Interval", "Rows"]
    table = Table(caption=f"The truth in bins of the prediction, its {what}", header=header, rows=rows)
    return Figure(
        key="scatter",
        title="Predicted against true",
        words=words,
        drawings=[scatter_plot(name, part, " ".join(words))],
        numbers=[table] if rows else [],
        part=part,
    )


def residual_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Residuals and their size over the prediction."""
    words = residual_words(part)
    rows = [
        [*(significant(b[key]) for key in ("predicted", "low", "median", "high", "spread")), f"{b['n']:,}"]
        for b in part.get("bins") or []
    ]
    header = ["Mean predicted", "One in ten below", "Median", "One in ten above", "Root mean square", "Rows"]
    return Figure(
        key="residuals",
        title="Residuals and their size",
        words=words,
        drawings=[plot(name, part, " ".join(words)) for plot in (residual_plot, scale_location_plot)],
        numbers=[Table(caption="Residuals in bins of the prediction", header=header, rows=rows)] if rows else [],
        part=part,
    )


def quantile_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Residuals against a normal distribution."""
    words, points = normal_words(part), part.get("points") or []
    shown = points[:: max(1, len(points) // 12)]
    rows = [[significant(row[0]).replace("-", "\N{MINUS SIGN}"), significant(row[1]), ends_text(row[2:])] for row in shown]
    header = ["Normal quantile", "Residual's quantile", "Band"]
    return Figure(
        key="normal_quantiles",
        title="Are the residuals normal?",
        words=words,
        drawings=[quantile_plot(name, part, " ".join(words))] if points else [],
        numbers=[Table(caption="Some of the quantiles", header=header, rows=rows)] if rows else [],
        part=part,
    )


def rootogram_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Counts seen and expected."""
    bars = part.get("bars") or []
    names = [bar_name(part, k) for k in range(len(bars))]
    words = rootogram_words(part, names)
    rows = [
        [own, significant(round(bar["observed"])), significant(bar["expected"]), ends_text([bar["low"], bar["high"]])]
        for own, bar in zip(names, bars, strict=True)
    ]
    header = ["Count", "Rows", "Expected", "Range by chance"]
    return Figure(
        key="rootogram",
        title="Counts seen and expected (rootogram)",
        words=words,
        drawings=[rootogram_plot(name, part, " ".join(words))] if bars else [],
        numbers=[Table(caption="Rows with each count", header=header, rows=rows)] if rows else [],
        part=part,
    )


def span(entry: Mapping[str, Any]) -> str:
    """The interval of an entry with ``low`` and ``high``, a dash without."""
    low, high = finite(entry.get("low")), finite(entry.get("high"))
    return "–" if low is None or high is None else ends_text([low, high])
