"""Which models should a portfolio try, and in which order? Chosen on all sets but one, scored on that one, for every set.

    python benchmarks/quality/candidates.py --data FOLDER --keep OUTPUTS       # fits every candidate that is not kept already
    python benchmarks/quality/candidates.py --keep OUTPUTS --choose            # scores orders, into results/candidates.jsonl
    python benchmarks/quality/candidates.py --table                            # what was found, as markdown
    python benchmarks/quality/candidates.py --write                            # the same into docs/benchmarks.md

FOLDER is that of tabular.py; OUTPUTS is a folder of this machine for what each candidate of the preset "best" says of held-out
and of test rows (large files, not kept in the repository). Test rows are those of another seed than in automatic.py. A run of
some seconds is acted out: candidates are taken in an order, each with the time that it took, as long as time is left, and mixed
by greedy selection on held-out rows. The order chosen for a set comes from the other sets only: next comes the candidate that
adds most test score per second to those before it, on the mean over sets, of which each counts by at most 0.02.
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

import torch
from _candidates_choice import BUDGETS, Tried, chosen_order, order_in_use, with_networks
from _candidates_outputs import keep_outputs, read_outputs
from _candidates_table import tables
from _command import write_page
from _tabular_sets import data_folder, load_set, set_names
from _tabular_table import read_results

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "candidates.jsonl"
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
MARKS = "<!-- candidates: start -->", "<!-- candidates: end -->"


def keep_all(folder: Path, keep: Path, *, sets: list[str], seed: int, time_limit: float) -> None:
    """Fit the candidates that are not kept yet."""
    keep.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in sets:
        path = keep / f"{name}.pkl"
        started = time.monotonic()
        kept = keep_outputs(load_set(folder, name, seed=seed), path, seed=seed, time_limit=time_limit)
        told = f"{len(kept.seconds)} candidates, {time.monotonic() - started:.0f} s, load {os.getloadavg()[0]:.1f}"
        print(f"{name:<12} {told}; left out: {', '.join(kept.left_out)}", flush=True)


def choose_all(keep: Path, results: Path, *, time_limit: float) -> None:
    """Score the order in use and the one chosen on the other sets, and every candidate alone and missing."""
    sets = {path.stem: Tried(read_outputs(path)) for path in sorted(keep.glob("*.pkl"))}
    lines = []
    for left_out, own in sets.items():
        others = {name: tried for name, tried in sets.items() if name != left_out}
        orders = {"in use": order_in_use(own.kept), "chosen": chosen_order(others, longest=time_limit / 2)}
        every = orders["in use"]
        line = {
            "set": left_out,
            "n_train": len(own.kept.one.X),
            "order": orders["chosen"],
            "all": own.score(every),
            "scores": {key: {str(s): own.score(own.within(order, s)) for s in BUDGETS} for key, order in orders.items()},
            "alone": {name: own.score([name]) for name in every if name in own.walls},
            "without": {name: own.score([other for other in every if other != name]) for name in every if name in own.walls},
            "networks": {how: {str(s): own.score(own.within(order, s)) for s in BUDGETS} for how, order in with_networks(every)},
            "seconds": own.walls,
        }
        lines.append(line)
        found = line["scores"]
        print(left_out, *(f"{s} s {found['chosen'][str(s)] - found['in use'][str(s)]:+.4f}" for s in BUDGETS), flush=True)
    order = chosen_order(sets, longest=time_limit / 2)
    results.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"set": "(all)", "order": order}]), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--keep", metavar="OUTPUTS", type=Path)
    parser.add_argument("--sets", type=lambda text: text.split(","))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=150.0, help="seconds for all candidates of a set")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # few labels: told to users, not to a benchmark
    folder = data_folder(args.data)
    if args.write or args.table:
        text = tables(read_results(args.results))
        write_page(PAGE, text, marks=MARKS) if args.write else print(text)
    elif args.keep is None:
        print("Nothing is run: no folder for the outputs is given (--keep OUTPUTS).")
    elif args.choose:
        if not [*args.keep.glob("*.pkl")]:
            parser.error(f"there are no outputs in {args.keep}; make them first (--data FOLDER --keep {args.keep})")
        choose_all(args.keep, args.results, time_limit=args.time_limit)
    elif folder is None or not (folder / "tabular.json").is_file():
        parser.error("give the folder of tables that holds tabular.json (--data FOLDER)")
    else:
        keep_all(folder, args.keep, sets=args.sets or set_names(folder), seed=args.seed, time_limit=args.time_limit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
