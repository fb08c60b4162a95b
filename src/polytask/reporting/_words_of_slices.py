"""Where a model fails, in plain words made from the numbers."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import finite, plural, points
from polytask.reporting._words import short_name

_ALIKE = 0.05  # skills that differ by less are called about the same
_COARSE = 0.5  # from here on only gross failures could be seen


def column_words(part: Mapping[str, Any]) -> list[str]:
    """How many parts were looked at, how many are worse, the clearest, and what could not have been seen.

    >>> column_words({"n_looked_at": 12, "n_columns_judged": 3, "n_worse": 0, "n_better": 0, "visible": 0.083})
    ... # doctest: +NORMALIZE_WHITESPACE
    ['Looked at 12 parts of 3 columns: in none is the error larger than chance allows.',
     'A part would have to be worse by about 8.3 points of skill to be seen.']
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
            skills = f"skill there is {points(there)}, over all rows {points(overall)}"
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
            f"A part would have to be worse by about {points(visible)} points of skill to be seen."
            if visible < _COARSE
            else f"Only gross failures could be seen in so few rows: about {points(visible, decimals=0)} points of skill worse, "
            "where 100 are the whole error of a constant."
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
    looked, groups = part.get("n_looked_at") or 0, part.get("groups") or []
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
    first = groups[0]
    return [
        f"{begin}; in {worse} the error is larger than in the others by more than chance allows.",
        f"Largest: '{short_name(first['part'])}' ({plural(first['n'], 'row')}), {worse_text(first)}.",
    ]


def part_name(entry: Mapping[str, Any]) -> str:
    """A part of a column as one reads it.

    >>> part_name({"column": "age", "part": "30 to 40"})
    'age: 30 to 40'
    """
    return f"{short_name(entry.get('column', ''), length=48)}: {short_name(entry['part'], length=48)}"


def worse_text(entry: Mapping[str, Any]) -> str:
    """How much worse or better a part is, with its interval."""
    excess, low, high = (finite(entry.get(key)) for key in ("excess", "low", "high"))
    if excess is None:
        return "undefined"
    ends = sorted((abs(low), abs(high))) if low is not None and high is not None and low * high > 0 else None
    told = f"{points(abs(excess))} points of skill {'worse' if excess > 0 else 'better'} than elsewhere"
    return f"{told} [{points(ends[0])}, {points(ends[1])}]" if ends else told
