"""A fitted estimator as parts of a model folder."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMModel, LGBMRegressor
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._best_per_task import BestPerTask, TwinModel
from polytask.estimators._booster_model import BoosterModel, prediction_settings
from polytask.estimators._candidates import PLAIN_MODELS, PlainModel
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._ensemble_parts import ENSEMBLES, ensemble_parts, ensemble_settings
from polytask.estimators._forest_arrays import forest_arrays, is_forest
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._network_parts import network_parts, plain_seed, settings_content, table_content, trained_parts
from polytask.estimators._per_task import PerTaskEstimator, TaskModel
from polytask.exceptions import ModelFolderError
from polytask.storage import JSONPart, LightGBMPart, Part, SkopsPart, TensorsPart

Content = dict[str, Any]

_KINDS: dict[type, str] = {MultiTaskNetwork: "network", PerTaskEstimator: "per_task", BestPerTask: "best_per_task"}
_KINDS |= {made: kind for kind, made in ENSEMBLES.items()}
_OTHER_MODEL = "Use a model that it can hold: docs/model-folder.md names them."


def kind_of(model: Any) -> str:
    """What the manifest calls an estimator; raises :class:`ModelFolderError` for one that has no folder."""
    if type(model) not in _KINDS:
        names = ", ".join(kind.__name__ for kind in _KINDS)
        raise ModelFolderError(f"A model folder can hold one of {names}; got {type(model).__name__}. Save one of these.")
    return _KINDS[type(model)]


def estimator_parts(model: Any, *, place: str = "", classes: Collection[type] = ()) -> dict[str, Part]:
    """Files of a fitted estimator.

    Parameters
    ----------
    model : MultiTaskNetwork, PerTaskEstimator, BestPerTask or Ensemble
    place : str
        What the names of the files begin with, such as ``"models/0/"``.
    classes : collection of type
        The user's own scikit-learn classes.
    """
    kind = kind_of(model)
    check_is_fitted(model, "tasks_")
    if kind == "network":
        return network_parts(model, place=place)
    if isinstance(model, Ensemble):
        made: dict[str, Any] = {
            "template": lambda own, owner, where: _template(own, owner, where, classes),
            "task_model": lambda own, task, where: task_model_parts(own, task, where, classes),
        }
        return ensemble_parts(model, place=place, **made)
    settings, settings_parts = _settings(model, f"{place}settings", classes)
    parts: dict[str, Part] = {}
    content = {"settings": settings, **table_content(model), "models": []}
    if kind == "best_per_task":
        content["chosen"] = model.chosen_
        content["selection_skills"] = [
            [name, {task: float(skill) if np.isfinite(skill) else None for task, skill in skills.items()}]
            for name, skills in model.selection_skills_.items()
        ]
    for k, (name, own) in enumerate(model.models_.items()):
        entry, files = task_model_parts(own, name, f"{place}models/{k}/", classes)
        content["models"].append({"name": name, **entry})
        parts |= files
    # the models first, so that one that cannot be held is refused by the name of its task
    return {f"{place}estimator.json": JSONPart(content), **parts, **settings_parts}


def task_model_parts(model: Any, task: str, place: str, classes: Collection[type]) -> tuple[Content, dict[str, Part]]:
    """One entry of ``models`` and its files: a task learned alone, a twin of a network, or an estimator of this room."""
    if isinstance(model, TwinModel):
        return {"type": "twin"}, trained_parts(model.network, place=place)
    if not isinstance(model, TaskModel):
        return {"type": "estimator", "kind": kind_of(model)}, estimator_parts(model, place=place, classes=classes)
    columns: list[Content | None] = []
    parts: dict[str, Part] = {f"{place}matrix.safetensors": TensorsPart(model.matrix_.statistics())}
    for k, own in enumerate(model.models_):
        entry, files = _column_model(own, task, f"{place}{k}", classes)
        columns.append(entry)
        parts |= files
    content: Content = {"type": "alone", "task": model.fitted_task_.to_dict(), "matrix": model.matrix_.settings()}
    content |= {"columns": columns, "shifts": [float(shift) for shift in model.shifts_]}
    return content, parts


def _column_model(model: Any, task: str, place: str, classes: Collection[type]) -> tuple[Content | None, dict[str, Part]]:
    """The fitted estimator of one target column; None where the column had one value."""
    if model is None:
        return None, {}
    if isinstance(model, MultiTaskEstimator):
        return {"type": "estimator", "kind": kind_of(model)}, estimator_parts(model, place=f"{place}/", classes=classes)
    if _is_plain(model):
        return _plain_model(model, task, place, classes)
    owner = f"The {type(model).__name__} of task {task!r}"
    if isinstance(model, BoosterModel) or _is_lightgbm(model):
        codes = getattr(model, "classes_", None)
        prediction = model.prediction if isinstance(model, BoosterModel) else prediction_settings(model)
        content = {"type": "lightgbm", "classes": None if codes is None else codes.tolist(), "prediction": prediction}
        return content, {f"{place}.txt": _Booster(model, owner)}
    return {"type": "skops"}, {f"{place}.skops": _Estimator(model, classes, owner)}


def _plain_model(model: PlainModel, task: str, place: str, classes: Collection[type]) -> tuple[Content, dict[str, Part]]:
    """An estimator of this room: its parameters, its arrays, and the estimators of others that it holds."""
    parts: dict[str, Part] = {f"{place}.safetensors": TensorsPart(model.state_)}
    content: Content = {"type": "plain", "class": type(model).__name__, "parameters": _parameters(model), "models": {}}
    for name, own in model.models_.items():
        if is_forest(own):
            entry, arrays = forest_arrays(own)
            content["models"][name] = {"type": "forest", **entry}
            parts[f"{place}.{name}.safetensors"] = TensorsPart(arrays)
        else:
            content["models"][name], files = _column_model(own, task, f"{place}.{name}", classes)
            parts |= files
    return content, parts


def _settings(model: Any, place: str, classes: Collection[type]) -> tuple[Content, dict[str, Part]]:
    """Parameters of an estimator of this room, so that a loaded one can be cloned and fitted again."""
    if isinstance(model, MultiTaskNetwork):
        return settings_content(model), {}
    if isinstance(model, Ensemble):
        return ensemble_settings(model, place=place, template=lambda own, owner, where: _template(own, owner, where, classes))
    if isinstance(model, PerTaskEstimator):
        content, parts = _template(model.estimator, "`estimator`", place, classes)
        return {"estimator": content}, parts
    own: Content = {"candidates": None, "selection": model.selection, "random_state": plain_seed(model.random_state)}
    parts = {}
    if model.candidates is not None:
        own["candidates"] = []
        for k, (name, candidate) in enumerate(model.candidates.items()):
            content, files = _template(candidate, f"candidate {name!r}", f"{place}/{k}", classes)
            own["candidates"].append([name, content])
            parts |= files
    return own, parts


def _template(estimator: Any, owner: str, place: str, classes: Collection[type]) -> tuple[Content, dict[str, Part]]:
    """An estimator that is a parameter, not fitted."""
    if isinstance(estimator, Mapping):
        entries: Content = {}
        parts: dict[str, Part] = {}
        for k, (name, own) in enumerate(estimator.items()):
            entries[name], files = _template(own, owner, f"{place}/{k}", classes)
            parts |= files
        return {"type": "by_kind", "estimators": entries}, parts
    if isinstance(estimator, MultiTaskEstimator):
        kind = kind_of(estimator)
        content, parts = _settings(estimator, place, classes)
        return {"type": "estimator", "kind": kind, "settings": content}, parts
    owner = f"The {type(estimator).__name__} of {owner}"
    if _is_lightgbm(estimator) or _is_plain(estimator):
        parameters = _parameters(estimator)
        try:
            JSONPart(parameters).encode(owner)
        except ModelFolderError as error:
            raise ModelFolderError(
                f"{owner} has a parameter that a model folder cannot hold ({error}). Use numbers and names."
            ) from error
        kind = "plain" if _is_plain(estimator) else "lightgbm"
        return {"type": kind, "class": type(estimator).__name__, "parameters": parameters}, {}
    return {"type": "skops", "file": f"{place}.skops"}, {f"{place}.skops": _Estimator(clone(estimator), classes, owner)}


def _parameters(model: Any) -> Content:
    found: Content = model.get_params()
    return found | {"random_state": plain_seed(found["random_state"])} if "random_state" in found else found


def _is_plain(model: Any) -> bool:
    return isinstance(model, PlainModel) and type(model) is PLAIN_MODELS.get(type(model).__name__)


def _is_lightgbm(model: Any) -> bool:
    """A subclass may predict in its own way, so it is none."""
    return isinstance(model, LGBMModel) and type(model) in (LGBMRegressor, LGBMClassifier)


@dataclass(frozen=True)
class _Estimator(SkopsPart):
    """A skops part that refuses in the words of this room."""

    owner: str = ""

    def encode(self, name: str) -> bytes:
        try:
            return super().encode(self.owner)
        except ModelFolderError as error:
            raise ModelFolderError(
                f"{_reason(error)}, so a model folder cannot hold it. {_OTHER_MODEL} If you trust the class, "
                "give it when saving and when loading: `classes=[...]`."
            ) from error


@dataclass(frozen=True)
class _Booster(LightGBMPart):
    """A LightGBM part that refuses in the words of this room."""

    owner: str = ""

    def encode(self, name: str) -> bytes:
        try:
            return super().encode(self.owner)
        except ModelFolderError as error:
            raise ModelFolderError(f"{_reason(error)}, so a model folder cannot hold it. {_OTHER_MODEL}") from error


def _reason(error: ModelFolderError) -> str:
    """What is wrong, without the storage room's advice."""
    return str(error).partition(". Save ")[0]
