"""The report of whatever result there is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytask.exceptions import DataError
from polytask.reporting._comparison_report import write_comparison_report
from polytask.reporting._fit_report import write_fit_report

_WRITERS = {"polytask.comparison": write_comparison_report, "polytask.fit": write_fit_report}


def write_report(result: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the report that fits the result's ``format``.

    See Also
    --------
    write_comparison_report, write_fit_report

    Raises
    ------
    DataError
        If the format is not one of theirs.
    """
    format_ = result.get("format") if isinstance(result, Mapping) else type(result).__name__
    if format_ not in _WRITERS:
        raise DataError(f"`result` of write_report must have a format among {', '.join(_WRITERS)}; got {format_!r}.")
    return _WRITERS[format_](result, path)
