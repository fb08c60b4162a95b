"""The plots of the report drawn by matplotlib, from the same numbers as the SVG ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polytask.reporting._class_plots import weakest
from polytask.reporting._count_plot import bar_name
from polytask.reporting._figures import Figure
from polytask.reporting._forest_plot import forest_scale
from polytask.reporting._number_plots import known_points
from polytask.reporting._numbers import finite
from polytask.reporting._pdf_pages import ALONE, BAND, CARD, DOT, HARMED, HELPED, INK, QUIET, clean
from polytask.reporting._plot import wants_log
from polytask.reporting._readings import Gain

Axes = Any
Draw = Callable[[Axes], None]
_VERDICT = {"helped": HELPED, "harmed": HARMED, "equivalent": QUIET, "undecided": QUIET, "none": QUIET}
_MARKER = {"helped": "^", "harmed": "v", "equivalent": "s", "undecided": "o", "none": "D"}


def draws_of(figure: Figure) -> list[Draw]:
    """What to draw for a figure; empty where the figure is a table."""
    make = _DRAW.get(figure.key)
    return make(figure.part) if make and figure.drawings else []


def forest(axes: Axes, gains: Sequence[Gain], *, margin: float | None) -> None:
    """Gains with intervals, the first at the top; shape and colour tell the verdict."""
    axes.axvline(0, color=QUIET, linewidth=0.8)
    if margin:
        axes.axvspan(-100 * margin, 100 * margin, color=BAND, linewidth=0)
    scale = forest_scale(gains, margin=margin)
    for row, gain in enumerate(gains):
        color = _VERDICT[gain.verdict]
        if gain.low is not None and gain.high is not None:
            axes.plot([100 * gain.low, 100 * gain.high], [row, row], color=color, linewidth=1.4)
        if gain.gain is not None:
            face = CARD if gain.verdict in ("undecided", "none") else color
            axes.plot([100 * gain.gain], [row], _MARKER[gain.verdict], color=color, markerfacecolor=face, markersize=5)
    axes.set(xlim=(100 * scale.low, 100 * scale.high), ylim=(len(gains) - 0.4, -0.6))
    axes.set_xlabel("points of skill; right of the line is better; what reaches the edge goes on")
    axes.set_yticks(range(len(gains)), [clean(gain.name, length=26) for gain in gains], parse_math=False)


def _scatter(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        points, bins = known_points(part), part.get("bins") or []
        is_log = wants_log([a for a, _ in points]) and wants_log([b for _, b in points])
        low, high = (choose([value for point in points for value in point]) for choose in (min, max))
        axes.plot([low, high], [low, high], "--", color=QUIET, linewidth=0.8)
        _cloud(axes, points)
        _bins(axes, bins)
        axes.set(xlabel="predicted", ylabel="true")
        if is_log:
            axes.set(xscale="log", yscale="log")

    return [draw]


def _residuals(part: Mapping[str, Any]) -> list[Draw]:
    bins = part.get("bins") or []
    x = [b["predicted"] for b in bins]

    def draw(axes: Axes) -> None:
        _cloud(axes, known_points(part))
        axes.axhline(0, linestyle="--", color=QUIET, linewidth=0.8)
        axes.fill_between(x, [b["low"] for b in bins], [b["high"] for b in bins], color=HELPED, alpha=0.14, linewidth=0)
        axes.plot(x, [b["median"] for b in bins], color=HELPED, linewidth=1.4)
        axes.set(xlabel="predicted", ylabel="residual / Poisson deviation" if part.get("is_scaled") else "true − predicted")

    def size(axes: Axes) -> None:
        _cloud(axes, [(a, abs(b) ** 0.5) for a, b in known_points(part)])
        axes.plot(x, [b["root"] for b in bins], color=HELPED, linewidth=1.4)
        axes.set(xlabel="predicted", ylabel="√ |residual|")

    return [draw, size]


def _quantiles(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        rows = [row for row in part["points"] if all(finite(value) is not None for value in row)]
        x = [row[0] for row in rows]
        axes.fill_between(x, [row[2] for row in rows], [row[3] for row in rows], color=HELPED, alpha=0.14, linewidth=0)
        axes.plot([x[0], x[-1]], [x[0], x[-1]], "--", color=QUIET, linewidth=0.8)
        _cloud(axes, [(row[0], row[1]) for row in rows])
        ends = [value for row in rows for value in row[:2]]
        axes.set(xlabel="normal distribution", ylabel="residual, standardized", ylim=(min(ends) - 0.3, max(ends) + 0.3))

    return [draw]


def _rootogram(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        bars = part["bars"]
        places = range(len(bars))
        top = [bar["expected"] ** 0.5 for bar in bars]
        axes.bar(places, [-(bar["observed"] ** 0.5) for bar in bars], bottom=top, width=0.8, color=DOT, alpha=0.6)
        low, high = ([t - bar[key] ** 0.5 for t, bar in zip(top, bars, strict=True)] for key in ("high", "low"))
        axes.fill_between(places, low, high, step="mid", color=HELPED, alpha=0.14, linewidth=0)
        axes.plot(places, top, color=HELPED, linewidth=1.4)
        axes.axhline(0, color=QUIET, linewidth=0.8)
        stride = max(1, -(-len(bars) // 7))
        names = [bar_name(part, k).replace(" and more", "+").replace(" to ", "–") for k in range(0, len(bars), stride)]
        axes.set_xticks(range(0, len(bars), stride), names)
        axes.set(xlabel="count", ylabel="√ rows")

    return [draw]


def _curves(part: Mapping[str, Any]) -> list[Draw]:
    classes = [entry for entry in part.get("classes") or [] if entry.get("roc")]
    last = weakest(classes) if len(classes) > 1 else None

    def draw(axes: Axes, key: str) -> None:
        for entry in classes:
            color, width = (HARMED, 1.6) if entry is last else (HELPED, 1.4 if last is None else 0.8)
            axes.plot(*zip(*entry[key], strict=True), color=color, linewidth=width)

    def roc(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], "--", color=QUIET, linewidth=0.8)
        draw(axes, "roc")
        axes.set(xlabel="false alarms, share of the others", ylabel="found, share of the class")

    def precision(axes: Axes) -> None:
        if last is None:
            axes.axhline(classes[0]["base_rate"], linestyle="--", color=QUIET, linewidth=0.8)
        draw(axes, "precision_recall")
        axes.set(xlabel="found (recall)", ylabel="right if called so (precision)", ylim=(-0.02, 1.02))

    return [roc, precision] if classes else []


def _calibration(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], "--", color=QUIET, linewidth=0.8)
        counts = [a + b for a, b in zip(*(part.get("histogram") or ([], [])), strict=False)]
        if counts and max(counts) > 0:
            wide = 1 / len(counts)
            axes.bar(
                [(k + 0.5) * wide for k in range(len(counts))],
                [0.15 * c / max(counts) for c in counts],
                width=0.9 * wide,
                color=DOT,
                alpha=0.5,
            )
        _bins(axes, part.get("bins") or [])
        axes.set(xlabel="predicted probability; bars: how often", ylabel="observed share", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))

    return [draw]


def _levels(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        pairs = part.get("distances") or []
        total = sum(n for _, n in pairs) or 1.0
        colors = [HELPED if off == 0 else DOT for off, _ in pairs]
        axes.bar([off for off, _ in pairs], [100 * n / total for _, n in pairs], width=0.8, color=colors)
        axes.set(xlabel="levels too low (−) or too high (+)", ylabel="% of the rows")

    return [draw]


def _label_curve(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        x, entry = part["x"], part["entry"]
        for arm, color, dash in (("alone", ALONE, "--"), ("together", HELPED, "-")):
            own = entry.get(arm) or {}
            skill = [finite(value) for value in own.get("skill") or []]
            known = [(at, 100 * value) for at, value in zip(x, skill, strict=False) if value is not None]
            axes.plot(
                [at for at, _ in known], [value for _, value in known], dash, marker="o", markersize=3, color=color, linewidth=1.4
            )
            ends = [
                (at, finite(low), finite(high))
                for at, low, high in zip(x, own.get("low") or [], own.get("high") or [], strict=False)
            ]
            told = [(at, 100 * low, 100 * high) for at, low, high in ends if low is not None and high is not None]
            axes.fill_between(
                [t[0] for t in told], [t[1] for t in told], [t[2] for t in told], color=color, alpha=0.12, linewidth=0
            )
        axes.set(xscale="log", xlabel=part["x_name"], ylabel="skill, points")
        axes.set_xticks(x, part["ticks"])
        axes.set_xticks([], minor=True)

    return [draw]


def _task_weights(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        colors = {part["least"]: HARMED, part["most"]: HELPED}
        for name in sorted(part["shares"], key=lambda name: name in colors):
            epochs, shares = zip(*part["shares"][name], strict=True)
            color, width = colors.get(name, DOT), 1.6 if name in colors else 0.8
            axes.plot(epochs, [100 * share for share in shares], color=color, linewidth=width)
        axes.axhline(100 * part["equal"], linestyle="--", color=QUIET, linewidth=0.8)
        axes.set(xlabel="epoch", ylabel="share of the weights, %")

    return [draw]


def _conflict(part: Mapping[str, Any]) -> list[Draw]:
    def draw(axes: Axes) -> None:
        epochs, shares = zip(*part["points"], strict=True)
        axes.axhline(50, linestyle="--", color=QUIET, linewidth=0.8)
        axes.plot(epochs, [100 * share for share in shares], color=HELPED, linewidth=1.4)
        axes.set(xlabel="epoch", ylabel="pairs in conflict, %", ylim=(-2, 102))

    return [draw]


def _cloud(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    axes.plot([a for a, _ in points], [b for _, b in points], "o", color=DOT, alpha=0.6, markersize=2.4, markeredgewidth=0)


def _bins(axes: Axes, bins: Sequence[Mapping[str, Any]]) -> None:
    for b in bins:
        if finite(b.get("low")) is not None and finite(b.get("high")) is not None:
            axes.plot([b["predicted"]] * 2, [b["low"], b["high"]], color=HELPED, linewidth=1.1)
    axes.plot(
        [b["predicted"] for b in bins],
        [b["observed"] for b in bins],
        "o",
        color=HELPED,
        markersize=3.2,
        markeredgecolor=INK,
        markeredgewidth=0,
    )


_DRAW: dict[str, Callable[[Mapping[str, Any]], list[Draw]]] = {
    "scatter": _scatter,
    "residuals": _residuals,
    "normal_quantiles": _quantiles,
    "rootogram": _rootogram,
    "curves": _curves,
    "calibration": _calibration,
    "tag_calibration": _calibration,
    "levels": _levels,
    "learning_curve": _label_curve,
    "balancing_weights": _task_weights,
    "balancing_conflict": _conflict,
}
