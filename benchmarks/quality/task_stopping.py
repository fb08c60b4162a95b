"""Does stopping task by task lessen the harm of learning together? Joint networks of both rules against single-task networks.

Three arms, the same rows, seeds and settings: networks of one task each, one network of all tasks that stops by the mean skill,
and one whose tasks stop on their own (``stopping="per_task"``). Scores of test rows as in ``tabular.py``; a task is harmed where
the joint network scores lower than its own one. It writes ``results/task_stopping.json``.

    python benchmarks/quality/task_stopping.py --data DATA --sets student atp1d --seeds 10
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _balancing_sets import load
from _tabular_sets import BenchmarkSet, data_folder, score_task

from polytask.estimators import MultiTaskNetwork

ARMS: dict[str, dict[str, Any]] = {"mean": {"stopping": "mean"}, "per_task": {"stopping": "per_task"}}


def scores(one: BenchmarkSet, held: np.ndarray, names: list[str], **settings: Any) -> dict[str, float | None]:
    """Scores of the test rows of one network of these tasks."""
    tasks = [task for task in one.tasks if task.name in names]
    model = MultiTaskNetwork(tasks, **settings).fit(one.X, one.y, reserved=held)
    outputs = model.outputs(one.X_test)
    return {task.name: score_task(task, outputs[task.name], one.y, one.y_test) for task in model.tasks_}


def run(one: BenchmarkSet, held: np.ndarray, *, seed: int, patience: int) -> dict[str, dict[str, float | None]]:
    """Scores of every arm."""
    settings = {"patience": patience, "random_state": seed}
    names = [task.name for task in one.tasks]
    alone: dict[str, float | None] = {}
    for name in names:
        alone |= scores(one, held, [name], **settings)
    return {"alone": alone, **{arm: scores(one, held, names, **settings, **own) for arm, own in ARMS.items()}}


def summary(runs: list[dict[str, dict[str, float | None]]]) -> dict[str, dict[str, float]]:
    """Per task the mean gain over its own network in points, with its standard error, for both rules, and their difference."""
    found = {}
    for task in runs[0]["alone"]:
        kept = [own for own in runs if all(own[arm][task] is not None for arm in ("alone", *ARMS))]
        points = {arm: 100 * np.array([own[arm][task] - own["alone"][task] for own in kept], dtype=float) for arm in ARMS}
        points["difference"] = points["per_task"] - points["mean"]
        found[task] = {arm: round(float(own.mean()), 2) for arm, own in points.items()}
        found[task]["standard_error"] = round(float(points["difference"].std(ddof=1) / np.sqrt(len(kept))), 2)
    return found


def main() -> None:
    """Run all sets, and write what was found after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--sets", nargs="+", default=["student", "atp1d"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--patience", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "task_stopping.json")
    options = parser.parse_args()
    folder = data_folder(options.data)
    if folder is None:
        raise SystemExit("Where is the data? Give --data, or set POLYTASK_DATA.")
    torch.set_num_threads(1)
    found: dict[str, Any] = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    for name in options.sets:
        runs = [run(*load(folder, name, seed=seed), seed=seed, patience=options.patience) for seed in range(options.seeds)]
        title = name if options.patience == 16 else f"{name}, patience {options.patience}"
        found[title] = {"seeds": options.seeds, "patience": options.patience, "points": summary(runs)}
        print(title, json.dumps(found[title]["points"], indent=1))
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
