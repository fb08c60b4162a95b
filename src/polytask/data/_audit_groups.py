"""Columns by which a task could be split into one task per group, with labels and shift per group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from polytask.data._audit_columns import Codes, Floats
from polytask.data._columns import _MEASURE_NAME, ColumnInfo
from polytask.data._values import categories_of

MAX_GROUPS, MIN_GROUP, MIN_TYPICAL = 500, 10, 20
MAX_SHOWN = 200  # groups listed per column
MIN_SHIFT = 0.01  # lower bound of eta squared above which a column is proposed
FOLLOWS_ORDER = 0.5  # numbers of which a few intervals explain such a share of the shift are quantities, not groups


@dataclass(frozen=True)
class Shift:
    """How far the means of a target differ between groups.

    Attributes
    ----------
    eta_squared : float
        Share of the target's variance that lies between groups (for classes: of the chance that two labels differ; Goodman and
        Kruskal's tau). Among the rows seen: it is above that of the population, the more so the more groups there are.
    corrected : float
        The share in the population: omega squared; for classes tau adjusted for chance,
        1 - (1 - tau)(n - 1) / (n - G). At least 0.
    low, high : float
        95 % interval of the share in the population, by inverting the noncentral F (chi squared for classes) distribution.
    p_value : float
        Of no shift at all.
    """

    eta_squared: float
    corrected: float
    low: float
    high: float
    p_value: float


def shift_between_groups(target: Floats, groups: Codes, *, n_classes: int = 0) -> Shift | None:
    r"""Eta squared and omega squared of a target between groups, with an interval and the test of no shift.

    .. math:: \omega^2 = \frac{SS_b - (G - 1) MS_w}{SS_b + SS_w + MS_w} = \frac{(G - 1)(F - 1)}{(G - 1)(F - 1) + n}

    For classes, tau has the mean :math:`(G - 1) / (n - 1)` if there is no shift, which becomes 0 while 1 stays 1 (as Kelley's
    epsilon squared of numbers). Both are the noncentrality of the interval's own distribution by its mean, at least 0.

    Parameters
    ----------
    target : float64 array of shape (n,)
        Numbers, or codes of classes; NaN is missing.
    groups : int array of shape (n,)
    n_classes : int, default=0
        0 for a number.

    Returns
    -------
    shift : Shift or None
        None where there is nothing to compare: one group, one value, or no row more than groups.

    References
    ----------
    Steiger, "Beyond the F Test: Effect Size Confidence Intervals and Tests of Close Fit in the Analysis of Variance and Contrast
    Analysis", Psychological Methods, 2004. Hays, "Statistics for Psychologists", 1963 (omega squared). Light & Margolin, "An
    Analysis of Variance for Categorical Data", JASA, 1971.

    Examples
    --------
    >>> shift = shift_between_groups(np.array([1.0, 2, 3, 11, 12, 13]), np.array([0, 0, 0, 1, 1, 1]))
    >>> round(shift.eta_squared, 3), round(shift.corrected, 3), shift.p_value < 0.001
    (0.974, 0.961, True)
    """
    statistic = _statistic(target, groups, n_classes)
    return None if statistic is None else _shifts_of([statistic])[0]


def propose_splits(
    frame: pd.DataFrame,
    columns: Sequence[ColumnInfo],
    targets: Mapping[str, tuple[Floats, tuple[Any, ...]]],
    *,
    given: Sequence[str] = (),
    n_shown: int = 5,
) -> list[dict[str, Any]]:
    """Find columns by which one task per group could be learned, those with the largest shift first.

    Candidates are categories, and whole numbers that are labels rather than quantities (a few intervals of them do not explain
    the shift), with 2 to 500 groups of which the middle one has at least 20 rows. Proposed are those with a shift in at least one
    task (lower bound of eta squared above 0.01, p adjusted by Holm below 0.05), and always those in ``given``.

    Parameters
    ----------
    targets : mapping of task to (float64 array of shape (n,), classes)

    Returns
    -------
    proposals : list of dict
        ``column``, ``n_groups``, ``n_small`` (groups of fewer than ten rows), ``smallest``, ``median`` and ``largest`` group,
        ``n_missing``; ``groups``: name, rows and labels per task, the largest first; ``tasks``: eta squared per task,
        the corrected share with its interval, and p; ``shift``: the largest corrected share.
    """
    candidates: dict[str, tuple[Codes, Any]] = {}
    for info in columns:
        if info.name in frame.columns and (info.name in given or _is_candidate(info)):
            codes, texts = categories_of(frame[info.name])
            sizes = np.bincount(codes[codes >= 0], minlength=len(texts))
            if info.name in given or (2 <= len(texts) <= MAX_GROUPS and np.median(sizes) >= MIN_TYPICAL):
                candidates[info.name] = (codes, texts)
    kinds = {info.name: info.kind for info in columns}
    shifts = {name: _shifts(codes, targets) for name, (codes, _) in candidates.items()}
    adjusted = holm({(name, task): shift.p_value for name, found in shifts.items() for task, shift in found.items()})
    proposals = []
    for name, (codes, texts) in candidates.items():
        clear = [
            task for task, shift in shifts[name].items() if shift.low > MIN_SHIFT and adjusted[name, task] < 0.05
            and not (kinds[name] == "numeric" and _follows_order(texts, codes, targets[task][0], shift, len(targets[task][1])))
        ]  # fmt: skip
        if clear or name in given:
            tasks = {task: vars(shift) | {"p_adjusted": adjusted[name, task]} for task, shift in shifts[name].items()}
            proposals.append(_counts(name, codes, texts, targets) | {"tasks": tasks})
    for proposal in proposals:
        proposal["shift"] = max((task["corrected"] for task in proposal["tasks"].values()), default=0.0)
    proposals.sort(key=lambda proposal: (proposal["column"] not in given, -proposal["shift"]))
    return proposals[:n_shown]


def _is_candidate(info: ColumnInfo) -> bool:
    if not 2 <= info.n_unique <= MAX_GROUPS:
        return False
    if info.kind == "categorical":
        return True
    return (
        info.kind == "numeric"
        and info.dtype.lower().startswith("int")
        and info.n_unique >= 5
        and not _MEASURE_NAME.search(info.name)
    )


def _shifts(codes: Codes, targets: Mapping[str, tuple[Floats, tuple[Any, ...]]]) -> dict[str, Shift]:
    rows = codes >= 0
    found = {task: _statistic(y[rows], codes[rows], len(classes)) for task, (y, classes) in targets.items()}
    usable = {task: statistic for task, statistic in found.items() if statistic is not None}
    return dict(zip(usable, _shifts_of(list(usable.values())), strict=True))


@dataclass(frozen=True)
class _Statistic:
    """Eta squared and what its distribution needs; ``df2`` is 0 for classes, whose statistic is chi squared."""

    share: float
    value: float
    df1: int
    df2: int
    n: int


def _statistic(target: Floats, groups: Codes, n_classes: int) -> _Statistic | None:
    seen = ~np.isnan(target)
    y, group = target[seen], np.unique(groups[seen], return_inverse=True)[1]
    n, n_groups = len(y), int(group.max(initial=-1)) + 1
    if n_groups < 2 or n <= n_groups or y.min() == y.max():
        return None
    used = np.unique(y) if n_classes else np.empty(0)
    columns = [(y == code) - np.mean(y == code) for code in used] if n_classes else [y - y.mean()]
    total = sum(float((column**2).sum()) for column in columns)
    between = sum(float((np.bincount(group, column) ** 2 / np.bincount(group)).sum()) for column in columns)
    share = min(between / total, 1.0)
    if n_classes:
        return _Statistic(
            share, (n - 1) * (len(used) - 1) * share, (n_groups - 1) * (len(used) - 1), 0, (n - n_groups) * (len(used) - 1)
        )
    df1, df2 = n_groups - 1, n - n_groups
    return _Statistic(share, share / df1 / max((1 - share) / df2, 1e-12), df1, df2, n)


def _shifts_of(statistics: list[_Statistic]) -> list[Shift]:
    shifts: dict[int, Shift] = {}
    for of_classes in (True, False):
        where = [i for i, statistic in enumerate(statistics) if (statistic.df2 == 0) == of_classes]
        value, df1, df2, n = (
            np.array([getattr(statistics[i], name) for i in where], dtype=np.float64) for name in ("value", "df1", "df2", "n")
        )
        p, low, high = _chi_squared_interval(value, df1, n) if of_classes else _f_interval(value, df1, df2, n)
        for k, i in enumerate(where):
            shifts[i] = Shift(statistics[i].share, _corrected(statistics[i]), float(low[k]), float(high[k]), float(p[k]))
    return [shifts[i] for i in range(len(statistics))]


def _corrected(statistic: _Statistic) -> float:
    if statistic.df2 == 0:
        return min(1.0, max(0.0, (statistic.value - statistic.df1) / statistic.n))
    noncentrality = max(0.0, statistic.df1 * (statistic.value - 1))
    return noncentrality / (noncentrality + statistic.n)


def _chi_squared_interval(value: Floats, df: Floats, scale: Floats) -> tuple[Floats, Floats, Floats]:
    """P value, and the ends of the interval as shares."""

    def cdf(noncentrality: Floats) -> Floats:
        return np.asarray(stats.ncx2.cdf(value, df, noncentrality))

    low, high = _noncentrality(cdf, start=value)
    return np.asarray(stats.chi2.sf(value, df)), np.minimum(low / scale, 1.0), np.minimum(high / scale, 1.0)


def _f_interval(value: Floats, df1: Floats, df2: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    def cdf(noncentrality: Floats) -> Floats:
        return np.asarray(stats.ncf.cdf(value, df1, df2, noncentrality))

    low, high = _noncentrality(cdf, start=df1 * value)
    return np.asarray(stats.f.sf(value, df1, df2)), low / (low + n), high / (high + n)


def _follows_order(texts: Any, codes: Codes, target: Floats, shift: Shift, n_classes: int) -> bool:
    """Whether a few intervals of the numbers explain most of the shift between them: a quantity, not a label of groups."""
    numbers = np.asarray([float(text) for text in texts])
    rank = np.argsort(np.argsort(numbers))
    rows = (codes >= 0) & ~np.isnan(target)
    n, n_groups, n_intervals = int(rows.sum()), len(numbers), int(np.clip(len(numbers) // 4, 2, 10))
    coarse = shift_between_groups(target[rows], rank[codes[rows]] * n_intervals // n_groups, n_classes=n_classes)
    if coarse is None:
        return False
    by_chance = (n_intervals - 1) / n, (n_groups - 1) / n
    return coarse.eta_squared - by_chance[0] > FOLLOWS_ORDER * (shift.eta_squared - by_chance[1])


def _counts(name: str, codes: Codes, texts: Any, targets: Mapping[str, tuple[Floats, tuple[Any, ...]]]) -> dict[str, Any]:
    rows = codes >= 0
    sizes = np.bincount(codes[rows], minlength=len(texts))
    labels = {task: np.bincount(codes[rows & ~np.isnan(y)], minlength=len(texts)) for task, (y, _) in targets.items()}
    order = np.lexsort((texts.astype(str), -sizes))[:MAX_SHOWN]
    return {
        "column": name,
        "n_groups": len(texts),
        "n_missing": int((~rows).sum()),
        "n_small": int((sizes < MIN_GROUP).sum()),
        "smallest": int(sizes.min()),
        "median": float(np.median(sizes)),
        "largest": int(sizes.max()),
        "groups": [
            {"group": str(texts[i]), "n_rows": int(sizes[i]), "labels": {task: int(counts[i]) for task, counts in labels.items()}}
            for i in order
        ],
    }


def _noncentrality(cdf: Callable[[Floats], Floats], *, start: Floats) -> tuple[Floats, Floats]:
    """Noncentralities at which the statistics seen are the 97.5 % and the 2.5 % quantile: the ends of the intervals."""

    def solve(level: float) -> Floats:
        low, high = np.zeros_like(start), np.maximum(2.0 * start, 10.0)
        for _ in range(20):  # the tail of the noncentral distributions is thin: a few doublings are enough
            high = np.where(cdf(high) > level, 2 * high, high)
        for _ in range(50):
            middle = (low + high) / 2
            above = cdf(middle) > level
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(cdf(np.zeros_like(start)) > level, high, 0.0)

    return (solve(0.975), solve(0.025)) if len(start) else (start, start)


def holm(p_values: dict[Any, float]) -> dict[Any, float]:
    """Adjust p values for their number, by Holm.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.5})
    {'a': 0.03, 'b': 0.08, 'c': 0.5}
    """
    adjusted, running = {}, 0.0
    for rank, (key, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        running = max(running, min(1.0, p * (len(p_values) - rank)))
        adjusted[key] = running
    return adjusted
