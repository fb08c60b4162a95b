import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from polytask.data import read_table, written_texts
from polytask.data._row_sample import RowSample
from polytask.exceptions import OptionError
from tests.data.test_read_formats import WRITERS

FRAME = pd.DataFrame({"x": np.arange(500), "c": [f"row {k}" for k in range(500)]})


def drawn(sample):
    return [value for part in sample.parts() for value in part.column("x").to_pylist()]


def test_every_row_is_as_likely_as_any_other():
    counts = np.zeros(60)
    for seed in range(600):
        sample = RowSample(6, random_state=seed)
        for start in range(0, 60, 20):
            sample.add(pa.table({"x": range(start, start + 20)}))
        rows = drawn(sample)
        assert len(rows) == len(set(rows)) == 6
        assert rows == sorted(rows)
        counts[rows] += 1
    assert ((counts - 60) ** 2 / 60).sum() < 100  # chi squared with 59 degrees of freedom: 0.9995 below


def test_the_parts_do_not_matter_and_little_is_held():
    whole, parts = RowSample(10), RowSample(10)
    whole.add(pa.table({"x": range(10_000)}))
    for start in range(0, 10_000, 7):
        parts.add(pa.table({"x": range(start, min(start + 7, 10_000))}))
        assert sum(len(own) for _, own, _ in parts._kept) <= 4 * 10 + 7
    assert drawn(whole) == drawn(parts)
    assert whole.n_seen == parts.n_seen == 10_000


@pytest.mark.parametrize("name", WRITERS)
def test_a_sample_of_files_is_the_same_rows_every_time(tmp_path, name):
    for k in range(2):
        WRITERS[name](FRAME.iloc[250 * k : 250 * (k + 1)].reset_index(drop=True), tmp_path / f"{k}{name}")
    table = read_table(str(tmp_path / f"?{name}"), sample=40)
    assert len(table.frame) == 40
    assert [f"row {x}" for x in table.frame["x"]] == table.frame["c"].tolist()
    assert table.source["sample"] == {"n_rows": 40, "of_rows": 500, "random_state": 0}
    assert table.frame["x"].between(250, 499).sum() in range(8, 33)
    pd.testing.assert_frame_equal(read_table(str(tmp_path / f"?{name}"), sample=40).frame, table.frame)
    other = read_table(str(tmp_path / f"?{name}"), sample=40, random_state=1).frame
    assert other["x"].tolist() != table.frame["x"].tolist()
    assert written_texts(table, ["c"])["c"].tolist() == table.frame["c"].tolist()


def test_a_sample_larger_than_the_table_is_the_table(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv", sample=9999).frame, read_table(tmp_path / "t.csv").frame)


@pytest.mark.parametrize("sample", [0, -1, 2.5, True, "10"])
def test_a_sample_must_be_a_number_of_rows(tmp_path, sample):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(OptionError, match="`sample` must be a whole number of rows, at least 1"):
        read_table(tmp_path / "t.csv", sample=sample)


def test_positions_are_those_of_the_whole_table():
    sample = RowSample(10)
    for start in range(0, 1000, 70):
        sample.add(pa.table({"x": range(start, min(start + 70, 1000))}))
    assert sample.positions().tolist() == drawn(sample)
    assert RowSample(3).positions().tolist() == []
