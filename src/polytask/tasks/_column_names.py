"""How the words of a target find columns: patterns, the nearest names, and lists of names in sentences."""

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Give up to three of ``names`` that look most like ``name``, the nearest first; case does not count.

    >>> nearest("Prise", ["price", "sold", "prices"])
    ['price', 'prices']
    """
    by_lower: dict[str, str] = {}
    for candidate in names:
        by_lower.setdefault(str(candidate).lower(), str(candidate))
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.6)]


def guess(name: str, names: Sequence[str], *, what: str) -> str:
    """A sentence with the nearest names, or else with the first names there are.

    >>> guess("prise", ["price", "sold"], what="Columns")
    "Did you mean 'price'?"
    >>> guess("weather", ["price", "sold"], what="Columns")
    "Columns are 'price', 'sold'."
    """
    close = nearest(name, names)
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else f"{what} are {some(names)}."


def match(pattern: str, columns: Sequence[str]) -> list[str]:
    """Columns that a pattern with ``*``, ``?`` or ``[...]`` names, in the order of the table; none if it is no pattern."""
    return [column for column in columns if fnmatchcase(column, pattern)] if is_pattern(pattern) else []


def is_pattern(text: str) -> bool:
    """Whether the text holds a sign of a pattern."""
    return any(character in text for character in "*?[")


def some(names: Sequence[str], most: int = 12) -> str:
    """Write names for a sentence, at most ``most`` of them."""
    shown = [repr(name) for name in names[:most]]
    more = len(names) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more else "")
