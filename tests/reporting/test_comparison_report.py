import json
import math

import pytest

from polytask.exceptions import DataError
from polytask.reporting import comparison_html, summary_sentence, write_comparison_report, write_report
from polytask.reporting._comparison_view import comparison_view
from polytask.reporting._terminal import remarks
from tests.reporting._page import Page
from tests.reporting._sample import NASTY, bare_comparison, comparison, many_tasks, nasty_comparison


def test_one_task_has_nothing_to_learn_together(tmp_path):
    result = comparison()
    result["tasks"] = {"final_grade": result["tasks"]["final_grade"]}
    gain = result["mean"]["gains"]["alone"]
    told = "two fits of the same network, from different random starts, differ by "
    assert summary_sentence(result).startswith(f"With one task there is nothing to learn together; {told}")
    assert summary_sentence(result).count("gain") == 0
    assert gain["gain"] is not None
    markdown = write_report(result, tmp_path / "r.md").read_text()
    for words in (Page(comparison_html(result)).words, markdown):
        assert "With one task there is nothing to learn together." in words
        assert told.capitalize() in words
        assert "Against the best separate model of any kind, the network is " in words
        assert "mean gain in skill over the tasks" not in words
        assert "Learning together helped" not in words
    assert all(forest["mean"] is None for forest in comparison_view(result)["forests"])
    assert not any(line.startswith("Delta-m") for line in remarks(result))
    assert any(line.startswith("Delta-m") for line in remarks(comparison()))


def test_the_answer_comes_first():
    words = Page(comparison_html(comparison())).words
    assert words.index("Learning together helped 2 of 6 tasks and harmed 1.") < words.index("The numbers")
    assert "Learned better by a model of its own: reason_for_school." in words
    assert "95 % interval [+0.4, +3.8]" in words


def test_when_nothing_is_decided_the_headline_says_so():
    result = comparison()
    for task in result["tasks"].values():
        task["gains"]["alone"]["verdict"] = "undecided"
    assert "helped none of 6 tasks and harmed none; all are undecided." in Page(comparison_html(result)).words


def test_a_name_that_is_a_script_is_shown_as_text():
    html = comparison_html(nasty_comparison())
    assert "<script" not in html
    assert NASTY in Page(html).words


def test_control_characters_and_direction_overrides_do_not_reach_the_page():
    html = comparison_html(nasty_comparison())
    assert not set(html) & {"\x1b", "\x00", "\u202e", "\ud800"}


def test_numbers_that_are_not_finite_read_as_undefined():
    result = comparison()
    result["tasks"]["passed"]["gains"]["alone"].update(gain=math.nan, low=-math.inf, high=math.inf)
    assert "passed: gain undefined" in comparison_html(result)


def test_a_real_json_round_trip_changes_nothing():
    assert comparison_html(json.loads(json.dumps(comparison()))) == comparison_html(comparison())


def test_without_the_best_separate_model_nothing_is_said_about_worth():
    page = Page(comparison_html(bare_comparison()))
    assert "Is it worth it?" not in page.words
    assert "Worth it?" not in page.words


def test_all_tasks_of_many_are_in_the_table():
    words = Page(comparison_html(many_tasks(40))).words
    assert all(f"assay_{i:02d}" in words for i in range(40))


def test_one_repeat_shows_the_interval_of_the_folds_and_says_so():
    result = bare_comparison()
    for numbers in (result["tasks"]["passed"]["gains"]["alone"], result["mean"]["gains"]["alone"]):
        numbers.update(low=None, high=None, se=None, nadeau_bengio={"low": -0.03, "high": 0.07, "p_value": 0.4})
    words = Page(comparison_html(result)).words
    assert "[−3.0, +7.0]" in words
    assert "by Nadeau and Bengio, the only one that a single repeat gives" in words


def test_why_a_gain_is_undefined_is_told():
    result = comparison()
    result["tasks"]["passed"]["gains"]["alone"] = {"gain": None, "verdict": "none", "reason": "one label is observed"}
    assert "passed: gain: one label is observed" in Page(comparison_html(result)).words


def test_a_reason_that_is_told_already_is_not_told_twice():
    result = comparison()
    result["tasks"]["passed"]["gains"]["alone"] = {"gain": None, "verdict": "none", "reason": "one label is observed"}
    result["tasks"]["passed"]["undefined"] = ["gain over alone: one label is observed"]
    assert Page(comparison_html(result)).words.count("one label is observed") == 1


def test_columns_and_kinds_are_explained_where_the_comparison_tells_them():
    result = comparison()
    result["data"]["columns"] = [{"name": "age", "kind": "numeric", "reason": "numbers"}, {"name": "id", "kind": "identifier"}]
    result["data"]["reasons"] = {"passed": "text with two different values"}
    words = Page(comparison_html(result)).words
    assert "What each input column was taken for, and why." in words
    assert "text with two different values" in words


def test_the_command_to_run_it_again_is_quoted():
    result = bare_comparison() | {"data": {"source": "my data.csv"}}
    assert (
        "polytask compare 'my data.csv' --target passed:binary --folds 2 --repeats 1 --seed 3"
        in Page(comparison_html(result)).words
    )


def test_a_newer_version_is_refused():
    with pytest.raises(DataError, match=r"version 1 .* got 2"):
        comparison_html(comparison() | {"version": 2})


def test_something_else_is_refused_by_name():
    with pytest.raises(DataError, match=r"'polytask\.comparison'; got 'list'"):
        comparison_html([])


def test_the_file_is_written_whole_into_a_new_folder(tmp_path):
    path = write_comparison_report(comparison(), tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(DataError):
        write_report({"format": "polytask.comparison", "version": 9, "tasks": {}}, path)
    assert path.read_text() == "old"
