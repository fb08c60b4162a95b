"""Averaging: the mean of what several estimators give."""

from typing import Any, ClassVar

import numpy as np

from polytask.estimators._bagged import FoldModel, LearningData
from polytask.estimators._ensemble import Ensemble, fit_each, named_estimators, shares_of
from polytask.estimators._fold_models import MixtureModel

Array = np.ndarray[Any, np.dtype[Any]]


class AveragingEstimator(Ensemble):
    """Average the outputs of estimators of any kind: means of numbers, and of the probabilities of classes.

    Parameters
    ----------
    estimators : dict of name to estimator
        Each a :class:`MultiTaskNetwork`, another multi-task estimator or ensemble, or what :class:`PerTaskEstimator` takes. One
        that declares ``tasks`` learns these only, and the others average without it.
    tasks : sequence of Task or str, optional
    weights : dict of name to float, optional
        Weights >= 0, the same for all tasks; equal ones by default. :class:`GreedyEnsemble` learns them per task.
    random_state : int, RandomState or None

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X = np.arange(20.0)[:, None]
    >>> model = AveragingEstimator({"line": Ridge(), "tree": DecisionTreeRegressor(max_depth=2)}, random_state=0).fit(X, 3 * X)
    >>> model.predict(X).shape
    (20, 1)
    >>> model.get_params()["estimators__tree__max_depth"]
    2
    """

    told: ClassVar[tuple[str, ...]] = ()

    def __init__(self, estimators: Any, tasks: Any = None, *, weights: Any = None, random_state: Any = None) -> None:
        self.estimators = estimators
        self.tasks = tasks
        self.weights = weights
        self.random_state = random_state

    def _learn(self, data: LearningData, rows: Array, *, seed: int) -> tuple[FoldModel, dict[str, Any]]:
        estimators = named_estimators(self.estimators, data, owner="AveragingEstimator")
        shares = shares_of(self.weights, estimators, owner="AveragingEstimator")
        used = {name: own for (name, own), share in zip(estimators.items(), shares, strict=True) if share > 0}
        named_estimators(used, data, owner="AveragingEstimator")  # a task may be learned only by those of weight 0
        weights = {task.name: [share for share in shares if share > 0] for task in data.labels.tasks}
        return MixtureModel(fit_each(used, data, rows, seed=seed), weights), {}
