"""Known numbers: forests and bagged trees on the Mulan sets, and stacking across tasks beside them.

    python benchmarks/quality/known_numbers.py --data FOLDER                  # all; skips what results/known_numbers.jsonl holds
    python benchmarks/quality/known_numbers.py --data FOLDER --sets edm,enb --models trees,stacked
    python benchmarks/quality/known_numbers.py --table                        # the tables as markdown
    python benchmarks/quality/known_numbers.py --write                        # the tables into docs/ensembles.md

FOLDER holds ``tabular.json`` and the tables it names (also: environment variable POLYTASK_DATA).

Multilabel (emotions, scene): Hamming loss of random forests on the test rows of the sets' own split.
Multi-target regression: ten folds, drawn once; per target the root of the squared errors over those of the mean of the training
rows, both pooled over all folds; the mean over targets is the aRRMSE. ``trees`` are 100 bagged trees per target
(all columns at every split), ``bagging`` the same made of :class:`BaggingEstimator` and single trees; of the bagged trees,
``stacked`` is :class:`StackedAcrossTasks` as it is by default (linear upon all outputs), ``sst`` that of the paper (bagged trees
upon inputs and outputs), ``chains`` at most six regressor chains; five inner folds. ``together`` is :class:`MultiTaskForest` of
100 trees for all targets at once, for the multilabel sets too (500 trees, as the forest has).
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
from _command import append, check_folder, check_names, names, options_of, write_page
from _tabular_sets import data_folder
from _tabular_table import read_results
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

RESULTS = Path(__file__).parent / "results" / "known_numbers.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "ensembles.md"
MARKS = "<!-- known numbers: start -->", "<!-- known numbers: end -->"

TAGGERS = ["forest", "together"]
HAMMING = {"emotions": 0.189, "scene": 0.091}
ARRMSE = {"edm": 0.680, "enb": 0.119, "jura": 0.576, "scpf": 0.885, "sf2": 1.066, "atp1d": 0.401}
N_FOLDS, N_TREES, N_TREES_OF_TAGS = 10, 100, 500


def bagged_trees(seed: int) -> dict[str, Any]:
    """Breiman's bagging of full trees: a forest that may split on every column."""
    return {"regressor": RandomForestRegressor(N_TREES, max_features=1.0, random_state=seed)}


def models(seed: int) -> dict[str, Callable[[list[Any]], Any]]:
    """Makers of an estimator, given the tasks."""
    from polytask.estimators import BaggingEstimator, MultiTaskForest, PerTaskEstimator, StackedAcrossTasks

    trees = bagged_trees(seed)
    chains = {"method": "chains", "n_chains": 6, "random_state": seed}
    return {
        "trees": lambda tasks: PerTaskEstimator(trees, tasks),
        "bagging": lambda tasks: BaggingEstimator(
            {"regressor": DecisionTreeRegressor()}, tasks, n_repeats=N_TREES, random_state=seed
        ),
        "stacked": lambda tasks: StackedAcrossTasks(trees, tasks, random_state=seed),
        "sst": lambda tasks: StackedAcrossTasks(trees, tasks, final_estimator=trees, passthrough=True, random_state=seed),
        "chains": lambda tasks: StackedAcrossTasks(trees, tasks, **chains),
        "together": lambda tasks: MultiTaskForest(tasks, n_estimators=N_TREES, random_state=seed),
    }


def relative_errors(make: Callable[[list[Any]], Any], X: Any, y: Any, *, seed: int) -> dict[str, float]:
    """RRMSE of every target, errors pooled over ten folds."""
    from polytask.tasks import Regression

    tasks = [Regression(name) for name in y]
    error, constant = np.zeros(len(tasks)), np.zeros(len(tasks))
    for train, test in KFold(N_FOLDS, shuffle=True, random_state=seed).split(X):
        predicted = make(tasks).fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test])
        error += ((y.iloc[test] - predicted) ** 2).sum().to_numpy()
        constant += ((y.iloc[test] - y.iloc[train].mean()) ** 2).sum().to_numpy()
    return {str(name): float(np.sqrt(own)) for name, own in zip(y, error / constant, strict=True)}


def hamming_loss(frame: Any, targets: list[str], model: str, *, seed: int) -> float:
    """Share of wrong tags on the set's own test rows, of a forest per tag or one of all of them."""
    from polytask.estimators import MultiTaskForest, PerTaskEstimator
    from polytask.tasks import Multilabel

    train = frame["split"].eq("train").to_numpy()
    X, y = frame.drop(columns=["split", *targets]), frame[targets]
    tags = [Multilabel("tags", tuple(targets))]
    forest = {"classifier": RandomForestClassifier(N_TREES_OF_TAGS, random_state=seed)}
    own: Any = (
        PerTaskEstimator(forest, tags)
        if model == "forest"
        else MultiTaskForest(tags, n_estimators=N_TREES_OF_TAGS, random_state=seed)
    )
    return float((own.fit(X[train], y[train]).predict(X[~train]).to_numpy() != y[~train].to_numpy()).mean())


def run(folder: Path, name: str, model: str, *, seed: int) -> dict[str, Any]:
    """Run one set and one model: a line of the results."""
    import polytask
    from polytask.data import read_table

    about = json.loads((folder / "tabular.json").read_text(encoding="utf-8"))[name]
    frame, targets = read_table(folder / about["file"]).frame, list(about["targets"])
    started, cpu_started = time.perf_counter(), time.process_time()
    line: dict[str, Any] = {"set": name, "model": model, "seed": seed, "n_rows": len(frame), "n_targets": len(targets)}
    if name in HAMMING:
        line |= {"metric": "hamming_loss", "value": round(hamming_loss(frame, targets, model, seed=seed), 5)}
    else:
        X, y = frame.drop(columns=[*targets, *about["drop"]]), frame[targets].astype(float)
        errors = relative_errors(models(seed)[model], X, y, seed=seed)
        each = {target: round(value, 5) for target, value in errors.items()}
        line |= {"metric": "arrmse", "value": round(float(np.mean(list(errors.values()))), 5), "each": each}
    seconds = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu_started}
    return line | {key: round(value, 1) for key, value in seconds.items()} | {"polytask": polytask.__version__}


def table(lines: list[dict[str, Any]]) -> str:
    """The results as markdown: known and measured values, and mean ranks over targets."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for line in lines:
        found.setdefault((line["set"], line["model"]), {})[line["seed"]] = line["value"]

    def shown(name: str, model: str) -> str:
        """Mean over the seeds that all models of the set have."""
        if (name, model) not in found:
            return ""
        seeds = set.intersection(*(set(values) for (own, _), values in found.items() if own == name))
        return f"{np.mean([found[name, model][seed] for seed in seeds]):.3f}"

    text = ["| set | known | random forest | together |", "|---|---|---|---|"]
    text += [f"| {name} | {known:.3f} | {shown(name, 'forest')} | {shown(name, 'together')} |" for name, known in HAMMING.items()]
    names = ["trees", "bagging", "stacked", "sst", "chains", "together"]
    text += ["", "| set | known | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    text += [
        f"| {name} | {known:.3f} | " + " | ".join(shown(name, own) for own in names) + " |" for name, known in ARRMSE.items()
    ]
    for others in (["stacked"], ["stacked", "sst"], ["stacked", "sst", "chains"], ["stacked", "together"]):
        text += ["", _ranks(lines, ["trees", *others])]
    return "\n".join(text)


def _ranks(lines: list[dict[str, Any]], names: list[str]) -> str:
    """Mean ranks of some models over the targets of all sets and seeds that have all of them, each set weighing the same."""
    each = {(line["set"], line["seed"], line["model"]): line["each"] for line in lines if "each" in line}
    ranks: dict[str, list[Any]] = {}
    for name, seed in {key[:2] for key in each}:
        own = [each.get((name, seed, model)) for model in names]
        if all(values is not None for values in own):
            table = np.array([list(values.values()) for values in own])
            ranks.setdefault(name, []).append(rankdata(table, axis=0).mean(axis=1))
    if not ranks:
        return ""
    mean = np.mean([np.mean(own, axis=0) for own in ranks.values()], axis=0)
    told = ", ".join(f"{model} {rank:.2f}" for model, rank in zip(names, mean, strict=True))
    return f"Mean rank over the targets of {len(ranks)} sets: {told}."


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet."""
    done = {(line["set"], line["seed"], line["model"]) for line in read_results(args.results)}
    for seed in args.seeds:
        for name in args.sets or [*HAMMING, *ARRMSE]:
            for model in TAGGERS if name in HAMMING else args.models:
                if (name, seed, model) in done:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # copies, few labels: told to users, not to a benchmark
                    line = run(folder, name, model, seed=seed)
                append(args.results, line)
                known = (HAMMING | ARRMSE).get(name)
                print(
                    f"{name:<9} seed {seed} {model:<8} {line['value']:.3f} (known {known})  {line['seconds']:.0f} s", flush=True
                )


def main() -> int:
    parser = options_of(__doc__, sets=None, seeds=[0], results=RESULTS)
    parser.add_argument("--models", type=names, default=list(models(0)))
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
