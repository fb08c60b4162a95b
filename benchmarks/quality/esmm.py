"""Does ESMM predict a child better over all rows than what learns it from the rows where its parent is "yes"? A simulation.

Rows are drawn with known probabilities of a click and of a purchase after it, of which the first depends on some inputs more than
the second, so that rows with a click are a selection of all. Four arms with the same rows, seeds and settings: the child alone
(rows with a click), hard sharing, a network with an encoder per task, and ESMM over hard sharing. On new rows of the whole
population, clicked or not, it tells how far p(purchase | click) is from the true one (Kullback-Leibler divergence, in
thousandths), its AUC by labels drawn for all of them, and the divergence of p(click and purchase). ``results/esmm.json``.

    python benchmarks/quality/esmm.py --seeds 10
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from polytask.estimators import MultiTaskNetwork
from polytask.networks import ESMM

N_ROWS, N_TEST, N_INPUTS = 8_000, 20_000, 12
ARMS = {
    "alone": None,
    "hard": "hard",
    "none": "none",
    "esmm": ESMM("click", "buy"),
    "esmm none": ESMM("click", "buy", sharing="none"),
}
SCENARIOS = {  # logit of a click, strength of what clicks and purchases both depend on
    "clicks in 1 of 4, selected": (-1.6, 1.5),
    "clicks in 1 of 20, selected": (-4.2, 1.5),
    "clicks in 1 of 20, at random": (-3.0, 0.0),
}


def draw(n: int, rng: np.random.Generator, *, level: float, selection: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Inputs, and the true probabilities of a click and of a purchase after one."""
    X = rng.normal(size=(n, N_INPUTS))
    shared = X[:, 0] * X[:, 1] + X[:, 2]
    click = level + selection * shared + 0.3 * np.sin(2 * X[:, 3])
    buy = -0.7 + shared * (selection > 0) + np.abs(X[:, 4]) - 0.8 * X[:, 5]
    inputs = pd.DataFrame(X, columns=[f"x{k}" for k in range(N_INPUTS)])
    return inputs, 1 / (1 + np.exp(-click)), 1 / (1 + np.exp(-buy))


def divergence(true: np.ndarray, found: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of predicted probabilities from true ones, in thousandths."""
    found = np.clip(found, 1e-7, 1 - 1e-7)
    return 1000 * float(np.mean(true * np.log(true / found) + (1 - true) * np.log((1 - true) / (1 - found))))


def run(scenario: str, seed: int) -> dict[str, dict[str, float]]:
    """Scores of every arm."""
    level, selection = SCENARIOS[scenario]
    rng = np.random.default_rng(seed)
    X, p_click, p_buy = draw(N_ROWS, rng, level=level, selection=selection)
    click = rng.random(N_ROWS) < p_click
    y = pd.DataFrame({"click": click.astype(int), "buy": np.where(click, rng.random(N_ROWS) < p_buy, np.nan)})
    X_new, new_click, new_buy = draw(N_TEST, rng, level=level, selection=selection)
    labels = rng.random(N_TEST) < new_buy
    found = {}
    for name, sharing in ARMS.items():
        own = y[["buy"]] if sharing is None else y
        rows = y["buy"].notna() if sharing is None else slice(None)
        outputs = MultiTaskNetwork(sharing=sharing, random_state=seed).fit(X[rows], own[rows]).outputs(X_new)
        child = outputs["buy"][:, 1]
        found[name] = {"divergence": divergence(new_buy, child), "auc": float(roc_auc_score(labels, child))}
        if "click" in outputs:
            found[name]["divergence_of_both"] = divergence(new_click * new_buy, outputs["click"][:, 1] * child)
    return found


def summary(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, list[float]]]:
    """Mean over seeds of every score, and of its difference to ESMM's with the standard error of that."""
    found: dict[str, dict[str, list[float]]] = {}
    for arm in runs[0]:
        found[arm] = {}
        for score in runs[0][arm]:
            values = np.array([own[arm][score] for own in runs])
            less = values - np.array([own["esmm"][score] for own in runs])
            found[arm][score] = [
                round(float(own), 4) for own in (values.mean(), less.mean(), less.std(ddof=1) / len(runs) ** 0.5)
            ]
    return found


def main() -> None:
    """Run all scenarios, and write what was found after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    place = Path(__file__).parent / "results" / "esmm.json"
    results = {}
    for scenario in SCENARIOS:
        results[scenario] = {"seeds": len(seeds), "arms": summary([run(scenario, seed) for seed in seeds])}
        print(scenario, json.dumps(results[scenario]["arms"]), flush=True)
        place.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
