"""What each task is predicted from, drawn: bars, words, every format, odd names and gaps."""

import pytest

from polytask.reporting import comparison_html, fit_html, render
from polytask.reporting._importance_bars import IN_SIGHT, importance_view, importance_words
from tests.reporting._page import Page
from tests.reporting._sample import NASTY, comparison, fit_result


def column(name, importance, half=0.02, verdict=None):
    if importance is None:
        return {"name": name, "importance": None, "se": None, "undefined": "a held-out loss is infinite", "verdict": "undefined"}
    low, high = importance - half, importance + half
    told = verdict or ("matters" if low > 0 else "misleads" if high < 0 else "undecided")
    return {"name": name, "importance": importance, "low": low, "high": high, "p_adjusted": 0.01, "verdict": told}


def importance(**more):
    columns = [column("area", 0.3), column(NASTY, 0.01), column("noise", -0.05)]
    columns += [column(f"c{k}", 0.001) for k in range(IN_SIGHT)]
    tasks = {"price": {"kind": "regression", "skill": 0.5, "columns": columns}}
    tasks[NASTY] = {"kind": "binary", "skill": None, "columns": [column("area", None)]}
    return {
        "format": "polytask.importance",
        "version": 1,
        "rows": "held-out",
        "holds_for": "the models of these folds, on new rows drawn like these",
        "n_rows": 640,
        "n_groups": 32,
        "n_repeats": 5,
        "confidence": 0.95,
        "columns": [{"name": "area", "columns": ["area"], "kind": "numeric"}],
        "alike": [{"columns": ["area", "sqft"], "association": 0.99, "words": "'area' and 'sqft' carry nearly the same."}],
        "notes": ["Something to tell."],
        "tasks": tasks,
        "mean": columns,
    } | more


def test_the_largest_comes_first_and_colour_is_not_all_that_tells():
    view = importance_view({"importance": importance()})
    assert [task["name"] for task in view["tasks"]] == ["Mean over tasks", "price", NASTY]
    bars = view["tasks"][1]["bars"]
    assert [(bar.name, bar.words) for bar in bars[:2]] == [("area", "matters"), (NASTY, "undecided")]
    assert (bars[-1].name, bars[-1].words, bars[-1].verdict) == ("noise", "better without", "harmed")
    assert "30.0 points of skill, interval [+28.0, +32.0], matters" in bars[0].drawing
    assert view["tasks"][2]["bars"][0].importance == "undefined"


def test_a_bar_begins_at_zero_and_ends_at_its_importance():
    view = importance_view({"importance": importance()})
    drawing = view["tasks"][1]["bars"][0].drawing
    zero = float(drawing.split('class="zero"')[0].rsplit('x1="', 1)[1].split("%")[0])
    start = float(drawing.split('<rect x="')[1].split("%")[0])
    assert start == pytest.approx(zero, abs=0.02)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([column("a", 0.3), column("b", 0.2), column("c", 0.0)], "2 of 3 columns matter: 'a' (30.0 points), 'b' (20.0 points)."),
        ([column("a", -0.3)], "1 of 1 column misleads: 'a' (-30.0 points)."),
        ([column("a", 0.0)], "None of 1 column can be told from one that does not matter."),
        ([column("a", None)], "Undefined: a held-out loss is infinite."),
    ],
)
def test_words_say_what_the_bars_show(entries, words):
    assert importance_words(entries) == [words]


def test_pages_show_it_only_where_it_was_measured():
    for page, result in ((comparison_html, comparison()), (fit_html, fit_result())):
        assert 'id="importance"' not in page(result)
        shown = page(result | {"importance": importance()})
        text = Page(shown).words
        assert "What is it predicted from?" in text
        assert "'area' and 'sqft' carry nearly the same." in text
        assert "640 held-out rows" in text
        assert f"Show {3} more columns" in text
        assert "<script>alert" not in shown


@pytest.mark.parametrize("result", [comparison(), fit_result()], ids=["comparison", "fit"])
def test_every_format_tells_it(result):
    result = result | {"importance": importance()}
    markdown = render(result, format="md").decode()
    assert "## What is it predicted from?" in markdown
    assert "1 of 15 columns matters: 'area' (30.0 points)." in markdown
    assert "<script>" not in markdown
    assert render(result, format="pdf").startswith(b"%PDF")


def test_one_task_has_no_mean():
    one = importance()
    del one["tasks"][NASTY]
    assert [task["name"] for task in importance_view({"importance": one})["tasks"]] == ["price"]
    assert importance_view({"importance": {"tasks": {}}}) is None
    assert importance_view({}) is None
