"""The automatic door: a table with its targets in, a model of all of them out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from polytask.automatic._label_makers import LabelMakers
from polytask.automatic._portfolio import COLUMNS
from polytask.automatic._predictor_checks import listed, mapped
from polytask.automatic._predictor_fit import fit_predictor
from polytask.automatic._predictor_folder import predictor_parts, restored_predictor
from polytask.automatic._predictor_importance import predictor_importance
from polytask.automatic._predictor_outputs import check_fitted, columns_of, predicted_by
from polytask.automatic._predictor_scores import evaluated
from polytask.automatic._preset_choice import preset_of
from polytask.automatic._skipped import SkippedTask
from polytask.automatic._study import Study
from polytask.data import like, to_pandas
from polytask.estimators import Bagged, MultiTaskNetwork, estimator_from_parts
from polytask.exceptions import OptionError
from polytask.storage import read_folder, write_folder
from polytask.tasks import FittedTask
from polytask.training import EpochRecord

Array = np.ndarray[Any, np.dtype[Any]]


class MultiTaskPredictor:
    """Learn several targets of a table together.

    Parameters
    ----------
    targets : sequence of str or Task
        As for ``polytask fit --target``: a column name, ``NAME:KIND``, a pattern such as ``y_*``, or
        ``NAME=PATTERN:multilabel``; see :func:`~polytask.tasks.parse_targets`.
    ignore : sequence of str
        Columns that are no inputs.
    group, split, weight : str, optional
        Columns that are no inputs: rows of one group stay together in inner splits; "train", "validation" and "test" say which
        rows are for what (test rows are scored once, after the fit); weights of the rows.
    task_by : str, optional
        A column that is no input: each of its values makes a task of every target, such as one per school. Predictions are one
        column per target, each row by its own task; rows of a value never seen get the mean over tasks, which is told.
    time : str, optional
        A column of numbers or dates that is no input: the latest rows choose the epoch, all others are learned from.
    gap : int, float, str or timedelta, default=0
        With ``time``: rows before the latest ones that are in neither part. A whole number counts rows, a number with a point is
        in the unit of ``time``, and texts such as "7 days" count time where these are dates.
    losses : mapping of target to str or Loss, optional
        What is minimised for a target, such as ``{"price": "huber"}``, and what its predictions therefore mean; see
        :mod:`polytask.losses`. Keys may be patterns.
    class_weights : mapping of target to "balanced" or dict, optional
        Weights of the classes of a target; "balanced" lets every class count the same.
    metrics : mapping of target to str, Metric or a sequence of them, optional
        What the report and :meth:`evaluate` tell of a target besides the metrics of its kind, such as
        ``{"sold": "precision_at_k:0.1"}``; keys may be patterns.
    column_kinds : mapping of column to kind, optional
        What an input column is, where it looks like something else, such as ``{"zip": "categorical"}``: "numeric",
        "categorical", "boolean", "datetime" (or "date"), "text" or "list". Goes before that of ``network``.
    unlearnable : {"error", "skip"}
        What to do with a target without labels or with one value: raise, or leave it out and predict the constant, or nothing.
    preset : {"fast", "balanced", "best", "network"}, optional
        A portfolio of models, k-fold bagged on one shared split and mixed per task: linear models and LightGBM; forests, stopped
        boosting and networks too; or all that there is, the tasks stacked across each other. Or one network of all tasks. By
        default "balanced"; "network" if ``network``, ``max_steps`` or a loss that only networks minimise is given.
    network : MultiTaskNetwork, optional
        Settings of the network, or of the networks of a portfolio; its tasks and random state are set here.
    time_limit : float, optional
        Of a network, seconds of training. Of a portfolio, seconds of ``fit`` and ``save``: 60, or 600 for "best", by default.
    deploy : {"folds", "refit", "distill"}, optional
        What of a portfolio predicts new rows, with its size and time in the report: the models of all folds (None too, without
        the report); the same kinds of models fitted once on all rows; or one network that has learned from them, with what it
        loses.
    max_steps : int, optional
        Of each network.
    seed : int, default=0
    device : str, default="cpu"
    threads : int, optional
        Threads of torch during ``fit``.

    Attributes
    ----------
    model_ : MultiTaskNetwork or PortfolioModel
        What was fitted; ``network_`` is the same, where it is a network.
    study_ : Study or None
        What was asked for, as a study file says it; None where it cannot, such as a network of your own.
    report_ : dict
        What was learned and how, plain JSON; ``polytask.reporting.write_fit_report`` makes a page of it.

    Examples
    --------
    >>> area = pd.Series([40.5 + 7 * k % 50 for k in range(50)])
    >>> frame = pd.DataFrame({"area": area, "price": area**1.5, "sold": ["yes", "no"] * 25})
    >>> predictor = MultiTaskPredictor(["price", "sold"], max_steps=20).fit(frame)
    >>> predictor.predict(frame.head(2)).columns.tolist()
    ['price', 'sold']
    """

    model_: Any
    study_: Study | None
    report_: dict[str, Any]
    makers_: LabelMakers
    target_columns_: list[str]
    skipped_: list[SkippedTask]
    order_: list[str]
    _marks: dict[str, str]  # of the data and options that a fit of this process found; not after loading

    def __init__(
        self,
        targets: Sequence[Any],
        *,
        ignore: Sequence[str] = (),
        group: str | None = None,
        split: str | None = None,
        weight: str | None = None,
        task_by: str | None = None,
        time: str | None = None,
        gap: Any = 0,
        losses: Mapping[str, Any] | None = None,
        class_weights: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        column_kinds: Mapping[str, str] | None = None,
        unlearnable: str = "error",
        preset: str | None = None,
        network: MultiTaskNetwork | None = None,
        time_limit: float | None = None,
        deploy: str | None = None,
        max_steps: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.targets = listed("targets", targets)
        self.ignore = listed("ignore", ignore)
        self.group = group
        self.split = split
        self.weight = weight
        self.task_by = task_by
        self.time = time
        self.gap = gap
        self.losses = mapped("losses", losses, example="{'price': 'huber'}")
        self.class_weights = mapped("class_weights", class_weights, example="{'sold': 'balanced'}")
        self.metrics = dict(metrics or {})
        self.column_kinds = mapped("column_kinds", column_kinds, example="{'zip': 'categorical'}")
        self.unlearnable = unlearnable
        self.preset = preset
        self.network = network
        self.time_limit = time_limit
        self.deploy = deploy
        self.max_steps = max_steps
        self.seed = seed
        self.device = device
        self.threads = threads
        self._given_study: Study | None = None

    # --------------------------------------------------------------------- fit

    def fit(
        self,
        data: Any,
        *,
        preset: str | None = None,
        time_limit: float | None = None,
        deploy: str | None = None,
        warm_start: bool = False,
        run_folder: Any = None,
        resume: bool = False,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        on_model: Callable[[str, Bagged | None], None] | None = None,
        facts: dict[str, Any] | None = None,
        started: float | None = None,
    ) -> Self:
        """Learn the targets from a table.

        Parameters
        ----------
        data : table
            pandas, polars, pyarrow or a dictionary of columns; targets and inputs side by side.
        preset, time_limit, deploy : optional
            In place of those that were given before.
        warm_start : bool, default=False
            Keep the models of the portfolio that is fitted, and add what was left out for want of time; the same table only.
        run_folder : path, optional
            Where the state of the run is kept while it trains.
        resume : bool, default=False
            Go on from ``run_folder`` after checking that data, options, versions and threads are the same.
        on_epoch : callable, optional
            Called with an :class:`~polytask.training.EpochRecord` after every epoch of the network.
        on_model : callable, optional
            Called with the name of every model of a portfolio and what was fitted, None if it was left out.
        facts : dict, optional
            More for ``report_``, such as where the table came from.
        started : float, optional
            When the time limit of a portfolio began to count, of ``time.monotonic()``; now by default.

        Raises
        ------
        DataError, OptionError
            If the table or a setting cannot be used.
        """
        self.preset = self.preset if preset is None else preset
        self.time_limit = self.time_limit if time_limit is None else time_limit
        self.deploy = self.deploy if deploy is None else deploy
        fit_predictor(
            self,
            data,
            warm_start=warm_start,
            run_folder=run_folder,
            resume=resume,
            on_epoch=on_epoch,
            on_model=on_model,
            facts=facts,
            started=started,
        )
        return self

    def leaderboard(self) -> pd.DataFrame:
        """What every model of the portfolio is worth: per task, and as means over the tasks, named "(mean)".

        Returns
        -------
        frame : DataFrame
            ``skill`` is of rows that the model has not seen; the model "ensemble" is the mixture, its weights chosen on other
            rows than those that score it. ``weight`` is the share in the mixture, ``together`` whether the tasks were learned by
            one model, ``seconds`` what fitting took, ``megabytes`` and ``latency`` (milliseconds for 1,000 rows) about what the
            model would take in a folder and to predict.

        Raises
        ------
        OptionError
            If this is no portfolio.
        """
        check_fitted(self)
        if "leaderboard" not in self.report_:
            raise OptionError(
                "Only a portfolio has a leaderboard; this is one network. Fit with preset='fast', 'balanced' or 'best'."
            )
        return pd.DataFrame(self.report_["leaderboard"], columns=COLUMNS)

    def importance(self, data: Any = None) -> pd.DataFrame:
        """What each task is predicted from: skill lost on rows that a model has not seen when a column is shuffled.

        Parameters
        ----------
        data : table, optional
            The table of the fit, if its time limit left no time to measure it. What is measured now takes the time that it takes,
            and is put into ``report_["importance"]``.

        Returns
        -------
        frame : DataFrame
            One row per task and input column, the most important first: ``importance`` in skill, its interval ``low`` and
            ``high``, and the ``verdict``; see :meth:`polytask.evaluation.Importance.to_frame`.

        Raises
        ------
        OptionError
            If this is no portfolio, was loaded without an importance, or needs the table.
        DataError
            If the table is another one than that of the fit, or too few rows are held out.
        """
        return predictor_importance(self, data)

    # ----------------------------------------------------------------- predict

    @property
    def preset_(self) -> str:
        """The preset that is used: the one that was given, or what else was given says it."""
        return preset_of(self).preset

    @property
    def tasks_(self) -> list[FittedTask]:
        """Fitted tasks, in the order of ``targets``."""
        check_fitted(self)
        return list(self.model_.tasks_)

    @property
    def network_(self) -> MultiTaskNetwork:
        """The fitted network; a portfolio has none."""
        if not isinstance(getattr(self, "model_", None), MultiTaskNetwork):
            raise AttributeError("This predictor has no `network_`: it is not fitted, or it is a portfolio (see `leaderboard`).")
        return self.model_

    def predict(self, data: Any, *, known: Any = None, missing_columns: str = "error") -> Any:
        """Predict the target columns; a frame of the kind of ``data``, with its index.

        Parameters
        ----------
        data : table
            Rows with the input columns; target columns and columns not known are ignored.
        known : None
            Tasks known at prediction time; this predictor cannot use them and says so.
        missing_columns : {"error", "fill"}
            What to do without an input column: raise, or take it as missing in all rows and warn.
        """
        frame = to_pandas(data)
        predicted = predicted_by(self, frame, known, missing_columns)
        columns = columns_of(self, {task.name: task.decode(outputs) for task, outputs in predicted}, len(frame))
        return like(data, pd.DataFrame(columns, index=frame.index))

    def predict_proba(self, data: Any, *, known: Any = None, missing_columns: str = "error") -> dict[str, Any]:
        """Probabilities per task that has classes or tags: frames with these as columns."""
        frame = to_pandas(data)
        return {
            task.name: like(data, pd.DataFrame(outputs, index=frame.index, columns=[str(label) for label in task.labels]))
            for task, outputs in predicted_by(self, frame, known, missing_columns)
            if len(task.labels)
        }

    def predict_table(self, data: Any, *, missing_columns: str = "error") -> pd.DataFrame:
        """Predictions and probabilities in one frame, as ``polytask predict`` writes them."""
        frame = to_pandas(data)
        predicted = predicted_by(self, frame, None, missing_columns)
        columns = columns_of(self, {task.name: task.decode_table(outputs) for task, outputs in predicted}, len(frame))
        return pd.DataFrame(columns, index=frame.index)

    def evaluate(self, data: Any, *, missing_columns: str = "error") -> dict[str, Any]:
        """Score all tasks on labelled rows.

        Returns
        -------
        scores : dict
            The content of ``polytask evaluate --json``: ``n_rows`` and per task ``kind``, ``n_observed``, ``metrics`` (None where
            undefined), ``undefined`` (why) and ``skill``; ``summary`` holds mean, least and greatest over the tasks of the skill
            and of metrics without a unit. With ``task_by`` also ``pooled``: per target the same over the rows of
            all groups, each predicted by its own task; its skill is against one constant for all groups.

        Raises
        ------
        TargetError
            If no target column is in ``data``, or none has a label.
        """
        return evaluated(self, to_pandas(data), missing_columns=missing_columns)

    # -------------------------------------------------------------- save, load

    def save(self, path: Any, *, overwrite: bool = False) -> None:
        """Save as a model folder that may be moved; no pickle in it.

        The study (``study_``) goes along as ``study.yaml``, which ``polytask fit`` runs again.

        Raises
        ------
        ModelFolderError
            If the path is taken (unless it is a polytask model and ``overwrite``), or the disk refuses.
        """
        check_fitted(self)
        meta = {"tasks": [task.name for task in self.tasks_]}
        write_folder(path, predictor_parts(self, path), kind="predictor", meta=meta, overwrite=overwrite)

    @classmethod
    def load(
        cls,
        path: Any,
        *,
        classes: Sequence[type[torch.nn.Module]] = (),
        losses: Sequence[Any] = (),
        metrics: Sequence[Any] = (),
    ) -> "MultiTaskPredictor":
        """Load a folder of :meth:`save`; runs no code from it.

        Parameters
        ----------
        path : path
        classes : sequence of type
            Your own module classes, if the network has any.
        losses : sequence of callable
            Your own loss functions; the folder holds their names only.
        metrics : sequence of Metric
            Your own metrics, of :func:`~polytask.metrics.make_metric`.

        Raises
        ------
        ModelFolderError
            If it is not such a folder, damaged, or from a newer version.
        """
        return restored_predictor(cls, read_folder(path), given=[*classes, *losses, *metrics])


def load(path: Any, *, classes: Sequence[type] = (), losses: Sequence[Any] = (), metrics: Sequence[Any] = ()) -> Any:
    """Load any polytask model folder: a :class:`MultiTaskPredictor` or an estimator.

    Runs no code from the folder. Every hash is checked before anything is read.

    Parameters
    ----------
    path : path
    classes : sequence of type
        Your own classes: modules of a network, and scikit-learn classes that were given when saving.
    losses : sequence of callable
        Your own loss functions; the folder holds their names only.
    metrics : sequence of Metric
        Your own metrics, of :func:`~polytask.metrics.make_metric`.

    Raises
    ------
    ModelFolderError
        If it is not a model folder, damaged, or from a newer version.
    """
    folder = read_folder(path)
    if folder.manifest.kind == "predictor":
        return MultiTaskPredictor.load(path, classes=classes, losses=losses, metrics=metrics)
    return estimator_from_parts(folder, classes=[*classes, *losses, *metrics])
