"""Where a learning curve ends: at the comparison with all labels, if it is one of the same data and settings."""

import re
from typing import Any

import numpy as np

from polytask.evaluation._arms import ALONE
from polytask.evaluation._compare import Comparison
from polytask.exceptions import OptionError


def check_comparison(comparison: Any, settings: dict[str, Any]) -> None:
    """Raise unless it was run with ``settings``: seed, folds, joint, skill_metrics, confidence, margin, tasks, data."""
    if not isinstance(comparison, Comparison):
        raise OptionError(f"`comparison` must be what `compare` returned; got {type(comparison).__name__}.")
    result = comparison.result
    shown, own = result["settings"], {key: result[key] for key in ("seed", "confidence", "margin")}
    own |= {key: shown[key] for key in ("folds", "joint", "skill_metrics")} | {"data": result["data"]["fingerprint"]}
    own["tasks"] = {name: task["kind"] for name, task in result["tasks"].items()}
    other = [key for key, value in settings.items() if _without_address(own[key]) != _without_address(value)]
    if other:
        what = "its data differ" if other[0] == "data" else f"its {other[0]} is {own[other[0]]!r}, not {settings[other[0]]!r}"
        raise OptionError(f"`comparison` must be of the same data and settings; {what}.")


def _without_address(value: Any) -> Any:
    """A text without the place in memory of an object that has no words of its own."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", value) if isinstance(value, str) else value


def check_same(point: dict[str, Any], comparison: Comparison) -> None:
    """Raise unless the gains agree: what is not written in a comparison, such as weights and groups, shows in its numbers."""
    for name, entry in point["tasks"].items():
        gain = comparison.result["tasks"][name]["gains"][ALONE]
        for key in ("gain", "low", "high"):
            own, found = gain[key], entry["gain"][key]
            if (own is None) != (found is None) or (own is not None and not np.isclose(own, found, rtol=1e-6, atol=1e-9)):
                raise OptionError(
                    f"`comparison` must be of the same data and settings; the gain of task {name!r} is not the same with these "
                    "weights, groups, times and reserved rows."
                )
