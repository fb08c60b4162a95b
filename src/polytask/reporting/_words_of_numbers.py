"""What the plots of a number say, in plain words made from its numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from polytask.reporting._numbers import finite, percent, plural, significant

Part = Mapping[str, Any]
WIDE = 0.5  # an interval of a share that is wider tells nothing
NORMAL_BEYOND_3 = 0.0027


def scatter_words(part: Part) -> list[str]:
    """How close, whether too high or too low, whether spread too far or too little.

    >>> scatter_words({"off": [1.5, 4.25], "bias": [0.5, 0.25, 0.75], "slope": [0.7, 0.6, 0.8]})
    ... # doctest: +NORMALIZE_WHITESPACE
    ['Half of the predictions are within 1.50 of the truth, nine in ten within 4.25.',
     'On average the truth is 0.50 higher than predicted [0.25, 0.75].',
     'Predictions are spread too far: where two differ by 1, the truths differ by 0.70 [0.60, 0.80].']
    """
    told = []
    if off := part.get("off"):
        told.append(
            f"Half of the predictions are within {significant(off[0])} of the truth, nine in ten within {significant(off[1])}."
        )
    statistic, level = part.get("statistic") or "mean", finite(part.get("level"))
    if level is not None:
        told.append(_coverage_words(statistic, level, part.get("below")))
    else:
        told += _mean_words(part)
        if statistic != "mean":
            told.append(f"The task's loss asks for the {statistic}, so the mean truth need not lie on the line.")
    bins = part.get("bins") or []
    off_line = [b for b in bins if finite(b.get("low")) is not None and not b["low"] <= b["predicted"] <= b["high"]]
    if off_line:
        where = ", ".join(significant(b["predicted"]) for b in off_line[:3]) + (", ..." if len(off_line) > 3 else "")
        told.append(
            f"In {len(off_line)} of {len(bins)} bins (at predictions of about {where}) the {compared(part)} of the truth is off "
            "the line by more than chance."
        )
    return told


def compared(part: Part) -> str:
    """What of the truth stands beside the predictions in every bin: its mean, or the quantile that the loss asks for.

    >>> compared({"statistic": "0.9 quantile", "level": 0.9}), compared({"statistic": "Huber's centre", "level": None})
    ('0.9 quantile', 'mean')
    """
    return "mean" if part.get("level") is None else str(part["statistic"])


def _coverage_words(statistic: str, level: float, below: Any) -> str:
    asked, span = percent(level, decimals=0), three(below)
    told = (
        f"Predictions are meant to be the {statistic}: {asked} of the truths should lie at or below them; {share_words(below)} do"
    )
    if span is None or span[1] <= level <= span[2]:
        return f"{told}."
    return f"{told}, so they are too {'high' if span[0] > level else 'low'}."


def _mean_words(part: Part) -> list[str]:
    """Whether predictions of means are too high, too low, or spread too far."""
    told = []
    if three(part.get("bias")) is None and part.get("bias") and finite(part["bias"][0]):
        size, side = significant(abs(part["bias"][0])), "higher" if part["bias"][0] > 0 else "lower"
        told.append(f"On these rows the truth is {size} {side} than predicted on average; no interval can be given.")
    if span := three(part.get("bias")):
        side = "higher" if span[1] > 0 else "lower" if span[2] < 0 else ""
        if side:
            ends = sorted(abs(end) for end in span[1:])
            size, _, interval = with_ends([abs(span[0]), *ends]).partition(" ")
            told.append(f"On average the truth is {size} {side} than predicted {interval}.")
        else:
            told.append(f"On average predictions are neither too high nor too low (truth − predicted {with_ends(span)}).")
    if span := three(part.get("slope")):
        differ = f"where two differ by 1, the truths differ by {with_ends(span)}"
        if span[2] < 1:
            told.append(f"Predictions are spread too far: {differ}.")
        elif span[1] > 1:
            told.append(f"Predictions are too timid: {differ}.")
        else:
            told.append(f"Differences between predictions are about right: {differ}.")
    return told


def residual_words(part: Part) -> list[str]:
    """Whether errors grow with the prediction."""
    bins, span = part.get("bins") or [], three(part.get("trend"))
    if span is None and len(bins) > 1:
        return ["Whether the error's size depends on the prediction cannot be told from these rows."]
    if span is None:
        return ["Too few different predictions to tell whether the error's size depends on them."]
    told = f"rank correlation {with_ends(span, signed=True)}"
    if span[1] <= 0 <= span[2]:
        return [f"The error's size does not depend on the prediction as far as can be seen ({told})."]
    ratio = ""
    if len(bins) > 1 and finite(bins[0].get("spread")) and finite(bins[-1].get("spread")):
        times = bins[-1]["spread"] / bins[0]["spread"]
        high, low = ("highest", "lowest") if span[0] > 0 else ("lowest", "highest")
        times = times if span[0] > 0 else 1 / times
        if times > 1.1:
            ratio = (
                f"; in the bin of the {high} predictions they are {significant(times, 2)} times as large as in that of the {low}"
            )
    return [f"Errors {'grow' if span[0] > 0 else 'shrink'} with the prediction ({told}){ratio}."]


def normal_words(part: Part) -> list[str]:
    """Whether residuals look normal, and if not, how."""
    n, outside = len(part.get("points") or []), part.get("n_outside")
    if not n or outside is None:
        return [f"Not drawn: {part.get('reason') or 'undefined'}."]
    if not outside:
        return ["The residuals agree with a normal distribution: all points lie in the band that holds for all of them at once."]
    how = []
    beyond, skewness = finite(part.get("beyond_3")), finite(part.get("skewness"))
    if beyond is not None and beyond > 2 * NORMAL_BEYOND_3:
        how.append(
            f"large errors are more frequent ({percent(beyond)} lie beyond three standard deviations, a normal "
            "distribution has 0.3 %)"
        )
    if skewness is not None and abs(skewness) > 0.3:
        side = "far above the prediction, than far below" if skewness > 0 else "far below the prediction, than far above"
        how.append(f"the truth is more often {side}")
    told = f"{outside} of {n} points leave the band of a normal distribution"
    return [f"{told}{': ' + '; '.join(how) if how else ''}. Intervals that assume one would be wrong there."]


def rootogram_words(part: Part, bar_names: Sequence[str]) -> list[str]:
    """Whether counts vary as a Poisson distribution, whether zeros are right, which counts are off."""
    told = []
    if span := three(part.get("dispersion")):
        held = f"dispersion {with_ends(span)}, 1 is Poisson"
        if span[1] > 1:
            told.append(
                f"Counts vary more around the prediction than a Poisson distribution ({held}): intervals made "
                "from it are too narrow."
            )
        elif span[2] < 1:
            told.append(f"Counts vary less around the prediction than a Poisson distribution ({held}).")
        else:
            told.append(f"Counts vary around the prediction about as a Poisson distribution does ({held}).")
    zeros = part.get("zeros") or {}
    if finite(zeros.get("observed")) is not None and finite(zeros.get("expected")) is not None:
        told.append(
            f"{significant(round(zeros['observed']))} rows have a count of 0; "
            f"{significant(round(zeros['expected']))} were expected."
        )
    bars = part.get("bars") or []
    often = [name for name, bar in zip(bar_names, bars, strict=False) if bar["observed"] > bar["high"]]
    seldom = [name for name, bar in zip(bar_names, bars, strict=False) if bar["observed"] < bar["low"]]
    for names, word in ((often, "More often"), (seldom, "Less often")):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            told.append(f"{word} than chance allows: {', '.join(names[:5])}{more}.")
    return told


def three(values: Any) -> list[float] | None:
    """A number with both ends of its interval; None where one is missing."""
    known = [finite(value) for value in values or []]
    return [value for value in known if value is not None] if len(known) == 3 and None not in known else None


def with_ends(span: Sequence[float], *, signed: bool = False) -> str:
    """Write a number with its interval, to as many digits as the interval's width gives sense to.

    >>> with_ends([0.5123, -0.2511, 1.2533]), with_ends([-0.107, -0.2062, -0.00517])
    ('0.5 [-0.3, 1.3]', '-0.11 [-0.21, -0.01]')
    """
    decimals = _decimals(span[1:])
    sign = "+" if signed and round(span[0], max(decimals, 0)) > 0 else ""
    return f"{sign}{_fixed(span[0], decimals)} {ends_text(span[1:])}"


def ends_text(ends: Sequence[float]) -> str:
    """Write an interval.

    >>> ends_text([1234.5, 1301.2]), ends_text([0.251, 0.253])
    ('[1,234, 1,301]', '[0.2510, 0.2530]')
    """
    decimals = _decimals(ends)
    return f"[{_fixed(ends[0], decimals)}, {_fixed(ends[1], decimals)}]"


def _decimals(ends: Sequence[float]) -> int:
    """Two digits of the width; more where an end that is not zero would read as zero."""
    low, high = ends
    width = abs(high - low)
    decimals = 1 - math.floor(math.log10(width)) if width > 0 else 3
    while decimals < 12 and low * high > 0 and (round(low, decimals) == 0 or round(high, decimals) == 0):
        decimals += 1
    return decimals


def _fixed(value: float, decimals: int) -> str:
    if decimals > 6 or abs(value) >= 1e15:
        return f"{value:.3g}"
    return f"{round(value, decimals) + 0.0:,.{max(decimals, 0)}f}"


def share_text(values: Any) -> str:
    """Write a share with its interval, in percent.

    >>> share_text([0.5, 0.25, 0.75]), share_text([1.0, None, None]), share_text(None)
    ('50 % [25, 75]', '100 %', 'undefined')
    """
    if not values or finite(values[0]) is None:
        return "undefined"
    decimals = 1 if 0 < min(values[0], 1 - values[0]) < 0.1 else 0
    told = percent(values[0], decimals=decimals)
    span = three(values)
    return (
        told
        if span is None
        else f"{told} [{percent(span[1], decimals=decimals)[:-2]}, {percent(span[2], decimals=decimals)[:-2]}]"
    )


def share_words(values: Any) -> str:
    """Write a share for a sentence: an interval that spans most of the scale is said to tell nothing.

    >>> share_words([0.5, 0.4, 0.6]), share_words([0.87, 0.16, 1.0])
    ('50 % [40, 60]', '87 % (with so few, anything from 16 to 100 % may be true)')
    """
    span = three(values)
    if span is None or span[2] - span[1] <= WIDE:
        return share_text(values)
    ends = f"{percent(span[1], decimals=0)[:-2]} to {percent(span[2], decimals=0)}"
    return f"{share_text(values[:1])} (with so few, anything from {ends} may be true)"


def rows_text(n: Any) -> str:
    """Write a (perhaps weighted) count of rows."""
    value = finite(n) or 0.0
    return plural(round(value), "row")
