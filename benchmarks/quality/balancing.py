"""Does balancing help? Every method against equal weights of scaled losses, tuned fixed weights and single tasks, on ten sets.

    python benchmarks/quality/balancing.py --data FOLDER                        # adds to results/balancing.jsonl; goes on
    python benchmarks/quality/balancing.py --data FOLDER --sets atp1d,conflict --arms Equal,PCGrad --trials 4 --seeds 0,1
    python benchmarks/quality/balancing.py --data FOLDER --part 0/2 &           # every second fit, for a core each
    python benchmarks/quality/balancing.py --table                              # what was found, as markdown
    python benchmarks/quality/balancing.py --write                              # the same into docs/balancing.md

FOLDER is that of tabular.py. Every arm gets the same random search over learning rate, weight decay and dropout; tuned weights
are fixed ones, drawn anew in every trial besides; settings of the methods are their defaults. A quarter of the training rows
stops each run, and of a seed's trials the one with the best validation skill on the mean over tasks is kept; single-task networks
choose a trial per task. Told is the mean over tasks of the scores on test rows (1 - RMSE / RMSE of the training mean; 2 AUC - 1)
less that of equal weights in the same seed, on the mean over seeds, with the 95 % interval by Student's t over seeds: of this
table and split, not of other data. A seed draws validation rows, networks, trials and, where a set has no split of its own, test
rows.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

from _balancing_arms import ARMS, SINGLE, drawn_settings, fit_and_score
from _balancing_sets import REAL, SIMULATION, load
from _balancing_table import tables
from _tabular_sets import data_folder
from _tabular_table import read_results
from tabular import append

RESULTS = Path(__file__).parent / "results" / "balancing.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "balancing.md"
START, END = "<!-- quality: start -->", "<!-- quality: end -->"


def run_all(folder: Path | None, args: argparse.Namespace) -> None:
    """Run what is not in the results file yet: all arms of a trial, then the next trial, so that any stop leaves a fair table."""
    done = {(line["set"], line["seed"], line["trial"], line["arm"]) for line in read_results(args.results)}
    number, parts = args.part
    wanted = [
        (name, seed, trial, arm) for trial in range(args.trials) for seed in args.seeds for name in args.sets for arm in args.arms
    ]
    for name, seed, trial, arm in (key for k, key in enumerate(wanted) if k % parts == number and key not in done):
        one, held = load(folder, name, seed=seed)
        settings = drawn_settings(one, seed=seed, trial=trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few labels of a class: told to users, not to a benchmark
            line = fit_and_score(one, held, arm, settings, seed=seed)
        shown = {key: value for key, value in settings.items() if key != "weights" or arm == "tuned weights"}
        append(args.results, {"set": name, "seed": seed, "trial": trial, "arm": arm, "settings": shown, **line})
        known = [score for score in line["scores"].values() if score is not None]
        print(
            f"{name:<10} seed {seed} trial {trial} {arm:<20} {sum(known) / len(known):7.3f} {line['cpu_seconds']:6.1f} s",
            flush=True,
        )


def write_page(text: str) -> None:
    """Put the tables between their marks in the docs page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    return int(number), int(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=[SIMULATION, *REAL])
    parser.add_argument("--arms", type=lambda text: text.split(","), default=[*ARMS, SINGLE])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1, 2, 3, 4])
    parser.add_argument("--part", type=_part, default=(0, 1), metavar="K/N")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    for kind, given, known in (("set", args.sets, (SIMULATION, *REAL)), ("arm", args.arms, (*ARMS, SINGLE))):
        for name in given:
            if name not in known:
                parser.error(f"unknown {kind} {name!r}; there are {', '.join(known)}")
    folder = data_folder(args.data)
    if args.write or args.table:
        text = tables(read_results(args.results))
        write_page(text) if args.write else print(text)
    elif folder is None and set(args.sets) != {SIMULATION}:
        print("Nothing is run: no folder of tables is given (--data FOLDER, or the environment variable POLYTASK_DATA).")
    elif folder is not None and not (folder / "tabular.json").is_file():
        parser.error(f"there is no tabular.json in {folder}")
    else:
        run_all(folder, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
