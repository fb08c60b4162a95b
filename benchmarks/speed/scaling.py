"""How time and peak memory of a fit grow with rows, columns and tasks: linear would be 2.0 per doubling.

    python benchmarks/speed/scaling.py [--quick]           # rows, columns and tasks, each doubled from a base of 10,000 x 40 x 4
    python benchmarks/speed/scaling.py --one 1000000,100,4 # a single case: rows, columns, tasks

Each case runs in a process of its own, on one thread: a table (half numbers, a quarter of them with gaps, half categories), its
targets (regression and binary, a fifth of the labels missing), a joint network for two epochs in batches of 512, and its
predictions. Memory is what rises above the table itself. Ratios of sizes within one run, not seconds, are what to compare
between machines.
"""

import argparse
import json
import time
from typing import Any

import numpy as np
from _memory import peak_memory
from _worker import in_a_process

BASE = {"rows": 10_000, "columns": 40, "tasks": 4}
EPOCHS, BATCH, N_CATEGORIES = 2, 512, 20


def make_table(rows: int, columns: int, tasks: int) -> tuple[Any, Any]:
    """Draw inputs and labels that depend on them."""
    import pandas as pd

    rng = np.random.default_rng(0)
    n_numbers = columns - columns // 2
    numbers = rng.normal(size=(rows, n_numbers))
    score = numbers[:, : min(n_numbers, 10)] @ rng.normal(size=(min(n_numbers, 10), tasks))
    labels = {f"y{t}": score[:, t] if t % 2 else (score[:, t] > 0).astype(float) for t in range(tasks)}
    y = pd.DataFrame(labels).mask(rng.random((rows, tasks)) < 0.2)
    numbers[:, ::4][rng.random((rows, len(range(0, n_numbers, 4)))) < 0.1] = np.nan
    names = np.array([f"category {i}" for i in range(N_CATEGORIES)])
    X = pd.DataFrame(numbers, columns=[f"n{i}" for i in range(n_numbers)])
    categories = {f"c{i}": pd.Categorical.from_codes(rng.integers(0, N_CATEGORIES, rows), names) for i in range(columns // 2)}
    return pd.concat([X, pd.DataFrame(categories)], axis=1), y


def run_case(rows: int, columns: int, tasks: int) -> dict[str, float]:
    """Fit and predict once; seconds and megabytes."""
    from polytask.estimators import MultiTaskNetwork

    warm_up, labels = make_table(200, 4, 2)
    MultiTaskNetwork(max_epochs=1, validation=None, random_state=0).fit(warm_up, labels)
    X, y = make_table(rows, columns, tasks)
    model = MultiTaskNetwork(max_epochs=EPOCHS, patience=None, validation=None, batch_size=BATCH, random_state=0)
    with peak_memory() as fitting:
        started = time.perf_counter()
        model.fit(X, y)
        fit_seconds = time.perf_counter() - started
    with peak_memory() as predicting:
        started = time.perf_counter()
        model.outputs(X)
        predict_seconds = time.perf_counter() - started
    return {
        "fit_seconds": fit_seconds,
        "fit_mb": fitting.mb,
        "predict_seconds": predict_seconds,
        "predict_mb": predicting.mb,
        "table_mb": float(X.memory_usage(deep=True).sum() + y.memory_usage().sum()) / 1024**2,
    }


def show(name: str, sizes: list[int]) -> None:
    """Double one size at a time, and print the growth per doubling."""
    print(f"\n{name:<10} {'fit s':>8} {'grows':>6} {'fit MB':>8} {'grows':>6} {'predict s':>10} {'grows':>6} {'table MB':>9}")
    found = []
    for size in sizes:
        one = in_a_process(__file__, BASE | {name: size})
        last = found[-1] if found else None
        grows = {key: "" if last is None else f"{one[key] / last[key]:.2f}x" for key in one}
        print(
            f"{size:<10,} {one['fit_seconds']:8.2f} {grows['fit_seconds']:>6} {one['fit_mb']:8.0f} {grows['fit_mb']:>6} "
            f"{one['predict_seconds']:10.2f} {grows['predict_seconds']:>6} {one['table_mb']:9.1f}",
            flush=True,
        )
        found.append(one)
    for key, what in (("fit_seconds", "time of a fit"), ("fit_mb", "memory of a fit")):
        slope = np.polyfit(np.log(sizes), np.log([max(one[key], 1e-9) for one in found]), 1)[0]
        print(f"  {what} grows as {name} ^ {slope:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="three sizes each instead of five")
    parser.add_argument("--one", metavar="ROWS,COLUMNS,TASKS")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_case(**json.loads(options.case))))
    elif options.one:
        sizes = dict(zip(BASE, map(int, options.one.split(",")), strict=True))
        found = in_a_process(__file__, sizes)
        print(f"{sizes}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    else:
        print(f"base: {BASE}, {EPOCHS} epochs in batches of {BATCH}, one thread")
        for name, size in BASE.items():
            show(name, [size * 2**k for k in range(3 if options.quick else 5)])


if __name__ == "__main__":
    main()
