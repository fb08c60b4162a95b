"""Plots of a task with classes, levels or tags: ROC, precision and recall, calibration, distances between levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from polytask.reporting._numbers import finite
from polytask.reporting._plot import BOTTOM, HEIGHT, line, plot, unit_axes, whiskers, x_axis, y_axis
from polytask.reporting._svg import element

SHARE_TICKS = [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")]


def roc_plot(name: str, classes: Sequence[Mapping[str, Any]], description: str) -> Markup:
    """True positives over false positives; of several classes, that with the smallest area is drawn apart."""
    x, y = unit_axes()
    return plot(
        line([(0, 0), (1, 1)], x, y, style="ideal"),
        *_class_lines(classes, "roc", x, y),
        x=x,
        y=y,
        title=f"{name}: ROC curve" + ("s, each class against the rest" if len(classes) > 1 else ""),
        description=description,
        x_name="false alarms, share of the others",
        y_name="found, share of the class",
        x_ticks=SHARE_TICKS,
        y_ticks=SHARE_TICKS,
    )


def precision_recall_plot(name: str, classes: Sequence[Mapping[str, Any]], description: str) -> Markup:
    """Precision over recall, with the share of the class, which guessing would give."""
    x, y = unit_axes()
    base = [finite(entry.get("base_rate")) for entry in classes]
    ideal = [line([(0, base[0]), (1, base[0])], x, y, style="ideal")] if len(base) == 1 and base[0] is not None else []
    return plot(
        *ideal,
        *_class_lines(classes, "precision_recall", x, y),
        x=x,
        y=y,
        title=f"{name}: precision over recall" + (", each class against the rest" if len(classes) > 1 else ""),
        description=description,
        x_name="found, share of the class (recall)",
        y_name="right among those called so (precision)",
        x_ticks=SHARE_TICKS,
        y_ticks=SHARE_TICKS,
    )


def weakest(classes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The class with the smallest ROC area; None where none has one."""
    known = [entry for entry in classes if entry.get("auc")]
    return min(known, key=lambda entry: entry["auc"][0]) if known else None


def _class_lines(classes: Sequence[Mapping[str, Any]], key: str, x: Any, y: Any) -> list[Markup]:
    last = weakest([entry for entry in classes if entry.get(key)]) if len(classes) > 1 else None
    drawn = sorted((entry for entry in classes if entry.get(key)), key=lambda entry: entry is last)
    lines = []
    for entry in drawn:
        style = "reading" if len(classes) == 1 else "reading weak" if entry is last else "reading thin"
        lines.append(element("g", element("title", str(entry["name"])), line(entry[key], x, y, style=style)))
    return lines


def calibration_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """Observed share over predicted probability with intervals, and how often each probability is given."""
    height = HEIGHT + 34
    x, y = unit_axes(height=height - 34)
    bins = part.get("bins") or []
    marks = [(b["predicted"], b["observed"], finite(b.get("low")), finite(b.get("high"))) for b in bins]
    counts = [a + b for a, b in zip(*(part.get("histogram") or ([], [])), strict=False)]
    tallest = max([*counts, 1e-12])
    floor, wide = height - BOTTOM, (x(1) - x(0)) / max(len(counts), 1)
    tall = [26 * count / tallest for count in counts]
    bars = [
        element("rect", x=x(0) + k * wide + 0.5, width=max(wide - 1, 0.5), y=floor - own, height=own, class_="often")
        for k, own in enumerate(tall)
        if own
    ]
    drawing = plot(
        line([(0, 0), (1, 1)], x, y, style="ideal"),
        line([(a, b) for a, b, _, _ in marks], x, y, style="joined"),
        whiskers(marks, x, y),
        x=x,
        y=y,
        title=f"{name}: calibration, observed share over predicted probability",
        description=description,
        x_name="predicted probability; bars: how often",
        y_name="observed share",
        height=height,
        x_ticks=[],
        y_ticks=SHARE_TICKS,
    )
    below = [
        *bars,
        *(element("text", text, x=x(v), y=floor + 16, text_anchor="end" if v == 1 else "middle") for v, text in SHARE_TICKS),
    ]
    return Markup(str(drawing)[: -len("</svg>")]) + Markup("").join(below) + Markup("</svg>")  # all of it was escaped


def distance_plot(name: str, part: Mapping[str, Any], description: str) -> Markup:
    """How many levels predictions are off: a bar for each distance."""
    pairs = [(int(off), float(n)) for off, n in part.get("distances") or []]
    total = sum(n for _, n in pairs) or 1.0
    x = x_axis([min([-1, *(off for off, _ in pairs)]) - 0.6, max([1, *(off for off, _ in pairs)]) + 0.6], room=0.0)
    y = y_axis([0.0, 1.08 * max([n / total for _, n in pairs], default=1.0)], room=0.0)
    half = 0.4 * (x(1) - x(0))
    bars = [
        element(
            "rect",
            x=x(off) - half,
            width=2 * half,
            y=y(n / total),
            height=y(0) - y(n / total),
            class_="right" if off == 0 else "often",
        )
        for off, n in pairs
    ]
    stride = max(1, -(-len(pairs) // 9))
    ticks = [(float(off), f"{off:+d}" if off else "0") for off, _ in pairs if off % stride == 0]
    y_ticks = [(value, f"{100 * value:g} %") for value, _ in y.ticks(about=4)]
    return plot(
        *bars,
        x=x,
        y=y,
        title=f"{name}: how many levels the prediction is off",
        description=description,
        x_name="levels too low (−) or too high (+)",
        y_name="share of the rows",
        x_ticks=ticks,
        y_ticks=y_ticks,
    )
