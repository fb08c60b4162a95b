"""The study of a run stands in its report, as a file that can be copied out of it."""

import re
from html import unescape

import pytest
import yaml

from polytask.reporting import comparison_html, fit_html, render
from polytask.reporting._study_view import study_lines

STUDY = {
    "table": ["a <b>.csv"],
    "target": ["price", "y_*", "no", "a: b"],
    "seed": 0,
    "compare": {"folds": 3, "metric": {"sold": "roc_auc"}},
}
GAIN = {"gain": 0.021, "low": 0.004, "high": 0.038, "verdict": "helped"}
TASK = {"kind": "binary", "arms": {"together": {"skill": 0.31}, "alone": {"skill": 0.289}}, "gains": {"alone": GAIN}}
RESULTS = {
    "comparison": {
        "format": "polytask.comparison",
        "version": 1,
        "tasks": {"sold": TASK},
        "mean": {"gains": {"alone": GAIN}},
    },
    "fit": {"format": "polytask.fit", "version": 1, "n_rows": 662, "mean_skill": 0.31, "tasks": {"sold": {}}},
}


@pytest.mark.parametrize("kind", ["comparison", "fit"])
def test_the_page_holds_the_study_as_it_would_be_read(kind):
    page = {"comparison": comparison_html, "fit": fit_html}[kind]({**RESULTS[kind], "study": STUDY})
    (text,) = re.findall(r"The study file that does the same</summary>\s*<pre[^>]*><code>(.*?)</code>", page, flags=re.S)
    assert yaml.safe_load(unescape(text)) == STUDY


@pytest.mark.parametrize("kind", ["comparison", "fit"])
def test_markdown_holds_it_too_and_pdf_is_made(kind):
    text = render({**RESULTS[kind], "study": STUDY}, format="md").decode()
    block = text.partition("The study file that does the same")[2].partition("```\n")[2].partition("\n```")[0]
    assert yaml.safe_load(block) == STUDY
    assert len(render({**RESULTS[kind], "study": STUDY}, format="pdf")) > len(render(RESULTS[kind], format="pdf"))


@pytest.mark.parametrize("kind", ["comparison", "fit"])
def test_without_a_study_nothing_is_said_of_one(kind):
    assert "study file" not in render(RESULTS[kind]).decode()
    assert "study file" not in render({**RESULTS[kind], "study": None}, format="md").decode()


def test_signs_that_must_not_be_shown_are_escaped_and_read_back():
    study = {"target": ["a\u202eb", "c\x07", "line\nbreak", "```"]}
    lines = study_lines({"study": study})
    assert all(line.isprintable() for line in lines)
    assert yaml.safe_load("\n".join(lines)) == study
