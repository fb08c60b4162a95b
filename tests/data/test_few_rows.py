"""A few rows are read by a shorter way: to the same arrays."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from polytask.data import TableCodec
from polytask.data._encode import FEW_ROWS, encode_categories
from polytask.estimators import MultiTaskNetwork

N = 40
COLUMNS = {
    "text": pd.Series(["a", "b", "", None, " "] * 8),
    "objects": pd.Series([1, "1", True, 2.0, None] * 8, dtype=object),
    "whole": pd.Series([1, 2, 3, 4, 5] * 8),
    "gaps": pd.Series([1.0, 2.5, np.nan, 1e20, -0.0] * 8),
    "truth": pd.Series([True, False, True, True, False] * 8),
    "nullable": pd.Series([True, None, False, True, None] * 8, dtype="boolean"),
    "Int64": pd.Series([1, None, 3, 1, 2] * 8, dtype="Int64"),
    "categories": pd.Categorical(["x", "y", None, "x", "z"] * 8),
    "numbers as categories": pd.Categorical([1, 2, None, 1, 3] * 8),
    "dates as categories": pd.Series([datetime.date(2025, 1, 1 + k % 4) for k in range(N)], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1.5"), decimal.Decimal(2), None, decimal.Decimal("NaN"), 1] * 8, dtype=object),
    "bytes": pd.Series([b"a", b"b", None, b"a", b"c"] * 8, dtype=object),
}
NEW = [7, 1.0, "1", "007", "", None, np.nan, pd.NA, pd.NaT, True, "True", "unseen", 2.5, b"a", datetime.date(2025, 1, 2)]


@pytest.mark.parametrize("name", COLUMNS)
def test_categories_of_one_row_have_the_codes_they_have_among_many(name):
    column = pd.Series(COLUMNS[name], name="c")
    [info] = TableCodec.fit(pd.DataFrame({"c": column}), kinds={"c": "categorical"}).columns
    whole, _ = encode_categories(column, info)
    assert len(whole) > FEW_ROWS
    alone = [encode_categories(column.iloc[k : k + 1], info)[0][0] for k in range(N)]
    assert alone == whole.tolist()


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("value", NEW, ids=repr)
def test_new_values_have_the_code_they_have_among_many(name, value):
    [info] = TableCodec.fit(pd.DataFrame({"c": COLUMNS[name]}), kinds={"c": "categorical"}).columns
    one, many = (pd.Series([value] * n, dtype=object, name="c") for n in (1, FEW_ROWS + 1))
    (code, told), (codes, told_of_many) = encode_categories(one, info), encode_categories(many, info)
    assert {int(code[0])} == set(codes.tolist())
    assert bool(told) == bool(told_of_many)


def mixed(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"area": rng.normal(size=n), "rooms": rng.integers(1, 5, n), "garden": rng.random(n) > 0.5})
    frame["city"] = pd.Categorical(rng.choice(["Oslo", "Rome"], n))
    frame["day"] = pd.date_range("2025-01-01", periods=n)
    frame["price"] = [f"{k}.5" for k in range(n)]
    return frame.mask(rng.random(frame.shape) < 0.1)


def test_a_row_of_a_mixed_frame_has_the_arrays_it_has_among_many():
    frame = pd.concat([mixed()] * 10, ignore_index=True)  # more rows than are copied together
    codec = TableCodec.fit(frame)
    whole = codec.transform(frame)
    for k in range(0, len(frame), 37):
        row = codec.transform(frame.iloc[[k]])
        np.testing.assert_array_equal(row.numeric[0], whole.numeric[k])
        np.testing.assert_array_equal(row.categorical[0], whole.categorical[k])


def test_an_array_gives_what_its_frame_gives():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))
    X[::7, 1], X[:, 2] = np.nan, 3.0  # one with gaps, one constant
    model = MultiTaskNetwork(max_epochs=1, random_state=0).fit(X, X[:, 0])
    for rows in (X[:1], X.astype(np.float32), np.round(np.nan_to_num(X)).astype(int), np.asfortranarray(X)):
        found, frame = model._coded_inputs(rows), model.codec_.transform(model._read_inputs(rows, reset=False))
        np.testing.assert_array_equal(found.numeric, frame.numeric)
        assert found.categorical.shape == frame.categorical.shape
        assert not np.shares_memory(found.numeric, rows)
    with pytest.raises(ValueError, match="infinity"):
        model.predict(np.where(np.arange(4) == 0, np.inf, X[:1]))
