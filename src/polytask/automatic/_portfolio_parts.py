"""A portfolio as parts of a model folder, and its single models in the folder of a run."""

import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from polytask.automatic._mixtures import TaskEnsemble
from polytask.automatic._portfolio import Portfolio
from polytask.estimators import (
    AloneModels,
    Bagged,
    fold_model_from_parts,
    fold_model_parts,
    restore_table,
    table_content,
    task_model_from_parts,
    task_model_parts,
)
from polytask.exceptions import ModelFolderError
from polytask.storage import Folder, JSONPart, Part, TensorsPart, read_folder, write_folder
from polytask.tasks import fitted_task_from_dict, fixed_task

Array = np.ndarray[Any, np.dtype[Any]]
Content = dict[str, Any]
Parts = dict[str, Part]

MEMBER = "portfolio member"


def portfolio_parts(portfolio: Portfolio) -> Parts:
    """Files of a portfolio: of every model that has weight, its fold models, of the tasks that give it weight."""
    entries: list[Content] = []
    parts: Parts = {}
    for k, name in enumerate(portfolio.used):
        entry, files = _bagged_parts(portfolio.bagged[name], place=f"members/{k}/", wanted=_wanted(portfolio, name))
        entries.append(entry)
        parts |= files
    content = {
        "tasks": [task.to_dict() for task in portfolio.tasks],
        "weights": {name: own.weights for name, own in portfolio.ensembles.items()},
        "skills": {name: _told(own) for name, own in portfolio.ensembles.items()},
        "left_out": portfolio.left_out,
        "ended_by": portfolio.ended_by,
        "members": entries,
    }
    return {"portfolio.json": JSONPart(content), **parts}


def portfolio_from_parts(folder: Folder, *, classes: Collection[Any] = ()) -> Portfolio:
    """Make the portfolio of :func:`portfolio_parts` again, to predict with."""
    content = folder.json("portfolio.json")
    try:
        tasks = [fitted_task_from_dict(values, own=classes) for values in content["tasks"]]
        members = [
            _bagged_from_parts(entry, folder, f"members/{k}/", classes=classes) for k, entry in enumerate(content["members"])
        ]
        ensembles = {
            name: TaskEnsemble(dict(weights), _numbers(content["skills"][name][0]), _number(content["skills"][name][1]))
            for name, weights in content["weights"].items()
        }
        bagged = {own.name: own for own in members}
        return Portfolio(tasks, bagged, ensembles, content["left_out"], ended_by=content["ended_by"])
    except ModelFolderError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise ModelFolderError(
            f"The portfolio in {str(folder.path)!r} is not complete ({type(error).__name__}: {error}). Save the model again."
        ) from error


def portfolio_model_parts(model: Any) -> Parts:
    """Files of a fitted :class:`PortfolioModel`."""
    return {"table.json": JSONPart(table_content(model)), **portfolio_parts(model.predicting)}


def portfolio_model_from_parts(folder: Folder, *, classes: Collection[Any] = ()) -> Any:
    """Make the :class:`PortfolioModel` again, to predict with."""
    from polytask.automatic._portfolio_model import PortfolioModel

    portfolio = portfolio_from_parts(folder, classes=classes)
    model = PortfolioModel([fixed_task(task) for task in portfolio.tasks])
    try:
        restore_table(model, folder.json("table.json"))
    except (KeyError, TypeError) as error:
        raise ModelFolderError(f"The portfolio in {str(folder.path)!r} lacks {error}. Save the model again.") from error
    model.portfolio_, model.tasks_ = portfolio, portfolio.tasks
    return model


def size_of(model: Any, *, wanted: Collection[str] | None = None) -> tuple[int, int]:
    """Bytes and files of a fold's model in a model folder; of models of single tasks those of the tasks that are wanted."""
    _, parts = fold_model_parts(_of_wanted(model, wanted), place="", task_model=_task_model)
    return sum(len(part.encode(name)) for name, part in parts.items()), len(parts)


def size_in_folder(portfolio: Portfolio) -> int:
    """Bytes of the models that :func:`portfolio_parts` keeps, about: one fold's are looked at."""
    return sum(
        size_of(portfolio.bagged[name].models[0], wanted=_wanted(portfolio, name))[0] * len(portfolio.bagged[name].models)
        for name in portfolio.used
    )


class MembersFolder:
    """Where the models of a run are kept while it is under way; a model is there as a whole, or not.

    Parameters
    ----------
    path : path
        Its folder is made with the first model.
    """

    def __init__(self, path: Any, *, classes: Collection[Any] = ()) -> None:
        self.path, self.classes = Path(path), classes
        self._known: dict[str, Bagged] | None = None

    def found(self) -> Mapping[str, Bagged]:
        """Models that are there, by name; one that a power cut has damaged is removed, and will be fitted again."""
        if self._known is None:
            self._known = {}
            for folder in sorted(own for own in self.path.glob("*") if not own.name.startswith(".")):
                try:
                    member = self._read(read_folder(folder))
                except ModelFolderError:
                    shutil.rmtree(folder, ignore_errors=True)  # nothing but models of this run is here
                else:
                    self._known[member.name] = member
        return self._known

    def keep(self, bagged: Bagged) -> None:
        """Keep one more, with what it says of held-out rows; the disk is not waited for, since there may be hundreds of files."""
        entry, parts = _bagged_parts(bagged, place="")
        held_out = {f"{k}": values for k, values in enumerate(bagged.held_out.values())}
        entry |= {"tasks": list(bagged.held_out)}
        folder = self.path / re.sub(r"[^a-z0-9]+", "-", bagged.name.lower())
        files: Parts = {"member.json": JSONPart(entry), "held_out.safetensors": TensorsPart(held_out), **parts}
        write_folder(folder, files, kind=MEMBER, overwrite=True, flush=False)

    def _read(self, folder: Folder) -> Bagged:
        entry, arrays = folder.json("member.json"), folder.arrays("held_out.safetensors")
        bagged = _bagged_from_parts(entry, folder, "", classes=self.classes)
        bagged.held_out = {task: arrays[f"{k}"] for k, task in enumerate(entry["tasks"])}
        return bagged


def _bagged_parts(bagged: Bagged, *, place: str, wanted: Collection[str] | None = None) -> tuple[Content, Parts]:
    models: list[Content] = []
    parts: Parts = {}
    for fold, model in enumerate(bagged.models):
        entry, files = fold_model_parts(_of_wanted(model, wanted), place=f"{place}{fold}/", task_model=_task_model)
        models.append(entry)
        parts |= files
    about = {"name": bagged.name, "together": bagged.together, "seconds": bagged.seconds, "is_whole": bagged.is_whole}
    return {**about, "models": models}, parts


def _wanted(portfolio: Portfolio, name: str) -> set[str]:
    """Names of the tasks that give a model weight."""
    return {task for task, own in portfolio.ensembles.items() if name in own.weights}


def _of_wanted(model: Any, wanted: Collection[str] | None) -> Any:
    if wanted is None or not isinstance(model, AloneModels):
        return model
    return AloneModels({task: one for task, one in model.models.items() if task in wanted})


def _bagged_from_parts(entry: Content, folder: Folder, place: str, *, classes: Collection[Any]) -> Bagged:
    models = [
        fold_model_from_parts(
            own,
            folder,
            place=f"{place}{fold}/",
            task_model=lambda one, where: task_model_from_parts(folder, one, where, classes),
            own=classes,
        )
        for fold, own in enumerate(entry["models"])
    ]
    is_whole = entry.get("is_whole", True)
    return Bagged(entry["name"], entry["together"], models, seconds=entry["seconds"], is_whole=is_whole)


def _task_model(model: Any, task: str, place: str) -> tuple[Content, Parts]:
    return task_model_parts(model, task, place, ())


def _told(own: TaskEnsemble) -> list[Any]:
    return [{name: _or_none(skill) for name, skill in own.skills.items()}, _or_none(own.skill)]


def _numbers(skills: Mapping[str, Any]) -> dict[str, float]:
    return {name: _number(skill) for name, skill in skills.items()}


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
