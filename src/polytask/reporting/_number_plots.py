"""Plots of a task that is a number: predicted against true, residuals, scale and location, quantiles."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from polytask.reporting._numbers import finite
from polytask.reporting._plot import Axis, area, cloud, line, plot, wants_log, whiskers, x_axis, y_axis


def scatter_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """Predicted (across) against true (up), the line of perfect predictions, and of each bin the mean truth (or its quantile)."""
    points, bins = known_points(part), part.get("bins") or []
    everything = [value for point in points for value in point]
    is_log = wants_log([a for a, _ in points]) and wants_log([b for _, b in points])
    ends = [b[key] for b in bins for key in ("predicted", "observed") if finite(b.get(key)) is not None]
    shown = [value for value in [*everything, *ends] if not is_log or value > 0]
    x, y = x_axis(shown, is_log=is_log), y_axis(shown, is_log=is_log)
    ideal = _ends(x)
    marks = [
        (b["predicted"], b["observed"], finite(b.get("low")), finite(b.get("high"))) for b in bins if x.holds(b["predicted"])
    ]
    return plot(
        line([(end, end) for end in ideal], x, y, style="ideal"),
        cloud(points, x, y),
        whiskers(marks, x, y),
        x=x,
        y=y,
        title=f"{name}: predicted against true",
        description=description,
        x_name="predicted" + (" (logarithmic)" if is_log else ""),
        y_name="true",
    )


def residual_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """Residuals over the prediction, with the median and the middle four fifths of each bin."""
    points, bins = known_points(part), part.get("bins") or []
    x = _prediction_axis(points, bins)
    y = y_axis(_middle([b for _, b in points] + [b[key] for b in bins for key in ("low", "high")] + [0.0]))
    lower, upper = ([(b["predicted"], b[key]) for b in bins if x.holds(b["predicted"])] for key in ("low", "high"))
    middle = [(b["predicted"], b["median"]) for b in bins if x.holds(b["predicted"])]
    ends = _ends(x)
    return plot(
        area(lower, upper, x, y),
        line([(end, 0.0) for end in ends], x, y, style="ideal"),
        cloud(points, x, y),
        line(middle, x, y, style="reading"),
        x=x,
        y=y,
        title=f"{name}: residuals over the prediction",
        description=description,
        x_name="predicted" + (" (logarithmic)" if x.is_log else ""),
        y_name="(true − predicted) / Poisson deviation" if part.get("is_scaled") else "true − predicted",
    )


def scale_location_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """The root of the residual's size over the prediction: level where errors are equally large everywhere."""
    points = [(a, abs(b) ** 0.5) for a, b in known_points(part)]
    bins = part.get("bins") or []
    x = _prediction_axis(points, bins)
    y = y_axis([0.0, *_middle([b for _, b in points] + [b["root"] for b in bins])])
    reading = [(b["predicted"], b["root"]) for b in bins if x.holds(b["predicted"])]
    return plot(
        cloud(points, x, y),
        line(reading, x, y, style="reading"),
        x=x,
        y=y,
        title=f"{name}: size of the error over the prediction",
        description=description,
        x_name="predicted" + (" (logarithmic)" if x.is_log else ""),
        y_name="√ |residual|",
    )


def quantile_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """Quantiles of the standardized residuals against those of a normal distribution, with the band for all at once."""
    rows = [row for row in part.get("points") or [] if all(finite(value) is not None for value in row)]
    x = x_axis([row[0] for row in rows])
    y = y_axis([value for row in rows for value in (row[0], row[1])])
    low, high = ([(row[0], y.clamp(row[k])) for row in rows] for k in (2, 3))
    return plot(
        area(low, high, x, y),
        line([(end, end) for end in _ends(x)], x, y, style="ideal"),
        cloud([(row[0], row[1]) for row in rows], x, y),
        x=x,
        y=y,
        title=f"{name}: residuals against a normal distribution",
        description=description,
        x_name="normal distribution",
        y_name="residual, standardized",
    )


def known_points(part: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The points of a part that are numbers."""
    pairs = ((finite(a), finite(b)) for a, b in part.get("points") or [])
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def _prediction_axis(points: list[tuple[float, float]], bins: Any) -> Axis:
    values = [a for a, _ in points]
    is_log = wants_log(values)
    return x_axis([value for value in [*values, *(b["predicted"] for b in bins)] if not is_log or value > 0], is_log=is_log)


def _middle(values: list[float]) -> list[float]:
    """The values without a few far out, which would flatten the rest."""
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 50], ordered[-1 - len(ordered) // 50]
    reach = 0.6 * (high - low)
    return [value for value in ordered if low - reach <= value <= high + reach]


def _ends(axis: Axis) -> tuple[float, float]:
    low, high = axis.scale.low, axis.scale.high
    return (10**low, 10**high) if axis.is_log else (low, high)
