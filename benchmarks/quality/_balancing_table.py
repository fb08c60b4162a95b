"""From the results of the benchmark of balancing to the tables of docs/balancing.md."""

import numpy as np
from _balancing_arms import ARMS, CHEAPER, EVERY, ONE_BY_ONE, SINGLE
from _search import Lines, Scores, chosen_scores, complete, difference, difference_cells, relative_cost

REFERENCE = "Equal"


def tables(results: Lines) -> str:
    """Differences from equal weights in points (hundredths of score) per set, and how often they are told from 0."""
    found, lines = chosen_scores(results), complete(results)
    names = list(found)
    arms = [arm for arm in (*ARMS, SINGLE) if any(arm in found[name] for name in names)]
    if not arms:
        return "No results yet."
    head = ["arm", *names, "better", "worse", "processor time"]
    rows = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    for arm in arms:
        own, reference = ([found[name].get(which, {}) for name in names] for which in (arm, REFERENCE))
        cells, better, worse = difference_cells(own, reference)
        counts = [str(better), str(worse)]
        if arm == REFERENCE:
            cells, counts = [f"{np.mean(list(scores.values())):.3f}" if scores else "" for scores in own], ["", ""]
        rows.append(f"| {arm} | {' | '.join([*cells, *counts])} | {relative_cost(lines, arm, REFERENCE):.1f} |")
    seeds = [len({line["seed"] for line in results if line["set"] == name}) for name in names]
    trials = {line["trial"] for line in lines}
    each = ", ".join(f"{name} {n}" for name, n in zip(names, seeds, strict=True))
    told = (
        f"Seeds: {each}; {len(trials)} trials each. `{REFERENCE}`: score; others: points more or less, with 95 % intervals. "
        f"Processor time is that of trials in one stack; of {', '.join(ONE_BY_ONE)} one after another."
    )
    return "\n".join([*rows, "", told, "", *_cheaper(found, names)])


def _cheaper(found: Scores, names: list[str]) -> list[str]:
    """Features, and every tenth step, against exact: mean difference over sets and seeds."""
    lines = []
    for arm in CHEAPER:
        for variant in (f"{arm} at features", f"{arm} every {EVERY}"):
            pairs = [difference(found[name].get(variant, {}), found[name].get(arm, {})) for name in names]
            known = [middle for middle, _, n in pairs if n]
            if known:
                spread = f"from {100 * min(known):+.1f} to {100 * max(known):+.1f}"
                lines.append(f"- {variant} against exact: {100 * np.mean(known):+.1f} points on the mean over sets ({spread})")
    return lines
