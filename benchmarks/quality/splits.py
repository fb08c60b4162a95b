"""How even stratified folds are on tox21 (12 partly labelled tasks), and how long 100,000 rows x 20 labels take.

Compares plain k-fold, polytask, and the package iterative-stratification (which knows no missing labels, so on complete rows).

    python benchmarks/quality/splits.py [--data ../shared/data] [--seeds 20] [--json out.json]
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from polytask.data.splits import StratifiedTaskKFold, holdout, iterative_stratification

N_FOLDS = 5


def tests_of(splitter: object, y: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    return [test for _, test in splitter.split(y, y)]  # type: ignore[attr-defined]


def largest_deviation(counts: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the largest |count - equal share| of any task and fold, in labels and as a share of the equal share."""
    table = np.array(list(counts))  # [fold, task]
    equal = table.mean(axis=0)
    deviation = np.abs(table - equal)
    return float(deviation.max()), float((deviation / equal).max())


def measure(y: NDArray[np.float64], splitter_of: Callable[[int], object], seeds: int) -> dict[str, float]:
    """Return the mean and worst over seeds of the largest deviations of positives, missing labels and sizes."""
    positives, relative, missing, sizes, seconds = [], [], [], [], []
    for seed in range(seeds):
        start = time.perf_counter()
        tests = tests_of(splitter_of(seed), y)
        seconds.append(time.perf_counter() - start)
        labels, share = largest_deviation(np.nansum(y[test], axis=0) for test in tests)
        positives.append(labels)
        relative.append(share)
        missing.append(largest_deviation(np.isnan(y[test]).sum(axis=0) + 1e-9 for test in tests)[0])
        sizes.append(np.ptp([len(test) for test in tests]))
    return {
        "positives_mean": float(np.mean(positives)),
        "positives_worst": max(positives),
        "positives_relative_worst": max(relative),
        "missing_worst": max(missing),
        "size_range_worst": float(max(sizes)),
        "seconds": float(np.mean(seconds)),
    }


def tox21(data: Path, seeds: int) -> dict[str, dict[str, dict[str, float]]]:
    table = pd.read_csv(data / "tox21" / "tox21.csv.gz").drop(columns=["mol_id", "smiles"])
    every = table.to_numpy(dtype=float)
    complete = every[~np.isnan(every).any(axis=1)]
    arms: dict[str, Callable[[int], object]] = {
        "plain KFold": lambda seed: KFold(N_FOLDS, shuffle=True, random_state=seed),
        "polytask, order 1": lambda seed: StratifiedTaskKFold(N_FOLDS, random_state=seed),
        "polytask, order 2": lambda seed: StratifiedTaskKFold(N_FOLDS, order=2, random_state=seed),
    }
    theirs = {"iterative-stratification": lambda seed: MultilabelStratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)}
    return {
        f"all rows ({len(every)})": {name: measure(every, arm, seeds) for name, arm in arms.items()},
        f"complete rows ({len(complete)})": {name: measure(complete, arm, seeds) for name, arm in (arms | theirs).items()},
    }


def speed(n_samples: int = 100_000, n_labels: int = 20) -> dict[str, float]:
    """Return seconds for labels with shares from 0 to 50%, all independent (the most patterns, so the slowest case)."""
    rng = np.random.default_rng(0)
    labels = rng.random((n_samples, n_labels)) < 0.5 * rng.random(n_labels)
    numbers = rng.normal(size=(n_samples, n_labels))
    numbers[rng.random(numbers.shape) < 0.2] = np.nan
    groups = rng.integers(0, n_samples // 5, n_samples)
    equal = np.full(N_FOLDS, 1 / N_FOLDS)
    jobs: dict[str, Callable[[], object]] = {
        "5 folds, order 1": lambda: iterative_stratification(labels, equal, random_state=0),
        "5 folds, order 2": lambda: iterative_stratification(labels, equal, order=2, random_state=0),
        "5 folds, 20,000 groups": lambda: iterative_stratification(labels, equal, groups=groups, random_state=0),
        "holdout": lambda: holdout(labels, random_state=0),
        "5 folds, 20 regression targets, 20% missing": lambda: StratifiedTaskKFold(random_state=0).fold_of_rows(y=numbers),
        "iterative-stratification, 5 folds": lambda: tests_of(
            MultilabelStratifiedKFold(N_FOLDS, shuffle=True, random_state=0), labels
        ),
    }
    seconds = {}
    for name, job in jobs.items():
        start = time.perf_counter()
        job()
        seconds[name] = time.perf_counter() - start
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds tox21/tox21.csv.gz")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()

    quality, seconds = tox21(options.data, options.seeds), speed()
    for rows, arms in quality.items():
        print(f"\ntox21, {rows}, {N_FOLDS} folds, {options.seeds} seeds\n{pd.DataFrame(arms).T.round(3).to_string()}")
    print("\n100,000 rows x 20, seconds\n" + pd.Series(seconds).round(2).to_string())
    if options.json:
        options.json.write_text(json.dumps({"tox21": quality, "seconds": seconds}, indent=2))

    complete = next(arms for rows, arms in quality.items() if rows.startswith("complete"))
    ours, theirs = complete["polytask, order 1"], complete["iterative-stratification"]
    if ours["positives_worst"] > theirs["positives_worst"] + 1e-9:
        raise SystemExit("FAILED: polytask is less even than iterative-stratification on the complete rows.")


if __name__ == "__main__":
    main()
