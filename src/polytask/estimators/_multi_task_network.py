"""One network for all tasks, as a scikit-learn estimator."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import ClassifierTags, RegressorTags, Tags, check_random_state

from polytask.balancing import BalancingMethod, method_of
from polytask.data import TableArrays
from polytask.data.splits import TimeOrder, as_time_order, holdout, latest_holdout
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._classes import check_same_classes, classes_by_task
from polytask.estimators._continue_network import constant_rate, continue_network, joined, start_network
from polytask.estimators._defined_labels import with_defined_labels
from polytask.estimators._device import torch_device
from polytask.estimators._fit_networks import CodedTable, FittedNetwork, NetworkJob, fit_networks, planned_stacks
from polytask.estimators._labels import LabelTable, declared_tasks, warn_if_nothing_stops
from polytask.estimators._sparsity import kept_columns
from polytask.exceptions import DataError, OptionError, PolytaskWarning
from polytask.networks import MLP, HardSharing, Recipe, encoder_of, sharing_of
from polytask.networks.initialization import initialization_of
from polytask.optim import Dropout, Optimizer, Plateau, Regularizer, optimizers_of, regularizers_of, schedule_of, with_usual_rates
from polytask.tasks import FittedTask
from polytask.training import TrainingSettings, seed_of

Array = np.ndarray[Any, np.dtype[Any]]

USUAL_RATE = 2e-3  # of AdamW and what is like it
_ENCODER, _SHARING = "`encoder` of MultiTaskNetwork", "`sharing` of MultiTaskNetwork"


class MultiTaskNetwork(MultiTaskEstimator):
    """A neural network that learns several tasks of mixed kinds together, with missing labels.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
        What to predict; by default every column of ``y``, its kind inferred.
    encoder : Recipe or str, default=MLP()
        From the table's columns to features: a recipe such as ``MLP(width=64)``, or its name, ``"mlp:width=64"``.
    sharing : Recipe or str, default=HardSharing()
        From features to one representation per task: a recipe such as ``HardSharing(tower_width=32)``, or its name,
        ``"hard:tower_width=32"``.
    initialization : Initializer, str, mapping of part to either, or None
        How weights start: "he_normal", "glorot_uniform", "orthogonal", ..., or one for each part, ``{"encoder": "he_normal",
        "heads": "zeros"}``; see :mod:`polytask.networks.initialization`. Biases of heads start at the constant prediction always.
    balancing : BalancingMethod, str or None
        How the losses of the tasks become one step: a method of :mod:`polytask.balancing` such as ``CAGrad(c=0.5)``, or its name,
        ``"cagrad"`` or ``"cagrad:c=0.5"``. It sees losses divided by those of the constant predictor. By default
        :class:`~polytask.balancing.Equal`: their plain mean.
    balance_at : {"parameters", "features"}, default="parameters"
        Where methods that compare gradients compare them: at all parameters that several tasks share, or at the output of the
        encoder, which is cheaper and not the same.
    max_epochs : int, default=100
        Planned passes over the training rows; the learning rate falls to 0 over this plan.
    patience : int or None, default=16
        Epochs without a better mean validation skill before training stops.
    stopping : {"mean", "per_task"}, default="mean"
        With "per_task" a task whose own skill has not risen for ``patience`` epochs stops: it gives no gradient to what is
        shared, its head stays, and the others go on. What is kept is the epoch of the best mean skill either way.
    validation : float, splitter or None, default=0.2
        Rows for early stopping: a share (drawn stratified over all tasks, groups kept whole), a scikit-learn splitter whose
        first split is used, or None to train to the end on all rows.
    batch_size : int, optional
        Rows per step; by default about a sixteenth of the training rows, between 32 and 512.
    batches : {"shuffled", "class_aware"}, default="shuffled"
        With "class_aware" rare classes are dealt evenly to the batches of an epoch, as losses of AUC or average precision need,
        which see one batch at a time. Every row is in one batch of an epoch with its weight either way.
    learning_rate : float, optional
        Highest, of every optimizer without one of its own; by default 2e-3 for AdamW and its kin, 0.01 for SGD and Adagrad,
        and 1 for Adadelta.
    weight_decay : float, default=1e-2
    clip_norm : float or None, default=1.0
    optimizer : Optimizer, str, mapping of part to either, or None
        An optimizer of :mod:`polytask.optim` such as ``SGD(learning_rate=0.1)``, its name, ``"sgd:learning_rate=0.1"``, or one
        for each part, ``{"encoder": "muon", "heads": SGD()}``; the parts are "encoder", "sharing" and "heads". AdamW by default,
        and for parts that are not named. ``learning_rate`` and ``weight_decay`` hold where an optimizer has none of its own.
    schedule : Schedule, str or None
        How learning rates go over the plan: "cosine" (the default, after a warm-up), "constant", "linear", "step", "one_cycle",
        "plateau", or with settings, ``"plateau:patience=3,per_task=true"``.
    ema : float in (0, 1), optional
        Judge, keep and predict with a moving average of the parameters, such as 0.99; not in ``partial_fit``.
    regularization : Regularizer, str, list of either, or None
        Penalties, decay and dropout of parts, besides ``weight_decay`` and the dropout of recipes: ``[L1(1e-2, on="shared"),
        GroupLasso(0.1)]``, ``"dropout:rate=0.3,on=heads"``, several names with ";" between; see :mod:`polytask.optim`. With those
        that make zeros the columns that are still read are told by ``network_.kept_columns``.
    accumulate : int, default=1
        Rows of so many batches make one step: that of one larger batch, with the memory of one.
    precision : {"float32", "bfloat16"}, default="float32"
        Of forward and backward passes in training; parameters, losses and predictions are float32.
    max_steps : int, optional
        Stop after so many steps; the plan stays the same.
    time_limit : float, optional
        Seconds of training.
    column_kinds : mapping of column to kind, optional
        What input columns are, where that is not what would be inferred, such as ``{"zip": "categorical"}``; kinds are those of
        :meth:`TableCodec.fit`.
    warm_start : bool, default=False
        Let ``fit`` of a fitted network begin with its parameters, scaling, classes and categories, instead of anew. What new
        data have besides (categories, missing values where none were) is told and read as in ``predict``; other columns,
        classes, tasks or shapes of the network are refused. Give an int ``random_state``, so that refits on the same rows
        validate on the same rows.
    device : str, default="cpu"
        Any device of torch; "auto" takes CUDA or MPS where there is one.
    random_state : int, RandomState or None

    Attributes
    ----------
    tasks_ : list of FittedTask
    network_ : FittedNetwork
        The trained module and its learning curves.
    training_rows_, validation_rows_ : int arrays
        Positions of the rows of the last fit that were learned from, and of those that chose the epoch; not saved.
    codec_ : TableCodec
        How columns become arrays; ``codec_.columns`` tells kinds and why.
    optimistic_skill_ : float
        Best mean validation skill: optimistic, since these rows chose the epoch. NaN without validation rows.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = np.stack([X[:, 0] + X[:, 1], X[:, 0] > 0], axis=1)
    >>> y[::7, 1] = np.nan  # missing labels are normal
    >>> model = MultiTaskNetwork(max_epochs=20, random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.predict_proba(X)["y1"].shape
    ((200, 2), (200, 2))
    """

    _defaults: ClassVar = {"encoder": MLP, "sharing": HardSharing}
    _by_name: ClassVar = {"encoder": encoder_of, "sharing": sharing_of}

    def __init__(
        self,
        tasks: Any = None,
        *,
        encoder: Recipe | str | None = None,
        sharing: Recipe | str | None = None,
        initialization: Any = None,
        balancing: Any = None,
        balance_at: str = "parameters",
        max_epochs: int = 100,
        patience: int | None = 16,
        stopping: str = "mean",
        validation: Any = 0.2,
        batch_size: int | None = None,
        batches: str = "shuffled",
        learning_rate: float | None = None,
        weight_decay: float = 1e-2,
        clip_norm: float | None = 1.0,
        optimizer: Any = None,
        schedule: Any = None,
        ema: float | None = None,
        regularization: Any = None,
        accumulate: int = 1,
        precision: str = "float32",
        max_steps: int | None = None,
        time_limit: float | None = None,
        column_kinds: Any = None,
        warm_start: bool = False,
        device: str = "cpu",
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.encoder = encoder
        self.sharing = sharing
        self.initialization = initialization
        self.balancing = balancing
        self.balance_at = balance_at
        self.max_epochs = max_epochs
        self.patience = patience
        self.stopping = stopping
        self.validation = validation
        self.batch_size = batch_size
        self.batches = batches
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.schedule = schedule
        self.ema = ema
        self.regularization = regularization
        self.accumulate = accumulate
        self.precision = precision
        self.max_steps = max_steps
        self.time_limit = time_limit
        self.column_kinds = column_kinds
        self.warm_start = warm_start
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        times: Any = None,
        reserved: Any = None,
        on_epoch: Any = None,
        checkpoint: Any = None,
    ) -> Self:
        """Learn all tasks together; see :meth:`MultiTaskEstimator.fit`.

        Parameters
        ----------
        times : array-like of shape (n_samples,) or TimeOrder, optional
            When rows happened: then the share ``validation`` is of the latest rows, later than all that is learned from.
        reserved : bool array of shape (n_samples,), optional
            Rows kept for early stopping, instead of those that ``validation`` would draw.
        on_epoch : callable, optional
            Called with an :class:`~polytask.training.EpochRecord` after every epoch.
        checkpoint : Checkpoint, optional
            Where the state is kept; a fit with the same data and settings goes on from there.
        """
        start = self.network_ if self.warm_start and hasattr(self, "network_") else None
        arrays, labels = self._read_training_data(X, y) if start is None else self._read_more_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(2**31 - 1))
        order, rows = as_time_order(times, len(weight)), np.arange(len(weight))
        train, held = self.inner_split(labels, weight, groups=groups, seed=seed, rows=rows, times=order, reserved=reserved)
        warn_if_nothing_stops(labels, held)
        job = NetworkJob(train, held, np.ones(len(labels.tasks), dtype=bool), seed)
        table = CodedTable(arrays, self.codec_.cardinalities)
        callbacks = {"on_epoch": on_epoch, "checkpoint": checkpoint}
        if start is None:
            network = self.fit_jobs([job], table, labels, weight, keep_interrupted=True, **callbacks)[0]
        else:
            network = self._continue(start, job, table, labels, weight, self._settings(len(train)), **callbacks)
        self.form_, self.tasks_reasons_ = labels.form, labels.reasons
        self._take_rows(train, held)
        return self._take(network)

    def partial_fit(self, X: Any, y: Any = None, *, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from more rows: one pass over them, from where the last call, or ``fit``, left off.

        The first call fixes how columns are read, their scaling, categories and classes; call it with rows like those to come.
        All rows are learned from: ``validation``, ``patience``, ``max_epochs``, ``max_steps``, ``time_limit``, ``schedule`` and
        ``ema`` are of ``fit``.
        The learning rate is constant, and the state of the optimizer is kept from call to call.

        Parameters
        ----------
        X : table or array of shape (n_samples, n_features)
            At least two rows in the first call, one later. Categories never seen are told, and learned as "unseen".
        y : array of shape (n_samples,) or (n_samples, n_tasks), Series or DataFrame
            A missing label is NaN or None.
        classes : dict of task name to sequence, or sequence for the only task, optional
            All classes, where the first call may lack some; later they may be left out. Those of an ordinal task in their order.
        sample_weight : array of shape (n_samples,) or (n_samples, n_tasks), optional

        Raises
        ------
        TargetError
            If a label is of a class that is not among those of the first call, or the first call lacks labels of a task.
        OptionError
            If ``tasks``, ``classes`` or the shape of the network were changed.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.random.default_rng(0).normal(size=(300, 2))
        >>> y = np.where(X[:, 0] > 0, "yes", "no")
        >>> model = MultiTaskNetwork(random_state=0)
        >>> for rows in np.split(np.arange(300), 3):
        ...     model = model.partial_fit(X[rows], y[rows], classes=["no", "yes"])
        >>> bool(np.mean(model.predict(X) == y) > 0.8)
        True
        """
        is_first = not hasattr(self, "network_")
        arrays, labels = self._read_training_data(X, y, classes=classes) if is_first else self._read_more_data(X, y)
        for name, given in classes_by_task(classes, [task.name for task in labels.tasks]).items():
            check_same_classes(next(task for task in labels.tasks if task.name == name), given)
        form = labels.form if is_first else self.form_
        labels, weight = labels.weighed(sample_weight, every_task=is_first)
        rows = np.flatnonzero(weight.sum(axis=1) > 0)
        if not len(rows):
            raise DataError("No row has a label of positive weight, so there is nothing to learn from. Leave such batches out.")
        steps = 0 if is_first else self.network_.steps
        seed = seed_of(int(check_random_state(self.random_state).randint(2**31 - 1)), steps, 2**23)
        job = NetworkJob(rows, rows[:0], np.ones(len(labels.tasks), dtype=bool), seed)
        table = CodedTable(arrays, self.codec_.cardinalities)
        recipes = self._recipes()
        start = (
            start_network(
                job,
                table,
                labels.tasks,
                labels.target,
                weight,
                **recipes,
                device=torch_device(self.device),
                initialization=self._initialization(),
            )
            if is_first
            else self.network_
        )
        self._settings(len(rows), schedule=None)  # refuses what `fit` refuses, but a schedule that `fit` alone has
        of_fit = {"patience": None, "max_steps": None, "time_limit": None, "ema": None, "stopping": "mean"}
        once = self._settings(len(rows), max_epochs=1, **of_fit)
        if is_first:
            _warn_without_classes(self.batches, labels.tasks)
        after = self._continue(start, job, table, labels, weight, once, schedule=constant_rate, keep_moments=True)
        self.form_, self.tasks_reasons_ = form, labels.reasons
        self._take_rows(rows, rows[:0])
        return self._take(joined(start, after))

    def _continue(
        self,
        start: FittedNetwork,
        job: NetworkJob,
        table: CodedTable,
        labels: LabelTable,
        weight: Array,
        settings: TrainingSettings,
        **options: Any,
    ) -> FittedNetwork:
        """Train a fitted network further; see :func:`continue_network`."""
        options |= {**self._recipes(), **self._balance(), "dropout": self._dropout()}
        options |= {"settings": settings, "device": torch_device(self.device)}
        return continue_network(start, job, table, labels.target, weight, **options)

    def _take(self, network: FittedNetwork) -> Self:
        """Set what is told of a fitted network."""
        self.network_, self.tasks_, self.shape_ = network, network.tasks, network.shape
        if any(own.sparse for own in regularizers_of(self.regularization)):
            names = (*self.codec_.numeric_names, *self.codec_.categorical_names, *self.codec_.text_names)
            network.kept_columns = kept_columns(network, names)
            if names and network.kept_columns == []:
                message = (
                    "The network reads no input column any more: the regularization set all their weights to 0, and predictions "
                    "are the same for every row. Take a smaller `strength`."
                )
                warnings.warn(message, PolytaskWarning, stacklevel=3)
        skills = network.curves["skill"][network.best_epoch - 1]
        self.optimistic_skill_ = float(np.nanmean(skills)) if np.isfinite(skills).any() else float("nan")
        self.n_iter_ = network.steps
        if self.form_ == "vector" and len(self.tasks_[0].labels):
            self.classes_ = np.array(self.tasks_[0].labels)
        return self

    def _take_rows(self, train: Array, held: Array) -> None:
        """Set which rows were learned from and which chose the epoch; small, since pickles keep them."""
        self.n_train_, self.n_validation_ = len(train), len(held)
        self.training_rows_, self.validation_rows_ = train.astype(np.int32), held.astype(np.int32)

    def _read_training_data(self, X: Any, y: Any, *, classes: Any = None) -> tuple[TableArrays, LabelTable]:
        arrays, labels = super()._read_training_data(X, y, classes=classes)
        _warn_of_unknown_tasks(_method(self.balancing), [task.name for task in labels.tasks])
        return arrays, with_defined_labels(labels, self._recipes()["sharing"].product_of(labels.tasks))

    def _read_more_data(self, X: Any, y: Any) -> tuple[TableArrays, LabelTable]:
        arrays, labels = super()._read_more_data(X, y)
        return arrays, with_defined_labels(labels, self._recipes()["sharing"].product_of(labels.tasks), is_more=True)

    def _recipes(self) -> dict[str, Recipe]:
        return {
            "encoder": MLP() if self.encoder is None else encoder_of(self.encoder, option=_ENCODER),
            "sharing": HardSharing() if self.sharing is None else sharing_of(self.sharing, option=_SHARING),
        }

    def _balance(self) -> dict[str, Any]:
        """A fresh method with an empty memory, and where it balances."""
        if self.balance_at not in ("parameters", "features"):
            raise OptionError(f"`balance_at` must be 'parameters' or 'features'; got {self.balance_at!r}.")
        return {"method": _method(self.balancing), "balance_at": self.balance_at}

    def _regularizers(self) -> list[Regularizer]:
        return regularizers_of(self.regularization, option="`regularization` of MultiTaskNetwork")

    def _dropout(self) -> dict[str, float]:
        """Rates of parts that networks are built with, besides those of the recipes."""
        return {own.on: own.rate for own in self._regularizers() if isinstance(own, Dropout)}

    def _initialization(self) -> Any:
        return initialization_of(self.initialization, option="`initialization` of MultiTaskNetwork") or None

    def fit_jobs(
        self,
        jobs: list[NetworkJob],
        table: CodedTable,
        labels: LabelTable,
        weight: Array,
        *,
        on_epoch: Any = None,
        checkpoint: Any = None,
        keep_interrupted: bool = False,
    ) -> list[FittedNetwork]:
        """Train one network of these settings per job; see :func:`fit_networks`."""
        _warn_without_classes(self.batches, labels.tasks)
        return fit_networks(
            jobs,
            table,
            labels.tasks,
            labels.target,
            weight,
            **self._recipes(),
            **self._balance(),
            settings_of=self._settings,
            device=torch_device(self.device),
            initialization=self._initialization(),
            dropout=self._dropout(),
            on_epoch=on_epoch,
            checkpoint=checkpoint,
            keep_interrupted=keep_interrupted,
        )

    def n_stacks(self, jobs: Sequence[NetworkJob], table: CodedTable, labels: LabelTable) -> int:
        """In how many stacks, one after the other, :meth:`fit_jobs` trains these networks."""
        method = self._balance()["method"]
        return len(planned_stacks(jobs, table.shape, labels.tasks, **self._recipes(), settings_of=self._settings, method=method))

    def inner_split(
        self,
        labels: LabelTable,
        weight: Array,
        *,
        groups: Any,
        seed: int,
        rows: Array,
        times: TimeOrder | None = None,
        reserved: Array | None = None,
    ) -> tuple[Array, Array]:
        """Divide ``rows`` into training and validation rows, in the way of ``validation``.

        Parameters
        ----------
        times : TimeOrder of all rows, optional
            Then a share is of the latest rows. Rows in its gap, and earlier rows of a held-out group, are in neither part.
        reserved : bool array of shape (n,), optional
            Rows that the user keeps for validation; then these are the validation rows.
        """
        if groups is not None and len(groups) != len(weight):
            raise DataError(f"`groups` must name a group for each of the {len(weight)} rows; got {len(groups)}.")
        usable = rows[weight[rows].sum(axis=1) > 0]
        if len(usable) < 2:
            raise DataError(f"At least 2 rows with a label of positive weight are needed; got {len(usable)}.")
        if reserved is not None and reserved[usable].any():
            if reserved[usable].all():
                raise DataError(f"All {len(usable)} rows with a label are reserved for validation. Leave some to learn from.")
            return usable[~reserved[usable]], usable[reserved[usable]]
        if self.validation is None:
            if self.stopping == "per_task" or isinstance(schedule_of(self.schedule), Plateau):
                what = "`stopping='per_task'`" if self.stopping == "per_task" else "`schedule='plateau'`"
                raise OptionError(
                    f"{what} goes by skill on validation rows, and `validation` is None. Give a share, such as 0.2."
                )
            return usable, usable[:0]
        if times is not None and not hasattr(self.validation, "split"):
            self._check_share()
            return latest_holdout(times, test_size=self.validation, rows=usable, groups=groups)
        own_groups = None if groups is None else np.asarray(groups)[usable]
        if own_groups is not None and len(np.unique(own_groups)) < 2:
            raise DataError(
                "The inner validation split keeps groups whole and needs at least 2 groups; got 1. "
                "Pass rows of more groups, or `validation=None` to train without it."
            )
        strata = np.concatenate(
            [
                task.strata(labels.target[usable][:, part])
                for task, part in zip(labels.tasks, labels.slices.values(), strict=True)
            ],
            axis=1,
        )
        if hasattr(self.validation, "split") and not isinstance(self.validation, str):
            train, held = next(iter(self.validation.split(np.zeros((len(usable), 1)), strata, own_groups)))
        else:
            self._check_share()
            row_weight = weight[usable].sum(axis=1) / (weight[usable] > 0).sum(axis=1)
            train, held = holdout(
                strata,
                test_size=self.validation,
                groups=own_groups,
                sample_weight=row_weight if np.ptp(row_weight) > 0 else None,
                random_state=seed_of(seed, 2**22) % 2**32,
            )
        return usable[train], usable[held]

    def _check_share(self) -> None:
        if isinstance(self.validation, bool) or not isinstance(self.validation, float | int) or not 0 < self.validation < 1:
            raise OptionError(f"`validation` must be a share in (0, 1), a splitter or None; got {self.validation!r}.")

    def _check_rates(self, optimizers: Mapping[str, Optimizer]) -> None:
        """Refuse rates that no part would follow."""
        usual = inspect.signature(type(self).__init__).parameters
        for name in ("learning_rate", "weight_decay"):
            if getattr(self, name) != usual[name].default and all(getattr(own, name) is not None for own in optimizers.values()):
                own = getattr(self, name)
                raise OptionError(f"`{name}` of MultiTaskNetwork is {own!r}, and every optimizer has its own. Leave one out.")

    def _settings(self, n_train: int, **instead: Any) -> TrainingSettings:
        optimizers = optimizers_of(self.optimizer, option="`optimizer` of MultiTaskNetwork")
        self._check_rates(optimizers)
        own: dict[str, Any] = {
            "max_epochs": self.max_epochs,
            "batch_size": self.batch_size if self.batch_size is not None else default_batch_size(n_train),
            "learning_rate": USUAL_RATE if self.learning_rate is None else self.learning_rate,
            "weight_decay": self.weight_decay,
            "clip_norm": self.clip_norm,
            "optimizer": with_usual_rates(optimizers) if self.learning_rate is None else optimizers,
            "schedule": schedule_of(self.schedule, option="`schedule` of MultiTaskNetwork"),
            "ema": self.ema,
            "regularization": [own for own in self._regularizers() if not own.of_modules],
            "accumulate": self.accumulate,
            "precision": self.precision,
            "patience": self.patience,
            "stopping": self.stopping,
            "batches": self.batches,
            "max_steps": self.max_steps,
            "time_limit": self.time_limit,
        }
        return TrainingSettings(**own | instead)

    def _outputs(self, arrays: TableArrays) -> dict[str, Array]:
        return self.network_.outputs(arrays)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        declared = declared_tasks(self.tasks) or []
        kinds = {getattr(task, "estimator_type", None) for task in declared}
        if kinds == {"regressor"}:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        elif kinds == {"classifier"} and len(declared) == 1:
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        tags.non_deterministic = False
        return tags


def _method(given: Any) -> BalancingMethod | None:
    return None if given is None else method_of(given, option="`balancing` of MultiTaskNetwork")


def _warn_of_unknown_tasks(method: BalancingMethod | None, known: list[str]) -> None:
    """Of tasks that settings of a method name and the network does not have."""
    for setting, named in method.named_tasks.items() if method is not None else ():
        unknown = [task for task in named if task not in known]
        if unknown:
            warnings.warn(
                f"`{setting}` of `balancing` names {', '.join(map(repr, unknown))}, which no task of this fit is called, and "
                f"which counts for nothing; the tasks are {', '.join(map(repr, known))}.",
                PolytaskWarning,
                stacklevel=4,
            )


def _warn_without_classes(batches: str, tasks: Sequence[FittedTask]) -> None:
    if batches == "class_aware" and not any(task.n_codes for task in tasks):
        message = (
            "Class-aware batches deal rare classes evenly, and no task here has classes: rows are shuffled as without. "
            "Leave them out (--batches shuffled, batches='shuffled')."
        )
        warnings.warn(message, PolytaskWarning, stacklevel=4)


def default_batch_size(n_train: int) -> int:
    """Rows per step: about a sixteenth of the training rows, a power of two between 32 and 512.

    >>> [default_batch_size(n) for n in (100, 1_000, 5_000, 100_000)]
    [32, 64, 256, 512]
    """
    return int(2 ** np.clip(np.round(np.log2(max(n_train, 1) / 16)), 5, 9))
