"""The balance of a split: for every task, how far each fold's label count is from its share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from polytask.reporting._numbers import finite, percent, significant
from polytask.reporting._svg import Scale, element

STRIP_HEIGHT = 22


def fold_deviations(counts: Sequence[float | None], *, rows: Sequence[float | None] = ()) -> list[float | None]:
    """Give each fold's relative distance from its share of the labels.

    Parameters
    ----------
    counts : sequence of float or None
        Observed labels in each fold.
    rows : sequence of float or None
        Rows in each fold; a fold's share of the labels is its share of the rows. Equal shares where unknown.

    Returns
    -------
    list of float or None
        0.1 means ten percent more labels than the share; None where the count is unknown or no fold has a label.

    Examples
    --------
    >>> fold_deviations([9, 11, 10]), fold_deviations([10, 20], rows=[50, 100])
    ([-0.1, 0.1, 0.0], [0.0, 0.0])
    """
    known = [row for row in rows if row]
    sizes = known if len(known) == len(counts) else [1.0] * len(counts)
    total = sum(count for count in counts if count is not None)
    size = sum(size for count, size in zip(counts, sizes, strict=True) if count is not None)
    return [
        round(count * size / (total * own) - 1, 10) if count is not None and total else None
        for count, own in zip(counts, sizes, strict=True)
    ]


def balance_scale(deviations: Iterable[float | None]) -> Scale:
    """Choose one symmetric axis for all tasks, at least from -5 % to +5 %."""
    limit = max([0.05, *(abs(value) for value in deviations if value is not None)])
    return Scale(-1.15 * limit, 1.15 * limit)


def balance_strip(name: str, deviations: Sequence[float | None], scale: Scale) -> Markup:
    """Draw one task: a dot per fold at its deviation, around the line of the right share."""
    known = [value for value in deviations if value is not None]
    spread = f"from {percent(min(known), sign=True)} to {percent(max(known), sign=True)}" if known else "undefined"
    dots = [element("circle", cx=scale.percent(value), cy=STRIP_HEIGHT / 2, r=4, class_="dot") for value in known]
    return element(
        "svg",
        element("title", f"{name}: label count of the folds, {spread} off their share"),
        element("line", x1="0", x2="100%", y1=STRIP_HEIGHT / 2, y2=STRIP_HEIGHT / 2, class_="grid"),
        element("line", x1=scale.percent(0), x2=scale.percent(0), y1=0, y2="100%", class_="zero"),
        *dots,
        class_="balance",
        width="100%",
        height=STRIP_HEIGHT,
        role="img",
    )


def describe_labels(part: Mapping[str, Any]) -> str:
    """Say how the labels of a fold (or of the whole) are distributed: the mean, or the shares of the classes.

    Examples
    --------
    >>> describe_labels({"n_observed": 4, "mean": 2.5}), describe_labels({"classes": {"no": 3, "yes": 1}})
    ('mean 2.5', 'no 75 %, yes 25 %')
    """
    if (mean := finite(part.get("mean"))) is not None:
        return f"mean {significant(mean)}"
    classes = part.get("classes")
    pairs = list(classes.items()) if isinstance(classes, Mapping) else list(enumerate(classes or []))
    numbers = [(name, finite(value)) for name, value in pairs]
    total = sum(value for _, value in numbers if value is not None)
    if not total:
        return ""
    return ", ".join(f"{name} {percent(value / total, decimals=0)}" for name, value in numbers if value is not None)
