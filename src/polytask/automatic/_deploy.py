"""One model in place of those of all folds: the same kinds fitted once on all rows, or one network that has learned from them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.automatic._candidate import Candidate
from polytask.automatic._mixtures import TaskEnsemble
from polytask.automatic._portfolio import Portfolio
from polytask.estimators import (
    Bagged,
    CodedTable,
    FoldModel,
    LearningData,
    MultiTaskNetwork,
    PerTaskEstimator,
    fit_on_rows,
    of_tasks,
)
from polytask.exceptions import OptionError
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

DEPLOYMENTS = ("folds", "refit", "distill")
STUDENT = "distilled network"
COPIES = 4  # of every row a student learns from: the first with its labels, the others with labels drawn from the teacher
ONE_ROW = 20  # times that one row is predicted, for the median


def check_deployment(deploy: Any) -> None:
    """Raise an :class:`OptionError` if it is none of those there are."""
    if deploy is not None and deploy not in DEPLOYMENTS:
        raise OptionError(f"`deploy` must be one of {', '.join(DEPLOYMENTS)}, or None; got {deploy!r}.")


def spare_share(deploy: str | None, n_folds: int) -> float:
    """Share of the time that is kept for making what is deployed."""
    return 1.3 / (n_folds + 1.3) if deploy == "refit" else 0.25 if deploy == "distill" else 0.0


def refitted(portfolio: Portfolio, candidates: Mapping[str, Candidate], data: LearningData, *, seed: int) -> Portfolio:
    """Fit every model that has weight once on all rows, of the tasks that give it weight."""
    rows, bagged = np.flatnonzero(data.weight.sum(axis=1) > 0), {}
    for k, name in enumerate(portfolio.used):
        candidate = candidates[name]
        wanted = [task for task, own in portfolio.ensembles.items() if name in own.weights]
        own = data if candidate.together else of_tasks(data, wanted)
        alone = isinstance(candidate.model, MultiTaskNetwork) and not candidate.together and len(own.labels.tasks) > 1
        estimator = PerTaskEstimator(candidate.model) if alone else candidate.model
        started = time.monotonic()
        model = fit_on_rows(estimator, own, rows, seed=seed_of(seed, k) % 2**31)
        bagged[name] = _single(name, model, candidate.together, started)
    return replace(portfolio, bagged=bagged)


def distilled(
    portfolio: Portfolio,
    network: MultiTaskNetwork,
    data: LearningData,
    splits: Sequence[Split],
    *,
    seed: int,
    until: float,
) -> tuple[Portfolio, dict[str, Any]]:
    """Train one network of all tasks on labels and on what the portfolio says, and find what it loses.

    What it loses is measured on the first fold's held-out rows, which neither that fold's models nor their student have seen: a
    student of the other rows, taught by that fold's models alone. These have seen the rows that they teach, so that what they say
    is nearer to the labels than what they say of new rows. The student that is kept learns from all rows; of its rows with a
    label, those that were held out are taught by models that have not seen them. So the two are not taught quite alike, and what
    is measured is about what the kept one loses.

    Parameters
    ----------
    network : MultiTaskNetwork
        Its settings.
    splits : sequence of pairs of int arrays
    until : float
        Of ``time.monotonic()``; both trainings share the time.

    Returns
    -------
    portfolio : Portfolio
        Of the student alone.
    losses : dict of task name to dict
        ``teacher`` and ``student``: skill on rows that neither has seen; ``lost`` is their difference. None where undefined.
        ``n_rows`` counts the rows that score: those with a label of positive weight.

    References
    ----------
    Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015. arXiv:1503.02531. Here labels are drawn from the
    teacher's probabilities, whose expected log loss is that of soft labels; so every kind of task can be distilled.
    """
    train, held = splits[0]
    arrays = data.table.arrays
    half = time.monotonic() + (until - time.monotonic()) / 2
    first = _student(network, data, train, portfolio.outputs(arrays.take(train), fold=0), seed=seed, until=half)
    said = first.outputs(arrays.take(held))
    losses = {}
    for task in data.labels.tasks:
        part = data.labels.slices[task.name]
        fitted = task.with_statistics(data.labels.target[train, part], data.weight[train, part])
        known, mixed = portfolio.mixed[task.name]  # by weights that were chosen on other rows
        rows, of_known, of_held = np.intersect1d(known, held, return_indices=True)
        own = [_skill(fitted, outputs, data, part, rows) for outputs in (mixed[of_known], said[task.name][of_held])]
        (teacher, _), (student_of_first, n_rows) = own
        lost = None if teacher is None or student_of_first is None else teacher - student_of_first
        losses[task.name] = {"teacher": teacher, "student": student_of_first, "lost": lost, "n_rows": n_rows}
    rows = np.arange(len(data.weight))
    outputs = portfolio.outputs(arrays)
    for task in data.labels.tasks:
        known, mixed = portfolio.mixed[task.name]
        outputs[task.name] = outputs[task.name].copy()
        outputs[task.name][known] = mixed  # by models that have not seen the row
    started = time.monotonic()
    student = _student(network, data, rows, outputs, seed=seed_of(seed, 1) % 2**31, until=until)
    ensembles = {name: TaskEnsemble({STUDENT: 1.0}, {}, _number(losses[name]["student"])) for name in portfolio.ensembles}
    return replace(portfolio, bagged={STUDENT: _single(STUDENT, student, True, started)}, ensembles=ensembles), losses


def drawn_labels(task: FittedTask, outputs: Array, rng: np.random.Generator) -> Array:
    """Labels [n, n_targets] as the outputs say: numbers themselves, counts, classes and tags at random.

    >>> import pandas as pd
    >>> from polytask.tasks import Binary
    >>> task = Binary("sold").fit(pd.DataFrame({"sold": ["no", "yes"]}))
    >>> drawn_labels(task, np.array([[0.0, 1.0], [1.0, 0.0]]), np.random.default_rng(0)).ravel().tolist()
    [1.0, 0.0]
    """
    if not task.n_codes:
        values = rng.poisson(np.maximum(outputs, 0.0)) if task.estimator_type == "counter" else outputs
        return np.asarray(values, dtype=np.float64)[:, None]
    if len(task.labels) == task.n_targets:  # tags
        return (rng.random(outputs.shape) < outputs) * 1.0
    ends = np.cumsum(outputs, axis=1)
    drawn = (rng.random((len(outputs), 1)) * ends[:, -1:] > ends).sum(axis=1)
    return np.minimum(drawn, outputs.shape[1] - 1).astype(np.float64)[:, None]


def measured(model: Any, arrays: Any, n_bytes: int, mode: str) -> dict[str, Any]:
    """Size and time of what is deployed, plain JSON.

    Parameters
    ----------
    model : Portfolio
    arrays : TableArrays
        Some rows.
    n_bytes : int
        In a model folder.
    """
    few = arrays.take(np.resize(np.arange(len(arrays.numeric)), 1_000))
    model.outputs(few.take(np.arange(1)))
    times = [_seconds(model, few.take(np.array([k]))) for k in range(ONE_ROW)]
    return {
        "mode": mode,
        "models": sum(len(model.bagged[name].models) for name in model.used),
        "kinds": model.used,
        "megabytes": n_bytes / 1e6,
        "milliseconds_one_row": 1e3 * float(np.median(times)),
        "milliseconds_per_row_of_1000": _seconds(model, few),
    }


def deployment_notes(deployed: Mapping[str, Any]) -> list[str]:
    """Say in sentences what :func:`measured` and :func:`distilled` found.

    >>> told = {"mode": "folds", "models": 8, "megabytes": 2.0, "milliseconds_one_row": 3.0, "milliseconds_per_row_of_1000": 0.5}
    >>> deployment_notes(told)
    ['Predicted by the 8 models of the folds: 2.0 MB, 3.0 ms for one row, 0.500 ms per row of 1,000.']
    """
    n = deployed["models"]
    many = f"{n} model{'s' if n != 1 else ''}"
    who = {
        "folds": f"the {many} of the folds",
        "refit": f"{many} fitted once on all rows",
        "distill": "one network that has learned from the portfolio",
    }
    size = deployed["megabytes"]
    told = f"{size:,.1f} MB" if size >= 0.1 else f"{1e3 * size:.0f} kB"
    found = [
        f"Predicted by {who[deployed['mode']]}: {told}, {deployed['milliseconds_one_row']:.1f} ms for "
        f"one row, {deployed['milliseconds_per_row_of_1000']:.3f} ms per row of 1,000."
    ]
    if deployed["mode"] == "refit":
        found.append("Skill on held-out rows is that of the folds' models; the models fitted again have seen all rows.")
    if deployed["mode"] == "distill":
        lost = [own["lost"] for own in deployed["tasks"].values() if own["lost"] is not None]
        mean = f"{100 * float(np.mean(lost)):.1f} points of skill, mean over the tasks" if lost else "undefined"
        found.append(
            f"What distilling loses: {mean}, on held-out rows of one fold; measured by a network taught by that fold's models. "
            "All other scores of held-out rows, and what they are predicted from, are those of the portfolio."
        )
    return found


def _student(
    network: MultiTaskNetwork, data: LearningData, rows: Array, outputs: Mapping[str, Array], *, seed: int, until: float
) -> FoldModel:
    """A network of copies of these rows; ``outputs`` are of these rows."""
    rng, slices = np.random.default_rng(seed), data.labels.slices
    copies = np.tile(rows, COPIES)
    target, weight = data.labels.target[copies].copy(), data.weight[copies].copy()
    for task in data.labels.tasks:
        part, n = slices[task.name], len(rows)
        observed = data.weight[rows, part] > 0
        mean = float(data.weight[rows, part][observed].mean()) if observed.any() else 0.0
        for copy in range(COPIES):
            own = slice(copy * n, (copy + 1) * n)
            labels = drawn_labels(task, outputs[task.name], rng)
            keep = observed if copy == 0 else np.zeros_like(observed)
            target[own, part] = np.where(keep, target[own, part], labels)
            weight[own, part] = np.where(keep, weight[own, part], np.where(observed, weight[own, part], mean))
    groups = copies if data.groups is None else np.asarray(data.groups)[copies]  # copies stay together in inner splits
    times = None if data.times is None else data.times.of_rows(copies)
    table = CodedTable(data.table.arrays.take(copies), data.table.cardinalities)
    made = LearningData(table, replace(data.labels, target=target), weight, groups, times)
    own_network = clone(network)
    if np.isfinite(until):
        own_network.set_params(time_limit=max(until - time.monotonic(), 0.5))
    return fit_on_rows(own_network, made, np.arange(len(copies)), seed=seed)


def _single(name: str, model: FoldModel, together: bool, started: float) -> Bagged:
    return Bagged(name, together, [model], seconds=time.monotonic() - started, is_whole=True)


def _skill(task: FittedTask, outputs: Array, data: LearningData, part: slice, rows: Array) -> tuple[float | None, int]:
    """Skill on rows, and how many of them score."""
    target, weight = data.labels.target[rows, part], data.weight[rows, part].max(axis=1)
    losses, constant = task.row_losses(outputs, target), task.row_losses(task.constant_outputs(len(rows)), target)
    seen = ~np.isnan(losses) & (weight > 0)
    base = float(weight[seen] @ constant[seen]) if seen.any() else 0.0
    return 1 - float(weight[seen] @ losses[seen]) / base if base > 0 else None, int(seen.sum())


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _seconds(model: Any, arrays: Any) -> float:
    started = time.perf_counter()
    model.outputs(arrays)
    return time.perf_counter() - started
