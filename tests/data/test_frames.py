"""Tables of any kind in, the same kind out."""

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from polytask.data import like, to_pandas
from polytask.exceptions import DataError

COLUMNS = {"age": [31, 52], "city": ["Oslo", None]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_every_kind_of_table_gives_the_same_frame(make):
    frame = to_pandas(make(COLUMNS))
    assert list(frame) == ["age", "city"]
    assert frame["age"].tolist() == [31, 52]
    assert frame["city"].isna().tolist() == [False, True]


def test_a_pandas_frame_is_not_copied():
    frame = pd.DataFrame(COLUMNS, index=["a", "b"])
    assert to_pandas(frame) is frame


@pytest.mark.parametrize("values", [np.eye(2), [[1.0, 0.0], [0.0, 1.0]], np.eye(2, dtype=np.float16), np.eye(2).astype(object)])
def test_columns_of_an_array_are_numbered(values):
    frame = to_pandas(values)
    assert list(frame) == ["x0", "x1"]
    np.testing.assert_array_equal(frame.to_numpy(dtype=float), np.eye(2))


def test_masked_values_are_missing():
    assert to_pandas(np.ma.masked_equal([[1.0, 2.0]], 2.0)).isna().to_numpy().tolist() == [[False, True]]


def test_a_structured_array_brings_its_names():
    assert list(to_pandas(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]))) == ["a", "b"]


def test_numbers_as_names_become_text():
    assert list(to_pandas(pd.DataFrame(np.eye(2)))) == ["0", "1"]


def test_types_of_polars_and_arrow_become_plain():
    table = pa.table({"d": pa.array([Decimal("1.50"), None]), "b": pa.array([True, None])})
    for X in (table, pl.from_arrow(table)):
        frame = to_pandas(X)
        assert frame["d"].dtype == np.float64
        assert frame["b"].dtype == "boolean"
    dates = to_pandas(pl.DataFrame({"t": ["2020-01-31"]}).select(pl.col("t").str.to_date()))
    assert dates["t"].tolist() == [pd.Timestamp("2020-01-31")]


@pytest.mark.parametrize("X", [pd.Series([1, 2], name="a"), pl.Series("a", [1, 2])])
def test_a_series_is_a_table_of_one_column(X):
    assert to_pandas(X).to_dict("list") == {"a": [1, 2]}


def test_the_users_kind_comes_back():
    frame = pd.DataFrame({"price": [1.5, np.nan]})
    assert isinstance(like(pl.DataFrame(COLUMNS), frame), pl.DataFrame)
    assert like(pl.DataFrame(COLUMNS), frame)["price"].to_list() == [1.5, None]
    assert like(pa.table(COLUMNS), frame).column_names == ["price"]
    assert like(pd.DataFrame(COLUMNS, index=["a", "b"]), frame).index.tolist() == ["a", "b"]
    assert like(np.eye(2), frame) is frame
    assert like(COLUMNS, frame) is frame


def test_polars_survives_a_round_trip():
    X = pl.DataFrame({"i": [1, 2], "f": [0.5, None], "s": ["a", None], "b": [True, None]})
    assert like(X, to_pandas(X)).equals(X)


@pytest.mark.parametrize(
    "X, message",
    [
        (np.ones(3), r"got 1D of shape \(3,\)\. Reshape your data"),
        (np.ones((2, 2, 2)), "got 3D"),
        (np.ones((2, 2)) * 1j, "Complex data not supported"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than one 'a'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "more than one '1'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "several levels"),
        (pa.table([[1], [2]], names=["a", "a"]), "more than one 'a'"),
        ({"a": [1, 2], "b": [1]}, "'a': 2, 'b': 1"),
        ({"a": 1}, "'a': a single value"),
    ],
)
def test_tables_that_cannot_be_used(X, message):
    with pytest.raises(DataError, match=message):
        to_pandas(X)


@pytest.mark.parametrize(
    "X, message",
    [
        (sparse.csr_matrix(np.eye(2)), "sparse"),
        (sparse.coo_array(np.eye(2)), "sparse"),
        (pl.LazyFrame(COLUMNS), "collect"),
        ("train.csv", "got str"),
        (None, "got NoneType"),
    ],
)
def test_things_that_are_no_tables(X, message):
    with pytest.raises(TypeError, match=message):
        to_pandas(X)


def test_polars_is_never_imported_for_others():
    code = (
        "import sys, numpy, pandas; from polytask.data import TableCodec, like, to_pandas;"
        "X = pandas.DataFrame({'a': [1., 2.]}); TableCodec.fit(X); like(X, to_pandas(X)); to_pandas(numpy.eye(2));"
        "assert 'polars' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rows_as_mappings_and_record_batches_are_tables():
    rows = [{"age": 31, "tags": ["a"]}, {"tags": [], "age": 52}, {"age": 7}]
    frame = to_pandas(rows)
    assert frame["age"].tolist() == [31, 52, 7]
    assert frame["tags"].isna().tolist() == [False, False, True]
    batch = pa.RecordBatch.from_pydict({"age": [31, 52], "city": ["Oslo", None]})
    pd.testing.assert_frame_equal(to_pandas(batch), to_pandas(pa.Table.from_batches([batch])))


def test_an_arrow_table_of_the_user_stays_usable():
    table = pa.table({"x": [1, 2], "c": pa.array(["a", "b"]).dictionary_encode()})
    to_pandas(table)
    assert table.to_pydict() == {"x": [1, 2], "c": ["a", "b"]}
