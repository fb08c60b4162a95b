"""One network for all tasks, as a scikit-learn estimator."""

from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import ClassifierTags, RegressorTags, Tags, check_random_state

from polytask.data import TableArrays
from polytask.data.splits import holdout
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._fit_networks import CodedTable, FittedNetwork, NetworkJob, fit_networks
from polytask.estimators._labels import LabelTable, declared_tasks
from polytask.exceptions import DataError, OptionError
from polytask.networks import MLP, HardSharing, Recipe
from polytask.training import TrainingSettings, seed_of

Array = np.ndarray[Any, np.dtype[Any]]


class MultiTaskNetwork(MultiTaskEstimator):
    """A neural network that learns several tasks of mixed kinds together, with missing labels.

    Parameters
    ----------
    tasks : sequence of Task or str, optional
        What to predict; by default every column of ``y``, its kind inferred.
    encoder : Recipe, default=MLP()
        From the table's columns to features.
    sharing : Recipe, default=HardSharing()
        From features to one representation per task.
    max_epochs : int, default=100
        Planned passes over the training rows; the learning rate falls to 0 over this plan.
    patience : int or None, default=16
        Epochs without a better mean validation skill before training stops.
    validation : float, splitter or None, default=0.2
        Rows for early stopping: a share (drawn stratified over all tasks, groups kept whole), a scikit-learn splitter whose
        first split is used, or None to train to the end on all rows.
    batch_size : int, optional
        Rows per step; by default about a sixteenth of the training rows, between 32 and 512.
    learning_rate : float, default=2e-3
    weight_decay : float, default=1e-2
    clip_norm : float or None, default=1.0
    max_steps : int, optional
        Stop after so many steps; the plan stays the same.
    time_limit : float, optional
        Seconds of training.
    device : str, default="cpu"
        Any device of torch; "auto" takes CUDA or MPS where there is one.
    random_state : int, RandomState or None

    Attributes
    ----------
    tasks_ : list of FittedTask
    network_ : FittedNetwork
        The trained module and its learning curves.
    validation_rows_ : int array
        Positions of the rows that chose the epoch; not kept in a saved model.
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

    def __init__(
        self,
        tasks: Any = None,
        *,
        encoder: Recipe | None = None,
        sharing: Recipe | None = None,
        max_epochs: int = 100,
        patience: int | None = 16,
        validation: Any = 0.2,
        batch_size: int | None = None,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        clip_norm: float | None = 1.0,
        max_steps: int | None = None,
        time_limit: float | None = None,
        device: str = "cpu",
        random_state: Any = None,
    ) -> None:
        self.tasks = tasks
        self.encoder = encoder
        self.sharing = sharing
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.max_steps = max_steps
        self.time_limit = time_limit
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        reserved: Any = None,
        on_epoch: Any = None,
        checkpoint: Any = None,
    ) -> Self:
        """Learn all tasks together; see :meth:`MultiTaskEstimator.fit`.

        Parameters
        ----------
        reserved : bool array of shape (n_samples,), optional
            Rows kept for early stopping, instead of those that ``validation`` would draw.
        on_epoch : callable, optional
            Called with an :class:`~polytask.training.EpochRecord` after every epoch.
        checkpoint : Checkpoint, optional
            Where the state is kept; a fit with the same data and settings goes on from there.
        """
        arrays, labels = self._read_training_data(X, y)
        labels, weight = labels.weighed(sample_weight)
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(2**31 - 1))
        train, held = self.inner_split(labels, weight, groups=groups, seed=seed, rows=np.arange(len(weight)), reserved=reserved)
        job = NetworkJob(train, held, np.ones(len(labels.tasks), dtype=bool), seed)
        table = CodedTable(arrays, self.codec_.cardinalities)
        self.shape_ = table.shape
        self.n_train_, self.n_validation_, self.validation_rows_ = len(train), len(held), held
        self.network_ = self.fit_jobs(
            [job], table, labels, weight, on_epoch=on_epoch, checkpoint=checkpoint, keep_interrupted=True
        )[0]
        self.tasks_ = self.network_.tasks
        self.tasks_reasons_ = labels.reasons
        skills = self.network_.curves["skill"][self.network_.best_epoch - 1]
        self.optimistic_skill_ = float(np.nanmean(skills)) if np.isfinite(skills).any() else float("nan")
        self.n_iter_ = self.network_.steps
        if labels.form == "vector" and len(self.tasks_[0].labels):
            self.classes_ = np.array(self.tasks_[0].labels)
        return self

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
        return fit_networks(
            jobs,
            table,
            labels.tasks,
            labels.target,
            weight,
            encoder=_recipe("encoder", self.encoder, default=MLP()),
            sharing=_recipe("sharing", self.sharing, default=HardSharing()),
            settings=self._settings(max(len(job.train_rows) for job in jobs)),
            device=_device(self.device),
            on_epoch=on_epoch,
            checkpoint=checkpoint,
            keep_interrupted=keep_interrupted,
        )

    def inner_split(
        self, labels: LabelTable, weight: Array, *, groups: Any, seed: int, rows: Array, reserved: Array | None = None
    ) -> tuple[Array, Array]:
        """Divide ``rows`` into training and validation rows, in the way of ``validation``.

        Parameters
        ----------
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
            return usable, usable[:0]
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

    def _settings(self, n_train: int) -> TrainingSettings:
        return TrainingSettings(
            max_epochs=self.max_epochs,
            batch_size=self.batch_size if self.batch_size is not None else default_batch_size(n_train),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            patience=self.patience,
            max_steps=self.max_steps,
            time_limit=self.time_limit,
        )

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


def _recipe(name: str, given: Any, *, default: Recipe) -> Recipe:
    """Return the recipe of one part of the network, as given or the default one."""
    if given is None:
        return default
    if not isinstance(given, Recipe):
        raise OptionError(
            f"`{name}` of MultiTaskNetwork must be a recipe, such as {type(default).__name__}(); got {given!r}. "
            "A module class of your own becomes one by `recipe_of(YourModule)`."
        )
    return given


def default_batch_size(n_train: int) -> int:
    """Rows per step: about a sixteenth of the training rows, a power of two between 32 and 512.

    >>> [default_batch_size(n) for n in (100, 1_000, 5_000, 100_000)]
    [32, 64, 256, 512]
    """
    return int(2 ** np.clip(np.round(np.log2(max(n_train, 1) / 16)), 5, 9))


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(f"`device` must be one that torch has here; got {name!r} ({reason}). Try 'cpu' or 'auto'.") from error
    return device
