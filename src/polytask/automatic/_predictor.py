"""The automatic door: a table with its targets in, a model of all of them out."""

import time as clock
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

import polytask
from polytask._reworded import reworded
from polytask.automatic._audience import in_parameters
from polytask.automatic._clock import Clock
from polytask.automatic._deploy import check_deployment, deployment_notes
from polytask.automatic._fit_report import fit_report
from polytask.automatic._portfolio import COLUMNS
from polytask.automatic._portfolio_fit import TrainingRows, divided_rows, fit_portfolio_model
from polytask.automatic._portfolio_model import PortfolioModel
from polytask.automatic._predictor_checks import check_columns, check_numbers, listed, mapped
from polytask.automatic._predictor_folder import predictor_parts, restored_predictor
from polytask.automatic._preset_choice import check_preset, preset_of
from polytask.automatic._presets import TIME_LIMITS
from polytask.automatic._roles import Roles, divide_table, warn_of_copies
from polytask.automatic._run_folder import RunFolder
from polytask.automatic._skipped import SkippedTask
from polytask.automatic._study import Study
from polytask.automatic._study_run import all_column_kinds, as_gap, study_as_run, study_of
from polytask.automatic._task_scores import observed_rows, task_scores
from polytask.automatic._task_summary import task_summary
from polytask.automatic._torch_threads import TorchThreads
from polytask.data import like, to_pandas
from polytask.estimators import Bagged, MultiTaskNetwork, estimator_from_parts
from polytask.evaluation import Slices, diagnose_tasks
from polytask.exceptions import DataError, OptionError, PolytaskWarning, TargetError
from polytask.storage import fingerprint, read_folder, write_folder
from polytask.tasks import FittedTask
from polytask.training import EpochRecord

Array = np.ndarray[Any, np.dtype[Any]]

EVALUATION_FORMAT, EVALUATION_VERSION = "polytask.evaluation", 1


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
        clock_started = clock.monotonic() if started is None else started
        began = clock.monotonic()
        self.preset = self.preset if preset is None else preset
        self.time_limit = self.time_limit if time_limit is None else time_limit
        self.deploy = self.deploy if deploy is None else deploy
        self._check_options()
        frame = to_pandas(data)
        roles = self._roles(frame)
        warn_of_copies(roles)
        train, reserved, test = divided_rows(roles, len(frame), split=self.split, group=self.group, time=self.time)
        rows = TrainingRows.of(roles, train, reserved, gap=as_gap(self.gap))
        if resume and run_folder is None:
            raise OptionError("`resume` needs a `run_folder` to go on from; got none.")
        run = None if run_folder is None else RunFolder(run_folder)
        model: Any = MultiTaskNetwork(**self._network_settings(roles.tasks))
        marks = self._fingerprints(frame, model)
        checkpoint = None if run is None else run.open(marks, resume=resume)
        if self.preset_ == "network":
            if warm_start:
                raise OptionError("`warm_start` adds models to a portfolio; preset 'network' has one model. Use another preset.")
            with TorchThreads(self.threads):
                model.fit(rows.inputs, rows.labels, **rows.settings, on_epoch=on_epoch, checkpoint=checkpoint)
            ended: dict[str, Any] = {"ended_by": model.network_.ended_by, "steps": model.network_.steps}
        else:
            limit = TIME_LIMITS[self.preset_] if self.time_limit is None else self.time_limit
            earlier = self._earlier(marks) if warm_start else None
            model = fit_portfolio_model(
                rows,
                roles.tasks,
                preset=self.preset_,
                network=model,
                seed=int(self.seed),
                threads=self.threads,
                clock=Clock(limit, clock_started),
                run=run,
                earlier=earlier,
                on_model=on_model,
                deploy=self.deploy,
            )
            ended = {"ended_by": model.portfolio_.ended_by, "steps": 0}
        if run is not None:
            run.note_ending(**ended)
        self.model_, self._marks = model, marks
        self.target_columns_ = [column for column in frame.columns if column in roles.label_columns]
        chosen, outputs = self._validation()
        self.makers_ = roles.makers.with_constants(frame, train[self.model_.training_rows_], roles.weight)
        self.skipped_ = [SkippedTask.of(name, labels, roles.skipped[name]) for name, labels in roles.skipped_labels.items()]
        self.order_ = roles.order
        study = self._given_study or study_of(self)
        self.study_ = None if study is None else study_as_run(study, preset=self.preset_, **ended)
        self.report_ = fit_report(self, frame, roles, learn=train, seconds=clock.monotonic() - began, facts=facts or {})
        if isinstance(model, PortfolioModel) and model.importance_ is not None:
            self.report_["importance"] = model.importance_
        if isinstance(model, PortfolioModel) and model.deployed_ is not None:
            self.report_["deployed"] = model.deployed_
            self.report_["notes"] += deployment_notes(model.deployed_)
        self._score_validation(frame.iloc[train[chosen]], outputs)
        if len(test) and observed_rows(roles.labels, roles.weight, [*roles.labels.columns])[test].any():
            self.report_["test"] = self.evaluate(frame.iloc[test])
        elif len(test):
            self.report_["notes"].append(f"The {len(test)} test rows have no labels, so nothing was scored on them.")
        if "test" in self.report_:
            self._diagnose(frame.iloc[test], "test")
        else:
            self._diagnose(frame.iloc[train[chosen]], "validation" if outputs is None else "held_out", outputs)
        return self

    def _network_settings(self, tasks: Sequence[Any]) -> dict[str, Any]:
        """Parameters of the network: those given, and what this predictor sets."""
        settings = (self.network or MultiTaskNetwork()).get_params(deep=False)
        settings |= {"tasks": list(tasks), "random_state": self.seed, "device": self.device}
        settings["column_kinds"] = all_column_kinds(self) or None
        settings["max_steps"] = settings["max_steps"] if self.max_steps is None else self.max_steps
        if self.time_limit is not None and self.preset_ == "network":
            settings["time_limit"] = self.time_limit
        return settings

    def _earlier(self, marks: dict[str, str]) -> PortfolioModel | None:
        """The fitted portfolio to which models are added."""
        model = getattr(self, "model_", None)
        if not isinstance(model, PortfolioModel):
            return None
        if not hasattr(self, "_marks"):
            raise OptionError("`warm_start` needs what a fit of this process found; this predictor was loaded. Fit it anew.")
        for what in ("data", "options"):
            if self._marks[what] != marks[what]:
                raise OptionError(
                    f"`warm_start` adds models to the fitted ones, but the {what} differ from theirs. "
                    "Give the same, or fit anew without warm_start."
                )
        return model

    def _validation(self) -> tuple[Array, dict[str, Array] | None]:
        """Positions, among the rows learned from, of rows that score the model, and their outputs if models that have not seen
        them gave them; None where the model itself predicts them."""
        if isinstance(self.model_, PortfolioModel):
            return self.model_.held_rows_, self.model_.held_outputs()
        return self.model_.validation_rows_, None

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
        self._check_fitted()
        if "leaderboard" not in self.report_:
            raise OptionError(
                "Only a portfolio has a leaderboard; this is one network. Fit with preset='fast', 'balanced' or 'best'."
            )
        return pd.DataFrame(self.report_["leaderboard"], columns=COLUMNS)

    def _check_options(self) -> None:
        named = {name: getattr(self, name) for name in ("ignore", "group", "split", "weight", "task_by", "time")}
        check_columns(**named)
        check_numbers(time_limit=self.time_limit, max_steps=self.max_steps, threads=self.threads)
        if self.network is not None and not isinstance(self.network, MultiTaskNetwork):
            raise OptionError(f"`network` must be a MultiTaskNetwork, an object of it; got {self.network!r}.")
        if self.unlearnable not in ("error", "skip"):
            raise OptionError(f"`unlearnable` must be 'error' or 'skip'; got {self.unlearnable!r}.")
        check_deployment(self.deploy)
        check_preset(self)
        if self.time_limit is not None and not self.time_limit > 0:
            raise OptionError(f"`time_limit` must be positive seconds; got {self.time_limit!r}.")
        if self.max_steps is not None and self.max_steps < 1:
            raise OptionError(f"`max_steps` must be >= 1; got {self.max_steps!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer) or not 0 <= self.seed < 2**32:
            raise OptionError(f"`seed` must be a whole number from 0 to 2**32 - 1; got {self.seed!r}.")
        if self.time is None and as_gap(self.gap):
            raise OptionError(f"`gap` is between rows in order of `time`, which is not given; got gap={self.gap!r}.")
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"`threads` must be >= 1; got {self.threads!r}.")

    def _roles(self, frame: pd.DataFrame) -> Roles:
        with reworded(in_parameters if self._given_study is None else str):
            return divide_table(
                frame,
                targets=self.targets,
                ignore=self.ignore,
                group=self.group,
                split=self.split,
                weight=self.weight,
                task_by=self.task_by,
                time=self.time,
                losses=self.losses,
                class_weights=self.class_weights,
                metrics=self.metrics,
                column_kinds=all_column_kinds(self),
                unlearnable=self.unlearnable,
            )

    def _fingerprints(self, frame: pd.DataFrame, model: MultiTaskNetwork) -> dict[str, str]:
        """What must be the same for a run to go on with the same numbers."""
        options = {key: repr(value) for key, value in model.get_params().items() if key not in ("time_limit", "max_steps")}
        roles = [self.targets, self.ignore, self.group, self.split, self.weight, self.task_by, self.unlearnable, self.time]
        roles += [str(self.gap)] if self.time is not None else []
        roles += [self.preset_] if self.preset_ != "network" else []
        return {
            "data": fingerprint(frame),
            "options": fingerprint(options, repr(roles)),
            "versions": f"polytask {polytask.__version__}, torch {torch.__version__}, numpy {np.__version__}",
            "threads": str(self.threads or torch.get_num_threads()),
        }

    # ----------------------------------------------------------------- predict

    @property
    def preset_(self) -> str:
        """The preset that is used: the one that was given, or what else was given says it."""
        return preset_of(self).preset

    @property
    def tasks_(self) -> list[FittedTask]:
        """Fitted tasks, in the order of ``targets``."""
        self._check_fitted()
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
        predicted = self._predicted(frame, known, missing_columns)
        columns = self._columns({task.name: task.decode(outputs) for task, outputs in predicted}, len(frame))
        return like(data, pd.DataFrame(columns, index=frame.index))

    def predict_proba(self, data: Any, *, known: Any = None, missing_columns: str = "error") -> dict[str, Any]:
        """Probabilities per task that has classes or tags: frames with these as columns."""
        frame = to_pandas(data)
        return {
            task.name: like(data, pd.DataFrame(outputs, index=frame.index, columns=[str(label) for label in task.labels]))
            for task, outputs in self._predicted(frame, known, missing_columns)
            if len(task.labels)
        }

    def predict_table(self, data: Any, *, missing_columns: str = "error") -> pd.DataFrame:
        """Predictions and probabilities in one frame, as ``polytask predict`` writes them."""
        frame = to_pandas(data)
        predicted = self._predicted(frame, None, missing_columns)
        columns = self._columns({task.name: task.decode_table(outputs) for task, outputs in predicted}, len(frame))
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
        frame = to_pandas(data)
        self._check_fitted()
        labelled = self.makers_.of_tasks(frame)
        present = [task for task in self.tasks_ if all(column in labelled.columns for column in task.columns)]
        if self.weight is not None and self.weight not in frame.columns:
            warnings.warn(
                f"The table has no column {self.weight!r}, which held the weights of the rows: all rows count the same.",
                PolytaskWarning,
                stacklevel=2,
            )
        if not present:
            raise TargetError(f"None of the target columns {self.target_columns_} is in the table; evaluation needs labels.")
        for task in self.tasks_:
            if task not in present:
                warnings.warn(
                    f"Task {task.name!r} is not scored: its labels are not in the table.", PolytaskWarning, stacklevel=2
                )
        self._warn_of_learned_rows(frame)
        outputs = self._outputs(frame, None, missing_columns)
        weight = self._row_weights(frame)
        tasks = {task.name: task_scores(task, labelled, outputs[task.name], weight) for task in present}
        found: dict[str, Any] = {
            "format": EVALUATION_FORMAT,
            "version": EVALUATION_VERSION,
            "n_rows": len(frame),
            "tasks": tasks,
            "summary": task_summary(present, tasks),
        }
        if self.makers_.groups is not None:
            found["pooled"] = self._pooled_scores(frame, outputs, weight, missing_columns)
        if not any(entry["n_observed"] for entry in (*tasks.values(), *found.get("pooled", {}).values())):
            raise TargetError("No row has a label of any target, so there is nothing to score.")
        return found

    def _pooled_scores(
        self, frame: pd.DataFrame, outputs: dict[str, Array], weight: Array | None, missing_columns: str
    ) -> dict[str, Any]:
        """Scores of the targets that ``task_by`` divides, over all groups."""
        labels = self.makers_.of_targets(frame)
        return {
            target.name: task_scores(target, labels, own, weight)
            for target, own in self.makers_.predicted(outputs, frame, [], missing_columns=missing_columns)
            if all(column in labels.columns for column in target.columns)
        }

    def _warn_of_learned_rows(self, frame: pd.DataFrame) -> None:
        """Warn where the split column says that rows were learned from."""
        if self.split is None or self.split not in frame.columns:
            return
        words = frame[self.split].astype(str).str.strip().str.lower()
        learned = int(words.isin(["train", "training", "val", "valid", "validation", "dev"]).sum())
        if learned:
            warnings.warn(
                f"{learned} of {len(frame)} rows are for training or validation by column {self.split!r}: if the model "
                "learned from them, these scores are too good. Give the test rows only.",
                PolytaskWarning,
                stacklevel=3,
            )

    def _score_validation(self, rows: pd.DataFrame, outputs: dict[str, Array] | None = None) -> None:
        """Put counts and metrics of validation rows into the report: optimistic for a network, whose epoch these rows chose."""
        if not len(rows):
            return
        outputs = self._outputs(rows, None, "error") if outputs is None else outputs
        weight, labelled = self._row_weights(rows), self.makers_.of_tasks(rows)
        for task in self.tasks_:
            scores, told = task_scores(task, labelled, outputs[task.name], weight), self.report_["tasks"][task.name]
            told["validation"] |= {"n_observed": scores["n_observed"], "metrics": scores["metrics"]}
            told["undefined"] = [f"{metric}: {why}" for metric, why in scores["undefined"].items()]

    def _diagnose(self, rows: pd.DataFrame, which: str, outputs: dict[str, Array] | None = None) -> None:
        """Put into the report how and where each task is wrong: on test rows, or else on validation rows, and named so."""
        if not len(rows):
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PolytaskWarning)  # told when these rows were scored
            outputs = self._outputs(rows, None, "error") if outputs is None else outputs
            labelled, codec = self.makers_.of_tasks(rows), self.model_.codec_
            slices = Slices.of_arrays(codec, codec.transform(rows[[info.name for info in codec.columns if info.name in rows]]))
        weight = self._row_weights(rows)
        found = diagnose_tasks(
            self.tasks_,
            outputs,
            {task.name: task.encode(task.without_unseen(labelled)[0]) for task in self.tasks_},
            weights=None if weight is None else {task.name: weight for task in self.tasks_},
            inputs=slices,
            groups=None if self.group is None else rows[self.group].to_numpy(),
            rows=which,
        )
        for name, diagnostics in found.items():
            self.report_["tasks"][name]["diagnostics"] = diagnostics

    def _row_weights(self, frame: pd.DataFrame) -> Array | None:
        if self.weight is None or self.weight not in frame.columns:
            return None
        weight = pd.to_numeric(frame[self.weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        if not np.isfinite(weight).all() or (weight < 0).any():
            raise DataError(f"The weight column {self.weight!r} must hold finite numbers >= 0 in every row.")
        return weight

    def _predicted(self, frame: pd.DataFrame, known: Any, missing_columns: str) -> list[tuple[FittedTask, Array]]:
        """What is predicted, with its outputs: the tasks, or the targets that ``task_by`` divides."""
        outputs = self._outputs(frame, known, missing_columns)
        return self.makers_.predicted(outputs, frame, self.tasks_, missing_columns=missing_columns)

    def _outputs(self, frame: pd.DataFrame, known: Any, missing_columns: str) -> dict[str, Array]:
        self._check_fitted()
        if known is not None:
            raise OptionError("This predictor cannot condition on known tasks; leave `known` out.")
        if not len(frame):
            raise DataError("The table has no rows to predict.")
        no_inputs = {*self.target_columns_, *self.ignore, self.group, self.split, self.weight, self.task_by, self.time}
        inputs = frame[[column for column in frame.columns if column not in no_inputs]]
        arrays = self.model_.codec_.transform(inputs, missing_columns=missing_columns)
        for note in arrays.notes:
            warnings.warn(note, PolytaskWarning, stacklevel=3)
        return dict(self.model_._outputs(arrays))

    def _columns(self, learned: dict[str, dict[str, Array]], n: int) -> dict[str, Array]:
        """Predicted columns of all tasks in the order of the targets, with the constants of those left out."""
        by_task = learned | {task.name: task.decode(n) for task in self.skipped_}
        return {name: values for task in self.order_ for name, values in by_task[task].items()}

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("This MultiTaskPredictor is not fitted yet; call `fit` or `load` first.")

    # -------------------------------------------------------------- save, load

    def save(self, path: Any, *, overwrite: bool = False) -> None:
        """Save as a model folder that may be moved; no pickle in it.

        The study (``study_``) goes along as ``study.yaml``, which ``polytask fit`` runs again.

        Raises
        ------
        ModelFolderError
            If the path is taken (unless it is a polytask model and ``overwrite``), or the disk refuses.
        """
        self._check_fitted()
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
