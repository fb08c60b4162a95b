"""The models of the quality benchmark: all by polytask's own estimators, with their defaults."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from polytask.estimators import MultiTaskEstimator, MultiTaskNetwork, PerTaskEstimator, boosted_trees, linear_models

N_TREES = 200


def joint_network(tasks: list[Any], *, seed: int, seconds: float) -> MultiTaskEstimator:
    """One network for all tasks."""
    return MultiTaskNetwork(tasks, random_state=seed, time_limit=seconds)


def single_task_networks(tasks: list[Any], *, seed: int, seconds: float) -> MultiTaskEstimator:
    """The same network once per task; the time is shared out equally."""
    return PerTaskEstimator(MultiTaskNetwork(random_state=seed, time_limit=seconds / len(tasks)), tasks)


def lightgbm(tasks: list[Any], *, seed: int, seconds: float) -> MultiTaskEstimator:
    """Boosted trees per task."""
    return PerTaskEstimator(boosted_trees(random_state=seed), tasks)


def random_forest(tasks: list[Any], *, seed: int, seconds: float) -> MultiTaskEstimator:
    """A random forest per task; leaves of classes hold two rows at least, so that probabilities are no votes of single rows."""
    settings: dict[str, Any] = {"n_estimators": N_TREES, "random_state": seed, "n_jobs": 1}
    forests = {
        "regressor": RandomForestRegressor(max_features=1 / 3, **settings),
        "classifier": RandomForestClassifier(min_samples_leaf=2, **settings),
    }
    return PerTaskEstimator(forests, tasks)


def linear(tasks: list[Any], *, seed: int, seconds: float) -> MultiTaskEstimator:
    """Ridge, logistic or Poisson regression per task."""
    return PerTaskEstimator(linear_models(), tasks)


MODELS: dict[str, tuple[str, Callable[..., MultiTaskEstimator]]] = {
    "joint": ("joint network", joint_network),
    "single": ("single-task networks", single_task_networks),
    "lightgbm": ("LightGBM", lightgbm),
    "forest": ("random forest", random_forest),
    "linear": ("linear", linear),
}
