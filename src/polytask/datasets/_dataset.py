"""What every data set of this room comes as."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """A table with the tasks to learn on it, and where it comes from.

    Attributes
    ----------
    name : str
        One word.
    frame : DataFrame of shape (n_samples, n_columns)
        Inputs and targets side by side; a missing label or input is NaN.
    targets : tuple of str
        The tasks, written as for ``--target``: a column name, or ``NAME:KIND``.
    ignore : tuple of str
        Columns that should not be inputs, and why is in `description`.
    description : str
        What a row is, what the columns mean, what was changed.
    licence, citation, url : str
        What has to be named when the data are passed on, and where they come from.
    path : Path
        The file `frame` was read from, for use on the command line.
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    targets: tuple[str, ...]
    ignore: tuple[str, ...]
    description: str = field(repr=False)
    licence: str
    citation: str = field(repr=False)
    url: str = field(repr=False)
    path: Path = field(repr=False)
