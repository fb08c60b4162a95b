"""What the plots of classes, levels and tags say, in plain words made from their numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from polytask.reporting._class_plots import weakest
from polytask.reporting._numbers import finite, percent, plural, significant
from polytask.reporting._words import short_name
from polytask.reporting._words_of_numbers import WIDE, rows_text, share_words, three, with_ends

Part = Mapping[str, Any]
LEAST_CLASS = 10  # classes of fewer rows are not named as the best or the worst


def confusion_words(part: Part) -> list[str]:
    """How many are right, which class is found and called right, which are confused."""
    classes = part.get("classes") or []
    told = [f"The most probable class is right in {share_words(part.get('accuracy'))} of the rows{_always(part, classes)}."]
    if part.get("is_class_weighted"):
        told[0] = f"{told[0][:-1]}, but class weights, as asked, decide which class that is."
    if part.get("n_other", 0) == 0 and len(part.get("labels") or []) == 2:
        second = next((entry for entry in classes if entry["name"] == part["labels"][1]), None)
        if second is not None:
            name = quoted(second["name"])
            told.append(
                f"Of {rows_text(second['n'])} of {name}, {share_words(second['found'])} are found; "
                + (
                    f"of {rows_text(second['called'])} called {name}, {share_words(second['right'])} are right."
                    if second["called"]
                    else f"no row is called {name}."
                )
                if second["n"]
                else f"No row is of {name}; {rows_text(second['called'])} called so."
            )
        return told
    found = [entry for entry in classes if entry.get("found") and entry["n"] >= LEAST_CLASS]
    if len(found) > 1:
        best, worst = (choose(found, key=lambda entry: entry["found"][0]) for choose in (max, min))
        told.append(
            f"Found most often: {quoted(best['name'])} ({share_words(best['found'])}); least often: "
            f"{quoted(worst['name'])} ({share_words(worst['found'])})."
        )
    never = [quoted(entry["name"]) for entry in classes if not entry.get("called")]
    if never:
        told.append(f"Never the most probable: {_some(never)}.")
    if confused := part.get("confused"):
        first = confused[0]
        told.append(
            f"Most frequent mix-up: {quoted(first['true'])} taken for {quoted(first['called'])} ({rows_text(first['n'])})."
        )
    return told


def _always(part: Part, classes: Sequence[Part]) -> str:
    """What always saying the most frequent class would give, where the model is hardly better."""
    total = sum(sum(row) for row in part.get("matrix") or [])
    most, right = max(classes, key=lambda entry: entry["n"], default=None), finite((part.get("accuracy") or [None])[0])
    if most is None or right is None or not total or right - most["n"] / total > 0.02:
        return ""
    return f"; always saying {quoted(most['name'])} would be right in {share_words([most['n'] / total])}"


def curve_words(part: Part) -> list[str]:
    """How well classes are told apart."""
    classes = part.get("classes") or []
    known = [entry for entry in classes if entry.get("auc")]
    if not known:
        return ["Undefined: these rows hold one class only."]
    if part.get("n_classes") == 2:
        entry = known[0]
        told = [
            (
                f"Of two rows, one {quoted(entry['name'])} and one not, the right one has the higher probability in "
                f"{share_words(entry['auc'])} of the cases (area under the ROC curve; 50 % is guessing)."
            )
        ]
        if entry.get("average_precision"):
            told.append(
                f"Average precision {plain(entry['average_precision'])}, where guessing gives {significant(entry['base_rate'])}."
            )
        return told
    best, worst = max(known, key=lambda entry: entry["auc"][0]), weakest(known)
    assert worst is not None
    return [
        (
            f"Told apart best: {quoted(best['name'])} (area {plain(best['auc'])}); least: {quoted(worst['name'])} "
            f"(area {plain(worst['auc'])}, drawn apart). 0.5 is guessing."
        )
    ]


def calibration_words(part: Part, *, what: str) -> list[str]:
    """Whether probabilities mean what they say.

    Parameters
    ----------
    part : dict
    what : str
        What the probability is of, e.g. "'yes'" or "the class called".
    """
    told = _weighed(part, what)
    if few := _too_few(part, what):
        mean = finite(part.get("predicted"))
        given = "" if mean is None else f" On average it is given {percent(mean)}."
        return [*told, few + given]
    observed = three(part.get("observed"))
    if observed and finite(part.get("predicted")) is not None:
        where = (
            ""
            if observed[2] - observed[1] > WIDE
            else ", which agrees"
            if observed[1] <= part["predicted"] <= observed[2]
            else ", which is too low"
            if part["predicted"] < observed[1]
            else ", which is too high"
        )
        told.append(f"On average {what} is given {percent(part['predicted'])}{where}: it is true in {share_words(observed)}.")
    elif part.get("observed") and finite(part.get("predicted")) is not None:
        told.append(f"On average {what} is given {percent(part['predicted'])} and is true in {share_words(part['observed'])}.")
    slope, intercept = three(part.get("slope")), three(part.get("intercept"))
    if slope and intercept:
        meant = 1 / (1 + math.exp(-(intercept[0] + slope[0] * math.log(9))))
        if slope[2] < 1:
            told.append(
                f"Probabilities are too extreme (slope {with_ends(slope)}, 1 is right): a stated 90 % means about "
                f"{percent(meant, decimals=0)}."
            )
        elif slope[1] > 1:
            told.append(
                f"Probabilities are too timid (slope {with_ends(slope)}, 1 is right): a stated 90 % means about "
                f"{percent(meant, decimals=0)}."
            )
        else:
            told.append(
                "Probabilities are neither too extreme nor too timid as far as can be seen (slope "
                f"{with_ends(slope)}, 1 is right)."
            )
    bins = [b for b in part.get("bins") or [] if finite(b.get("low")) is not None]
    off = sum(not b["low"] <= b["predicted"] <= b["high"] for b in bins)
    if bins and not off and sorted(b["high"] - b["low"] for b in bins)[len(bins) // 2] > WIDE:
        told.append("The bins hold too few rows or groups to judge: their intervals span most of the scale.")
    elif bins:
        told.append(f"In {off if off else 'none'} of {len(bins)} bins the probability is off by more than chance allows.")
    return told


def _weighed(part: Part, what: str) -> list[str]:
    """That rows count by class weights, where they do: a probability is then right for that population."""
    if (plain_share := finite(part.get("unweighted"))) is None:
        return []
    return [
        "Rows count by the class weights of this task here, as its probabilities do (in the rows as they are, "
        f"{what} is true in {percent(plain_share)})."
    ]


def _too_few(part: Part, what: str) -> str:
    """That nothing is concluded, where fewer than 10 labels tell of what is rarer; empty where there are enough.

    >>> _too_few({"n": 34, "n_true": 2}, "'yes'")
    "Only in 2 of 34 labels 'yes' is true: with fewer than 10, nothing is concluded of the probabilities."
    """
    n, n_true, n_rare = (finite(part.get(key)) for key in ("n", "n_true", "n_rare"))
    if n is None or n_true is None:
        return ""
    if n_true < LEAST_CLASS:
        begin = f"Only in {n_true:.0f} of {n:,.0f} labels {what} is true"
    elif n - n_true < LEAST_CLASS:
        begin = f"Only in {n - n_true:.0f} of {n:,.0f} labels {what} is not true"
    elif n_rare is not None and n_rare < LEAST_CLASS:
        begin = f"Only {n_rare:.0f} of {n:,.0f} labels are not the most common one"
    else:
        return ""
    return f"{begin}: with fewer than {LEAST_CLASS}, nothing is concluded of the probabilities."


def level_words(part: Part) -> list[str]:
    """How far off, in which direction, and whether the ends are pulled to the middle."""
    told = [
        (
            f"The level is exactly right in {share_words(part.get('exact'))} of the rows, at most one off in "
            f"{share_words(part.get('within_one'))}."
        )
    ]
    if span := three(part.get("distance")):
        side = "too high" if span[1] > 0 else "too low" if span[2] < 0 else ""
        told.append(
            f"On average the prediction is {significant(abs(span[0]))} levels {side}."
            if side
            else f"On average it is neither too high nor too low ({with_ends(span, signed=True)} levels)."
        )
    elif part.get("distance") and finite(part["distance"][0]):
        side = "high" if part["distance"][0] > 0 else "low"
        told.append(f"On these rows it is {significant(abs(part['distance'][0]))} levels too {side} on average.")
    entries = [entry for entry in part.get("levels") or [] if entry["n"] >= LEAST_CLASS]
    levels = [(entry["name"], span) for entry in entries if (span := three(entry.get("distance")))]
    if len(levels) > 2 and min(levels[0][1][1], -levels[-1][1][2]) > 0.1:
        told.append(
            f"The ends are pulled to the middle: {quoted(levels[0][0])} is predicted "
            f"{significant(levels[0][1][0], 2)} levels too high, {quoted(levels[-1][0])} "
            f"{significant(-levels[-1][1][0], 2)} too low."
        )
    return told


def tag_words(part: Part) -> list[str]:
    """Which tags are found, how many a row has."""
    tags = part.get("tags") or []
    known = [entry for entry in tags if entry.get("auc")]
    told = []
    if len(known) > 1:
        best, worst = max(known, key=lambda entry: entry["auc"][0]), min(known, key=lambda entry: entry["auc"][0])
        told.append(
            f"Told apart best: {quoted(best['name'])} (area {plain(best['auc'])}); least: {quoted(worst['name'])} "
            f"(area {plain(worst['auc'])}). 0.5 is guessing."
        )
    guessed = [entry for entry in known if (span := three(entry["auc"])) and span[1] <= 0.5]
    if guessed:
        told.append(
            f"{plural(len(guessed), 'tag')} cannot be told from guessing: {_some([quoted(entry['name']) for entry in guessed])}."
        )
    if len(known) < len(tags):
        told.append(f"{plural(len(tags) - len(known), 'tag')} came with one value only in these rows, so no area is defined.")
    if sizes := part.get("per_row"):
        told.append(
            f"A row has {significant(sizes['true'])} tags on average, {significant(sizes['predicted'])} are "
            f"predicted; all its tags are right in {share_words(sizes['all_right'])} of the rows."
        )
    return told


def plain(values: Sequence[Any]) -> str:
    """Write a number with its interval where it has one."""
    span = three(values)
    return significant(values[0]) if span is None else with_ends(span)


def quoted(name: Any) -> str:
    """A class or tag in quotes, cut where it is long."""
    return f"'{short_name(str(name), length=32)}'"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
