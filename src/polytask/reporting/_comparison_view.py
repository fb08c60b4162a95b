"""Read a comparison into what its page shows: one function per section, gaps and all."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._curve_cards import CARDS_IN_SIGHT, curve_cards
from polytask.reporting._diagnostic_view import OPEN_TASKS, diagnostic_views
from polytask.reporting._forest_plot import forest_axis, forest_scale, forest_strip
from polytask.reporting._importance_bars import importance_view
from polytask.reporting._label_curves import label_curve_figures, label_curve_notes
from polytask.reporting._numbers import finite, plural, points
from polytask.reporting._readings import ARM_LABELS, VERDICT_WORDS, Gain, has_arm, mean_gain, task_gain
from polytask.reporting._settings import compare_command, flat_rows, input_row
from polytask.reporting._side_by_side import side_by_side
from polytask.reporting._split_view import split_rows
from polytask.reporting._study_view import study_lines
from polytask.reporting._words import (
    is_single,
    mean_clause,
    reasons_sentence,
    summary_sentence,
    task_gains,
    undecided_sentence,
    verdict_clause,
    worth_clause,
)

_TESTS = (
    "gain",
    "se",
    "low",
    "high",
    "low_unadjusted",
    "high_unadjusted",
    "p_value",
    "p_adjusted",
    "detectable",
    "delta",
    "delta_m",
)


def comparison_view(result: Mapping[str, Any]) -> dict[str, Any]:
    """Read everything the comparison page shows."""
    arms = [arm for arm in ARM_LABELS if has_arm(result, arm)]
    return {
        "polytask": result.get("polytask") or "",
        "title": "Learned together or alone?",
        "summary": summary_sentence(result),
        "answer": answer(result),
        "facts": facts(result),
        "seconds": finite(result.get("seconds")),
        "confidence": finite(result.get("confidence")) or 0.95,
        "arms": arms,
        "arm_labels": ARM_LABELS,
        "forests": [forest(result, rival) for rival in ("alone", "best_separate") if task_gains(result, rival)],
        "beside": side_by_side(result, [arm for arm in ("together", "alone", "best_separate") if arm in arms]),
        "label_curves": label_curve_figures(result),
        "label_notes": label_curve_notes(result),
        "rows": [task_row(name, task) for name, task in result["tasks"].items()],
        "mean": {"skill": {arm: _mean_skill(result, arm) for arm in ARM_LABELS}, **{arm: mean_gain(result, arm) for arm in arms}},
        "mean_numbers": {arm: _tests((result.get("mean") or {}).get("gains"), arm) for arm in arms},
        "delta_m": {arm: _delta_m(result, arm) for arm in arms},
        "metrics": metric_tables(result, arms),
        "curves": curve_cards(result.get("curves") or {}, list(result["tasks"])),
        "curves_in_sight": CARDS_IN_SIGHT,
        "importance": importance_view(result),
        "diagnosed": diagnostic_views(result),
        "open_tasks": OPEN_TASKS,
        "split": split_rows(result.get("split") or {}),
        "costs": costs(result, arms),
        "undefined": undefined(result),
        "saturated": [name for name, task in result["tasks"].items() if task.get("saturated")],
        "notes": list(result.get("notes") or []),
        "command": compare_command(result),
        "study": study_lines(result),
        "settings": flat_rows(result.get("settings")),
        "versions": flat_rows({"polytask": result.get("polytask") or "unknown", **(result.get("versions") or {})}),
        **data(result.get("data") or {}),
    }


def answer(result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer in plain words, in the parts the head of the page sets apart."""
    gains = task_gains(result, "alone")
    mean = mean_gain(result, "alone")
    worth = worth_clause(result)
    tally_words = VERDICT_WORDS | {"none": "without a verdict"}
    tally = [(verdict, words, sum(gain.verdict == verdict for gain in gains)) for verdict, words in tally_words.items()]
    if is_single(result):
        told = {"verdict": verdict_clause(result), "single": f"{mean_clause(result, 'alone').capitalize()}.", "mean": None}
        told |= {"delta_m": None, "worth": f"{worth}; {mean_clause(result, 'best_separate')}." if worth else None}
        return told | {"undecided": reasons_sentence(result), "harmed": [], "tally": []}
    any_verdict = any(gain.verdict != "none" for gain in gains)
    return {
        "verdict": verdict_clause(result, brief=True),
        "single": None,
        "mean": mean,
        "delta_m": _delta_m(result, "alone"),
        "worth": f"{worth}; {mean_clause(result, 'best_separate')}." if worth else None,
        "undecided": undecided_sentence(result),
        "harmed": [gain.name for gain in gains if gain.verdict == "harmed"],
        "tally": [row for row in tally if row[2] or (row[0] in ("helped", "harmed") and any_verdict)],
    }


def facts(result: Mapping[str, Any]) -> list[str]:
    """The line under the answer: how much data, how it was tried."""
    told = [plural(len(result["tasks"]), "task")]
    if (rows := finite(result.get("n_rows"))) is not None:
        told.insert(0, plural(int(rows), "row"))
    if (groups := finite(result.get("n_groups"))) is not None:
        told.append(plural(int(groups), "group"))
    if result.get("folds") and result.get("repeats"):
        told.append(f"{plural(result['folds'], 'fold')} × {plural(result['repeats'], 'repeat')}")
    return told


def forest(result: Mapping[str, Any], rival: str) -> dict[str, Any]:
    """A forest plot: the drawn rows, the row of the mean, the axis."""
    margin = finite(result.get("margin"))
    gains, mean = task_gains(result, rival), mean_gain(result, rival)
    scale = forest_scale([*gains, *([mean] if mean else [])], margin=margin)

    def row(gain: Gain) -> dict[str, Any]:
        words = gain.verdict_text if rival == "alone" else gain.worth_text
        return {"gain": gain, "words": words, "strip": forest_strip(gain, scale, margin=margin, words=words)}

    return {
        "rival": rival,
        "is_single": is_single(result),
        "rows": [row(gain) for gain in sorted(gains, key=_by_gain)],
        "mean": row(mean) if mean and not is_single(result) else None,
        "axis": forest_axis(scale),
        "margin": points(margin) if margin else None,
        "has_dots": any(gain.fold_gains for gain in gains),
        "is_from_folds": any(gain.is_from_folds for gain in gains),
    }


def _by_gain(gain: Gain) -> float:
    return -gain.gain if gain.gain is not None else float("inf")


def task_row(name: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """One task in the table of all numbers."""
    arms = task.get("arms") or {}
    chosen = (arms.get("best_separate") or {}).get("chosen") or {}
    return {
        "name": name,
        "kind": task.get("kind", ""),
        "metric": task.get("metric", ""),
        "n_observed": task.get("n_observed"),
        "n_missing": task.get("n_missing"),
        "skill": {arm: (arms.get(arm) or {}).get("skill") for arm in ARM_LABELS},
        "alone": task_gain(name, task, "alone"),
        "best_separate": task_gain(name, task, "best_separate"),
        "numbers": {rival: _tests(task.get("gains"), rival) for rival in ("alone", "best_separate")},
        "chosen": ", ".join(f"{model} {times}×" for model, times in sorted(chosen.items(), key=lambda pair: -pair[1])),
        "saturated": bool(task.get("saturated")),
    }


def undefined(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What could not be computed and why: (task, reason), each said once."""
    told = [(name, reason) for name, task in result["tasks"].items() for reason in task.get("undefined") or []]
    gains = [gain for rival in ("alone", "best_separate") for gain in task_gains(result, rival) if gain.gain is None]
    told += [(g.name, f"gain: {g.reason}") for g in gains if g.reason and not any(g.name == n and g.reason in r for n, r in told)]
    return list(dict.fromkeys(told))


def data(about: Mapping[str, Any]) -> dict[str, Any]:
    """Where the rows came from, what each input column was taken for, and why each task has its kind."""
    columns = about.get("columns") or []
    described = [column for column in columns if isinstance(column, Mapping)]
    plain = {key: value for key, value in about.items() if key != "reasons" and not (key == "columns" and described)}
    return {
        "data": flat_rows(plain),
        "inputs": [input_row(column) for column in described],
        "reasons": flat_rows(about.get("reasons")),
    }


def metric_tables(result: Mapping[str, Any], arms: list[str]) -> list[dict[str, Any]]:
    """Per task the usual metrics of every arm."""
    tables = []
    for name, task in result["tasks"].items():
        values = {arm: ((task.get("arms") or {}).get(arm) or {}).get("metrics") or {} for arm in arms}
        names = list(dict.fromkeys(metric for arm in arms for metric in values[arm]))
        if names:
            rows = [(metric, [values[arm].get(metric) for arm in arms]) for metric in names]
            tables.append({"name": name, "kind": task.get("kind", ""), "rows": rows})
    return tables


def costs(result: Mapping[str, Any], arms: list[str]) -> list[dict[str, Any]]:
    """What each arm costs: its numbers, and how many times those of learning together."""
    known = {arm: (result.get("arms") or {}).get(arm) or {} for arm in arms}
    base = known.get("together", {})
    return [
        {
            "arm": ARM_LABELS[arm],
            "label": values.get("label", ""),
            "parameters": values.get("parameters"),
            "train_seconds": values.get("train_seconds"),
            "memory_mb": values.get("memory_mb"),
            "latency_ms": values.get("latency_ms"),
            "times": {
                key: _ratio(values.get(key), base.get(key)) for key in ("parameters", "train_seconds", "memory_mb", "latency_ms")
            } if arm != "together" else {},
        }
        for arm, values in known.items()
        if values
    ]  # fmt: skip


def _tests(gains: Mapping[str, Any] | None, rival: str) -> dict[str, Any]:
    """The numbers behind a verdict, None where one is missing."""
    numbers = (gains or {}).get(rival) or {}
    known = {key: numbers.get(key) for key in _TESTS}
    nadeau_bengio = numbers.get("nadeau_bengio") or {}
    return known | {"nadeau_bengio": {key: nadeau_bengio.get(key) for key in ("low", "high", "p_value")}}


def _ratio(value: Any, base: Any) -> float | None:
    above, below = finite(value), finite(base)
    return above / below if above is not None and below else None


def _mean_skill(result: Mapping[str, Any], arm: str) -> float | None:
    return finite(((result.get("mean") or {}).get("skill") or {}).get(arm))


def _delta_m(result: Mapping[str, Any], rival: str) -> float | None:
    numbers = ((result.get("mean") or {}).get("gains") or {}).get(rival) or {}
    return finite(numbers.get("delta_m"))
