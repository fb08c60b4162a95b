"""A fitted ensemble as parts of a model folder, and back."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from polytask.estimators._averaging import AveragingEstimator
from polytask.estimators._bagged import AloneModels, NetworkModel
from polytask.estimators._bagging import BaggingEstimator
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._booster_model import BoosterModel
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._fold_models import (
    ChainModel,
    ColumnsModel,
    JoinedModels,
    MadeOfModels,
    MixtureModel,
    SideBySide,
    StackModel,
)
from polytask.estimators._greedy_ensemble import GreedyEnsemble
from polytask.estimators._joint_trees_model import JointTreesModel
from polytask.estimators._labels import declared_tasks
from polytask.estimators._multi_task_boosting import MultiTaskBoosting
from polytask.estimators._multi_task_catboost import MultiTaskCatBoost
from polytask.estimators._multi_task_forest import MultiTaskForest
from polytask.estimators._network_parts import plain_seed, restore_table, table_content, trained_from_parts, trained_parts
from polytask.estimators._stacked_across_tasks import StackedAcrossTasks
from polytask.estimators._stacked_rows_boosting import StackedRowsBoosting
from polytask.estimators._stacked_rows_model import StackedRowsModel
from polytask.estimators._stacking import StackingEstimator
from polytask.estimators._voting import HardVotes, RankVotes, VotingEstimator
from polytask.exceptions import ModelFolderError
from polytask.storage import Folder, JSONPart, LightGBMPart, Part, TensorsPart
from polytask.tasks import Task, fitted_task_from_dict, fixed_task

Content = dict[str, Any]
Parts = dict[str, Part]

ENSEMBLES: dict[str, type[Ensemble]] = {
    "averaging": AveragingEstimator,
    "voting": VotingEstimator,
    "greedy": GreedyEnsemble,
    "bagging": BaggingEstimator,
    "stacking": StackingEstimator,
    "stacked_across_tasks": StackedAcrossTasks,
    "forest": MultiTaskForest,
    "boosting": MultiTaskBoosting,
    "catboost": MultiTaskCatBoost,
    "stacked_rows_boosting": StackedRowsBoosting,
}
_MADE_OF_MODELS: dict[str, type[MadeOfModels]] = {
    "joined": JoinedModels,
    "side_by_side": SideBySide,
    "mixture": MixtureModel,
    "stack": StackModel,
    "chain": ChainModel,
    "columns": ColumnsModel,
    "hard_votes": HardVotes,
    "rank_votes": RankVotes,
    "joint_trees": JointTreesModel,
    "stacked_rows": StackedRowsModel,
}
_ESTIMATORS = ("estimator", "final_estimator")  # parameters that hold one; `estimators` holds several by name


def ensemble_parts(model: Ensemble, *, place: str, template: Any, task_model: Any) -> Parts:
    """Files of a fitted ensemble.

    Parameters
    ----------
    model : Ensemble
    place : str
        What the names of the files begin with.
    template : callable
        An unfitted estimator, its owner in words and a place, to JSON and files.
    task_model : callable
        A fitted model of one task, its name and a place, to JSON and files.
    """
    entry, parts = fold_model_parts(model.model_, place=f"{place}model/", task_model=task_model)
    settings, settings_parts = ensemble_settings(model, place=f"{place}settings", template=template)
    content = {
        "settings": settings,
        **table_content(model),
        "tasks": [task.to_dict() for task in model.tasks_],
        "told": {name: _plain(getattr(model, name)) for name in model.told},
        "model": entry,
    }
    return {f"{place}estimator.json": JSONPart(content), **parts, **settings_parts}


def ensemble_from_parts(
    content: Content, kind: str, *, place: str, folder: Folder, template: Any, task_model: Any, own: Any
) -> Ensemble:
    """Make a fitted ensemble; the callables are the inverse ones of :func:`ensemble_parts`, ``own`` the user's classes."""
    model = ensemble_of_settings(kind, content["settings"], template=template)
    restore_table(model, content)
    model.tasks_ = [fitted_task_from_dict(values, own=own) for values in content["tasks"]]
    model.tasks = [fixed_task(task) for task in model.tasks_]
    for name in model.told:
        setattr(model, name, _numbers(content["told"][name]))
    model.model_ = fold_model_from_parts(content["model"], folder, place=f"{place}model/", task_model=task_model, own=own)
    model._name_classes()
    return model


def ensemble_settings(model: Ensemble, *, place: str, template: Any) -> tuple[Content, Parts]:
    """Parameters of an ensemble as JSON and files; a splitter is left at the default."""
    content: Content = {}
    parts: Parts = {}
    for name, value in model.get_params(deep=False).items():
        if name == "tasks" or (hasattr(value, "split") and not isinstance(value, str)):
            continue
        if name == "estimators":
            content[name] = []
            for k, (key, own) in enumerate(value.items()):
                entry, files = template(own, f"estimator {key!r}", f"{place}/{k}")
                content[name].append([key, entry | _own_tasks(own)])
                parts |= files
        elif name in _ESTIMATORS and value is not None:
            content[name], files = template(value, f"`{name}`", f"{place}/{name}")
            parts |= files
        elif name == "random_state":
            content[name] = plain_seed(value)
        else:
            content[name] = value.item() if isinstance(value, np.generic) else value
    return content, parts


def ensemble_of_settings(kind: str, settings: Mapping[str, Any], *, template: Callable[[Any], Any]) -> Ensemble:
    """Make the unfitted ensemble of :func:`ensemble_settings`."""
    values = dict(settings)
    if "estimators" in values:
        values["estimators"] = {key: _with_tasks(template(entry), entry) for key, entry in values["estimators"]}
    for name in _ESTIMATORS:
        if values.get(name) is not None:
            values[name] = template(values[name])
    return ENSEMBLES[kind](**values)


def fold_model_parts(model: Any, *, place: str, task_model: Any) -> tuple[Content, Parts]:
    """JSON and files of a fitted model of several tasks."""
    if isinstance(model, AloneModels):
        entries: list[Content] = []
        parts: Parts = {}
        for k, (name, own) in enumerate(model.models.items()):
            entry, files = task_model(own, name, f"{place}{k}/")
            entries.append({"name": name, **entry})
            parts |= files
        return {"type": "alone", "models": entries}, parts
    if isinstance(model, NetworkModel):
        return {"type": "network"}, trained_parts(model.network, place=place)
    if isinstance(model, BoosterModel):
        return {"type": "lightgbm", "prediction": model.prediction}, {f"{place}model.txt": LightGBMPart(model.booster_)}
    kind = next((kind for kind, made in _MADE_OF_MODELS.items() if type(model) is made), None)
    if kind is None:
        raise ModelFolderError(f"A model folder cannot hold a {type(model).__name__}. Use another part of the ensemble.")
    arrays = model.arrays()
    content: Content = {"type": kind, **model.content(), "arrays": sorted(arrays), "models": []}
    parts = {f"{place}arrays.safetensors": TensorsPart(arrays)} if arrays else {}
    for k, own in enumerate(model.models):
        entry, files = fold_model_parts(own, place=f"{place}{k}/", task_model=task_model)
        content["models"].append(entry)
        parts |= files
    return content, parts


def fold_model_from_parts(content: Content, folder: Folder, *, place: str, task_model: Any, own: Any) -> Any:
    """Make the model of :func:`fold_model_parts` again."""
    if content["type"] == "alone":
        return AloneModels({entry["name"]: task_model(entry, f"{place}{k}/") for k, entry in enumerate(content["models"])})
    if content["type"] == "network":
        return NetworkModel(trained_from_parts(folder, place=place, classes=own))
    if content["type"] == "lightgbm":
        return BoosterModel(folder.lightgbm(f"{place}model.txt"), classes=None, prediction=content["prediction"])
    models = [
        fold_model_from_parts(entry, folder, place=f"{place}{k}/", task_model=task_model, own=own)
        for k, entry in enumerate(content["models"])
    ]
    arrays = folder.arrays(f"{place}arrays.safetensors") if content["arrays"] else {}
    values = {name: value for name, value in content.items() if name not in ("type", "arrays", "models")}
    if "tasks" in values:
        values["tasks"] = [fitted_task_from_dict(task, own=own) for task in values["tasks"]]
    return _MADE_OF_MODELS[content["type"]].restore(values, {name: arrays[name] for name in content["arrays"]}, models)


def _own_tasks(part: Any) -> Content:
    """Names of the tasks that a part of the ensemble declares."""
    given = declared_tasks(part.tasks) if isinstance(part, MultiTaskEstimator) else None
    return {} if given is None else {"tasks": [task.name if isinstance(task, Task) else str(task) for task in given]}


def _with_tasks(part: Any, entry: Content) -> Any:
    return part.set_params(tasks=entry["tasks"]) if "tasks" in entry else part


def _plain(value: Any) -> Any:
    """Numbers in dicts as JSON has them; NaN becomes None."""
    if isinstance(value, Mapping):
        return {name: _plain(own) for name, own in value.items()}
    return float(value) if np.isfinite(value) else None


def _numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _numbers(own) for name, own in value.items()}
    return float("nan") if value is None else value
