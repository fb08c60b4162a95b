"""From a study to the objects that do it."""

from typing import TYPE_CHECKING, Any

from polytask.automatic._roles import Roles, divide_table
from polytask.automatic._study import Study
from polytask.exceptions import OptionError

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor
    from polytask.data import ReadTable
    from polytask.estimators import MultiTaskNetwork


def read_study_table(study: Study) -> "ReadTable":
    """Read the table of a study as it says.

    Raises
    ------
    OptionError
        If the study names no table.
    DataError
        If a file cannot be read.
    """
    from polytask.data import read_table

    if not study.table:
        raise OptionError("No table is given: name the file to learn from (`table` in a study).")
    return read_table(
        study.table[0],
        sep=study.sep,
        decimal=study.decimal,
        missing=tuple(study.missing),
        default_missing=not study.no_default_missing,
    )


def study_roles(study: Study, frame: Any) -> Roles:
    """Divide a table by the columns that a study names; see :func:`~polytask.automatic.divide_table`."""
    return divide_table(
        frame,
        targets=study.target,
        ignore=study.ignore,
        group=study.group,
        split=study.split,
        weight=study.weight,
        unlearnable=study.unlearnable,
    )


def study_network(study: Study) -> "MultiTaskNetwork":
    """The network of a study, not fitted, without tasks."""
    from polytask.estimators import MultiTaskNetwork

    settings: dict[str, Any] = {"max_epochs": study.epochs, "max_steps": study.max_steps, "device": study.device}
    return MultiTaskNetwork(**{name: value for name, value in settings.items() if value is not None})


def study_predictor(study: Study) -> "MultiTaskPredictor":
    """The predictor of a study, not fitted; it keeps the study and stores it in its model folder.

    Examples
    --------
    >>> predictor = study_predictor(Study(target=["price", "sold"], ignore="id", max_steps=100))
    >>> predictor.targets, predictor.ignore, predictor.network.max_steps
    (['price', 'sold'], ['id'], 100)
    """
    from polytask.automatic._predictor import MultiTaskPredictor

    predictor = MultiTaskPredictor(
        study.target,
        ignore=study.ignore,
        group=study.group,
        split=study.split,
        weight=study.weight,
        unlearnable=study.unlearnable,
        network=study_network(study),
        time_limit=study.fit.time_limit,
        seed=study.seed,
        device=study.device,
        threads=study.threads,
    )
    predictor._given_study = study
    return predictor


def study_of(predictor: "MultiTaskPredictor") -> Study | None:
    """The study of a predictor made in Python: all but its table; None if a study cannot say it, such as an own network."""
    from polytask.estimators import MultiTaskNetwork

    network = predictor.network or MultiTaskNetwork()
    settings, usual = network.get_params(deep=False), MultiTaskNetwork().get_params(deep=False)
    said = {"max_epochs": "epochs", "max_steps": "max_steps", "time_limit": "time_limit"}
    own = {name for name, value in settings.items() if value is not usual[name] and value != usual[name]}
    if not own <= {*said, "tasks", "device", "random_state"} or not all(isinstance(name, str) for name in predictor.targets):
        return None
    names = ("ignore", "group", "split", "weight", "unlearnable", "device", "threads")
    time_limit = predictor.time_limit if predictor.time_limit is not None else settings["time_limit"]
    return Study.model_validate(
        {
            "target": predictor.targets,
            **{name: getattr(predictor, name) for name in names},
            "seed": int(predictor.seed),
            "epochs": settings["max_epochs"] if "max_epochs" in own else None,
            "max_steps": predictor.max_steps if predictor.max_steps is not None else settings["max_steps"],
            "fit": {"time_limit": time_limit},
        }
    )


def study_as_run(study: Study, *, ended_by: str, steps: int) -> Study:
    """The study that repeats a run: where a clock or Ctrl-C ended it, its number of steps is told instead.

    >>> study = Study(target="price", fit={"time_limit": 60})
    >>> study_as_run(study, ended_by="time", steps=210).to_dict()
    {'target': ['price'], 'seed': 0, 'max_steps': 210}
    """
    if ended_by not in ("time", "interrupt") or not steps:
        return study
    return study.model_copy(update={"max_steps": steps, "fit": study.fit.model_copy(update={"time_limit": None})})
