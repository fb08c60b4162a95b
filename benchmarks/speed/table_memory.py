"""Peak memory of reading and learning from a table, against the size of its data.

A table of numbers, whole numbers, categories, dates and truth values, with a share of cells empty and two targets, is written to
a file part by part. Then each step runs in a process of its own, which tells the most memory it ever held, less what it held
after the imports:

- ``read``: the file to a frame;
- ``arrays``: the frame to the arrays that all models learn from;
- ``network``: a network trained for a few steps on them;
- ``trees``: LightGBM for each target.

Data is rows x columns x 8 bytes. Memory grows no faster than the data if the last column does not rise from table to table.

    python benchmarks/speed/table_memory.py [--rows 100000 300000 1000000] [--columns 100] [--format csv parquet]
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

STEPS = ("read", "arrays", "network", "trees")
TARGETS = ("price", "sold")
PART = 50_000  # rows written at a time


def columns_of(n: int, n_columns: int, rng: np.random.Generator) -> dict[str, object]:
    """One part of the table: of ten columns seven numbers, one whole number, one category and one date or truth value."""
    found: dict[str, object] = {}
    for k in range(n_columns):
        kind = k % 10
        if kind < 7:
            values = rng.normal(size=n).round(4)
            values[rng.random(n) < 0.05] = np.nan
            found[f"number{k}"] = values
        elif kind == 7:
            found[f"whole{k}"] = rng.integers(0, 10_000, n)
        elif kind == 8:
            found[f"category{k}"] = np.array([f"level {j}" for j in range(20)], dtype=object)[rng.integers(0, 20, n)]
        elif k % 20 == 9:
            found[f"date{k}"] = np.datetime64("2020-01-01") + rng.integers(0, 1000, n).astype("timedelta64[D]")
        else:
            found[f"flag{k}"] = rng.random(n) < 0.3
    first = np.nan_to_num(np.asarray(found["number0"], dtype=float))
    found["price"] = (first + rng.normal(size=n)).round(3)
    found["sold"] = np.where(first + rng.normal(size=n) > 0, "yes", "no")
    return found


def write(path: Path, n_rows: int, n_columns: int) -> None:
    """Write the table part by part, so that this process stays small."""

    def parts() -> Iterator[pa.Table]:
        rng = np.random.default_rng(0)
        for start in range(0, n_rows, PART):
            frame = pd.DataFrame(columns_of(min(PART, n_rows - start), n_columns, rng))
            yield pa.Table.from_pandas(frame, preserve_index=False)

    writer: object = None
    for part in parts():
        if path.suffix == ".parquet":
            writer = writer or pyarrow.parquet.ParquetWriter(path, part.schema)
        else:
            writer = writer or pyarrow.csv.CSVWriter(path, part.schema)
        writer.write(part)  # type: ignore[attr-defined]
    writer.close()  # type: ignore[attr-defined]


def run_step(step: str, path: Path) -> tuple[float, float]:
    """Do one step and those before it; seconds of this step, and bytes held at most, less the imports."""
    import lightgbm  # noqa: F401
    import torch

    from polytask.data import TableCodec, read_table
    from polytask.estimators import MultiTaskNetwork, PerTaskEstimator, boosted_trees

    torch.set_num_threads(1)
    before = _peak()
    start = time.perf_counter()
    frame = read_table(path).frame
    if step == "read":
        return time.perf_counter() - start, _peak() - before
    y = frame[list(TARGETS)]
    X = frame.drop(columns=list(TARGETS))
    del frame
    start = time.perf_counter()
    if step == "arrays":
        codec = TableCodec.fit(X)
        arrays = codec.transform(X)
        assert arrays.numeric.shape[0] == len(X)
    elif step == "network":
        MultiTaskNetwork(max_steps=50, random_state=0).fit(X, y)
    else:
        PerTaskEstimator(boosted_trees(n_estimators=5)).fit(X, y)
    return time.perf_counter() - start, _peak() - before


def _peak() -> float:
    """Most bytes that this process ever held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def main() -> None:
    """Write the tables, run the steps, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--format", nargs="+", default=["csv", "parquet"], choices=["csv", "parquet"])
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        seconds, peak = run_step(options.step, options.path)
        print(seconds, peak)
        return
    print(f"{'format':8} {'rows':>9} {'data MB':>8} {'file MB':>8} {'step':8} {'seconds':>8} {'peak MB':>8} {'peak/data':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.format:
            for n_rows in options.rows:
                path = Path(folder) / f"{n_rows}.{kind}"
                write(path, n_rows, options.columns)
                data, size = n_rows * (options.columns + 2) * 8, path.stat().st_size
                for step in STEPS:
                    if kind != options.format[0] and step not in ("read", "network"):
                        continue
                    command = [sys.executable, __file__, "--step", step, "--path", str(path)]
                    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
                    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
                    seconds, peak = float(out[-2]), float(out[-1])
                    print(
                        f"{kind:8} {n_rows:9,} {data / 1e6:8.0f} {size / 1e6:8.0f} {step:8} {seconds:8.1f} {peak / 1e6:8.0f} "
                        f"{peak / data:9.2f}",
                        flush=True,
                    )
                path.unlink()


if __name__ == "__main__":
    main()
