"""``polytask predict``."""

import shutil

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import make_frame

COLUMNS = [
    "price", "sold", "sold:p(no)", "sold:p(yes)", "grade", "grade:p(1)", "grade:p(2)", "grade:p(3)",
    "visits", "y_sun", "y_sun:p", "y_sea", "y_sea:p",
]  # fmt: skip


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.csv"
    make_frame(30, seed=5).drop(columns=["price", "sold", "grade", "visits", "y_sun", "y_sea"]).to_csv(path, index=False)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "predictions.csv"


def test_every_task_has_its_columns(polytask, fitted, new, out):
    shown = polytask("predict", fitted, new, "--out", out)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == f"30 rows: {out}\n"
    found = pd.read_csv(out)
    assert list(found) == COLUMNS
    np.testing.assert_allclose(found[["sold:p(no)", "sold:p(yes)"]].sum(axis=1), 1)
    assert set(found["sold"]) <= {"yes", "no"}
    assert set(found["y_sun"]) <= {0, 1}
    assert found.notna().all(axis=None)


def test_whole_number_labels_have_no_decimal_point(polytask, fitted, new, out):
    polytask("predict", fitted, new, "--out", out)
    found = pd.read_csv(out, dtype=str)
    assert set(found["grade"]) <= {"1", "2", "3"}
    assert set(found["y_sea"]) <= {"0", "1"}


def test_a_count_is_its_mean_not_rounded(polytask, fitted, new, out):
    polytask("predict", fitted, new, "--out", out)
    assert (pd.read_csv(out)["visits"] % 1 != 0).any()


def test_rows_keep_the_order_of_the_input(polytask, fitted, new, out, tmp_path):
    polytask("predict", fitted, new, "--out", out, "--keep", "id")
    turned = tmp_path / "turned.csv"
    pd.read_csv(new, dtype=str)[::-1].to_csv(turned, index=False)
    polytask("predict", fitted, turned, "--out", tmp_path / "p2.csv", "--keep", "id")
    one, two = out.read_text().splitlines(), (tmp_path / "p2.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in one[1:4]] == ["0000", "0001", "0002"]
    assert one[1:] == two[:0:-1]  # a row's prediction does not depend on its neighbours


def test_kept_columns_are_copied_as_they_are_written(polytask, fitted, out, tmp_path):
    new = tmp_path / "new.csv"
    frame = make_frame(4).drop(columns=["price", "sold"])
    frame.assign(number=["1.50", "", "NA", "007"], text=["a,b", " c", 'd"', "é"]).to_csv(new, index=False)
    polytask("predict", fitted, new, "--out", out, "--keep", "number", "--keep", "text")
    found = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(found)[:3] == ["number", "text", "price"]
    assert found["number"].tolist() == ["1.50", "", "NA", "007"]
    assert found["text"].tolist() == ["a,b", " c", 'd"', "é"]


@pytest.mark.parametrize("name", ["p.tsv", "p.csv.gz", "p.parquet"])
def test_the_name_says_how_it_is_written(polytask, fitted, new, tmp_path, name):
    assert polytask("predict", fitted, new, "--out", tmp_path / name).code == 0
    read = pd.read_parquet if name.endswith("parquet") else lambda path: pd.read_csv(path, sep="\t" if "tsv" in name else ",")
    assert list(read(tmp_path / name)) == COLUMNS


def test_parquet_and_tsv_are_read(polytask, fitted, new, tmp_path, out):
    polytask("predict", fitted, new, "--out", out)
    frame = pd.read_csv(new, dtype={"id": str})
    frame.to_parquet(tmp_path / "new.parquet")
    frame.to_csv(tmp_path / "new.tsv.gz", sep="\t", index=False)
    for name in ("new.parquet", "new.tsv.gz"):
        assert polytask("predict", fitted, tmp_path / name, "--out", tmp_path / "p.csv").code == 0
        assert (tmp_path / "p.csv").read_bytes() == out.read_bytes()


def test_target_columns_in_the_new_data_are_ignored_and_told(polytask, fitted, new, out, tmp_path):
    polytask("predict", fitted, new, "--out", out)
    with_targets = tmp_path / "with.csv"
    pd.read_csv(new, dtype=str).assign(price="nonsense", y_sun=7).to_csv(with_targets, index=False)
    shown = polytask("predict", fitted, with_targets, "--out", tmp_path / "p.csv")
    assert shown.err == "The table holds the target columns 'price', 'y_sun'; they are ignored.\n"
    assert (tmp_path / "p.csv").read_bytes() == out.read_bytes()


def test_unseen_categories_and_unknown_columns_are_told(polytask, fitted, new, out):
    pd.read_csv(new, dtype=str).assign(city="Paris", extra=1).to_csv(new, index=False)
    shown = polytask("predict", fitted, new, "--out", out)
    assert shown.code == 0
    assert "warning: Column 'city': 30 of 30 values are not among the 3 categories" in shown.err
    assert "'extra'" in shown.err


def test_a_missing_column_is_an_error_or_filled(polytask, fitted, new, out):
    pd.read_csv(new, dtype=str).drop(columns="area").to_csv(new, index=False)
    shown = polytask("predict", fitted, new, "--out", out)
    assert shown.code == 2
    assert "'area'" in shown.err
    assert not out.exists()
    shown = polytask("predict", fitted, new, "--out", out, "--missing-columns", "fill")
    assert shown.code == 0
    assert "warning: " in shown.err
    assert len(pd.read_csv(out)) == 30


def test_a_moved_model_predicts_the_same(polytask, fitted, new, out, tmp_path):
    polytask("predict", fitted, new, "--out", out)
    moved = shutil.copytree(fitted, tmp_path / "else" / "where")
    polytask("predict", moved, new, "--out", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes() == out.read_bytes()


def test_the_table_is_read_as_in_the_fit(polytask, tmp_path, frame, out):
    table = tmp_path / "german.csv"
    frame.to_csv(table, index=False, sep=";", decimal=",")
    model = tmp_path / "model"
    words = ["fit", table, "-t", "price", "-t", "visits", "--decimal", ",", "--out", model, "-q", "--max-steps", 5]
    assert polytask(*words).code == 0
    assert polytask("predict", model, table, "--out", out, "-q") == (0, "", "")
    frame.to_csv(table, index=False)
    assert polytask("predict", model, table, "--out", tmp_path / "p.csv", "-q", "--decimal", ".") == (0, "", "")
    assert (tmp_path / "p.csv").read_bytes() == out.read_bytes()


def test_a_skipped_target_is_predicted_as_its_constant_or_empty(polytask, tmp_path, frame, out):
    table, model = tmp_path / "train.csv", tmp_path / "model"
    frame.assign(sold="yes", grade=np.nan).to_csv(table, index=False)
    words = ["fit", table, "-t", "price", "-t", "visits", "-t", "sold", "-t", "grade", "--out", model, "--max-steps", 5]
    assert polytask(*words).code == 2
    assert polytask(*words, "--unlearnable", "skip").code == 0
    polytask("predict", model, table, "--out", out)
    found = pd.read_csv(out)
    assert set(found["sold"]) == {"yes"}
    assert found["grade"].isna().all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep", "idd"], "Column 'idd' of --keep is not in the table. Did you mean 'id'?"),
        (["--keep", "price"], "Column 'price' of --keep has the name of a column of predictions"),
        (["--out", "p.xlsx"], "--out must end in .csv, .tsv"),
        (["--out", "nowhere/p.csv"], "The folder of --out is not there"),
        (["--threads", 0], "--threads must be a whole number >= 1; got 0"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(polytask, fitted, tmp_path, out, words, message):
    new = tmp_path / "new.csv"
    make_frame(10).to_csv(new, index=False)
    shown = polytask("predict", fitted, new, "--out", out, "-q", *words)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_the_input_is_never_overwritten(polytask, fitted, new):
    before = new.read_bytes()
    shown = polytask("predict", fitted, new, "--out", new)
    assert shown.code == 2
    assert "--out must not be the file that is read" in shown.err
    assert new.read_bytes() == before


def test_a_model_that_python_saved_is_used(polytask, new, out, tmp_path):
    from polytask import MultiTaskPredictor

    frame = make_frame(60)
    MultiTaskPredictor(["price", "sold"], preset="fast").fit(frame).save(tmp_path / "own")
    table = tmp_path / "table.csv"
    frame.to_csv(table, index=False)
    shown = polytask("predict", tmp_path / "own", table, "--out", out)
    assert (shown.code, len(pd.read_csv(out))) == (0, 60), shown.err
    assert polytask("evaluate", tmp_path / "own", table).code == 0
