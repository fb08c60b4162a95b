"""Read a fit into what its page shows."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from polytask.reporting._balancing_figures import balancing_view
from polytask.reporting._curve_cards import CARDS_IN_SIGHT, curve_cards
from polytask.reporting._deployed_view import deployed_words, is_distilled, student_clause, student_means, student_rows
from polytask.reporting._diagnostic_view import OPEN_TASKS, diagnostic_views
from polytask.reporting._importance_bars import importance_view
from polytask.reporting._numbers import UNDEFINED, finite, plural, points, significant
from polytask.reporting._readings import check_format
from polytask.reporting._settings import flat_rows, input_row, stored_command
from polytask.reporting._sharing_figures import sharing_view
from polytask.reporting._skill_bar import skill_bar, skill_scale
from polytask.reporting._sparsity_figures import sparsity_view
from polytask.reporting._study_view import study_lines
from polytask.reporting._together_view import mixture_words, together_words

_ENDED_BY = {
    "patience": "the mean validation skill no longer rose",
    "epochs": "all epochs were done",
    "steps": "the number of steps asked for was done",
    "time": "the time limit was reached",
    "interrupt": "it was interrupted",
    "candidates": "all models were tried",
    "gain": "further models no longer gained",
}
_CLASSES_IN_SIGHT = 12
_FEW_ROWS = 50
CROSS_FITTED = "of rows that neither the models nor their weights have seen"


def fit_sentence(result: Mapping[str, Any]) -> str:
    """Say in one sentence what was learned.

    Parameters
    ----------
    result : dict
        A fit (format ``polytask.fit``, version 1).

    Raises
    ------
    DataError
        If ``result`` is not such a fit.

    Examples
    --------
    >>> counts = {"n_rows": 662, "n_train": 562, "n_validation": 100}
    >>> fit_sentence({"format": "polytask.fit", "version": 1, **counts, "mean_skill": 0.31, "tasks": {"sold": {}}})
    'Learned 1 task from 562 rows; mean validation skill 31.0 points (optimistic: these 100 rows chose the epoch).'
    """
    check_format(result, "polytask.fit")
    mean = finite(result.get("mean_skill"))
    told = "undefined" if mean is None else f"{points(mean)} points ({how_scored(result)})"
    whose = " of the portfolio" if is_distilled(result) else ""
    clauses = [learned_clause(result), f"mean validation skill{whose} {told}"]
    if distilled := student_clause(result):
        clauses.insert(1, distilled)
    if test := result.get("test"):
        kept = "" if (n := finite(test.get("n_rows"))) is None else f" ({plural(int(n), 'row')} not learned from)"
        test_mean = mean_test_skill(result)
        clauses.insert(1, f"mean test skill {UNDEFINED if test_mean is None else f'{points(test_mean)} points{kept}'}")
    return f"{'; '.join(clauses)}."


def how_scored(result: Mapping[str, Any]) -> str:
    """What the validation skill is worth."""
    if not is_optimistic(result):
        return CROSS_FITTED
    count = finite(result.get("n_validation"))
    return f"optimistic: these {'' if count is None or count < 2 else f'{int(count):,} '}rows chose the epoch"


def is_optimistic(result: Mapping[str, Any]) -> bool:
    """Whether the rows that score the fit chose its epoch."""
    return result.get("validation") != "cross-fitted"


def learned_clause(result: Mapping[str, Any]) -> str:
    """Say how many tasks were learned from how many rows (those that chose the epoch are not among them); no full stop."""
    tasks = result["tasks"].values()
    learned = sum(not task.get("left_out") for task in tasks)
    rows = finite(result.get("n_rows" if result.get("n_train") is None else "n_train"))
    count = plural(learned, "task") if learned == len(tasks) else f"{learned} of {plural(len(tasks), 'task')}"
    return f"Learned {count}" + (f" from {plural(int(rows), 'row')}" if rows is not None else "")


def mean_test_skill(result: Mapping[str, Any]) -> float | None:
    """The mean skill on the test rows, over the tasks where it is defined."""
    tasks = (result.get("test") or {}).get("tasks") or {}
    skills = [skill for task in tasks.values() if (skill := finite(task.get("skill"))) is not None]
    return sum(skills) / len(skills) if skills else None


def fit_view(result: Mapping[str, Any]) -> dict[str, Any]:
    """Read everything the page of a fit shows."""
    inputs = list(result.get("inputs") or [])
    return {
        "title": "What was learned",
        "polytask": result.get("polytask") or "",
        "learned": learned_clause(result),
        "mean_skill": finite(result.get("mean_skill")),
        "mean_test_skill": mean_test_skill(result),
        "facts": facts(result),
        "seconds": finite(result.get("seconds")),
        "how_scored": how_scored(result),
        "is_optimistic": is_optimistic(result),
        "leaderboard": leaderboard_rows(result),
        "deployed": deployed_words(result),
        "is_refitted": (result.get("deployed") or {}).get("mode") == "refit",
        "is_distilled": is_distilled(result),
        "student_means": student_means(result),
        "student": student_rows(result),
        "together": together_words(result),
        "mixtures": list(mixture_words(result).items()),
        "left_out_models": list((result.get("left_out_models") or {}).items()),
        "tasks": [task_row(name, task) for name, task in result["tasks"].items()],
        "left_out": [(name, task["left_out"]) for name, task in result["tasks"].items() if task.get("left_out")],
        "scores": score_rows(result["tasks"]),
        "test": test_view(result),
        "undefined": [(name, reason) for name, task in result["tasks"].items() for reason in task.get("undefined") or []],
        "inputs": [input_row(column) for column in inputs],
        "input_kinds": Counter(column.get("kind", "") for column in inputs),
        "curves": curve_cards(
            {"together": result.get("curves") or {}}, list(result["tasks"]), kept=finite(result.get("best_epoch"))
        ),
        "curves_in_sight": CARDS_IN_SIGHT,
        "importance": importance_view(result),
        "sharing": sharing_view(result),
        "balancing": balancing_view(result),
        "sparsity": sparsity_view(result),
        "diagnosed": diagnostic_views(result),
        "open_tasks": OPEN_TASKS,
        "notes": list(result.get("notes") or []),
        "command": stored_command(result),
        "study": study_lines(result),
        "settings": flat_rows(result.get("settings")),
        "versions": flat_rows({"polytask": result.get("polytask") or "unknown", **(result.get("versions") or {})}),
        "data": flat_rows(result.get("data")),
    }


def facts(result: Mapping[str, Any]) -> list[str]:
    """The line under the answer: rows used for what, epochs, why it ended, the model's size."""
    told = []
    trained, validated = finite(result.get("n_train")), finite(result.get("n_validation"))
    if trained is not None and validated is not None and "n_folds" in result:
        folds = int(result["n_folds"])
        parts = [plural(int(trained), "row"), f"each held out once in {folds} folds"]
        if validated:  # later ones, or those of a split column
            parts = [f"{parts[0]} to learn{f' in {folds} folds' if folds > 1 else ''}", f"{int(validated):,} only held out"]
        told.append(", ".join(parts + _tested(result)))
    elif trained is not None and validated is not None:
        parts = [f"{plural(int(trained), 'row')} to learn", f"{int(validated):,} to choose the epoch"]
        told.append(", ".join(parts + _tested(result)))
    told += _not_used(result)
    if few := few_rows(result):
        told.append(few)
    epochs, best = finite(result.get("epochs")), finite(result.get("best_epoch"))
    if epochs is not None:
        told.append(plural(int(epochs), "epoch") + (f", number {best:g} kept" if best is not None else ""))
    if ended_by := result.get("ended_by"):
        told.append(f"ended because {_ENDED_BY.get(ended_by, ended_by)}")
    model = result.get("model") or {}
    if (members := finite(model.get("members"))) is not None:
        told.append(_what_predicts(result, int(members)))
    if (parameters := finite(model.get("parameters"))) is not None:
        told.append(f"{model.get('label', 'model')} with {significant(parameters)} parameters")
    return told


def _what_predicts(result: Mapping[str, Any], members: int) -> str:
    """The models of all folds, or what was made of them to be deployed."""
    if is_distilled(result):
        return f"one network, taught by a mixture of {plural(members, 'fitted model')}"
    deployed = result.get("deployed") or {}
    if deployed.get("mode") == "refit" and (n := finite(deployed.get("models"))) is not None:
        return f"mixture of {plural(int(n), 'model')}, each fitted once on all rows"
    return f"mixture of {plural(members, 'fitted model')}"


def few_rows(result: Mapping[str, Any]) -> str:
    """A caution where there are so few rows that numbers say little; "" else."""
    counts = [finite(result.get(key)) for key in ("n_train", "n_validation")]
    n_rows = sum(int(count) for count in counts if count is not None)
    return f"only {plural(n_rows, 'row')}, so that every skill here is mostly chance" if 0 < n_rows < _FEW_ROWS else ""


def _tested(result: Mapping[str, Any]) -> list[str]:
    kept = int(finite(result.get("n_test")) or 0)
    return [f"{kept:,} to test"] if kept else []


def _not_used(result: Mapping[str, Any]) -> list[str]:
    """Rows of the table that are in no part, and why; folders of 0.1 do not tell them apart."""
    counts = [finite(result.get(key)) or 0 for key in ("n_rows", "n_train", "n_validation", "n_test", "n_left_out")]
    left_out, unlabelled = int(counts[4]), int(counts[0] - sum(counts[1:])) if result.get("n_train") is not None else 0
    told = [f"{plural(left_out, 'row')} left out between training and validation (the gap, or groups on both sides)"]
    labels = f"{plural(unlabelled, 'row')} without a label of positive weight not used"
    return (told if left_out > 0 else []) + ([labels] if unlabelled > 0 else [])


def task_row(name: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """One task: what it is, why it was taken for that, its labels."""
    classes = [str(label) for label in task.get("classes") or []]
    more = f" and {len(classes) - _CLASSES_IN_SIGHT:,} more" if len(classes) > _CLASSES_IN_SIGHT else ""
    columns = list(task.get("columns") or [])
    missing_texts = task.get("missing_texts") or {}
    return {
        "name": name,
        "kind": task.get("kind", ""),
        "reason": task.get("reason") or "",
        "columns": columns if columns != [name] else [],
        "classes": ", ".join(classes[:_CLASSES_IN_SIGHT]) + more,
        "n_observed": finite(task.get("n_observed")),
        "n_missing": finite(task.get("n_missing")),
        "n_train": finite(task.get("n_train")),
        "missing_texts": ", ".join(f"'{text}' {count:,}×" for text, count in missing_texts.items()),
        "left_out": task.get("left_out"),
    }


def test_view(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the test rows of a split column say; None without them."""
    test = result.get("test")
    if not test:
        return None
    tasks = test.get("tasks") or {}
    undefined = [
        (name, f"{metric}: {why}") for name, task in tasks.items() for metric, why in (task.get("undefined") or {}).items()
    ]
    return {
        "n_rows": finite(test.get("n_rows")),
        "scores": score_rows({name: {"kind": task.get("kind", ""), "validation": task} for name, task in tasks.items()}),
        "undefined": undefined,
    }


def score_rows(tasks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per learned task its validation skill, drawn and written, and its metrics."""
    scored = {name: task["validation"] for name, task in tasks.items() if task.get("validation")}
    scale = skill_scale(scores.get("skill") for scores in scored.values())
    return [
        {
            "name": name,
            "kind": tasks[name].get("kind", ""),
            "bar": skill_bar(name, scores.get("skill"), scale),
            "skill": scores.get("skill"),
            "n_observed": finite(scores.get("n_observed")),
            "metrics": list((scores.get("metrics") or {}).items()),
        }
        for name, scores in scored.items()
    ]


def leaderboard_rows(result: Mapping[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Per task the models of a portfolio, best first; "(mean)", where there are several tasks, goes before all."""
    rows = list(result.get("leaderboard") or [])
    names = sorted(dict.fromkeys(str(row["task"]) for row in rows), key=lambda name: name != "(mean)")
    return [(name, [row for row in rows if row["task"] == name]) for name in names]
