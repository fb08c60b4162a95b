import io
import json

import pytest
from rich.console import Console

from polytask.exceptions import DataError
from polytask.reporting import fit_html, fit_sentence, fit_table, write_fit_report, write_report
from tests.reporting._page import Page
from tests.reporting._sample import comparison, fit_result, fit_with_test


def printed(result, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(fit_table(result))
    return out.getvalue()


def test_the_page_says_what_was_learned_and_that_the_skill_is_optimistic():
    words = Page(fit_html(fit_result())).words
    assert "Learned 3 of 4 tasks from 562 rows." in words
    assert words.count("ptimistic: these 100 rows chose the epoch") == 2


def test_every_task_tells_its_kind_why_and_its_missing_labels():
    words = Page(fit_html(fit_result())).words
    assert "text with two different values: no, yes" in words
    assert "read as missing: 'NA' 12×" in words
    assert "s_family, s_school, s_paid" in words


def test_a_task_left_out_is_told_with_its_reason():
    assert "unlucky was left out: it has no labels; predicted as empty." in Page(fit_html(fit_result())).words


def test_every_input_tells_whether_it_was_learned_from():
    row = "<td>identifier</td><td>no</td>"
    assert row in fit_html(fit_result()).replace(' class="text"', "")


def test_the_kept_epoch_is_told_per_task():
    assert Page(fit_html(fit_result())).words.count("at epoch 25") == 6  # once to read, once for those who do not see the curve


def test_the_command_is_quoted():
    assert "--target 'supports=s_*:multilabel' --out model/" in Page(fit_html(fit_result())).words


def test_a_real_json_round_trip_changes_nothing():
    assert fit_html(json.loads(json.dumps(fit_result()))) == fit_html(fit_result())


def test_the_terminal_table_fits_80_columns_and_names_what_was_left_out():
    text = printed(fit_result())
    assert max(map(len, text.splitlines())) <= 80
    assert "final_grade      regression     600       62   43.0" in text
    assert "Left out: 'unlucky': it has no labels; predicted as empty" in text


def test_the_sentence_says_optimistic():
    assert fit_sentence(fit_result()) == (
        "Learned 3 of 4 tasks from 562 rows; mean validation skill 31.3 points (optimistic: these 100 rows chose the epoch)."
    )


def test_test_rows_are_not_counted_as_learned_from_and_their_skill_leads():
    words = Page(fit_html(fit_with_test())).words
    assert "Learned 3 of 4 tasks from 562 rows." in words
    assert "200 to test" in words
    assert "31.3 points" not in words.partition("mean test skill")[0]
    assert words.index("31.2 points mean test skill") < words.index("31.3 points mean validation skill")
    section = words.partition("The honest numbers")[2].partition("Optimistic")[0]
    assert "final_grade" in section
    assert "38.1" in section
    assert "180" in section
    assert "rmse" in section
    assert "supports: roc_auc: only one class among the labels" in section


def test_rows_without_a_label_are_told_as_not_used():
    assert "38 rows without a label of positive weight not used" in Page(fit_html(fit_result() | {"n_rows": 700})).words
    assert "not used" not in Page(fit_html(fit_result() | {"inputs": []})).words.partition("Tasks")[0]


def test_columns_without_any_content_are_left_out_of_the_page():
    result = fit_result()
    for task in result["tasks"].values():
        task["validation"] = {"skill": 0.2}
    page = Page(fit_html(result)).words.partition("In points")[2]
    assert "Metrics" not in page
    assert "Labels" not in page


def test_the_terminal_shows_test_beside_validation_and_says_which_is_honest():
    text = printed(fit_with_test())
    assert max(map(len, text.splitlines())) <= 80
    assert "labels  missing  validation  test" in text
    assert "600       62        43.0  38.1" in text
    assert "mean over tasks" in text
    assert "31.3  31.2" in text
    assert "Test is the honest one" in text


def test_the_sentence_tells_the_test_skill_first():
    assert fit_sentence(fit_with_test()) == (
        "Learned 3 of 4 tasks from 562 rows; mean test skill 31.2 points (200 rows not learned from); "
        "mean validation skill 31.3 points (optimistic: these 100 rows chose the epoch)."
    )


def test_write_report_chooses_by_format(tmp_path):
    assert "What was learned" in write_report(fit_result(), tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "alone?" in write_report(comparison(), tmp_path / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("write", [write_report, write_fit_report])
def test_an_unknown_format_is_refused_by_name(write, tmp_path):
    with pytest.raises(DataError, match=r"got 'polytask\.scores'"):
        write({"format": "polytask.scores"}, tmp_path / "report.html")


def test_of_one_task_nothing_is_said_of_learning_together():
    result = fit_result()
    told = "Whether learning together helped"
    assert told in Page(fit_html(result)).words
    name = next(name for name, task in result["tasks"].items() if not task.get("left_out"))
    assert told not in Page(fit_html(result | {"tasks": {name: result["tasks"][name]}})).words
