"""What a regularization left of a network: the share of weights that are 0, and what reads each input column."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._figures import Figure, Table
from polytask.reporting._numbers import finite, percent, plural, significant
from polytask.reporting._words import short_name

MOST_COLUMNS = 40
_NAMED = 20


def sparsity_view(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the section on sparsity shows; None where no regularization makes zeros."""
    words = sparsity_words(result)
    if not words:
        return None
    weights = _weights(result)
    return {"words": " ".join(words), "figures": [_figure(weights)] if any(weights.values()) else []}


def sparsity_words(result: Mapping[str, Any]) -> list[str]:
    """How many weights are 0, and how many columns are read.

    >>> sparsity_words({"sparsity": {"zeros": {"encoder": 0.5}, "kept_columns": ["age"], "columns": {"age": 2.0, "id": 0.0}}})
    ['Regularization set 50 % of the weights of the encoder to 0.', "The network reads 1 of 2 input columns: 'age'."]
    """
    found = result.get("sparsity")
    if not found:
        return []
    shares = [f"{percent(share, decimals=0)} of the weights of the {part}" for part, share in found["zeros"].items()]
    told = [f"Regularization set {', '.join(shares)} to 0."]
    weights, kept = _weights(result), found.get("kept_columns")
    if kept is not None and weights:
        more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
        names = ", ".join(f"'{short_name(name, length=24)}'" for name in kept[:_NAMED]) + more
        are = f": {names}" if 0 < len(kept) < len(weights) else ""
        told.append(f"The network reads {len(kept) or 'none'} of {plural(len(weights), 'input column')}{are}.")
    return told


def _weights(result: Mapping[str, Any]) -> dict[str, float]:
    """Norm of the weights of each column, the largest first."""
    columns = result["sparsity"].get("columns") or {}
    found = {name: value for name, given in columns.items() if (value := finite(given)) is not None}
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def _figure(weights: Mapping[str, float]) -> Figure:
    top = max(weights.values())
    shown = dict(list(weights.items())[:MOST_COLUMNS])
    words = ["The norm of all weights of the first layers that read a column: 0 is a column without any influence."]
    if len(shown) < len(weights):
        words.append(f"Shown are the {MOST_COLUMNS} largest of {len(weights)}.")
    table = Table(
        caption="Weights that read each input column",
        header=["Column", "Norm", "Of the largest"],
        rows=[[name, significant(norm), percent(norm / top, decimals=0) if norm else "–"] for name, norm in shown.items()],
        shades=[[None, round(9 * norm / top) or None] for norm in shown.values()],
    )
    return Figure(key="columns", title="What does the network read?", words=words, shown=[table], part={"weights": dict(weights)})
