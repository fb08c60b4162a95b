"""The same network by polytask and by skorch: fit, one row, a million rows, as ratios within one run.

    python benchmarks/speed/against_skorch.py [--rows 10000] [--columns 40] [--tasks 4] [--epochs 10] [--repeats 3]

skorch runs in an environment of its own, which the script makes with pip at first use (in the cache folder of the user); it
sees the torch and numpy of this one, so that both run the same (``--own-torch`` installs others). Same layers, loss, optimizer,
clipping, batches and epochs, no validation; equal numbers of parameters are checked, and skill on fresh rows is shown. polytask
does more in the meantime: it finds out kinds of columns and tasks, scales targets, and pads batches so that a row's prediction
does not depend on its neighbours. The two take turns, each time in a new process on one thread.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _peer_case import measure
from _peer_environment import peer_python
from _worker import in_a_process

PEER = str(Path(__file__).with_name("_skorch_peer.py"))
REQUIREMENTS = ["skorch>=1.1"]


def run_polytask(case: dict[str, Any]) -> dict[str, float]:
    """Measure polytask's own network."""
    import torch

    from polytask.estimators import MultiTaskNetwork
    from polytask.tasks import Binary, Regression

    torch.set_num_threads(1)
    tasks = [Regression(f"y{t}") if t % 2 else Binary(f"y{t}") for t in range(case["tasks"])]
    models = []

    def fit(X: np.ndarray, y: np.ndarray) -> MultiTaskNetwork:
        model = MultiTaskNetwork(
            tasks, max_epochs=case["epochs"], patience=None, validation=None, batch_size=case["batch"], random_state=0
        )
        models.append(model.fit(X, y))
        return models[-1]

    def predict(model: MultiTaskNetwork, X: np.ndarray) -> np.ndarray:
        outputs = model.outputs(X)
        return np.stack([values if values.ndim == 1 else values[:, 1] for values in outputs.values()], axis=1)

    found = measure(fit, predict, case)
    return found | {"parameters": sum(p.numel() for p in models[-1].network_.module.parameters())}


def import_seconds(python: str, statement: str) -> float:
    """Fastest of three imports in new processes."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([python, "-c", statement], check=True)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name, size in {"rows": 10_000, "columns": 40, "tasks": 4, "epochs": 10, "batch": 256}.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--predicted-rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--own-torch", action="store_true")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_polytask(options.case)))
        return
    python = peer_python("skorch", REQUIREMENTS, own_torch=options.own_torch)
    case = {name: getattr(options, name) for name in ("rows", "columns", "tasks", "epochs", "batch", "predicted_rows")}
    case["repeats"] = 200
    found: dict[str, list[dict[str, float]]] = {"polytask": [], "skorch": []}
    for repeat in range(options.repeats):
        contestants = [("polytask", __file__, sys.executable), ("skorch", PEER, python)]
        for name, script, interpreter in contestants[:: 1 if repeat % 2 else -1]:
            found[name].append(in_a_process(script, case, python=interpreter))
    sizes = {name: one[0]["parameters"] for name, one in found.items()}
    if len(set(sizes.values())) > 1:
        raise SystemExit(f"The two networks differ in their parameters: {sizes}.")
    print(f"{case}, {sizes['polytask']:,} parameters each, {options.repeats} repeats, one thread")
    print(f"{'':<30} {'polytask':>12} {'skorch':>12} {'polytask is':>12}")
    for key, what, more_is_better in (
        ("fit_seconds", "fit, seconds", False),
        ("one_row_ms", "predict one row, ms", False),
        ("rows_per_second", "predict, rows per second", True),
    ):
        ours, peer = (np.array([one[key] for one in found[name]]) for name in found)
        ratio = np.median(ours / peer if more_is_better else peer / ours)
        print(
            f"{what:<30} {np.median(ours):12,.2f} {np.median(peer):12,.2f} {ratio:10.2f}x "
            + ("faster" if ratio >= 1 else "(slower)")
        )
    skills = {name: np.median([one["skill"] for one in found[name]]) for name in found}
    print(f"{'skill on fresh rows':<30} {skills['polytask']:12.3f} {skills['skorch']:12.3f}")
    ours = import_seconds(sys.executable, "from polytask.estimators import MultiTaskNetwork")
    peer = import_seconds(python, "from skorch import NeuralNet; import sklearn.preprocessing, pandas")
    print(f"{'import, seconds':<30} {ours:12.2f} {peer:12.2f} {peer / ours:10.2f}x")


if __name__ == "__main__":
    main()
