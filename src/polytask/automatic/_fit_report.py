"""What a fit tells: plain JSON, of which the report is made."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

import polytask
from polytask.automatic._roles import Roles
from polytask.automatic._task_scores import observed_rows
from polytask.balancing import Equal
from polytask.estimators import MultiTaskNetwork, column_weights, zero_shares
from polytask.optim import regularizers_of
from polytask.training import epochs_of_stops

if TYPE_CHECKING:
    from polytask.automatic._portfolio import Portfolio
    from polytask.automatic._portfolio_model import PortfolioModel
    from polytask.automatic._predictor import MultiTaskPredictor

Array = np.ndarray[Any, np.dtype[Any]]


def fit_report(
    predictor: MultiTaskPredictor, frame: pd.DataFrame, roles: Roles, *, learn: Array, seconds: float, facts: dict[str, Any]
) -> dict[str, Any]:
    """Tell what a fitted predictor learned and how; see docs/report.md for the fields.

    Parameters
    ----------
    predictor : MultiTaskPredictor
    frame : DataFrame of shape (n, any)
        The whole table.
    roles : Roles
        Of the same rows.
    learn : int array
        Positions of all but test rows.
    seconds : float
    facts : dict
        More to tell, which goes before what is found here.
    """
    model = predictor.model_
    is_network = isinstance(model, MultiTaskNetwork)
    own = network_facts(model) if is_network else portfolio_facts(model)
    skills = own.pop("skills")
    usable = observed_rows(roles.labels, roles.weight, list(roles.labels.columns))[learn]
    chosen = model.validation_rows_ if is_network else np.setdiff1d(model.held_rows_, model.training_rows_)
    trained = np.isin(np.arange(len(learn)), model.training_rows_)
    kept = trained | np.isin(np.arange(len(learn)), chosen) | ~usable  # all but those that are left out, as in a gap
    tasks: dict[str, Any] = {}
    for k, task in enumerate(model.tasks_):
        seen = observed_rows(roles.labels, roles.weight, task.columns)[learn]
        tasks[task.name] = {
            "kind": task.kind,
            "reason": roles.reasons[task.name],
            "columns": list(task.columns),
            "classes": list(task.labels),
            "n_observed": int((seen & kept).sum()),
            "n_missing": int((~seen & kept).sum()),
            "n_train": int((seen & trained).sum()),
            "validation": {"skill": None if np.isnan(skills[k]) else float(skills[k])},
        }
    for skipped in predictor.skipped_:
        tasks[skipped.name] = {"kind": "", "columns": list(skipped.columns), "left_out": skipped.reason}
    settings = {key: repr(value) for key, value in model.get_params(deep=False).items() if key != "tasks"}
    told: dict[str, Any] = {"targets": [str(target) for target in predictor.targets]}
    told |= {name: getattr(predictor, name) for name in ("ignore", "group", "split", "task_by", "time", "weight", "seed")}
    told |= {"preset": predictor.preset_, "time_limit": predictor.time_limit}
    told["gap"] = str(predictor.gap) if predictor.time else None
    for name, given in (("losses", predictor.losses), ("class_weights", predictor.class_weights)):
        if given:
            told[name] = {target: str(value) for target, value in given.items()}
    return {
        "format": "polytask.fit",
        "version": 1,
        "polytask": polytask.__version__,
        "n_rows": len(frame),
        "n_test": len(frame) - len(learn),
        "n_validation": len(chosen),
        "n_unlabelled": int((~usable).sum()),
        "n_left_out": int((~kept).sum()),
        "tasks": tasks,
        "inputs": [
            {"name": c.name, "kind": c.kind, "reason": c.reason, "n_missing": c.n_missing, "n_unique": c.n_unique}
            for c in model.codec_.columns
        ],
        "seconds": seconds,
        "settings": settings | told | ({"steps done": own["steps"]} if is_network else {}),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "threads": predictor.threads or torch.get_num_threads(),
        },
        "notes": [],
        "study": None if predictor.study_ is None else predictor.study_.to_dict(),
        **own,
        **facts,
    }


def network_facts(model: MultiTaskNetwork) -> dict[str, Any]:
    """What is told of one network; ``skills`` are the validation skills of its tasks."""
    network = model.network_
    train, skill = network.curves["train"], network.curves["skill"]
    return {
        "skills": skill[network.best_epoch - 1],
        "n_train": model.n_train_,
        "mean_skill": _number(model.optimistic_skill_),
        "epochs": len(train),
        "best_epoch": network.best_epoch,
        "ended_by": network.ended_by,
        "steps": network.steps,
        "model": {"parameters": sum(p.numel() for p in network.module.parameters())},
        "curves": {
            task.name: [[e + 1, _number(train[e, k]), _number(skill[e, k])] for e in range(len(train))]
            for k, task in enumerate(model.tasks_)
        },
        **_sharing_facts(model),
        **_balancing_facts(model),
        **_sparsity_facts(model),
        "notes": [],
        **_stopping_facts(model),
    }


def _stopping_facts(model: MultiTaskNetwork) -> dict[str, Any]:
    """After which epoch each task stopped by its own skill, where that was asked for."""
    if model.stopping != "per_task" or model.patience is None:
        return {}
    skills, names = model.network_.curves["skill"], [task.name for task in model.tasks_]
    epochs = epochs_of_stops(torch.as_tensor(skills), patience=model.patience)
    found = dict(zip(names, epochs, strict=True))
    told = [f"{name} after epoch {epoch}" for name, epoch in found.items() if epoch is not None]
    went_on = [name for name, epoch in found.items() if epoch is None]
    note = f"Stopped by their own skill: {', '.join(told) or 'no task'}."
    if told and went_on:
        note += f" To the end went {', '.join(went_on)}."
    return {"stopping": {"stopped": found}, "notes": [note]}


def _sharing_facts(model: MultiTaskNetwork) -> dict[str, Any]:
    """How much each task uses each part of what is shared, where there are gates or stitches."""
    network = model.network_
    if network.task_weights is None:
        return {}
    names, found = [task.name for task in network.tasks], network.task_weights
    weights = {name: [_number(value) for value in own] for name, own in zip(names, found.values, strict=True)}
    return {"sharing": {"architecture": repr(network.sharing), "parts": found.parts, "weights": weights}}


def _sparsity_facts(model: MultiTaskNetwork) -> dict[str, Any]:
    """What a regularization that makes zeros has left: share of zeros in each part, columns that are read, and their weights."""
    if not any(own.sparse for own in regularizers_of(model.regularization)):
        return {}
    network, codec = model.network_, model.codec_
    columns = column_weights(network, [*codec.numeric_names, *codec.categorical_names, *codec.text_names])
    weights = None if columns is None else {name: _number(norm) for name, norm in columns.items()}
    return {"sparsity": {"zeros": zero_shares(network), "kept_columns": network.kept_columns, "columns": weights}}


def _balancing_facts(model: MultiTaskNetwork) -> dict[str, Any]:
    """How the tasks were balanced, where that was asked for: weights and conflicts per epoch, cosines over the run."""
    network = model.network_
    if network.method is None or isinstance(network.method, Equal) or len(network.tasks) < 2:
        return {}
    names, weights = [task.name for task in network.tasks], network.curves["weights"]
    told: dict[str, Any] = {
        "method": repr(network.method),
        **({"experimental": True} if network.method.is_experimental else {}),
        "at": model.balance_at if network.method.compares_gradients else None,
        "weights": {name: [_number(value) for value in weights[:, k]] for k, name in enumerate(names)},
    }
    if network.cosines is not None:
        told["conflict"] = [_number(value) for value in network.curves["conflict"]]
        told["cosines"] = {
            name: {other: _number(network.cosines[k, m]) for m, other in enumerate(names)} for k, name in enumerate(names)
        }
    return {"balancing": told}


def portfolio_facts(model: PortfolioModel) -> dict[str, Any]:
    """What is told of a portfolio; ``skills`` are those of the mixtures, cross-fitted."""
    portfolio = model.portfolio_
    skills = np.array([portfolio.ensembles[task.name].skill for task in model.tasks_])
    joint = portfolio.joint_weight()
    return {
        "skills": skills,
        "n_train": model.n_train_,
        "n_folds": len(model.splits_),
        "mean_skill": _number(np.nanmean(skills)) if np.isfinite(skills).any() else None,
        "validation": "cross-fitted",
        "ended_by": portfolio.ended_by,
        "model": {"members": sum(len(portfolio.bagged[name].models) for name in portfolio.used)},
        "leaderboard": [
            {name: _plain(value) for name, value in row.items()} for row in portfolio.leaderboard().to_dict("records")
        ],
        "left_out_models": portfolio.left_out,
        "joint_weight": joint,
        "apart": {name: _number(skill) for name, skill in model.apart_.items()},
        "notes": _notes(portfolio),
    }


def _notes(portfolio: Portfolio) -> list[str]:
    told = list(portfolio.notes)
    if portfolio.ended_by == "time":
        told.append("The time limit left models out or made them smaller, so another run may give other numbers.")
    return told


def _plain(value: Any) -> Any:
    """A cell of a frame as JSON."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
