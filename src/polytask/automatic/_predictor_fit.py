"""Fitting a predictor: from a table to a model, its scores and its report."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

import polytask
from polytask._reworded import reworded
from polytask.automatic._audience import in_parameters
from polytask.automatic._clock import Clock
from polytask.automatic._deploy import deployment_notes
from polytask.automatic._fit_report import fit_report
from polytask.automatic._portfolio_fit import TrainingRows, divided_rows, fit_portfolio_model
from polytask.automatic._portfolio_model import PortfolioModel, machine_slowness
from polytask.automatic._predictor_checks import check_options
from polytask.automatic._predictor_scores import diagnose, evaluated, score_validation
from polytask.automatic._presets import TIME_LIMITS
from polytask.automatic._roles import Roles, divide_table, warn_of_copies
from polytask.automatic._run_folder import RunFolder
from polytask.automatic._skipped import SkippedTask
from polytask.automatic._study_run import all_column_kinds, as_gap, study_as_run, study_of
from polytask.automatic._task_scores import observed_rows
from polytask.automatic._time_spent import tell_time
from polytask.automatic._torch_threads import TorchThreads
from polytask.data import to_pandas
from polytask.estimators import Bagged, MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.storage import fingerprint
from polytask.training import EpochRecord

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor

Array = np.ndarray[Any, np.dtype[Any]]


def fit_predictor(
    predictor: MultiTaskPredictor,
    data: Any,
    *,
    warm_start: bool = False,
    run_folder: Any = None,
    resume: bool = False,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    on_model: Callable[[str, Bagged | None], None] | None = None,
    facts: dict[str, Any] | None = None,
    started: float | None = None,
) -> None:
    """Divide the table, fit the model, score it and tell all that in ``report_``; see :meth:`MultiTaskPredictor.fit`."""
    clock_started = clock.monotonic() if started is None else started
    began = clock.monotonic()
    check_options(predictor)
    frame = to_pandas(data)
    roles = roles_of(predictor, frame)
    warn_of_copies(roles)
    train, reserved, test = divided_rows(roles, len(frame), split=predictor.split, group=predictor.group, time=predictor.time)
    rows = TrainingRows.of(roles, train, reserved, gap=as_gap(predictor.gap))
    if resume and run_folder is None:
        raise OptionError("`resume` needs a `run_folder` to go on from; got none.")
    run = None if run_folder is None else RunFolder(run_folder)
    model: Any = MultiTaskNetwork(**_network_settings(predictor, roles.tasks))
    marks = _fingerprints(predictor, frame, model)
    checkpoint = None if run is None else run.open(marks, resume=resume)
    if predictor.preset_ == "network":
        if warm_start:
            raise OptionError("`warm_start` adds models to a portfolio; preset 'network' has one model. Use another preset.")
        with TorchThreads(predictor.threads):
            model.fit(rows.inputs, rows.labels, **rows.settings, on_epoch=on_epoch, checkpoint=checkpoint)
        ended: dict[str, Any] = {"ended_by": model.network_.ended_by, "steps": model.network_.steps}
    else:
        limit = TIME_LIMITS[predictor.preset_] if predictor.time_limit is None else predictor.time_limit
        earlier = _earlier(predictor, marks) if warm_start else None
        model = fit_portfolio_model(
            rows,
            roles.tasks,
            preset=predictor.preset_,
            network=model,
            seed=int(predictor.seed),
            threads=predictor.threads,
            clock=Clock(limit, clock_started),
            run=run,
            earlier=earlier,
            on_model=on_model,
            deploy=predictor.deploy,
        )
        ended = {"ended_by": model.portfolio_.ended_by, "steps": 0}
    if isinstance(model, PortfolioModel):
        spent = {"limit": limit, "given": predictor.time_limit is not None, "before": began - clock_started}
        spent |= {"models": model.portfolio_.seconds, "busy": machine_slowness()}
    if run is not None:
        run.note_ending(**ended)
    predictor.model_, predictor._marks = model, marks
    predictor.target_columns_ = [column for column in frame.columns if column in roles.label_columns]
    chosen, outputs = _validation(predictor)
    predictor.makers_ = roles.makers.with_constants(frame, train[predictor.model_.training_rows_], roles.weight)
    predictor.skipped_ = [SkippedTask.of(name, labels, roles.skipped[name]) for name, labels in roles.skipped_labels.items()]
    predictor.order_ = roles.order
    study = predictor._given_study or study_of(predictor)
    predictor.study_ = None if study is None else study_as_run(study, preset=predictor.preset_, **ended)
    predictor.report_ = fit_report(predictor, frame, roles, learn=train, seconds=clock.monotonic() - began, facts=facts or {})
    if isinstance(model, PortfolioModel) and model.importance_ is not None:
        predictor.report_["importance"] = model.importance_
    if isinstance(model, PortfolioModel) and model.deployed_ is not None:
        predictor.report_["deployed"] = model.deployed_ | {"told": deployment_notes(model.deployed_)}
    score_validation(predictor, frame.iloc[train[chosen]], outputs)
    if len(test) and observed_rows(roles.labels, roles.weight, [*roles.labels.columns])[test].any():
        predictor.report_["test"] = evaluated(predictor, frame.iloc[test])
    elif len(test):
        predictor.report_["notes"].append(f"The {len(test)} test rows have no labels, so nothing was scored on them.")
    if "test" in predictor.report_:
        diagnose(predictor, frame.iloc[test], "test")
    else:
        diagnose(predictor, frame.iloc[train[chosen]], "validation" if outputs is None else "held_out", outputs)
    if isinstance(model, PortfolioModel):
        predictor.report_["time_spent"] = spent
        total, in_python = clock.monotonic() - clock_started, predictor._given_study is None
        tell_time(predictor.report_, total=total, in_python=in_python)


def _network_settings(predictor: MultiTaskPredictor, tasks: Sequence[Any]) -> dict[str, Any]:
    """Parameters of the network: those given, and what this predictor sets."""
    settings = (predictor.network or MultiTaskNetwork()).get_params(deep=False)
    settings |= {"tasks": list(tasks), "random_state": predictor.seed, "device": predictor.device}
    settings["column_kinds"] = all_column_kinds(predictor) or None
    settings["max_steps"] = settings["max_steps"] if predictor.max_steps is None else predictor.max_steps
    if predictor.time_limit is not None and predictor.preset_ == "network":
        settings["time_limit"] = predictor.time_limit
    return settings


def _earlier(predictor: MultiTaskPredictor, marks: dict[str, str]) -> PortfolioModel | None:
    """The fitted portfolio to which models are added."""
    model = getattr(predictor, "model_", None)
    if not isinstance(model, PortfolioModel):
        return None
    if not hasattr(predictor, "_marks"):
        raise OptionError("`warm_start` needs what a fit of this process found; this predictor was loaded. Fit it anew.")
    for what in ("data", "options"):
        if predictor._marks[what] != marks[what]:
            raise OptionError(
                f"`warm_start` adds models to the fitted ones, but the {what} differ from theirs. "
                "Give the same, or fit anew without warm_start."
            )
    return model


def _validation(predictor: MultiTaskPredictor) -> tuple[Array, dict[str, Array] | None]:
    """Positions, among the rows learned from, of rows that score the model, and their outputs if models that have not seen
    them gave them; None where the model itself predicts them."""
    if isinstance(predictor.model_, PortfolioModel):
        return predictor.model_.held_rows_, predictor.model_.held_outputs()
    return predictor.model_.validation_rows_, None


def roles_of(predictor: MultiTaskPredictor, frame: pd.DataFrame) -> Roles:
    """Which column of a table is what, as a predictor was told."""
    with reworded(in_parameters if predictor._given_study is None else str):
        return divide_table(
            frame,
            targets=predictor.targets,
            ignore=predictor.ignore,
            group=predictor.group,
            split=predictor.split,
            weight=predictor.weight,
            task_by=predictor.task_by,
            time=predictor.time,
            losses=predictor.losses,
            class_weights=predictor.class_weights,
            metrics=predictor.metrics,
            column_kinds=all_column_kinds(predictor),
            unlearnable=predictor.unlearnable,
        )


def _fingerprints(predictor: MultiTaskPredictor, frame: pd.DataFrame, model: MultiTaskNetwork) -> dict[str, str]:
    """What must be the same for a run to go on with the same numbers."""
    options = {key: repr(value) for key, value in model.get_params().items() if key not in ("time_limit", "max_steps")}
    roles = [
        predictor.targets,
        predictor.ignore,
        predictor.group,
        predictor.split,
        predictor.weight,
        predictor.task_by,
        predictor.unlearnable,
        predictor.time,
    ]
    roles += [str(predictor.gap)] if predictor.time is not None else []
    roles += [predictor.preset_] if predictor.preset_ != "network" else []
    return {
        "data": fingerprint(frame),
        "options": fingerprint(options, repr(roles)),
        "versions": f"polytask {polytask.__version__}, torch {torch.__version__}, numpy {np.__version__}",
        "threads": str(predictor.threads or torch.get_num_threads()),
    }
