"""How the tasks of a fit were balanced: which gradients pull apart, the weights of the tasks, and conflict over the epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from polytask.reporting._figures import Figure, Table
from polytask.reporting._numbers import finite, percent, plural, significant
from polytask.reporting._plot import Axis, line, plot, x_axis, y_axis
from polytask.reporting._svg import element
from polytask.reporting._words import short_name

MOST_IN_HEAT_MAP = 14
_LEVEL = 0.05  # cosines nearer to 0 than this are neither agreement nor conflict


def balancing_view(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the section on balancing shows; None where tasks were not balanced by a method that was asked for."""
    found = result.get("balancing")
    if not found:
        return None
    at = {"parameters": "at all shared parameters", "features": "at the output of the encoder"}.get(found.get("at") or "")
    method = str(found.get("method") or "a method")
    told = f"The losses of the tasks, each divided by that of the constant prediction, were balanced by {method}"
    told += f", which compared their gradients {at}." if at else "."
    if found.get("experimental"):
        told += " This method is experimental: it was not checked against an independent implementation."
    return {"words": told, "figures": balancing_figures(found)}


def balancing_figures(found: Mapping[str, Any]) -> list[Figure]:
    """Cosines between tasks, weights over epochs, conflict over epochs; those of them that there are.

    Parameters
    ----------
    found : dict
        ``balancing`` of a fit.
    """
    makers = (_cosine_figure, _weight_figure, _conflict_figure)
    return [figure for make in makers if (figure := make(found)) is not None]


# ---------------------------------------------------------------------------------------------------------------- cosines


def cosine_words(cosines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which two tasks pull apart most, and which agree most.

    >>> cosine_words({"price": {"price": 1.0, "sold": -0.31}, "sold": {"price": -0.31, "sold": 1.0}})
    ["'price' and 'sold' pull apart: the mean cosine of their gradients is -0.31."]
    """
    names = list(cosines)
    pairs = [
        (value, first, second)
        for k, first in enumerate(names)
        for second in names[k + 1 :]
        if (value := finite(cosines[first].get(second))) is not None
    ]
    if not pairs:
        return ["No two tasks had labels in one batch, so their gradients could not be compared."]
    if len(pairs) == 1:
        value, first, second = pairs[0]
        return [f"{_both(first, second)} {_relation(value)}: the mean cosine of their gradients is {value:.2f}."]
    low, high = min(pairs), max(pairs)
    apart = sum(value < -_LEVEL for value, _, _ in pairs)
    told = [f"Of {plural(len(pairs), 'pair')} of tasks {apart or 'none'} {'pulls' if apart == 1 else 'pull'} apart on the mean."]
    if low[0] < -_LEVEL:
        told.append(f"Most apart are {_both(low[1], low[2])} (mean cosine {low[0]:.2f}).")
    if high[0] > _LEVEL:
        told.append(f"{_both(high[1], high[2])} agree most ({high[0]:.2f}).")
    return told


def _both(first: str, second: str) -> str:
    return f"'{short_name(first, length=24)}' and '{short_name(second, length=24)}'"


def _relation(value: float) -> str:
    return "pull apart" if value < -_LEVEL else "pull the same way" if value > _LEVEL else "neither help nor disturb each other"


def _cosine_figure(found: Mapping[str, Any]) -> Figure | None:
    cosines = found.get("cosines") or {}
    if len(cosines) < 2:
        return None
    names, words = list(cosines), cosine_words(cosines)
    if len(names) > MOST_IN_HEAT_MAP:
        in_conflict = sorted(names, key=lambda name: _mean_with_others(cosines, name))[:MOST_IN_HEAT_MAP]
        names = [name for name in names if name in in_conflict]
        words = [*words, f"Shown are the {MOST_IN_HEAT_MAP} tasks that agree least with the others."]
    rows, shades = [], []
    for first in names:
        values = [finite(cosines[first].get(second)) for second in names]
        told = ["–" if value is None else f"{value:z.2f}" for value in values]
        rows.append([first, *("" if second == first else text for second, text in zip(names, told, strict=True))])
        shades.append([None if second == first else _shade(value) for second, value in zip(names, values, strict=True)])
    caption = "Mean cosine between the gradients of two tasks: 1 the same direction, 0 unrelated, \N{MINUS SIGN}1 opposite"
    header = ["Task", *(short_name(name, length=18) for name in names)]
    table = Table(caption=caption, header=header, rows=rows, shades=shades)
    return Figure(key="balancing_cosines", title="Do the tasks pull the same way?", words=words, shown=[table], part=found)


def _shade(value: float | None) -> int | None:
    if value is None or abs(value) < _LEVEL:
        return None
    strength = min(9, max(1, round(9 * abs(value))))
    return strength if value >= 0 else -strength


def _mean_with_others(cosines: Mapping[str, Mapping[str, Any]], name: str) -> float:
    values = [value for other, own in cosines[name].items() if other != name and (value := finite(own)) is not None]
    return sum(values) / len(values) if values else 1.0


# ---------------------------------------------------------------------------------------------------------------- weights


def weight_shares(weights: Mapping[str, Sequence[Any]]) -> dict[str, list[float | None]]:
    """Share of each task in the weights of an epoch; None where its weight or that of all is undefined or negative.

    >>> weight_shares({"price": [1.0, None], "sold": [3.0, 1.0]})
    {'price': [0.25, None], 'sold': [0.75, 1.0]}
    """
    known = {name: [finite(value) for value in values] for name, values in weights.items()}
    n_epochs = max((len(values) for values in known.values()), default=0)
    totals = [sum(values[e] or 0.0 for values in known.values()) for e in range(n_epochs)]
    has_negative = any(value is not None and value < 0 for values in known.values() for value in values)
    return {
        name: [None if value is None or has_negative or not totals[e] else value / totals[e] for e, value in enumerate(values)]
        for name, values in known.items()
    }


def _weight_figure(found: Mapping[str, Any]) -> Figure | None:
    weights = found.get("weights") or {}
    shares = weight_shares(weights)
    drawn = {name: points for name, own in shares.items() if (points := _points(own))}
    if not drawn:
        return None
    last = {name: points[-1][1] for name, points in drawn.items()}
    most, least = max(last, key=lambda name: last[name]), min(last, key=lambda name: last[name])
    equal = 1 / len(weights)
    words = [f"'{short_name(most)}' weighed most in the last epoch: {percent(last[most], decimals=0)} of all weights."]
    if most != least:
        words.append(f"'{short_name(least)}' weighed least: {percent(last[least], decimals=0)}. Equal would be {percent(equal)}.")
    words.append("A large weight is not importance: it makes up for small or slow gradients.")
    rows = [
        [name, *(percent(value) for value in (points[0][1], _mean(points), points[-1][1])), significant(_last(weights[name]))]
        for name, points in drawn.items()
    ]
    header = ["Task", "First epoch", "Mean", "Last epoch", "Weight in the last epoch"]
    return Figure(
        key="balancing_weights",
        title="How much does each task weigh?",
        words=words,
        drawings=[_weight_plot(drawn, most, least, equal, " ".join(words))],
        numbers=[Table(caption="Share of all weights, per task", header=header, rows=rows)],
        part={"shares": drawn, "most": most, "least": least, "equal": equal},
    )


def _weight_plot(drawn: Mapping[str, Any], most: str, least: str, equal: float, description: str) -> Markup:
    values = [100 * value for points in drawn.values() for _, value in points]
    x = x_axis(_epochs(drawn.values()))
    y = y_axis([0.0, 100 * equal, *values], room=0.1)
    order = sorted(drawn, key=lambda name: (name == most, name == least))
    styles = {least: "reading weak", most: "reading"}
    lines = [
        element(
            "g",
            element("title", name),
            line([(epoch, 100 * value) for epoch, value in drawn[name]], x, y, style=styles.get(name, "reading thin")),
        )
        for name in order
    ]
    ends = x.scale.low, x.scale.high
    return plot(
        line([(at, 100 * equal) for at in ends], x, y, style="ideal"),
        *lines,
        *_line_ends(drawn, most, least, x, y),
        x=x,
        y=y,
        title="Share of each task in the weights, over the epochs",
        description=description,
        x_name="epoch (dashed: equal weights)",
        y_name="share of the weights, %",
    )


def _line_ends(drawn: Mapping[str, Any], most: str, least: str, x: Axis, y: Axis) -> list[Markup]:
    """The names of the tasks that weigh most and least, at the ends of their lines."""
    found = []
    for name, shift in {most: -8.0, least: 15.0}.items():
        epoch, value = drawn[name][-1]
        found.append(element("text", short_name(name, length=20), x=x(epoch), y=y(100 * value) + shift, text_anchor="end"))
    return found


# --------------------------------------------------------------------------------------------------------------- conflict


def _conflict_figure(found: Mapping[str, Any]) -> Figure | None:
    points = _points([finite(value) for value in found.get("conflict") or []])
    if not points:
        return None
    first, mean, last = points[0][1], _mean(points), points[-1][1]
    words = [
        f"Over all epochs {percent(mean, decimals=0)} of the pairs of gradients pointed apart: "
        f"{percent(first, decimals=0)} in the first epoch, {percent(last, decimals=0)} in the last.",
        "Of gradients that are pure noise, half would.",
    ]
    x, y = x_axis(_epochs([points])), y_axis([0.0, 100.0], room=0.02)
    drawing = plot(
        line([(at, 50.0) for at in (x.scale.low, x.scale.high)], x, y, style="ideal"),
        line([(epoch, 100 * value) for epoch, value in points], x, y, style="reading"),
        x=x,
        y=y,
        title="Share of the pairs of tasks whose gradients point apart, over the epochs",
        description=" ".join(words),
        x_name="epoch",
        y_name="pairs in conflict, %",
    )
    table = Table(
        caption="Share of the pairs of gradients that point apart",
        header=["", "First epoch", "Mean", "Last epoch"],
        rows=[["All pairs", *(percent(value) for value in (first, mean, last))]],
    )
    title = "How often do they pull apart?"
    return Figure(
        key="balancing_conflict", title=title, words=words, drawings=[drawing], numbers=[table], part={"points": points}
    )


def _points(values: Sequence[float | None]) -> list[tuple[int, float]]:
    """(epoch, value) from epoch 1, without those that are undefined."""
    return [(epoch, value) for epoch, value in enumerate(values, start=1) if value is not None]


def _epochs(lines: Any) -> list[float]:
    epochs = [float(epoch) for points in lines for epoch, _ in points]
    return epochs if len(set(epochs)) > 1 else [epochs[0] - 1, epochs[0] + 1]


def _mean(points: Sequence[tuple[int, float]]) -> float:
    return sum(value for _, value in points) / len(points)


def _last(values: Sequence[Any]) -> float | None:
    return next((value for value in map(finite, reversed(values)) if value is not None), None)
