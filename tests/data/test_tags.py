import json

import numpy as np
import pandas as pd
import pytest

from polytask.data import TableCodec
from polytask.data._columns import MAX_TAGS
from polytask.exceptions import DataError

LISTS = pd.DataFrame({"tags": [["a", "b"], [], None, ["b"], ["b", "b", "c"]]})


def test_lists_become_a_count_and_a_column_per_tag():
    codec = TableCodec.fit(LISTS)
    assert codec.columns[0].kind == "list"
    assert codec.numeric_names == ("tags:tags", "tags=a", "tags=b", "tags=c")
    expected = [[2, 1, 1, 0], [0, 0, 0, 0], [np.nan, 0, 0, 0], [1, 0, 1, 0], [2, 0, 1, 1]]
    np.testing.assert_array_equal(codec.transform(LISTS).numeric, expected)


@pytest.mark.parametrize(
    "values",
    [
        [("a", "b"), (), None, ("b",), ("b", "c")],
        [np.array(["a", "b"]), np.array([]), None, np.array(["b"]), np.array(["b", "c"])],
        ["a|b", "[]", None, "b", "b|c"],
        ['["a", "b"]', "[]", None, '["b"]', '["b", "c"]'],
        ["a; b", "[]", np.nan, "b", "b;c"],
    ],
)
def test_lists_in_every_form_give_the_same(values):
    expected = TableCodec.fit(LISTS).transform(LISTS).numeric
    frame = pd.DataFrame({"tags": pd.Series(values, dtype=object)})
    codec = TableCodec.fit(frame, kinds={"tags": "list"})
    np.testing.assert_array_equal(codec.transform(frame).numeric, expected)


def test_lists_of_numbers_are_tags_by_their_text():
    codec = TableCodec.fit(pd.DataFrame({"t": [[1, 2], [2.0], ["2", "x"]]}))
    assert codec.columns[0].categories == ("1", "2", "x")


def test_unseen_tags_are_told_and_have_no_column():
    arrays = TableCodec.fit(LISTS).transform({"tags": [["a", "zebra"], ["zebra"]]})
    assert arrays.numeric.tolist() == [[2, 1, 0, 0], [1, 0, 0, 0]]
    assert arrays.notes == ["Column 'tags': 2 of 3 tags are not among the 3 known from training, such as 'zebra'."]


def test_new_lists_are_read_by_the_separator_of_training():
    codec = TableCodec.fit(pd.DataFrame({"tags": ["a;b", "b;c", "a"]}), kinds={"tags": "list"})
    assert codec.columns[0].separator == ";"
    assert codec.transform({"tags": ["a;c"]}).numeric.tolist() == [[2, 1, 0, 1]]


def test_very_many_tags_are_weighted_as_words():
    rng = np.random.default_rng(0)
    names = [f"t{k}" for k in range(MAX_TAGS + 40)]
    frame = pd.DataFrame({"tags": [list(rng.choice(names, 5, replace=False)) for _ in range(200)]})
    codec = TableCodec.fit(frame)
    assert codec.numeric_names == ("tags:tags",)
    assert codec.text_names == ("tags",)
    (tokens,) = codec.transform(frame).tokens
    assert tokens.size == len(codec.columns[0].categories) + 1
    for row in (0, 17):
        known = {codec.columns[0].categories[code - 1] for code in tokens.codes[row] if code}
        assert known == set(frame["tags"][row])
    again = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    np.testing.assert_array_equal(again.transform(frame).tokens[0].codes, tokens.codes)


def test_lists_without_any_tag_are_constant():
    frame = pd.DataFrame({"tags": pd.Series([[], [], None]), "x": [1.0, 2.0, 3.5]})
    assert [info.kind for info in TableCodec.fit(frame).columns] == ["constant", "numeric"]


def test_lists_of_lists_are_refused():
    with pytest.raises(DataError, match=r"Column 'tags' must hold lists of single values; got a list with \['a'\] in it"):
        TableCodec.fit(pd.DataFrame({"tags": [[["a"]], [["b"]]]}))


def test_broken_json_is_refused_with_the_cell():
    with pytest.raises(DataError, match=r"must hold JSON lists such as .* got '\[\"a\", \]'"):
        TableCodec.fit(pd.DataFrame({"tags": ['["a", ]', '["b"]']}), kinds={"tags": "list"})
