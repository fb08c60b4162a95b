"""Is the comparison honest? False verdicts, power and coverage where the true gain is known.

    python benchmarks/quality/honesty.py --scenario all --runs 1000     # adds runs to results/honesty.jsonl; skips what is done
    python benchmarks/quality/honesty.py --table                        # the measured tables, as in docs/comparison.md

Each line of the results file holds the counts of a batch of runs; stopping and starting again changes nothing in it.
The true gain is the expectation over data sets: of training sets of the size a fold trains on, and of fresh rows.
"""

import argparse
import json
import time
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from _honesty_scenarios import SCENARIOS, Scenario
from _honesty_tables import tables
from _honesty_worlds import Data, World, draw, functions, true_gain
from scipy import stats

from polytask.evaluation import Gain, auc_row_losses, mean_gain, simultaneous_intervals, task_gain, verdict

FOLDS, REPEATS, BATCH = 5, 5, 100
SLOW_BATCH = 10  # of polytask networks
RESULTS = Path(__file__).parent / "results"


def held_out_gains(scenario: Scenario, seed: int) -> tuple[list[Gain], Gain, np.ndarray]:
    """Draw a data set, cross-validate both arms with fresh seeds everywhere: (gains of tasks, their mean, true gains).

    The last, [T], is what these very models gain on fresh rows, where the scenario asks for it.
    """
    world = scenario.world
    rng = np.random.default_rng([zlib.crc32(scenario.name.encode()), seed])
    data = draw(world, world.n_rows, rng)
    fresh = draw(world, 1000 if scenario.these_models else 0, rng)
    both = Data(np.concatenate([data.X, fresh.X]), np.concatenate([data.y, fresh.y]), data.groups)
    new_rows, truth = np.arange(world.n_rows, len(both.X)), functions(world)(fresh.X)
    fresh_errors = np.zeros((2, world.n_tasks))
    outputs = np.empty((2, REPEATS, world.n_rows, world.n_tasks))
    constant = np.empty((REPEATS, world.n_rows, world.n_tasks))
    fold = np.empty((REPEATS, world.n_rows), dtype=int)
    for r in range(REPEATS):
        fold[r] = (rng.permutation(int(data.groups.max()) + 1) % FOLDS)[data.groups]
        splits = [(np.flatnonzero(fold[r] != k), np.flatnonzero(fold[r] == k)) for k in range(FOLDS)]
        for arm, learner in enumerate((scenario.joint, scenario.separate)):
            wanted = [(train, np.concatenate([test, new_rows])) for train, test in splits]
            for (_, test), predicted in zip(splits, learner(world, both, wanted, rng), strict=True):
                outputs[arm, r, test] = predicted[: len(test)]
                fresh_errors[arm] += ((truth - predicted[len(test) :]) ** 2).sum(axis=0) / (FOLDS * REPEATS * max(len(truth), 1))
        for train, test in splits:
            constant[r, test] = np.nanmean(data.y[train], axis=0)
    groups = data.groups if world.group_size > 1 and not scenario.ignore_groups else None
    gains = []
    for t in range(world.n_tasks):
        y = data.y[:, t]
        if world.kind == "auc":
            joint, separate = (auc_row_losses(y, arm[..., t], fold=fold) for arm in outputs)
            base = np.where(np.isnan(joint), np.nan, 0.5)
        else:
            joint, separate, base = ((y - predicted[..., t]) ** 2 for predicted in (*outputs, constant))
        gains.append(task_gain(joint, separate, base, fold=fold, groups=groups))
    scale = np.array([gain.error_constant for gain in gains])
    return list(gains), mean_gain(gains, fold=fold, groups=groups), (fresh_errors[1] - fresh_errors[0]) / scale


def standard_errors(gain: Gain) -> dict[str, tuple[float, float, float]]:
    """Give the rival estimates, each as (gain, standard error, degrees of freedom)."""
    v = gain.variance
    folds = gain.fold_gains[~np.isnan(gain.fold_gains)]
    corrected = np.sqrt((1 / len(folds) + gain.test_to_train) * folds.var(ddof=1))
    return {
        "rows and models": (gain.gain, gain.se, gain.df),
        "rows and repeats": (gain.gain, np.sqrt(v.rows_and_repeats), v.n_rows - 1),
        "rows": (gain.gain, np.sqrt(v.rows), v.n_rows - 1),
        "Nadeau-Bengio": (float(folds.mean()), corrected, len(folds) - 1),
    }


def count(scenario: Scenario, truth: np.ndarray, seeds: range) -> dict[str, Any]:
    """Run a batch and count, for every estimate of the standard error, what was said and what was true."""
    null = np.isin(np.arange(len(truth)), scenario.tune) | scenario.twins
    counts: dict[str, dict[str, float]] = {}
    for seed in seeds:
        tasks, mean, of_models = held_out_gains(scenario, seed)
        parts, mean_part = [standard_errors(gain) for gain in tasks], standard_errors(mean)
        for method in mean_part:
            gain, se, df = np.array([part[method] for part in parts]).T
            intervals = simultaneous_intervals(gain, se=se, df=df)
            said = np.array([verdict(low, high) for low, high in zip(intervals.low, intervals.high, strict=True)])
            m_gain, m_se, m_df = mean_part[method]
            reach = stats.t.ppf(0.975, m_df) * m_se
            new = {
                "runs": 1,
                "false_helped": bool(((said == "helped") & (null | (truth < 0))).any()),
                "false_harmed": bool(((said == "harmed") & (null | (truth > 0))).any()),
                "false_equivalent": bool(((said == "equivalent") & (np.abs(truth) > 0.0115)).any()),
                "equivalent": (said == "equivalent").sum(),
                "rejected_null": bool((null & (intervals.low * intervals.high > 0)).any()),
                "real_tasks": (~null).sum(),
                "real_told": ((said == np.where(truth > 0, "helped", "harmed")) & ~null).sum(),
                "tasks": len(truth),
                "covered": ((intervals.low_unadjusted <= truth) & (truth <= intervals.high_unadjusted)).sum(),
                "covered_models": ((intervals.low_unadjusted <= of_models) & (of_models <= intervals.high_unadjusted)).sum(),
                "mean_covered": abs(m_gain - truth.mean()) <= reach,
                "mean_above_0": m_gain - reach > 0,
                "mean_below_0": m_gain + reach < 0,
                "gain_sum": gain.mean(),
                "error_squared": ((gain - truth) ** 2).mean(),
                "se_squared": (se**2).mean(),
                "mean_error_squared": (m_gain - truth.mean()) ** 2,
                "mean_se_squared": m_se**2,
            }
            total = counts.setdefault(method, dict.fromkeys(new, 0))
            for key, value in new.items():
                total[key] += float(value)
    return counts


def find_truth(scenario: Scenario) -> dict[str, Any]:
    """Find a scenario's true gains once (exactly 0 for twins, else by Monte Carlo), tuning relatedness first where it says so."""
    path = RESULTS / "honesty_truths.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    setting = json.loads(json.dumps(asdict(scenario.world)))
    if scenario.name in known and known[scenario.name]["asked"] == setting:
        return dict(known[scenario.name])
    world, n_tasks = scenario.world, scenario.world.n_tasks
    if scenario.twins:
        gain, error = np.zeros(n_tasks), np.zeros(n_tasks)
    else:
        if scenario.tune:
            world = tune(scenario)
        gain, error = true_gain(world, scenario.joint, scenario.separate, n_sets=scenario.n_truth, seed=99)
    found = {"asked": setting, "relatedness": world.relatedness, "gain": gain.round(5).tolist(), "error": error.round(5).tolist()}
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in (known | {scenario.name: found}).items()) + "\n}\n"
    )
    return found


def tune(scenario: Scenario) -> World:
    """Move the relatedness of some tasks to where their gain is 0: secant steps on common random numbers, then fresh ones."""
    tuned = list(scenario.tune)
    shares = np.broadcast_to(scenario.world.relatedness, scenario.world.n_tasks).astype(float)

    def gains(values: np.ndarray, n_sets: int, seed: int) -> np.ndarray:
        world = replace(scenario.world, relatedness=tuple(values.tolist()))
        return true_gain(world, scenario.joint, scenario.separate, n_sets=n_sets, seed=seed)[0]

    before, after = shares.copy(), shares.copy()
    after[tuned] = np.minimum(after[tuned] + 0.2, 0.98)
    slope = (gains(after, scenario.n_truth // 8, 1) - (now := gains(before, scenario.n_truth // 8, 1))) / np.maximum(
        after - before, 1e-9
    )
    for step in range(6):
        n_sets = scenario.n_truth // (8 if step < 3 else 2)
        shares[tuned] = np.clip(shares[tuned] - now[tuned] / np.maximum(slope[tuned], 0.005), 0.0, 1.0)
        now = gains(shares, n_sets, 1 if step < 3 else 10 + step)
        print(f"  tuning {scenario.name}: largest gain of a null task {np.abs(now[tuned]).max():.4f}", flush=True)
    shares[tuned] = np.clip(shares[tuned] - 0.5 * now[tuned] / np.maximum(slope[tuned], 0.005), 0.0, 1.0)
    return replace(scenario.world, relatedness=tuple(shares.round(5).tolist()))


def run(name: str, *, runs: int, out: Path) -> None:
    """Add the missing batches of a scenario up to ``runs`` runs."""
    scenario = SCENARIOS[name]
    found = find_truth(scenario)
    relatedness = found["relatedness"]
    shares = tuple(relatedness) if isinstance(relatedness, list) else relatedness
    scenario = replace(scenario, world=replace(scenario.world, relatedness=shares))
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {line["first_seed"] for line in lines if line["scenario"] == name}
    batch = SLOW_BATCH if name.startswith("polytask") else BATCH
    for first in range(0, runs, batch):
        if first not in done:
            began = time.perf_counter()
            counts = count(scenario, np.array(found["gain"]), range(first, first + batch))
            line = {
                "scenario": name,
                "first_seed": first,
                "seconds": round(time.perf_counter() - began, 1),
                "counts": _short(counts),
            }
            with out.open("a") as file:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
    print(name, "done", flush=True)


def _short(counts: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {method: {key: float(f"{value:.5g}") for key, value in total.items()} for method, total in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", nargs="+", default=["all"], help=f"all, or of: {', '.join(SCENARIOS)}")
    parser.add_argument("--runs", type=int, default=1000, help="in total, those already in the file included")
    parser.add_argument("--out", type=Path, default=RESULTS / "honesty.jsonl")
    parser.add_argument("--table", action="store_true", help="print the tables of what is in the file, run nothing")
    options = parser.parse_args()
    if not options.table:
        for name in SCENARIOS if options.scenario == ["all"] else options.scenario:
            run(name, runs=options.runs, out=options.out)
    print(tables(options.out, RESULTS / "honesty_truths.json", SCENARIOS))


if __name__ == "__main__":
    main()
