"""The figures of a task with classes, levels or tags."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._class_plots import calibration_plot, distance_plot, precision_recall_plot, roc_plot
from polytask.reporting._figures import Figure, Table
from polytask.reporting._number_figures import span
from polytask.reporting._numbers import percent, significant
from polytask.reporting._words_of_classes import (
    calibration_words,
    confusion_words,
    curve_words,
    level_words,
    plain,
    quoted,
    tag_words,
)
from polytask.reporting._words_of_numbers import share_text, three, with_ends


def confusion_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """True against predicted class."""
    labels = [str(label) for label in part.get("labels") or []]
    if part.get("n_other"):
        labels.append(f"{part['n_other']} others")
    matrix = part.get("matrix") or []
    rows, shades = [], []
    for true, (label, counts) in enumerate(zip(labels, matrix, strict=False)):
        total = sum(counts)
        rows.append([label, *(_count(n, total) for n in counts)])
        shades.append([_shade(n, total, right=true == called) for called, n in enumerate(counts)])
    header = ["True \\ predicted", *labels]
    caption = "Rows of every true class (down) by the most probable one (across), with the share of the true class"
    classes = [
        [entry["name"], _rounded(entry["n"]), _rounded(entry["called"]), share_text(entry["found"]), share_text(entry["right"])]
        for entry in part.get("classes") or []
    ]
    told = ["Class", "Rows", "Called so", "Found (recall)", "Right if called so (precision)"]
    return Figure(
        key="confusion",
        title="Confusion matrix",
        words=confusion_words(part),
        shown=[Table(caption=caption, header=header, rows=rows, shades=shades)],
        numbers=[Table(caption="Found and right, per class", header=told, rows=classes)],
        part=part,
    )


def curve_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """ROC and precision-recall."""
    classes, words = part.get("classes") or [], curve_words(part)
    drawn = [entry for entry in classes if entry.get("roc")]
    rows = [
        [
            entry["name"],
            f"{entry['n_positive']:,}",
            plain(entry["auc"]) if entry.get("auc") else "undefined",
            plain(entry["average_precision"]) if entry.get("average_precision") else "undefined",
            percent(entry["base_rate"]),
        ]
        for entry in classes
    ]
    header = ["Class", "Rows", "Area under ROC", "Average precision", "By guessing"]
    return Figure(
        key="curves",
        title="ROC and precision-recall",
        words=words,
        drawings=[plot(name, drawn, " ".join(words)) for plot in (roc_plot, precision_recall_plot)] if drawn else [],
        numbers=[Table(caption="Areas, each class against the rest", header=header, rows=rows)],
        part=part,
    )


def calibration_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Predicted probability against observed share."""
    words = calibration_words(part, what=quoted(part["of"]) if part.get("of") is not None else "the most probable class")
    return _calibration(name, part, words, "calibration")


def tag_calibration_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """The same over all tags."""
    return _calibration(name, part, calibration_words(part, what="a tag"), "tag_calibration")


def _calibration(name: str, part: Mapping[str, Any], words: list[str], key: str) -> Figure:
    rows = [[significant(b["predicted"]), significant(b["observed"]), span(b), f"{b['n']:,}"] for b in part.get("bins") or []]
    header = ["Mean predicted", "Observed share", "Interval, all bins at once", "Rows"]
    return Figure(
        key=key,
        title="Calibration",
        words=words,
        drawings=[calibration_plot(name, part, " ".join(words))],
        numbers=[Table(caption="Observed share in bins of the probability", header=header, rows=rows)],
        part=part,
    )


def level_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """Distances between predicted and true level."""
    words = level_words(part)
    levels = [
        [entry["name"], f"{entry['n']:,}", with_ends(ends, signed=True) if (ends := three(entry["distance"])) else "–"]
        for entry in part.get("levels") or []
    ]
    cuts = [
        [entry["from"], percent(entry["predicted"]), share_text(entry["observed"]), plain(entry["auc"]) if entry["auc"] else "–"]
        for entry in part.get("cuts") or []
    ]
    return Figure(
        key="levels",
        title="How many levels off",
        words=words,
        drawings=[distance_plot(name, part, " ".join(words))],
        numbers=[
            Table(
                caption="Levels off (+ is too high), per true level", header=["True level", "Rows", "Mean distance"], rows=levels
            ),
            Table(
                caption="Every cut between the levels",
                header=["This level or above", "Predicted", "Observed", "Area under ROC"],
                rows=cuts,
            ),
        ],
        part=part,
    )


def tag_figure(name: str, part: Mapping[str, Any]) -> Figure:
    """A line per tag."""
    rows = [
        [
            entry["name"],
            f"{entry['n_positive']:,} of {entry['n']:,}",
            percent(entry["base_rate"]),
            percent(entry["predicted"]),
            plain(entry["auc"]) if entry.get("auc") else "undefined",
            plain(entry["average_precision"]) if entry.get("average_precision") else "undefined",
            share_text(entry["found"]) if entry.get("found") else "–",
            share_text(entry["right"]) if entry.get("right") else "–",
        ]
        for entry in part.get("tags") or []
    ]
    header = ["Tag", "Rows with it", "Share", "Predicted", "Area under ROC", "Average precision", "Found", "Right if called"]
    left_out = part.get("n_tags", 0) - len(rows)
    caption = "Every tag, that with the smallest area first" + (f"; {left_out} more are not shown" if left_out > 0 else "")
    table = Table(caption=caption, header=header, rows=rows)
    return Figure(key="tags", title="Tag by tag", words=tag_words(part), shown=[table], part=part)


def _count(n: float, total: float) -> str:
    return f"{_rounded(n)} ({percent(n / total, decimals=0)})" if n and total else "0"


def _rounded(n: float) -> str:
    return f"{round(n):,}"


def _shade(n: float, total: float, *, right: bool) -> int | None:
    strength = round(9 * n / total) if total else 0
    return (strength or 1 if n else 0) * (1 if right else -1) or None
