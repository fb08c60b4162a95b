"""Where a model fails, in plain words made from the numbers."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import finite, plural, points
from polytask.reporting._words import short_name


def column_words(part: Mapping[str, Any]) -> list[str]:
    """How many parts were looked at, how many are worse, the clearest, and what could not have been seen.

    >>> column_words({"n_looked_at": 12, "n_columns_judged": 3, "n_worse": 0, "n_better": 0, "visible": 0.083})
    ... # doctest: +NORMALIZE_WHITESPACE
    ['Looked at 12 parts of 3 columns: in none is the error larger than chance allows.',
     'A part would have to be worse by about 8.3 points of skill to be seen.']
    """
    looked = part.get("n_looked_at") or 0
    if not looked:
        return [
            f"No input column could be cut so that both sides hold {part.get('least_rows', 30)} labelled rows, of "
            f"{part.get('least_groups', 10)} groups where rows belong together; nothing was compared."
        ]
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
            told.append(
                f"These rows are harder for a constant too: skill there is {points(there)}, over all rows {points(overall)}."
                if there >= overall
                else f"Compared with a constant as well: skill there is {points(there)}, over all rows {points(overall)}."
            )
    visible = finite(part.get("visible"))
    if visible is not None:
        told.append(f"A part would have to be worse by about {points(visible)} points of skill to be seen.")
    return told


def group_words(part: Mapping[str, Any]) -> list[str]:
    """How many groups are judged, which are worse."""
    looked, groups = part.get("n_looked_at") or 0, part.get("groups") or []
    if not looked:
        return [f"No group holds {part.get('least_rows', 30)} labelled rows, so groups are not compared one by one."]
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
