"""The rule that folds, inner splits and intervals of a comparison share: what stays together, and what comes first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import TimeSeriesSplit

from polytask.data.splits import ClusterKFold, LeaveOneGroupOut, TimeOrder, TimeSplit, as_time_order
from polytask.evaluation._folds import FoldPlan
from polytask.exceptions import DataError

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class SplitRule:
    """How rows may be divided.

    Attributes
    ----------
    folds : int or splitter
        What makes the folds.
    groups : array of shape (n_rows,) or None
        Rows that stay together, in folds and inner splits, and count as one in the intervals.
    times : TimeOrder or None
        If given, inner splits hold out the latest of the training rows.
    in_time : bool
        Whether the folds themselves follow time.
    method : str
        In words, for the report.
    """

    folds: Any
    groups: Array | None
    times: TimeOrder | None
    in_time: bool
    method: str


def read_rule(folds: Any, X: Any, n: int, *, groups: Any = None, times: Any = None) -> SplitRule:
    """Read groups and times that the user gave, or that the splitter brings.

    A :class:`~polytask.data.splits.ClusterKFold` brings its clusters as groups, so that inner splits do not cut them either; a
    :class:`~polytask.data.splits.TimeSplit` (and scikit-learn's ``TimeSeriesSplit``, by the order of rows) brings its times and
    gap.

    Raises
    ------
    DataError
        If there is not one group or time per row.
    """
    own_groups = None if groups is None else np.asarray(groups)
    if own_groups is not None and own_groups.shape != (n,):
        raise DataError(f"`groups` must name a group for each of the {n} rows; got shape {own_groups.shape}.")
    if isinstance(folds, ClusterKFold):
        clusters = folds.groups_of(X, own_groups)
        folds.check_clusters(clusters, grouped=own_groups is not None)
        about = f"stratified over all tasks; {int(clusters.max()) + 1} clusters of rows that are alike kept whole"
        return SplitRule(int(folds.n_splits), clusters, as_time_order(times, n), False, about)
    order = getattr(folds, "time_order", None)
    if isinstance(folds, TimeSeriesSplit):
        order = TimeOrder(np.arange(n), folds.gap)
    if order is not None:
        order = as_time_order(order, n)
    in_time = order is not None
    return SplitRule(folds, own_groups, as_time_order(times, n) if times is not None else order, in_time, _method(folds, in_time))


def holds_for(rule: SplitRule, plan: FoldPlan) -> str:
    """Say in words for what rows and models the verdicts hold."""
    if rule.in_time:
        return (
            "later rows: every model has learned from earlier rows only. The verdicts are for models of these training periods, "
            "on times like these test windows"
        )
    if plan.n_folds == 1:
        return "models of this one training set, on rows like those held out"
    if rule.groups is not None:
        return "rows of groups that no model has learned from, drawn like these groups"
    if plan.trained is not None:
        return "new rows drawn like these, and models of training sets as these splits make them"
    return "new rows drawn like these"


def windows(rule: SplitRule, plan: FoldPlan) -> list[dict[str, Any]] | None:
    """Training and test rows of every fold of the first repeat with their times; None where folds do not follow time."""
    if not rule.in_time or rule.times is None:
        return None
    found = []
    for fold in range(plan.n_folds):
        train, held = plan.train_rows(0, fold), plan.held_rows(0, fold)
        (train_from, train_to), (test_from, test_to) = rule.times.shown(train), rule.times.shown(held)
        own = {"n_train": len(train), "train_from": train_from, "train_to": train_to}
        found.append(own | {"n_test": len(held), "test_from": test_from, "test_to": test_to})
    return found


def _method(folds: Any, in_time: bool) -> str:
    if isinstance(folds, TimeSplit):
        gap = f", gap {folds.gap}" if folds.gap else ""
        return f"by time, {folds.n_splits} test windows, {folds.window} training window{gap}"
    if in_time:
        return f"by time, {type(folds).__name__}"
    if isinstance(folds, LeaveOneGroupOut):
        return "every group held out once"
    return type(folds).__name__ if hasattr(folds, "split") else "stratified over all tasks"
