"""The result itself as JSON text."""

import json
import math
from collections.abc import Mapping
from typing import Any


def result_json(result: Mapping[str, Any]) -> str:
    """Write a result as JSON that any reader takes: numbers that are not finite become null.

    Examples
    --------
    >>> result_json({"skill": float("nan"), "name": "Größe"})
    '{\\n  "skill": null,\\n  "name": "Größe"\\n}\\n'
    """
    text = json.dumps(_finite(result), indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
