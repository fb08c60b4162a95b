"""Losses for numbers beside squared error: log-cosh and others with outliers, and a Gaussian with a variance for every row.

    python benchmarks/quality/number_losses.py --data FOLDER                 # adds to results/number_losses.jsonl; goes on
    python benchmarks/quality/number_losses.py --table                       # what was found, as markdown
    python benchmarks/quality/number_losses.py --write                       # the same into docs/losses.md

FOLDER is that of tabular.py, or $POLYTASK_DATA. One network learns all numbers of a set together; only their loss differs
between arms, and settings are defaults in all. A seed draws test rows (30 %), 20 % of the others that no network learns from,
and the network; sets have 3,000 rows at most. In a second run 5 % of the training labels of each task are moved by ten standard
deviations, up or down. Told are, on test rows and as means over tasks: RMSE and MAE as shares of those of the training mean and
median; and, for `mse` and `gaussian`, the negative log-likelihood of a normal distribution, in units in which the training labels
have spread 1, and how often an interval of 90 % holds the label. The variance of `mse` is one number per task, its mean squared
error on the rows that were kept apart; `gaussian` does without them, as the rows that stop training stretch its deviations.
Differences are from `mse` in the same seed, on the mean over seeds with the 95 % interval by Student's t over seeds.
"""

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import numpy as np
import torch
from _command import append, check_folder, check_names, options_of, write_page
from _tabular_sets import BenchmarkSet, data_folder, load_set
from _tabular_table import read_results
from metric_losses import cell
from scipy.stats import norm

from polytask.estimators import MultiTaskNetwork, standard_deviations
from polytask.tasks import Regression

RESULTS = Path(__file__).parent / "results" / "number_losses.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "losses.md"
MARKS = "<!-- number losses: start -->", "<!-- number losses: end -->"
SETS = ("crime", "enb", "jura", "student", "support2")
LOSSES = ("mse", "mae", "huber", "log_cosh", "gaussian")
METRICS = {"rmse": "RMSE", "mae": "MAE", "nll": "NLL", "covered": "in 90 %", "mae_outliers": "MAE, outliers"}
MOST_ROWS, OUTLIERS, FAR = 3000, 0.05, 10.0


def fit_and_score(one: BenchmarkSet, loss: str, *, seed: int, has_outliers: bool) -> dict[str, float]:
    """Metrics on test rows, means over tasks."""
    draw, names = np.random.default_rng(seed), [name for name, kind in one.kinds.items() if kind == "regression"]
    order = draw.permutation(len(one.y))[:MOST_ROWS]
    apart, rows = order[: len(order) // 5], order[len(order) // 5 :]
    y, clean = one.y[names].iloc[rows].astype(float), one.y[names].iloc[rows].astype(float)
    if has_outliers:
        moved = draw.uniform(size=y.shape) < OUTLIERS
        y = y + moved * draw.choice([-FAR, FAR], size=y.shape) * clean.std().to_numpy()
    model = MultiTaskNetwork([Regression(name, loss=loss) for name in names], random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few labels: told to users, not to a benchmark
        model.fit(one.X.iloc[rows], y)
    held, errors = model.predict(one.X_test), model.predict(one.X.iloc[apart]) - one.y[names].iloc[apart]
    spread = standard_deviations(model, one.X_test) if loss == "gaussian" else None
    found = []
    for name in names:
        seen = one.y_test[name].notna().to_numpy()
        target, mean = one.y_test[name].to_numpy(dtype=float)[seen], held[name].to_numpy()[seen]
        far = target - mean
        scores = {
            "rmse": float(np.sqrt(np.mean(far**2) / np.mean((target - clean[name].mean()) ** 2))),
            "mae": float(np.mean(np.abs(far)) / np.mean(np.abs(target - clean[name].median()))),
        }
        if loss in ("mse", "gaussian"):
            sure = float(np.sqrt(np.nanmean(errors[name] ** 2))) if spread is None else spread[name].to_numpy()[seen]
            scores["nll"] = float(-np.mean(norm.logpdf(target, mean, sure)) - np.log(clean[name].std()))
            scores["covered"] = float(np.mean(np.abs(far) <= norm.ppf(0.95) * sure))
        found.append(scores)
    return {metric: round(float(np.mean([own[metric] for own in found])), 5) for metric in found[0]}


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet, seed by seed, so that any stop leaves a fair table."""
    done = {(line["set"], line["seed"], line["loss"], line["outliers"]) for line in read_results(args.results)}
    for seed, name in ((seed, name) for seed in args.seeds for name in args.sets):
        one = load_set(folder, name, seed=seed)
        for loss, has_outliers in ((loss, has_outliers) for loss in LOSSES for has_outliers in (False, True)):
            if (name, seed, loss, has_outliers) in done:
                continue
            scores = fit_and_score(one, loss, seed=seed, has_outliers=has_outliers)
            append(args.results, {"set": name, "seed": seed, "loss": loss, "outliers": has_outliers, "scores": scores})
            print(f"{name:<10} seed {seed} {loss:<9} {'outliers' if has_outliers else '':<9} MAE {scores['mae']:.3f}", flush=True)


def table(lines: list[dict[str, Any]]) -> str:
    """Per set and loss: what `mse` has, and what the others have more."""
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for line in lines:
        own = found.setdefault((line["set"], line["loss"], line["seed"]), {})
        own |= {"mae_outliers": line["scores"]["mae"]} if line["outliers"] else line["scores"]
    text = []
    for name in dict.fromkeys(line["set"] for line in lines):
        seeds = sorted({seed for own, _, seed in found if own == name})
        text += [f"**{name}** ({len(seeds)} seeds)", "", "| loss | " + " | ".join(METRICS.values()) + " |"]
        text += ["|---" * (len(METRICS) + 1) + "|"]
        for loss in LOSSES:
            cells = []
            for metric in METRICS:
                pairs = [[found.get((name, own, seed), {}).get(metric) for own in (loss, "mse")] for seed in seeds]
                values = [own - (base if loss != "mse" else 0.0) for own, base in pairs if None not in (own, base)]
                cells.append(cell(values, is_base=loss == "mse"))
            text.append(f"| `{loss}` | " + " | ".join(cells) + " |")
        text.append("")
    return "\n".join(text).rstrip()


def main() -> None:
    """See the top of the file."""
    parser = options_of(__doc__, sets=SETS, seeds=range(6), results=RESULTS)
    args = parser.parse_args()
    check_names(parser, "set", args.sets, SETS)
    torch.set_num_threads(1)
    folder = data_folder(args.data)
    if not (args.table or args.write):
        if not check_folder(parser, folder):
            return
        assert folder is not None
        run_all(folder, args)
    text = table(read_results(args.results))
    write_page(PAGE, text, marks=MARKS) if args.write else print(text)


if __name__ == "__main__":
    main()
