"""From a study to the objects that do it."""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from polytask.automatic._preset_choice import check_preset
from polytask.automatic._roles import Roles, divide_table
from polytask.automatic._study import LEAVE_ONE_GROUP_OUT, Study, read_gap, read_similar
from polytask.data import did_you_mean
from polytask.exceptions import DataError, OptionError

if TYPE_CHECKING:
    import pandas as pd

    from polytask.automatic._predictor import MultiTaskPredictor
    from polytask.data.splits import TimeOrder
    from polytask.estimators import MultiTaskNetwork
    from polytask.networks import Recipe

_PLAIN = ("learning_rate", "weight_decay", "batch_size", "batches", "accumulate", "precision", "patience", "stopping")
_OF_TRAINING = ("initialization", "optimizer", "schedule", "regularization", "ema", *_PLAIN)


def study_roles(study: Study, frame: Any) -> Roles:
    """Divide a table by the columns that a study names; see :func:`~polytask.automatic.divide_table`."""
    return divide_table(
        frame,
        targets=study_targets(study),
        losses=study.loss,
        class_weights=study.class_weight,
        ignore=study.ignore,
        group=study.group,
        split=study.split,
        weight=study.weight,
        unlearnable=study.unlearnable,
        task_by=study.task_by,
        time=study.time,
        column_kinds=study.column,
    )


def study_targets(study: Study) -> list[str]:
    """The targets of a study: named, or those that have a table of their own."""
    return study.target or list(study.data)


def study_comparison(study: Study, roles: Roles, frame: "pd.DataFrame") -> dict[str, Any]:
    """How a study divides rows: ``folds``, ``groups``, ``times`` and the rest that :func:`~polytask.evaluation.compare` takes.

    Raises
    ------
    DataError, OptionError
        If options do not go together, or a column that one of them names is not there.
    """
    from polytask.data.splits import ClusterKFold, ColumnSplit, LeaveOneGroupOut, TimeSplit

    asked, times = study.compare, study_order(study, roles)
    check_division(study)
    n_folds = 5 if asked.folds is None else asked.folds
    folds: Any = n_folds
    if roles.split is not None:
        folds = ColumnSplit(roles.split)
    elif n_folds == LEAVE_ONE_GROUP_OUT:
        folds = LeaveOneGroupOut()
    elif asked.similar is not None:
        folds = ClusterKFold(int(n_folds), **_similar(asked.similar, frame))
    elif times is not None:
        folds = TimeSplit(int(n_folds), times=times.times, gap=times.gap, window=asked.window or "expanding")
    return {
        "folds": folds,
        "repeats": asked.repeats,
        "groups": roles.groups,
        "times": times,
        "sample_weight": roles.weight,
        "skill_metrics": asked.metric,
        "random_state": study.seed,
    }


def study_order(study: Study, roles: Roles) -> "TimeOrder | None":
    """The times of the rows with the gap of a study; None where it names no column of times.

    Raises
    ------
    OptionError
        If the gap is a time and the times are numbers, or the other way round.
    """
    from polytask.data.splits import TimeOrder

    return None if roles.times is None else TimeOrder(roles.times, as_gap(study.gap or 0))


def _similar(text: str, frame: "pd.DataFrame") -> dict[str, Any]:
    column, threshold = read_similar(text)
    if column is None:
        return {"threshold": threshold}
    if column not in frame.columns:
        raise DataError(f"Column {column!r} of --similar is not in the table.{did_you_mean(column, list(frame.columns))}")
    return {"threshold": threshold, "values": frame[column], "metric": "smiles" if "smiles" in column.lower() else "auto"}


def check_division(study: Study) -> None:
    """Refuse a comparison whose options do not go together, before any work.

    Raises
    ------
    OptionError
        If two options say what is held out, or one is there without the one it belongs to.
    """
    asked = study.compare
    by_group = asked.folds == LEAVE_ONE_GROUP_OUT
    holds_out = {
        f"--folds {asked.folds}": asked.folds is not None and (by_group or study.split is not None),
        f"--split {study.split}": study.split is not None,
        f"--time {study.time}": study.time is not None and study.split is None,
        f"--similar {asked.similar}": asked.similar is not None,
    }
    both = [option for option, given in holds_out.items() if given]
    if len(both) > 1:
        names = " and ".join(option.partition(" ")[0] for option in both[:2])
        raise OptionError(f"{names} both say what is held out; give one of them, not {both[0]} and {both[1]}.")
    if by_group and study.group is None:
        raise OptionError(f"--folds {LEAVE_ONE_GROUP_OUT} needs --group, the column of the groups; got none.")
    check_gap(study)
    if asked.window is not None and study.time is None:
        raise OptionError(f"--window {asked.window} is of rows in order of --time, the column of times; got none.")
    if asked.window is not None and study.split is not None:
        raise OptionError(
            f"--window {asked.window} is of folds by --time, and --split {study.split} makes the folds; give one of them."
        )


def check_gap(study: Study) -> None:
    """Refuse a gap without the times it is in.

    Raises
    ------
    OptionError
        If there is a gap and no column of times.
    """
    if study.gap is not None and study.time is None:
        raise OptionError(f"--gap {study.gap} is between rows in order of --time, the column of times; got none.")


def study_network(study: Study) -> "MultiTaskNetwork":
    """The network of a study, not fitted, without tasks."""
    from polytask.estimators import MultiTaskNetwork

    settings: dict[str, Any] = {"max_epochs": study.epochs, "max_steps": study.max_steps, "device": study.device}
    if study.column:
        settings["column_kinds"] = dict(study.column)
    if (study.encoder, study.numbers) != ("mlp", "plain"):
        settings["encoder"] = study_encoder(study.encoder, study.numbers)
    settings |= {"sharing": study.sharing, "balancing": study.balancing, "balance_at": study.balance_at}
    settings |= {"initialization": study.initialization, "optimizer": study.optimizer, "schedule": study.schedule}
    settings |= {"regularization": study.regularization, "ema": study.ema}
    settings |= {"learning_rate": study.learning_rate, "weight_decay": study.weight_decay, "batch_size": study.batch_size}
    settings |= {"batches": study.batches, "accumulate": study.accumulate, "precision": study.precision}
    settings |= {"patience": study.patience, "stopping": study.stopping}
    return MultiTaskNetwork(**{name: value for name, value in settings.items() if value is not None})


def study_encoder(encoder: str, numbers: str) -> "Recipe":
    """The encoder of ``--encoder`` with the embedding of ``--numbers``.

    Raises
    ------
    OptionError
        If both name an embedding.
    """
    from polytask.networks import embedding_of, encoder_of

    recipe, embedding = encoder_of(encoder, option="--encoder"), embedding_of(numbers, option="--numbers")
    if embedding is None:
        return recipe
    if recipe.get_params(deep=False)["embedding"] is not None:
        raise OptionError(f"--encoder {encoder} and --numbers {numbers} both embed numbers. Give one of them.")
    return recipe.set_params(embedding=embedding)


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
        study_targets(study),
        losses=study.loss,
        class_weights=study.class_weight,
        metrics=study.fit.metric,
        ignore=study.ignore,
        group=study.group,
        split=study.split,
        weight=study.weight,
        task_by=study.task_by,
        time=study.time,
        gap=study.gap or 0,
        unlearnable=study.unlearnable,
        preset=study.fit.preset,
        network=study_network(study),
        column_kinds=study.column,
        time_limit=study.fit.time_limit,
        deploy=study.fit.deploy,
        seed=study.seed,
        device=study.device,
        threads=study.threads,
    )
    predictor._given_study = study
    check_preset(predictor)
    return predictor


def _named_training() -> dict[str, Any]:
    """Settings of training that are objects with names."""
    from polytask.networks.initialization import INITIALIZERS
    from polytask.optim import OPTIMIZERS, REGULARIZERS, SCHEDULES

    known = (INITIALIZERS, OPTIMIZERS, SCHEDULES, REGULARIZERS)
    return dict(zip(("initialization", "optimizer", "schedule", "regularization"), known, strict=True))


def all_column_kinds(predictor: "MultiTaskPredictor") -> dict[str, str]:
    """The kinds of columns that are given to a predictor or to its network; those of the predictor go before."""
    network = predictor.network
    return {**((network and network.column_kinds) or {}), **predictor.column_kinds}


def study_of(predictor: "MultiTaskPredictor") -> Study | None:
    """The study of a predictor made in Python: all but its table; None if a study cannot say it, such as an own network."""
    from polytask.balancing import BalancingMethod, method_text
    from polytask.estimators import MultiTaskNetwork
    from polytask.networks import MLP, Recipe, embedding_text, encoder_of, encoder_text, sharing_text

    network = predictor.network or MultiTaskNetwork()
    settings, usual = network.get_params(deep=False), MultiTaskNetwork().get_params(deep=False)
    said = {"max_epochs", "max_steps", "time_limit", "tasks", "device", "random_state", "encoder", "column_kinds"}
    said |= {"sharing", "balancing", "balance_at", *_OF_TRAINING}
    own = {name for name, value in settings.items() if value is not usual[name] and value != usual[name]}
    encoder = MLP() if settings["encoder"] is None else encoder_of(settings["encoder"])
    built_of = encoder_text(encoder), embedding_text(encoder.get_params(deep=False).get("embedding"))
    if settings["patience"] is None:  # no end but the plan
        return None
    if not own <= said or None in built_of or not all(isinstance(name, str) for name in predictor.targets):
        return None
    balancing = settings["balancing"]
    if isinstance(balancing, BalancingMethod):
        balancing = method_text(balancing)
        if balancing is None:
            return None
    sharing = settings["sharing"]
    if isinstance(sharing, Recipe):
        sharing = sharing_text(sharing)
        if sharing is None:
            return None
    training = {name: known.text(settings[name]) for name, known in _named_training().items()}
    if any(training[name] is None and settings[name] is not None for name in training):
        return None
    names = ("ignore", "group", "split", "weight", "task_by", "time", "unlearnable", "device", "threads")
    time_limit = predictor.time_limit if predictor.time_limit is not None else settings["time_limit"]
    content = {
        "target": predictor.targets,
        **{name: getattr(predictor, name) for name in names},
        "gap": str(predictor.gap) if predictor.time is not None and predictor.gap else None,
        "loss": predictor.losses,
        "class_weight": predictor.class_weights,
        "column": all_column_kinds(predictor),
        "encoder": built_of[0],
        "numbers": built_of[1],
        "sharing": sharing,
        "balancing": balancing,
        "balance_at": settings["balance_at"],
        **training,
        "ema": settings["ema"],
        **{name: settings[name] for name in _PLAIN if settings[name] != usual[name]},
        "seed": int(predictor.seed),
        "epochs": settings["max_epochs"] if "max_epochs" in own else None,
        "max_steps": predictor.max_steps if predictor.max_steps is not None else settings["max_steps"],
        "fit": {"preset": predictor.preset_, "time_limit": time_limit, "deploy": predictor.deploy, "metric": predictor.metrics},
    }
    try:
        return Study(**Study.model_validate(content).to_dict())  # what is by default is not named
    except ValidationError:  # a loss that is a function, weights of single classes
        return None


def study_as_run(study: Study, *, preset: str, ended_by: str, steps: int) -> Study:
    """The study that repeats a run: with its preset named, and where a clock or Ctrl-C ended a network, its number of steps.

    >>> study = Study(target="price", fit={"time_limit": 60})
    >>> study_as_run(study, preset="network", ended_by="time", steps=210).to_dict()
    {'target': ['price'], 'seed': 0, 'max_steps': 210, 'fit': {'preset': 'network'}}
    """
    study = study.with_preset(preset)
    if ended_by not in ("time", "interrupt") or not steps:
        return study
    return study.model_copy(update={"max_steps": steps, "fit": study.fit.model_copy(update={"time_limit": None})})


def as_gap(gap: Any) -> Any:
    """A gap as :class:`~polytask.data.splits.TimeOrder` takes it; a text is read.

    Raises
    ------
    OptionError
        If a text is no gap.
    """
    if not isinstance(gap, str):
        return gap
    try:
        return read_gap(gap)
    except ValueError as error:
        raise OptionError(f"`gap` {error}.") from error
