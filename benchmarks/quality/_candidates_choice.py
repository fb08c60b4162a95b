"""Choosing the order of a portfolio's candidates on all sets but one, and what it gives on that one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from _candidates_outputs import SHARING, Kept
from _tabular_sets import score_task

from polytask.automatic._presets import candidates_of
from polytask.estimators import MultiTaskNetwork, greedy_selection

BUDGETS = (20, 45, 100)  # seconds for fitting; of a limit of 60 about 45 are left
EXTRAS = ("CatBoost", "CatBoost of all tasks")  # of optional packages
FIRST = ("linear", "constant", "LightGBM")  # always, in this order: cheap and sure
MOST_ROWS = 1_000  # of held-out ones, that weigh the models here
ROUNDS = 20
SHARE = 0.5  # of the time left, that a candidate may take
CLIP = 0.02  # a set counts by at most so much gain of skill, so that no odd one decides
LEAST_COST = 0.3  # seconds


class Tried:
    """One set: scores of mixtures of any candidates, remembered."""

    def __init__(self, kept: Kept, *, cores: int = 2) -> None:
        self.kept = kept
        self.walls = {name: round(own / cores, 2) for name, own in kept.seconds.items() if name not in EXTRAS}
        self._scores: dict[frozenset[str], float] = {}

    def score(self, names: Sequence[str]) -> float:
        """Mean over tasks of the test scores of the mixture of these candidates, as far as the set has them."""
        key = frozenset(name for name in names if name in self.walls)
        if key not in self._scores:
            scores = [self._task_score(rows, sorted(key)) for rows in self.kept.rows]
            self._scores[key] = round(float(np.nanmean(scores)), 5)
        return self._scores[key]

    def _task_score(self, rows: Any, names: Sequence[str]) -> float:
        task = rows.task
        among = np.linspace(0, len(rows.rows) - 1, min(MOST_ROWS, len(rows.rows))).astype(np.int64)
        names = [name for name in names if task.name in self.kept.held_out[name]]
        if not names:
            return 0.0  # of the constant
        held = [self.kept.held_out[name][task.name][rows.rows[among]].astype(np.float64) for name in names]
        target, weight = rows.target[among], rows.weight[among]
        shares = np.full(len(names), 1 / len(names))
        if task.labels_vary(target, weight):
            shares = greedy_selection(held, lambda own: task.row_losses(own, target), weight, max_rounds=ROUNDS)
        mixed = sum(share * self.kept.test[name][task.name] for share, name in zip(shares, names, strict=True) if share)
        score = score_task(task, np.asarray(mixed, dtype=np.float64), self.kept.one.y, self.kept.one.y_test)
        return np.nan if score is None else score

    def within(self, order: Sequence[str], seconds: float) -> list[str]:
        """What a run of so many seconds fits of an order; who would take too much of the time left is passed over."""
        found, left = [], seconds
        for name in order:
            wall = self.walls.get(name)
            if wall is not None and (wall <= SHARE * left or not found):
                found.append(name)
                left -= wall
        return found


def order_in_use(kept: Kept) -> list[str]:
    """Names of the candidates of the preset, for the rows and tasks of a set."""
    about = {"n_folds": 5, "n_rows": len(kept.one.X), "n_tasks": len(kept.rows), "seed": 0}
    return [own.name for own in candidates_of("best", MultiTaskNetwork(), **about) if own.name not in EXTRAS]


def with_networks(order: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The order with the network of hard sharing replaced by one of another sharing, and with that one right after it."""
    for name in SHARING:
        place = order.index("network")
        yield f"{name}, instead", [*order[:place], name, *order[place + 1 :]]
        yield f"{name}, besides", [*order[: place + 1], name, *order[place + 1 :]]


def chosen_order(sets: Mapping[str, Tried], *, longest: float) -> list[str]:
    """Candidates by gain per second, one after another; ends with those that gain nothing, in the order in use.

    Parameters
    ----------
    longest : float
        Seconds that a candidate counts with on a set that it did not end on.
    """
    names = list(dict.fromkeys(name for own in sets.values() for name in order_in_use(own.kept)))
    order = [name for name in FIRST if name in names]
    while len(order) < len(names):
        rest = [name for name in names if name not in order]
        worth = {name: _worth(sets, order, name, longest=longest) for name in rest}
        best = max(rest, key=lambda name: worth[name])
        if worth[best] <= 0:
            return order + rest
        order.append(best)
    return order


def _worth(sets: Mapping[str, Tried], order: Sequence[str], name: str, *, longest: float) -> float:
    gains, costs = [], []
    for own in sets.values():
        if name in own.walls:
            gains.append(float(np.clip(own.score([*order, name]) - own.score(order), -CLIP, CLIP)))
            costs.append(own.walls[name])
        elif "time" in own.kept.left_out.get(name, ""):
            gains.append(0.0)
            costs.append(longest)
        else:  # it does not suit, which costs nothing
            gains.append(0.0)
            costs.append(0.0)
    return float(np.mean(gains) / max(np.mean(costs), LEAST_COST))
