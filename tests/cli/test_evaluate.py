"""``polytask evaluate``."""

import json

import pandas as pd
import pytest

from tests.cli.conftest import make_frame


@pytest.fixture
def labelled_table(tmp_path):
    path = tmp_path / "test.csv"
    make_frame(60, seed=9).to_csv(path, index=False)
    return path


def test_the_metrics_of_every_task_are_shown(polytask, fitted, labelled_table, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    shown = polytask("evaluate", fitted, labelled_table)
    assert (shown.code, shown.err) == (0, "")
    assert "60 rows." in shown.out
    heads = [line.split() for line in shown.out.splitlines() if " labels " in line]
    assert [head[0] for head in heads] == ["regression", "binary", "ordinal", "count", "multilabel"]
    assert {"rmse", "mae", "r2"} <= set(heads[0])


def test_the_json_is_as_documented(polytask, fitted, labelled_table, tmp_path):
    path = tmp_path / "scores.json"
    assert polytask("evaluate", fitted, labelled_table, "-q", "--json", path) == (0, "", "")
    scores = json.loads(path.read_text())
    assert (scores["format"], scores["version"], scores["n_rows"]) == ("polytask.evaluation", 1, 60)
    assert list(scores["tasks"]) == ["price", "sold", "grade", "visits", "tags"]
    for task in scores["tasks"].values():
        assert set(task) == {"kind", "n_observed", "skill", "metrics", "undefined"}
    assert scores["tasks"]["price"]["n_observed"] == 51


def test_scores_agree_with_the_predictions(polytask, fitted, labelled_table, tmp_path):
    polytask("evaluate", fitted, labelled_table, "-q", "--json", tmp_path / "scores.json")
    polytask("predict", fitted, labelled_table, "-q", "--out", tmp_path / "p.csv")
    truth, found = pd.read_csv(labelled_table), pd.read_csv(tmp_path / "p.csv")
    seen = truth["price"].notna()
    mae = (truth["price"] - found["price"])[seen].abs().mean()
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["tasks"]["price"]["metrics"]["mae"] == pytest.approx(mae)
    accuracy = (truth["sold"] == found["sold"])[truth["sold"].notna()].mean()
    assert scores["tasks"]["sold"]["metrics"]["accuracy"] == pytest.approx(accuracy)


def test_the_tasks_are_summed_up_in_what_has_no_unit(polytask, fitted, labelled_table, tmp_path):
    shown = polytask("evaluate", fitted, labelled_table, "--json", tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text())
    skills = [task["skill"] for task in scores["tasks"].values()]
    assert scores["summary"]["skill"]["mean"] == pytest.approx(sum(skills) / 5)
    assert (scores["summary"]["skill"]["min"], scores["summary"]["skill"]["max"]) == (min(skills), max(skills))
    assert "rmse" not in scores["summary"]
    assert scores["summary"]["accuracy"]["n_tasks"] == 2  # of the binary and the ordinal task
    line = next(line.split() for line in shown.out.splitlines() if line.startswith("accuracy"))
    assert line[1:3] == ["2", f"{scores['summary']['accuracy']['mean']:.4g}"]


def test_an_undefined_metric_is_told_and_is_null(polytask, fitted, labelled_table, tmp_path):
    frame = pd.read_csv(labelled_table)
    frame[(frame["sold"] == "yes")].to_csv(labelled_table, index=False)
    shown = polytask("evaluate", fitted, labelled_table, "--json", tmp_path / "scores.json")
    assert shown.code == 0
    assert "sold: roc_auc is undefined: " in shown.out
    sold = json.loads((tmp_path / "scores.json").read_text())["tasks"]["sold"]
    assert sold["metrics"]["roc_auc"] is None
    assert "roc_auc" in sold["undefined"]


def test_a_target_that_is_not_there_is_told(polytask, fitted, labelled_table):
    pd.read_csv(labelled_table).drop(columns="price").to_csv(labelled_table, index=False)
    shown = polytask("evaluate", fitted, labelled_table)
    assert shown.code == 0
    assert "warning: Task 'price' is not scored" in shown.err


def test_without_labels_there_is_nothing_to_score(polytask, fitted, labelled_table):
    pd.read_csv(labelled_table)[["id", "area", "rooms", "city", "site:plot*"]].to_csv(labelled_table, index=False)
    shown = polytask("evaluate", fitted, labelled_table)
    assert shown.code == 2
    assert "None of the target columns" in shown.err


def test_labels_never_seen_in_training_are_told(polytask, fitted, labelled_table):
    frame = pd.read_csv(labelled_table)
    frame.loc[0, "sold"] = "perhaps"
    frame.to_csv(labelled_table, index=False)
    shown = polytask("evaluate", fitted, labelled_table)
    assert shown.code == 0
    assert "warning: Task 'sold': 1 labels are of classes never seen in training" in shown.err


def test_a_table_without_the_weight_column_of_the_fit_is_scored_with_a_warning(polytask, tmp_path):
    make_frame().assign(w=[1, 2] * 40).to_csv(tmp_path / "train.csv", index=False)
    make_frame(seed=9).to_csv(tmp_path / "test.csv", index=False)
    words = ["-t", "price", "-t", "visits", "--weight", "w", "--max-steps", 20, "-q", "--out", tmp_path / "model"]
    assert polytask("fit", tmp_path / "train.csv", *words).code == 0
    shown = polytask("evaluate", tmp_path / "model", tmp_path / "test.csv", "-q")
    assert (shown.code, shown.out) == (0, "")
    assert shown.err.startswith("warning: The table has no column 'w'")
    assert polytask("predict", tmp_path / "model", tmp_path / "test.csv", "-q", "--out", tmp_path / "p.csv").code == 0
    assert polytask("evaluate", tmp_path / "model", tmp_path / "train.csv", "-q") == (0, "", "")


def test_metrics_asked_for_in_the_fit_are_told_then_and_later(polytask, table, labelled_table, tmp_path):
    out, asked = tmp_path / "model", ["sold=precision_at_k:0.1", "sold=expected_calibration_error", "price=spearman"]
    words = ["-t", "price", "-t", "sold", "--ignore", "id", "--max-steps", 2, "-q", "--out", out]
    assert polytask("fit", table, *words, *(word for one in asked for word in ("--metric", one))).code == 0
    report = json.loads((out / "predictor.json").read_text())["report"]
    assert report["study"]["fit"]["metric"] == {
        "sold": ["precision_at_k:0.1", "expected_calibration_error"],
        "price": ["spearman"],
    }
    assert polytask("evaluate", out, labelled_table, "-q", "--json", tmp_path / "scores.json").code == 0
    tasks = json.loads((tmp_path / "scores.json").read_text())["tasks"]
    assert list(tasks["sold"]["metrics"])[:2] == ["precision_at_k:0.1", "expected_calibration_error"]
    assert set(report["tasks"]["sold"]["validation"]["metrics"]) == set(tasks["sold"]["metrics"])
    assert "spearman" in tasks["price"]["metrics"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("prize=spearman", "--metric names 'prize', which is no target. Did you mean 'price'?"),
        ("price=spearmen", "'spearmen'"),
        ("price", "--metric must be TARGET=METRIC, such as sold=precision_at_k:0.1; got 'price'"),
    ],
)
def test_a_metric_that_is_not_there_is_told_before_the_work(polytask, table, tmp_path, word, told):
    shown = polytask("fit", table, "-t", "price", "--ignore", "id", "--metric", word, "-q", "--out", tmp_path / "model")
    assert shown.code == 2
    assert told in shown.err
