"""The tables of what honesty.py measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

METHODS = ("rows and models", "rows and repeats", "rows", "Nadeau-Bengio")


def tables(results: Path, truths: Path, names: Mapping[str, Any]) -> str:
    """Make Markdown tables from the results file; scenarios in the order of ``names``."""
    totals = _totals(results)
    known = json.loads(truths.read_text()) if truths.exists() else {}
    present = [name for name in names if name in totals]
    parts = ["### Verdicts of the estimate in use (rows and models)", _verdicts(totals, known, present)]
    parts += ["### Coverage of 95% intervals, and honest width", _coverage(totals, present)]
    parts += ["### False verdicts and power of the rival estimates", _rivals(totals, present)]
    return "\n\n".join(parts)


def _totals(results: Path) -> dict[str, dict[str, dict[str, float]]]:
    totals: dict[str, dict[str, dict[str, float]]] = {}
    lines = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    for batch in {(line["scenario"], line["first_seed"]): line for line in lines}.values():
        for method, counts in batch["counts"].items():
            total = totals.setdefault(batch["scenario"], {}).setdefault(method, {})
            for key, value in counts.items():
                total[key] = total.get(key, 0.0) + value
    return totals


def _share(count: float, n: float) -> str:
    """Percent with its Clopper-Pearson 95% interval."""
    low = stats.beta.ppf(0.025, count, n - count + 1) if count > 0 else 0.0
    high = stats.beta.ppf(0.975, count + 1, n - count) if count < n else 1.0
    return f"{100 * count / n:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["--:"] * (len(head) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _verdicts(totals: dict[str, Any], known: dict[str, Any], names: list[str]) -> str:
    rows = []
    for name in names:
        c = totals[name][METHODS[0]]
        gain = np.array(known[name]["gain"])
        told = f"{100 * c['real_told'] / c['real_tasks']:.0f}" if c["real_tasks"] else "-"
        mean_told = f"{100 * c['mean_above_0'] / c['runs']:.1f}"
        spread = f"{100 * gain.mean():.2f} ({100 * gain.min():.2f} to {100 * gain.max():.2f})"
        shares = [_share(c[key], c["runs"]) for key in ("false_helped", "false_harmed", "false_equivalent")]
        rows.append([name, f"{c['runs']:.0f}", spread, *shares, told, mean_told])
    head = [
        "scenario",
        "runs",
        "true gain, points",
        "false helped % of runs",
        "false harmed % of runs",
        "false equivalent % of runs",
        "real gains told %",
        "mean told above 0 %",
    ]
    return _table(head, rows)


def _coverage(totals: dict[str, Any], names: list[str]) -> str:
    rows = []
    for name in names:
        row = [name]
        for method in METHODS:
            c = totals[name][method]
            width = np.sqrt(c["se_squared"] / c["error_squared"])
            row.append(f"{100 * c['covered'] / c['tasks']:.1f} / {100 * c['mean_covered'] / c['runs']:.1f} ({width:.2f})")
        rows.append(row)
        if name.startswith("models-"):
            shares = [100 * totals[name][method]["covered_models"] / totals[name][method]["tasks"] for method in METHODS]
            rows.append([f"{name}, gain of these very models", *(f"{share:.1f}" for share in shares)])
    return _table(["scenario", *(f"{method}: tasks / mean (SE / true SD)" for method in METHODS)], rows)


def _rivals(totals: dict[str, Any], names: list[str]) -> str:
    rows = []
    for name in names:
        row = [name]
        for method in METHODS:
            c = totals[name][method]
            wrong = 100 * (c["false_helped"] / c["runs"]), 100 * (c["false_harmed"] / c["runs"])
            told = f"{100 * c['real_told'] / c['real_tasks']:.0f}" if c["real_tasks"] else "-"
            row.append(f"{wrong[0]:.1f} / {wrong[1]:.1f} / {told}")
        rows.append(row)
    return _table(["scenario", *(f"{method}: helped / harmed falsely / told, %" for method in METHODS)], rows)
