"""From the results of the benchmark of balancing to the tables of docs/balancing.md."""

from collections import defaultdict
from typing import Any

import numpy as np
from _balancing_arms import ARMS, CHEAPER, EVERY, SINGLE
from scipy.stats import t as student

REFERENCE = "Equal"
Lines = list[dict[str, Any]]


def complete(results: Lines) -> Lines:
    """Lines of the trials that all arms of a set and seed have: an arm that ran longer has not searched longer."""
    arms: dict[tuple[str, int], set[str]] = defaultdict(set)
    have: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for line in results:
        arms[line["set"], line["seed"]].add(line["arm"])
        have[line["set"], line["seed"], line["trial"]].add(line["arm"])
    return [line for line in results if have[line["set"], line["seed"], line["trial"]] == arms[line["set"], line["seed"]]]


def chosen_scores(results: Lines) -> dict[str, dict[str, dict[int, float]]]:
    """Set -> arm -> seed -> mean test score of the trial that validation chooses (per task, for single tasks)."""
    grouped: dict[tuple[str, str, int], Lines] = defaultdict(list)
    for line in complete(results):
        grouped[line["set"], line["arm"], line["seed"]].append(line)
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for (name, arm, seed), lines in grouped.items():
        tasks = [task for task, score in lines[0]["scores"].items() if score is not None]
        best = {task: max(lines, key=lambda line: line["validation"][task]) for task in tasks}
        found[name][arm][seed] = float(np.mean([best[task]["scores"][task] for task in tasks]))
    return found


def difference(arm: dict[int, float], reference: dict[int, float]) -> tuple[float, float, int]:
    """Mean over the seeds that both have, half the 95 % interval (NaN with one seed), and how many seeds."""
    both = np.array([arm[seed] - reference[seed] for seed in sorted(set(arm) & set(reference))])
    half = student.ppf(0.975, len(both) - 1) * both.std(ddof=1) / np.sqrt(len(both)) if len(both) > 1 else np.nan
    return float(both.mean()) if len(both) else np.nan, float(half), len(both)


def tables(results: Lines) -> str:
    """Differences from equal weights in points (hundredths of score) per set, and how often they are told from 0."""
    found, cpu = chosen_scores(results), defaultdict(list)
    for line in complete(results):
        cpu[line["set"], line["seed"], line["trial"]].append((line["arm"], line["cpu_seconds"]))
    names = list(found)
    arms = [arm for arm in (*ARMS, SINGLE) if any(arm in found[name] for name in names)]
    if not arms:
        return "No results yet."
    head = ["arm", *names, "better", "worse", "processor time"]
    rows = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    for arm in arms:
        cells, better, worse = [], 0, 0
        for name in names:
            own, reference = found[name].get(arm, {}), found[name].get(REFERENCE, {})
            if arm == REFERENCE:
                cells.append(f"{np.mean(list(own.values())):.3f}" if own else "")
                continue
            middle, half, n = difference(own, reference)
            better, worse = better + (middle - half > 0), worse + (middle + half < 0)
            cells.append("" if not n else f"{100 * middle:+.1f}" + ("" if np.isnan(half) else f" ± {100 * half:.1f}"))
        counts = ["", ""] if arm == REFERENCE else [str(better), str(worse)]
        rows.append(f"| {arm} | {' | '.join(cells)} | {' | '.join(counts)} | {_relative_cost(cpu, arm):.1f} |")
    seeds, trials = {line["seed"] for line in results}, {line["trial"] for line in complete(results)}
    told = (
        f"{len(seeds)} seeds, {len(trials)} trials each. `{REFERENCE}`: score; others: points more or less, with 95 % intervals."
    )
    return "\n".join([*rows, "", told, "", *_cheaper(found, names)])


def _relative_cost(cpu: dict[Any, list[tuple[str, float]]], arm: str) -> float:
    """Geometric mean over fits of the processor time, in that of equal weights with the same settings."""
    ratios = []
    for pairs in cpu.values():
        seconds = dict(pairs)
        if arm in seconds and REFERENCE in seconds:
            ratios.append(np.log(max(seconds[arm], 0.01) / max(seconds[REFERENCE], 0.01)))
    return float(np.exp(np.mean(ratios))) if ratios else float("nan")


def _cheaper(found: dict[str, dict[str, dict[int, float]]], names: list[str]) -> list[str]:
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
