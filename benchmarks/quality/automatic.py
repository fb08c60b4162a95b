"""The automatic predictor against AutoGluon and per-target models on public tables: quality at the same time and cores.

    python benchmarks/quality/automatic.py --data FOLDER                       # polytask; skips what the results hold already
    python benchmarks/quality/automatic.py --data FOLDER --systems polytask,autogluon --sets enb,jura
    python benchmarks/quality/automatic.py --data FOLDER --systems autogluon --time-limit 300
    python benchmarks/quality/automatic.py --table                             # the tables as markdown
    python benchmarks/quality/automatic.py --write                             # the tables into docs/benchmarks.md

FOLDER and protocol are those of ``tabular.py``: the same test rows, the same score. Each system gets a process of its own, two
threads and ``--time-limit`` seconds for all targets of a set together; polytask's clock starts with its process and ends when the
model is saved, AutoGluon's counts its ``fit`` alone. AutoGluon 1.6.3 runs in an environment of its own (made at its first use);
where this run has no line of it, its stored score of the set serves. LightGBM, forests and linear models are those of
``tabular.py``, without a limit. The load of the machine at the start is written down: on a busy one both get less done.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _automatic_case import read_predictions, write_case
from _automatic_table import tables
from _tabular_sets import BenchmarkSet, data_folder, load_set, log_loss_of, score_task, set_names
from _tabular_table import read_results
from tabular import append, source_mark, write_page

from polytask.data import to_pandas

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "automatic.jsonl"
START, END = "<!-- automatic: start -->", "<!-- automatic: end -->"
AUTOGLUON = ["autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3", "torch==2.13.0"]
WITH_EXTRAS = "+extras"  # models of optional packages that are installed
PRESETS = {"polytask": "best", "autogluon": "medium_quality"}
GRACE = 10.0  # times the limit, after which a system that does not end is stopped


def python_of(system: str) -> str:
    """The Python that runs a system."""
    if system == "polytask":
        return sys.executable
    sys.path.insert(0, str(HERE.parent / "speed"))
    from _peer_environment import peer_python

    return peer_python("autogluon", AUTOGLUON, own_torch=True)


def preset_of(system: str, args: argparse.Namespace) -> str:
    """The preset of a system, as the results name it."""
    if system != "polytask":
        return PRESETS[system]
    return (args.preset or PRESETS[system]) + (WITH_EXTRAS if args.extras else "")


def run(one: BenchmarkSet, kinds: dict[str, str], system: str, args: argparse.Namespace, *, seed: int) -> dict[str, object]:
    """Let a system learn one set and score it: a line of the results."""
    import polytask

    script = HERE / {"polytask": "_automatic_worker.py", "autogluon": "_autogluon_worker.py"}[system]
    preset = preset_of(system, args)
    train = to_pandas(one.X.join(one.y))
    if one.groups is not None:
        train["(group)"] = one.groups
    group = None if one.groups is None else "(group)"
    about = {"targets": kinds, "group": group, "preset": preset.removesuffix(WITH_EXTRAS), "extras": args.extras}
    limits = {"time_limit": args.time_limit, "seed": seed, "threads": 2}
    folder, load = Path(tempfile.mkdtemp(prefix="polytask-")), os.getloadavg()[0]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "2",
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    try:
        # AutoGluon knows no groups: it gets no column of them
        write_case(
            folder,
            train if system == "polytask" else train.drop(columns="(group)", errors="ignore"),
            one.X_test,
            **about,
            **limits,
        )
        done = subprocess.run(
            [python_of(system), str(script), str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=GRACE * args.time_limit + 120,
        )
        if done.returncode:
            raise RuntimeError(f"{system} failed on {one.name}: {done.stderr.strip()[-800:]}")
        tasks = [task.fit(one.y) for task in one.tasks]
        outputs, told = read_predictions(folder, {task.name: list(task.labels) for task in tasks})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    scores = {task.name: score_task(task, outputs[task.name], one.y, one.y_test) for task in tasks}
    log_losses = {task.name: log_loss_of(task, outputs[task.name], one.y_test) for task in tasks}
    more = {key: told[key] for key in ("ended_by", "models") if key in told}
    return {
        "set": one.name,
        "seed": seed,
        "system": system,
        "preset": preset,
        "time_limit": args.time_limit,
        "scores": {name: None if score is None else round(score, 5) for name, score in scores.items()},
        "log_losses": {name: round(loss, 5) for name, loss in log_losses.items() if loss is not None},
        "n_train": len(one.X),
        "n_inputs": one.X.shape[1],
        "seconds": round(told["seconds"], 1),
        "predict_seconds": round(told["predict_seconds"], 2),
        "load": round(load, 1),
        "polytask": polytask.__version__,
        "source": source_mark(Path(polytask.__file__).parent),
        **more,
    }


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet, set by set, so that the systems meet the same machine."""
    done = {
        (line["set"], line["seed"], line["system"], line["preset"], line["time_limit"]) for line in read_results(args.results)
    }
    for seed in args.seeds:
        for name in args.sets or set_names(folder):
            for system in args.systems:
                preset = preset_of(system, args)
                if (name, seed, system, preset, args.time_limit) in done:
                    continue
                one = load_set(folder, name, seed=seed)
                try:
                    line = run(one, one.kinds, system, args, seed=seed)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    print(f"{name:<12} seed {seed} {system:<10} FAILED: {error}", file=sys.stderr, flush=True)
                    continue
                append(args.results, line)
                mean = np.mean([score for score in line["scores"].values() if score is not None])
                print(
                    f"{name:<12} seed {seed} {system:<10} {mean:7.3f}  {line['seconds']:7.1f} s  load {line['load']}", flush=True
                )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--sets", type=lambda text: text.split(","))
    parser.add_argument("--systems", type=lambda text: text.split(","), default=["polytask"])
    parser.add_argument("--preset", help="of polytask; 'best' by default")
    parser.add_argument("--extras", action="store_true", help="polytask may use optional packages that are installed (CatBoost)")
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0])
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for all targets of a set")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    folder = data_folder(args.data)
    unknown = [system for system in args.systems if system not in PRESETS]
    if unknown:
        parser.error(f"unknown system {unknown[0]!r}; the systems are {', '.join(PRESETS)}")
    if args.write or args.table:
        results = read_results(args.results)
        limits = sorted({line["time_limit"] for line in results if line["system"] == "polytask"})
        text = "\n\n".join(f"{limit:g} seconds:\n\n{tables(results, time_limit=limit)}" for limit in limits)
        write_page(text, start=START, end=END) if args.write else print(text)
    elif folder is None:
        print("Nothing is run: no folder of tables is given (--data FOLDER, or the environment variable POLYTASK_DATA).")
    elif not (folder / "tabular.json").is_file():
        parser.error(f"there is no tabular.json in {folder}")
    else:
        run_all(folder, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
