"""A fitted network estimator as parts of a model folder, and back."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import nn

from polytask.data import TableCodec
from polytask.estimators._fit_networks import FittedNetwork
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.exceptions import ModelFolderError, OptionError
from polytask.networks import MLP, HardSharing, TableShape, build_module, recipe_from_dict, recipe_to_dict
from polytask.storage import Folder, JSONPart, Part, TensorsPart, read_folder, write_folder
from polytask.tasks import fitted_task_from_dict, fixed_task

_SETTINGS = (
    "max_epochs",
    "patience",
    "validation",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "clip_norm",
    "max_steps",
    "time_limit",
)


def network_parts(model: MultiTaskNetwork) -> dict[str, Part]:
    """Files of a fitted :class:`MultiTaskNetwork`: its settings and schema as JSON, its weights as safetensors."""
    network = model.network_
    content = {
        "encoder": recipe_to_dict(model.encoder or MLP()),
        "sharing": recipe_to_dict(model.sharing or HardSharing()),
        "settings": {name: _plain(getattr(model, name)) for name in _SETTINGS if not hasattr(getattr(model, name), "split")},
        "random_state": int(model.random_state) if isinstance(model.random_state, int | np.integer) else None,
        "shape": {
            "n_numeric": model.shape_.n_numeric,
            "with_missing": list(model.shape_.with_missing),
            "cardinalities": list(model.shape_.cardinalities),
        },
        "tasks": [task.to_dict() for task in model.tasks_],
        "codec": model.codec_.to_dict(),
        "form": model.form_,
        "feature_names": list(getattr(model, "feature_names_in_", [])) or None,
        "n_features": model.n_features_in_,
        "training": {
            "best_epoch": network.best_epoch,
            "ended_by": network.ended_by,
            "steps": network.steps,
            "seconds": network.seconds,
            "optimistic_skill": None if np.isnan(model.optimistic_skill_) else model.optimistic_skill_,
            "curves": {name: _with_none(values) for name, values in network.curves.items()},
        },
    }
    try:
        json.dumps(content)
    except TypeError as error:
        raise OptionError(f"A setting of the network cannot be saved as JSON: {error}. Use plain numbers and text.") from error
    weights = {name: tensor.detach().cpu() for name, tensor in network.module.state_dict().items()}
    return {"network.json": JSONPart(content), "network.safetensors": TensorsPart(weights)}


def network_from_parts(folder: Folder, *, classes: Iterable[type[nn.Module]] = ()) -> MultiTaskNetwork:
    """Make a fitted :class:`MultiTaskNetwork` from the files of :func:`network_parts`; raises :class:`ModelFolderError`."""
    content, weights = folder.json("network.json"), folder.tensors("network.safetensors")
    try:
        return _network(content, weights, classes)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelFolderError(f"The network in {str(folder.path)!r} is not complete ({error}). Save the model again.") from error


def _network(content: Mapping[str, Any], weights: Mapping[str, Any], classes: Iterable[type[nn.Module]]) -> MultiTaskNetwork:
    classes = list(classes)
    tasks = [fitted_task_from_dict(values) for values in content["tasks"]]
    encoder = recipe_from_dict(content["encoder"], classes=classes)
    sharing = recipe_from_dict(content["sharing"], classes=classes)
    shape = content["shape"]
    table_shape = TableShape(shape["n_numeric"], tuple(shape["with_missing"]), tuple(shape["cardinalities"]))
    module = build_module(encoder, sharing, shape=table_shape, tasks=tasks)
    module.load_state_dict(dict(weights))
    module.eval()
    model = MultiTaskNetwork(
        [fixed_task(task) for task in tasks],
        encoder=encoder,
        sharing=sharing,
        random_state=content["random_state"],
        **content["settings"],
    )
    training = content["training"]
    curves = {name: np.array(values, dtype=np.float64) for name, values in training["curves"].items()}
    model.network_ = FittedNetwork(
        module, tasks, curves, training["best_epoch"], training["ended_by"], training["steps"], training["seconds"]
    )
    model.tasks_, model.codec_, model.form_, model.shape_ = (
        tasks,
        TableCodec.from_dict(content["codec"]),
        content["form"],
        table_shape,
    )
    model.n_features_in_, model.n_iter_ = content["n_features"], training["steps"]
    skill = training["optimistic_skill"]
    model.optimistic_skill_ = float("nan") if skill is None else skill
    if content["feature_names"] is not None:
        model.feature_names_in_ = np.asarray(content["feature_names"], dtype=object)
    if model.form_ == "vector" and len(tasks[0].labels):
        model.classes_ = np.array(tasks[0].labels)
    return model


def save_network(model: MultiTaskNetwork, path: Any, *, overwrite: bool = False) -> None:
    """Save a fitted :class:`MultiTaskNetwork` as a model folder; :func:`load_network` or ``polytask.load`` reads it.

    Raises
    ------
    ModelFolderError
        If the path is taken or cannot be written.
    """
    write_folder(path, network_parts(model), kind="network", overwrite=overwrite)


def load_network(path: Any, *, classes: Iterable[type[nn.Module]] = ()) -> MultiTaskNetwork:
    """Load a folder of :func:`save_network`; your own module classes must be given in ``classes``."""
    return network_from_parts(read_folder(path), classes=classes)


def _plain(value: Any) -> Any:
    """Numbers of numpy, as searches set them, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _with_none(values: Any) -> list[Any]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]
