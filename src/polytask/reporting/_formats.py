"""The formats a report can have: HTML, PDF, Markdown, JSON."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from polytask.exceptions import DataError, OptionError
from polytask.reporting._comparison_report import comparison_html
from polytask.reporting._fit_report import fit_html
from polytask.reporting._json_report import result_json
from polytask.reporting._markdown_report import comparison_markdown, fit_markdown
from polytask.reporting._pdf_report import comparison_pdf, fit_pdf

FORMATS = ("html", "pdf", "md", "json")
"""Formats of a report, as file suffixes."""
_SUFFIXES = {".html": "html", ".htm": "html", ".pdf": "pdf", ".md": "md", ".markdown": "md", ".json": "json"}
_MAKERS: dict[str, dict[str, Callable[[Mapping[str, Any]], str | bytes]]] = {
    "polytask.comparison": {"html": comparison_html, "pdf": comparison_pdf, "md": comparison_markdown, "json": result_json},
    "polytask.fit": {"html": fit_html, "pdf": fit_pdf, "md": fit_markdown, "json": result_json},
}


def format_of(path: str | os.PathLike[str], *, default: str = "html") -> str:
    """Tell the format from the suffix of a path; ``default`` where it has none.

    Raises
    ------
    OptionError
        If it has another suffix than those of the formats.

    Examples
    --------
    >>> format_of("out/report.PDF"), format_of("report.markdown"), format_of("report")
    ('pdf', 'md', 'html')
    """
    suffix = Path(path).suffix.lower()
    if suffix and suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise OptionError(f"A report must end in {known}, or its `format` must be given; got '{os.fspath(path)}'.")
    return _SUFFIXES.get(suffix, default)


def render(result: Mapping[str, Any], *, format: str = "html") -> bytes:
    """Make the report of a comparison or a fit.

    Parameters
    ----------
    result : dict
        Format ``polytask.comparison`` or ``polytask.fit``, version 1.
    format : {"html", "pdf", "md", "json"}, default="html"
        A page without outside requests, A4 pages, Markdown as GitHub reads it, or the result itself.

    Returns
    -------
    bytes
        Text is UTF-8.

    Raises
    ------
    OptionError
        If ``format`` is not one of these.
    DataError
        If ``result`` is neither of these results.

    Examples
    --------
    >>> fit = {"format": "polytask.fit", "version": 1, "n_rows": 662, "mean_skill": 0.31, "tasks": {"sold": {}}}
    >>> render(fit, format="md").decode().splitlines()[0]
    '# Learned 1 task from 662 rows.'
    """
    if format not in FORMATS:
        raise OptionError(f"`format` of a report must be one of {', '.join(FORMATS)}; got {format!r}.")
    kind = result.get("format") if isinstance(result, Mapping) else type(result).__name__
    if kind not in _MAKERS:
        raise DataError(f"`result` of render must have a format among {', '.join(_MAKERS)}; got {kind!r}.")
    made = _MAKERS[kind][format](result)
    return made if isinstance(made, bytes) else made.encode("utf-8")
