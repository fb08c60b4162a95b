"""Which sharing architecture? Every one against hard sharing, and against the same network for each task alone, on eight sets.

    python benchmarks/quality/architectures.py --data FOLDER                 # adds to results/architectures.jsonl; goes on
    python benchmarks/quality/architectures.py --data FOLDER --sets jura,gcse --arms "hard,hard alone,ple" --trials 4 --seeds 0,1
    python benchmarks/quality/architectures.py --data FOLDER --part 0/2 &     # every second arm, for a core each
    python benchmarks/quality/architectures.py --table                        # what was found, as markdown
    python benchmarks/quality/architectures.py --write                        # the same into docs/sharing.md

FOLDER is that of tabular.py, or $POLYTASK_DATA. What is packed beside the results (architectures.jsonl.gz) counts as done. All
trials of an arm on a set and seed are trained in one stack, and its processor time is shared equally between them. Every arm
gets the same random search over learning rate, weight decay and dropout; layers of the encoder, experts and adapters are 64
wide, other settings are defaults. A quarter of the training rows (of the persons, where rows come from persons) stops each run,
and of a seed's trials the one with the best validation skill on the mean over tasks is kept. The single-task twin of an
architecture is the same network once per task, with a stop and a chosen trial of its own; those of no sharing, soft sharing,
cross-stitch and LTB are that of hard sharing. At most 1,000 rows of a set are used to train and validate, all test rows to
score: 1 - RMSE / RMSE of the training mean; 2 AUC - 1.
Intervals are Student's t over seeds: of this table, not of other data. A seed draws validation rows, networks, trials and, where
a set has no split of its own, test rows. STEM is run where a set has categories.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads an OpenMP runtime

from _architectures_arms import ARMS, SETS, drawn_settings, fit_and_score, load
from _architectures_table import tables
from _command import check_folder, check_names, write_page
from _search import MARKS, parser_of, run_groups
from _tabular_sets import data_folder, set_names
from _tabular_table import read_results

RESULTS = Path(__file__).parent / "results" / "architectures.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"


def run(folder: Path, name: str, arm: str, *, seed: int, trials: list[int]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Trials of an arm, each with its line of the results; None of an architecture that is not for this set."""
    one, held = load(folder, name, seed=seed)
    settings = [drawn_settings(seed=seed, trial=trial) for trial in trials]
    for k, line in fit_and_score(one, held, arm, settings, seed=seed):
        yield trials[k], None if line is None else {"settings": settings[k], **line}


def main() -> int:
    parser = parser_of(__doc__, sets=SETS, arms=ARMS, results=RESULTS)
    args = parser.parse_args()
    check_names(parser, "arm", args.arms, ARMS)
    folder = data_folder(args.data)
    if args.write or args.table:
        text = tables(read_results(args.results))
        write_page(PAGE, text, marks=MARKS) if args.write else print(text)
    elif check_folder(parser, folder):
        assert folder is not None
        check_names(parser, "set", args.sets, set_names(folder))
        # all arms of a set, then the next set and seed, so that any stop leaves a fair table
        wanted = [
            (name, seed, trial, arm)
            for seed in args.seeds
            for name in args.sets
            for arm in args.arms
            for trial in range(args.trials)
        ]
        run_groups(args.results, wanted, lambda *which, **draw: run(folder, *which, **draw), part=args.part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
