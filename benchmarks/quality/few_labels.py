"""How often a verdict is false where a task has few labels of one class, or few labels at all, and together gains nothing.

Two worlds without any gain. ``twins``: both arms are one recipe, ridge or logistic regression on random features, and every model
draws features of its own. ``levels``: one arm says too little everywhere and the other too much, by as much as makes their
expected errors equal (as networks do that stop early or late): which of them seems better is told by how many positives happen
to be there. Five folds by five repeats, one task. ``python benchmarks/quality/few_labels.py`` prints the table of
docs/comparison.md.
"""

import argparse

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from polytask.evaluation import LEAST_UNLIKE, LossArrays, gain_table
from polytask.tasks import unlike_rows

N_REPEATS, N_FOLDS, N_FEATURES = 5, 5, 12


def folds_of(rng, strata):
    """Folds [repeats, n] that share out the rows of each stratum evenly."""
    held = np.empty((N_REPEATS, len(strata)), dtype=int)
    for own in held:
        order = rng.permutation(len(strata))
        own[order[np.argsort(strata[order], kind="stable")]] = np.arange(len(strata)) % N_FOLDS
    return held


def logistic(features, labels, penalty=1.0):
    """Coefficients of a penalised logistic regression by Newton's method; the first feature is the intercept."""
    ridge = np.full(features.shape[1], penalty)
    ridge[0] = 1e-3
    coef = np.zeros(features.shape[1])
    coef[0] = logit((labels.sum() + 0.5) / (len(labels) + 1))
    for _ in range(6):
        p = expit(features @ coef)
        hessian = (features * (p * (1 - p))[:, None]).T @ features + np.diag(ridge)
        coef = coef - np.linalg.solve(hessian, features.T @ (p - labels) + ridge * coef)
    return coef


def log_losses(labels, p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.where(labels == 1, np.log(p), np.log(1 - p))


def twins(rng, n, expected, *, classes):
    """Losses [2 arms, repeats, n], those of the constant, and folds."""
    X = rng.normal(size=(n, 3))
    signal = X[:, 0] + 0.5 * np.sin(2 * X[:, 1])
    if classes:
        base = brentq(lambda b: expit(b + signal).mean() - expected / n, -30, 10)
        labels = (rng.random(n) < expit(base + signal)).astype(float)
    else:
        labels = signal + rng.normal(size=n)
    held = folds_of(rng, labels if classes else np.zeros(n))
    losses, constant = np.empty((2, N_REPEATS, n)), np.empty((N_REPEATS, n))
    for r in range(N_REPEATS):
        for f in range(N_FOLDS):
            out, train = held[r] == f, held[r] != f
            mean = labels[train].mean()
            if classes:
                constant[r, out] = log_losses(labels[out], (labels[train].sum() + 0.5) / (train.sum() + 1))
            else:
                constant[r, out] = (labels[out] - mean) ** 2
            for arm in range(2):
                features = np.tanh(X @ rng.normal(size=(3, N_FEATURES)) + rng.normal(size=N_FEATURES))
                features = np.concatenate([np.ones((n, 1)), features], axis=1)
                if classes:
                    losses[arm, r, out] = log_losses(labels[out], expit(features[out] @ logistic(features[train], labels[train])))
                    continue
                design, wanted = features[train], labels[train] - mean
                coef = np.linalg.solve(design.T @ design + np.eye(N_FEATURES + 1), design.T @ wanted)
                losses[arm, r, out] = (labels[out] - mean - features[out] @ coef) ** 2
    return losses, constant, held, labels


def levels(rng, n, expected, *, classes):
    """As twins; probabilities too small in the first arm and too large in the second, of equal expected loss."""
    true = expected / n

    def loss(p):
        return -true * np.log(p) - (1 - true) * np.log(1 - p)

    low = expit(logit(true) - 0.5)
    high = brentq(lambda p: loss(p) - loss(low), true, min(0.99, 20 * true))
    labels = (rng.random(n) < true).astype(float)
    held = folds_of(rng, labels)
    noise = 0.1 * rng.normal(size=(2, N_REPEATS, N_FOLDS))
    losses = np.stack(
        [
            log_losses(labels, expit(logit(p) + np.take_along_axis(own, held, axis=1)))
            for p, own in zip((low, high), noise, strict=True)
        ]
    )
    constant = log_losses(labels, np.full((N_REPEATS, n), (labels.sum() + 0.5) / (n + 1)))
    return losses, constant, held, labels


def rates(world, n, expected, runs, *, classes=True, seed=0):
    """Shares of data sets: interval without 0 (the true gain), falsely helped and harmed, both with the rule, too few labels."""
    rng = np.random.default_rng([seed, n, expected, classes, len(world.__name__)])
    found = []
    for _ in range(runs):
        losses, constant, held, labels = world(rng, n, expected, classes=classes)
        table = gain_table({"task": LossArrays(*losses, constant)}, fold=held)
        task, enough = table.tasks["task"], unlike_rows(labels[:, None]).sum() >= LEAST_UNLIKE
        wrong = task["gain"] is not None and not task["low"] <= 0 <= task["high"]
        said = [task["verdict"] == "helped", task["verdict"] == "harmed"]
        found.append([wrong, *said, *(own and enough for own in said), not enough])
    return np.mean(found, axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    header = "interval without 0 % | helped % | harmed % | with the rule: helped % | harmed % | too few %"
    print(f"| world | rows | expected positives | {header} |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    cases = [(world, n, k, True) for world, n in ((twins, 300), (levels, 300), (levels, 2000)) for k in (2, 5, 10, 20, 40)]
    cases += [(twins, n, n, False) for n in (6, 10, 20, 40)]
    for world, n, expected, classes in cases:
        found = 100 * rates(world, n, expected, runs if world is levels else runs // 2, classes=classes)
        name, count = (world.__name__, expected) if classes else (f"{world.__name__}, numbers", "-")
        print(f"| {name} | {n} | {count} | " + " | ".join(f"{value:.1f}" for value in found) + " |", flush=True)
