"""What the tasks share: a heat map of their weights, in every format."""

import copy
import json

import pytest

from polytask.reporting import fit_html
from polytask.reporting._formats import FORMATS, render
from polytask.reporting._sharing_figures import MOST_PARTS, sharing_view, sharing_words
from tests.reporting._page import Page
from tests.reporting._sample import fit_result

PARTS = ["own of price", "own of sold", "own of size", "shared"]
SHARING = {
    "architecture": "CGC(width=8)",
    "parts": PARTS,
    "weights": {"price": [0.7, 0.0, 0.0, 0.3], "sold": [0.0, 0.1, 0.0, 0.9], "size": [0.0, 0.0, 0.2, 0.8]},
}


def shared(**changes):
    return {**copy.deepcopy(fit_result()), "sharing": {**SHARING, **changes}}


def test_the_page_names_the_architecture_and_shows_the_weights():
    page = Page(fit_html(shared()))
    assert "The network was CGC(width=8): parts of it are shared" in page.words
    assert "What does each task take of what is shared?" in page.words


def test_a_cell_is_shaded_by_its_share_of_the_largest():
    table = sharing_view(shared())["figures"][0].shown[0]
    assert [row[0] for row in table.rows] == ["price", "sold", "size"]
    assert table.shades == [[7, None, None, 3], [None, 1, None, 9], [None, None, 2, 8]]
    assert table.rows[0][2] == "–"


def test_words_name_tasks_alike_and_what_is_of_all():
    told = " ".join(sharing_words(PARTS, SHARING["weights"])).replace("\N{NO-BREAK SPACE}", " ")
    told = told.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{THIN SPACE}", " ")
    assert "Most alike are 'sold' and 'size', which differ in 20 % of their weights" in told
    assert "least alike are 'price' and 'size', 70 %" in told or "least alike are 'price' and 'sold', 70 %" in told
    assert "Of what all tasks share 'sold' takes most (90 % of its weights), 'price' least (30 %)." in told


def test_of_networks_of_tasks_it_is_told_what_a_task_takes_of_the_others():
    parts = [f"network of {name}" for name in ("suprised_amazed", "quiet_still", "size")]
    weights = {"suprised_amazed": [0.9, 0.1, 0.0], "quiet_still": [0.05, 0.6, 0.35], "size": [0.2, 0.1, 0.7]}
    view = sharing_view(shared(parts=parts, weights=weights))
    words = " ".join(view["figures"][0].words).replace("\N{NO-BREAK SPACE}", " ")
    assert "Most alike" not in words
    assert (
        "'quiet_still' takes most from the networks of the others: 40 % of its weights, 35 % from that of 'size'; "
        "'suprised_amazed' least, 10 %." in words.replace("\N{NARROW NO-BREAK SPACE}", " ")
    )
    table = view["figures"][0].shown[0]
    assert table.header == ["Task", "suprised_amazed", "quiet_still", "size"]
    assert table.caption == "Share of a task's weights that the network of each task has"
    alike = {name: [0.9 if k == i else 0.05 for k in range(3)] for i, name in enumerate(weights)}
    told = sharing_words(parts, alike)[0].replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert told == "Each task takes 10 % of its weights from the networks of the others."


def test_of_many_parts_the_most_used_are_shown():
    parts = [f"expert {k}" for k in range(40)]
    weights = {"a": [k / 780 for k in range(40)], "b": [1 / 40] * 40}
    figure = sharing_view(shared(parts=parts, weights=weights))["figures"][0]
    assert len(figure.shown[0].header) == MOST_PARTS + 1
    assert "expert 39" in figure.shown[0].header


@pytest.mark.parametrize("changes", [{"weights": {"a": [1.0]}, "parts": ["x"]}, {"weights": {"a": [None, 1.0], "b": [0.5, 0.5]}}])
def test_nothing_is_told_where_nothing_differs_or_is_known(changes):
    assert sharing_view(shared(**changes)) is None
    assert sharing_view(fit_result()) is None


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_it_and_tells_nothing_without_it(format):
    found, without = (render(result, format=format) for result in (shared(), fit_result()))
    if format == "pdf":
        assert len(found) > len(without)
    elif format == "json":
        assert json.loads(found)["sharing"] == SHARING
    else:
        assert b"What do the tasks share?" in found
        assert b"tasks share?" not in without


def test_names_are_escaped():
    nasty = "<script>&\"'"
    page = fit_html(shared(parts=[nasty, "b"], weights={nasty: [0.5, 0.5], "b": [0.1, 0.9]}))
    assert "<script>&" not in page
