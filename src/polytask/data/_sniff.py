"""The header and the separator of a text file, from its first records."""

import codecs
import csv
import io

from polytask.data._frames import check_names
from polytask.exceptions import OptionError

SEPARATORS = (",", ";", "\t", "|")
_MAX_RECORDS = 200


def check_separator(sep: str | None, decimal: str) -> str | None:
    """Give the separator as one character; ``"tab"`` and a typed ``\\t`` are the tab.

    Raises
    ------
    OptionError
        If it cannot separate cells, or is the decimal sign.
    """
    if decimal not in (".", ","):
        raise OptionError(f"`decimal` must be '.' or ','; got {decimal!r}.")
    if sep is None:
        return None
    sep = "\t" if sep in ("\\t", "tab") else sep
    if len(sep) != 1 or not sep.isascii() or sep in '"\r\n':
        raise OptionError(f"`sep` must be one plain character such as ',' or ';'; got {sep!r}.")
    if sep == decimal:
        raise OptionError(f"`sep` and `decimal` must differ; both are {sep!r}.")
    return sep


def decode_sample(sample: bytes, *, whole: bool) -> str:
    """Text of the first bytes of a file, without the byte order mark; a character cut at the end is left out."""
    return codecs.getincrementaldecoder("utf-8-sig")().decode(sample, final=whole)


def sniff(text: str, *, whole: bool, sep: str | None, decimal: str) -> tuple[str, list[list[str]]]:
    """Find the separator, unless given, and the first records, the header among them.

    The separator is the one by which most of the first records have as many cells as the header, and more than one; of equal
    ones, that with the most cells. A file of one column has none, and is read with the first of :data:`SEPARATORS`.

    Parameters
    ----------
    text : str
        The beginning of the file.
    whole : bool
        Whether it is the whole file; else the last record may be cut and does not count.

    Returns
    -------
    sep : str
    records : list of lists of str
        The header and up to 200 rows, without blank lines; empty if there is no header.

    Examples
    --------
    >>> sniff("a;b\\n1,5;x\\n2,5;'y, z'\\n", whole=True, sep=None, decimal=".")
    (';', [['a', 'b'], ['1,5', 'x'], ['2,5', "'y, z'"]])
    """
    candidates = [sep] if sep else [candidate for candidate in SEPARATORS if candidate != decimal]
    found = {candidate: _records(text, candidate, whole=whole) for candidate in candidates}
    best = max(candidates, key=lambda candidate: _score(found[candidate]))
    return best, found[best]


def name_columns(names: list[str]) -> list[str]:
    """Name columns without a name by their position, as pandas does: ``Unnamed: 0``.

    Raises
    ------
    DataError
        If a name occurs more than once.
    """
    named = [name or f"Unnamed: {position}" for position, name in enumerate(names)]
    check_names(named)
    return named


def _score(records: list[list[str]]) -> tuple[float, int]:
    if not records or len(records[0]) < 2:
        return -1.0, 0
    n_cells, rows = len(records[0]), records[1:]
    share = sum(len(row) == n_cells for row in rows) / len(rows) if rows else 1.0
    return share, n_cells


def _records(text: str, sep: str, *, whole: bool) -> list[list[str]]:
    """The first records that are not blank; those that may be cut at the end of the sample are left out."""
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=sep):
            if record:
                records.append(record)
            if len(records) > _MAX_RECORDS:
                return records
    except csv.Error:  # a cell larger than the csv module takes: what came before must do
        return records
    return records if whole or len(records) < 2 else records[:-1]
