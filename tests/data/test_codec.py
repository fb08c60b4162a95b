"""Tables as arrays of numbers and codes."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from polytask.data import TableCodec, to_pandas
from polytask.data._columns import MAX_CATEGORIES
from polytask.exceptions import DataError, ModelFolderError, OptionError

FRAME = pd.DataFrame(
    {
        "area": [50.0, np.nan, 71.5, 80.0],
        "city": ["Oslo", "Bergen", None, "Oslo"],
        "new": [True, False, True, True],
        "sold": pd.to_datetime(["2020-01-01 06:00", "2021-07-01 12:00", None, "2022-03-03 00:00"]),
        "country": "Norway",
    }
)


def fit_transform(frame, **options):
    codec = TableCodec.fit(frame, **options)
    return codec, codec.transform(frame)


def test_numbers_truth_values_and_dates_become_numbers():
    codec, arrays = fit_transform(FRAME)
    assert codec.numeric_names[:3] == ("area", "new", "sold:days")
    assert codec.n_numeric == arrays.numeric.shape[1] == len(codec.numeric_names)
    np.testing.assert_array_equal(arrays.numeric[:, 0], FRAME["area"])
    np.testing.assert_array_equal(arrays.numeric[:, 1], [1, 0, 1, 1])
    np.testing.assert_array_equal(np.isnan(arrays.numeric).any(axis=1), [False, True, True, False])


def test_categories_become_codes_with_two_kept_free():
    codec, arrays = fit_transform(FRAME)
    assert codec.categorical_names == ("city",)
    assert codec.cardinalities == (4,)
    assert arrays.categorical.dtype == np.int64
    assert arrays.categorical.ravel().tolist() == [3, 2, 1, 3]
    assert arrays.notes == []


def test_unseen_categories_get_code_zero_and_are_told():
    codec = TableCodec.fit(FRAME)
    arrays = codec.transform(FRAME.assign(city=["Rome", "Rome", "Paris", None]))
    assert arrays.categorical.ravel().tolist() == [0, 0, 0, 1]
    assert arrays.notes == ["Column 'city': 3 of 4 values are not among the 2 categories known from training, such as 'Rome'."]


def test_only_the_most_frequent_categories_are_told_apart():
    values = [f"{i % 1500}" for i in range(3000)] + [f"{i}" for i in range(1000, 1500)] * 2
    codec, arrays = fit_transform(pd.DataFrame({"c": values}), kinds={"c": "categorical"})
    assert codec.columns[0].buckets == 64
    assert codec.cardinalities == (MAX_CATEGORIES + 2 + 64,)
    assert "1000 most frequent are told apart and the others share 64 codes by a hash" in codec.columns[0].reason
    first_bucket = MAX_CATEGORIES + 2
    assert (arrays.categorical[-1000:] < first_bucket).all()
    assert (arrays.categorical >= first_bucket).sum() == 1000
    assert (arrays.categorical >= 2).all()


def test_rare_and_new_categories_share_the_same_buckets_every_time():
    values = [f"{i % 1500}" for i in range(3000)]
    codec, arrays = fit_transform(pd.DataFrame({"c": values}), kinds={"c": "categorical"})
    again = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    np.testing.assert_array_equal(again.transform({"c": values}).categorical, arrays.categorical)
    new = codec.transform({"c": ["never seen"] * 3 + [None]})
    assert len(set(new.categorical[:3, 0])) == 1
    assert MAX_CATEGORIES + 2 <= new.categorical[0, 0] < codec.cardinalities[0]
    assert new.categorical[3, 0] == 1
    assert new.notes == [
        "Column 'c': 3 of 3 values (100%) are not among the 1,000 categories told apart, such as 'never seen'; in training it "
        "were 33%."
    ]


def test_one_category_has_one_text_whatever_its_type():
    codec = TableCodec.fit(pd.DataFrame({"c": ["1", "2", "x", "True"]}))
    for values in ([1, 2], [1.0, 2.0], ["1", "2"], pd.Categorical([1, 2]), pd.array([1, 2], dtype="Int64"), np.float32([1, 2])):
        assert codec.transform(pd.DataFrame({"c": values})).categorical.ravel().tolist() == [2, 3]
    assert codec.transform({"c": [True]}).categorical.tolist() == [[4]]


def test_codes_that_lost_their_leading_zeros_are_found():
    codec = TableCodec.fit(pd.DataFrame({"zip": ["007", "012", "A1", "5", "05"]}))
    codes = dict(zip(codec.columns[0].categories, range(2, 7), strict=True))
    assert codec.transform({"zip": [7, 12, 5]}).categorical.ravel().tolist() == [codes["007"], codes["012"], codes["5"]]
    assert codec.transform({"zip": ["7"]}).categorical.tolist() == [[0]]


def test_dates_tell_their_parts_and_the_time_of_year_week_and_day():
    times = ["1970-01-01T06:00", "1971-02-05"]
    codec = TableCodec.fit(pd.DataFrame({"t": times}))
    numeric = codec.transform({"t": times}).numeric
    parts = ["days", "year", "month", "weekday", "hour", "year_sin", "year_cos", "week_sin", "week_cos", "day_sin", "day_cos"]
    assert list(codec.numeric_names) == [f"t:{part}" for part in parts]
    phases = [0.25 / 365.2425, 0.25 / 7, 0.25]
    expected = [0.25, 1970, 1, 3, 6] + [wave(2 * np.pi * phase) for phase in phases for wave in (np.sin, np.cos)]
    np.testing.assert_allclose(numeric[0], expected, atol=1e-12)
    assert numeric[1, :5].tolist() == [400, 1971, 2, 4, 0]


@pytest.mark.parametrize("stamp", ["1850-12-31T23:59:59", "1969-12-31", "2000-02-29T12:30", "2024-05-31T00:00:01"])
def test_parts_of_dates_are_those_of_pandas(stamp):
    codec = TableCodec.fit(pd.DataFrame({"t": ["1800-01-01T00:00", "2030-06-15T10:10", None]}))
    found = dict(zip(codec.numeric_names, codec.transform({"t": [stamp]}).numeric[0], strict=True))
    time = pd.Timestamp(stamp)
    assert [found["t:year"], found["t:month"], found["t:weekday"]] == [time.year, time.month, time.weekday()]
    np.testing.assert_allclose(found["t:hour"], time.hour + time.minute / 60 + time.second / 3600)


def test_parts_that_are_the_same_in_every_row_are_left_out():
    codec = TableCodec.fit(pd.DataFrame({"t": ["2020-01-01", "2020-01-02"]}))
    assert [name for name in codec.numeric_names if "day_" in name or name.endswith((":hour", ":year", ":month"))] == []
    assert codec.numeric_names[:2] == ("t:days", "t:weekday")


def test_a_schema_of_the_first_version_keeps_its_parts_of_dates():
    content = TableCodec.fit(FRAME).to_dict()
    for column in content["columns"]:
        for field in ("parts", "buckets", "length", "known_share", "separator"):
            del column[field]
    names = TableCodec.from_dict(content).numeric_names
    assert [name for name in names if name.startswith("sold:")] == [
        f"sold:{part}" for part in ("days", "year_sin", "year_cos", "week_sin", "week_cos", "day_sin", "day_cos")
    ]


def test_a_date_is_the_same_in_every_form():
    codec = TableCodec.fit(pd.DataFrame({"t": ["2020-01-01T00:00", "2020-01-02T10:30"]}))
    stamps = pd.to_datetime(["2020-01-02 10:30", None])
    forms = [
        ["2020-01-02 10:30", None],
        stamps,
        stamps.tz_localize("UTC").tz_convert("Asia/Tokyo"),
        ["2020-01-02T11:30+01:00", ""],
    ]
    for form in forms:
        numeric = codec.transform(pd.DataFrame({"t": form})).numeric
        np.testing.assert_array_equal(numeric, codec.transform(pd.DataFrame({"t": forms[0]})).numeric)


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_every_kind_of_table_gives_the_same_arrays(make):
    codec, arrays = fit_transform(FRAME)
    other_codec, other = fit_transform(make(FRAME))
    np.testing.assert_array_equal(arrays.numeric, other.numeric)
    np.testing.assert_array_equal(arrays.categorical, other.categorical)
    assert codec.numeric_names == other_codec.numeric_names


def test_an_array_of_numbers_passes_through():
    X = np.random.default_rng(0).normal(size=(30, 4))
    X[3, 2] = np.nan
    _, arrays = fit_transform(X)
    np.testing.assert_array_equal(arrays.numeric, X)
    assert arrays.categorical.shape == (30, 0)
    assert not np.shares_memory(arrays.numeric, X)


def test_rows_are_encoded_independently_of_each_other():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.choice(["x", "y", None], 50), "c": rng.choice(["1", "2", "NA"], 50)})
    codec, whole = fit_transform(frame)
    order = rng.permutation(50)
    shuffled = codec.transform(frame.iloc[order])
    np.testing.assert_array_equal(shuffled.numeric, whole.numeric[order])
    np.testing.assert_array_equal(shuffled.categorical, whole.categorical[order])
    one = codec.transform(frame.iloc[[7]])
    np.testing.assert_array_equal(one.numeric, whole.numeric[[7]])


def test_the_order_of_rows_and_columns_does_not_matter():
    codec = TableCodec.fit(FRAME)
    assert [info.categories for info in TableCodec.fit(FRAME.iloc[::-1]).columns] == [info.categories for info in codec.columns]
    reordered = codec.transform(FRAME[FRAME.columns[::-1]])
    np.testing.assert_array_equal(reordered.numeric, codec.transform(FRAME).numeric)


def test_no_rows_give_empty_arrays():
    arrays = TableCodec.fit(FRAME).transform(FRAME.iloc[:0])
    assert arrays.numeric.shape == (0, TableCodec.fit(FRAME).n_numeric)
    assert arrays.categorical.shape == (0, 1)


def test_the_users_frame_is_left_alone():
    before = FRAME.copy(deep=True)
    fit_transform(FRAME)
    pd.testing.assert_frame_equal(FRAME, before)


def test_ignored_columns_are_not_needed_later():
    codec = TableCodec.fit(FRAME, ignore=["sold"], kinds={"new": "ignored"})
    assert codec.numeric_names == ("area",)
    assert codec.transform(FRAME[["area", "city"]]).notes == []


def test_missing_columns_are_all_named():
    codec = TableCodec.fit(FRAME)
    with pytest.raises(DataError, match="lacks the columns 'area', 'city' that the model needs"):
        codec.transform(FRAME.drop(columns=["area", "city"]))
    with pytest.raises(DataError, match=r"lacks the column 'area' that the model needs\. Did you mean 'Area'\?"):
        codec.transform(FRAME.rename(columns={"area": "Area"}))


def test_missing_columns_can_be_filled_and_are_told():
    arrays = TableCodec.fit(FRAME).transform(FRAME[["new"]], missing_columns="fill")
    assert np.isnan(arrays.numeric).all(axis=0).tolist() == [True, False] + [True] * (arrays.numeric.shape[1] - 2)
    assert arrays.categorical.ravel().tolist() == [1, 1, 1, 1]
    assert arrays.notes == ["The table lacks the columns 'area', 'city', 'sold'; all values are taken as missing."]


def test_columns_not_known_are_left_out_and_told():
    arrays = TableCodec.fit(FRAME).transform(FRAME.assign(price=1))
    assert arrays.notes == ["The table has the column 'price' that the model does not know; left out."]


def test_values_that_are_no_numbers_are_missing_and_told():
    arrays = TableCodec.fit(FRAME).transform(FRAME.assign(area=["50", "about 60", "NA", None]))
    np.testing.assert_array_equal(arrays.numeric[:, 0], [50, np.nan, np.nan, np.nan])
    assert arrays.notes == [
        "Column 'area': 1 of 4 values could not be read as numbers and are taken as missing, such as 'about 60'."
    ]


@pytest.mark.parametrize(
    "values, what",
    [({"area": ["x", "y", None, "z"]}, "numbers"), ({"sold": [1, 2, 3, 4]}, "dates"), ({"new": [2, 3, 4, 5]}, "true or false")],
)
def test_a_column_without_a_readable_value_is_refused(values, what):
    with pytest.raises(DataError, match=f"must hold {what}, as in training"):
        TableCodec.fit(FRAME).transform(FRAME.assign(**values))


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_value_is_named(infinite):
    bad = FRAME.assign(area=[1.0, 2.0, infinite, np.nan])
    message = r"'area' must hold finite numbers; got -?inf in row 2 \(counted from 0\)"
    with pytest.raises(DataError, match=message):
        TableCodec.fit(bad)
    with pytest.raises(DataError, match=message):
        TableCodec.fit(FRAME).transform(bad)
    with pytest.raises(DataError, match=r"'x1' must hold finite numbers; got .* in row 1 "):
        TableCodec.fit(np.array([[1.0, 2.0], [3.0, infinite]]))


def test_infinite_values_in_ignored_columns_do_not_matter():
    codec = TableCodec.fit(FRAME.assign(area=np.inf), ignore=["area"])
    assert "area" not in codec.numeric_names


@pytest.mark.parametrize(
    "frame, options, error, message",
    [
        (FRAME.iloc[:0], {}, DataError, "must have rows"),
        (FRAME[["country"]], {}, DataError, r"No input column is left to learn from \('country': one value only"),
        (pd.DataFrame(index=[0, 1]), {}, DataError, "no input columns"),
        (FRAME, {"ignore": ["aera"]}, DataError, r"'aera' is not in the table\. Did you mean 'area'"),
        (FRAME, {"kinds": {"area": "number"}}, OptionError, "must be one of numeric.*got 'number'"),
        (FRAME, {"kinds": {"city": "numeric"}}, DataError, "'city' cannot be read as numeric"),
        (FRAME.assign(area=1j), {}, DataError, "complex"),
    ],
)
def test_tables_that_cannot_be_learned_from(frame, options, error, message):
    with pytest.raises(error, match=message):
        TableCodec.fit(frame, **options)


def test_missing_columns_option_is_checked():
    with pytest.raises(OptionError, match="must be 'error' or 'fill'; got 'skip'"):
        TableCodec.fit(FRAME).transform(FRAME, missing_columns="skip")


def test_codec_survives_json():
    codec = TableCodec.fit(to_pandas(FRAME))
    again = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again == codec


def _changed(field, value):
    content = TableCodec.fit(FRAME).to_dict()
    content["columns"][1][field] = value
    return content


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "not one that polytask wrote"),
        ({"format": "other", "columns": []}, "not one that polytask wrote"),
        ({**TableCodec.fit(FRAME).to_dict(), "version": 2}, "version 2; this polytask reads 1"),
        ({**TableCodec.fit(FRAME).to_dict(), "columns": []}, "none to learn from"),
        ({**TableCodec.fit(FRAME).to_dict(), "columns": [1]}, "must have the fields"),
        (_changed("name", "area"), "repeats a column"),
        (_changed("kind", "magic"), "unknown kind 'magic'"),
        (_changed("n_rows", True), "'n_rows' of a column .* must be int; got True"),
        (_changed("n_rows", -1), "negative"),
        (_changed("categories", ["b", "a"]), "not sorted"),
        (_changed("categories", ["a", "a"]), "repeat"),
        (_changed("categories", [1]), "not text"),
        (_changed("surprise", 1), "must have the fields"),
    ],
)
def test_a_damaged_schema_is_refused(content, message):
    with pytest.raises(ModelFolderError, match=message):
        TableCodec.from_dict(content)
