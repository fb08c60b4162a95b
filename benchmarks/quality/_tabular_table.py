"""From the results of the quality benchmark to the tables of ``docs/benchmarks.md``."""

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from _tabular_models import MODELS

LEARNED = 0.05  # a task whose best score is below this is learned by nobody, and left out of the scaled mean
PEERS = Path(__file__).parent / "results" / "tabular_peers.json"


def read_results(path: Path) -> list[dict[str, Any]]:
    """Every line of the results file, after those of the same file packed (``.jsonl.gz``); one cut off by a crash is left out."""
    packed = path.with_name(f"{path.name}.gz")
    lines = gzip.decompress(packed.read_bytes()).decode("utf-8").splitlines() if packed.exists() else []
    lines += path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def latest(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line of each model on each split of a set; those before it are of an older source."""
    return list({(result["set"], result["seed"], result["model"]): result for result in results}.values())


def task_scores(results: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean over seeds of the score of every task: set -> task -> model -> score; only seeds that all models have."""
    by_set: dict[str, dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for result in results:
        by_set[result["set"]][result["model"]][result["seed"]] = result["scores"]
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for name, models in by_set.items():
        if set(models) != set(MODELS):
            continue
        seeds = set.intersection(*(set(seeds) for seeds in models.values()))
        if not seeds:
            continue
        tasks = next(iter(models["joint"].values()))
        scores[name] = {
            task: {model: _mean([models[model][seed][task] for seed in sorted(seeds)]) for model in MODELS} for task in tasks
        }
    return scores


def _mean(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def set_scores(scores: dict[str, dict[str, float]]) -> dict[str, float]:
    """Mean over the tasks of a set, per model."""
    return {model: float(np.nanmean([task[model] for task in scores.values()])) for model in MODELS}


def scaled(scores: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """Each task's score, not below 0, over the best model's; averaged within a set, then over sets."""
    per_set = []
    for tasks in scores.values():
        learned = [task for task in tasks.values() if max(task.values()) >= LEARNED]
        if learned:
            per_set.append({model: np.mean([max(task[model], 0.0) / max(task.values()) for task in learned]) for model in MODELS})
    return {model: float(np.mean([one[model] for one in per_set])) for model in MODELS}


def mean_ranks(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean rank over sets, 1 is best; equal scores share a rank."""
    names = list(rows[0])
    values = np.array([[row[name] for name in names] for row in rows])
    ranks = (
        1
        + (values[:, None, :] > values[:, :, None]).sum(axis=2)
        + 0.5 * ((values[:, None, :] == values[:, :, None]).sum(axis=2) - 1)
    )
    return dict(zip(names, map(float, ranks.mean(axis=0)), strict=True))


def gains(scores: dict[str, dict[str, dict[str, float]]]) -> tuple[int, int, int]:
    """Tasks that the joint network scores better, within 0.01, and worse than the single-task one."""
    differences = np.array([task["joint"] - task["single"] for tasks in scores.values() for task in tasks.values()])
    return int((differences > 0.01).sum()), int((np.abs(differences) <= 0.01).sum()), int((differences < -0.01).sum())


def table(results: list[dict[str, Any]]) -> str:
    """The markdown tables."""
    scores = task_scores(results)
    if not scores:
        return "No set has results of all models yet."
    stored = json.loads(PEERS.read_text(encoding="utf-8"))
    seconds = {
        model: sum(one["cpu_seconds"] for one in results if one["model"] == model and one["set"] in scores) for model in MODELS
    }
    rows = {name: set_scores(tasks) for name, tasks in scores.items()}
    seeds = sorted({result["seed"] for result in results})
    headers = [label for label, _ in MODELS.values()]
    lines = [
        f"| set | tasks | {' | '.join(headers)} | AutoGluon, stored |",
        "|---|---|" + "---|" * (len(headers) + 1),
    ]
    for name, row in rows.items():
        best = max(row.values())
        cells = [f"**{value:.3f}**" if value == best else f"{value:.3f}" for value in row.values()]
        peer = stored["scores"].get(name)
        lines.append(f"| {name} | {len(scores[name])} | {' | '.join(cells)} | {'' if peer is None else f'{peer:.3f}'} |")
    ranks, means = mean_ranks(list(rows.values())), scaled(scores)
    lines.append(f"| **mean rank** | | {' | '.join(f'{ranks[model]:.2f}' for model in MODELS)} | |")
    lines.append(f"| **mean scaled** | | {' | '.join(f'{means[model]:.3f}' for model in MODELS)} | |")
    lines.append(f"| **processor seconds** | | {' | '.join(f'{seconds[model]:.0f}' for model in MODELS)} | |")
    better, equal, worse = gains(scores)
    lines += [
        "",
        f"{len(scores)} sets, {sum(len(tasks) for tasks in scores.values())} tasks, splits of seed {', '.join(map(str, seeds))}. "
        f"Joint against single-task networks, task by task: {better} better by more than 0.01, {equal} within, {worse} worse.",
    ]
    return "\n".join(lines)
