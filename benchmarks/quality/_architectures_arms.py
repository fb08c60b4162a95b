"""What is compared in the benchmark of architectures: sets, networks, and one fit."""

from dataclasses import replace
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
from polytask.tasks import fixed_task, task_of_kind

# small sets that networks learn something of, with two to ten tasks: regression (the first five), binary (two), and ordinal,
# counts, classes and numbers mixed; crime and support2 lack 3 and 11 % of their labels
SETS = ("jura", "enb", "atp1d", "meats", "crime", "emotions", "clintox", "student", "support2")
CENSUS = "census"
CENSUS_ROWS = 20_000  # to train and validate on
WIDTHS = (32, 64, 128)  # of the layers of the encoder, and of experts and adapters

ALONE = " alone"
# with one task these are the plain network of hard sharing, and one twin serves all
PLAIN_ALONE = ("none", "soft", "ltb")
ARCHITECTURES = tuple(sharing_names())
TWINS = {name: ("hard" if name in PLAIN_ALONE else name) + ALONE for name in ARCHITECTURES}
ARMS = (*ARCHITECTURES, *dict.fromkeys(TWINS.values()))
CENSUS_ARMS = ("hard", "mmoe", "ple", TWINS["hard"])


def load(folder: Path, name: str, *, seed: int) -> tuple[BenchmarkSet, np.ndarray]:
    """A set and which of its training rows are for validation, bool [n_train]."""
    one = load_set(folder, name, seed=seed)
    if name != CENSUS:
        return cut_and_held(one, seed=seed)
    return cut_and_held(as_in_papers(one), seed=seed, most_rows=CENSUS_ROWS)


def as_in_papers(census: BenchmarkSet) -> BenchmarkSet:
    """Two tasks, as Ma 2018 and Tang 2020 have them: an income above 50,000, and never married or not; education is an input."""
    y, y_test = (
        labels[["income_50k"]].assign(never_married=labels["marital_stat"].eq("Never married").astype(int))
        for labels in (census.y, census.y_test)
    )
    income = next(task for task in census.tasks if task.name == "income_50k")
    married = fixed_task(task_of_kind("never_married", ("never_married",), "binary").fit(y))
    X, X_test = (
        table.assign(education=labels["education"].astype(str))
        for table, labels in ((census.X, census.y), (census.X_test, census.y_test))
    )
    kinds = {"income_50k": "binary", "never_married": "binary"}
    return replace(census, X=X, y=y, X_test=X_test, y_test=y_test, tasks=[income, married], kinds=kinds)


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
