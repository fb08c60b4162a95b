"""Warn of categories and classes that are probably one, written in several ways."""

import warnings
from typing import TYPE_CHECKING

from polytask.exceptions import PolytaskWarning

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 4  # spellings


def warn_of_spellings(inputs: "pd.DataFrame", labels: "pd.DataFrame") -> None:
    """Warn of every column with values that differ only in case or spaces; they are taken as they are written.

    Parameters
    ----------
    inputs, labels : DataFrame of shape (n, any)
    """
    from polytask.data import spelling_variants

    for frame, what in ((inputs, "categories"), (labels, "classes")):
        for k, name in enumerate(frame.columns):
            groups = spelling_variants(frame.iloc[:, k])
            if groups:
                first = groups[0]
                shown = ", ".join(map(repr, first[:_SHOWN])) + (f" and {len(first) - _SHOWN} more" if len(first) > _SHOWN else "")
                others = f"; so do {len(groups) - 1} more groups" if len(groups) > 1 else ""
                warnings.warn(
                    f"Column {name!r}: {shown} differ only in case or spaces{others}. They are taken as different {what}; write "
                    "them alike if they are one.",
                    PolytaskWarning,
                    stacklevel=3,
                )
