"""How much learning together helps with fewer labels: skill of both arms over the number of labelled rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.data.splits import LabelBudget
from polytask.estimators import CodedTable, LabelTable, MultiTaskNetwork
from polytask.evaluation._arms import ALONE, TOGETHER, Arm, train_arms
from polytask.evaluation._compare import (
    Comparison,
    check_options,
    check_skill_metrics,
    few_labels,
    shown_folds,
    shown_settings,
    uneven_weights,
)
from polytask.evaluation._curve_end import check_comparison, check_same
from polytask.evaluation._curve_points import CurvePoint, CurveRules, as_lists
from polytask.evaluation._folds import FoldPlan, plan_folds, reserved_rows
from polytask.evaluation._held_out_losses import constant_losses, held_out_losses
from polytask.evaluation._rule import SplitRule, holds_for, read_rule
from polytask.evaluation._time_blocks import time_blocks
from polytask.exceptions import DataError, OptionError
from polytask.storage import fingerprint
from polytask.training import seed_of

Array = np.ndarray[Any, np.dtype[Any]]

SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class LearningCurve:
    """The result of :func:`learning_curve`.

    Attributes
    ----------
    result : dict
        Plain JSON, kept in the result of a comparison under ``learning_curve``.
    """

    result: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return self.result

    def to_frame(self) -> Any:
        """One row per task and share: number of labels, skill of both arms, gain, its adjusted interval and verdict."""
        import pandas as pd

        rows = []
        for name, task in self.result["tasks"].items():
            for k, share in enumerate(self.result["shares"]):
                row = {"task": name, "share": share, "n_labels": task["n_labels"][k]}
                row |= {f"skill_{arm}": task[arm]["skill"][k] for arm in (TOGETHER, ALONE)}
                rows.append(row | {key: task["gain"][key][k] for key in ("gain", "low", "high", "verdict")})
        return pd.DataFrame(rows)


def learning_curve(
    X: Any,
    y: Any,
    tasks: Sequence[Any] | None = None,
    *,
    joint: MultiTaskNetwork | None = None,
    shares: Sequence[float] = SHARES,
    limited: Sequence[str] | None = None,
    pattern: str = "random",
    folds: Any = 5,
    repeats: int = 3,
    groups: Any = None,
    times: Any = None,
    sample_weight: Any = None,
    reserved: Any = None,
    skill_metrics: Mapping[str, str] | None = None,
    confidence: float = 0.95,
    margin: float = 0.01,
    comparison: Comparison | None = None,
    random_state: int | None = None,
    on_fold: Callable[[int, int], None] | None = None,
) -> LearningCurve:
    """Measure what a joint network and its single-task twins reach with a share of the labels.

    Labels are taken away by a :class:`~polytask.data.splits.LabelBudget`, anew in every repeat; a smaller share keeps a part of
    what a larger one keeps, and all shares have the same folds. Held-out rows keep all their labels, and skill is always
    measured against the constant of *all* labels of the training rows, so points of one curve can be compared.

    Verdicts follow the rules of :func:`compare`, with intervals adjusted over all tasks and all shares that are trained here.

    Parameters
    ----------
    X, y, tasks, joint, groups, times, sample_weight, reserved, skill_metrics, margin, random_state
        As in :func:`compare`.
    shares : sequence of float in (0, 1], default=(0.1, 0.25, 0.5, 1.0)
        Of the labels of every limited task, ascending.
    limited : sequence of str, optional
        Tasks whose labels are taken away; all by default. With one task named this tells how many labels of it the others
        replace.
    pattern : {"random", "rows", "groups", "disjoint"}, default="random"
        Which labels go; see :class:`~polytask.data.splits.LabelBudget`.
    folds, repeats
        As in :func:`compare`; with one repeat there are no intervals.
    confidence : float, default=0.95
        Of the intervals: those of skills each for one point by itself, those of gains adjusted.
    comparison : Comparison, optional
        Of the same data and settings, with any number of repeats. Then the share that keeps all labels is not trained again:
        its outputs, intervals and verdicts are those of the comparison. (Trained anew it has the same folds, initial weights
        and order of rows, but where there is dropout other draws of it, which depend on all that is trained at once.)
    on_fold : callable, optional
        Called with folds done and folds in all, over all shares.

    Returns
    -------
    curve : LearningCurve
        ``to_dict()`` gives ``shares``; ``tasks``, per task ``n_labels`` (mean number in a training fold) and for ``together``
        and ``alone`` the lists ``skill``, ``low`` and ``high``, for ``gain`` the lists ``gain``, ``low``, ``high``,
        ``p_value``, ``verdict``, ``reason``, ``low_unadjusted`` and ``high_unadjusted``, one entry per share, None where
        undefined; ``mean``, the same of the mean over tasks; ``comparison``, share and repeats of what is taken from it, or
        None; and the settings.

    Raises
    ------
    DataError, OptionError
        If the data or a setting cannot be used, a share leaves too few labels for the inner split, or ``comparison`` is of other
        data or settings.
    KeyboardInterrupt
        If it is interrupted before the first repeat is whole; later, the repeats that are whole are given.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 3))
    >>> y = np.stack([X[:, 0], X[:, 0] + X[:, 1]], axis=1) + 0.1 * rng.normal(size=(80, 2))
    >>> curve = learning_curve(X, y, joint=MultiTaskNetwork(max_epochs=2), shares=[0.5, 1.0], folds=2, repeats=2).to_dict()
    >>> curve["tasks"]["y0"]["n_labels"], len(curve["tasks"]["y1"]["alone"]["skill"])
    ([20.0, 40.0], 2)
    """
    seed = _seed(joint, random_state)
    check_options(joint, (ALONE,), confidence, margin, None, seed)
    wanted = _check_shares(shares)
    metrics = dict(skill_metrics or {})
    model: MultiTaskNetwork = clone(joint) if joint is not None else MultiTaskNetwork()
    if tasks is not None:
        model.set_params(tasks=tasks)
    arrays, labels = model._read_training_data(X, y)
    check_skill_metrics(metrics, labels.tasks)
    labels, weight = labels.weighed(sample_weight)
    reserved = reserved_rows(reserved, folds, len(weight))
    rule = read_rule(folds, X, len(weight), groups=groups, times=times)
    planned: dict[str, Any] = {"folds": rule.folds, "groups": rule.groups, "reserved": reserved, "seed": seed}
    plan = plan_folds(labels, repeats=repeats, **planned)
    budgets = [
        [_budget(labels, limited, share, pattern, rule.groups, seed_of(seed, 2**22, r)) for share in wanted]
        for r in range(repeats)
    ]
    n_trained = len(wanted)
    if comparison is not None:
        settings = {"seed": seed, "folds": shown_folds(folds), "joint": shown_settings(model), "skill_metrics": metrics}
        settings |= {"confidence": confidence, "margin": margin, "tasks": {task.name: task.kind for task in labels.tasks}}
        data = fingerprint(arrays.numeric, arrays.categorical, *arrays.words, labels.target)
        check_comparison(comparison, settings | {"data": data})
        n_trained -= _has_all_labels(labels, [own[-1] for own in budgets])
    fit = partial(_train, model, CodedTable(arrays, model.codec_.cardinalities), labels, weight)
    given = {"groups": rule.groups, "times": rule.times, "reserved": reserved}
    arms = _train_all(fit, plan, [own[:n_trained] for own in budgets], wanted[:n_trained], given, seed, on_fold)
    n_whole = len(arms[0][TOGETHER].outputs) if arms else repeats
    plan = plan.first(n_whole)
    rules = CurveRules(uneven_weights(labels, weight), few_labels(labels, weight, plan), confidence, margin)
    measured = rules.measure(
        [
            _point(own, labels, weight, plan, rule, metrics, [keeps[k] for keeps in budgets[:n_whole]])
            for k, own in enumerate(arms)
        ]
    )
    taken = None
    if comparison is not None and n_trained < len(wanted):
        own = {name: Arm(name, outputs=comparison.outputs[name]) for name in (TOGETHER, ALONE)}
        own_plan = plan_folds(labels, repeats=comparison.result["planned_repeats"], **planned).first(len(own[ALONE].outputs))
        point = _point(own, labels, weight, own_plan, rule, metrics, [budgets[0][-1]] * len(own_plan.held))
        last = rules.measure([point])
        check_same(last[0], comparison)
        measured += last
        taken = {"share": wanted[-1], "repeats": len(own_plan.held)}
    about = {
        "shares": wanted,
        "limited": list(limited) if limited is not None and not isinstance(limited, str) else [limited] if limited else None,
        "pattern": pattern,
        "folds": plan.n_folds,
        "repeats": n_whole,
        "planned_repeats": repeats,
        "comparison": taken,
        "seed": seed,
        "confidence": confidence,
        "margin": margin,
        "holds_for": holds_for(rule, plan),
    }
    content = {name: as_lists([own["tasks"][name] for own in measured]) for name in measured[0]["tasks"]}
    return LearningCurve(about | {"tasks": content, "mean": as_lists([own["mean"] for own in measured])})


def _point(
    arms: dict[str, Arm],
    labels: LabelTable,
    weight: Array,
    plan: FoldPlan,
    rule: SplitRule,
    metrics: dict[str, str],
    keeps: Sequence[Array],
) -> CurvePoint:
    together, alone = (held_out_losses(arms[name], labels, weight, plan, metrics) for name in (TOGETHER, ALONE))
    constant = constant_losses(labels, weight, plan, metrics, together)
    in_blocks = rule.in_time and rule.groups is None and rule.times is not None
    units = time_blocks(rule.times, plan)[0] if in_blocks else rule.groups  # type: ignore[arg-type]
    return CurvePoint(together, alone, constant, plan, units, _n_labels(labels, plan, keeps))


def _has_all_labels(labels: LabelTable, keeps: Sequence[Array]) -> bool:
    """Whether nothing is taken away; with the pattern "disjoint" something is even at the share 1."""
    return all(bool((keep | ~_observed(labels)).all()) for keep in keeps)


def _observed(labels: LabelTable) -> Array:
    """Where a label is, bool [n, n_tasks]."""
    return np.stack([~np.isnan(labels.target[:, part]).all(axis=1) for part in labels.slices.values()], axis=1)


def _train_all(
    fit: Callable[..., dict[str, Arm]],
    plan: FoldPlan,
    budgets: Sequence[Sequence[Array]],
    shares: Sequence[float],
    rules: dict[str, Any],
    seed: int,
    on_fold: Callable[[int, int], None] | None,
) -> list[dict[str, Arm]]:
    """Both arms at every share, with the outputs of the repeats in which all shares were finished."""
    arms = [{name: Arm(name) for name in (TOGETHER, ALONE)} for _ in shares]
    if not shares:
        return arms
    n_folds = len(plan.folds()) // len(budgets)
    n_all, n_before = n_folds * len(shares) * len(budgets), 0
    for r, keeps in enumerate(budgets):
        done: list[dict[str, Arm]] = []
        try:
            for k, keep in enumerate(keeps):
                # the seeds of `compare`: with all labels it is the same training, but for the draws of dropout
                settings = rules | {"seed": seed, "first_repeat": r, "on_fold": _counted(on_fold, n_before, n_all)}
                done.append(fit(keep, plan.part(slice(r, r + 1)), share=shares[k], settings=settings))
                n_before += n_folds
        except KeyboardInterrupt:
            if not r:
                raise
            break
        for own, found in zip(arms, done, strict=True):
            for name, arm in own.items():
                arm.outputs.append(found[name].outputs[0])
    return arms


def _seed(joint: Any, random_state: Any) -> Any:
    if random_state is not None:
        return random_state
    own = getattr(joint, "random_state", None)
    return int(own) if isinstance(own, int | np.integer) else 0


def _check_shares(shares: Sequence[float]) -> list[float]:
    try:
        wanted = [float(share) for share in shares]
    except (TypeError, ValueError) as error:
        raise OptionError(f"`shares` must be numbers in (0, 1]; got {shares!r}.") from error
    if not wanted or not all(0 < share <= 1 for share in wanted) or wanted != sorted(set(wanted)):
        raise OptionError(f"`shares` must be numbers in (0, 1], ascending, each once; got {shares!r}.")
    return wanted


def _budget(
    labels: LabelTable, limited: Sequence[str] | None, share: float, pattern: str, groups: Array | None, seed: int
) -> Array:
    """Which labels are kept, bool [n, n_tasks]."""
    targets, observed = [labels.target[:, part] for part in labels.slices.values()], _observed(labels)
    strata = [np.asarray(task.strata(target)) for task, target in zip(labels.tasks, targets, strict=True)]
    budget = LabelBudget(limited, share=share, pattern=pattern, random_state=seed % 2**32)
    return budget.keep_observed(observed, strata, [task.name for task in labels.tasks], groups=groups)


def _train(
    model: MultiTaskNetwork,
    table: CodedTable,
    labels: LabelTable,
    weight: Array,
    keep: Array,
    plan: FoldPlan,
    *,
    share: float,
    settings: dict[str, Any],
) -> dict[str, Arm]:
    """Train both arms of one repeat with what is kept of the labels."""
    columns = np.repeat(keep, [task.n_targets for task in labels.tasks], axis=1)
    fewer = replace(labels, target=np.where(columns, labels.target, np.nan))
    try:
        return train_arms(model, table, fewer, weight * columns, plan, separate=(ALONE,), candidates={}, **settings)
    except DataError as error:
        raise DataError(f"With {share:.3g} of the labels: {error} Leave out the smallest shares.") from error


def _n_labels(labels: LabelTable, plan: FoldPlan, keeps: Sequence[Array]) -> dict[str, float]:
    """Mean number of labelled rows that a fold learns from, per task."""
    counts = np.array([keeps[r][plan.train_rows(r, f)].sum(axis=0) for r, f in plan.folds()])
    return {task.name: float(count) for task, count in zip(labels.tasks, counts.mean(axis=0), strict=True)}


def _counted(on_fold: Callable[[int, int], None] | None, before: int, n: int) -> Callable[[int, int], None] | None:
    return None if on_fold is None else lambda done, _: on_fold(before + done, n)
