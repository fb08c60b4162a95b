"""Targets made from columns and one task per group, from the table to predictions and scores."""

import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=120), "area (m2)": np.exp(x).round(3), "school": np.arange(120) % 8})
    path = tmp_path / "pupils.csv"
    frame.to_csv(path, index=False)
    return path


def fit(polytask, table, *options):
    model = table.parent / "model"
    done = polytask("fit", str(table), "--out", str(model), "--max-steps", "5", *options)
    assert done.code == 0, done.err
    return model


def test_derived_targets_go_from_the_command_line_to_scores(polytask, table):
    targets = ("-t", "log(area (m2)) as log_area", "-t", "x>0 as positive", "--ignore", "school")
    model, out, scores = fit(polytask, table, *targets), table.parent / "out.csv", table.parent / "scores.json"
    assert polytask("predict", str(model), str(table), "--out", str(out)).code == 0
    assert list(pd.read_csv(out)) == ["log_area", "positive", "positive:p(False)", "positive:p(True)"]
    assert polytask("evaluate", str(model), str(table), "--json", str(scores)).code == 0
    assert json.loads(scores.read_text())["tasks"]["log_area"]["n_observed"] == 120


def test_a_task_per_group_goes_from_the_command_line_to_scores(polytask, table):
    model = fit(polytask, table, "-t", "z", "--task-by", "school")
    some, out = table.parent / "some.csv", table.parent / "out.csv"
    pd.read_csv(table).query("school == 3").to_csv(some, index=False)
    assert polytask("predict", str(model), str(some), "--out", str(out), "--keep", "school").code == 0
    assert list(pd.read_csv(out)) == ["school", "z"]
    shown = polytask("evaluate", str(model), str(some))
    assert "z, all groups" in shown.out
    assert "z[3]" in shown.out
    assert "7 tasks have no labels here: 'z[0]'" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("log(z)", "needs numbers greater than 0"),
        ("log(area)", "Did you mean 'area (m2)'?"),
        ("ln(x)", "unknown function 'ln'"),
        ("bins(x, 100)", "holds none of the 120 labels"),
    ],
)
def test_a_target_that_cannot_be_made_is_one_sentence_and_exit_code_2(polytask, table, target, message):
    done = polytask("fit", str(table), "--out", str(table.parent / "model"), "-t", target)
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err
