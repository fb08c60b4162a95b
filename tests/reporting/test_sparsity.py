"""What regularization left: zeros by part and weights by column, in every format."""

import copy
import json

import pytest

from polytask.reporting import fit_html
from polytask.reporting._formats import FORMATS, render
from polytask.reporting._sparsity_figures import MOST_COLUMNS, sparsity_view, sparsity_words
from tests.reporting._page import Page
from tests.reporting._sample import fit_result

SPARSITY = {
    "zeros": {"encoder": 0.62, "heads": 0.0},
    "kept_columns": ["age", "size"],
    "columns": {"size": 1.5, "id": 0.0, "age": 3.0},
}


def sparse(**changes):
    return {**copy.deepcopy(fit_result()), "sparsity": {**SPARSITY, **changes}}


def test_the_page_tells_zeros_and_what_reads_each_column():
    page = Page(fit_html(sparse()))
    assert "62 % of the weights of the encoder, 0 % of the weights of the heads to 0." in page.words.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "The network reads 2 of 3 input columns: 'age', 'size'." in page.words
    table = sparsity_view(sparse())["figures"][0].shown[0]
    assert [row[0] for row in table.rows] == ["age", "size", "id"]
    assert table.shades == [[None, 9], [None, 4], [None, None]]
    assert table.rows[2][2] == "–"


def test_a_fit_without_such_a_regularization_has_no_section():
    assert sparsity_view(fit_result()) is None
    assert "What did regularization leave?" not in Page(fit_html(fit_result())).words


@pytest.mark.parametrize(
    ("changes", "n_figures", "told"),
    [
        ({"kept_columns": None, "columns": None}, 0, "to 0."),  # an encoder whose inputs are read otherwise
        ({"kept_columns": [], "columns": {"age": 0.0}}, 0, "The network reads none of 1 input column."),
        ({"kept_columns": ["age"], "columns": {"age": 1.0}}, 1, "The network reads 1 of 1 input column."),
    ],
)
def test_words_without_columns_or_with_all(changes, n_figures, told):
    view = sparsity_view(sparse(**changes))
    assert len(view["figures"]) == n_figures
    assert view["words"].endswith(told)


def test_many_columns_are_cut_and_it_is_told():
    columns = {f"c{k}": float(k) for k in range(60)}
    figure = sparsity_view(sparse(columns=columns, kept_columns=list(columns)[1:]))["figures"][0]
    assert [row[0] for row in figure.shown[0].rows] == [f"c{k}" for k in range(59, 59 - MOST_COLUMNS, -1)]
    assert "Shown are the 40 largest of 60." in figure.words
    assert sparsity_words(sparse(columns=columns, kept_columns=list(columns)[1:]))[1].endswith("'c20' and 39 more.")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_it_and_tells_nothing_without_it(format):
    found, without = (render(result, format=format) for result in (sparse(), fit_result()))
    if format == "pdf":
        assert len(found) > len(without)
    elif format == "json":
        assert json.loads(found)["sparsity"] == SPARSITY
    else:
        assert b"What did regularization leave?" in found
        assert b"What did regularization leave?" not in without
