"""Skill over the number of labels, together and alone; and all arms side by side."""

import pytest

from polytask.reporting import comparison_html
from polytask.reporting._label_curves import label_curve_figures, label_curve_words
from polytask.reporting._side_by_side import side_by_side
from tests.reporting._diagnosed import diagnosed_comparison, label_curve
from tests.reporting._page import Page
from tests.reporting._sample import NASTY, comparison


def entry(together, alone, half=0.02):
    gain = [a - b for a, b in zip(together, alone, strict=True)]
    ends = {"gain": gain, "low": [g - half for g in gain], "high": [g + half for g in gain]}
    return {"together": {"skill": together}, "alone": {"skill": alone}, "gain": ends}


@pytest.mark.parametrize(
    ("together", "alone", "words"),
    [
        ([0.3, 0.4], [0.2, 0.3], "Sharing pays at every number of labels tried."),
        ([0.3, 0.4], [0.2, 0.4], "Sharing pays with 50 labels."),
        ([0.2, 0.3], [0.2, 0.4], "Sharing harms with 500 labels."),
        ([0.2, 0.31], [0.21, 0.3], "Nowhere is the difference more than chance allows."),
    ],
)
def test_sharing_pays_only_where_the_interval_of_the_gain_says_so(together, alone, words):
    assert words in label_curve_words(entry(together, alone), [50, 500], "labels")


def test_without_intervals_nothing_is_claimed():
    own = entry([0.3, 0.4], [0.1, 0.2])
    del own["gain"]
    told = label_curve_words(own, [50, 500], "labels")
    assert told[-1] == "Without intervals this may be chance."
    assert not any("pays" in sentence for sentence in told)


def test_what_sharing_saves_is_told_in_labels():
    told = label_curve_words(entry([0.2, 0.4, 0.5], [0.1, 0.2, 0.4]), [10, 100, 1000], "labels")
    assert told[-1] == "Together reaches with about 100 labels what alone reaches with 1,000 labels."


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
