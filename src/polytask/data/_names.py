"""How names are written in sentences: quoted, shortened, and with the nearest ones that exist."""

import difflib
from collections.abc import Iterable, Sequence


def quoted(names: Iterable[object], *, limit: int = 8) -> str:
    """Write names for a sentence, at most ``limit`` of them.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    >>> quoted("abcd", limit=2)
    "'a', 'b' and 2 more"
    """
    names = list(names)
    text = ", ".join(repr(str(name)) for name in names[:limit])
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"


def nearest_names(name: str, names: Iterable[str], *, limit: int = 3) -> list[str]:
    """The names most like ``name``, whatever their case; the best first, at most ``limit``.

    >>> nearest_names("Prise", ["price", "sold", "prices"])
    ['price', 'prices']
    """
    by_folded: dict[str, str] = {}
    for known in names:
        by_folded.setdefault(known.casefold(), known)
    return [by_folded[match] for match in difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.6)]


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """A sentence (after a blank) with the nearest names, or else with the first names there are; empty if there are none.

    >>> did_you_mean("prise", ["price", "sold"])
    " Did you mean 'price'?"
    >>> did_you_mean("zzz", ["price", "sold"])
    " There are 'price', 'sold'."
    """
    near = nearest_names(name, names)
    if near:
        return f" Did you mean {' or '.join(repr(other) for other in near)}?"
    return f" There are {quoted(names)}." if names else ""
