"""Boosting of all tasks at once beside LightGBM per task: shared trees, stacked rows, CatBoost on all targets.

    python benchmarks/quality/joint_boosting.py --data FOLDER                 # skips what results/joint_boosting.jsonl holds
    python benchmarks/quality/joint_boosting.py --data FOLDER --sets edm,enb --models stacked,stopped --seeds 0
    python benchmarks/quality/joint_boosting.py --table                       # the table as markdown
    python benchmarks/quality/joint_boosting.py --write                       # the table into docs/ensembles.md

FOLDER holds ``tabular.json`` and the tables it names (also: environment variable POLYTASK_DATA). Sets, splits and scores are
those of ``tabular.py``; one thread; every model with its defaults, no limit of time. With ``--labels 0.2`` a fifth of the labels
of the training rows is kept, drawn for each task alone, at least 20 of each.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
from _command import append, check_folder, check_names, names, options_of, write_page
from _tabular_sets import BenchmarkSet, data_folder, load_set, log_loss_of, score_task
from _tabular_table import read_results
from scipy.stats import rankdata

RESULTS = Path(__file__).parent / "results" / "joint_boosting.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "ensembles.md"
MARKS = "<!-- joint boosting: start -->", "<!-- joint boosting: end -->"
SETS = ["edm", "enb", "jura", "atp1d", "scpf", "sf1", "sf2", "emotions", "birds", "heart", "student", "gcse"]
SETS += ["myocardial", "parkinsons"]
LEAST_LABELS = 20


def models(seed: int) -> dict[str, Callable[[list[Any]], Any]]:
    """Makers of an estimator, given the tasks."""
    from polytask import estimators as room

    return {
        "fixed": lambda tasks: room.PerTaskEstimator(room.boosted_trees(random_state=seed), tasks),
        "stopped": lambda tasks: room.PerTaskEstimator(room.boosted_trees_stopped(random_state=seed), tasks),
        "shared": lambda tasks: room.MultiTaskBoosting(tasks, random_state=seed),
        "stacked": lambda tasks: room.StackedRowsBoosting(tasks, random_state=seed),
        "catboost": lambda tasks: room.MultiTaskCatBoost(tasks, random_state=seed),
    }


def with_few_labels(one: BenchmarkSet, share: float, *, seed: int) -> BenchmarkSet:
    """The set with a share of its training labels."""
    rng = np.random.default_rng([seed, 5])
    y = one.y.copy()
    for column in y:
        seen = np.flatnonzero(y[column].notna())
        kept = rng.permutation(seen)[: max(LEAST_LABELS, round(share * len(seen)))]
        y[column] = y[column].where(np.isin(np.arange(len(y)), kept))
    return replace(one, y=y)


def run(one: BenchmarkSet, model: str, *, seed: int, labels: float) -> dict[str, Any]:
    """Fit one model on one set and score it: a line of the results."""
    import polytask

    started, cpu_started = time.perf_counter(), time.process_time()
    estimator = models(seed)[model](one.tasks).fit(one.X, one.y, groups=one.groups)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    outputs = estimator.outputs(one.X_test)
    scores = {task.name: score_task(task, outputs[task.name], one.y, one.y_test) for task in estimator.tasks_}
    losses = {task.name: log_loss_of(task, outputs[task.name], one.y_test) for task in estimator.tasks_}
    return {
        "set": one.name,
        "seed": seed,
        "labels": labels,
        "model": model,
        "scores": {name: None if score is None else round(score, 5) for name, score in scores.items()},
        "log_losses": {name: round(loss, 5) for name, loss in losses.items() if loss is not None},
        "n_train": len(one.X),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "polytask": polytask.__version__,
    }


def table(lines: list[dict[str, Any]]) -> str:
    """The results as markdown: scores per set, then paired differences to LightGBM per task, stopped."""
    return "\n\n".join(_table(lines, labels) for labels in sorted({line["labels"] for line in lines}, reverse=True))


def _table(lines: list[dict[str, Any]], labels: float) -> str:
    names, sets = list(models(0)), [name for name in SETS if any(line["set"] == name for line in lines)]
    found: dict[tuple[str, int, str], dict[str, Any]] = {
        (line["set"], line["seed"], line["model"]): line for line in lines if line["labels"] == labels
    }
    mean: dict[str, dict[str, float]] = {}
    seconds: dict[str, dict[str, float]] = {}
    for name in sets:
        run_here = [model for model in names if any(key[0] == name and key[2] == model for key in found)]
        seeds = {seed for own, seed, _ in found if own == name}
        whole = [seed for seed in seeds if all((name, seed, model) in found for model in run_here)]
        if whole:
            own = {model: [found[name, seed, model] for seed in whole] for model in run_here}
            mean[name] = {model: float(np.mean([_score(line) for line in own[model]])) for model in run_here}
            seconds[name] = {model: float(np.mean([line["cpu_seconds"] for line in own[model]])) for model in run_here}
    what = "all labels" if labels == 1 else f"{labels:.0%} of the labels"
    text = [f"| {what} | " + " | ".join(names) + " |", "|---" * (1 + len(names)) + "|"]
    text += [
        f"| {name} | " + " | ".join(f"{own[model]:.3f}" if model in own else "" for model in names) + " |"
        for name, own in mean.items()
    ]
    complete = [name for name, own in mean.items() if len(own) == len(names)]
    seconds = {name: seconds[name] for name in complete}
    values = np.array([[mean[name][model] for model in names] for name in complete])
    ranks = rankdata(-values, axis=1).mean(axis=0)
    text.append(f"| mean rank, {len(complete)} sets | " + " | ".join(f"{rank:.2f}" for rank in ranks) + " |")
    base = names.index("stopped")
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(values), size=(5000, len(values)))
    cells, times = [], []
    for k, model in enumerate(names):
        difference = values[:, k] - values[:, base]
        low, high = np.quantile(difference[drawn].mean(axis=1), [0.025, 0.975])
        cells.append("" if k == base else f"{difference.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        times.append(f"{np.median([own[model] / max(own['stopped'], 1e-3) for own in seconds.values()]):.2f}")
    text.append("| to *stopped* | " + " | ".join(cells) + " |")
    text.append("| time to *stopped*, median | " + " | ".join(times) + " |")
    return "\n".join(text)


def _score(line: dict[str, Any]) -> float:
    return float(np.mean([score for score in line["scores"].values() if score is not None]))


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet."""
    done = {(line["set"], line["seed"], line["labels"], line["model"]) for line in read_results(args.results)}
    for seed in args.seeds:
        for name in args.sets:
            wanted = [model for model in args.models if (name, seed, args.labels, model) not in done]
            one = load_set(folder, name, seed=seed) if wanted else None
            for model in wanted:
                assert one is not None
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # copies, few labels: told to users, not to a benchmark
                    given = one if args.labels == 1 else with_few_labels(one, args.labels, seed=seed)
                    line = run(given, model, seed=seed, labels=args.labels)
                append(args.results, line)
                print(f"{name:<11} seed {seed} {model:<9} {_score(line):7.3f}  {line['cpu_seconds']:6.1f} s", flush=True)


def main() -> int:
    parser = options_of(__doc__, sets=SETS, seeds=[0, 1], results=RESULTS)
    parser.add_argument("--models", type=names, default=list(models(0)))
    parser.add_argument("--labels", type=float, default=1.0, help="share of the training labels that is kept")
    args = parser.parse_args()
    check_names(parser, "model", args.models, models(0))
    folder = data_folder(args.data)
    if args.write or args.table:
        text = table(read_results(args.results))
        write_page(PAGE, text, marks=MARKS) if args.write else print(text)
    elif check_folder(parser, folder):
        assert folder is not None
        run_all(folder, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
