"""A fitted network as parts of a model folder, and back."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from polytask._by_name import ByName
from polytask.balancing import BalancingMethod, method_from_dict, method_to_dict
from polytask.data import TableCodec
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._fit_networks import FittedNetwork
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._task_weights import TaskWeights
from polytask.exceptions import ModelFolderError, OptionError
from polytask.networks import Recipe, TableShape, build_module, recipe_from_dict, recipe_to_dict
from polytask.networks.initialization import INITIALIZERS
from polytask.optim import OPTIMIZERS, REGULARIZERS, SCHEDULES
from polytask.storage import Folder, JSONPart, Part, TensorsPart
from polytask.tasks import fitted_task_from_dict, fixed_task

_SETTINGS = (
    "max_epochs",
    "patience",
    "stopping",
    "validation",
    "batch_size",
    "batches",
    "learning_rate",
    "weight_decay",
    "clip_norm",
    "ema",
    "accumulate",
    "precision",
    "max_steps",
    "time_limit",
    "column_kinds",
    "warm_start",
    "balance_at",
)

_NAMED: dict[str, ByName[Any]] = {
    "initialization": INITIALIZERS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "regularization": REGULARIZERS,
}


def network_parts(model: MultiTaskNetwork, *, place: str = "") -> dict[str, Part]:
    """Files of a fitted :class:`MultiTaskNetwork`: its settings and schema as JSON, its weights as safetensors.

    Parameters
    ----------
    model : MultiTaskNetwork
    place : str
        What the names of the files begin with, such as ``"models/0/"``.
    """
    content = settings_content(model) | table_content(model) | _trained_content(model.network_)
    content["training"]["optimistic_skill"] = None if np.isnan(model.optimistic_skill_) else model.optimistic_skill_
    return _parts(content, model.network_, place)


def network_from_parts(folder: Folder, *, place: str = "", classes: Iterable[type] = ()) -> MultiTaskNetwork:
    """Make a fitted :class:`MultiTaskNetwork` from the files of :func:`network_parts`; raises :class:`ModelFolderError`."""
    content, network = _read(folder, place, classes)
    try:
        model = network_of_settings(content, classes=classes).set_params(tasks=[fixed_task(task) for task in network.tasks])
        restore_table(model, content)
        skill = content["training"]["optimistic_skill"]
    except (KeyError, TypeError, AttributeError) as error:
        raise _not_complete(folder, error) from error
    model.network_, model.tasks_, model.shape_, model.n_iter_ = network, network.tasks, network.shape, network.steps
    model.optimistic_skill_ = float("nan") if skill is None else skill
    if model.form_ == "vector" and len(model.tasks_[0].labels):
        model.classes_ = np.array(model.tasks_[0].labels)
    return model


def trained_parts(network: FittedNetwork, *, place: str) -> dict[str, Part]:
    """Files of a trained network alone, without an estimator around it."""
    return _parts(_trained_content(network), network, place)


def trained_from_parts(folder: Folder, *, place: str, classes: Iterable[type] = ()) -> FittedNetwork:
    """Make the network of :func:`trained_parts` again."""
    return _read(folder, place, classes)[1]


def settings_content(model: MultiTaskNetwork) -> dict[str, Any]:
    """Settings of a :class:`MultiTaskNetwork` as JSON; a splitter, a random state and the device are left at their defaults."""
    return {
        "encoder": recipe_to_dict(model.encoder) if isinstance(model.encoder, Recipe) else model.encoder,
        "sharing": recipe_to_dict(model.sharing) if isinstance(model.sharing, Recipe) else model.sharing,
        "settings": {name: _plain(getattr(model, name)) for name in _SETTINGS if not _is_splitter(getattr(model, name))},
        "random_state": plain_seed(model.random_state),
        "balancing": _balancing_content(model.balancing),
        **{name: known.to_json(getattr(model, name)) for name, known in _NAMED.items()},
    }


def network_of_settings(content: Mapping[str, Any], *, classes: Iterable[type] = ()) -> MultiTaskNetwork:
    """Make the unfitted estimator of :func:`settings_content`."""
    encoder, sharing = (
        recipe_from_dict(content[name], classes=classes) if isinstance(content[name], dict) else content[name]
        for name in ("encoder", "sharing")
    )
    balancing = content.get("balancing")  # folders of before 0.2 have none
    if isinstance(balancing, Mapping):
        balancing = method_from_dict(balancing, classes=classes)
    settings = {"random_state": content["random_state"], "balancing": balancing, **content["settings"]}
    settings |= {name: known.from_json(content.get(name)) for name, known in _NAMED.items()}  # old folders have none
    return MultiTaskNetwork(encoder=encoder, sharing=sharing, **settings)


def _balancing_content(given: Any) -> Any:
    """A name stays a name; a method becomes its class name and settings."""
    return method_to_dict(given) if isinstance(given, BalancingMethod) else given


def table_content(model: MultiTaskEstimator) -> dict[str, Any]:
    """How a fitted estimator reads its inputs, as JSON."""
    return {
        "codec": model.codec_.to_dict(),
        "form": model.form_,
        "feature_names": list(getattr(model, "feature_names_in_", [])) or None,
        "n_features": model.n_features_in_,
    }


def restore_table(model: MultiTaskEstimator, content: Mapping[str, Any]) -> None:
    """Set what :func:`table_content` wrote."""
    model.codec_, model.form_ = TableCodec.from_dict(content["codec"]), content["form"]
    model.n_features_in_ = content["n_features"]
    if content["feature_names"] is not None:
        model.feature_names_in_ = np.asarray(content["feature_names"], dtype=object)


def plain_seed(random_state: Any) -> int | None:
    """A seed as JSON; a generator is not kept."""
    return int(random_state) if isinstance(random_state, int | np.integer) else None


def _trained_content(network: FittedNetwork) -> dict[str, Any]:
    shape = network.shape
    return {
        "encoder": recipe_to_dict(network.encoder),
        "sharing": recipe_to_dict(network.sharing),
        "shape": {
            "n_numeric": shape.n_numeric,
            "with_missing": list(shape.with_missing),
            "cardinalities": list(shape.cardinalities),
            "vocabularies": list(shape.vocabularies),
        },
        "tasks": [task.to_dict() for task in network.tasks],
        "training": {
            "best_epoch": network.best_epoch,
            "ended_by": network.ended_by,
            "steps": network.steps,
            "seconds": network.seconds,
            "curves": {name: _with_none(values) for name, values in network.curves.items()},
            "scale": None if network.scale is None else _with_none(network.scale),
            "method": None if network.method is None else method_to_dict(network.method),
            "kept_columns": network.kept_columns,
            "cosines": None if network.cosines is None else _with_none(network.cosines),
            "task_weights": _weights_content(network.task_weights),
        },
    }


def _parts(content: dict[str, Any], network: FittedNetwork, place: str) -> dict[str, Part]:
    try:
        json.dumps(content)
    except TypeError as error:
        raise OptionError(f"A setting of the network cannot be saved as JSON: {error}. Use plain numbers and text.") from error
    weights = {name: tensor.detach().cpu() for name, tensor in network.module.state_dict().items()}
    return {f"{place}network.json": JSONPart(content), f"{place}network.safetensors": TensorsPart(weights)}


def _read(folder: Folder, place: str, classes: Iterable[type]) -> tuple[dict[str, Any], FittedNetwork]:
    content, weights = folder.json(f"{place}network.json"), folder.tensors(f"{place}network.safetensors")
    try:
        return content, _trained(content, weights, list(classes))
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise _not_complete(folder, error) from error


def _trained(content: Mapping[str, Any], weights: Mapping[str, Any], classes: list[type]) -> FittedNetwork:
    tasks = [fitted_task_from_dict(values, own=classes) for values in content["tasks"]]
    encoder = recipe_from_dict(content["encoder"], classes=classes)
    sharing = recipe_from_dict(content["sharing"], classes=classes)
    own = content["shape"]
    shape = TableShape(
        own["n_numeric"], tuple(own["with_missing"]), tuple(own["cardinalities"]), tuple(own.get("vocabularies", ()))
    )
    module = build_module(encoder, sharing, shape=shape, tasks=tasks)
    module.load_state_dict(dict(weights))
    module.eval()
    training = content["training"]
    scale, method, cosines = (training.get(name) for name in ("scale", "method", "cosines"))  # folders of before have none
    curves = {name: np.array(values, dtype=np.float64) for name, values in training["curves"].items()}
    return FittedNetwork(
        module,
        tasks,
        curves,
        training["best_epoch"],
        training["ended_by"],
        training["steps"],
        training["seconds"],
        encoder,
        sharing,
        shape,
        scale=None if scale is None else np.array(scale, dtype=np.float64),
        method=None if method is None else method_from_dict(method, classes=classes),
        cosines=None if cosines is None else np.array(cosines, dtype=np.float64),
        kept_columns=training.get("kept_columns"),
        task_weights=_weights_of_content(training.get("task_weights")),
    )


def _weights_content(weights: TaskWeights | None) -> dict[str, Any] | None:
    return None if weights is None else {"parts": weights.parts, "values": _with_none(weights.values)}


def _weights_of_content(content: Mapping[str, Any] | None) -> TaskWeights | None:
    return None if content is None else TaskWeights(content["parts"], np.array(content["values"], dtype=np.float64))


def _not_complete(folder: Folder, error: Exception) -> ModelFolderError:
    return ModelFolderError(f"The network in {str(folder.path)!r} is not complete ({error}). Save the model again.")


def _is_splitter(value: Any) -> bool:
    return hasattr(value, "split") and not isinstance(value, str)


def _plain(value: Any) -> Any:
    """Numbers of numpy, as searches set them, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _with_none(values: Any) -> list[Any]:
    if np.ndim(values) == 1:
        return [None if np.isnan(value) else float(value) for value in values]
    return [_with_none(row) for row in values]
