"""How and where each task is wrong, as a page tells it."""

import copy

import numpy as np
import pandas as pd
import pytest

from polytask.evaluation import diagnose_tasks
from polytask.reporting import comparison_html, fit_html, write_report
from polytask.reporting._diagnostic_view import diagnostic_views
from polytask.reporting._words_of_classes import calibration_words
from polytask.reporting._words_of_numbers import scatter_words
from polytask.tasks import Binary, Multiclass
from tests.reporting._diagnosed import diagnosed_comparison, diagnosed_fit
from tests.reporting._page import Page
from tests.reporting._sample import NASTY, many_tasks


def figures():
    return {(view["name"], figure.key): figure for view in diagnostic_views(diagnosed_comparison()) for figure in view["figures"]}


def test_every_kind_shows_what_a_statistician_expects():
    keys = {}
    for name, key in figures():
        keys.setdefault(name, []).append(key)
    assert keys == {
        "final_grade": ["scatter", "residuals", "normal_quantiles"],
        "absences": ["scatter", "rootogram", "residuals"],
        "passed": ["confusion", "curves", "calibration"],
        "alcohol_weekend": ["confusion", "levels", "calibration"],
        "reason_for_school": ["confusion", "curves", "calibration"],
        "supports": ["tags", "tag_calibration"],
    }


def test_every_drawing_has_words_and_a_table_of_its_numbers():
    for figure in figures().values():
        assert figure.words
        assert all(sentence.endswith((".", ")")) for sentence in figure.words)
        assert figure.shown or (figure.drawings and figure.numbers and figure.numbers[0].rows)


def changed(change):
    result = diagnosed_comparison()
    change({name: task["diagnostics"]["parts"] for name, task in result["tasks"].items()})
    return Page(comparison_html(result)).words


@pytest.mark.parametrize(
    ("slope", "words"),
    [([0.5, 0.4, 0.6], "spread too far"), ([1.5, 1.4, 1.6], "too timid: where"), ([1.0, 0.9, 1.1], "about right: where")],
)
def test_words_of_the_scatter_follow_the_slope(slope, words):
    assert words in changed(lambda parts: parts["final_grade"]["scatter"].update(slope=slope))


@pytest.mark.parametrize(
    ("below", "words"),
    [
        ([0.8, 0.75, 0.85], "90 % of the truths should lie at or below them; 80 % [75, 85] do, so they are too low."),
        ([0.97, 0.95, 0.98], "97.0 % [95.0, 98.0] do, so they are too high."),
        ([0.89, 0.86, 0.92], "89 % [86, 92] do."),
    ],
)
def test_words_of_predicted_quantiles_are_of_their_coverage(below, words):
    given = {"statistic": "0.9 quantile", "level": 0.9, "below": below}
    told = changed(lambda parts: parts["final_grade"]["scatter"].update(given))
    assert words in told
    assert "The truth in bins of the prediction, its 0.9 quantile" in told


@pytest.mark.parametrize(
    ("statistic", "level", "words"),
    [("0.9 quantile", 0.9, "0.9 quantile"), ("median", 0.5, "median"), ("mean", None, "mean")],
)
def test_what_is_off_the_line_is_what_the_bins_hold(statistic, level, words):
    off = {"predicted": 3.0, "observed": 5.0, "low": 4.0, "high": 6.0, "n": 30}
    told = scatter_words({"statistic": statistic, "level": level, "bins": [off], "below": [0.5, 0.4, 0.6]})
    assert f"the {words} of the truth is off the line by more than chance." in told[-1]


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        ([0.5, 0.4, 0.6], "too extreme (slope 0.50 [0.40, 0.60], 1 is right): a stated 90 % means about 75 %"),
        ([2.0, 1.5, 2.5], "too timid (slope 2.0 [1.5, 2.5], 1 is right): a stated 90 % means about 99 %"),
        ([1.0, 0.8, 1.2], "neither too extreme nor too timid"),
    ],
)
def test_words_of_the_calibration_follow_the_slope(slope, words):
    given = {"slope": slope, "intercept": [0.0, -0.1, 0.1]}
    assert words in changed(lambda parts: parts["passed"]["calibration"].update(given))


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ([2.0, 1.5, 2.5], "vary more around the prediction than a Poisson"),
        ([0.5, 0.4, 0.6], "vary less around the prediction than a Poisson"),
        ([1.0, 0.9, 1.1], "about as a Poisson distribution does"),
    ],
)
def test_words_of_the_rootogram_follow_the_dispersion(span, words):
    assert words in changed(lambda parts: parts["absences"]["rootogram"].update(dispersion=span))


@pytest.mark.parametrize(
    ("trend", "words"),
    [([0.3, 0.2, 0.4], "Errors grow with"), ([-0.3, -0.4, -0.2], "Errors shrink with"), ([0.0, -0.1, 0.1], "does not depend on")],
)
def test_words_of_the_residuals_follow_the_trend(trend, words):
    assert words in changed(lambda parts: parts["final_grade"]["residuals"].update(trend=trend))


def test_the_page_says_which_rows_and_how_many_points():
    words = Page(comparison_html(diagnosed_comparison())).words
    assert "500 labelled held-out rows of the first repeat" in words
    assert "points are 300 of them at random, all numbers come from all" in words
    assert "rows of one group as belonging together (41 groups)" in words
    assert "validation rows (optimistic: they chose the epoch)" in Page(fit_html(diagnosed_fit())).words


def test_only_the_first_task_is_open_and_the_others_are_folded():
    tasks = [
        attributes
        for attributes in Page(comparison_html(diagnosed_comparison())).all("details")
        if attributes.get("class") == "task"
    ]
    assert ["open" in attributes for attributes in tasks] == [True] + [False] * 5


def test_a_confusion_matrix_is_a_table_that_a_screen_reader_reads():
    html = comparison_html(diagnosed_comparison())
    table = html[html.index('<table class="heat">') :].partition("</table>")[0]
    assert "<caption>" in table
    assert '<th scope="col"' in table
    assert '<th scope="row">' in table
    assert 'class="hit' in table


def test_a_nasty_column_that_fails_is_named_and_harmless():
    result = diagnosed_comparison()
    part = result["tasks"]["passed"]["diagnostics"]["by_column"]
    entry = {"column": NASTY, "part": NASTY, "n": 40, "skill": -0.2, "excess": 0.5, "low": 0.1, "high": 0.9, "bias": 0.3}
    entry |= {"error": 1.0, "elsewhere": 0.5, "p_adjusted": 0.01}
    part |= {"worst": [entry], "n_worse": 1}
    html = comparison_html(result)
    assert "<script" not in html
    assert "error larger than elsewhere by 50.0 % of a constant's error [10.0, 90.0]" in Page(html).words


def test_nothing_found_says_what_could_have_been_seen():
    result = diagnosed_comparison()
    part = result["tasks"]["passed"]["diagnostics"]["by_column"]
    part |= {"worst": [], "n_worse": 0, "visible": 0.123, "n_looked_at": 9, "n_columns_judged": 3}
    words = Page(comparison_html(result)).words
    assert "Looked at 9 parts of 3 columns: in none is the error larger than chance allows." in words
    assert "larger by about 12.3 % of a constant's error to be seen (100 % is the mean error of a constant over all" in words


def harder_for_a_constant_too():
    """A part of which the error is larger by more than a constant's overall, and skill too."""
    result = diagnosed_comparison()
    diagnosed = result["tasks"]["final_grade"]["diagnostics"]
    entry = {"column": "days", "part": "above 20", "n": 40, "skill": 0.489, "excess": 1.017, "low": 0.8, "high": 1.2, "bias": 0.0}
    entry |= {"error": 1.0, "elsewhere": 0.5, "p_adjusted": 0.01}
    diagnosed["by_column"] |= {"worst": [entry], "n_worse": 1, "n_looked_at": 9, "n_columns_judged": 3, "skill": 0.461}
    diagnosed["by_column"]["columns"] = [{"name": "days", "parts": [entry]}]
    return result


def test_the_error_of_a_part_is_not_called_skill():
    html = comparison_html(harder_for_a_constant_too())
    words = Page(html).words
    assert "days: above 20 (40 rows), error larger than elsewhere by 101.7 % of a constant's error [80.0, 120.0]." in words
    assert "harder for a constant too: skill, against a constant's error on the same rows, is 48.9 there and 46.1 over" in words
    assert "Less (+) or more (−) error than elsewhere, % of a constant's error" in words
    assert "above 20: 101.7 % of a constant&#39;s error more than elsewhere" in html
    assert "points of skill worse" not in words
    assert html.count("points of skill</span>") == html.count('class="forest"')  # of gains only, not of parts


def test_the_line_of_a_task_agrees_with_its_groups():
    result = diagnosed_comparison()
    diagnosed = result["tasks"]["passed"]["diagnostics"]
    unsure = {"part": "small", "n": 30, "skill": 0.1, "excess": 0.9, "low": -0.1, "high": 1.9, "bias": 0.0}
    sure = unsure | {"part": "school 5", "excess": 0.5, "low": 0.2, "high": 0.8}
    diagnosed["by_column"] |= {"worst": [], "n_worse": 0, "n_looked_at": 9}
    diagnosed["by_group"] |= {"n_looked_at": 21, "n_groups": 30, "n_worse": 3, "groups": [unsure, sure]}
    fails = {view["name"]: view["fails"] for view in diagnostic_views(result)}["passed"]
    assert fails == "3 of 21 groups, most in 'school 5', error larger than elsewhere by 50.0 % of a constant's error [20.0, 80.0]"
    words = Page(comparison_html(result)).words
    assert "21 of 30 groups are large enough to be judged; in 3 the error is larger" in words
    assert "Largest of them: 'school 5' (30 rows)" in words


def test_a_result_of_before_has_no_such_section():
    result = diagnosed_comparison()
    for task in result["tasks"].values():
        del task["diagnostics"]
    assert 'id="wrong"' not in comparison_html(result)


def test_a_hundred_tasks_still_make_a_page_that_opens():
    result, found = many_tasks(100), diagnosed_comparison()["tasks"]
    for task in result["tasks"].values():
        task["diagnostics"] = copy.deepcopy(found["passed"]["diagnostics"])
    html = comparison_html(result)
    assert len(html) < 6_000_000
    assert html.count('<details class="task">') == 99


def test_rows_of_any_diagnosis_are_named(rng):
    y = pd.DataFrame({"passed": rng.integers(0, 2, 90).astype(float)})
    task, p = Binary("passed").fit(y), rng.random(90)
    outputs, inputs = {"passed": np.stack([1 - p, p], axis=1)}, pd.DataFrame({"x": rng.normal(size=90)})
    found = diagnose_tasks([task], outputs, {"passed": task.encode(y)}, inputs=inputs, rows="test")
    result = {"format": "polytask.fit", "version": 1, "tasks": {"passed": {"kind": "binary", "diagnostics": found["passed"]}}}
    assert "90 labelled test rows, neither learned from nor used to choose anything" in Page(fit_html(result)).words


@pytest.fixture
def rare():
    """40 rows of one group, 4 of them 'yes', none predicted so."""
    y = pd.DataFrame({"passed": np.repeat(["yes", "no"], [4, 36])})
    task, p = Binary("passed").fit(y), np.linspace(0.1, 0.3, 40)
    outputs = {"passed": np.stack([1 - p, p], axis=1)}

    def words(groups):
        found = diagnose_tasks([task], outputs, {"passed": task.encode(y)}, inputs=pd.DataFrame({"x": p}), groups=groups)
        tasks = {"passed": {"kind": "binary", "diagnostics": found["passed"]}}
        return Page(fit_html({"format": "polytask.fit", "version": 1, "tasks": tasks})).words

    return words


def test_a_single_group_is_told_plainly_and_has_no_intervals(rare):
    words = rare(np.zeros(40))
    assert "all of one group, so there are no intervals" in words
    assert "right in 90.0 % of the rows; always saying 'no' would be right in 90.0 %." in words
    assert "Of 4 rows of 'yes', 0 % are found; no row is called 'yes'." in words
    assert "All these rows are of one group; there is no other to compare it with." in words
    assert "which agrees" not in words
    assert "No group holds" not in words


def test_a_few_groups_are_told_to_be_few(rare):
    words = rare(np.repeat([0, 1], 20))
    assert "2 groups: so few that they are wide and rough" in words
    assert "These rows are of 2 groups only" in words


def diagnosed_fit_of(task, y, p):
    found = diagnose_tasks([task], {task.name: p}, {task.name: task.encode(y)})
    tasks = {task.name: {"kind": task.kind, "diagnostics": found[task.name]}}
    return {"format": "polytask.fit", "version": 1, "tasks": tasks}


def test_class_weights_are_told_in_every_format(rng, tmp_path):
    p = rng.uniform(0.3, 0.9, 2000)
    y = pd.DataFrame({"high": rng.random(2000) < p})
    asked = p / (p + (1 - p) * 1.5)  # about what balanced weights make of it
    result = diagnosed_fit_of(Binary("high", class_weight="balanced").fit(y), y, np.stack([1 - asked, asked], axis=1))
    weighed = (
        "Rows count by the class weights of this task here, as its probabilities do (in the rows as they are, 'True' is true"
    )
    for words in (Page(fit_html(result)).words, write_report(result, tmp_path / "r.md").read_text().replace("\\", "")):
        assert weighed in words
        assert ", which agrees: it is true in 50 %" in words
        assert "class weights count in calibration" in words
        assert ", but class weights, as asked, decide which class that is." in words


@pytest.mark.parametrize("n_true", [2, 38])
def test_calibration_of_few_positives_or_negatives_concludes_nothing(n_true, rng):
    y = pd.DataFrame({"passed": np.repeat(["yes", "no"], [n_true, 40 - n_true])})
    p = rng.uniform(0.05, 0.95, 40)
    words = Page(fit_html(diagnosed_fit_of(Binary("passed").fit(y), y, np.stack([1 - p, p], axis=1)))).words
    assert (
        f"Only in 2 of 40 labels 'yes' is {'' if n_true == 2 else 'not '}true: with fewer than 10, nothing is concluded" in words
    )
    assert "too extreme" not in words
    assert "too timid" not in words
    assert "which is too" not in words
    assert "off by more than chance" not in words


def test_calibration_of_few_rare_labels_of_many_classes_concludes_nothing(rng):
    y = pd.DataFrame({"colour": np.repeat(["red", "green", "blue"], [495, 3, 2])})
    p = rng.dirichlet(np.ones(3), 500)
    words = Page(fit_html(diagnosed_fit_of(Multiclass("colour").fit(y), y, p))).words
    assert "Only 5 of 500 labels are not the most common one: with fewer than 10, nothing is concluded of" in words


def test_an_interval_over_most_of_the_scale_is_said_to_tell_nothing():
    bins = [{"predicted": 0.5, "observed": 0.4, "low": 0.02, "high": 0.95, "n": 30}] * 3
    words = calibration_words({"bins": bins, "predicted": 0.9, "observed": [0.85, 0.15, 0.99]}, what="'yes'")
    assert words == [
        "On average 'yes' is given 90.0 %: it is true in 85 % (with so few, anything from 15 to 99 % may be true).",
        "The bins hold too few rows or groups to judge: their intervals span most of the scale.",
    ]
