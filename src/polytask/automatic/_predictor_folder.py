"""A fitted predictor as parts of a model folder, and back."""

from collections.abc import Callable, Sequence
from typing import Any

from polytask.automatic._label_makers import LabelMakers
from polytask.automatic._portfolio_model import PortfolioModel
from polytask.automatic._portfolio_parts import portfolio_model_from_parts, portfolio_model_parts
from polytask.automatic._skipped import SkippedTask
from polytask.automatic._study_file import study_of_text
from polytask.automatic._study_text import study_text
from polytask.estimators import network_from_parts, network_parts
from polytask.exceptions import ModelFolderError
from polytask.storage import Folder, JSONPart, Part, TextPart

STUDY_FILE = "study.yaml"


def predictor_parts(predictor: Any, path: Any) -> dict[str, Part]:
    """Files of a fitted :class:`MultiTaskPredictor`; the study among them has its paths as seen from ``path``."""
    content: dict[str, Any] = {
        "targets": [target if isinstance(target, str) else target.name for target in predictor.targets],
        "target_columns": predictor.target_columns_,
        "order": predictor.order_,
        **{name: getattr(predictor, name) for name in ("ignore", "group", "split", "weight", "task_by", "time")},
        "column_kinds": predictor.column_kinds,
        "labels": predictor.makers_.to_dict(),
        "skipped": [task.to_dict() for task in predictor.skipped_],
        "seed": predictor.seed,
        "report": predictor.report_,
    }
    if isinstance(predictor.model_, PortfolioModel):
        content |= {"preset": predictor.preset_, "time_limit": predictor.time_limit, "deploy": predictor.deploy}
        own = portfolio_model_parts(predictor.model_)
    else:
        own = network_parts(predictor.model_)
    parts: dict[str, Part] = {"predictor.json": JSONPart(content), **own}
    if predictor.study_ is not None:
        parts[STUDY_FILE] = TextPart(study_text(predictor.study_.seen_from(path)))
    return parts


def restored_predictor(make: Callable[..., Any], folder: Folder, *, given: Sequence[Any]) -> Any:
    """Make the predictor of :func:`predictor_parts` again.

    Parameters
    ----------
    make : callable
        The class.
    given : sequence
        The user's own classes, losses and metrics.

    Raises
    ------
    ModelFolderError
        If the folder holds something else, or is not complete.
    """
    path = str(folder.path)
    if folder.manifest.kind != "predictor":
        raise ModelFolderError(f"{path!r} holds a {folder.manifest.kind}, not a predictor; use `polytask.load`.")
    content = folder.json("predictor.json")
    is_portfolio = "portfolio.json" in folder
    model: Any = portfolio_model_from_parts(folder, classes=given) if is_portfolio else network_from_parts(folder, classes=given)
    try:
        predictor = make(
            content["targets"],
            **{key: content[key] for key in ("ignore", "group", "split", "weight", "seed")},
            task_by=content.get("task_by"),  # folders of 0.1 lack what follows
            time=content.get("time"),
            column_kinds=content.get("column_kinds"),
            network=None if is_portfolio else model,
            preset=content.get("preset", "network"),
            time_limit=content.get("time_limit"),
            deploy=content.get("deploy"),
        )
        predictor.makers_ = LabelMakers.from_dict(content.get("labels") or {"derived": [], "task_by": None})
        predictor.model_, predictor.target_columns_ = model, content["target_columns"]
        predictor.order_ = content["order"]
        predictor.skipped_ = [SkippedTask(**values) for values in content["skipped"]]
        predictor.report_ = content["report"]
        study = folder.text(STUDY_FILE) if STUDY_FILE in folder else None
        predictor.study_ = None if study is None else study_of_text(study, path=folder.path / STUDY_FILE, preset=predictor.preset)
    except (KeyError, TypeError) as error:
        raise ModelFolderError(f"{path!r} lacks {error}. Save the model again.") from error
    return predictor
