"""Did learning the tasks together help? Joint and separate models on the same folds, with intervals and verdicts."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

import polytask
from polytask.data.splits import split_balance
from polytask.estimators import CodedTable, LabelTable, MultiTaskNetwork, default_candidates
from polytask.evaluation._arms import ALONE, BEST, TOGETHER, Arm, train_arms
from polytask.evaluation._diagnostics import Slices, diagnose_tasks
from polytask.evaluation._folds import FoldPlan, plan_folds, reserved_rows
from polytask.evaluation._gain_table import GainTable, LossArrays, gain_table
from polytask.evaluation._held_out_losses import auc_reason, constant_losses, held_out_losses
from polytask.evaluation._rule import SplitRule, holds_for, read_rule, windows
from polytask.evaluation._time_blocks import neighbour_correlation, time_blocks
from polytask.evaluation._verdict import too_few_labels
from polytask.exceptions import OptionError
from polytask.storage import fingerprint
from polytask.tasks import FittedTask

Array = np.ndarray[Any, np.dtype[Any]]

MEASURED_REPEATS = 5
NEARLY_PERFECT = 0.995

FORMAT, VERSION = "polytask.comparison", 1


@dataclass(frozen=True)
class Comparison:
    """The result of :func:`compare`.

    Attributes
    ----------
    result : dict
        Plain JSON, the content of ``polytask compare --json``.
    outputs : dict of arm to list of dict of task name to array
        Held-out outputs in natural scale, one entry per repeat.
    """

    result: dict[str, Any]
    outputs: dict[str, list[dict[str, Array]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return self.result

    def to_frame(self) -> Any:
        """One row per task: skills, gains, intervals and verdicts."""
        import pandas as pd

        rows = {}
        for name, task in self.result["tasks"].items():
            row = {f"skill_{arm}": entry["skill"] for arm, entry in task["arms"].items()}
            for arm, gain in task["gains"].items():
                row |= {f"{key}_over_{arm}": gain[key] for key in ("gain", "low", "high", "verdict")}
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index")


def compare(
    X: Any,
    y: Any,
    tasks: Sequence[Any] | None = None,
    *,
    joint: MultiTaskNetwork | None = None,
    separate: Sequence[str] = (ALONE, BEST),
    candidates: Mapping[str, Any] | None = None,
    folds: Any = 5,
    repeats: int = 5,
    groups: Any = None,
    times: Any = None,
    sample_weight: Any = None,
    reserved: Any = None,
    skill_metrics: Mapping[str, str] | None = None,
    confidence: float = 0.95,
    margin: float = 0.01,
    random_state: int | None = None,
    on_fold: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare a joint network with separate models on the same folds.

    Parameters
    ----------
    X, y : as in :meth:`MultiTaskNetwork.fit`
    tasks : sequence of Task or str, optional
        By default those of ``joint``, or all columns of ``y``.
    joint : MultiTaskNetwork, optional
        The network that learns the tasks together. Its *matched* single-task twins, the arm "alone", have the same settings,
        rows, preparation, plan of training and presentations of every label, and a fresh seed each.
    separate : sequence of {"alone", "best_separate"}
        "alone" is always there: verdicts are against the matched twins. ``best_separate`` adds, per task, the best model of any
        kind, chosen inside the training rows of each fold.
    candidates : dict of name to estimator, optional
        Kinds of separate models to choose from; see :class:`~polytask.estimators.BestPerTask`. "network" means the twins.
    folds : int or splitter, default=5
        A number means folds stratified over all tasks, drawn anew in every repeat; a splitter is as in :func:`plan_folds`.
    repeats : int, default=5
        With one repeat no verdict is given: nothing tells how repeats differ.
        One that follows time (:class:`~polytask.data.splits.TimeSplit`) makes verdicts hold for later rows, and neighbours in
        time count as one in the intervals; see :func:`~polytask.evaluation.time_blocks`. The clusters of a
        :class:`~polytask.data.splits.ClusterKFold` are groups.
    groups : array of shape (n,), optional
        No group is on both sides of a fold or of an inner split, and its rows count as one in the intervals.
    times : array-like of shape (n,) or TimeOrder, optional
        When rows happened, where ``folds`` do not say it: then the latest training rows stop networks and choose models.
    reserved : bool array of shape (n,), optional
        Rows kept for early stopping in every fold, instead of a share drawn from the training rows; by default the validation
        rows of a ``ColumnSplit`` that has test rows too.
    skill_metrics : dict of task name to {"roc_auc"}, optional
        Measure the skill of a binary task by its AUC instead of log loss.
    confidence, margin : float
        Of the intervals; the gain below which two arms are equivalent.
    random_state : int, optional
        By default that of ``joint`` where it is a whole number, else 0. Folds and all networks have their seeds from it.
    on_fold : callable, optional
        Called with folds done and folds in all.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    DataError, OptionError
        If the data or a setting cannot be used.
    KeyboardInterrupt
        If it is interrupted before the first repeat is whole; later, the repeats that are whole are given, and a note says so.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 3))
    >>> y = np.stack([X[:, 0], X[:, 0] + X[:, 1]], axis=1) + 0.1 * rng.normal(size=(80, 2))
    >>> found = compare(X, y, joint=MultiTaskNetwork(max_epochs=3), separate=["alone"], folds=2, repeats=2)
    >>> list(found.to_dict()["tasks"]["y0"]["gains"])
    ['alone']
    """
    started = time.monotonic()
    if random_state is None:
        own = getattr(joint, "random_state", None)
        random_state = int(own) if isinstance(own, int | np.integer) else 0
    check_options(joint, separate, confidence, margin, candidates, random_state)
    metrics = dict(skill_metrics or {})
    model: MultiTaskNetwork = clone(joint) if joint is not None else MultiTaskNetwork()
    if tasks is not None:
        model.set_params(tasks=tasks)
    arrays, labels = model._read_training_data(X, y)
    check_skill_metrics(metrics, labels.tasks)
    labels, weight = labels.weighed(sample_weight)
    reserved = reserved_rows(reserved, folds, len(weight))
    rule = read_rule(folds, X, len(weight), groups=groups, times=times)
    plan = plan_folds(labels, folds=rule.folds, repeats=repeats, groups=rule.groups, reserved=reserved, seed=random_state)
    arms = train_arms(
        model,
        CodedTable(arrays, model.codec_.cardinalities),
        labels,
        weight,
        plan,
        separate=tuple(separate),
        candidates=default_candidates() if candidates is None else candidates,
        groups=rule.groups,
        times=rule.times,
        reserved=reserved,
        seed=random_state,
        on_fold=on_fold,
    )
    n_planned, plan = len(plan.held), plan.first(len(arms[TOGETHER].outputs))
    losses = {name: held_out_losses(arm, labels, weight, plan, metrics) for name, arm in arms.items()}
    constant = constant_losses(labels, weight, plan, metrics, losses[TOGETHER])
    in_blocks = rule.in_time and rule.groups is None and rule.times is not None
    blocks = time_blocks(rule.times, plan) if in_blocks else None  # type: ignore[arg-type]
    units = rule.groups if blocks is None else blocks[0]
    gains = _gains(arms, losses, constant, labels, weight, plan, units=units, confidence=confidence, margin=margin)
    result = _tables(arms, losses, constant, gains, labels, weight, plan, metrics)
    diagnosed = diagnose_tasks(
        labels.tasks,
        arms[TOGETHER].outputs[0],
        {task.name: labels.target[:, labels.slices[task.name]] for task in labels.tasks},
        weights={task.name: weight[:, labels.slices[task.name]] for task in labels.tasks},
        kept=plan.held[0] >= 0,
        inputs=Slices.of_arrays(model.codec_, arrays),
        groups=rule.groups,
        confidence=confidence,
        rows="held-out",
    )
    for name, found in diagnosed.items():
        result["tasks"][name]["diagnostics"] = found
    about = {
        "format": FORMAT,
        "version": VERSION,
        "polytask": polytask.__version__,
        "n_rows": len(weight),
        "n_groups": None if rule.groups is None else len(np.unique(rule.groups)),
        "holds_for": holds_for(rule, plan),
        "folds": plan.n_folds,
        "repeats": len(plan.held),
        "planned_repeats": n_planned,
        "seed": int(random_state),
        "confidence": confidence,
        "margin": margin,
        "seconds": time.monotonic() - started,
    }
    extra = _context(model, labels, labels.observed(y), plan, arrays, folds, metrics, rule)
    if blocks is not None:
        extra["split"]["units"] = _units(plan, *blocks)
        extra["notes"] += _notes_of_blocks(extra["split"]["units"], gains[ALONE], plan, blocks[0])
    extra["notes"] += _cautions(result["tasks"], len(plan.held))
    if len(plan.held) < n_planned:
        extra["notes"].append(f"Interrupted: {len(plan.held)} of {n_planned} repeats were finished and are shown.")
    chosen = {name: arm.outputs for name, arm in arms.items()}
    return Comparison(about | result | extra | {"curves": {name: arm.curves for name, arm in arms.items() if arm.curves}}, chosen)


def check_options(
    joint: Any, separate: Sequence[str], confidence: float, margin: float, candidates: Any, random_state: Any
) -> None:
    if joint is not None and not isinstance(joint, MultiTaskNetwork):
        raise OptionError(
            f"`joint` must be a MultiTaskNetwork, which has single-task twins; got {joint!r}. Other models go into `candidates`."
        )
    if isinstance(separate, str) or not {ALONE} <= set(separate) <= {ALONE, BEST}:
        raise OptionError(f"`separate` must hold 'alone' and perhaps 'best_separate'; got {separate!r}.")
    if not 0 < confidence < 1:
        raise OptionError(f"`confidence` must be in (0, 1); got {confidence!r}.")
    if not margin >= 0:
        raise OptionError(f"`margin` must be >= 0; got {margin!r}.")
    if candidates is not None and not candidates:
        raise OptionError("`candidates` must name at least one estimator; got none.")
    if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer) or random_state < 0:
        raise OptionError(f"`random_state` must be a whole number >= 0; got {random_state!r}.")


def check_skill_metrics(skill_metrics: Mapping[str, str], tasks: Sequence[FittedTask]) -> None:
    kinds = {task.name: task for task in tasks}
    for name, metric in skill_metrics.items():
        if name not in kinds:
            raise OptionError(f"`skill_metrics` names {name!r}, which is no task; tasks are {list(kinds)}.")
        task = kinds[name]
        if metric != "roc_auc" or task.n_codes != 2 or len(task.labels) != 2:
            raise OptionError(
                f"The skill of task {name!r} of kind {task.kind} cannot be measured by {metric!r}; only binary by 'roc_auc'."
            )


def _gains(
    arms: dict[str, Arm],
    losses: dict[str, dict[str, Array]],
    constant: dict[str, Array],
    labels: LabelTable,
    weight: Array,
    plan: FoldPlan,
    *,
    units: Any,
    confidence: float,
    margin: float,
) -> dict[str, GainTable]:
    """Gains over every separate arm; rows of one unit count as one."""
    uneven, too_few = uneven_weights(labels, weight), few_labels(labels, weight, plan)
    return {
        arm: gain_table(
            {t: LossArrays(losses[TOGETHER][t], losses[arm][t], constant[t], uneven[t]) for t in constant},
            fold=plan.held,
            groups=units,
            resampled=plan.trained is None,
            confidence=confidence,
            margin=margin,
            too_few=too_few,
        )
        for arm in arms
        if arm != TOGETHER
    }


def few_labels(labels: LabelTable, weight: Array, plan: FoldPlan) -> dict[str, str]:
    """Tasks whose held-out labels are too few for a verdict, and why."""
    held, parts = (plan.held >= 0).any(axis=0), [labels.slices[task.name] for task in labels.tasks]
    own = ([values[held][:, part] for part in parts] for values in (labels.target, weight))
    return too_few_labels(labels.tasks, *own)


def uneven_weights(labels: LabelTable, weight: Array) -> dict[str, Array | None]:
    """Row weights [n] of every task; None where all are alike."""
    own = {task.name: weight[:, labels.slices[task.name]].max(axis=1) for task in labels.tasks}
    return {name: w if np.ptp(w[w > 0]) > 0 else None for name, w in own.items()}


def _tables(
    arms: dict[str, Arm],
    losses: dict[str, dict[str, Array]],
    constant: dict[str, Array],
    gains: dict[str, GainTable],
    labels: LabelTable,
    weight: Array,
    plan: FoldPlan,
    skill_metrics: Mapping[str, str],
) -> dict[str, Any]:
    """Skills, gains and verdicts of all arms."""
    uneven, separate = uneven_weights(labels, weight), list(gains)
    tasks: dict[str, Any] = {}
    for task in labels.tasks:
        entries: dict[str, Any] = {}
        undefined: list[str] = []
        for name, arm in arms.items():
            entry, reasons = _arm_entry(task, arm, losses[name][task.name], constant[task.name], labels, plan, uneven[task.name])
            entries[name] = entry
            undefined += [reason for reason in reasons if reason not in undefined]
        gain = {arm: _without_errors(gains[arm].tasks[task.name]) for arm in separate}
        for entry in gain.values():
            if task.name in skill_metrics and entry.get("gain") is None:
                entry["reason"] = auc_reason(losses[TOGETHER][task.name], labels, task, plan) or entry["reason"]
        undefined += [f"gain over {arm}: {g['reason']}" for arm, g in gain.items() if g.get("gain") is None and g.get("reason")]
        observed = ~np.isnan(labels.target[:, labels.slices[task.name]]).all(axis=1)
        tasks[task.name] = {
            "kind": task.kind,
            "metric": skill_metrics.get(task.name, task.skill_metric),
            "n_observed": int(observed.sum()),
            "n_missing": int((~observed).sum()),
            "constant": {"error": _average(constant[task.name], uneven[task.name])},
            "arms": entries,
            "gains": gain,
            "saturated": bool(gains[ALONE].tasks[task.name].get("saturated") or False),
            "undefined": undefined,
        }
    skills = {name: _mean_of([tasks[t]["arms"][name]["skill"] for t in tasks]) for name in arms}
    mean = {"skill": skills, "gains": {arm: gains[arm].mean for arm in separate}}
    costs = {name: {"label": arm.label, **arm.cost, "train_seconds": float(np.mean(arm.seconds))} for name, arm in arms.items()}
    return {"arms": costs, "tasks": tasks, "mean": mean}


def _arm_entry(
    task: FittedTask, arm: Arm, losses: Array, constant: Array, labels: LabelTable, plan: FoldPlan, weight: Array | None
) -> tuple[dict[str, Any], list[str]]:
    error, base = _average(losses, weight), _average(constant, weight)
    fold_skills = [
        [
            _skill(
                _average(losses[r][own == f], _part(weight, own == f)),
                _average(constant[r][own == f], _part(weight, own == f)),
            )
            for f in np.unique(own[own >= 0])
        ]
        for r, own in enumerate(plan.held)
    ]
    target = labels.target[:, labels.slices[task.name]]
    fitted = task.with_statistics(target, ~np.isnan(target) * (1.0 if weight is None else weight[:, None]))
    per_repeat: list[dict[str, float | None]] = []
    reasons: dict[str, str] = {}
    for r, outputs in enumerate(arm.outputs):
        held = plan.held[r] >= 0
        values, why = fitted.evaluate_with_reasons(outputs[task.name][held], target[held], sample_weight=_part(weight, held))
        per_repeat.append(values)
        reasons |= why
    metrics = {key: _mean_of([values[key] for values in per_repeat]) for key in per_repeat[0]}
    entry: dict[str, Any] = {"error": error, "skill": _skill(error, base), "fold_skills": fold_skills, "metrics": metrics}
    if arm.chosen:
        entry["chosen"] = arm.chosen[task.name]
    return entry, [f"{metric}: {why}" for metric, why in reasons.items()]


def _average(losses: Array, weight: Array | None) -> float | None:
    seen = ~np.isnan(losses)
    if weight is not None:
        weight = np.broadcast_to(weight, losses.shape)
        seen = seen & (weight > 0)
    if not seen.any():
        return None
    return float(np.average(losses[seen], weights=None if weight is None else weight[seen]))


def _part(weight: Array | None, rows: Array) -> Array | None:
    return None if weight is None else weight[rows]


def _skill(error: float | None, constant: float | None) -> float | None:
    return None if error is None or not constant else 1 - error / constant


def _mean_of(values: list[float | None]) -> float | None:
    seen = [value for value in values if value is not None]
    return float(np.mean(seen)) if seen else None


def _without_errors(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if not key.startswith("error_") and key != "saturated"}


def shown_settings(model: MultiTaskNetwork) -> str:
    """Settings that differ from the default ones, in one line; the tasks are told elsewhere."""
    default = MultiTaskNetwork().get_params(deep=False)
    changed = {key: value for key, value in model.get_params(deep=False).items() if key != "tasks" and value != default[key]}
    return f"{type(model).__name__}({', '.join(f'{key}={value!r}' for key, value in changed.items())})"


def shown_folds(folds: Any) -> str:
    """A number or a splitter, in one line."""
    return " ".join(repr(folds).split())


def _units(plan: FoldPlan, blocks: Array, length: int) -> dict[str, Any]:
    held = plan.held[0] >= 0
    return {"kind": "blocks of time", "n": len(np.unique(blocks[held])), "length": length}


def _notes_of_blocks(units: dict[str, Any], gains: GainTable, plan: FoldPlan, blocks: Array) -> list[str]:
    """What a reader should know of intervals in time."""
    n, length = units["n"], units["length"]
    size = f"{length} times each" if length > 1 else "one time each"
    notes = [f"Rows near in time may be wrong together, so they count as one in the intervals: {n} blocks of {size}."]
    held = plan.held[0] >= 0
    for name, gain in gains.gains.items():
        correlation = neighbour_correlation(gain.influence, blocks, held)
        if correlation is not None and correlation > 2 / np.sqrt(n):
            notes.append(
                f"Task {name!r}: blocks next to each other still gain or lose together (correlation {correlation:.2f}), so its "
                "interval may be too narrow. Give longer periods, such as months, as groups."
            )
    return notes


def _cautions(tasks: Mapping[str, Any], n_repeats: int) -> list[str]:
    """What a reader of the verdicts should know, in plain words."""
    notes = []
    if 1 < n_repeats < MEASURED_REPEATS:
        notes.append(
            f"How often verdicts are wrong was measured with {MEASURED_REPEATS} repeats; with {n_repeats} they rest on less."
        )
    for name, task in tasks.items():
        skills = [arm["skill"] for arm in task["arms"].values() if arm["skill"] is not None]
        if skills and max(skills) <= 0:
            notes.append(f"Task {name!r}: no arm is better than a constant, so a gain there says little.")
        if skills and max(skills) > NEARLY_PERFECT:
            notes.append(
                f"Task {name!r} is learned almost perfectly (skill {100 * max(skills):.2f}): look for inputs that give it away; "
                "Delta-m, a relative change, may be ruled by it."
            )
    return notes


def _context(
    model: MultiTaskNetwork,
    labels: LabelTable,
    frame: Any,
    plan: FoldPlan,
    arrays: Any,
    folds: Any,
    skill_metrics: Any,
    rule: SplitRule,
) -> dict[str, Any]:
    """How to run it again, the balance of the split, and what should be told."""
    import platform

    import sklearn
    import torch

    held = plan.held
    balance = split_balance(frame, held[0], tasks=labels.tasks, method=rule.method).to_dict()
    own_windows = windows(rule, plan)
    if own_windows is not None:
        balance["windows"] = own_windows
    notes = [
        f"Input column {c.name!r} is left out: {c.reason}." for c in model.codec_.columns if not c.used and c.kind != "ignored"
    ]
    if len(held) > 1 and (held == held[0]).all():
        notes.append("The folds are the same in every repeat: repeats differ by their random seeds only.")
    if rule.in_time:
        notes.append(f"The rows are split by time: the verdicts hold for {holds_for(rule, plan)}.")
    elif plan.n_folds == 1:
        notes.append("One split only: intervals are for models of this training set; another one could tell otherwise.")
    if (held < 0).any():
        notes.append(f"{int((held[0] < 0).sum())} of {held.shape[1]} rows are never held out, as the split says.")
    if plan.trained is not None and rule.times is None:
        notes.append(
            "The folds leave rows out of training. Rows for stopping and choosing are drawn from the training rows at random: "
            "if the folds follow time, give the times."
        )
    return {
        "split": balance,
        "settings": {"joint": shown_settings(model), "skill_metrics": dict(skill_metrics or {}), "folds": shown_folds(folds)},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "threads": torch.get_num_threads(),
        },
        "data": {
            "fingerprint": fingerprint(arrays.numeric, arrays.categorical, *arrays.words, labels.target),
            "columns": [{"name": c.name, "kind": c.kind, "reason": c.reason} for c in model.codec_.columns],
            "reasons": labels.reasons,
        },
        "notes": notes,
    }
