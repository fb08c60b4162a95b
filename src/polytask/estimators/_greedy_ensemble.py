"""Greedy ensemble: per task a weighted mean of estimators, the weights chosen on rows that none of them has seen."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._ensemble import Ensemble, bag_each, named_estimators, whole_model
from polytask.estimators._fit_on_rows import fitted_tasks
from polytask.estimators._fold_models import MixtureModel
from polytask.estimators._greedy_selection import cross_fitted_outputs, greedy_selection
from polytask.estimators._held_out_skill import held_out_skill
from polytask.estimators._inner_folds import fold_of_rows, inner_folds
from polytask.tasks import FittedTask
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]


class GreedyEnsemble(Ensemble):
    """Mix estimators of any kind, each task in its own way, by greedy selection on out-of-fold outputs.

    Parameters
    ----------
    estimators : dict of name to estimator
        As in :class:`AveragingEstimator`. Simpler ones first: they win ties.
    tasks : sequence of Task or str, optional
    folds : int or splitter, default=5
        The estimators are fitted once per fold; what they give for the fold left out chooses the weights.
    max_rounds : int, default=50
        Most additions of a selection; see :func:`greedy_selection`.
    refit : bool, default=True
        Fit those that have a weight again on all rows for predicting; False keeps the mean of the folds' models, which takes
        less time to fit and more to predict.
    random_state : int, RandomState or None

    Attributes
    ----------
    weights_ : dict of task name to dict of estimator name to float
        Those above 0; their sum is 1.
    skills_ : dict of estimator name to dict of task name to float
        Out-of-fold skill of each.
    skill_ : dict of task name to float
        Skill of the ensemble, cross-fitted: the weights that score a fold were chosen on the others.
    held_out_ : dict of task name to array of shape (n_samples, ...)
        The outputs that ``skill_`` is of; NaN for rows in no fold. Not kept in a saved model.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.dummy import DummyRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 3))
    >>> y = X[:, 0] + 0.1 * rng.normal(size=80)
    >>> model = GreedyEnsemble({"mean": DummyRegressor(), "line": Ridge(0.1)}, random_state=0).fit(X, y)
    >>> model.weights_, model.skill_["y0"] > 0.9
    ({'y0': {'line': 1.0}}, True)
    """

    told: ClassVar[tuple[str, ...]] = ("weights_", "skills_", "skill_")

    def __init__(
        self,
        estimators: Any,
        tasks: Any = None,
        *,
        folds: Any = 5,
        max_rounds: int = 50,
        refit: bool = True,
        random_state: Any = None,
    ) -> None:
        self.estimators = estimators
        self.tasks = tasks
        self.folds = folds
        self.max_rounds = max_rounds
        self.refit = refit
        self.random_state = random_state

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        estimators = named_estimators(self.estimators, data, owner="GreedyEnsemble")
        splits = inner_folds(data, rows, self.folds, seed=seed)
        bags = bag_each(estimators, data, splits, seed=seed)
        fold = fold_of_rows(splits, len(data.weight))
        weights: dict[str, dict[str, float]] = {}
        skills: dict[str, dict[str, float]] = {name: {} for name in estimators}
        skill, mixed = {}, {}
        for task in fitted_tasks(data, rows):
            part = data.labels.slices[task.name]
            target, weight = data.labels.target[:, part], data.weight[:, part].max(axis=1)
            own = {name: bag.held_out[task.name] for name, bag in bags.items() if task.name in bag.held_out}
            for name, values in own.items():
                skills[name][task.name] = held_out_skill(task, values, target, weight)
            shares, mixed[task.name] = mix_task(task, list(own.values()), target, weight, fold, max_rounds=self.max_rounds)
            weights[task.name] = {name: float(share) for name, share in zip(own, shares, strict=True) if share > 0}
            skill[task.name] = held_out_skill(task, mixed[task.name], target, weight)
        used = [name for name in estimators if any(name in own for own in weights.values())]
        models = [
            whole_model(estimators[name], bags[name], data, rows, refit=self.refit, seed=seed_of(seed, k, 3) % 2**31)
            for k, name in enumerate(estimators)
            if name in used
        ]
        model = MixtureModel(models, {task: [own.get(name, 0.0) for name in used] for task, own in weights.items()})
        return model, {"weights_": weights, "skills_": skills, "skill_": skill, "held_out_": mixed}


def mix_task(
    task: FittedTask, outputs: list[Array], target: Array, weight: Array, fold: Array, *, max_rounds: int = 50
) -> tuple[Array, Array]:
    """Choose the weights of models for one task from their held-out outputs.

    Parameters
    ----------
    outputs : list of n_models arrays of shape (n, ...)
    target : array of shape (n, n_targets)
    weight : array of shape (n,)
    fold : int array of shape (n,)
        Fold that held each row out; -1 for rows to be left out.

    Returns
    -------
    shares : array of shape (n_models,)
        In the simplex, chosen on all held-out rows.
    mixed : array of shape (n, ...)
        Outputs of the mixture with, for every row, weights chosen on the other folds; NaN where there are none.
    """
    held = np.flatnonzero(fold >= 0)

    def losses_of(rows: Array) -> Callable[[Array], Array]:
        return lambda values: task.row_losses(values, target[held[rows]])

    own = [values[held] for values in outputs]
    if not task.labels_vary(target[held], weight[held]):  # nothing to choose by
        even = np.full(len(own), 1 / len(own))
        mixed = np.full_like(outputs[0], np.nan)
        mixed[held] = np.tensordot(even, np.stack(own), axes=1)
        return even, mixed
    shares = greedy_selection(own, losses_of(np.arange(len(held))), weight[held], max_rounds=max_rounds)
    mixed = np.full_like(outputs[0], np.nan)
    if len(np.unique(fold[held])) > 1:  # with one part, the same rows would choose and score
        mixed[held] = cross_fitted_outputs(own, losses_of, weight[held], fold[held], max_rounds=max_rounds)
    return shares, mixed
