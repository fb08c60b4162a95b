"""Tables of odd shapes: hundreds of targets, thousands of columns, hardly any rows of a class, nothing to learn from."""

import json

import numpy as np
import pandas as pd
import pytest


def test_one_row_per_class(end_to_end, polytask, tmp_path, rng):
    n = 30
    frame = pd.DataFrame({"a": rng.normal(size=n), "kind": [f"k{i:02d}" for i in range(n)], "y": rng.normal(size=n)})
    run = end_to_end(frame, ["kind:multiclass", "y"])
    assert [f"kind:p(k{i:02d})" in run.predictions for i in range(n)] == [True] * n
    probabilities = run.predictions.filter(like="kind:p(")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities > 0).to_numpy().all(), "a class that the training rows lack keeps a small probability"
    compared = polytask(
        "compare", tmp_path / "train.csv", "-t", "kind:multiclass", "-t", "y", "--max-steps", 5, "--repeats", 1, "-q"
    )
    assert compared.code == 0


def test_one_text_per_row_is_no_class_unless_said(refused, rng):
    frame = pd.DataFrame({"a": rng.normal(size=30), "kind": [f"k{i}" for i in range(30)]})
    assert "Write kind:multiclass if they are classes" in refused(frame, ["kind"])


def test_500_targets(end_to_end, rng):
    n, n_targets = 100, 500
    inputs = rng.normal(size=(n, 5))
    labels = inputs @ rng.normal(size=(5, n_targets)) + rng.normal(size=(n, n_targets))
    frame = pd.DataFrame(np.hstack([inputs, labels]).round(4), columns=[*"abcde", *(f"y_{k}" for k in range(n_targets))])
    frame = frame.mask(rng.random(frame.shape) < 0.3)
    run = end_to_end(frame, ["y_*"], steps=3)
    assert list(run.predictions) == [f"y_{k}" for k in range(n_targets)]
    assert len(run.scores) == n_targets
    assert sum(task["n_observed"] for task in run.scores.values()) == frame.filter(like="y_").notna().sum().sum()
    assert len(run.predict.err) < 1000, "500 names need not all be shown"


def test_5000_columns(end_to_end, rng):
    inputs = rng.normal(size=(120, 5000)).round(3)
    frame = pd.DataFrame(inputs, columns=[f"x{k}" for k in range(5000)])
    frame["y"], frame["s"] = inputs[:, :10].sum(axis=1), inputs[:, 0] + rng.normal(size=120) > 0
    run = end_to_end(frame, ["y", "s"], steps=5)
    assert run.predictions.notna().all(axis=None)


def test_no_usable_input_is_told_column_by_column(refused, rng):
    n = 60
    frame = pd.DataFrame({"same": 1, "id": [f"u{k:05d}" for k in range(n)], "empty": np.nan, "y": rng.normal(size=n)})
    told = refused(frame, ["y"])
    assert "No input column is left to learn from" in told
    assert all(part in told for part in ("'same': one value only", "'id': every row", "'empty': all missing"))


def test_targets_only(refused, rng):
    frame = pd.DataFrame(rng.normal(size=(40, 2)), columns=["y", "z"])
    assert "the table has no input columns" in refused(frame, ["y", "z"])


def test_columns_that_are_constant_in_the_training_rows(end_to_end, rng):
    n = 120
    late = np.arange(n) >= 100
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "const": np.where(late, 5.0, 0.0),
            "city": np.where(late, "Oslo", "Rome"),
            "gone": np.where(late, 1.0, np.nan),
            "y": rng.normal(size=n),
            "flag": late.astype(int),
            "part": np.where(late, "test", np.where(np.arange(n) >= 80, "validation", "train")),
        }
    )
    run = end_to_end(frame, ["y", "flag"], options=["--split", "part"])
    assert np.isfinite(run.predictions[["y", "flag:p(1)"]]).all(axis=None)
    assert (run.predictions["flag:p(1)"] < 0.5).all(), "in the training rows the flag is never 1"


def test_a_constant_target_is_refused_or_skipped(end_to_end, refused, rng):
    frame = pd.DataFrame({"a": rng.normal(size=50), "y": rng.normal(size=50), "same": 3})
    assert "'same' cannot be learned: it has one value only, 3" in refused(frame, ["y", "same"])
    run = end_to_end(frame, ["y", "same"], options=["--unlearnable", "skip"])
    assert (run.predictions["same"] == 3).all()


def test_one_in_ten_thousand(end_to_end, rng):
    n = 20_000
    frame = pd.DataFrame({"a": rng.normal(size=n).round(3), "rare": 0})
    frame["y"] = frame["a"] + rng.normal(size=n).round(3)
    frame.loc[[5, 777], "rare"] = 1
    run = end_to_end(frame, ["rare", "y"])
    chance = run.predictions["rare:p(1)"]
    assert chance.mean() < 0.01
    assert (chance > 0).all()
    assert run.scores["rare"]["n_observed"] == n
    assert run.scores["rare"]["metrics"]["roc_auc"] is not None


@pytest.mark.parametrize("positives", [[5], [5, 777]])
def test_a_comparison_with_one_or_two_positives_says_what_cannot_be_known(polytask, tmp_path, rng, positives):
    n = 1000
    frame = pd.DataFrame({"a": rng.normal(size=n), "rare": 0})
    frame["y"] = frame["a"] + rng.normal(size=n)
    frame.loc[positives, "rare"] = 1
    frame.to_csv(tmp_path / "train.csv", index=False)
    words = ["-t", "rare", "-t", "y", "--max-steps", 5, "--repeats", 2, "--json", tmp_path / "result.json", "-q"]
    shown = polytask("compare", tmp_path / "train.csv", *words)
    assert shown.code == 0, shown.err
    told = json.loads((tmp_path / "result.json").read_text())["tasks"]["rare"]
    assert {gain["verdict"] for gain in told["gains"].values()} == {"undecided"}
    assert told["n_observed"] == 1000
