"""Which models each preset tries, in order."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from sklearn.base import clone

from polytask._optional import MissingExtraError, import_optional
from polytask.automatic._candidate import PILOT_ROWS, Candidate, Constants
from polytask.estimators import (
    MultiTaskBoosting,
    MultiTaskCatBoost,
    MultiTaskForest,
    MultiTaskNetwork,
    StackedAcrossTasks,
    boosted_trees,
    boosted_trees_stopped,
    elastic_net,
    extra_trees,
    gaussian_process,
    kernel_svm,
    linear_models,
    linear_svm,
    naive_bayes,
    nearest_neighbours,
    partial_least_squares,
    random_forest,
)
from polytask.networks import PiecewiseLinear, ResNet

Preset = Literal["network", "fast", "balanced", "best"]
PRESETS: tuple[str, ...] = get_args(Preset)
PATIENCE: dict[str, int] = {"fast": 3, "balanced": 4, "best": 8}  # models without a gain
TIME_LIMITS: dict[str, float] = {"fast": 60.0, "balanced": 60.0, "best": 600.0}  # seconds, where none is given

LITTLE_NOISE = 0.9  # skill of the first models, above which labels are functions that finer models can follow
GAUSSIAN_PILOT = 400  # rows, above which Gaussian processes are tried on a part first: their time grows with the third power
TREES = 200  # of a forest on one holdout; with folds fewer each, since their forests are averaged


def candidates_of(
    preset: str, network: MultiTaskNetwork, *, n_folds: int, n_rows: int, n_tasks: int, seed: int
) -> list[Candidate]:
    """The models of a preset, cheap and sure ones first.

    Parameters
    ----------
    preset : {"fast", "balanced", "best"}
    network : MultiTaskNetwork
        Settings of the networks.
    n_folds, n_rows, n_tasks : int
        Of the table: with more folds each forest is smaller; one task has nothing to be stacked upon.
    seed : int

    Examples
    --------
    >>> [own.name for own in candidates_of("fast", MultiTaskNetwork(), n_folds=5, n_rows=900, n_tasks=3, seed=0)]
    ['linear', 'constant', 'LightGBM']
    """
    n_trees = max(64, TREES // n_folds)
    linear = Candidate("linear", linear_models())
    boosted = Candidate("LightGBM", boosted_trees(random_state=seed), sized=_boosted(seed))
    constant = Candidate("constant", Constants())
    if preset == "fast":
        return [linear, constant, boosted]
    found = [
        linear,
        constant,
        boosted,
        Candidate("partial least squares", partial_least_squares(), min_columns=20, share=0.1),
        Candidate("network", network, together=n_tasks > 1, share=0.4),
        Candidate("extra trees", extra_trees(n_estimators=n_trees, random_state=seed), sized=_forest(extra_trees, n_trees, seed)),
        Candidate(
            "random forest", random_forest(n_estimators=n_trees, random_state=seed), sized=_forest(random_forest, n_trees, seed)
        ),
        _stopped("fine", seed),
    ]
    if n_tasks > 1:  # one fit per fold for all tasks: quick on few rows, slow on many
        place = 4 if n_rows <= PILOT_ROWS else len(found)
        found[place:place] = [_joint_forest(n_trees, seed), _joint_boosting(seed)]
    if preset == "balanced":
        return found
    if _has_catboost():
        found.append(_catboost(seed, together=n_tasks > 1))
    if n_tasks > 1:
        upon = StackedAcrossTasks(linear_models(), final_estimator=boosted_trees(random_state=seed), passthrough=True)
        found.append(Candidate("stacked across tasks", upon, together=True, max_rows=20_000))
    found += [
        Candidate("Gaussian process", gaussian_process(), max_rows=2_000, max_columns=500, pilot_rows=GAUSSIAN_PILOT),
        Candidate("kernel SVM", kernel_svm(), max_rows=10_000, share=0.4),
        _stopped("extra", seed),
        Candidate("nearest neighbours", nearest_neighbours(), max_rows=50_000),
        _residual(network, n_tasks),
        _stopped("small", seed),
        Candidate("elastic net", elastic_net(), max_rows=50_000),
        _stopped("large", seed),
        Candidate("linear SVM", linear_svm(), max_rows=20_000),
        Candidate("naive Bayes", naive_bayes()),
    ]
    if n_tasks > 1:
        found.insert(-4, Candidate("network alone", network, share=0.4))
    return found


def _stopped(variant: str, seed: int) -> Candidate:
    make: Callable[..., Any] = boosted_trees_stopped
    return Candidate(
        f"LightGBM stopped, {variant}",
        make(variant=variant, random_state=seed),
        sized=lambda share: make(variant=variant, n_estimators=max(50, int(600 * share)), random_state=seed),
    )


def _residual(network: MultiTaskNetwork, n_tasks: int) -> Candidate:
    """The network with residual blocks upon piecewise linear numbers, which follows functions of little noise best."""
    own = clone(network).set_params(encoder=ResNet(embedding=PiecewiseLinear()))
    return Candidate("network, residual", own, together=n_tasks > 1, least_skill=LITTLE_NOISE, share=0.4)


def _boosted(seed: int) -> Callable[[float], Any]:
    return lambda share: boosted_trees(n_estimators=max(30, int(120 * share)), learning_rate=0.08, random_state=seed)


def _joint_forest(n_trees: int, seed: int) -> Candidate:
    return Candidate(
        "forest of all tasks",
        MultiTaskForest(n_estimators=n_trees, random_state=seed),
        together=True,
        sized=lambda share: MultiTaskForest(n_estimators=max(16, int(n_trees * share)), random_state=seed),
    )


def _joint_boosting(seed: int) -> Candidate:
    return Candidate(
        "boosting of all tasks",
        MultiTaskBoosting(random_state=seed),
        together=True,
        sized=lambda share: MultiTaskBoosting(n_estimators=max(50, int(300 * share)), random_state=seed),
    )


def _has_catboost() -> bool:
    """Whether the extra is there; it is imported now, since what two threads import at once may be seen half made."""
    try:
        import_optional("catboost", extra="boost", feature="CatBoost")
    except MissingExtraError:
        return False
    return True


def _catboost(seed: int, *, together: bool) -> Candidate:
    """Trees of CatBoost for all tasks, where the extra ``boost`` is installed; wide tables take too long."""
    return Candidate(
        "CatBoost of all tasks" if together else "CatBoost",
        MultiTaskCatBoost(random_state=seed),
        together=together,
        max_columns=100,
        sized=lambda share: MultiTaskCatBoost(n_estimators=max(100, int(600 * share)), random_state=seed),
    )


def _forest(make: Callable[..., Any], n_trees: int, seed: int) -> Callable[[float], Any]:
    return lambda share: make(n_estimators=max(16, int(n_trees * share)), random_state=seed)
