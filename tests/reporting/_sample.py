"""Realistic results to report on, with the difficult cases: odd names, many tasks, gaps."""

import math
import random
from typing import Any

NASTY = "<script>alert('x')</script> & \"quotes\""
LONG = "a_very_long_column_name_that_somebody_exported_from_a_database_view_" * 3


def _gain(gain: float | None, se: float, verdict: str = "", *, z: float = 2.6) -> dict[str, Any]:
    if gain is None:
        return dict.fromkeys(
            ["gain", "se", "low", "high", "low_unadjusted", "high_unadjusted", "p_value", "p_adjusted", "delta"]
        ) | {
            "verdict": "none",
            "detectable": None,
            "nadeau_bengio": None,
        }
    low, high = gain - z * se, gain + z * se
    if not verdict:
        verdict = "helped" if low > 0 else "harmed" if high < 0 else "equivalent" if low > -0.01 and high < 0.01 else "undecided"
    p_value = math.erfc(abs(gain / se) / math.sqrt(2))
    return {
        "gain": gain,
        "se": se,
        "low": gain - z * se,
        "high": gain + z * se,
        "low_unadjusted": gain - 1.96 * se,
        "high_unadjusted": gain + 1.96 * se,
        "p_value": p_value,
        "p_adjusted": min(1.0, 6 * p_value),
        "verdict": verdict,
        "detectable": 3.4 * se,
        "nadeau_bengio": {"low": gain - 3.1 * se, "high": gain + 3.1 * se, "p_value": min(1.0, 4 * p_value)},
        "delta": 120 * gain,
    }


def _arm(skill: float | None, constant: float, metrics: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    folds = [[None if skill is None else skill + rng.gauss(0, 0.025) for _ in range(5)] for _ in range(5)]
    error = None if skill is None else constant * (1 - skill)
    return {"error": error, "skill": skill, "fold_skills": folds, "metrics": metrics}


def _metrics(kind: str, skill: float | None) -> dict[str, float | None]:
    if skill is None:
        return {"log_loss": 0.4, "roc_auc": None}
    if kind in ("regression", "count"):
        return {
            "rmse": 3.7 * math.sqrt(1 - skill),
            "mae": 2.9 * math.sqrt(1 - skill),
            "r2": skill,
            "relative_rmse": math.sqrt(1 - skill),
        }
    if kind == "ordinal":
        return {"quadratic_kappa": 0.3 + skill, "ordinal_mae": 0.6 - skill / 3, "accuracy": 0.5 + skill / 3}
    return {
        "accuracy": 0.7 + skill / 4,
        "balanced_accuracy": 0.62 + skill / 4,
        "f1": 0.58 + skill / 4,
        "roc_auc": 0.72 + skill / 3,
        "average_precision": 0.6 + skill / 3,
        "log_loss": 0.69 * (1 - skill),
        "brier": 0.25 * (1 - skill),
    }


def _task(
    kind: str,
    alone: float | None,
    gain: float | None,
    se: float,
    rng: random.Random,
    *,
    best_gain: float | None = None,
    n_missing: int = 0,
    **more: Any,
) -> dict[str, Any]:
    together = None if alone is None or gain is None else alone + gain
    best = None if together is None or best_gain is None else together - best_gain
    constant = {"regression": 13.7, "count": 2.2}.get(kind, 0.65)
    metric = {"regression": "mse", "count": "poisson_deviance"}.get(kind, "log_loss")
    return {
        "kind": kind,
        "metric": metric,
        "n_observed": 662 - n_missing,
        "n_missing": n_missing,
        "constant": {"error": constant},
        "arms": {
            "together": _arm(together, constant, _metrics(kind, together), rng),
            "alone": _arm(alone, constant, _metrics(kind, alone), rng),
            "best_separate": _arm(best, constant, _metrics(kind, best), rng) | {"chosen": {"LightGBM": 14, "linear": 11}},
        },
        "gains": {"alone": _gain(gain, se), "best_separate": _gain(best_gain, se * 1.2)},
        "saturated": False,
        "undefined": [],
    } | more


def _curve(start: float, end: float, epochs: int, rng: random.Random, overfit: float = 0.0) -> list[list[float]]:
    rows = []
    for epoch in range(1, epochs + 1):
        share = 1 - math.exp(-epoch / 7)
        skill = -0.1 + (end + 0.1) * share - overfit * max(0, epoch - 18) / 30 + rng.gauss(0, 0.006)
        rows.append([epoch, start * (1 - 0.75 * share * (end + 0.4)) + rng.gauss(0, 0.008), skill])
    return rows


def _split(tasks: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    parts = {}
    for name, task in tasks.items():
        share = task["n_observed"] / 5
        counts = [round(share + rng.uniform(-2, 2)) for _ in range(5)]
        if task["kind"] in ("regression", "count"):
            whole = {"n_observed": task["n_observed"], "mean": 11.4}
            folds = [{"n_observed": count, "mean": 11.4 + rng.gauss(0, 0.08)} for count in counts]
        else:
            whole = {"n_observed": task["n_observed"], "classes": {"no": task["n_observed"] - 200, "yes": 200}}
            folds = [{"n_observed": count, "classes": {"no": count - 40, "yes": 40}} for count in counts]
        parts[name] = {"whole": whole, "folds": folds, "largest_deviation": rng.uniform(0.002, 0.02)}
    return {"method": "stratified over tasks", "tasks": parts, "largest_deviation": 0.0193}


def _result(tasks: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    mean = _gain(0.021, 0.0065)
    curves = {
        arm: {
            name: _curve(
                0.9, (task["arms"][arm]["skill"] or 0.1), 34 if arm == "together" else 27, rng, 0.12 if arm == "alone" else 0.03
            )
            for name, task in tasks.items()
        }
        for arm in ("together", "alone")
    }
    return {
        "format": "polytask.comparison",
        "version": 1,
        "polytask": "0.1.0",
        "n_rows": 662,
        "n_groups": None,
        "folds": 5,
        "repeats": 5,
        "seed": 0,
        "confidence": 0.95,
        "margin": 0.01,
        "seconds": 81.2,
        "arms": {
            "together": {
                "label": "MultiTaskNetwork",
                "parameters": 24870,
                "train_seconds": 2.14,
                "latency_ms": 0.83,
                "memory_mb": 0.1,
            },
            "alone": {
                "label": "MultiTaskNetwork per task",
                "parameters": 131940,
                "train_seconds": 9.3,
                "latency_ms": 4.71,
                "memory_mb": 0.53,
            },
            "best_separate": {
                "label": "best of LightGBM, linear, network",
                "parameters": None,
                "train_seconds": 31.7,
                "latency_ms": 6.2,
                "memory_mb": 3.4,
            },
        },
        "tasks": tasks,
        "mean": {
            "skill": {"together": 0.2713, "alone": 0.2503, "best_separate": 0.2654},
            "gains": {"alone": mean | {"delta_m": 3.42}, "best_separate": _gain(0.0059, 0.0081) | {"delta_m": 0.91}},
        },
        "curves": curves,
        "split": _split(tasks, rng),
        "settings": {
            "encoder": {"kind": "MLP", "hidden": [128, 128], "dropout": 0.1},
            "sharing": {"kind": "hard"},
            "max_epochs": 200,
            "patience": 16,
            "batch_size": 128,
            "learning_rate": 0.002,
            "weight_decay": 0.0001,
        },
        "versions": {"python": "3.13.1", "torch": "2.13.0", "scikit-learn": "1.9.1", "numpy": "2.4.0", "lightgbm": "4.7.0"},
        "data": {"source": "students.csv.gz", "fingerprint": "sha256:3f2a90c17b5e", "columns": ["school", "age", "studytime"]},
        "notes": [
            "Column 'id' looks like an identifier and was not used as an input.",
            "Target 'passed': 12 cells read 'NA' were taken as missing labels.",
        ],
    }


def comparison() -> dict[str, Any]:
    """Six tasks of mixed kinds, every verdict but "none", one harmed."""
    rng = random.Random(7)
    tasks = {
        "final_grade": _task("regression", 0.412, 0.047, 0.011, rng, best_gain=0.041, n_missing=62),
        "absences": _task("count", 0.081, 0.012, 0.019, rng, best_gain=-0.028),
        "passed": _task("binary", 0.297, 0.036, 0.010, rng, best_gain=0.004, n_missing=133),
        "alcohol_weekend": _task("ordinal", 0.146, 0.001, 0.0025, rng, best_gain=-0.002),
        "reason_for_school": _task("multiclass", 0.052, -0.033, 0.009, rng, best_gain=-0.041),
        "supports": _task(
            "multilabel",
            0.219,
            0.024,
            0.017,
            rng,
            best_gain=0.011,
            n_missing=298,
            saturated=True,
            undefined=["roc_auc: only one class of label 'paid' among the held-out labels of fold 3"],
        ),
    }
    return _result(tasks, rng)


def nasty_comparison() -> dict[str, Any]:
    """Names that try to break the page, an undefined gain, an interval beyond the axis."""
    result = comparison()
    names = [NASTY, LONG, "Jitter:RAP*(%)", "Größe 身長 \u202eevil", "line\nbreak \x1b[31m\x00 \ud800", "x"]
    for part in (result["tasks"], result["split"]["tasks"], *result["curves"].values()):
        values = list(part.values())
        part.clear()
        part.update(zip(names, values, strict=True))
    result["tasks"]["x"]["gains"] = {"alone": _gain(None, 1), "best_separate": None}
    result["tasks"]["x"]["arms"]["alone"]["skill"] = None
    result["tasks"]["Jitter:RAP*(%)"]["gains"]["alone"] = _gain(-3.2, 1.1)
    result["notes"].append(f"Column {NASTY} was told.")
    result["settings"]["</style><script>"] = "</script>"
    return result


def many_tasks(n_tasks: int = 40) -> dict[str, Any]:
    """Many binary tasks."""
    rng = random.Random(3)
    tasks = {
        f"assay_{i:02d}": _task(
            "binary",
            rng.uniform(0.05, 0.4),
            rng.gauss(0.01, 0.03),
            rng.uniform(0.004, 0.03),
            rng,
            best_gain=rng.gauss(0, 0.03),
            n_missing=rng.randrange(400),
        )
        for i in range(n_tasks)
    }
    return _result(tasks, rng)


def bare_comparison() -> dict[str, Any]:
    """One task, no best separate model, one repeat and so no verdict, everything optional absent."""
    task = comparison()["tasks"]["passed"]
    task["arms"].pop("best_separate")
    task["gains"] = {"alone": _gain(0.02, 0.01, "none")}
    gain = _gain(0.02, 0.01, "none") | {"delta_m": None}
    return {
        "format": "polytask.comparison",
        "version": 1,
        "polytask": "0.1.0",
        "n_rows": 60,
        "n_groups": 12,
        "folds": 2,
        "repeats": 1,
        "seed": 3,
        "confidence": 0.95,
        "margin": 0.01,
        "seconds": 1.5,
        "arms": {},
        "tasks": {"passed": task},
        "mean": {"skill": {"together": 0.3, "alone": 0.28}, "gains": {"alone": gain}},
        "settings": {},
        "versions": {},
        "data": {},
        "notes": [],
    }


def fit_result() -> dict[str, Any]:
    """What ``polytask fit`` learned: three tasks, one left out."""
    rng = random.Random(5)

    def task(kind: str, columns: list[str], reason: str, skill: float | None, **more: Any) -> dict[str, Any]:
        validation = {"n_observed": 96, "error": 0.4, "skill": skill, "metrics": _metrics(kind, skill)}
        return {
            "kind": kind,
            "columns": columns,
            "reason": reason,
            "n_observed": 600,
            "n_missing": 62,
            "classes": None,
            "missing_texts": {},
            "validation": validation,
            "left_out": None,
        } | more

    return {
        "format": "polytask.fit",
        "version": 1,
        "polytask": "0.1.0",
        "n_rows": 662,
        "n_train": 562,
        "n_validation": 100,
        "seconds": 6.21,
        "epochs": 41,
        "best_epoch": 25,
        "steps": 205,
        "ended_by": "patience",
        "model": {"label": "MultiTaskNetwork", "parameters": 24870, "memory_mb": 0.1},
        "tasks": {
            "final_grade": task("regression", ["final_grade"], "numbers with 17 different values and decimals", 0.43),
            "passed": task(
                "binary",
                ["passed"],
                "text with two different values: no, yes",
                0.31,
                classes=["no", "yes"],
                missing_texts={"NA": 12},
            ),
            "supports": task(
                "multilabel",
                ["s_family", "s_school", "s_paid"],
                "asked for: several columns of 0 and 1",
                0.2,
                undefined=["roc_auc: only one class of 's_paid' among the validation labels"],
            ),
            "unlucky": task(
                "binary",
                ["unlucky"],
                "two values",
                None,
                n_observed=0,
                n_missing=662,
                validation=None,
                left_out="it has no labels; predicted as empty",
            ),
        },
        "inputs": [
            {"name": "age", "kind": "numeric", "reason": "numbers with 8 different values", "n_missing": 0, "n_unique": 8},
            {"name": "school", "kind": "categorical", "reason": "text with 2 different values", "n_missing": 3, "n_unique": 2},
            {
                "name": "id",
                "kind": "identifier",
                "reason": "text, different in every row: not used",
                "n_missing": 0,
                "n_unique": 662,
            },
        ],
        "curves": {
            name: _curve(0.9, end, 41, rng, 0.05) for name, end in {"final_grade": 0.43, "passed": 0.31, "supports": 0.2}.items()
        },
        "mean_skill": 0.3133,
        "settings": {"targets": ["final_grade", "passed", "supports=s_*:multilabel"], "seed": 0, "max_epochs": 200},
        "command": [
            "polytask",
            "fit",
            "students.csv.gz",
            "--target",
            "final_grade",
            "--target",
            "supports=s_*:multilabel",
            "--out",
            "model/",
        ],
        "versions": {"python": "3.13.1", "torch": "2.13.0"},
        "data": {"source": "students.csv.gz", "fingerprint": "sha256:3f2a90c17b5e"},
        "notes": ["Target 'passed': 12 cells read 'NA' were taken as missing labels."],
    }


def fit_with_test() -> dict[str, Any]:
    """A fit on a table whose split column keeps test rows apart."""
    result = fit_result()
    tasks = {
        name: {"kind": task["kind"], "n_observed": 180, "skill": skill, "metrics": _metrics(task["kind"], skill), "undefined": {}}
        for (name, task), skill in zip(result["tasks"].items(), (0.381, 0.244, None), strict=False)
    }
    tasks["supports"]["undefined"] = {"roc_auc": "only one class among the labels"}
    test = {"format": "polytask.evaluation", "version": 1, "n_rows": 200, "tasks": tasks}
    return result | {"n_rows": 862, "n_test": 200, "test": test}


def nasty_fit() -> dict[str, Any]:
    """Names that try to break the page, many columns."""
    result = fit_result()
    result["tasks"] = {NASTY: result["tasks"]["passed"], LONG: result["tasks"]["supports"]}
    result["tasks"][NASTY]["classes"] = [f"<b>{i}</b>" for i in range(40)]
    result["curves"] = {NASTY: [[1, 0.5, None], [2, math.nan, math.inf]], LONG: [[1, 0.5, 0.1]]}
    result["inputs"] = [{"name": f"{NASTY}{i}", "kind": "numeric", "reason": "numbers"} for i in range(200)]
    return result
