"""Every format gives the same table."""

import datetime
import gzip
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from polytask._optional import MissingExtraError
from polytask.data import TableCodec, read_table, written_texts
from polytask.exceptions import DataError

FRAME = pd.DataFrame(
    {
        "area": [50.5, np.nan, 71.0],
        "rooms": [2, 3, 4],
        "city": ["Oslo", None, "Bergen, old"],
        "new": [True, False, True],
        "tags": pd.Series([["a", "b"], [], None], dtype=object),
    }
)
PLAIN = FRAME.drop(columns="tags")


def to_stream(frame, path):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


def to_lines(frame, path):
    rows = [{k: None if isinstance(v, float) and v != v else v for k, v in row.items()} for row in frame.to_dict("records")]
    text = "\n".join(json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text + b"\n\n")


WRITERS = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv.gz": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.parquet": lambda frame, path: frame.to_parquet(path, index=False),
    "t.feather": lambda frame, path: pyarrow.feather.write_feather(frame, path),
    "t.arrow": lambda frame, path: pyarrow.feather.write_feather(frame, path, compression="uncompressed"),
    "t.arrows": to_stream,
    "t.jsonl": to_lines,
    "t.ndjson.gz": to_lines,
    "t.xlsx": lambda frame, path: frame.to_excel(path, index=False),
}
WITH_LISTS = ["t.parquet", "t.feather", "t.arrow", "t.arrows", "t.jsonl", "t.ndjson.gz"]


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_columns(tmp_path, name):
    WRITERS[name](PLAIN, tmp_path / name)
    table = read_table(tmp_path / name)
    frame = table.frame
    assert list(frame) == list(PLAIN)
    np.testing.assert_array_equal(frame["area"].to_numpy(dtype=float), PLAIN["area"])
    assert frame["rooms"].tolist() == [2, 3, 4]
    assert frame["city"].isna().tolist() == [False, True, False]
    assert frame["city"].dropna().tolist() == ["Oslo", "Bergen, old"]
    assert frame["new"].tolist() == [True, False, True]
    assert table.source["n_rows"] == 3


@pytest.mark.parametrize("name", WITH_LISTS)
def test_lists_are_kept_by_the_formats_that_have_them(tmp_path, name):
    WRITERS[name](FRAME, tmp_path / name)
    lists = read_table(tmp_path / name).frame["tags"]
    assert [None if own is None else list(own) for own in lists] == [["a", "b"], [], None]
    assert TableCodec.fit(pd.DataFrame({"tags": lists})).numeric_names == ("tags:tags", "tags=a", "tags=b")


@pytest.mark.parametrize("name", WRITERS)
def test_several_files_are_one_table_in_any_order_of_columns(tmp_path, name):
    for k, part in enumerate((PLAIN.iloc[:2], PLAIN.iloc[2:][list(PLAIN)[::-1]])):
        WRITERS[name](part.reset_index(drop=True), tmp_path / f"part-{k}-{name}")
    whole = read_table(str(tmp_path / f"part-*{name}"))
    assert whole.frame["rooms"].tolist() == [2, 3, 4]
    assert list(whole.frame) == list(PLAIN)
    assert [path[-len(name) - 2] for path in whole.source["files"]] == ["0", "1"]
    again = read_table([tmp_path / f"part-1-{name}", tmp_path / f"part-0-{name}"])
    assert again.frame["rooms"].tolist() == [4, 2, 3]
    assert next(iter(again.frame)) == "new"


def test_types_are_those_of_all_files(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,1\n")
    (tmp_path / "b.csv").write_text("y;x\nu;2.5\n")
    frame = read_table(str(tmp_path / "?.csv")).frame
    assert frame["x"].tolist() == [1.0, 2.5]
    assert frame["y"].tolist() == ["1", "u"]


def test_parquet_files_of_different_types_are_joined(tmp_path):
    pd.DataFrame({"x": [1], "c": ["a"]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"x": [2.5], "c": [7]}).to_parquet(tmp_path / "b.parquet")
    frame = read_table(str(tmp_path / "*.parquet")).frame
    assert frame["x"].tolist() == [1.0, 2.5]
    assert frame["c"].tolist() == ["a", 7]
    assert TableCodec.fit(frame, kinds={"c": "categorical"}).columns[1].categories == ("7", "a")


def test_files_written_by_categories_are_joined(tmp_path):
    for k, values in enumerate((["a", "b"], ["c", "a"])):
        pd.DataFrame({"c": pd.Categorical(values)}).to_parquet(tmp_path / f"{k}.parquet")
    assert read_table(str(tmp_path / "*.parquet")).frame["c"].tolist() == ["a", "b", "c", "a"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.feather", "t.xlsx"])
def test_a_file_with_other_columns_is_named(tmp_path, name):
    WRITERS[name](PLAIN, tmp_path / f"a-{name}")
    WRITERS[name](PLAIN.rename(columns={"area": "areas"}), tmp_path / f"b-{name}")
    with pytest.raises(DataError, match=rf"b-{name} lacks the column 'area'\. Did you mean 'areas'\?"):
        read_table(str(tmp_path / f"*-{name}"))
    WRITERS[name](PLAIN.assign(more=1), tmp_path / f"b-{name}")
    with pytest.raises(DataError, match=rf"b-{name} has the column 'more', which the first file has not"):
        read_table(str(tmp_path / f"*-{name}"))


def test_files_of_different_formats_are_refused(tmp_path):
    PLAIN.to_csv(tmp_path / "a.csv", index=False)
    PLAIN.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"must be of one format; .*a\.csv is text and .*b\.parquet is Parquet or Arrow"):
        read_table([tmp_path / "a.csv", tmp_path / "b.parquet"])


def test_patterns_and_repeated_files_are_checked(tmp_path):
    PLAIN.to_csv(tmp_path / "a[1].csv", index=False)
    assert len(read_table(str(tmp_path / "a[1].csv")).frame) == 3  # a name, though it looks like a pattern
    with pytest.raises(DataError, match=r"The pattern '.*x-\*\.csv' matches no file"):
        read_table(str(tmp_path / "x-*.csv"))
    with pytest.raises(DataError, match="named twice"):
        read_table([tmp_path / "a[1].csv", str(tmp_path / "*.csv")])
    with pytest.raises(DataError, match="needs at least one file"):
        read_table([])


def test_a_key_that_a_line_lacks_is_missing(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n{"y": "b", "x": 2}\n')
    (tmp_path / "b.jsonl").write_text('{"z": true}\n')
    frame = read_table(str(tmp_path / "*.jsonl")).frame
    assert frame.isna().sum().to_dict() == {"x": 1, "y": 2, "z": 2}


def test_lines_with_values_of_different_types_are_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n{"x": "many"}\n{"x": 2.5}\n')
    assert read_table(tmp_path / "a.jsonl").frame["x"].tolist() == [1, "many", 2.5]


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"x": 1}\n\n{"x": \n', "a.jsonl, line 3: not JSON"),
        ('{"x": 1}\n[1]\n', r"a.jsonl, line 2: a line must be a JSON object with names and values; got '\[1\]'"),
        ("", "is empty"),
        ('{"x": "a', "line 1: not JSON"),
    ],
)
def test_broken_lines_are_named(tmp_path, text, message):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrows", "t.xlsx"])
def test_damaged_files_get_one_clear_sentence(tmp_path, name):
    WRITERS[name](PLAIN, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"damaged|zip archive|could not be read"):
        read_table(tmp_path / name)


def test_missing_texts_are_named_ones_where_the_format_has_nulls(tmp_path):
    frame = pd.DataFrame({"c": ["NA", "?", "x"]})
    for name in ("t.parquet", "t.jsonl", "t.feather"):
        WRITERS[name](frame, tmp_path / name)
        table = read_table(tmp_path / name, missing=["?"])
        assert table.frame["c"].isna().tolist() == [False, True, False]
        assert table.missing_texts == {"c": {"?": 1}}
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    assert read_table(tmp_path / "t.xlsx", missing=["?"]).missing_texts == {"c": {"NA": 1, "?": 1}}


def test_cells_of_excel_keep_their_meaning(tmp_path):
    dates = [datetime.datetime(2024, 5, 31), datetime.datetime(2024, 6, 1, 12)]
    frame = pd.DataFrame({"when": dates, "code": ["007", "012"], "mixed": [1, "a"], "Unnamed": [None, None]})
    frame.rename(columns={"Unnamed": ""}).to_excel(tmp_path / "t.xlsx", index=False)
    found = read_table(tmp_path / "t.xlsx").frame
    assert list(found) == ["when", "code", "mixed"]  # a column without name and cells is left out
    assert found["when"].tolist() == [pd.Timestamp(own) for own in dates]
    assert found["code"].tolist() == ["007", "012"]
    assert found["mixed"].tolist() == [1, "a"]


def test_an_empty_sheet_is_told(tmp_path):
    pd.DataFrame().to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(DataError, match=r"is empty: the first sheet, 'Sheet1', needs a header row and rows"):
        read_table(tmp_path / "t.xlsx")
    PLAIN.iloc[:0].to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(DataError, match="has a header but no rows in its first sheet"):
        read_table(tmp_path / "t.xlsx")


def test_excel_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    PLAIN.to_excel(tmp_path / "t.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r'Reading Excel workbooks needs openpyxl.*pip install "polytask\[excel\]"'):
        read_table(tmp_path / "t.xlsx")


def test_texts_as_written_come_from_all_files(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n007,NA\n")
    (tmp_path / "b.csv").write_text("y;x\n;1.50\n")
    table = read_table(str(tmp_path / "?.csv"))
    assert written_texts(table, ["x", "y"]).to_dict("list") == {"x": ["007", "1.50"], "y": ["NA", ""]}
