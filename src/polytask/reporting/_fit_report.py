"""The report of a fit: one HTML file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytask.reporting._fit_view import fit_view
from polytask.reporting._readings import check_format
from polytask.reporting._render import render_template, write_text


def fit_html(result: Mapping[str, Any]) -> str:
    """Write the page of a fit as text.

    Parameters
    ----------
    result : dict
        A fit (format ``polytask.fit``, version 1); its keys are listed in ``docs/report.md``.

    Returns
    -------
    str
        A whole HTML page without scripts and without anything to load.

    Raises
    ------
    DataError
        If ``result`` is not such a fit.
    """
    check_format(result, "polytask.fit")
    return render_template("fit.html", fit_view(result))


def write_fit_report(result: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the page of a fit to a file; see :func:`fit_html`.

    Folders of ``path`` are made; a file that is there is replaced only when the new one is whole.

    Raises
    ------
    DataError
        If ``result`` is not a fit.
    OSError
        If the file cannot be written.
    """
    return write_text(fit_html(result), path)
