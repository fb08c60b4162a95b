"""A sample of a table says of a column what the whole table says."""

import numpy as np
import pandas as pd
import pytest

from polytask.data import TableCodec, infer_column, read_table
from polytask.data._counters import counts_rows

N = 4000
RNG = np.random.default_rng(5)
GAPS = np.sort(RNG.choice(6000, N, replace=False))
COLUMNS = {
    "counter": np.arange(N),
    "from_one": np.arange(1, N + 1),
    "falling": np.arange(N)[::-1],
    "with_gaps": GAPS,
    "shuffled": RNG.permutation(N),
    "sorted_price": np.sort(RNG.integers(1, N, N)),  # some repeat
    "sorted_distinct": np.sort(RNG.choice(10 * N, N, replace=False)),
    "built": 1900 + np.arange(N) // 40,
    "far": np.arange(N) + 10 * N,
    "pairs": np.arange(N) // 2,
    "rising_slowly": np.arange(N) * 1.5,
}


@pytest.fixture(scope="module", params=["t.csv", "t.parquet", "t.jsonl"])
def tables(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / request.param
    frame = pd.DataFrame(COLUMNS)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    return [read_table(path, sample=sample, random_state=3).frame for sample in (None, 1000, 60)]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_sample_agrees_with_the_whole(tables, name):
    counts = name in ("counter", "from_one", "falling", "with_gaps")
    for frame in tables:
        for rows in (frame, frame.iloc[np.sort(RNG.permutation(len(frame))[: len(frame) // 2])]):  # also what is trained on
            info = infer_column(rows[name])
            assert (info.kind == "identifier") == counts, (len(rows), info.reason)


def test_what_is_left_out_of_a_sample_is_told(tables):
    whole, sample, _ = tables
    assert infer_column(whole["counter"]).reason.startswith("counts the rows:")
    assert infer_column(sample["counter"]).reason.startswith("counts the rows of the table it was read from:")
    codec = TableCodec.fit(sample.drop(columns="shuffled"))
    assert not {"counter", "with_gaps", "falling"} & set(codec.numeric_names)
    assert "sorted_price" in codec.numeric_names


def test_a_column_made_anew_is_judged_by_itself(tables):
    _, sample, _ = tables
    made = sample.assign(counter=np.random.default_rng(0).permutation(len(sample)) * 7)
    assert infer_column(made["counter"]).kind == "numeric"


def test_that_all_texts_of_a_sample_differ_is_said_of_the_sample(tmp_path):
    pd.DataFrame({"code": [f"c{k // 2}" for k in range(2000)], "x": np.arange(2000) % 7}).to_csv(tmp_path / "t.csv", index=False)
    frame = read_table(tmp_path / "t.csv", sample=21).frame
    assert infer_column(frame["code"]).reason == "every row has another text (in a sample; all 2,000 rows were not looked at)"
    frame = read_table(tmp_path / "t.csv", sample=2000).frame
    assert "sample" not in infer_column(frame["code"]).reason


def test_few_rows_and_missing_numbers_count_nothing(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,\n")
    assert infer_column(read_table(tmp_path / "t.csv").frame["a"]).kind == "constant"
    assert not counts_rows(np.array([3.0, 3.0, 3.0]))
    assert not counts_rows(np.array([-1.0, 0.0, 1.0]))
