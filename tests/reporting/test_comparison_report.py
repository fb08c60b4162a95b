import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from polytask.exceptions import DataError
from polytask.reporting import comparison_html, write_comparison_report, write_report
from tests.reporting._sample import NASTY, bare_comparison, comparison, many_tasks, nasty_comparison

VOID = {"meta", "br", "wbr", "link", "img", "hr"}


class Page(HTMLParser):
    """Collects elements and text, and checks that every element is closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not self._open or self._open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


ALL = pytest.mark.parametrize("make", [comparison, nasty_comparison, many_tasks, bare_comparison])


@ALL
def test_the_page_asks_for_nothing_and_runs_nothing(make):
    page = Page(comparison_html(make()))
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "img", "iframe", "object", "embed", "form", "base"}]
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name in {"src", "style", "srcset"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(attributes["href"].startswith("#") for attributes in page.all("a"))
    assert any("default-src 'none'" in (attributes.get("content") or "") for attributes in page.all("meta"))


@ALL
def test_the_style_sheet_loads_nothing(make):
    style = re.search(r"<style>(.*?)</style>", comparison_html(make()), flags=re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


@ALL
def test_headings_follow_each_other_and_tables_have_captions(make):
    page = Page(comparison_html(make()))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert page.all("html")[0]["lang"] == "en"


@ALL
def test_every_drawing_has_a_title_or_is_hidden(make):
    html = comparison_html(make())
    outer = [m for m in re.findall(r"<svg ([^>]*)>(<title>)?", html) if 'role="img"' in m[0]]
    assert outer
    assert all(title for _, title in outer)


@ALL
def test_links_lead_to_sections_that_are_there_and_ids_are_unique(make):
    page = Page(comparison_html(make()))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for attributes in page.all("a")} <= set(ids)


@ALL
def test_no_number_is_written_as_nan_none_or_infinity(make):
    words = Page(comparison_html(make())).words
    assert not re.search(r"\b(nan|None|inf)\b", words)


def test_the_answer_comes_first():
    words = Page(comparison_html(comparison())).words
    assert words.index("Learning together helped 2 of 6 tasks and harmed 1.") < words.index("The numbers")
    assert "reason_for_school is learned better by a model of its own" in words
    assert "95 % interval [+0.4, +3.8]" in words


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
