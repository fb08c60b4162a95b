"""The cases of honesty.py."""

from dataclasses import dataclass, replace
from typing import Any

from _honesty_learners import network_alone, network_together, ridge_alone, ridge_together
from _honesty_networks import polytask_alone, polytask_together
from _honesty_worlds import Arm, World


@dataclass(frozen=True)
class Scenario:
    """A world, two arms, and what is known of their true gains."""

    name: str
    world: World
    joint: Arm = ridge_together
    separate: Arm = ridge_alone
    twins: bool = False  # the arms are one recipe: every gain is exactly 0
    tune: tuple[int, ...] = ()  # tasks whose relatedness is tuned until they gain 0
    ignore_groups: bool = False  # to show what happens then
    these_models: bool = False  # also ask whether intervals cover what the very models that were trained gain
    n_truth: int = 2000  # Monte Carlo data sets


def _related(n_rows: int, *, n_features: int, alpha: float, **settings: Any) -> World:
    """Tasks that have nearly everything in common, learned with more features than is good for one task alone."""
    return World(n_rows=n_rows, relatedness=0.95, noise=1.5, n_features=n_features, alpha=alpha, own_seeds=False, **settings)


ALL, MIXED = tuple(range(6)), (0.3, *[0.97] * 5)
SMALL, MIDDLE = World(n_rows=300, n_features=24, noise=1.0), World(n_rows=1000, n_features=32, noise=1.0)
NETWORK = World(n_rows=300, n_features=16, noise=0.7)
NETWORKS: dict[str, Any] = {"joint": network_together, "separate": network_alone}
POLYTASK = World(n_rows=300, n_tasks=3, noise=0.7, relatedness=0.95)
_LIST = [
    # nothing to gain: one recipe in both arms
    Scenario("twins-300", SMALL, joint=ridge_alone, twins=True),
    Scenario("twins-1000", MIDDLE, joint=ridge_alone, twins=True),
    Scenario("network-twins-300", NETWORK, joint=network_alone, separate=network_alone, twins=True),
    Scenario("polytask-twins-300", POLYTASK, joint=polytask_alone, separate=polytask_alone, twins=True),
    # two recipes that break even: for all tasks, or for the first of six while the others gain
    Scenario("zero-300", replace(SMALL, relatedness=0.7), tune=ALL, n_truth=4000),
    Scenario("zero-1000", replace(MIDDLE, relatedness=0.6), tune=ALL, n_truth=4000),
    Scenario(
        "one-zero-300",
        replace(_related(300, n_features=52, alpha=0.3, alpha_own=2000.0), relatedness=MIXED),
        tune=(0,),
        n_truth=4000,
    ),
    Scenario(
        "one-zero-1000", replace(_related(1000, n_features=122, alpha=0.06, alpha_own=2000.0), relatedness=MIXED), tune=(0,)
    ),
    Scenario("network-one-zero-300", replace(NETWORK, relatedness=MIXED), tune=(0,), **NETWORKS),
    # gains of about 1, 2, 5 and 10 points; the numbers in names are rounded
    Scenario("gain-3-300", _related(300, n_features=30, alpha=0.3)),
    Scenario("gain-5-300", _related(300, n_features=52, alpha=0.3)),
    Scenario("gain-10-300", _related(300, n_features=80, alpha=0.2)),
    Scenario("gain-1-1000", _related(1000, n_features=44, alpha=0.3)),
    Scenario("gain-2-1000", _related(1000, n_features=62, alpha=0.3)),
    Scenario("gain-5-1000", _related(1000, n_features=122, alpha=0.06)),
    Scenario("gain-10-1000", _related(1000, n_features=174, alpha=0.015)),
    Scenario("gain-5-1000-two-tasks", _related(1000, n_features=190, alpha=0.015, n_tasks=2)),
    Scenario("gain-1-3000", _related(3000, n_features=96, alpha=0.2)),
    Scenario("gain-2-3000", _related(3000, n_features=146, alpha=0.05)),
    Scenario("network-gain-300", replace(NETWORK, relatedness=0.95), **NETWORKS),
    Scenario("polytask-gain-300", POLYTASK, joint=polytask_together, separate=polytask_alone, n_truth=500),
    # labels missing, AUC, the models at hand, groups
    Scenario("missing-1000", _related(1000, n_features=60, alpha=0.3, missing=0.4)),
    Scenario("auc-1000", _related(1000, n_features=62, alpha=0.1, kind="auc")),
    Scenario("models-loss-1000", replace(MIDDLE, relatedness=0.6), these_models=True),
    Scenario("models-gain-5-1000", _related(1000, n_features=122, alpha=0.06), these_models=True),
    Scenario("groups-1000", _related(1000, n_features=50, alpha=0.3, group_size=5)),
    Scenario("groups-ignored-1000", _related(1000, n_features=50, alpha=0.3, group_size=5), ignore_groups=True),
]
SCENARIOS = {scenario.name: scenario for scenario in _LIST}
