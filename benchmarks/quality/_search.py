"""What benchmarks of networks with a random search share: rows, one fit of it, choosing by validation, and the command."""

import argparse
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _command import append, names, options_of
from _stacks import fit_at_once
from _tabular_sets import BenchmarkSet, score_task
from _tabular_table import read_results
from scipy.stats import t as student

from polytask.estimators import MultiTaskNetwork

MOST_ROWS = 1000  # to train and validate on; drawn at random where there are more
VALIDATION_SHARE = 0.25
MARKS = "<!-- quality: start -->", "<!-- quality: end -->"

Settings = dict[str, Any]
Lines = list[dict[str, Any]]
Scores = dict[str, dict[str, dict[int, float]]]
Key = tuple[str, int, int, str]
Line = dict[str, Any] | None
Make = Callable[[list[Any]], MultiTaskNetwork]


def cut_and_held(one: BenchmarkSet, *, seed: int, most_rows: int = MOST_ROWS) -> tuple[BenchmarkSet, np.ndarray]:
    """At most so many training rows, and which of them are for validation, bool [n_train]: whole groups where there are any."""
    rng = np.random.default_rng([seed, 7])
    rows = np.sort(rng.permutation(len(one.X))[:most_rows])
    one = replace(one, X=one.X.iloc[rows], y=one.y.iloc[rows], groups=None if one.groups is None else one.groups[rows])
    unit = np.arange(len(rows)) if one.groups is None else np.unique(one.groups, return_inverse=True)[1]
    return one, (rng.random(int(unit.max()) + 1) < VALIDATION_SHARE)[unit]


def drawn_training(rng: np.random.Generator) -> Settings:
    """Learning rate, weight decay and dropout of one trial of the random search."""
    return {
        "learning_rate": float(10 ** rng.uniform(-3.5, -2)),
        "weight_decay": float(10 ** rng.uniform(-4, -0.5)),
        "dropout": float(rng.uniform(0, 0.5)),
    }


def fit_and_score(one: BenchmarkSet, held: np.ndarray, make: Make, *, alone: bool) -> dict[str, Any]:
    """Train a network of all tasks, or one of each alone, on rows that are not held; stop by those; score on the test rows."""
    return _fit_stack(one, held, [make], alone=alone)[0]


def fit_in_stacks(
    one: BenchmarkSet, held: np.ndarray, makes: Sequence[Make], *, kinds: Sequence[Hashable], alone: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    """As :func:`fit_and_score` for several trials, those of one kind in a stack; the number of each with its line."""
    for kind in dict.fromkeys(kinds):
        numbers = [k for k, own in enumerate(kinds) if own == kind]
        yield from zip(numbers, _fit_stack(one, held, [makes[k] for k in numbers], alone=alone), strict=True)


def _fit_stack(one: BenchmarkSet, held: np.ndarray, makes: Sequence[Make], *, alone: bool) -> Lines:
    """A line for each of the models that may be trained at once; each has an equal share of the processor time."""
    started = time.process_time()
    groups = [[task] for task in one.tasks] if alone else [one.tasks]
    fitted = [
        fit_at_once(
            [make(tasks) for make in makes], one.X, one.y[[name for task in tasks for name in task.columns]], reserved=held
        )
        for tasks in groups
    ]
    cpu = (time.process_time() - started) / len(makes)
    return [_line(one, networks, cpu=cpu) for networks in zip(*fitted, strict=True)]


def _line(one: BenchmarkSet, networks: Sequence[MultiTaskNetwork], *, cpu: float) -> dict[str, Any]:
    """What is kept of one trial."""
    validation, scores = {}, {}
    for network in networks:
        outputs = network.outputs(one.X_test)
        # the skill that chose the epoch: of a joint network one number for all its tasks
        skill = round(float(np.nan_to_num(network.optimistic_skill_, nan=-1.0)), 5)
        for task in network.tasks_:
            score = score_task(task, outputs[task.name], one.y, one.y_test)
            validation[task.name], scores[task.name] = skill, None if score is None else round(score, 5)
    return {
        "validation": validation,
        "scores": scores,
        "epochs": [len(network.network_.curves["skill"]) for network in networks],
        "parameters": sum(p.numel() for network in networks for p in network.network_.module.parameters()),
        "cpu_seconds": round(cpu, 2),
    }


def complete(results: Lines) -> Lines:
    """Lines of the trials that all arms of a set and seed have: an arm that ran longer has not searched longer."""
    arms: dict[tuple[str, int], set[str]] = defaultdict(set)
    have: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for line in results:
        arms[line["set"], line["seed"]].add(line["arm"])
        have[line["set"], line["seed"], line["trial"]].add(line["arm"])
    return [line for line in results if have[line["set"], line["seed"], line["trial"]] == arms[line["set"], line["seed"]]]


def chosen_task_scores(results: Lines) -> dict[tuple[str, str, int], dict[str, float]]:
    """(Set, arm, seed) -> task -> test score of the trial that validation chooses (per task, for single tasks)."""
    grouped: dict[tuple[str, str, int], Lines] = defaultdict(list)
    for line in complete(results):
        grouped[line["set"], line["arm"], line["seed"]].append(line)
    found = {}
    for key, lines in grouped.items():
        tasks = [task for task, score in lines[0]["scores"].items() if score is not None]
        best = {task: max(lines, key=lambda line, task=task: line["validation"][task]) for task in tasks}  # type: ignore[misc]
        found[key] = {task: best[task]["scores"][task] for task in tasks}
    return found


def chosen_scores(results: Lines) -> Scores:
    """Set -> arm -> seed -> mean over tasks of :func:`chosen_task_scores`."""
    found: Scores = defaultdict(lambda: defaultdict(dict))
    for (name, arm, seed), scores in chosen_task_scores(results).items():
        found[name][arm][seed] = float(np.mean(list(scores.values())))
    return found


def difference(arm: dict[int, float], reference: dict[int, float]) -> tuple[float, float, int]:
    """Mean over the seeds that both have, half the 95 % interval (NaN with one seed), and how many seeds."""
    both = np.array([arm[seed] - reference[seed] for seed in sorted(set(arm) & set(reference))])
    half = student.ppf(0.975, len(both) - 1) * both.std(ddof=1) / np.sqrt(len(both)) if len(both) > 1 else np.nan
    return float(both.mean()) if len(both) else np.nan, float(half), len(both)


def difference_cells(own: Sequence[dict[int, float]], reference: Sequence[dict[int, float]]) -> tuple[list[str], int, int]:
    """Per set the difference in points (hundredths of score) with its interval; how many are told above 0, and below."""
    cells, better, worse = [], 0, 0
    for arm, other in zip(own, reference, strict=True):
        middle, half, n = difference(arm, other)
        better, worse = better + (middle - half > 0), worse + (middle + half < 0)
        cells.append("" if not n else f"{100 * middle:+.1f}" + ("" if np.isnan(half) else f" ± {100 * half:.1f}"))
    return cells, better, worse


def relative_cost(lines: Lines, arm: str, reference: str, *, key: str = "cpu_seconds") -> float:
    """Geometric mean over fits of processor time, or of what ``key`` names, in that of the reference with the same settings."""
    fits: dict[tuple[str, int, int], dict[str, float]] = defaultdict(dict)
    for line in lines:
        fits[line["set"], line["seed"], line["trial"]][line["arm"]] = max(line[key], 0.01)
    ratios = [np.log(fit[arm] / fit[reference]) for fit in fits.values() if arm in fit and reference in fit]
    return float(np.exp(np.mean(ratios))) if ratios else float("nan")


def run_all(path: Path, wanted: Iterable[Key], fit: Callable[..., Line], *, part: tuple[int, int]) -> None:
    """Run every n-th fit that is not in the results file yet, and add its line; where there is none to be had, say so."""
    done, (number, parts) = _keys_of(path), part
    for name, seed, trial, arm in (key for k, key in enumerate(wanted) if k % parts == number and key not in done):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few labels of a class: told to users, not to a benchmark
            line = fit(name, arm, seed=seed, trial=trial)
        _keep(path, (name, seed, trial, arm), line)


def run_groups(
    path: Path, wanted: Iterable[Key], fit: Callable[..., Iterable[tuple[int, Line]]], *, part: tuple[int, int]
) -> None:
    """As :func:`run_all`, but ``fit`` gets all open trials of a set, seed and arm at once, and gives each with its line."""
    trials: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    for name, seed, trial, arm in wanted:
        trials[name, seed, arm].append(trial)
    done, (number, parts) = _keys_of(path), part
    for name, seed, arm in [*trials][number::parts]:
        left = [trial for trial in trials[name, seed, arm] if (name, seed, trial, arm) not in done]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial, line in fit(name, arm, seed=seed, trials=left) if left else ():
                _keep(path, (name, seed, trial, arm), line)


def _keys_of(path: Path) -> set[Key]:
    return {(line["set"], line["seed"], line["trial"], line["arm"]) for line in read_results(path)}


def _keep(path: Path, key: Key, line: Line) -> None:
    """Add a line and tell it; None of what is not to be had."""
    name, seed, trial, arm = key
    told = f"{name:<10} seed {seed} trial {trial} {arm:<20}"
    if line is None:
        print(f"{told} is not for this set", flush=True)
        return
    append(path, {"set": name, "seed": seed, "trial": trial, "arm": arm, **line})
    known = [score for score in line["scores"].values() if score is not None]
    print(f"{told} {sum(known) / len(known):7.3f} {line['cpu_seconds']:6.1f} s", flush=True)


def counts(lines: Lines) -> str:
    """How many seeds and trials, in words."""
    found = [(len({line[key] for line in lines}), key) for key in ("seed", "trial")]
    return ", ".join(f"{n} {key}{'s' * (n != 1)}" for n, key in found)


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table of names and numbers, line by line."""
    return [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1), *(f"| {' | '.join(row)} |" for row in rows)]


def parser_of(description: str | None, *, sets: Sequence[str], arms: Sequence[str], results: Path) -> argparse.ArgumentParser:
    """The options of such a benchmark, with these defaults."""
    parser = options_of(description, sets=sets, seeds=[0, 1, 2, 3, 4], results=results)
    parser.add_argument("--arms", type=names, default=list(arms))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--part", type=_part, default=(0, 1), metavar="K/N")
    return parser


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    return int(number), int(parts)
