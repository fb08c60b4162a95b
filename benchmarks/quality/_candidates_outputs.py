"""What every candidate of a preset gives for held-out and test rows of a set, kept in a file so that portfolios can be tried."""

import pickle
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _tabular_sets import BenchmarkSet

from polytask.automatic import Clock, fit_portfolio
from polytask.automatic._candidate import Candidate
from polytask.automatic._mixtures import TaskRows
from polytask.automatic._portfolio_model import PortfolioModel
from polytask.automatic._presets import candidates_of
from polytask.automatic._shared_split import parts_of_rows, shared_split
from polytask.estimators import Bagged, CodedTable, LearningData, MultiTaskNetwork

PRESET = "best"
SHARING = {"network, MMoE": "mmoe", "network, MTAN": "mtan", "network, TabM": "tabm"}  # of networks that are in no preset
PROTOCOL = 60.0  # seconds, by which the number of folds is chosen


@dataclass
class Kept:
    """One set.

    Attributes
    ----------
    rows : list of TaskRows
    held_out, test : dict of candidate to dict of task to array
    seconds : dict of candidate to float
        Of fitting all folds and tasks, summed over cores.
    left_out : dict of candidate to str
    one : BenchmarkSet
    """

    one: BenchmarkSet
    rows: list[TaskRows]
    held_out: dict[str, dict[str, Any]]
    test: dict[str, dict[str, Any]]
    seconds: dict[str, float]
    left_out: dict[str, str]


def keep_outputs(one: BenchmarkSet, path: Path, *, seed: int, time_limit: float, n_workers: int = 2) -> Kept:
    """Fit all candidates that are not kept yet, with nothing ended early, and write what they give."""
    known = read_outputs(path) if path.exists() else None
    model = PortfolioModel(one.tasks, preset=PRESET, random_state=seed, n_workers=n_workers)
    arrays, labels = model._read_training_data(one.X, one.y)
    labels, weight = labels.weighed(None)
    table = CodedTable(arrays, model.codec_.cardinalities)
    data = LearningData(table, labels, weight, groups=one.groups, times=None)
    splits = shared_split(data, n_folds=model._folds(data, Clock(PROTOCOL), n_workers), seed=seed)
    settings = {"n_folds": len(splits), "n_rows": len(weight), "n_tasks": len(labels.tasks), "seed": seed}
    candidates = [replace(own, least_skill=None) for own in candidates_of(PRESET, MultiTaskNetwork(), **settings)]
    several = len(labels.tasks) > 1
    candidates += [
        Candidate(name, MultiTaskNetwork(sharing=sharing), together=several, share=0.4) for name, sharing in SHARING.items()
    ]
    if known is not None:
        candidates = [own for own in candidates if own.name not in {*known.seconds, *known.left_out}]
        if not candidates:
            return known
    until = time.monotonic() + time_limit
    found = fit_portfolio(data, candidates, splits, seed=seed, deadline=until, n_workers=n_workers)
    parts = parts_of_rows(data, splits, seed=seed)
    test = model._coded_inputs(one.X_test)
    kept = Kept(
        one,
        [TaskRows(task, data, labels.slices[task.name], parts) for task in found.tasks],
        {name: {task: _short(values) for task, values in own.held_out.items()} for name, own in found.bagged.items()},
        {name: {task: _short(values) for task, values in own.outputs(test).items()} for name, own in found.bagged.items()},
        {name: own.seconds for name, own in found.bagged.items()},
        found.left_out,
    )
    if known is not None:
        for name in ("held_out", "test", "seconds", "left_out"):
            setattr(kept, name, {**getattr(known, name), **getattr(kept, name)})
    path.write_bytes(pickle.dumps(kept))
    return kept


def read_outputs(path: Path) -> Kept:
    """Read what ``keep_outputs`` of the same machine wrote."""
    return pickle.loads(path.read_bytes())


def bagged_of(kept: Kept) -> dict[str, Bagged]:
    """The candidates with what they say of held-out rows, without models."""
    found = {}
    for name, outputs in kept.held_out.items():
        found[name] = Bagged(name, together=False)
        found[name].held_out = dict(outputs)
    return found


def _short(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)
