"""Does a loss made for a metric improve it? AUC, average precision and F1 of rare classes, against cross-entropy.

    python benchmarks/quality/metric_losses.py --data FOLDER                 # adds to results/metric_losses.jsonl; goes on
    python benchmarks/quality/metric_losses.py --data FOLDER --sets myocardial --losses auc,soft_f1_macro --seeds 0,1
    python benchmarks/quality/metric_losses.py --table                       # what was found, as markdown
    python benchmarks/quality/metric_losses.py --write                       # the same into docs/losses.md

FOLDER is that of tabular.py, or $POLYTASK_DATA. One network learns all binary tasks of a set together; only their loss differs
between arms, and settings are defaults in all. A seed draws test rows (30 %), the rows that stop training, and the network. Told
is the mean over tasks of a metric on test rows, less that of cross-entropy in the same seed, on the mean over seeds with the 95 %
interval by Student's t over seeds: of these tables, not of other data. F1 is of the positive class where its probability is above
a half; "F1, tuned" where it is above the threshold that makes F1 highest on training rows, which any loss can have. "Micro F1" is
of all tasks together. In arms that begin with "tags" the tasks are the tags of one multilabel task, which is what micro means.
"""

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
import pandas as pd
import torch
from _command import append, write_page
from _tabular_sets import BenchmarkSet, data_folder, load_set
from _tabular_table import read_results
from scipy.stats import t as student
from sklearn.metrics import average_precision_score, f1_score, log_loss, precision_recall_curve, roc_auc_score

from polytask.estimators import MultiTaskNetwork
from polytask.tasks import Binary, Multilabel

RESULTS = Path(__file__).parent / "results" / "metric_losses.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "losses.md"
MARKS = "<!-- metric losses: start -->", "<!-- metric losses: end -->"
SETS = ("ai4i2020", "myocardial", "tox21")
BASE = "cross_entropy"
LOSSES: dict[str, dict[str, Any]] = {
    BASE: {},
    "cross_entropy, balanced": {"class_weight": "balanced"},
    "focal": {"loss": "focal"},
    "asymmetric_focal": {"loss": "asymmetric_focal"},
    "class_balanced_focal": {"loss": "class_balanced_focal"},
    "auc": {"loss": "auc"},
    "aucm": {"loss": "aucm"},
    "average_precision": {"loss": "average_precision"},
    "soft_f1_macro": {"loss": "soft_f1_macro"},
    "tags: cross_entropy": {},
    "tags: soft_f1_macro": {"loss": "soft_f1_macro"},
    "tags: soft_f1_micro": {"loss": "soft_f1_micro"},
}
METRICS = {
    "roc_auc": "AUC",
    "average_precision": "average precision",
    "f1": "F1",
    "f1_micro": "micro F1",
    "f1_tuned": "F1, tuned",
    "log_loss": "log loss",
}


def fit_and_score(one: BenchmarkSet, loss: str, *, seed: int, **settings: Any) -> dict[str, Any]:
    """Metrics per task on test rows of a network that minimises a loss in all tasks."""
    names = [name for name, kind in one.kinds.items() if kind == "binary" and one.y[name].nunique() == 2]
    coder = [Binary(name).fit(one.y) for name in names]
    own, target = (pd.DataFrame({task.name: task.encode(y)[:, 0] for task in coder}, y.index) for y in (one.y, one.y_test))
    settled = LOSSES[loss]
    tasks = [Multilabel("tags", tuple(names), **settled)] if is_tags(loss) else [Binary(name, **settled) for name in names]
    model = MultiTaskNetwork(tasks, random_state=seed, **settings)
    started = time.process_time()
    model.fit(one.X, own if is_tags(loss) else one.y[names])
    seconds = time.process_time() - started
    seen, held = (probabilities(model, X) for X in (one.X, one.X_test))
    scores = {
        name: task_scores(target[name].to_numpy(), held[:, k], own[name].to_numpy(), seen[:, k]) for k, name in enumerate(names)
    }
    shown = target.notna().to_numpy()
    micro = float(f1_score(target.to_numpy()[shown], held[shown] > 0.5))
    epochs = len(model.network_.curves["train"])
    return {"scores": scores, "f1_micro": micro, "cpu_seconds": round(seconds, 2), "epochs": epochs}


def is_tags(loss: str) -> bool:
    """Whether the tasks are tags of one."""
    return loss.startswith("tags")


def probabilities(model: MultiTaskNetwork, X: pd.DataFrame) -> np.ndarray:
    """Of the positive class of each task, or of each tag of the only task."""
    outputs = model.outputs(X)
    return outputs["tags"] if "tags" in outputs else np.column_stack([own[:, 1] for own in outputs.values()])


def task_scores(target: np.ndarray, p: np.ndarray, own: np.ndarray, p_own: np.ndarray) -> dict[str, float] | None:
    """Metrics of probabilities of test rows, with a threshold from training rows; None where the test rows have one class."""
    seen = ~np.isnan(target)
    target, p = target[seen], np.clip(p[seen], 1e-6, 1 - 1e-6)
    if not 0 < target.sum() < len(target):
        return None
    return {
        "roc_auc": float(roc_auc_score(target, p)),
        "average_precision": float(average_precision_score(target, p)),
        "f1": float(f1_score(target, p > 0.5)),
        "f1_tuned": float(f1_score(target, p >= best_threshold(own[~np.isnan(own)], p_own[~np.isnan(own)]))),
        "log_loss": float(log_loss(target, p)),
    }


def best_threshold(target: np.ndarray, p: np.ndarray) -> float:
    """The threshold with the highest F1."""
    precision, recall, thresholds = precision_recall_curve(target, p)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[np.argmax(f1[:-1])])


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet, seed by seed, so that any stop leaves a fair table."""
    done = {(line["set"], line["seed"], line["loss"]) for line in read_results(args.results)}
    for seed, name in ((seed, name) for seed in args.seeds for name in args.sets):
        left = [loss for loss in args.losses if (name, seed, loss) not in done]
        one = load_set(folder, name, seed=seed) if left else None
        for loss in left:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # few labels of a class: told to users, not to a benchmark
                assert one is not None
                line = fit_and_score(one, loss, seed=seed, max_epochs=args.epochs)
            append(args.results, {"set": name, "seed": seed, "loss": loss, **line})
            print(f"{name:<12} seed {seed} {loss:<24} {_mean(line, 'roc_auc'):.4f} {line['cpu_seconds']:6.1f} s", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """Per set and loss: mean metrics of cross-entropy, and what the others have more."""
    text = []
    for name in dict.fromkeys(line["set"] for line in lines):
        own = {(line["loss"], line["seed"]): line for line in lines if line["set"] == name}
        seeds = sorted({seed for loss, seed in own if loss == BASE})
        n_tasks = len(own[BASE, seeds[0]]["scores"])
        text += [f"**{name}** ({n_tasks} tasks, {len(seeds)} seeds)", ""]
        text += ["| loss | " + " | ".join(METRICS.values()) + " |", "|---" * (len(METRICS) + 1) + "|"]
        for loss in [loss for loss in LOSSES if any((loss, seed) in own for seed in seeds)]:
            cells = []
            for metric in METRICS:
                both = [seed for seed in seeds if all(_has(own, arm, seed, metric) for arm in (loss, base_of(loss)))]
                cells.append(cell([_difference(own, loss, seed, metric) for seed in both], is_base=loss == base_of(loss)))
            text.append(f"| `{loss}` | " + " | ".join(cells) + " |")
        text.append("")
    return "\n".join(text).rstrip()


def base_of(loss: str) -> str:
    """The loss that another is compared with."""
    return f"tags: {BASE}" if is_tags(loss) else BASE


def _has(own: dict[tuple[str, int], dict[str, Any]], loss: str, seed: int, metric: str) -> bool:
    return (loss, seed) in own and (metric != "f1_micro" or metric in own[loss, seed])


def _difference(own: dict[tuple[str, int], dict[str, Any]], loss: str, seed: int, metric: str) -> float:
    base = base_of(loss)
    return _mean(own[loss, seed], metric) - (0.0 if loss == base else _mean(own[base, seed], metric))


def _mean(line: dict[str, Any], metric: str) -> float:
    if metric in line:  # of all tasks together
        return float(line[metric])
    return float(np.mean([scores[metric] for scores in line["scores"].values() if scores is not None]))


def cell(values: list[float], *, is_base: bool) -> str:
    """Mean with its interval, bold where that leaves out 0; of the base the mean."""
    if not values:
        return ""
    mean = float(np.mean(values))
    if is_base:
        return f"{mean:.3f}"
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    shown = f"{mean:+.3f} ± {half:.3f}" if np.isfinite(half) else f"{mean:+.3f}"
    return f"**{shown}**" if abs(mean) > half else shown


def _listed(known: Any) -> Any:
    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")] if not isinstance(text, list) else text
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"must be among {', '.join(known)}; got {unknown[0]!r}")
        return names

    return read


def main() -> None:
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--sets", type=_listed(SETS), default=list(SETS))
    parser.add_argument("--losses", type=_listed(LOSSES), default=list(LOSSES))
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=list(range(8)))
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not (args.table or args.write):
        folder = data_folder(args.data)
        if folder is None:
            parser.error("give the folder of the data sets: --data FOLDER, or set POLYTASK_DATA")
        run_all(folder, args)
    text = table(read_results(args.results))
    write_page(PAGE, text, marks=MARKS) if args.write else print(text)


if __name__ == "__main__":
    main()
