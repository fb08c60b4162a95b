"""What the codec promises of any table: properties tested on tables that hypothesis makes up."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from polytask.data import TableCodec
from polytask.exceptions import DataError

NAMES = st.text(min_size=1, max_size=8)
FINITE = st.floats(allow_infinity=False, width=64)  # NaN too
CELLS = {
    "numbers": FINITE,
    "whole": st.one_of(st.none(), st.integers(-(2**53), 2**53)),
    "truth": st.one_of(st.none(), st.booleans()),
    "categories": st.one_of(st.none(), st.sampled_from(["a", "A", " a", "b", "1", "1.0", "nan", "", "日本"])),
    "texts": st.one_of(st.none(), st.text(max_size=12)),
    "dates": st.one_of(st.none(), st.datetimes().map(lambda when: when.isoformat(sep=" ", timespec="microseconds"))),
    "mixed": st.one_of(st.none(), st.text(max_size=3), st.integers(-5, 5), st.booleans(), FINITE),
    "lists": st.one_of(st.none(), st.lists(st.sampled_from(["u", "v", "w"]), max_size=3)),
}


@st.composite
def frames(draw, *, max_rows=25):
    """Tables of one to four columns of any kind, under any names."""
    n_rows = draw(st.integers(2, max_rows))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    columns = {
        name: draw(st.lists(CELLS[draw(st.sampled_from(sorted(CELLS)))], min_size=n_rows, max_size=n_rows)) for name in names
    }
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})


def fitted(frame):
    """A codec, where the table has anything to learn from."""
    try:
        return TableCodec.fit(frame)
    except DataError as error:
        assume("No input column is left" not in str(error))
        raise


def assert_same(left, right):
    np.testing.assert_array_equal(left.numeric, right.numeric)
    np.testing.assert_array_equal(left.categorical, right.categorical)
    assert len(left.tokens) == len(right.tokens)
    for own, other in zip(left.tokens, right.tokens, strict=True):
        np.testing.assert_array_equal(own.codes, other.codes)
        np.testing.assert_array_equal(own.counts, other.counts)


@given(frames())
def test_arrays_have_the_promised_shapes_and_ranges(frame):
    codec = fitted(frame)
    arrays = codec.transform(frame)
    assert arrays.numeric.dtype == np.float64
    assert arrays.categorical.dtype == np.int64
    assert arrays.numeric.shape == (len(frame), len(codec.numeric_names)) == (len(frame), codec.n_numeric)
    assert arrays.categorical.shape == (len(frame), len(codec.categorical_names))
    assert not np.isinf(arrays.numeric).any()
    assert (arrays.categorical >= 1).all(), "every value of the table that was fitted is known, or missing"
    assert (arrays.categorical < np.array(codec.cardinalities, dtype=int)).all()


@given(frames())
def test_what_is_missing_in_a_category_is_code_one(frame):
    codec = fitted(frame)
    arrays = codec.transform(frame)
    for k, name in enumerate(codec.categorical_names):
        column = frame[name]
        blank = column.map(lambda value: isinstance(value, str) and not value.strip()).astype(bool)
        np.testing.assert_array_equal(arrays.categorical[:, k] == 1, (column.isna() | blank).to_numpy())


@given(frames())
def test_a_codec_out_of_json_is_the_same(frame):
    codec = fitted(frame)
    again = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again == codec
    assert_same(again.transform(frame), codec.transform(frame))


@given(frames(), st.randoms(use_true_random=False))
def test_rows_are_coded_one_by_one(frame, random):
    """The order of rows does not matter, and columns may come in any order."""
    codec = fitted(frame)
    whole = codec.transform(frame)
    order = list(range(len(frame)))
    random.shuffle(order)
    names = list(frame.columns)
    random.shuffle(names)
    assert_same(codec.transform(frame.iloc[order][names]), whole.take(np.array(order)))


@given(frames())
def test_the_index_of_a_table_does_not_matter(frame):
    codec = fitted(frame)
    assert_same(codec.transform(frame.set_axis([7] * len(frame), axis=0)), codec.transform(frame))


@given(frames(), st.data())
def test_new_texts_in_a_category_never_stop_a_prediction(frame, data):
    codec = fitted(frame)
    assume(codec.categorical_names)
    texts = data.draw(st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=len(frame), max_size=len(frame)))
    name = codec.categorical_names[0]
    arrays = codec.transform(frame.assign(**{name: pd.Series(texts, dtype=object)}))
    codes = arrays.categorical[:, 0]
    assert ((codes >= 0) & (codes < codec.cardinalities[0])).all()
    assert (codes == 0).any() == any(repr(name) in note and "not among" in note for note in arrays.notes)


@given(frames(), NAMES, NAMES)
def test_a_column_more_is_told_and_one_less_is_refused_or_filled(frame, more, prefix):
    codec = fitted(frame)
    extra = prefix + more + "".join(frame.columns)  # longer than every name, so a new one
    wider = codec.transform(frame.assign(**{extra: 1}))
    assert_same(wider, codec.transform(frame))
    assert any("does not know" in note for note in wider.notes)
    lacking = frame.drop(columns=codec.used[0].name)
    with pytest.raises(DataError, match="lacks the column"):
        codec.transform(lacking)
    filled = codec.transform(lacking, missing_columns="fill")
    assert filled.numeric.shape == wider.numeric.shape


@given(st.lists(FINITE, min_size=3, max_size=20))
def test_numbers_go_in_and_come_out_exactly(values):
    frame = pd.DataFrame({"x": values, "k": range(len(values))})
    arrays = TableCodec.fit(frame, kinds={"x": "numeric", "k": "numeric"}).transform(frame)
    np.testing.assert_array_equal(arrays.numeric[:, 0], values)


@pytest.mark.parametrize("values", [[True, 1, "x"], [0, False, "x"], [False, 0.0, None, 2.0]])
def test_true_and_one_are_not_one_value_whichever_comes_first(values):
    """Found by the property above: to Python they are equal, so the first row told what both were."""
    frame = pd.DataFrame({"mixed": pd.Series(values * 10, dtype=object)})
    codec = TableCodec.fit(frame, kinds={"mixed": "categorical"})
    assert_same(codec.transform(frame[::-1]), codec.transform(frame).take(np.arange(len(frame))[::-1]))
    assert len(codec.columns[0].categories) == len([value for value in values if value is not None])
