"""The report of a comparison: one HTML file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytask.reporting._comparison_view import comparison_view
from polytask.reporting._readings import check_format
from polytask.reporting._render import render_template, write_text


def comparison_html(result: Mapping[str, Any]) -> str:
    """Write the page of a comparison as text.

    Parameters
    ----------
    result : dict
        A comparison (format ``polytask.comparison``, version 1), as ``polytask compare --json`` writes it.

    Returns
    -------
    str
        A whole HTML page without scripts and without anything to load.

    Raises
    ------
    DataError
        If ``result`` is not such a comparison.
    """
    check_format(result, "polytask.comparison")
    return render_template("comparison.html", comparison_view(result))


def write_comparison_report(result: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the page of a comparison to a file; see :func:`comparison_html`.

    Folders of ``path`` are made; a file that is there is replaced only when the new one is whole.

    Raises
    ------
    DataError
        If ``result`` is not a comparison.
    OSError
        If the file cannot be written.
    """
    return write_text(comparison_html(result), path)
