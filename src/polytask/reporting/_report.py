"""The report of whatever result there is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polytask.reporting._comparison_report import write_comparison_report


def write_report(result: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the report that fits the result's ``format``; see :func:`write_comparison_report`."""
    return write_comparison_report(result, path)
