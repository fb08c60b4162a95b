"""Values of a column that differ only in case or spaces: usually one category written in several ways."""

import numpy as np
import pandas as pd

from polytask.data._columns import MAX_CATEGORIES

_LOOKED_AT = 100_000  # rows; a spelling that is rarer than that hurts no model


def spelling_variants(column: pd.Series) -> list[tuple[str, ...]]:
    """Find groups of texts that differ only in case, or in spaces around or between words.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Of any dtype; numbers have no spelling, and a column with more than 1,000 different texts is free text.

    Returns
    -------
    groups : list of tuple of str
        Each with at least two texts, in alphabetical order; the groups too.

    Examples
    --------
    >>> spelling_variants(pd.Series(["Oslo", "oslo ", "Rome", None, "New  York", "new york"]))
    [('New  York', 'new york'), ('Oslo', 'oslo ')]
    """
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype)):
        return []
    try:
        values = column.iloc[:: max(1, len(column) // _LOOKED_AT)].dropna().unique()
    except TypeError:  # lists and other things without a hash
        return []
    texts = [value for value in np.asarray(values, dtype=object).tolist() if isinstance(value, str)]
    if len(texts) > MAX_CATEGORIES:
        return []
    groups: dict[str, list[str]] = {}
    for text in sorted(texts):
        groups.setdefault(" ".join(text.split()).casefold(), []).append(text)
    return sorted(tuple(found) for key, found in groups.items() if key and len(found) > 1 and not _is_number(key))


def _is_number(text: str) -> bool:
    """Numbers are read alike with and without spaces around them."""
    try:
        float(text)
    except ValueError:
        return False
    return True
