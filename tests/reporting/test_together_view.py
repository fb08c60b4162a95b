"""What a portfolio says of learning together, in every format of its report."""

import io

import pytest
from rich.console import Console

from polytask.reporting import leaderboard_table, render
from polytask.reporting._together_view import mixture_words, together_words
from tests.reporting._page import Page
from tests.reporting._sample import fit_result
from tests.reporting.test_fit_report import printed

MODELS = {"ensemble": None, "linear": False, "forest of all tasks": True}
SKILLS = {"final_grade": (0.45, 0.40, 0.30), "passed": (0.31, 0.25, 0.2), "supports": (0.10, 0.08, 0.09)}


def row(task, model, skill, weight):
    return {"task": task, "model": model, "skill": skill, "weight": weight, "together": MODELS[model], "seconds": 1.0}


def portfolio(**changes):
    rows = []
    for task, skills in {**SKILLS, "(mean)": (0.29, 0.24, 0.20)}.items():
        share = 0.25 if task == "final_grade" else 0.5
        weights = (1.0, 1 - share, share)
        rows += [row(task, model, skill, weight) for model, skill, weight in zip(MODELS, skills, weights, strict=True)]
    own = {
        "leaderboard": rows,
        "joint_weight": {"final_grade": 0.25, "passed": 0.5, "supports": 0.5},
        "apart": {"final_grade": 0.41, "passed": 0.32, "supports": 0.10},
        "left_out_models": {"random forest": "no time was left"},
        "validation": "cross-fitted",
        "n_folds": 8,
        "model": {"members": 16},
    }
    return fit_result() | own | changes


def words_of(result, format):
    if format == "html":
        return Page(render(result, format=format).decode()).words
    if format == "md":
        return render(result, format=format).decode()
    out = io.StringIO()
    Console(file=out, width=90, color_system=None).print(leaderboard_table(result))
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize("format", ["html", "md", "terminal"])
def test_it_is_told_with_and_without_what_learned_together(format):
    told = words_of(portfolio(), format).replace("\\", "").replace("\u200b", "")
    assert "Did learning together help?" in told
    assert "have 42 % of the weight" in told
    assert "28.7 points of skill, without them 27.7" in told
    assert "passed" in told
    assert "linear 75 %, forest of all tasks 25 %" in told


def test_a_pdf_has_the_leaderboard(monkeypatch):
    shown = []
    monkeypatch.setattr("polytask.reporting._pdf_pages.Pages.table", lambda self, table, **settings: shown.append(table))
    render(portfolio(), format="pdf")
    assert [table.rows[0][:3] for table in shown if table.header[0] == "Model"] == [["ensemble", "", "29.0"]]


def test_gains_are_told_from_the_best_task_to_the_worst():
    assert "+1.0 (final_grade +4.0, supports 0.0, passed -1.0)" in together_words(portfolio())


def test_few_rows_are_said_to_be_few():
    assert "one split without intervals; polytask" in together_words(portfolio())
    assert "one split without intervals and few rows (12); polytask" in together_words(portfolio(n_train=12))


def test_a_table_of_few_rows_is_cautioned_about():
    few = {"n_train": 9, "n_validation": 3}
    assert "Only 12 rows, so that every skill here is mostly chance." in printed(portfolio(**few))
    assert "only 12 rows, so that every skill here is mostly chance" in words_of(portfolio(**few), "md")
    assert "mostly chance" not in words_of(portfolio(), "md")


def test_without_such_models_nothing_is_claimed():
    rows = [own for own in portfolio()["leaderboard"] if not own["together"]]
    assert together_words(portfolio(leaderboard=rows)).startswith("No model here learned the tasks together")


def test_what_was_not_measured_is_said_to_be_so():
    assert "What they add was not measured" in together_words(portfolio(apart={}))
    assert "What they add was not measured" in together_words(portfolio(apart=dict.fromkeys(SKILLS)))


def test_one_task_and_one_network_have_nothing_to_tell():
    rows = [own for own in portfolio()["leaderboard"] if own["task"] == "passed"]
    assert together_words({"leaderboard": rows}) == ""
    assert together_words(fit_result()) == ""
    assert mixture_words(fit_result()) == {}


def test_of_many_tasks_the_ends_are_told():
    names = [f"t{k}" for k in range(9)]
    rows = [
        own for k, name in enumerate(names) for own in (row(name, "ensemble", k / 10, 1), row(name, "forest of all tasks", 0, 1))
    ]
    told = together_words({"leaderboard": rows, "apart": dict.fromkeys(names, 0.4)})
    assert "(t8 +40.0, t7 +30.0, t6 +20.0, ..., t2 -20.0, t1 -30.0, t0 -40.0)" in told
