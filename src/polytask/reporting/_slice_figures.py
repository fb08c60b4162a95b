"""Where the model fails: a strip per part of an input column, or per group, drawn as the gains are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from polytask.reporting._figures import Table
from polytask.reporting._forest_plot import forest_axis, forest_scale, forest_strip
from polytask.reporting._numbers import finite, points, significant
from polytask.reporting._readings import Gain
from polytask.reporting._words_of_slices import UNIT, column_words, group_words

WORDS = {"harmed": "worse", "helped": "better", "undecided": "no difference seen", "none": "undefined"}


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One part, drawn: left of the line its rows are predicted worse than the others."""

    gain: Gain
    words: str
    drawing: Markup
    n: int
    skill: str
    bias: str


@dataclass(frozen=True, kw_only=True)
class Strips:
    """The parts of one column (or all groups) over one axis."""

    name: str
    rows: Sequence[Strip]
    axis: Markup
    table: Table
    unit: str = f"less (+) or more (−) error, {UNIT}"


def column_view(part: Mapping[str, Any] | None, *, most: int) -> dict[str, Any] | None:
    """Everything about the error by input column, ``most`` of them part by part; None where it was not looked at."""
    if not part:
        return None
    columns = [column for column in part.get("columns") or [] if column.get("parts")][:most]
    worst = [_table_row(entry, with_column=True) for entry in part.get("worst") or []]
    header = ["Column", "Part", *_HEADER]
    return {
        "words": column_words(part),
        "worst": Table(caption="Parts that are predicted worse, the surest first", header=header, rows=worst) if worst else None,
        "columns": _strips([(column["name"], column["parts"]) for column in columns]),
        "part": part,
    }


def group_view(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Everything about the error by group; None without groups."""
    if not part:
        return None
    groups = part.get("groups") or []
    return {"words": group_words(part), "columns": _strips([("Groups", groups)]) if groups else [], "part": part}


_HEADER = [
    "Rows",
    "Skill there",
    f"Less (+) or more (−) error than elsewhere, {UNIT}",
    "Interval, all parts at once",
    "True − predicted",
]


def _strips(columns: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Strips]:
    gains = {name: [_as_gain(entry) for entry in parts] for name, parts in columns}
    scale = forest_scale([gain for own in gains.values() for gain in own], margin=None)
    return [
        Strips(
            name=name,
            rows=[
                Strip(
                    gain=gain,
                    words=WORDS[gain.verdict],
                    drawing=forest_strip(gain, scale, margin=None, words=WORDS[gain.verdict], label=_label(gain)),
                    n=int(entry["n"]),
                    skill=points(entry.get("skill")),
                    bias=_bias(entry),
                )
                for gain, entry in zip(gains[name], parts, strict=True)
            ],
            axis=forest_axis(scale),
            table=Table(caption=f"Error by {name}", header=["Part", *_HEADER], rows=[_table_row(entry) for entry in parts]),
        )
        for name, parts in columns
    ]


def _as_gain(entry: Mapping[str, Any]) -> Gain:
    """More error with a minus, so that left is worse as everywhere on the page."""
    excess, low, high = (finite(entry.get(key)) for key in ("excess", "low", "high"))
    verdict = "undecided"
    if excess is None or low is None or high is None:
        verdict = "none"
    elif low > 0 or high < 0:
        verdict = "harmed" if low > 0 else "helped"
    return Gain(
        name=str(entry["part"]),
        gain=None if excess is None else -excess,
        low=None if high is None else -high,
        high=None if low is None else -low,
        verdict=verdict,
    )


def _label(gain: Gain) -> str:
    """What a strip shows, for those who do not see it: its sign is that of the drawing, left is worse."""
    if gain.gain is None:
        return f"{gain.name}: undefined"
    return f"{gain.name}: {points(abs(gain.gain))} {UNIT} {'more' if gain.gain < 0 else 'less'} than elsewhere"


def _table_row(entry: Mapping[str, Any], *, with_column: bool = False) -> list[str]:
    gain = _as_gain(entry)
    names = [str(entry["column"]), str(entry["part"])] if with_column else [str(entry["part"])]
    return [*names, f"{entry['n']:,}", points(entry.get("skill")), gain.gain_text, gain.interval_text or "–", _bias(entry)]


def _bias(entry: Mapping[str, Any]) -> str:
    bias = finite(entry.get("bias"))
    return "–" if bias is None else f"{'+' if bias > 0 else ''}{significant(bias, 2)}"
