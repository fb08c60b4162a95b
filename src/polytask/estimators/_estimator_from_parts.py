"""A fitted estimator from the parts of a model folder."""

from collections.abc import Collection
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor

from polytask.estimators._best_per_task import BestPerTask, TwinModel
from polytask.estimators._booster_model import BoosterModel
from polytask.estimators._candidates import PLAIN_MODELS
from polytask.estimators._ensemble_parts import ENSEMBLES, ensemble_from_parts, ensemble_of_settings
from polytask.estimators._forest_arrays import forest_of_arrays
from polytask.estimators._matrix import TableMatrix
from polytask.estimators._network_parts import network_from_parts, network_of_settings, restore_table, trained_from_parts
from polytask.estimators._per_task import PerTaskEstimator, TaskModel
from polytask.exceptions import ModelFolderError
from polytask.storage import Folder
from polytask.tasks import fitted_task_from_dict, fixed_task

_BOOSTERS: dict[str, type] = {"LGBMRegressor": LGBMRegressor, "LGBMClassifier": LGBMClassifier}


def estimator_from_parts(folder: Folder, *, kind: str | None = None, place: str = "", classes: Collection[type] = ()) -> Any:
    """Make a fitted estimator from the files of a model folder.

    Parameters
    ----------
    folder : Folder
    kind : {"network", "per_task", "best_per_task", "averaging", ...}, optional
        By default what the manifest says.
    place : str
        What the names of the files begin with.
    classes : collection of type
        The user's own classes, of modules and of scikit-learn estimators; his loss functions and metrics too.

    Raises
    ------
    ModelFolderError
        If the folder holds something else, or is not complete.
    """
    kind = kind or folder.manifest.kind
    if kind == "network":
        return network_from_parts(folder, place=place, classes=classes)
    if kind not in ("per_task", "best_per_task", *ENSEMBLES):
        if kind == "predictor":
            raise ModelFolderError(f"{str(folder.path)!r} holds a predictor, not an estimator; use `polytask.load`.")
        raise ModelFolderError(f"{str(folder.path)!r} holds a {kind!r}, which this version does not know. Upgrade polytask.")
    content = folder.json(f"{place}estimator.json")
    try:
        return _separate(folder, kind, place, content, classes)
    except ModelFolderError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, StopIteration) as error:
        raise ModelFolderError(
            f"The estimator in {str(folder.path)!r} is not complete ({type(error).__name__}: {error}). Save the model again."
        ) from error


def _separate(folder: Folder, kind: str, place: str, content: Any, classes: Collection[type]) -> Any:
    if kind in ENSEMBLES:
        return ensemble_from_parts(
            content,
            kind,
            place=place,
            folder=folder,
            template=lambda entry: _template(folder, entry, classes),
            task_model=lambda entry, where: task_model_from_parts(folder, entry, where, classes),
            own=classes,
        )
    model = _of_settings(folder, kind, content["settings"], classes)
    restore_table(model, content)
    entries = content["models"]
    model.models_ = {
        entry["name"]: task_model_from_parts(folder, entry, f"{place}models/{k}/", classes) for k, entry in enumerate(entries)
    }
    model.tasks_ = [own.fitted_task_ if hasattr(own, "fitted_task_") else own.tasks_[0] for own in model.models_.values()]
    model.tasks = [fixed_task(task) for task in model.tasks_]
    if kind == "best_per_task":
        model.chosen_ = content["chosen"]
        model.selection_skills_ = {
            name: {task: -np.inf if skill is None else skill for task, skill in skills.items()}
            for name, skills in content["selection_skills"]
        }
    return model


def task_model_from_parts(folder: Folder, entry: Any, place: str, classes: Collection[type]) -> Any:
    """Make the model of one task that :func:`task_model_parts` wrote."""
    if entry["type"] == "estimator":
        return estimator_from_parts(folder, kind=entry["kind"], place=place, classes=classes)
    if entry["type"] == "twin":
        network = trained_from_parts(folder, place=place, classes=classes)
        return TwinModel(network, next(task for task in network.tasks if task.name == entry["name"]))
    task = fitted_task_from_dict(entry["task"], own=classes)
    model = TaskModel(task, None)
    model.fitted_task_ = task
    model.matrix_ = TableMatrix.restore(entry["matrix"], folder.arrays(f"{place}matrix.safetensors"))
    model.shifts_ = [float(shift) for shift in entry.get("shifts", [0.0] * len(entry["columns"]))]
    model.models_ = [_column_model(folder, own, f"{place}{k}", classes) for k, own in enumerate(entry["columns"])]
    return model


def _column_model(folder: Folder, entry: Any, place: str, classes: Collection[type]) -> Any:
    if entry is None:
        return None
    if entry["type"] == "estimator":
        return estimator_from_parts(folder, kind=entry["kind"], place=f"{place}/", classes=classes)
    if entry["type"] == "lightgbm":
        return BoosterModel(folder.lightgbm(f"{place}.txt"), classes=entry["classes"], prediction=entry["prediction"])
    if entry["type"] == "forest":
        where = f"{place}.safetensors of {str(folder.path)!r}"
        return forest_of_arrays(entry, folder.arrays(f"{place}.safetensors"), where=where)
    if entry["type"] == "plain":
        model = PLAIN_MODELS[entry["class"]](**entry["parameters"])
        model.state_ = dict(folder.arrays(f"{place}.safetensors"))
        model.models_ = {name: _column_model(folder, own, f"{place}.{name}", classes) for name, own in entry["models"].items()}
        return model
    return folder.skops(f"{place}.skops", trusted=_types(classes))


def _of_settings(folder: Folder, kind: str, settings: Any, classes: Collection[type]) -> Any:
    """An estimator of this room with its parameters, not fitted."""
    if kind == "network":
        return network_of_settings(settings, classes=classes)
    if kind in ENSEMBLES:
        return ensemble_of_settings(kind, settings, template=lambda entry: _template(folder, entry, classes))
    if kind == "per_task":
        return PerTaskEstimator(_template(folder, settings["estimator"], classes))
    candidates = settings["candidates"]
    if candidates is not None:
        candidates = {name: _template(folder, content, classes) for name, content in candidates}
    return BestPerTask(candidates, selection=settings["selection"], random_state=settings["random_state"])


def _template(folder: Folder, content: Any, classes: Collection[type]) -> Any:
    if content["type"] == "by_kind":
        return {name: _template(folder, own, classes) for name, own in content["estimators"].items()}
    if content["type"] == "estimator":
        return _of_settings(folder, content["kind"], content["settings"], classes)
    if content["type"] == "lightgbm":
        return _BOOSTERS[content["class"]](**content["parameters"])
    if content["type"] == "plain":
        return PLAIN_MODELS[content["class"]](**content["parameters"])
    return folder.skops(content["file"], trusted=_types(classes))


def _types(classes: Collection[Any]) -> list[type]:
    """The classes among what the user gave."""
    return [given for given in classes if isinstance(given, type)]
