"""Reading tables from files."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polytask.data import ReadTable, read_table
from polytask.exceptions import DataError, OptionError, PolytaskWarning


@pytest.fixture
def write(tmp_path):
    def _write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def columns(table: ReadTable) -> dict[str, list]:
    return table.frame.to_dict("list")


def test_columns_become_what_their_texts_say(write):
    frame = read_table(write("n,x,flag,maybe,name\n1,1.5,True,True,a\n2,1e3,False,,b\n")).frame
    assert [str(dtype) for dtype in frame.dtypes[:4]] == ["int64", "float64", "bool", "boolean"]
    assert frame["name"].tolist() == ["a", "b"]


def test_texts_read_as_missing_are_counted_per_column(write):
    table = read_table(write("a,b\n1,None\nNA,None\n,x\n3, NULL \n"))
    assert table.missing_texts == {"a": {"NA": 1}, "b": {"None": 2, "NULL": 1}}
    assert table.frame["b"].isna().tolist() == [True, True, False, True]


def test_a_class_named_none_is_kept_on_request(write):
    table = read_table(write("x,y\nnan,None\n1,NA\n"), default_missing=False, missing=["NA"])
    assert table.frame["y"].tolist()[0] == "None"
    assert table.missing_texts == {"x": {"nan": 1}, "y": {"NA": 1}}


def test_own_missing_texts_are_added_to_the_default_ones(write):
    table = read_table(write("a,b\n-999,NA\n3,?\n4,x\n"), missing=["-999", "?"])
    assert np.isnan(table.frame["a"][0])
    assert table.frame["b"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separator_is_found(write, sep):
    table = read_table(write(f"a{sep}b{sep}c\n1{sep}x y{sep}3\n2{sep}z{sep}4\n"))
    assert table.source["separator"] == sep
    assert columns(table) == {"a": [1, 2], "b": ["x y", "z"], "c": [3, 4]}


def test_separator_is_found_among_other_marks(write):
    table = read_table(write('a;b;c\n1,5;"x;y";p, q, r\n2,5;z;s, t, u\n'), decimal=",")
    assert columns(table) == {"a": [1.5, 2.5], "b": ["x;y", "z"], "c": ["p, q, r", "s, t, u"]}


def test_a_single_column_needs_no_separator(write):
    assert columns(read_table(write("text\nhello\nworld\n"))) == {"text": ["hello", "world"]}


def test_with_a_decimal_comma_a_point_is_no_decimal_sign(write):
    assert columns(read_table(write("a;b\n1.234;1,5\n5;2,5\n"), decimal=",")) == {"a": ["1.234", "5"], "b": [1.5, 2.5]}


@pytest.mark.parametrize("sep", ["\\t", "tab", None])
def test_tab_can_be_typed(write, sep):
    assert columns(read_table(write("a\tb\n1\t2\n", "t.tsv"), sep=sep)) == {"a": [1], "b": [2]}


def test_gzip_is_seen_from_the_content(write):
    packed = gzip.compress(b"a,b\n1,2\n")
    for name in ("t.csv.gz", "t.csv"):
        assert columns(read_table(write(packed, name))) == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    "content, expected",
    [
        ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}),  # byte order mark
        ("\n\na,b\n\n1,2\n\n\n", {"a": [1], "b": [2]}),  # blank lines
        ("a,b\r\n1,2\r\n", {"a": [1], "b": [2]}),
        ("a,b\n1,2", {"a": [1], "b": [2]}),  # no newline at the end
        ('"a\nz",b\n1,"x\ny"\n', {"a\nz": [1], "b": ["x\ny"]}),  # newlines in quotes
        ('a,b\n1,"say ""hi"""\n', {"a": [1], "b": ['say "hi"']}),
        (" a ,b\n1,2\n", {" a ": [1], "b": [2]}),  # names as they are
        (",b\n0,5\n", {"Unnamed: 0": [0], "b": [5]}),  # as pandas names them
        ("Jitter:RAP,y*\n1,2\n", {"Jitter:RAP": [1], "y*": [2]}),
    ],
)
def test_what_files_look_like(write, content, expected):
    assert columns(read_table(write(content))) == expected


def test_no_text_loses_what_cannot_be_written_again(write):
    frame = read_table(write("zip,big,huge\n007,9007199254740993,99999999999999999999\n12,,1\n")).frame
    assert frame["zip"].tolist() == ["007", "12"]
    assert frame["big"][0] == "9007199254740993"
    assert frame["huge"][0] == "99999999999999999999"


def test_large_whole_numbers_without_gaps_stay_exact(write):
    assert read_table(write("id\n9007199254740993\n9007199254740995\n")).frame["id"].tolist() == [2**53 + 1, 2**53 + 3]


def test_a_column_without_values_is_all_missing(write):
    assert read_table(write("a,b\n,1\n,2\n")).frame["a"].isna().all()


def test_what_pandas_wrote_is_read_back_exactly(write, tmp_path):
    rng = np.random.default_rng(0)
    n = 500
    frame = pd.DataFrame({"f": rng.normal(size=n) * 10.0 ** rng.integers(-300, 300, n), "i": rng.integers(-(2**62), 2**62, n)})
    frame = frame.assign(s=rng.choice(["a", "b c", 'q"q', "x,y", "ü\n"], n), b=rng.random(n) < 0.5)
    frame["gap"] = frame["f"].where(rng.random(n) < 0.5)
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    read = read_table(tmp_path / "t.csv.gz").frame
    pd.testing.assert_frame_equal(read, frame, check_exact=True, check_dtype=False)


def test_parquet_keeps_its_types(tmp_path):
    frame = pd.DataFrame({"id": [1, 2], "s": ["NA", "-"], "b": [True, None], "d": pd.to_datetime(["2020-01-01", None])})
    frame.set_index("id").to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", missing="-")
    assert list(table.frame) == ["id", "s", "b", "d"]  # the index too is a column
    assert table.frame["b"].dtype == "boolean"
    assert table.missing_texts == {"s": {"-": 1}}  # "NA" is a value where missing ones are marked
    assert table.source["format"] == "parquet"


def test_source_says_how_the_file_was_read(write):
    path = write("a;b\n1;2\n")
    assert read_table(path, missing="?").source == {
        "file": str(path),
        "files": [str(path)],
        "format": "csv",
        "separator": ";",
        "decimal": ".",
        "missing": ["?"],
        "default_missing": True,
        "n_rows": 1,
        "n_columns": 2,
    }


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        ("a,b\n", "header but no rows"),
        ("a,b", "header but no rows"),
        ("a,a,b,c,c\n1,2,3,4,5\n", "more than one 'a', 'c'"),
        ("a,b\n1,2\n3\n", r"line 3: every row must have 2 cells.*got 1"),
        ('a,b\n1,2\n"x\ny",3\n3,4,5\n', r"line 5: .*got 3"),
        ('a,b\n1,"2\n3,4\n', "line 2: a quotation mark is opened and never closed"),
        ('a,b\n"1,2\n3,4\n', r"line 2 to 3: .*quotation mark may not be closed"),
        (b"a,b\n1,2\n3,caf\xe9\n", r"byte 0xe9 at position 13, in line 3.*iconv"),
        (b"caf\xe9,b\n1,2\n", "byte 0xe9 at position 3, in line 1"),
        (b"a,b\n1,caf\xc3", "ends within a character"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"PAR1xxx", "damaged Parquet"),
        (gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-20], "could not be read: Compressed file ended"),
    ],
)
def test_a_file_that_is_no_table_gets_one_clear_sentence(write, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(content))
    assert "\n" not in str(caught.value)


def test_bytes_are_counted_across_blocks(write):
    start = "a,b\n" + "1,ü\n" * 400_000  # more than one block, with characters on its edge
    with pytest.raises(DataError, match=rf"byte 0xff at position {len(start.encode()) + 2}, in line 400002\."):
        read_table(write(start.encode() + b"1,\xff\n"))


def test_a_missing_file_names_the_nearest(write):
    path = write("a\n1\n", "train.csv")
    with pytest.raises(DataError, match=r"trian\.csv\. Did you mean 'train\.csv'\?"):
        read_table(path.with_name("trian.csv"))
    with pytest.raises(DataError, match="its folder does not exist"):
        read_table(path.parent / "nowhere" / "train.csv")
    with pytest.raises(DataError, match=r"is a folder, not a file\. In it there are 'train\.csv'"):
        read_table(path.parent)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sep": ";;"}, "`sep` must be one plain character"),
        ({"sep": '"'}, "`sep` must be"),
        ({"decimal": ";"}, "`decimal` must be"),
        ({"sep": ",", "decimal": ","}, "must differ"),
    ],
)
def test_options_that_cannot_be_used(write, options, message):
    with pytest.raises(OptionError, match=message):
        read_table(write("a,b\n1,2\n"), **options)


def test_numbers_with_a_decimal_comma_are_warned_of_unless_the_comma_is_the_decimal_sign(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("area;price;city\n51;10,25;Oslo\n60,5;-3,5;Bergen\n71,5;8;Oslo, Frogner\n", encoding="utf-8")
    with pytest.warns(PolytaskWarning, match="the columns 'area', 'price' look like numbers with a decimal comma.*--decimal ,"):
        read_table(path)
    assert read_table(path, decimal=",").frame["price"].tolist() == [10.25, -3.5, 8]


@pytest.mark.parametrize("cells", [["1,2", "1,2,3", "4,5"], ["1,2", "a,b", "c"], ["1", "2,5", "3"], ["1,5", "", "NA"]])
def test_lists_of_codes_and_single_commas_are_not_taken_for_decimal_commas(tmp_path, cells):
    path = tmp_path / "codes.csv"
    path.write_text("n;codes\n" + "".join(f"{k};{cell}\n" for k, cell in enumerate(cells)), encoding="utf-8")
    assert len(read_table(path).frame) == 3


def test_quoted_commas_in_a_file_separated_by_commas_are_texts(tmp_path):
    path = tmp_path / "quoted.csv"
    path.write_text('n,code\n1,"1,5"\n2,"2,5"\n3,"3,5"\n', encoding="utf-8")
    assert read_table(path).frame["code"].tolist() == ["1,5", "2,5", "3,5"]
