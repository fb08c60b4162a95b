"""What a fit tells: plain JSON, of which the report is made."""

import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

import polytask
from polytask.automatic._roles import Roles
from polytask.automatic._task_scores import observed_rows

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor

Array = np.ndarray[Any, np.dtype[Any]]


def fit_report(
    predictor: "MultiTaskPredictor", frame: pd.DataFrame, roles: Roles, *, learn: Array, seconds: float, facts: dict[str, Any]
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
    model, network = predictor.network_, predictor.network_.network_
    skills = network.curves["skill"][network.best_epoch - 1]
    tasks: dict[str, Any] = {}
    for k, task in enumerate(model.tasks_):
        seen = observed_rows(roles.labels, roles.weight, task.columns)[learn]
        tasks[task.name] = {
            "kind": task.kind,
            "reason": roles.reasons[task.name],
            "columns": list(task.columns),
            "classes": list(task.labels),
            "n_observed": int(seen.sum()),
            "n_missing": int((~seen).sum()),
            "validation": {"skill": None if np.isnan(skills[k]) else float(skills[k])},
        }
    for skipped in predictor.skipped_:
        tasks[skipped.name] = {"kind": "", "columns": list(skipped.columns), "left_out": skipped.reason}
    train, skill = network.curves["train"], network.curves["skill"]
    curves = {
        task.name: [[e + 1, _number(train[e, k]), _number(skill[e, k])] for e in range(len(train))]
        for k, task in enumerate(model.tasks_)
    }
    settings = {key: repr(value) for key, value in model.get_params(deep=False).items() if key != "tasks"}
    told: dict[str, Any] = {"targets": [str(target) for target in predictor.targets]}
    told |= {name: getattr(predictor, name) for name in ("ignore", "group", "split", "task_by", "time", "weight", "seed")}
    told["gap"] = str(predictor.gap) if predictor.time else None
    for name, given in (("losses", predictor.losses), ("class_weights", predictor.class_weights)):
        if given:
            told[name] = {target: str(value) for target, value in given.items()}
    return {
        "format": "polytask.fit",
        "version": 1,
        "polytask": polytask.__version__,
        "n_rows": len(frame),
        "n_train": model.n_train_,
        "n_validation": model.n_validation_,
        "n_test": len(frame) - len(learn),
        "mean_skill": _number(model.optimistic_skill_),
        "tasks": tasks,
        "inputs": [
            {"name": c.name, "kind": c.kind, "reason": c.reason, "n_missing": c.n_missing, "n_unique": c.n_unique}
            for c in model.codec_.columns
        ],
        "epochs": len(train),
        "best_epoch": network.best_epoch,
        "ended_by": network.ended_by,
        "steps": network.steps,
        "seconds": seconds,
        "model": {"parameters": sum(p.numel() for p in network.module.parameters())},
        "curves": curves,
        "settings": settings | told | {"steps done": network.steps},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "threads": predictor.threads or torch.get_num_threads(),
        },
        "notes": [],
        "study": None if predictor.study_ is None else predictor.study_.to_dict(),
        **facts,
    }


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
