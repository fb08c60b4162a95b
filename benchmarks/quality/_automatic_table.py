"""From the results of ``automatic.py`` to the tables of ``docs/benchmarks.md``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from _tabular_table import LEARNED, PEERS, latest, mean_ranks, read_results
from scipy.stats import wilcoxon

TABULAR = Path(__file__).parent / "results" / "tabular.jsonl"
PEER_MODELS = {"lightgbm": "LightGBM", "forest": "random forest", "linear": "linear"}
STORED = "AutoGluon, stored scores only"
PROTOCOL = 60.0  # seconds
RESAMPLES = 10_000

Scores = dict[str, dict[str, float]]  # set -> system -> mean score over its tasks and seeds


def tables(results: list[dict[str, Any]], *, time_limit: float, preset: str = "best") -> str:
    """The markdown tables of one time limit; peers without a limit stand beside 60 seconds only."""
    own = [line for line in results if line["time_limit"] == time_limit]
    polytask = [line for line in own if line["system"] == "polytask" and line["preset"] == preset]
    if not polytask:
        return f"No set has results of polytask at {time_limit:g} seconds yet."
    by_task = _by_task(polytask, [line for line in own if line["system"] == "autogluon"], has_peers=time_limit == PROTOCOL)
    sets = {
        name: {system: float(np.nanmean(list(tasks.values()))) for system, tasks in one.items()} for name, one in by_task.items()
    }
    stored = json.loads(PEERS.read_text(encoding="utf-8"))["scores"] if time_limit == PROTOCOL else {}
    from_store = [name for name in sets if "AutoGluon" not in sets[name] and name in stored]
    for name in from_store:
        sets[name]["AutoGluon"] = stored[name]
    systems = ["polytask", "AutoGluon", *(PEER_MODELS.values() if time_limit == PROTOCOL else ())]
    lines = [f"| set | {' | '.join(systems)} |", "|---|" + "---|" * len(systems)]
    for name, row in sets.items():
        best = max(row.values())
        cells = [_cell(row.get(system), best, name in from_store and system == "AutoGluon") for system in systems]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    whole = [row for row in sets.values() if all(system in row for system in systems)]
    ranks = mean_ranks([{system: row[system] for system in systems} for row in whole])
    lines.append(f"| **mean rank** ({len(whole)} sets) | {' | '.join(f'{ranks[system]:.2f}' for system in systems)} |")
    means = _scaled(by_task)
    lines.append(
        f"| **mean scaled** | {' | '.join('' if system not in means else f'{means[system]:.3f}' for system in systems)} |"
    )
    known = "Mean scaled is over sets of which the score of every task is known."
    lines += ["", f"`*`: stored, of a quiet machine. {known}" if from_store else known, ""]
    lines += [
        "| polytask against | sets | mean difference | 95 % interval over sets | wins | Wilcoxon p |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_difference(sets, system) for system in systems[1:]]
    if len(from_store) < len(stored):  # what it scored in another run, on all sets
        both = {name: {"polytask": row["polytask"], STORED: stored[name]} for name, row in sets.items() if name in stored}
        lines.append(_difference(both, STORED))
    losses = _log_losses(own, preset)
    if losses:
        lines += ["", losses]
    seconds = [line["seconds"] for line in polytask]
    seeds = ", ".join(map(str, sorted({line["seed"] for line in polytask})))
    lines += [
        "",
        f"{len(polytask)} runs of polytask (preset {preset}), splits of seed {seeds}; "
        f"{np.median(seconds):.0f} seconds in the median, {max(seconds):.0f} at most; load of the machine at the start "
        f"{min(o['load'] for o in polytask):.1f} to {max(o['load'] for o in polytask):.1f}.",
    ]
    return "\n".join(lines)


def _by_task(
    polytask: list[dict[str, Any]], autogluon: list[dict[str, Any]], *, has_peers: bool
) -> dict[str, dict[str, dict[str, float]]]:
    """Set -> system -> task -> mean over the seeds that the system shares with polytask."""
    tabular = [line for line in latest(read_results(TABULAR)) if line["model"] in PEER_MODELS]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in dict.fromkeys(line["set"] for line in polytask):
        runs = {"polytask": [line for line in polytask if line["set"] == name]}
        seeds = {line["seed"] for line in runs["polytask"]}
        runs["AutoGluon"] = [line for line in autogluon if line["set"] == name and line["seed"] in seeds]
        for key, label in PEER_MODELS.items() if has_peers else ():
            runs[label] = [o for o in tabular if o["set"] == name and o["model"] == key and o["seed"] in seeds]
        found[name] = {system: _means([line["scores"] for line in lines]) for system, lines in runs.items() if lines}
    return found


def _means(scores: list[dict[str, float | None]]) -> dict[str, float]:
    known = {task: [one[task] for one in scores if one[task] is not None] for task in scores[0]}
    return {task: float(np.mean(values)) if values else float("nan") for task, values in known.items()}  # type: ignore[arg-type]


def _cell(value: float | None, best: float, is_stored: bool) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" + "*" * is_stored
    return f"**{text}**" if value == best else text


def _scaled(by_task: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """Each task's score, not below 0, over the best system's; averaged within a set, then over sets that all systems have."""
    most = max(len(one) for one in by_task.values())
    per_set: dict[str, list[float]] = {}
    for one in by_task.values():
        if len(one) < most:
            continue
        best = {task: max(scores[task] for scores in one.values()) for task in one["polytask"]}
        learned = [task for task, value in best.items() if value >= LEARNED]
        for system, scores in one.items():
            if learned:
                per_set.setdefault(system, []).append(float(np.mean([max(scores[task], 0.0) / best[task] for task in learned])))
    return {system: float(np.mean(values)) for system, values in per_set.items()}


def _difference(sets: Scores, system: str) -> str:
    """A row: mean over sets of the difference, its bootstrap interval over sets, wins, signed-rank test."""
    differences = np.array([row["polytask"] - row[system] for row in sets.values() if system in row])
    if len(differences) < 2:
        return f"| {system} | {len(differences)} | | | | |"
    drawn = np.random.default_rng(0).integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    p = wilcoxon(differences).pvalue if np.any(differences) else 1.0
    wins = f"{int((differences > 0).sum())} of {len(differences)}"
    return f"| {system} | {len(differences)} | {differences.mean():+.4f} | {low:+.4f} to {high:+.4f} | {wins} | {p:.3g} |"


def _log_losses(results: list[dict[str, Any]], preset: str) -> str:
    """Log loss of polytask and AutoGluon where both ran."""
    by_run = {
        (o["set"], o["seed"], o["system"]): o["log_losses"]
        for o in results
        if o["preset"] == preset or o["system"] == "autogluon"
    }
    both = [
        (own, by_run[name, seed, "autogluon"])
        for (name, seed, system), own in by_run.items()
        if system == "polytask" and (name, seed, "autogluon") in by_run and own
    ]
    if not both:
        return ""
    pairs = [(own[task], peer[task]) for own, peer in both for task in own]
    wins = sum(a < b for a, b in pairs)
    ratio = float(np.exp(np.mean([np.log(a / b) for a, b in pairs])))
    return (
        f"Log loss on {len(pairs)} tasks with classes that both ran: polytask lower on {wins}, "
        f"geometric mean of the ratio to AutoGluon {ratio:.3f}."
    )
