"""How the tasks of a fit shared a network: how much each uses of each expert, as a heat map."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from polytask.reporting._figures import Figure, Table
from polytask.reporting._numbers import finite, percent
from polytask.reporting._words import short_name

MOST_PARTS = 16
MOST_TASKS = 30
NETWORK_OF = "network of "


def sharing_view(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the section on sharing shows; None where all tasks use all alike, as by hard sharing."""
    found = result.get("sharing")
    weights = weights_of(found) if found else {}
    if not found or len(weights) < 2 or len(found["parts"]) < 2:
        return None
    words = (
        f"The network was {found['architecture']}: parts of it are shared, and each task has weights of its own for them. "
        "Shown are these; of weights that differ from row to row, means over the training rows."
    )
    return {"words": words, "figures": [_figure(found["parts"], weights)]}


def weights_of(found: Mapping[str, Any]) -> dict[str, list[float]]:
    """Weights of each task; without tasks where one is undefined."""
    read = {name: [finite(value) for value in values] for name, values in found["weights"].items()}
    return {name: [v for v in values if v is not None] for name, values in read.items() if None not in values}


def difference(first: Sequence[float], second: Sequence[float]) -> float:
    """Half the sum of absolute differences: the share of its weight that one task would have to move to be as the other.

    >>> difference([0.5, 0.5, 0.0], [0.25, 0.5, 0.25])
    0.25
    """
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / 2


def sharing_words(parts: Sequence[str], weights: Mapping[str, Sequence[float]]) -> list[str]:
    """Which tasks use the parts most alike, and which least; and what is of all tasks.

    >>> sharing_words(["expert 1", "expert 2"], {"price": [0.9, 0.1], "sold": [0.2, 0.8]})
    ["'price' and 'sold' differ in 70 % of their weights: 0 % would be the same use of all parts, 100 % nothing in common."]
    """
    own_parts = {task: parts.index(f"{NETWORK_OF}{task}") for task in weights if f"{NETWORK_OF}{task}" in parts}
    if len(own_parts) == len(weights) == len(parts):
        return [_words_of_networks(own_parts, weights)]
    pairs = sorted((difference(weights[a], weights[b]), a, b) for a, b in combinations(weights, 2))
    (least, *of_least), (most, *of_most) = pairs[0], pairs[-1]
    meant = f"{percent(0.0, decimals=0)} would be the same use of all parts, {percent(1.0, decimals=0)} nothing in common"
    if len(pairs) == 1 or most - least < 0.005:
        who = _both(of_most) if len(pairs) == 1 else "Any two tasks"
        return [f"{who} differ in {percent(most, decimals=0)} of their weights: {meant}."]
    told = [
        f"Most alike are {_both(of_least)}, which differ in {percent(least, decimals=0)} of their weights; least alike are "
        f"{_both(of_most)}, {percent(most, decimals=0)}: {meant}."
    ]
    shared = [k for k, part in enumerate(parts) if part == "shared" or part.startswith("shared ")]
    if shared:
        of_all = {task: sum(own[k] for k in shared) for task, own in weights.items()}
        low, high = min(of_all, key=lambda task: of_all[task]), max(of_all, key=lambda task: of_all[task])
        told.append(
            f"Of what all tasks share '{short_name(high)}' takes most ({percent(of_all[high], decimals=0)} of its weights), "
            f"'{short_name(low)}' least ({percent(of_all[low], decimals=0)})."
        )
    return told


def _words_of_networks(own_parts: Mapping[str, int], weights: Mapping[str, Sequence[float]]) -> str:
    """Which task takes most of the networks of the others, and which least."""
    names = {part: task for task, part in own_parts.items()}
    taken = {task: 1 - own[own_parts[task]] for task, own in weights.items()}
    most, least = max(taken, key=lambda task: taken[task]), min(taken, key=lambda task: taken[task])
    if taken[most] - taken[least] < 0.005:
        return f"Each task takes {percent(taken[most], decimals=0)} of its weights from the networks of the others."
    source = max((part for part in names if names[part] != most), key=lambda part: weights[most][part])
    from_one = f", {percent(weights[most][source], decimals=0)} from that of '{short_name(names[source], length=24)}'"
    high, low = (percent(taken[task], decimals=0) for task in (most, least))
    return (
        f"'{short_name(most, length=24)}' takes most from the networks of the others: {high} of its weights"
        f"{from_one if len(names) > 2 else ''}; '{short_name(least, length=24)}' least, {low}."
    )


def _both(names: Sequence[str]) -> str:
    return " and ".join(f"'{short_name(name, length=24)}'" for name in names)


def _figure(parts: Sequence[str], weights: Mapping[str, Sequence[float]]) -> Figure:
    words = sharing_words(parts, weights)
    shown = list(range(len(parts)))
    if len(parts) > MOST_PARTS:
        by_size = sorted(shown, key=lambda k: -max(own[k] for own in weights.values()))
        shown = sorted(by_size[:MOST_PARTS])
        words.append(f"Shown are the {MOST_PARTS} of {len(parts)} parts that any task uses most.")
    tasks = list(weights)[:MOST_TASKS]
    if len(tasks) < len(weights):
        words.append(f"Shown are the first {MOST_TASKS} of {len(weights)} tasks.")
    of_networks = all(part.startswith(NETWORK_OF) for part in parts)
    heads = [part.removeprefix(NETWORK_OF) if of_networks else part for part in parts]
    top = max(own[k] for own in weights.values() for k in shown) or 1.0
    table = Table(
        caption=f"Share of a task's weights that {'the network of each task' if of_networks else 'each part'} has",
        header=["Task", *(short_name(heads[k], length=24) for k in shown)],
        rows=[[task, *(_told(weights[task][k]) for k in shown)] for task in tasks],
        shades=[[round(9 * weights[task][k] / top) or None for k in shown] for task in tasks],
    )
    title = "What does each task take of what is shared?"
    return Figure(key="task_weights", title=title, words=words, shown=[table], part={"weights": dict(weights)})


def _told(value: float) -> str:
    return percent(value, decimals=0) if value else "–"
