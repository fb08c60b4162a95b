"""Skill over the number of labels, together and alone; and all arms side by side."""

import pytest

from polytask.reporting import comparison_html, comparison_markdown, comparison_pdf, label_curve_lines
from polytask.reporting._label_curves import _ONE_TASK, label_curve_figures, label_curve_notes, label_curve_words
from polytask.reporting._pdf_pages import Pages
from polytask.reporting._side_by_side import side_by_side
from tests.reporting._diagnosed import diagnosed_comparison, label_curve
from tests.reporting._page import Page
from tests.reporting._sample import NASTY, comparison


def entry(together, alone, verdicts=None, reasons=None, half=0.02):
    gain = [a - b for a, b in zip(together, alone, strict=True)]
    ends = {"gain": gain, "low": [g - half for g in gain], "high": [g + half for g in gain]}
    if verdicts is not None:
        ends |= {"verdict": verdicts, "reason": reasons or [None] * len(verdicts)}
    arm = {"skill": alone, "low": [s - half for s in alone], "high": [s + half for s in alone]}
    return {"together": {"skill": together}, "alone": arm, "gain": ends}


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["helped", "helped"], "Sharing pays at every number of labels tried."),
        (["helped", "undecided"], "Sharing pays with 50 labels."),
        (["undecided", "harmed"], "Sharing harms with 500 labels."),
        (["equivalent", "undecided"], "Both are as good with 50 labels."),
        (["undecided", "undecided"], "Nowhere is the difference more than chance allows."),
    ],
)
def test_sharing_pays_only_where_the_verdict_says_so(verdicts, words):
    """Whatever the intervals: all of these are far above 0."""
    told = label_curve_words(entry([0.3, 0.4], [0.2, 0.3], verdicts), [50, 500], "labels")
    assert words in told
    assert sum("pays" in sentence for sentence in told) == ("helped" in verdicts)


@pytest.mark.parametrize("verdicts", [None, ["none", "none"], [None, None]])
def test_without_verdicts_nothing_is_claimed(verdicts):
    """One repeat, and files of before, whose intervals are not adjusted."""
    told = label_curve_words(entry([0.3, 0.4], [0.1, 0.2], verdicts), [50, 500], "labels")
    assert told[-1] == "Without a verdict this may be chance."
    assert not any("pays" in sentence or "reaches" in sentence for sentence in told)


def test_a_reason_is_told_where_it_holds():
    few, poor = "only 2 positives among the held-out rows", "learned together it is no better than a constant"
    told = label_curve_words(entry([0.3, 0.4], [0.1, 0.2], ["undecided"] * 2, [few] * 2), [50, 500], "labels")
    assert told[1:] == [f"Undecided whatever the intervals say: {few}."]
    own = entry([-0.3, 0.2, 0.4], [-0.6, 0.2, 0.3], ["undecided", "undecided", "helped"], [poor, None, None])
    assert label_curve_words(own, [50, 100, 500], "labels")[1:3] == [
        "Sharing pays with 500 labels.",
        f"Undecided with 50 labels: {poor}.",
    ]
    own["gain"]["verdict"][2] = "undecided"
    assert label_curve_words(own, [50, 100, 500], "labels")[-1] == "Elsewhere the difference is not more than chance allows."


AHEAD = "learning together is 30.0 points of skill ahead"


@pytest.mark.parametrize(
    ("together", "alone", "words"),
    [
        ([0.2, 0.3], [0.2, 0.4], "both are level; with 500 labels, learning together is 10.0 points of skill behind."),
        ([0.5, 0.3], [0.2, 0.4], f"{AHEAD}; with 500 labels, it is 10.0 points of skill behind."),
        ([-0.2, 0.4], [-0.5, 0.4], f"{AHEAD}, and neither is better than a constant; with 500 labels, both are level."),
    ],
)
def test_both_ends_are_told_with_their_subject(together, alone, words):
    assert label_curve_words(entry(together, alone), [50, 500], "labels")[0] == f"With 50 labels, {words}"


HELPED = ["helped", "helped", "undecided"]


def test_what_sharing_saves_is_told_in_labels():
    told = label_curve_words(entry([0.2, 0.4, 0.5], [0.1, 0.2, 0.4], HELPED), [10, 100, 1000], "labels")
    assert told[-1] == "Together reaches with about 100 labels what alone reaches with 1,000 labels."


@pytest.mark.parametrize("end", [-0.4, 0.01, None])
def test_nothing_is_saved_where_alone_learns_nothing_for_sure(end):
    own = entry([0.2, 0.4, 0.5], [-0.5, -0.5, end or 0.4], HELPED)
    if end is None:
        own["alone"]["low"] = [None] * 3
    told = label_curve_words(own, [10, 100, 1000], "labels")
    assert "Sharing pays with 10 and 100 labels." in told
    assert not any("reaches" in sentence for sentence in told)


def test_gaps_are_left_out():
    own = entry([0.2, 0.3], [0.1, 0.2])
    own["together"]["skill"][0] = None
    assert label_curve_words(own, [50, 500], "labels")[0].startswith("With 500 labels, learning together is 10.0 points")
    nothing = {"together": {"skill": [None]}, "alone": {"skill": [None]}}
    assert label_curve_words(nothing, [50], "labels") == ["Undefined at every number of labels."]


def test_the_mean_comes_first_and_has_shares_for_labels():
    titles = [figure.title for figure in label_curve_figures({"learning_curve": label_curve()})]
    assert titles == ["Mean over tasks", "final_grade", NASTY]
    assert label_curve_figures({}) == []
    assert label_curve_figures({"learning_curve": {"shares": [], "tasks": {}, "mean": None}}) == []


def test_of_one_task_nothing_is_claimed():
    curve = label_curve()
    curve["tasks"].pop(NASTY)
    (figure,) = label_curve_figures({"learning_curve": curve})
    assert (figure.title, figure.words) == ("final_grade", [_ONE_TASK])
    assert "pays" not in str(figure.drawings)


def test_a_task_that_keeps_its_labels_is_drawn_over_shares_though_folds_differ_a_little():
    curve = label_curve()
    curve["tasks"]["final_grade"]["n_labels"] = [528.0, 528.1, 528.2]
    assert label_curve_figures({"learning_curve": curve})[1].numbers[0].rows[0][0] == "10 % of the labels"


CAVEAT = "Intervals of skills are 95 % of each mark by itself"
OF_THE_COMPARISON = "The point with all labels is the comparison itself"


def test_the_caveat_is_in_every_format(monkeypatch):
    result, paragraphs = diagnosed_comparison(), []
    monkeypatch.setattr(Pages, "paragraph", lambda self, sentence, **_: paragraphs.append(sentence))
    comparison_pdf(result)
    told = [" ".join(label_curve_lines(result)), comparison_markdown(result), Page(comparison_html(result)).words]
    for text in (*told, " ".join(paragraphs)):
        assert CAVEAT in text
        assert OF_THE_COMPARISON in text
        assert "The other points rest on 3 repeats; how often verdicts are wrong was measured with 5." in text
    assert all("Sharing pays with 53 and 132 labels." in text for text in told)


def test_a_curve_that_was_trained_anew_says_so_and_one_of_before_has_no_verdicts():
    curve = label_curve() | {"comparison": None, "repeats": 5}
    told = " ".join(label_curve_notes({"learning_curve": curve}))
    assert "The last point was trained anew" in told
    assert OF_THE_COMPARISON not in told
    assert "repeats" not in told
    for own in (curve["mean"], *curve["tasks"].values()):
        own["gain"].pop("verdict", None)
    assert "no verdicts were taken from them" in " ".join(label_curve_notes({"learning_curve": curve}))
    assert "trained anew" not in " ".join(label_curve_notes({"learning_curve": curve | {"shares": [0.1, 0.5]}}))
    assert label_curve_notes({}) == label_curve_lines({}) == []


def test_many_tasks_are_not_all_in_the_terminal():
    curve = label_curve()
    curve["tasks"] = {f"t{k}": curve["tasks"]["final_grade"] for k in range(12)}
    assert label_curve_lines({"learning_curve": curve})[9] == "4 more tasks in the report and the JSON."


def test_the_page_shows_them_with_tables():
    page = Page(comparison_html(diagnosed_comparison()))
    assert "How many labels does it take?" in page.words
    assert "Sharing pays with 53 and 132 labels." in page.words
    assert "20.0 [17.0, 23.0]" in page.words
    assert 'id="labels"' not in comparison_html(comparison())


def test_side_by_side_orders_tasks_and_counts_the_best():
    beside = side_by_side(comparison(), ["together", "alone", "best_separate"])
    skills = [row["skill"]["together"] for row in beside["rows"]]
    assert skills == sorted(skills, reverse=True)
    assert "of 6 tasks. Only the intervals above tell" in beside["words"][0]
    assert all("learned together" in str(row["strip"]) for row in beside["rows"])


def test_a_skill_below_the_axis_is_an_arrow_with_words():
    result = comparison()
    result["tasks"]["final_grade"]["arms"]["alone"]["skill"] = -0.9
    beside = side_by_side(result, ["together", "alone"])
    assert beside["beyond"] == ["An arrow at the left edge stands for a skill below the axis: final_grade -90.0 (learned alone)."]
    arrows = {row["name"]: str(row["strip"]).count("beyond") for row in beside["rows"]}
    assert arrows == dict.fromkeys(arrows, 0) | {"final_grade": 1}
    assert "final_grade \N{MINUS SIGN}90.0 (learned alone)." in Page(comparison_html(result)).words
    assert side_by_side(comparison(), ["together", "alone"])["beyond"] == []


def test_one_arm_is_not_put_beside_itself():
    assert side_by_side(comparison(), ["together"]) is None
