"""What is compared in the benchmark of architectures: sets, networks, and one fit."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _search import Settings, cut_and_held, drawn_training, fit_in_stacks
from _tabular_sets import BenchmarkSet, load_set

from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MLP
from polytask.networks.sharing import sharing_names

# small sets that networks learn something of, with two to eight tasks: regression (the first four), binary (two), and ordinal,
# counts, classes and numbers mixed; support2 lacks 11 % of its labels
SETS = ("jura", "enb", "atp1d", "meats", "emotions", "clintox", "student", "support2")
# of the layers of the encoder, and of experts and adapters; with hard sharing, 32 and 128 scored the same on six of seven sets
WIDTH = 64

ALONE = " alone"
# with one task these are the plain network of hard sharing, and one twin serves all
PLAIN_ALONE = ("none", "soft", "ltb", "cross_stitch")  # a cross-stitch of one task scales each unit by a number
ARCHITECTURES = tuple(name for name in sharing_names() if name != "esmm")  # which needs a parent and a child: see esmm.py
TWINS = {name: ("hard" if name in PLAIN_ALONE else name) + ALONE for name in ARCHITECTURES}
ARMS = (*ARCHITECTURES, *dict.fromkeys(TWINS.values()))


def load(folder: Path, name: str, *, seed: int) -> tuple[BenchmarkSet, np.ndarray]:
    """A set and which of its training rows are for validation, bool [n_train]."""
    return cut_and_held(load_set(folder, name, seed=seed), seed=seed)


def drawn_settings(*, seed: int, trial: int) -> Settings:
    """One trial of the random search: the same for every arm and set."""
    rng = np.random.default_rng([seed, trial, 5])
    return drawn_training(rng)


def fit_and_score(
    one: BenchmarkSet, held: np.ndarray, arm: str, trials: Sequence[Settings], *, seed: int
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Train, stop by the rows held, and score on test rows: number and line of each trial, or None of what suits no such set."""
    name = arm.removesuffix(ALONE)

    def make(tasks: list[Any], settings: Settings) -> MultiTaskNetwork:
        sharing = sharing_names()[name]()
        if "width" in sharing.get_params(deep=False):
            sharing.set_params(width=WIDTH)
        return MultiTaskNetwork(
            tasks,
            encoder=MLP(width=WIDTH, dropout=settings["dropout"]),
            sharing=sharing,
            learning_rate=settings["learning_rate"],
            weight_decay=settings["weight_decay"],
            random_state=seed,
        )

    makes = [partial(make, settings=settings) for settings in trials]
    try:
        yield from fit_in_stacks(one, held, makes, kinds=[WIDTH] * len(makes), alone=arm.endswith(ALONE))
    except OptionError:
        if name != "stem":
            raise
        yield from ((k, None) for k in range(len(trials)))  # no categories to embed
