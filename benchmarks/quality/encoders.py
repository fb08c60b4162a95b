"""Quality of the encoders and embeddings of numbers on small public tables, one joint network each, with default settings.

    python benchmarks/quality/encoders.py --data FOLDER                   # skips what results/encoders.jsonl holds already
    python benchmarks/quality/encoders.py --table                         # the table as markdown

The protocol is that of ``tabular.py``: 30 % of the rows for the test, another draw for every seed.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
from _tabular_sets import data_folder, load_set, score_task

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP, Periodic, PiecewiseLinear, ResNet

RESULTS = Path(__file__).parent / "results" / "encoders.jsonl"
SETS = ("enb", "jura", "student", "crime")
ENCODERS = {
    "MLP": MLP(),
    "MLP, periodic": MLP(embedding=Periodic()),
    "MLP, piecewise": MLP(embedding=PiecewiseLinear()),
    "ResNet": ResNet(),
    "ResNet, periodic": ResNet(embedding=Periodic()),
    "ResNet, piecewise": ResNet(embedding=PiecewiseLinear()),
}


def run(folder: Path, name: str, encoder: str, *, seed: int) -> dict[str, object]:
    """Fit one network on one set and score it: a line of the results."""
    one = load_set(folder, name, seed=seed)
    started = time.perf_counter()
    model = MultiTaskNetwork(one.tasks, encoder=ENCODERS[encoder], random_state=seed).fit(one.X, one.y, groups=one.groups)
    seconds = time.perf_counter() - started
    outputs = model.outputs(one.X_test)
    scores = [score_task(task, outputs[task.name], one.y, one.y_test) for task in model.tasks_]
    mean = float(np.mean([score for score in scores if score is not None]))
    return {"set": name, "seed": seed, "encoder": encoder, "score": round(mean, 5), "seconds": round(seconds, 2)}


def table(lines: list[dict]) -> str:
    """Mean score of every set and encoder in points, how far seeds differ, and seconds of training."""
    rows = ["| encoder | " + " | ".join(SETS) + " | seconds |", "|---|" + "---:|" * (len(SETS) + 1)]
    for encoder in ENCODERS:
        cells = []
        for name in SETS:
            scores = [100 * line["score"] for line in lines if (line["set"], line["encoder"]) == (name, encoder)]
            base = {line["seed"]: 100 * line["score"] for line in lines if (line["set"], line["encoder"]) == (name, "MLP")}
            seeds = [line["seed"] for line in lines if (line["set"], line["encoder"]) == (name, encoder)]
            gains = [score - base[seed] for score, seed in zip(scores, seeds, strict=True)]
            error = np.std(gains, ddof=1) / len(gains) ** 0.5 if len(gains) > 1 and encoder != "MLP" else None
            cells.append(f"{np.mean(scores):.1f}" + ("" if error is None else f" ({np.mean(gains):+.1f} ± {error:.1f})"))
        seconds = np.mean([line["seconds"] for line in lines if line["encoder"] == encoder])
        rows.append(f"| {encoder} | " + " | ".join(cells) + f" | {seconds:.1f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    if not args.table:
        done = {(line["set"], line["seed"], line["encoder"]) for line in lines}
        folder = data_folder(args.data)
        for seed in range(args.seeds):
            for name in SETS:
                for encoder in ENCODERS:
                    if (name, seed, encoder) in done:
                        continue
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # few labels, copies: told to users, not to a benchmark
                        line = run(folder, name, encoder, seed=seed)
                    lines.append(line)
                    with RESULTS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    print(line, flush=True)
    print(table(lines))


if __name__ == "__main__":
    main()
