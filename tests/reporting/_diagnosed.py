"""Results with diagnostics of every kind, and with learning curves over the number of labels."""

import copy
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from polytask.evaluation import Slices, diagnose
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression
from tests.reporting._sample import LONG, NASTY, comparison, fit_result

N = 500


@cache
def _diagnostics() -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    y = pd.DataFrame(
        {
            "final_grade": np.exp(x) * 1000,
            "absences": rng.negative_binomial(2, 0.4, N),
            "passed": np.where(rng.random(N) < 1 / (1 + np.exp(-x)), "yes", NASTY),
            "alcohol_weekend": np.clip(np.round(2 + x), 0, 4).astype(int),
            "reason_for_school": rng.choice(["course", NASTY, LONG], N),
            "paid": rng.integers(0, 2, N).astype(float),
            "extra": (rng.random(N) < 0.4).astype(float),
        }
    )
    inputs = pd.DataFrame({"x": x, NASTY: rng.choice([NASTY, LONG, "b"], N), "day": pd.date_range("2020-01-01", periods=N)})
    slices, groups = Slices.of_table(inputs), np.where(np.arange(N) < 300, NASTY, np.arange(N) // 5)
    p = 1 / (1 + np.exp(-2 * x))
    outputs = {
        "final_grade": np.exp(0.8 * x) * 1000,
        "absences": np.full(N, 3.0) * np.exp(0.1 * x),
        "passed": np.stack([1 - p, p], axis=1),
        "alcohol_weekend": rng.dirichlet(np.ones(5), N),
        "reason_for_school": rng.dirichlet(np.ones(3), N),
        "supports": rng.random((N, 2)),
    }
    declared = [
        Regression("final_grade"), Count("absences"), Binary("passed"), Ordinal("alcohol_weekend"),
        Multiclass("reason_for_school"), Multilabel("supports", ("paid", "extra")),
    ]  # fmt: skip
    found = {}
    for own in declared:
        task = own.fit(y)
        found[own.name] = diagnose(task, outputs[own.name], task.encode(y), inputs=slices, groups=groups, rows="held-out")
    return found


def label_curve(*, with_gain: bool = True) -> dict[str, Any]:
    """Sharing pays with few labels for the first task, never for the second."""

    def arm(skills: list[float]) -> dict[str, list[float]]:
        return {"skill": skills, "low": [s - 0.03 for s in skills], "high": [s + 0.03 for s in skills]}

    def entry(together: list[float], alone: list[float]) -> dict[str, Any]:
        gain = [a - b for a, b in zip(together, alone, strict=True)]
        ends = {"low": [g - 0.04 for g in gain], "high": [g + 0.04 for g in gain]}
        verdicts = ["undecided" if abs(g) <= 0.04 else "helped" if g > 0 else "harmed" for g in gain]
        told = {"gain": gain, **ends, "verdict": verdicts, "reason": [None] * len(gain)}
        return {"together": arm(together), "alone": arm(alone)} | ({"gain": told} if with_gain else {})

    first, second = entry([0.2, 0.3, 0.35], [0.05, 0.25, 0.35]), entry([0.1, 0.2, 0.2], [0.1, 0.2, 0.3])
    tasks = {"final_grade": {"n_labels": [53, 132, 528], **first}, NASTY: {"n_labels": [53, 132, 528], **second}}
    about = {"confidence": 0.95, "repeats": 3, "comparison": {"share": 1.0, "repeats": 5}}
    return {"shares": [0.1, 0.25, 1.0], "tasks": tasks, "mean": first, **about}


def diagnosed_comparison() -> dict[str, Any]:
    """A comparison whose tasks all have diagnostics."""
    result = comparison()
    for name, found in copy.deepcopy(_diagnostics()).items():
        result["tasks"][name]["diagnostics"] = found
    return result | {"learning_curve": label_curve()}


def diagnosed_fit() -> dict[str, Any]:
    """A fit whose tasks have diagnostics of validation rows."""
    result = fit_result()
    for name in ("final_grade", "passed", "supports"):
        result["tasks"][name]["diagnostics"] = copy.deepcopy(_diagnostics()[name]) | {"rows": "validation"}
    return result


def gappy_comparison() -> dict[str, Any]:
    """Diagnostics in which everything that may be undefined is, of a newer version that has more parts."""
    result = diagnosed_comparison()

    def emptied(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: emptied(own, k) for k, own in value.items()}
        if key in (
            "slope",
            "intercept",
            "trend",
            "auc",
            "average_precision",
            "roc",
            "precision_recall",
            "skill",
            "bias",
            "visible",
        ):
            return None
        return value

    for task in result["tasks"].values():
        task["diagnostics"]["parts"] = emptied(task["diagnostics"]["parts"]) | {"of a later version": {"x": 1}}
        for key in ("classes", "tags", "levels", "cuts"):
            for part in task["diagnostics"]["parts"].values():
                if isinstance(part.get(key), list):
                    part[key] = [emptied(entry) for entry in part[key]]
        task["diagnostics"]["by_column"] = emptied(task["diagnostics"]["by_column"])
        task["diagnostics"]["by_group"] = None
    return result
