"""What is compared in the benchmark of architectures: sets, networks, and one fit."""

from pathlib import Path
from typing import Any

import numpy as np
from _search import Settings, cut_and_held, drawn_training
from _search import fit_and_score as fit_networks
from _tabular_sets import BenchmarkSet, load_set

from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MLP
from polytask.networks.sharing import sharing_names

# small sets that networks learn something of, with two to ten tasks: regression (the first five), binary (two), and ordinal,
# counts, classes and numbers mixed; crime and support2 lack 3 and 11 % of their labels
SETS = ("jura", "enb", "atp1d", "meats", "crime", "emotions", "clintox", "student", "support2")
WIDTHS = (32, 64, 128)  # of the layers of the encoder, and of experts and adapters

ALONE = " alone"
# with one task these are the plain network of hard sharing, and one twin serves all
PLAIN_ALONE = ("none", "soft", "ltb")
ARCHITECTURES = tuple(sharing_names())
TWINS = {name: ("hard" if name in PLAIN_ALONE else name) + ALONE for name in ARCHITECTURES}
ARMS = (*ARCHITECTURES, *dict.fromkeys(TWINS.values()))


def load(folder: Path, name: str, *, seed: int) -> tuple[BenchmarkSet, np.ndarray]:
    """A set and which of its training rows are for validation, bool [n_train]."""
    return cut_and_held(load_set(folder, name, seed=seed), seed=seed)


def drawn_settings(*, seed: int, trial: int) -> Settings:
    """One trial of the random search: the same for every arm and set."""
    rng = np.random.default_rng([seed, trial, 5])
    return {**drawn_training(rng), "width": int(rng.choice(WIDTHS))}


def fit_and_score(one: BenchmarkSet, held: np.ndarray, arm: str, settings: Settings, *, seed: int) -> dict[str, Any] | None:
    """Train, stop by the rows held, and score on test rows; None of an architecture that is not for this set."""
    name = arm.removesuffix(ALONE)

    def make(tasks: list[Any]) -> MultiTaskNetwork:
        sharing = sharing_names()[name]()
        if "width" in sharing.get_params(deep=False):
            sharing.set_params(width=settings["width"])
        return MultiTaskNetwork(
            tasks,
            encoder=MLP(width=settings["width"], dropout=settings["dropout"]),
            sharing=sharing,
            learning_rate=settings["learning_rate"],
            weight_decay=settings["weight_decay"],
            random_state=seed,
        )

    try:
        return fit_networks(one, held, make, alone=arm.endswith(ALONE))
    except OptionError:
        if name != "stem":
            raise
        return None  # no categories to embed
