"""The report of whatever result there is, in whatever format is asked for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytask.reporting._formats import format_of, render
from polytask.reporting._render import write_content


def write_report(result: Mapping[str, Any], path: str | os.PathLike[str], *, format: str | None = None) -> Path:
    """Write the report of a comparison or a fit.

    Folders of ``path`` are made; a file that is there is replaced only when the new one is whole.

    Parameters
    ----------
    result : dict
        Format ``polytask.comparison`` or ``polytask.fit``, version 1.
    path : path
    format : {"html", "pdf", "md", "json"}, optional
        By default that of the suffix of ``path``; HTML where it has none.

    See Also
    --------
    render

    Raises
    ------
    OptionError
        If ``format`` is not one of these, or is not given and the suffix is another.
    DataError
        If ``result`` is neither of these results.
    OSError
        If the file cannot be written.
    """
    return write_content(render(result, format=format or format_of(path)), path)
