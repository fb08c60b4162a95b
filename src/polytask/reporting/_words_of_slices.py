"""Where a model fails, in plain words made from the numbers."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import finite, plural, points
from polytask.reporting._words import short_name

_ALIKE = 0.05  # skills that differ by less are called about the same
_COARSE = 0.5  # from here on only gross failures could be seen
UNIT = "% of a constant's error"  # of every difference: over the mean error of a constant on all rows
WHOLE = "100 % is the mean error of a constant over all rows"


def column_words(part: Mapping[str, Any]) -> list[str]:
    """How many parts were looked at, how many are worse, the clearest, and what could not have been seen.

    >>> column_words({"n_looked_at": 12, "n_columns_judged": 3, "n_worse": 0, "n_better": 0, "visible": 0.083})
    ... # doctest: +NORMALIZE_WHITESPACE
    ['Looked at 12 parts of 3 columns: in none is the error larger than chance allows.',
     "A part's error would have to be larger by about 8.3 % of a constant's error to be seen (100 % is the mean error of a
    constant over all rows)."]
    >>> column_words({"n_looked_at": 0, "n_groups": 3, "least_groups": 10}) # doctest: +NORMALIZE_WHITESPACE
    ['These rows are of 3 groups only, and 10 on both sides are needed to tell a part that is predicted worse
    from a group that is; nothing was compared.']
    """
    looked = part.get("n_looked_at") or 0
    if not looked:
        return [_nothing_compared(part)]
    begin = f"Looked at {plural(looked, 'part')} of {plural(part.get('n_columns_judged') or 0, 'column')}"
    worse = part.get("n_worse") or 0
    if not worse:
        told = [f"{begin}: in none is the error larger than chance allows."]
    else:
        first = part["worst"][0]
        told = [
            f"{begin}; in {worse} the error is larger than elsewhere by more than chance allows.",
            f"Clearest: {part_name(first)} ({plural(first['n'], 'row')}), {worse_text(first)}.",
        ]
        there, overall = finite(first.get("skill")), finite(part.get("skill"))
        if there is not None and overall is not None:
            skills = (
                f"skill, against a constant's error on the same rows, is {points(there)} there and {points(overall)} over all"
            )
            told.append(
                f"These rows are harder for a constant too: {skills}."
                if there >= overall
                else f"They are about as much harder for a constant: {skills}."
                if overall - there < _ALIKE
                else f"They are worse than others against a constant too: {skills}."
            )
    visible = finite(part.get("visible"))
    if visible is not None:
        told.append(
            f"A part's error would have to be larger by about {points(visible)} {UNIT} to be seen ({WHOLE})."
            if visible < _COARSE
            else "Only gross failures could be seen in so few rows: an error larger by about "
            f"{points(visible, decimals=0)} {UNIT} ({WHOLE})."
        )
    return told


def _nothing_compared(part: Mapping[str, Any]) -> str:
    """Why no part of a column was judged."""
    n_groups, least_groups = part.get("n_groups"), part.get("least_groups", 10)
    if n_groups == 1:
        return (
            "All these rows are of one group, so what is wrong with a part of them may be of this group alone; "
            "nothing was compared."
        )
    if n_groups is not None and n_groups < least_groups:
        return (
            f"These rows are of {n_groups} groups only, and {least_groups} on both sides are needed to tell a part that is "
            "predicted worse from a group that is; nothing was compared."
        )
    rare = f" and {part['least_rare']} labels other than the most frequent one" if part.get("least_rare") else ""
    groups = f", of {least_groups} groups" if n_groups is not None else ""
    return (
        f"No input column could be cut so that both sides hold {part.get('least_rows', 30)} labelled rows{rare}{groups}; "
        "nothing was compared."
    )


def group_words(part: Mapping[str, Any]) -> list[str]:
    """How many groups are judged, which are worse.

    >>> group_words({"n_groups": 1, "n_looked_at": 0})
    ['All these rows are of one group; there is no other to compare it with.']
    """
    looked = part.get("n_looked_at") or 0
    if part.get("n_groups") == 1:
        return ["All these rows are of one group; there is no other to compare it with."]
    if not looked:
        rare = f" and {part['least_rare']} labels other than the most frequent one" if part.get("least_rare") else ""
        least = f"{part.get('least_rows', 30)} labelled rows{rare}"
        return [f"Groups are not compared one by one: none holds {least} with as many outside it."]
    begin = f"{looked} of {plural(part.get('n_groups') or 0, 'group')} {'is' if looked == 1 else 'are'} large enough to be judged"
    worse = part.get("n_worse") or 0
    if not worse:
        return [f"{begin}; in none is the error larger than chance allows."]
    told = [f"{begin}; in {worse} the error is larger than in the others by more than chance allows."]
    if first := worst_group(part):
        told.append(
            f"Largest of them: '{short_name(first['part'])}' ({plural(first['n'], 'row')}), {worse_text(first)}; {WHOLE}."
        )
    return told


def worst_group(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of the groups that are worse by more than chance, the one with the largest error; None where none is told."""
    return next((entry for entry in part.get("groups") or [] if (finite(entry.get("low")) or 0.0) > 0), None)


def fails_sentence(columns: Mapping[str, Any] | None, groups: Mapping[str, Any] | None) -> str:
    """Where a task fails most, by column and by group, in a few words; empty where nothing was seen.

    >>> fails_sentence({"n_looked_at": 4, "worst": []}, {"n_looked_at": 21, "n_worse": 3, "groups": []})
    '3 of 21 groups'
    >>> fails_sentence({"n_looked_at": 4, "worst": []}, None), fails_sentence({"n_looked_at": 0}, None)
    ('', 'nothing could be compared')
    """
    looked = [part for part in (columns, groups) if part and part.get("n_looked_at")]
    if not looked:
        return "nothing could be compared"
    worst = (columns or {}).get("worst") or []
    told = [f"{part_name(worst[0])}, {worse_text(worst[0])}"] if worst else []
    if groups and (n_worse := groups.get("n_worse")):
        many, first = f"{n_worse} of {plural(groups.get('n_looked_at') or 0, 'group')}", worst_group(groups)
        told.append(f"{many}, most in '{short_name(first['part'])}', {worse_text(first)}" if first else many)
    return "; ".join(told)


def part_name(entry: Mapping[str, Any]) -> str:
    """A part of a column as one reads it.

    >>> part_name({"column": "age", "part": "30 to 40"})
    'age: 30 to 40'
    """
    return f"{short_name(entry.get('column', ''), length=48)}: {short_name(entry['part'], length=48)}"


def worse_text(entry: Mapping[str, Any]) -> str:
    """How much larger or smaller the error of a part is, with its interval.

    >>> worse_text({"excess": 1.017, "low": 0.8, "high": 1.234})
    "error larger than elsewhere by 101.7 % of a constant's error [80.0, 123.4]"
    """
    excess, low, high = (finite(entry.get(key)) for key in ("excess", "low", "high"))
    if excess is None:
        return "undefined"
    ends = sorted((abs(low), abs(high))) if low is not None and high is not None and low * high > 0 else None
    told = f"error {'larger' if excess > 0 else 'smaller'} than elsewhere by {points(abs(excess))} {UNIT}"
    return f"{told} [{points(ends[0])}, {points(ends[1])}]" if ends else told
