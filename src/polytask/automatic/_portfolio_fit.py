"""Fitting a portfolio for the predictor: rows, threads, the folder of the run, an earlier fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from polytask.automatic._clock import Clock
from polytask.automatic._portfolio_model import PortfolioModel
from polytask.automatic._portfolio_parts import MembersFolder
from polytask.automatic._roles import Roles
from polytask.automatic._run_folder import RunFolder
from polytask.automatic._torch_threads import TorchThreads
from polytask.data.splits import TimeOrder
from polytask.estimators import Bagged, MultiTaskNetwork

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class TrainingRows:
    """What a model is fitted on: all but test rows.

    Attributes
    ----------
    inputs, labels : DataFrame
    settings : dict
        ``sample_weight``, ``groups``, ``times`` and ``reserved``, each None or of these rows.
    """

    inputs: pd.DataFrame
    labels: pd.DataFrame
    settings: dict[str, Any]

    @classmethod
    def of(cls, roles: Roles, rows: Array, reserved: Array | None, *, gap: Any) -> Self:
        """Take rows of a divided table; ``reserved`` are those that the split column keeps for validation."""
        settings = {
            "sample_weight": None if roles.weight is None else roles.weight[rows],
            "groups": None if roles.groups is None else roles.groups[rows],
            "times": None if roles.times is None else TimeOrder(roles.times[rows], gap),
            "reserved": None if reserved is None else reserved[rows],
        }
        return cls(roles.inputs.iloc[rows], roles.labels.iloc[rows], settings)


def fit_portfolio_model(
    rows: TrainingRows,
    tasks: Sequence[Any],
    *,
    preset: str,
    network: MultiTaskNetwork,
    seed: int,
    threads: int | None,
    clock: Clock,
    run: RunFolder | None,
    earlier: PortfolioModel | None,
    on_model: Callable[[str, Bagged | None], None] | None,
    deploy: str | None = None,
) -> PortfolioModel:
    """Fit the models of a preset; each fit has one thread, and as many run side by side as may.

    Parameters
    ----------
    threads : int, optional
        Fits side by side; one per core by default.
    run : RunFolder, optional
        Models that are there are not fitted again; with all others they are kept there.
    earlier : PortfolioModel, optional
        The same for the models of an earlier fit; its number of folds is kept.
    deploy : {"folds", "refit", "distill"}, optional
    """
    keeper = None if run is None else MembersFolder(run.members)
    known = {} if earlier is None else dict(earlier.portfolio_.bagged)
    if keeper is not None:
        known |= keeper.found()
    n_folds = next((len(own.models) for own in known.values()), None)
    model = PortfolioModel(tasks, preset=preset, network=network, random_state=seed, n_workers=threads, n_folds=n_folds)
    with TorchThreads(1):
        told: dict[str, Any] = {"clock": clock, "keeper": keeper, "earlier": known, "on_model": on_model, "deploy": deploy}
        return model.fit(rows.inputs, rows.labels, **rows.settings, **told)
