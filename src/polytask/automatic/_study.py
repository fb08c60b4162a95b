"""A study: everything a run was asked to do, as one checked object that a file can hold."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LEAVE_ONE_GROUP_OUT = "leave-one-group-out"
_OF_ALL_MODELS = {"seed", "threads", "device"}  # among the fields of training


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | os.PathLike) else value


def _as_text(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _pairs(form: str, example: str, divided: Callable[[str], tuple[str, str, str]] = lambda text: text.rpartition("=")) -> Any:
    """A mapping of texts, or a list of ``A=B`` texts; split at the last ``=``, since names of columns may hold one."""

    def paired(value: Any) -> Any:
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
            return value
        found: dict[str, str] = {}
        for text in value:
            name, equals, setting = divided(text)
            if not (equals and name and setting):
                raise ValueError(f"must be {form}, such as {example}; got {text!r}")
            if name in found:
                raise ValueError(f"must name {name!r} once; got it twice")
            found[name] = setting
        return found

    return BeforeValidator(paired)


def _before_loss(text: str) -> tuple[str, str, str]:
    """Divided before the name of the loss, whose settings may hold ``=`` as a target may.

    >>> _before_loss("colour=red=asymmetric_focal:margin=0.1")
    ('colour=red', '=', 'asymmetric_focal:margin=0.1')
    """
    from polytask.losses import class_losses, number_losses

    heads = [(found.start(), text[found.end() :].partition(":")[0]) for found in re.finditer("=", text)]
    known = [start for start, head in heads if head in {**number_losses, **class_losses}]
    likely = [start for start, head in heads if "=" not in head]  # of a name that is not known
    at = next(iter(known + likely), len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def _lists_of_pairs(value: Any) -> Any:
    """A mapping, or a list of ``TARGET=METRIC`` texts, of which several may name one target."""
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        return value
    found: dict[str, list[str]] = {}
    for text in value:
        name, equals, metric = text.rpartition("=")
        if not (equals and name and metric):
            raise ValueError(f"must be TARGET=METRIC, such as sold=precision_at_k:0.1; got {text!r}")
        found.setdefault(name, []).append(metric)
    return found


def _folds(value: Any) -> Any:
    if value in (None, LEAVE_ONE_GROUP_OUT):
        return value
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if isinstance(value, bool) or number < 2 or str(number) != str(value).strip():
        raise ValueError(f"must be a whole number >= 2, or {LEAVE_ONE_GROUP_OUT}; got {str(value)!r}")
    return number


def _gap(value: Any) -> Any:
    if value is not None:
        read_gap(str(value))
    return None if value is None else str(value)


def read_gap(text: str) -> Any:
    """A gap as :class:`~polytask.data.splits.TimeOrder` takes it: rows, a number in the unit of the times, or a timedelta.

    >>> read_gap("7"), read_gap("7 rows"), read_gap("0.5"), read_gap("1 week").days
    (7, 7, 0.5, 7)
    """
    import pandas as pd

    rows = re.fullmatch(r"\s*(\S+)\s*rows?\s*", text, flags=re.IGNORECASE)
    for number in (int,) if rows else (int, float):
        with suppress(ValueError):
            gap = number(rows[1] if rows else text)
            if not 0 <= gap < float("inf"):
                break
            return gap
    with suppress(ValueError):
        span = pd.Timedelta(re.sub(r"(?i)\bweeks?\b", "W", text))
        if span >= pd.Timedelta(0) and not text.strip().lstrip("+-.").replace(".", "").isdigit():
            return span.to_pytimedelta()
    why = ". Months and years differ in length; write days or weeks" if re.search(r"(?i)month|year|quarter", text) else ""
    raise ValueError(
        "must be a number of rows ('7' or '7 rows'), a time of weeks, days, hours, minutes or seconds ('7 days', '1 week'), or a "
        f"number in the unit of the times ('0.5'), and not negative; got {text!r}{why}"
    )


def read_similar(text: str) -> tuple[str | None, float]:
    """Column, if any, and threshold of ``[COL=]THRESHOLD``.

    >>> read_similar("0.9"), read_similar("smiles=0.7")
    ((None, 0.9), ('smiles', 0.7))
    """
    column, _, threshold = text.rpartition("=")
    with suppress(ValueError):
        if 0 < float(threshold) <= 1:
            return column or None, float(threshold)
    raise ValueError(f"must be a threshold in (0, 1], such as 0.9, or COL=THRESHOLD; got {text!r}")


def _similar(value: Any) -> Any:
    if value is not None:
        read_similar(str(value))
    return None if value is None else str(value)


def _balancing(value: Any) -> Any:
    from polytask.balancing import method_of

    return _named(value, method_of)


def _encoder(value: Any) -> Any:
    from polytask.networks import encoder_of

    return _named(value, encoder_of)


def _numbers(value: Any) -> Any:
    from polytask.networks import embedding_of

    return _named(value, embedding_of)


def _sharing(value: Any) -> Any:
    from polytask.networks import sharing_of

    return _named(value, sharing_of)


def _initialization(value: Any) -> Any:
    from polytask.networks.initialization import initialization_of

    return _named(value, initialization_of)


def _optimizer(value: Any) -> Any:
    from polytask.optim import optimizers_of

    return _named(value, optimizers_of)


def _schedule(value: Any) -> Any:
    from polytask.optim import schedule_of

    return _named(value, schedule_of)


def _regularization(value: Any) -> Any:
    from polytask.optim import regularizers_of

    return _named(value, regularizers_of)


def _named(value: Any, made: Callable[..., Any]) -> Any:
    """A name with settings, as it is, if something can be made of it."""
    from polytask.exceptions import OptionError

    if not isinstance(value, str):
        return value
    try:
        made(value, option="OPTION")
    except OptionError as error:
        told = str(error).replace("In OPTION: ", "").replace(" in OPTION", "").replace(" of OPTION", "").rstrip(".")
        must = told.removeprefix("OPTION ")
        raise ValueError(must if must != told else f"cannot be {value!r}: {told}") from error
    return value


PathText = Annotated[str, BeforeValidator(_as_text)]
Paths = Annotated[list[PathText], BeforeValidator(_listed)]
Folds = Annotated[int | Literal["leave-one-group-out"], BeforeValidator(_folds)]
Similar = Annotated[str, BeforeValidator(_similar)]
Balancing = Annotated[str, BeforeValidator(_balancing)]
Encoder = Annotated[str, BeforeValidator(_encoder)]
Numbers = Annotated[str, BeforeValidator(_numbers)]
Sharing = Annotated[str, BeforeValidator(_sharing)]
Initialization = Annotated[str, BeforeValidator(_initialization)]
Optimizer = Annotated[str, BeforeValidator(_optimizer)]
Schedule = Annotated[str, BeforeValidator(_schedule)]
Regularization = Annotated[str, BeforeValidator(_regularization)]
Gap = Annotated[str, BeforeValidator(_gap)]
Texts = Annotated[list[str], BeforeValidator(_listed)]
Data = Annotated[dict[str, PathText], _pairs("TARGET=FILE", "price=houses.csv")]
Losses = Annotated[dict[str, str], _pairs("TARGET=LOSS", "price=huber", _before_loss)]
ClassWeights = Annotated[dict[str, Literal["balanced"]], _pairs("TARGET=balanced", "sold=balanced")]
ColumnKind = Annotated[
    Literal["numeric", "categorical", "boolean", "datetime", "text", "list"],
    BeforeValidator(lambda value: "datetime" if value == "date" else value),
]
FitMetrics = Annotated[dict[str, Texts], BeforeValidator(_lists_of_pairs)]
Columns = Annotated[dict[str, ColumnKind], _pairs("NAME=KIND", "zip=categorical")]
Format = Literal["html", "pdf", "md", "json"]
Metrics = Annotated[dict[str, str], _pairs("TARGET=METRIC", "sold=roc_auc")]


def _field(description: str, default: Any = None, **settings: Any) -> Any:
    if isinstance(default, list | dict):
        return Field(default_factory=type(default), description=description, **settings)
    return Field(default, description=description, **settings)


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FitOptions(_Options):
    """What only ``polytask fit`` asks for."""

    out: PathText | None = _field("The model folder to write.")
    report: PathText | None = _field("The report; MODEL.html beside the model folder by default.")
    format: Format | None = _field("Of the report: html, pdf, md or json; by the ending of its name by default.")
    preset: Literal["network", "fast", "balanced", "best"] | None = _field(
        "fast, balanced, best: a portfolio of more and more models, mixed per task; network: one network of all tasks. By "
        "default balanced, or network if a field of the network is there."
    )
    time_limit: float | None = _field(
        "Seconds: of training for a network; of all, saving included, for a portfolio (60, or 600 for best, by default).",
        gt=0.0,
        allow_inf_nan=False,
    )
    deploy: Literal["folds", "refit", "distill"] | None = _field(
        "What of a portfolio predicts: the models of all folds, these fitted once on all rows, or one network distilled."
    )
    metric: FitMetrics = _field(
        "TARGET: METRICS that are told of it besides those of its kind, such as precision_at_k:0.1; learning is the same.", {}
    )


class CompareOptions(_Options):
    """What only ``polytask compare`` asks for."""

    folds: Folds | None = _field("Parts to hold out in turn, 5 by default; or leave-one-group-out. Not together with split.")
    window: Literal["expanding", "sliding"] | None = _field(
        "With time: learn from all earlier rows (expanding), or from the latest of them only; expanding by default."
    )
    similar: Similar | None = _field(
        "THRESHOLD or COL=THRESHOLD: rows at least so alike (0 to 1) are never split apart; by all inputs, or the texts of COL."
    )
    repeats: int = _field("Times to draw the folds; one gives no verdict.", 5, ge=1)
    metric: Metrics = _field("TARGET: roc_auc measures the skill of a binary target by its AUC instead of log loss.", {})
    learning_curve: bool = _field("Compare over shares of the labels too: where does learning together pay?", False)
    json_file: PathText | None = _field("Write the result as JSON too.", alias="json")
    report: PathText | None = _field("Write the report.")
    format: Format | None = _field("Of the report: html, pdf, md or json; by the ending of its name by default.")


class Study(_Options):
    """All that is needed to run ``polytask fit`` or ``polytask compare`` again to the same numbers.

    A field is an option of the command line without its dashes (``max_steps`` is ``--max-steps``); what one command alone asks
    for is in ``fit`` or ``compare``. Relative paths are relative to the working directory here, and to the folder of the file
    in a study file; :func:`read_study` and :meth:`seen_from` translate.

    Examples
    --------
    >>> study = Study(table="train.csv", target=["price", "sold"], compare={"folds": 3})
    >>> study.to_dict()
    {'table': ['train.csv'], 'target': ['price', 'sold'], 'seed': 0, 'compare': {'folds': 3}}
    """

    model_config = ConfigDict(title="A polytask study")

    table: Paths = _field("The table, a row per subject: one file, or several of the same columns (part-*.csv).", [])
    target: Texts = _field("The columns to learn: NAME, NAME:KIND, a pattern like 'y_*', or 'NAME=y_*:multilabel'.", [])
    data: Data = _field("Instead of table: TARGET: FILE, a table of its own for each target; rows stand under each other.", {})
    loss: Losses = _field(
        "TARGET: LOSS, what a network minimises: mae, quantile:0.9, gaussian; focal, auc, soft_f1_macro, ...", {}
    )
    class_weight: ClassWeights = _field("TARGET: balanced lets every class of a target count the same.", {})
    task_by: str | None = _field("A column: each of its values makes a task of every target, such as one per school.")
    unlearnable: Literal["error", "skip"] = _field(
        "What to do with a target that has one value only or no labels: error, or skip (leave it out and say so).", "error"
    )
    ignore: Texts = _field("Columns that are no inputs.", [])
    column: Columns = _field(
        "NAME: KIND of an input column that is not what it looks like, such as a zip code of digits: numeric, categorical, "
        "boolean, datetime, text or list.",
        {},
    )
    weight: str | None = _field("The column of row weights, zero or more.")
    group: str | None = _field("A column: rows with the same value there are never split apart.")
    split: str | None = _field("The column that says which part a row is in.")
    time: str | None = _field("A column of numbers or dates: fit stops by the latest rows, compare predicts later ones.")
    gap: Gap | None = _field(
        "With time: what lies between rows learned from and rows predicted; 7 rows, '7 days', or 0.5 in the unit of the times."
    )

    sample: int | None = _field("So many rows at random instead of all, of each table of data, for a first look.", ge=1)
    sep: str | None = _field("What stands between fields; found out by default.")
    decimal: str = _field("The decimal sign of numbers.", ".")
    missing: Texts = _field("More texts that mean a missing value.", [])
    no_default_missing: bool = _field("Take NA, None, null and the like as values, not as missing.", False)

    encoder: Encoder = _field(
        "What makes features of the inputs: mlp:n_layers=1,width=64,dropout=0.3; resnet (residual blocks); ft_transformer "
        "(attention of columns; slow).",
        "mlp",
    )
    numbers: Numbers = _field(
        "How numbers enter the network: plain (scaled), or embedded by such functions: periodic:sigma=0.5, piecewise.", "plain"
    )
    sharing: Sharing | None = _field(
        "What the targets share in the network: hard, mmoe:n_experts=8, cgc, ple, adatt, ...; by default all but the last layer."
    )
    balancing: Balancing | None = _field(
        "How the losses of the targets become one step: pcgrad, cagrad:c=0.5, every:method=mgda,k=10, famo, ...; by default "
        "their mean, each divided by that of the constant prediction. Experimental: cosmos, dbmtl, go4align, mo_co."
    )
    balance_at: Literal["parameters", "features"] = _field(
        "Where a method of balancing compares gradients: at all shared parameters, or, cheaper, at the output of the encoder.",
        "parameters",
    )
    initialization: Initialization | None = _field(
        "How weights start: he_normal, glorot_uniform, orthogonal, ...; or by part, encoder=he_normal;heads=zeros."
    )
    optimizer: Optimizer | None = _field(
        "What trains the network: adamw (the default), sgd:learning_rate=0.1, muon, ...; or by part, encoder=sgd;heads=adagrad."
    )
    schedule: Schedule | None = _field(
        "How learning rates go over the plan: cosine (the default), constant, linear, step, one_cycle, plateau:patience=3."
    )
    regularization: Regularization | None = _field(
        "Of weights or units: dropout:rate=0.3,on=heads, l2:strength=0.1,on=shared, l1, elastic_net, group_lasso (drops input "
        "columns), soft_orthogonality; several with ';' between."
    )
    ema: float | None = _field("Keep a moving average of the weights: the share of the average before, such as 0.99.", gt=0, lt=1)
    learning_rate: float | None = _field("Highest learning rate of an optimizer without one of its own.", gt=0)
    weight_decay: float | None = _field("Decay of weights by an optimizer without one of its own.", ge=0)
    batch_size: int | None = _field("Rows of a batch; by default about a sixteenth of the training rows, 32 to 512.", ge=1)
    batches: Literal["shuffled", "class_aware"] = _field(
        "How rows come into batches: class_aware deals rare classes evenly, for losses such as auc that see a batch at a time.",
        "shuffled",
    )
    accumulate: int = _field("So many batches make one step, that of one larger batch.", 1, ge=1)
    precision: Literal["float32", "bfloat16"] = _field("Numbers of forward and backward passes in training.", "float32")
    patience: int | None = _field("Epochs without a better validation skill before training stops; 16 by default.", ge=1)
    stopping: Literal["mean", "per_task"] = _field(
        "Whether patience is with the mean skill, or with each task, which then stops alone while the others go on.", "mean"
    )
    seed: int = _field("The same seed gives the same result.", 0, ge=0, lt=2**32)
    epochs: int | None = _field("Most passes over the training rows.", ge=1)
    max_steps: int | None = _field("Stop training after this many steps.", ge=1)
    threads: int | None = _field("Processor threads; by default one to learn from under 20,000 rows, else all.", ge=1)
    device: str = _field("cpu, cuda, cuda:1, mps, auto.", "cpu")

    fit: FitOptions = Field(default_factory=FitOptions, description="What only polytask fit asks for.")
    compare: CompareOptions = Field(default_factory=CompareOptions, description="What only polytask compare asks for.")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON of what is not by default, and the seed; ``Study(**study.to_dict()) == study``."""
        given = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {name: self.seed if name == "seed" else given[name] for name in names_of(Study) if name in given or name == "seed"}

    def with_paths(self, change: Callable[[str], str]) -> Self:
        """The same study with every path changed."""
        found: dict[str, Any] = {
            "table": [change(path) for path in self.table],
            "data": {target: change(path) for target, path in self.data.items()},
        }
        for section, names in (("fit", ("out", "report")), ("compare", ("json_file", "report"))):
            own = getattr(self, section)
            paths = {name: change(getattr(own, name)) for name in names if getattr(own, name) is not None}
            found[section] = own.model_copy(update=paths)
        return self.model_copy(update=found)

    def with_preset(self, preset: str | None) -> Self:
        """The same study with its preset named."""
        fit: dict[str, Any] = {"preset": preset}
        return self.model_copy(update={"fit": self.fit.model_copy(update=fit)})

    def seen_from(self, folder: str | os.PathLike[str]) -> Self:
        """The same study with relative paths as they must be written in a file in ``folder``."""
        return self.with_paths(lambda path: path if os.path.isabs(path) else _relative(path, os.fspath(folder)))


def network_fields() -> list[str]:
    """Fields that only networks have.

    >>> network_fields()[:3]
    ['encoder', 'numbers', 'sharing']
    """
    names = list(Study.model_fields)
    return [name for name in names[names.index("encoder") : names.index("fit")] if name not in _OF_ALL_MODELS]


def names_of(model: type[BaseModel]) -> Iterator[str]:
    """Names of the fields as they are written in a file."""
    return (field.alias or name for name, field in model.model_fields.items())


def _relative(path: str, folder: str) -> str:
    """``path`` from ``folder``, both seen from the working directory; links are followed, as the system follows ``..``."""
    absolute = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    try:
        return Path(os.path.relpath(absolute, os.path.realpath(folder))).as_posix()
    except ValueError:  # another drive
        return absolute
