"""Reports as HTML, PDF, Markdown and JSON."""

import json
import math

import pytest
from markdown_it import MarkdownIt

from polytask.exceptions import DataError, OptionError
from polytask.reporting import (
    FORMATS,
    comparison_markdown,
    comparison_pdf,
    fit_markdown,
    fit_pdf,
    render,
    result_json,
    write_report,
)
from polytask.reporting._markdown import cell, code, folded, text
from tests.reporting._diagnosed import diagnosed_comparison, diagnosed_fit, gappy_comparison
from tests.reporting._sample import NASTY, bare_comparison, comparison, fit_with_test, many_tasks, nasty_comparison, nasty_fit

RESULTS = {
    "comparison": comparison,
    "nasty comparison": nasty_comparison,
    "bare comparison": bare_comparison,
    "diagnosed comparison": diagnosed_comparison,
    "comparison with gaps": gappy_comparison,
    "fit": fit_with_test,
    "nasty fit": nasty_fit,
    "diagnosed fit": diagnosed_fit,
    "bare fit": lambda: {"format": "polytask.fit", "version": 1, "tasks": {"sold": {}}},
}
ALL = pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)
BEGINNINGS = {"html": b"<!doctype html>", "pdf": b"%PDF-", "md": b"# ", "json": b"{"}


@ALL
@pytest.mark.parametrize("format_", FORMATS)
def test_every_result_can_be_written_in_every_format(make, format_):
    made = render(make(), format=format_)
    assert made.startswith(BEGINNINGS[format_])
    if format_ != "pdf":
        made.decode("utf-8")


@ALL
def test_json_is_the_result_with_gaps_for_what_is_not_finite(make):
    def finite(value):
        if isinstance(value, dict):
            return {key: finite(own) for key, own in value.items()}
        if isinstance(value, list | tuple):
            return [finite(own) for own in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    result = make()
    assert json.loads(result_json(result)) == finite(result)


@ALL
def test_markdown_has_no_links_pictures_or_markup_but_folds(make):
    result = make()
    written = comparison_markdown(result) if result["format"] == "polytask.comparison" else fit_markdown(result)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(written)
    inside = [child for token in tokens for child in token.children or []]
    assert not [token for token in inside if token.type in ("link_open", "image", "html_inline", "code_inline")]
    html = [line for token in tokens if token.type == "html_block" for line in token.content.splitlines() if line]
    assert all(line in ("<details>", "</details>") or (line.startswith("<summary>") and line.count("<") == 2) for line in html)
    assert html.count("<details>") == html.count("</details>")
    assert "nan" not in written.lower().split()


def test_rows_of_a_markdown_table_have_as_many_cells_as_its_head():
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(comparison_markdown(nasty_comparison()))
    counts, row = [], 0
    for token in tokens:
        if token.type == "tr_open":
            row = 0
        row += token.type in ("th_open", "td_open")
        if token.type == "tr_close":
            counts.append(row)
    assert set(counts) <= {2, 5, 4, 10, 3}
    assert counts[:8] == [10] * 8


@pytest.mark.parametrize(
    "name", ["*a* _b_ `c`", "[a](b)", "![a](b)", "<b>", "a|b", "# a", "- a", "1. a", "1) a", "~~a~~", "$a$", "\\*"]
)
def test_a_name_reads_as_it_is_written(name):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"{text(name)}\n\n| a |\n|--|\n| {cell(name)} |\n")
    words = [child.content for token in tokens for child in token.children or [] if child.type in ("text", "text_special")]
    assert "".join(words) == name + "a" + name
    assert tokens[0].type == "paragraph_open"


@pytest.mark.parametrize("name", ["https://a.example", "www.a.example", "@team", "mailto:a"])
def test_a_name_becomes_no_link_and_no_mention(name):
    assert name not in text(name)


def test_folded_parts_and_code_cannot_be_left():
    assert folded("</summary><script>", "x").count("<script>") == 0
    assert code("a ``` b").startswith("````\n")


def test_the_pdf_of_the_same_result_is_the_same():
    assert comparison_pdf(diagnosed_comparison()) == comparison_pdf(diagnosed_comparison())
    assert fit_pdf(diagnosed_fit()) == fit_pdf(diagnosed_fit())


def test_a_long_result_is_cut_in_the_pdf_and_says_so(monkeypatch):
    from polytask.reporting import _pdf_pages

    told = []
    monkeypatch.setattr(_pdf_pages.Pages, "paragraph", lambda self, sentence, **_: told.append(sentence))
    monkeypatch.setattr(_pdf_pages.Pages, "plots", lambda *_, **__: None)
    result, found = many_tasks(30), diagnosed_comparison()["tasks"]["passed"]["diagnostics"]
    for task in result["tasks"].values():
        task["diagnostics"] = found
    comparison_pdf(result)
    assert "Plots of 6 more tasks are in the HTML report; the JSON holds all numbers." in told


def test_names_with_signs_that_the_font_lacks_or_mathematics_do_not_matter():
    result = diagnosed_comparison()
    result["tasks"] = {f"身長 $x_{{{k}$ \U0001f600": task for k, task in enumerate(result["tasks"].values())}
    assert comparison_pdf(result).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("name", "beginning"), [("r.html", "html"), ("r.pdf", "pdf"), ("r.md", "md"), ("r.json", "json"), ("r", "html")]
)
def test_the_suffix_chooses_the_format(tmp_path, name, beginning):
    assert write_report(comparison(), tmp_path / name).read_bytes().startswith(BEGINNINGS[beginning])


def test_the_format_asked_for_goes_before_the_suffix(tmp_path):
    assert write_report(comparison(), tmp_path / "r.txt", format="md").read_text().startswith("# Learning together helped")


def test_unknown_formats_and_results_are_refused():
    with pytest.raises(OptionError, match="one of html, pdf, md, json; got 'docx'"):
        render(comparison(), format="docx")
    with pytest.raises(DataError, match="must have a format among"):
        render({"format": "x"}, format="json")


def test_markdown_tells_what_the_page_tells():
    written = comparison_markdown(diagnosed_comparison())
    assert "Sharing pays with 53 and 132 labels." in written
    assert "## How and where it is wrong" in written
    assert "Looked at " in written
    assert NASTY not in written


def test_an_unknown_ending_is_refused_and_the_known_ones_are_named(tmp_path):
    with pytest.raises(OptionError, match=r"must end in \.html, .*\.json, or its `format` must be given; got '.*r\.docx'"):
        write_report(comparison(), tmp_path / "r.docx")
    assert not (tmp_path / "r.docx").exists()
