"""The options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

_TARGETS, _READING, _TRAINING, _OUTPUT = "Targets and columns", "Reading the table", "Network and training", "Output"
_ROWS, _RUN, _COMPARISON = "How rows are divided", "The run", "Comparison"


def _option(*names: str, help: str, panel: str, **settings: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=settings.pop("show_default", False), **settings)


_FORMATS = "CSV, TSV, JSON lines (also .gz), Parquet, Arrow or Excel"

TableOrStudy = Annotated[
    list[Path] | None,
    typer.Argument(
        help=f"{_FORMATS}, a row per subject, in one file or several ('part-*.csv'); or a study (.yaml, of 'polytask init') that "
        "says all of it; what is given besides goes before it.",
        show_default=False,
        metavar="TABLE|STUDY",
    ),
]
NewTables = Annotated[
    list[Path],
    typer.Argument(help="New rows, in tables like the one learned from.", show_default=False, metavar="TABLE"),
]
ModelFolder = Annotated[Path, typer.Argument(help="The folder that 'polytask fit' wrote.", show_default=False, metavar="MODEL")]

Target = Annotated[
    list[str] | None,
    _option(
        "--target",
        "-t",
        panel=_TARGETS,
        metavar="SPEC",
        help="A column to learn: NAME, NAME:KIND, a pattern like 'y_*', or 'NAME=y_*:multilabel' for one task of several 0/1 "
        "columns. Kinds: regression, binary, multiclass, multilabel, ordinal, count. Give it once per target.",
    ),
]
Ignore = Annotated[
    list[str] | None, _option("--ignore", panel=_TARGETS, metavar="COL", help="A column that is no input; as often as needed.")
]
Column = Annotated[
    list[str] | None,
    _option(
        "--column",
        panel=_TARGETS,
        metavar="NAME=KIND",
        help="What an input column is, where it looks like something else (a zip code of digits): numeric, categorical, boolean, "
        "datetime, text or list; as often as needed.",
    ),
]
Group = Annotated[
    str | None,
    _option("--group", panel=_ROWS, metavar="COL", help="Rows with the same value here are never split apart."),
]
Split = Annotated[str | None, _option("--split", panel=_ROWS, metavar="COL", help="The column that says which part a row is in.")]
Weight = Annotated[
    str | None, _option("--weight", panel=_TARGETS, metavar="COL", help="The column of row weights, zero or more.")
]
Data = Annotated[
    list[str] | None,
    _option(
        "--data",
        panel=_TARGETS,
        metavar="TARGET=FILE",
        help="Instead of TABLE and --target: a table of its own for each target; as often as needed.",
    ),
]
Loss = Annotated[
    list[str] | None,
    _option(
        "--loss",
        panel=_TARGETS,
        metavar="TARGET=LOSS",
        help="What is minimised, and so what predictions mean: mse, mae, huber, quantile:0.9, gaussian; cross_entropy, focal, "
        "auc, soft_f1_macro, ...",
    ),
]
ClassWeight = Annotated[
    list[str] | None,
    _option("--class-weight", panel=_TARGETS, metavar="TARGET=balanced", help="Let every class of a target count the same."),
]
TaskBy = Annotated[
    str | None,
    _option(
        "--task-by", panel=_TARGETS, metavar="COL", help="Each value here makes a task of every target, such as one per school."
    ),
]
Time = Annotated[
    str | None,
    _option(
        "--time",
        panel=_ROWS,
        metavar="COL",
        help="A column of numbers or dates: fit stops by the latest rows, compare predicts later ones.",
    ),
]
Gap = Annotated[
    str | None,
    _option(
        "--gap",
        panel=_ROWS,
        metavar="ROWS|TIME",
        help="With --time: what lies between rows learned from and predicted: 7 (rows), '7 days', or 0.5 in the unit of --time.",
    ),
]
Unlearnable = Annotated[
    Literal["error", "skip"],
    _option(
        "--unlearnable",
        panel=_TARGETS,
        show_default=True,
        help="What to do with a target that has one value only or no labels: stop, or leave it out and say so.",
    ),
]

Separator = Annotated[
    str | None, _option("--sep", panel=_READING, metavar="CHAR", help="What stands between fields; found out by default.")
]
Decimal = Annotated[
    str, _option("--decimal", panel=_READING, metavar="CHAR", show_default=True, help="The decimal sign of numbers.")
]
Missing = Annotated[
    list[str] | None,
    _option("--missing", panel=_READING, metavar="TEXT", help="One more text that means a missing value; as often as needed."),
]
NoDefaultMissing = Annotated[
    bool,
    _option("--no-default-missing", panel=_READING, help="Take NA, None, null and the like as values, not as missing."),
]
NewDecimal = Annotated[
    str | None, _option("--decimal", panel=_READING, metavar="CHAR", help="Decimal sign; that of the fit by default.")
]
NewMissing = Annotated[
    list[str] | None,
    _option("--missing", panel=_READING, metavar="TEXT", help="A text that means a missing value; those of the fit by default."),
]
DefaultMissing = Annotated[
    bool | None,
    _option(
        "--default-missing/--no-default-missing",
        panel=_READING,
        help="Whether NA, None, null and the like mean missing; as in the fit by default.",
    ),
]
MissingColumns = Annotated[
    Literal["error", "fill"],
    _option("--missing-columns", panel=_READING, show_default=True, help="Without an input column: stop, or take it as missing."),
]

Sample = Annotated[
    int | None,
    _option(
        "--sample",
        panel=_READING,
        metavar="N",
        help="So many rows at random instead of all, of each table of --data, for a first look.",
    ),
]
Encoder = Annotated[
    str,
    _option(
        "--encoder",
        panel=_TRAINING,
        metavar="NAME",
        show_default=True,
        help="What makes features of the inputs: mlp:n_layers=1,width=64,dropout=0.3; resnet (residual blocks), ft_transformer "
        "(attention between columns, slow).",
    ),
]
Numbers = Annotated[
    str,
    _option(
        "--numbers",
        panel=_TRAINING,
        metavar="NAME",
        show_default=True,
        help="How numbers enter: plain (scaled), or embedded by such functions: periodic:sigma=0.5, piecewise.",
    ),
]
Sharing = Annotated[
    str | None,
    _option(
        "--sharing",
        panel=_TRAINING,
        metavar="NAME",
        help="What the targets share in the network: hard, mmoe:n_experts=8, cgc, ple, adatt, ...; by default all but the last "
        "layer.",
    ),
]
Balancing = Annotated[
    str | None,
    _option(
        "--balancing",
        panel=_TRAINING,
        metavar="METHOD",
        help="How the losses of the targets become one step: pcgrad, cagrad:c=0.5, every:method=mgda,k=10, famo, ...; by default "
        "their mean, each divided by that of the constant prediction. Experimental: cosmos, dbmtl, go4align, mo_co.",
    ),
]
BalanceAt = Annotated[
    Literal["parameters", "features"],
    _option(
        "--balance-at",
        panel=_TRAINING,
        show_default=True,
        help="Where --balancing compares gradients: all shared parameters, or, cheaper, the output of the encoder.",
    ),
]
Initialization = Annotated[
    str | None,
    _option(
        "--initialization",
        panel=_TRAINING,
        metavar="NAME",
        help="How weights start: he_normal, glorot_uniform, orthogonal, ...; or by part: encoder=he_normal;heads=zeros.",
    ),
]
Optimizer = Annotated[
    str | None,
    _option(
        "--optimizer",
        panel=_TRAINING,
        metavar="NAME",
        help="What trains: adamw (the default), sgd:learning_rate=0.1, muon, ...; or by part: encoder=sgd;heads=adam.",
    ),
]
Schedule = Annotated[
    str | None,
    _option(
        "--schedule",
        panel=_TRAINING,
        metavar="NAME",
        help="How learning rates go over the plan: cosine (the default), constant, linear, step, one_cycle, plateau.",
    ),
]
Regularization = Annotated[
    str | None,
    _option(
        "--regularization",
        panel=_TRAINING,
        metavar="NAME",
        help="Of weights or units: dropout:rate=0.3,on=heads, l2:strength=0.1,on=shared, l1, elastic_net, group_lasso (drops "
        "input columns), soft_orthogonality; several with ';' between.",
    ),
]
Ema = Annotated[
    float | None,
    _option(
        "--ema", panel=_TRAINING, metavar="SHARE", help="Keep a moving average of the weights, of which 0.99 is the one before."
    ),
]
LearningRate = Annotated[
    float | None,
    _option("--learning-rate", panel=_TRAINING, metavar="RATE", help="Highest, of an --optimizer without one of its own."),
]
WeightDecay = Annotated[
    float | None,
    _option("--weight-decay", panel=_TRAINING, metavar="RATE", help="Of weights, by an --optimizer without one of its own."),
]
BatchSize = Annotated[
    int | None,
    _option(
        "--batch-size",
        panel=_TRAINING,
        metavar="N",
        help="Rows of a batch; by default about a sixteenth of the training rows, 32 to 512.",
    ),
]
Batches = Annotated[
    Literal["shuffled", "class_aware"],
    _option(
        "--batches",
        panel=_TRAINING,
        show_default=True,
        help="How rows come into batches: class_aware deals rare classes evenly, for losses such as auc.",
    ),
]
Accumulate = Annotated[
    int,
    _option(
        "--accumulate",
        panel=_TRAINING,
        metavar="N",
        show_default=True,
        help="So many batches make one step: that of a larger batch, in the memory of one.",
    ),
]
Precision = Annotated[
    Literal["float32", "bfloat16"],
    _option("--precision", panel=_TRAINING, show_default=True, help="Numbers of forward and backward passes in training."),
]
Patience = Annotated[
    int | None,
    _option(
        "--patience",
        panel=_TRAINING,
        metavar="N",
        help="Epochs without a better validation skill before training stops; 16 by default.",
    ),
]
Stopping = Annotated[
    Literal["mean", "per_task"],
    _option(
        "--stopping",
        panel=_TRAINING,
        show_default=True,
        help="Whether --patience is with the mean skill, or with each task, which then stops alone while the others go on.",
    ),
]
Seed = Annotated[
    int, _option("--seed", panel=_TRAINING, metavar="N", min=0, show_default=True, help="The same seed gives the same result.")
]
Preset = Annotated[
    Literal["network", "fast", "balanced", "best"] | None,
    _option(
        "--preset",
        panel=_TRAINING,
        help="fast, balanced, best: a portfolio of more and more models, mixed per task; network: one network of all tasks. By "
        "default balanced, or network if an option that only networks have is named.",
    ),
]
Deploy = Annotated[
    Literal["folds", "refit", "distill"] | None,
    _option(
        "--deploy",
        panel=_TRAINING,
        help="What of a portfolio predicts: the models of all folds, these fitted once on all rows, or one network distilled "
        "from them; tells its size and time.",
    ),
]
TimeLimit = Annotated[
    float | None,
    _option(
        "--time-limit",
        panel=_TRAINING,
        metavar="SECONDS",
        help="Stop training a network after this time; a portfolio is saved by then (60, for best 600, by default).",
    ),
]
MaxSteps = Annotated[
    int | None, _option("--max-steps", panel=_TRAINING, metavar="N", help="Stop training after this many steps.")
]
Epochs = Annotated[int | None, _option("--epochs", panel=_TRAINING, metavar="N", help="Most passes over the training rows.")]
Threads = Annotated[
    int | None,
    _option(
        "--threads",
        panel=_TRAINING,
        metavar="N",
        help="Processor threads; by default one to learn from under 20,000 rows, else all.",
    ),
]
Device = Annotated[str, _option("--device", panel=_TRAINING, metavar="NAME", show_default=True, help="cpu, cuda, cuda:1, mps.")]

Quiet = Annotated[bool, _option("--quiet", "-q", panel=_OUTPUT, help="Print nothing but warnings and errors.")]
Json = Annotated[Path | None, _option("--json", panel=_OUTPUT, metavar="FILE", help="Write the result as JSON too.")]
Report = Annotated[
    Path | None, _option("--report", panel=_OUTPUT, metavar="FILE", help="Write the report: .html, .pdf, .md or .json.")
]

Format = Annotated[
    Literal["html", "pdf", "md", "json"] | None,
    _option("--format", panel=_OUTPUT, help="Of the report; by the ending of its name by default."),
]
LearningCurve = Annotated[
    bool,
    _option(
        "--learning-curve",
        panel=_COMPARISON,
        help="Compare over shares of the labels too, in 3 repeats at most: where does learning together pay?",
    ),
]

Out = Annotated[Path | None, _option("--out", "-o", panel=_RUN, metavar="MODEL", help="The model folder to write.")]
FitReport = Annotated[Path | None, _option("--report", panel=_OUTPUT, metavar="FILE", help="The report; MODEL.html by default.")]
Overwrite = Annotated[bool, _option("--overwrite", panel=_RUN, help="Replace the model at --out, and an unfinished run.")]
Resume = Annotated[bool, _option("--resume", panel=_RUN, help="Go on with the unfinished run of the same command.")]

Folds = Annotated[
    str | None,
    _option(
        "--folds",
        panel=_COMPARISON,
        metavar="N|leave-one-group-out",
        help="Parts to hold out in turn, 5 by default; or every --group once.",
    ),
]
Window = Annotated[
    Literal["expanding", "sliding"] | None,
    _option(
        "--window", panel=_COMPARISON, help="With --time: learn from all earlier rows (the default), or from the latest only."
    ),
]
Similar = Annotated[
    str | None,
    _option(
        "--similar",
        panel=_COMPARISON,
        metavar="[COL=]THRESHOLD",
        help="Rows at least this alike (0 to 1) are never split apart; by all inputs, or by the texts (SMILES) of a column.",
    ),
]
Repeats = Annotated[
    int,
    _option(
        "--repeats", panel=_COMPARISON, metavar="N", show_default=True, help="Times to draw the folds; one gives no verdict."
    ),
]
Metric = Annotated[
    list[str] | None,
    _option(
        "--metric",
        panel=_COMPARISON,
        metavar="TARGET=METRIC",
        help="TARGET=roc_auc measures the skill of a binary target by its AUC instead of log loss; as often as needed.",
    ),
]

FitMetric = Annotated[
    list[str] | None,
    _option(
        "--metric",
        panel=_OUTPUT,
        metavar="TARGET=METRIC",
        help="One more metric that is told of a target, by the report and by 'polytask evaluate', such as "
        "sold=precision_at_k:0.1; as often as needed.",
    ),
]

# What makes a study, in the order of --help: name, annotation, default. A test holds them equal to the fields of `Study`.
TABLE: dict[str, tuple[Any, Any]] = {"table": (TableOrStudy, None)}
COLUMNS: dict[str, tuple[Any, Any]] = {
    "target": (Target, None),
    "data": (Data, None),
    "loss": (Loss, None),
    "class_weight": (ClassWeight, None),
    "task_by": (TaskBy, None),
    "unlearnable": (Unlearnable, "error"),
    "ignore": (Ignore, None),
    "column": (Column, None),
    "weight": (Weight, None),
    "group": (Group, None),
    "split": (Split, None),
    "time": (Time, None),
    "gap": (Gap, None),
}
READING: dict[str, tuple[Any, Any]] = {
    "sample": (Sample, None),
    "sep": (Separator, None),
    "decimal": (Decimal, "."),
    "missing": (Missing, None),
    "no_default_missing": (NoDefaultMissing, False),
}
TRAINING: dict[str, tuple[Any, Any]] = {
    "encoder": (Encoder, "mlp"),
    "numbers": (Numbers, "plain"),
    "sharing": (Sharing, None),
    "balancing": (Balancing, None),
    "balance_at": (BalanceAt, "parameters"),
    "initialization": (Initialization, None),
    "optimizer": (Optimizer, None),
    "schedule": (Schedule, None),
    "regularization": (Regularization, None),
    "ema": (Ema, None),
    "learning_rate": (LearningRate, None),
    "weight_decay": (WeightDecay, None),
    "batch_size": (BatchSize, None),
    "batches": (Batches, "shuffled"),
    "accumulate": (Accumulate, 1),
    "precision": (Precision, "float32"),
    "patience": (Patience, None),
    "stopping": (Stopping, "mean"),
    "seed": (Seed, 0),
    "epochs": (Epochs, None),
    "max_steps": (MaxSteps, None),
    "threads": (Threads, None),
    "device": (Device, "cpu"),
}
FIT: dict[str, tuple[Any, Any]] = {
    "out": (Out, None),
    "preset": (Preset, None),
    "time_limit": (TimeLimit, None),
    "deploy": (Deploy, None),
    "metric": (FitMetric, None),
    "report": (FitReport, None),
    "format": (Format, None),
}
COMPARE: dict[str, tuple[Any, Any]] = {
    "folds": (Folds, None),
    "window": (Window, None),
    "similar": (Similar, None),
    "repeats": (Repeats, 5),
    "metric": (Metric, None),
    "learning_curve": (LearningCurve, False),
    "json": (Json, None),
    "report": (Report, None),
    "format": (Format, None),
}
