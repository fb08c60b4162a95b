"""Does balancing help? Every method against equal weights of scaled losses, tuned fixed weights and single tasks, on seven sets.

    python benchmarks/quality/balancing.py --data FOLDER                        # adds to results/balancing.jsonl; goes on
    python benchmarks/quality/balancing.py --data FOLDER --sets atp1d,conflict --arms Equal,PCGrad --trials 4 --seeds 0,1
    python benchmarks/quality/balancing.py --data FOLDER --part 0/2 &           # every second arm, for a core each
    python benchmarks/quality/balancing.py --table                              # what was found, as markdown
    python benchmarks/quality/balancing.py --write                              # the same into docs/balancing.md

FOLDER is that of tabular.py. What is packed beside the results (balancing.jsonl.gz) counts as done. All trials of an arm on a
set and seed are trained in one stack, and its processor time is shared equally between them; those of tuned weights one after
another. Every arm gets the same random search over learning rate, weight decay and dropout; tuned weights are fixed ones,
drawn anew in every trial besides; settings of the methods are their defaults. A quarter of the training rows stops each run,
and of a seed's trials the one with the best validation skill on the mean over tasks is kept; single-task networks choose a
trial per task. Told is the mean over tasks of the scores on test rows (1 - RMSE / RMSE of the training mean; 2 AUC - 1) less
that of equal weights in the same seed, on the mean over seeds, with the 95 % interval by Student's t over seeds: of this table
and split, not of other data. A seed draws validation rows, networks, trials and, where a set has no split of its own, test
rows.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

from _balancing_arms import ARMS, SINGLE, drawn_settings, fit_and_score
from _balancing_sets import MORE, REAL, SIMULATION, load
from _balancing_table import tables
from _command import check_folder, check_names, write_page
from _search import MARKS, parser_of, run_groups
from _tabular_sets import data_folder
from _tabular_table import read_results

RESULTS = Path(__file__).parent / "results" / "balancing.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "balancing.md"


def run(folder: Path | None, name: str, arm: str, *, seed: int, trials: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Trials of an arm, each with its line of the results."""
    one, held = load(folder, name, seed=seed)
    settings = [drawn_settings(one, seed=seed, trial=trial) for trial in trials]
    for k, line in fit_and_score(one, held, arm, settings, seed=seed):
        shown = {key: value for key, value in settings[k].items() if key != "weights" or arm == "tuned weights"}
        yield trials[k], {"settings": shown, **line}


def main() -> int:
    parser = parser_of(__doc__, sets=[SIMULATION, *REAL], arms=[*ARMS, SINGLE], results=RESULTS)
    args = parser.parse_args()
    check_names(parser, "set", args.sets, (SIMULATION, *REAL, *MORE))
    check_names(parser, "arm", args.arms, (*ARMS, SINGLE))
    folder = data_folder(args.data)
    if args.write or args.table:
        text = tables(read_results(args.results))
        write_page(PAGE, text, marks=MARKS) if args.write else print(text)
    elif check_folder(parser, folder, is_needed=set(args.sets) != {SIMULATION}):
        # all arms of a set, then the next set and seed, so that any stop leaves a fair table
        wanted = [
            (name, seed, k, arm) for seed in args.seeds for name in args.sets for arm in args.arms for k in range(args.trials)
        ]
        run_groups(args.results, wanted, lambda *which, **draw: run(folder, *which, **draw), part=args.part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
