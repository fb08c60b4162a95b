"""Census income: shared bottom, MMoE, PLE and single-task networks side by side, as the papers of MMoE and PLE have it.

    python benchmarks/quality/census.py --data FOLDER               # adds to results/census.jsonl; goes on where it stopped
    python benchmarks/quality/census.py --data FOLDER --trials 2 --seeds 0,1
    python benchmarks/quality/census.py --table                     # what was found, as markdown
    python benchmarks/quality/census.py --write                     # the same into docs/sharing.md

FOLDER is that of tabular.py, or $POLYTASK_DATA. Two tasks: an income above 50,000, and never married or not; education is an
input. Columns that give the marital status away (tax filer, household) are left out, of which the papers do not speak. A seed
draws 30 % of the rows for the test, a quarter of the others to stop by and to choose by, networks and trials; all rows take part.
Every arm gets the same random search over learning rate, weight decay, dropout and width, that of the encoder's layers and of the
experts; of a seed's trials the one with the best validation skill is kept, on the mean over tasks; the single-task networks, one
per task, have a stop and a chosen trial of their own. Intervals are Student's t over seeds.
"""

import os
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
from _command import check_folder, check_names, write_page
from _search import (
    Lines,
    Settings,
    chosen_task_scores,
    complete,
    counts,
    cut_and_held,
    difference,
    drawn_training,
    fit_and_score,
    markdown,
    parser_of,
    run_all,
)
from _tabular_sets import BenchmarkSet, data_folder, load_set
from _tabular_table import read_results

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP
from polytask.networks.sharing import sharing_names
from polytask.tasks import fixed_task, task_of_kind

RESULTS = Path(__file__).parent / "results" / "census.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"
MARKS = "<!-- census: start -->", "<!-- census: end -->"

ALONE = "single-task"
ARMS = ("hard", "mmoe", "ple", ALONE)
WIDTHS = (32, 64, 128)
TRIALS = 6
PLAN = {"batch_size": 1024, "max_epochs": 15, "patience": 4}


def as_in_papers(census: BenchmarkSet) -> BenchmarkSet:
    """Two tasks, as Ma 2018 and Tang 2020 have them: an income above 50,000, and never married or not; education is an input."""
    y, y_test = (
        labels[["income_50k"]].assign(never_married=labels["marital_stat"].eq("Never married").astype(int))
        for labels in (census.y, census.y_test)
    )
    income = next(task for task in census.tasks if task.name == "income_50k")
    married = fixed_task(task_of_kind("never_married", ("never_married",), "binary").fit(y))
    X, X_test = (
        table.assign(education=labels["education"].astype(str))
        for table, labels in ((census.X, census.y), (census.X_test, census.y_test))
    )
    kinds = {"income_50k": "binary", "never_married": "binary"}
    return replace(census, X=X, y=y, X_test=X_test, y_test=y_test, tasks=[income, married], kinds=kinds)


@lru_cache(maxsize=1)
def load(folder: Path, *, seed: int) -> tuple[BenchmarkSet, np.ndarray]:
    """The table with its two tasks and which of its training rows are for validation, bool [n_train]."""
    one = as_in_papers(load_set(folder, "census", seed=seed))
    return cut_and_held(one, seed=seed, most_rows=len(one.X))


def drawn_settings(*, seed: int, trial: int) -> Settings:
    """One trial of the random search: the same for every arm."""
    rng = np.random.default_rng([seed, trial, 18])
    return {**drawn_training(rng), "width": int(rng.choice(WIDTHS))}


def run(folder: Path, arm: str, *, seed: int, trial: int) -> dict[str, Any]:
    """One fit: a line of the results."""
    one, held = load(folder, seed=seed)
    settings = drawn_settings(seed=seed, trial=trial)

    def make(tasks: list[Any]) -> MultiTaskNetwork:
        sharing = sharing_names()["hard" if arm == ALONE else arm]()
        if "width" in sharing.get_params(deep=False):
            sharing.set_params(width=settings["width"])
        encoder = MLP(width=settings["width"], dropout=settings["dropout"])
        rates = {name: settings[name] for name in ("learning_rate", "weight_decay")}
        return MultiTaskNetwork(tasks, encoder=encoder, sharing=sharing, random_state=seed, **PLAN, **rates)

    found = fit_and_score(one, held, make, alone=arm == ALONE)
    return {"settings": settings, "rows": [int((~held).sum()), int(held.sum()), len(one.X_test)], **found}


def table(results: Lines) -> str:
    """AUC of both tasks, differences from hard sharing, and costs."""
    lines = complete(results)
    if not lines:
        return "No results yet."
    chosen, rows = chosen_task_scores(lines), []
    tasks = list(lines[0]["scores"])
    area = {
        (arm, task): {seed: (1 + found[task]) / 2 for (_, own, seed), found in chosen.items() if own == arm}
        for arm in ARMS
        for task in tasks
    }
    for arm in ARMS:
        mine = [line for line in lines if line["arm"] == arm]
        if not mine:
            continue
        row = [arm]
        for task in tasks:
            own = area[arm, task]
            row.append(_with_interval(difference(own, dict.fromkeys(own, 0.0)), "{:.4f}"))
            row.append("" if arm == "hard" else _with_interval(difference(own, area["hard", task]), "{:+.4f}"))
        row += [f"{np.mean([line['parameters'] for line in mine]) / 1000:.0f} thousand"]
        rows.append([*row, f"{np.mean([line['cpu_seconds'] for line in mine]):.0f} s"])
    train, held, test = lines[0]["rows"]
    told = (
        f"AUC of {test:,} test rows, {train:,} rows trained on and {held:,} to stop by; {_counts(lines)} of learning rate, "
        f"weight decay, dropout and width for each, chosen by validation rows; batches of {PLAN['batch_size']:,}, at most "
        f"{PLAN['max_epochs']} epochs; 95 % intervals by Student's t over seeds; mean parameters and processor time of a fit."
    )
    head = ["sharing", *(cell for task in tasks for cell in (task, "less hard"))]
    return "\n".join([told, "", *markdown([*head, "parameters", "processor time"], rows)])


def _counts(lines: Lines) -> str:
    """Seeds and trials in words; of a run that goes on, not all seeds have as many."""
    trials = {len({line["trial"] for line in lines if line["seed"] == seed}) for seed in {line["seed"] for line in lines}}
    return counts(lines) if len(trials) == 1 else f"{counts(lines)} (of some seeds {min(trials)} only)"


def _with_interval(found: tuple[float, float, int], form: str) -> str:
    middle, half, n = found
    return (form.format(middle) + (f" ± {half:.4f}" if n > 1 else "")) if n else ""


def main() -> int:
    parser = parser_of(__doc__, sets=["census"], arms=ARMS, results=RESULTS)
    parser.set_defaults(trials=TRIALS)
    args = parser.parse_args()
    check_names(parser, "arm", args.arms, ARMS)
    check_names(parser, "set", args.sets, ["census"])
    folder = data_folder(args.data)
    if args.write or args.table:
        text = table(read_results(args.results))
        write_page(PAGE, text, marks=MARKS) if args.write else print(text)
    elif check_folder(parser, folder):
        assert folder is not None
        # all arms of a trial, then the next trial, so that any stop leaves a fair table
        wanted = [("census", seed, trial, arm) for trial in range(args.trials) for seed in args.seeds for arm in args.arms]
        run_all(args.results, wanted, lambda _, arm, **draw: run(folder, arm, **draw), part=args.part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
