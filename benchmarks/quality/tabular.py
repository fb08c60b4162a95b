"""Quality on public tables: joint network, single-task networks, LightGBM, random forest and linear models, per set.

    python benchmarks/quality/tabular.py --data FOLDER                # all sets; skips what results/tabular.jsonl holds already
    python benchmarks/quality/tabular.py --data FOLDER --sets enb,jura --models joint,linear --seeds 0,1
    python benchmarks/quality/tabular.py --data FOLDER --models linear --again    # also what another source of polytask has found
    python benchmarks/quality/tabular.py --table                      # the table as markdown
    python benchmarks/quality/tabular.py --write                      # the table into docs/benchmarks.md

FOLDER holds ``tabular.json`` and the tables it names (also: environment variable POLYTASK_DATA). The protocol is that of its
README: 30 % of the rows (or groups, or the set's own split) are for the test; a number scores 1 - RMSE / RMSE of the training
mean, classes 2 AUC - 1 (macro, one against rest); a set scores the mean over its tasks. Every model gets the labels of the
training rows as they are, missing ones too. Networks stop after 120 seconds in all per set on one thread (the protocol's 60
seconds on two cores; the limit is one of the clock, so give more where other work slows the machine); the others take the time
they take. Seconds of the clock and of the processor are written down, and in ``source`` a
fingerprint of the package that was run (lines without one are older). Of two lines of one run the later counts.
"""

import argparse
import hashlib
import os
import sys
import time
import warnings
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import _command
from _command import append, check_folder, check_names, names, options_of
from _tabular_models import MODELS
from _tabular_sets import BenchmarkSet, data_folder, load_set, score_task, set_names
from _tabular_table import latest, read_results, table

RESULTS = Path(__file__).parent / "results" / "tabular.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
START, END = "<!-- tabular: start -->", "<!-- tabular: end -->"


def run(one: BenchmarkSet, model: str, *, seed: int, seconds: float) -> dict[str, object]:
    """Fit one model on one set and score it: a line of the results."""
    import polytask

    started, cpu_started = time.perf_counter(), time.process_time()
    estimator = MODELS[model][1](one.tasks, seed=seed, seconds=seconds).fit(one.X, one.y, groups=one.groups)
    fitted, cpu_fitted = time.perf_counter(), time.process_time()
    outputs = estimator.outputs(one.X_test)
    scores = {task.name: score_task(task, outputs[task.name], one.y, one.y_test) for task in estimator.tasks_}
    return {
        "set": one.name,
        "seed": seed,
        "model": model,
        "scores": {name: None if score is None else round(score, 5) for name, score in scores.items()},
        "n_train": len(one.X),
        "n_test": len(one.X_test),
        "n_inputs": one.X.shape[1],
        "seconds": round(fitted - started, 2),
        "cpu_seconds": round(cpu_fitted - cpu_started, 2),
        "predict_seconds": round(time.perf_counter() - fitted, 3),
        "time_limit": seconds,
        "polytask": polytask.__version__,
        "source": source_mark(Path(polytask.__file__).parent),
    }


@cache
def source_mark(package: Path) -> str:
    """A fingerprint of the source of a package, the same wherever it lies and whatever is beside it.

    It is taken once per process, since that runs what it has imported.
    """
    mark = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda own: own.relative_to(package).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        mark.update(f"{path.relative_to(package).as_posix()}\n{len(content)}\n".encode() + content)
    return mark.hexdigest()[:12]


def run_all(folder: Path, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet (with ``--again``: not by this source), the small sets first as listed."""
    import polytask

    results = read_results(args.results)
    if args.again:
        own = source_mark(Path(polytask.__file__).parent)
        results = [line for line in results if line.get("source") == own]
    done = {(line["set"], line["seed"], line["model"]) for line in results}
    for seed in args.seeds:
        for name in args.sets or set_names(folder):
            wanted = [model for model in args.models if (name, seed, model) not in done]
            one = load_set(folder, name, seed=seed) if wanted else None
            for model in wanted:
                assert one is not None
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # copies, few labels: told to users, not to a benchmark
                    line = run(one, model, seed=seed, seconds=args.time_limit)
                append(args.results, line)
                known = [score for score in line["scores"].values() if score is not None]
                print(f"{name:<12} seed {seed} {model:<9} {sum(known) / len(known):7.3f}  {line['seconds']:7.1f} s", flush=True)


def write_page(text: str, *, start: str = START, end: str = END) -> None:
    """Put a table between its marks in the docs page."""
    _command.write_page(PAGE, text, marks=(start, end))


def main() -> int:
    parser = options_of(__doc__, sets=None, seeds=[0], results=RESULTS)
    parser.add_argument("--models", type=names, default=list(MODELS))
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds of training of the networks of one set")
    parser.add_argument("--again", action="store_true", help="run also what lines of another source of polytask hold")
    args = parser.parse_args()
    check_names(parser, "model", args.models, MODELS)
    folder = data_folder(args.data)
    if args.write or args.table:
        text = table(latest(read_results(args.results)))
        write_page(text) if args.write else print(text)
    elif check_folder(parser, folder):
        assert folder is not None
        run_all(folder, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
