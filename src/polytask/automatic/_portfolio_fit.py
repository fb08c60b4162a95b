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
from polytask.data.splits import ColumnSplit, TimeOrder
from polytask.estimators import Bagged, MultiTaskNetwork
from polytask.exceptions import DataError, OptionError

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


def divided_rows(
    roles: Roles, n: int, *, split: str | None, group: str | None, time: str | None
) -> tuple[Array, Array | None, Array]:
    """Rows to learn from, which of all rows are reserved for validation, and test rows; the names of columns are for errors.

    Raises
    ------
    DataError, OptionError
        If the split column holds something else, cuts a group, or is at odds with the time column.
    """
    if roles.split is None:
        return np.arange(n), None, np.arange(0)
    parts = ColumnSplit(roles.split).parts()
    if "train" not in parts:
        raise DataError(
            f"The split column {split!r} must say train, validation or test for a fit; got {list(parts)[:5]}. "
            "Fold numbers are for `compare`."
        )
    if roles.groups is not None:
        _check_groups_whole(roles.groups, parts, split=split, group=group)
    reserved = np.zeros(n, dtype=bool)
    reserved[parts.get("validation", np.arange(0))] = True
    if reserved.any() and roles.times is not None:
        raise OptionError(
            f"The split column {split!r} and the time column {time!r} both say which rows choose the epoch. "
            "Give one of them, or leave the validation rows out of the split."
        )
    learn = np.sort(np.concatenate([parts["train"], np.flatnonzero(reserved)]))
    return learn, reserved if reserved.any() else None, parts.get("test", np.arange(0))


def _check_groups_whole(groups: Array, parts: dict[Any, Array], *, split: str | None, group: str | None) -> None:
    seen: dict[str, Any] = {}
    for part, rows in parts.items():
        for own in np.unique(groups[rows].astype(str)).tolist():
            if seen.setdefault(own, part) != part:
                raise DataError(
                    f"The split column {split!r} must keep every group of {group!r} whole; group {own!r} is in "
                    f"{seen[own]!r} and in {part!r}. Put all rows of a group into one part, or leave the group out."
                )


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
