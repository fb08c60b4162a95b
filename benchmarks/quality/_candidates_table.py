"""From the results of ``candidates.py`` to the tables of ``docs/benchmarks.md``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from _candidates_choice import BUDGETS, CLIP

RESAMPLES = 10_000


def tables(results: list[dict[str, Any]]) -> str:
    """What the order in use gives, what one chosen on the other sets would, and what each candidate is worth."""
    lines = [line for line in results if "scores" in line]
    if not lines:
        return "No set has been tried yet."
    whole = next(line["order"] for line in results if line["set"] == "(all)")
    used = {s: np.array([line["scores"]["in use"][str(s)] for line in lines]) for s in BUDGETS}
    chosen = {s: np.array([line["scores"]["chosen"][str(s)] for line in lines]) for s in BUDGETS}
    every = np.array([line["all"] for line in lines])
    told = [
        "| seconds of fitting | order in use | chosen on the other sets | difference | all candidates |",
        "|--:|--:|--:|---|--:|",
    ]
    for s in BUDGETS:
        told.append(
            f"| {s} | {used[s].mean():.4f} | {chosen[s].mean():.4f} | {_interval(chosen[s] - used[s])} | {every.mean():.4f} |"
        )
    told += [
        "",
        f"Means over {len(lines)} sets, differences with bootstrap intervals over sets. On all sets together the order would be: "
        f"{', '.join(whole)}.",
        "",
        "| candidate | sets | seconds, median | best alone | mixture with it less without it |",
        "|---|--:|--:|--:|---|",
    ]
    for name in dict.fromkeys(name for line in lines for name in line["order"]):
        own = [line for line in lines if name in line["seconds"]]
        if not own:
            continue
        best = sum(max(line["alone"], key=line["alone"].get) == name for line in own)
        worth = np.array([line["all"] - line["without"][name] for line in own])
        told.append(
            f"| {name} | {len(own)} | {np.median([line['seconds'][name] for line in own]):.1f} | {best} | {_interval(worth)} |"
        )
    return "\n".join([*told, *_with_networks(lines)])


def _with_networks(lines: list[dict[str, Any]]) -> list[str]:
    """What networks of another sharing add to the order in use, and what choosing among them on the other sets does."""
    ways = [how for how in lines[0].get("networks", {}) if all(how in line.get("networks", {}) for line in lines)]
    if not ways:
        return []
    told = ["", "| network | " + " | ".join(f"{s} s" for s in BUDGETS) + " |", "|---|" + "---|" * len(BUDGETS)]
    gains = {
        how: {s: np.array([line["networks"][how][str(s)] - line["scores"]["in use"][str(s)] for line in lines]) for s in BUDGETS}
        for how in ways
    }
    told += [f"| {how} | " + " | ".join(_interval(gains[how][s]) for s in BUDGETS) + " |" for how in ways]
    chosen = [_interval(_left_out_choice([np.zeros(len(lines)), *(gains[how][s] for how in ways)])) for s in BUDGETS]
    return [*told, "| the best on the other sets, none among them | " + " | ".join(chosen) + " |"]


def _left_out_choice(gains: list[np.ndarray]) -> np.ndarray:
    """Gain on each set of the way whose mean gain on the other sets, at most ``CLIP`` each, is largest."""
    clipped = np.clip(gains, -CLIP, CLIP)
    best = np.argmax(clipped.sum(axis=1, keepdims=True) - clipped, axis=0)
    return np.stack(gains)[best, np.arange(clipped.shape[1])]


def _interval(differences: Sequence[float] | np.ndarray) -> str:
    values = np.asarray(differences)
    drawn = np.random.default_rng(0).choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{values.mean():+.4f} ({low:+.4f} to {high:+.4f})"
