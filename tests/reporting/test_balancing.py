"""How the tasks were balanced: heat map of cosines, weights and conflicts over the epochs, in every format."""

import copy
import json

import pytest

from polytask.reporting import fit_html
from polytask.reporting._balancing_figures import MOST_IN_HEAT_MAP, balancing_figures, cosine_words, weight_shares
from polytask.reporting._formats import FORMATS, render
from tests.reporting._page import Page
from tests.reporting._sample import fit_result


def cosines_of(pairs):
    names = sorted({name for pair in pairs for name in pair})
    return {a: {b: 1.0 if a == b else pairs.get((a, b), pairs.get((b, a))) for b in names} for a in names}


BALANCING = {
    "method": "CAGrad(c=0.5)",
    "at": "features",
    "weights": {"price": [1.0, 2.0, 3.0], "sold": [1.0, 1.0, 1.0], "size": [None, 1.0, 0.5]},
    "conflict": [0.6, None, 0.2],
    "cosines": cosines_of({("price", "sold"): -0.4, ("price", "size"): 0.62, ("sold", "size"): 0.01}),
}


def balanced(**changes):
    return {**copy.deepcopy(fit_result()), "balancing": {**BALANCING, **changes}}


def test_the_page_names_the_method_and_where_it_balanced():
    words = Page(fit_html(balanced())).words
    assert "balanced by CAGrad(c=0.5), which compared their gradients at the output of the encoder." in words


def test_the_page_says_what_is_experimental():
    assert "experimental" not in Page(fit_html(balanced())).words
    assert "This method is experimental: it was not checked" in Page(fit_html(balanced(experimental=True))).words


def test_the_heat_map_shows_signs_and_leaves_out_the_diagonal():
    figure = balancing_figures(BALANCING)[0]
    assert figure.shown[0].rows == [["price", "", "0.62", "-0.40"], ["size", "0.62", "", "0.01"], ["sold", "-0.40", "0.01", ""]]
    assert figure.shown[0].shades == [[None, 6, -4], [6, None, None], [-4, None, None]]


def test_a_cosine_that_rounds_to_zero_has_no_sign():
    found = balancing_figures({**BALANCING, "cosines": cosines_of({("price", "sold"): -0.001})})[0]
    assert found.shown[0].rows == [["price", "", "0.00"], ["sold", "0.00", ""]]


def test_words_name_the_tasks_that_pull_apart_and_those_that_agree():
    assert cosine_words(BALANCING["cosines"]) == [
        "Of 3 pairs of tasks 1 pulls apart on the mean.",
        "Most apart are 'price' and 'sold' (mean cosine -0.40).",
        "'price' and 'size' agree most (0.62).",
    ]


def test_words_where_nothing_could_be_compared():
    assert cosine_words(cosines_of({("a", "b"): None})) == [
        "No two tasks had labels in one batch, so their gradients could not be compared."
    ]


def test_weights_are_told_as_shares_of_their_epoch():
    words = " ".join(balancing_figures(BALANCING)[1].words)
    assert (
        "'price' weighed most in the last epoch: 67 % of all weights. 'size' weighed least: 11 %. Equal would be 33.3 %." in words
    )
    assert weight_shares({"a": [-1.0], "b": [2.0]}) == {"a": [None], "b": [None]}, "shares of negative weights mean nothing"


def test_conflict_is_told_over_the_epochs_where_it_is_defined():
    words = balancing_figures(BALANCING)[2].words[0]
    assert words == "Over all epochs 40 % of the pairs of gradients pointed apart: 60 % in the first epoch, 20 % in the last."


def test_a_method_of_the_losses_has_weights_only():
    found = {key: value for key, value in BALANCING.items() if key not in ("cosines", "conflict")}
    assert [figure.key for figure in balancing_figures({**found, "at": None})] == ["balancing_weights"]


def test_a_method_that_gives_a_direction_has_no_weights():
    found = balancing_figures({**BALANCING, "weights": {name: [None] * 3 for name in BALANCING["weights"]}})
    assert [figure.key for figure in found] == ["balancing_cosines", "balancing_conflict"]


def test_of_many_tasks_those_that_agree_least_are_shown():
    names = [f"t{k:02d}" for k in range(30)]
    pairs = {(a, b): -0.5 if "t29" in (a, b) else 0.5 for k, a in enumerate(names) for b in names[k + 1 :]}
    figure = balancing_figures({**BALANCING, "cosines": cosines_of(pairs)})[0]
    assert len(figure.shown[0].rows) == MOST_IN_HEAT_MAP
    assert figure.shown[0].rows[-1][0] == "t29"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_it_and_tells_nothing_without_it(format):
    found, without = (render(result, format=format) for result in (balanced(), fit_result()))
    if format == "pdf":
        assert len(found) > len(without)
    elif format == "json":
        assert json.loads(found)["balancing"] == BALANCING
        assert "balancing" not in json.loads(without)
    else:
        assert b"How were the tasks balanced?" in found
        assert b"balanced?" not in without


def test_names_are_escaped():
    nasty = "<script>&\"'"
    weights = {nasty: [1.0, 2.0], "b": [1.0, 1.0]}
    page = fit_html(balanced(weights=weights, cosines=cosines_of({(nasty, "b"): -0.3})))
    assert "<script>&" not in page
