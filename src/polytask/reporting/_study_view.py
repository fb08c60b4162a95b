"""The study of a result, as the lines of a study file."""

from collections.abc import Mapping
from typing import Any

import yaml

from polytask.reporting._numbers import printable


def study_lines(result: Mapping[str, Any]) -> list[str]:
    """Write ``result["study"]`` as YAML, line by line; empty where there is none.

    Signs that a page must not show are escaped by YAML, so that the lines still say what they said.

    Examples
    --------
    >>> study_lines({"study": {"target": ["price", "y_*"], "seed": 0}})
    ['target:', '- price', '- y_*', 'seed: 0']
    >>> study_lines({})
    []
    """
    study = result.get("study")
    if not isinstance(study, Mapping) or not study:
        return []
    lines = yaml.safe_dump(dict(study), sort_keys=False, allow_unicode=True, width=10_000).splitlines()
    if any(printable(line) != line for line in lines):
        lines = yaml.safe_dump(dict(study), sort_keys=False, width=10_000).splitlines()  # signs as \u202e
    return lines
