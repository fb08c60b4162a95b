"""What a portfolio is predicted from: in the report in every form, on rows that no model of the fold has seen, in time."""

import time

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from polytask.automatic import MultiTaskPredictor
from polytask.automatic._portfolio_importance import portfolio_importance
from polytask.estimators import CodedTable, LearningData, read_labels
from polytask.reporting import leaderboard_table, render


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"area": rng.normal(size=240), "city": rng.choice(["Oslo", "Bergen"], 240), "noise": rng.normal(size=240)}
    )
    table["price"] = 3 * table["area"] + 0.3 * rng.normal(size=240)
    table["sold"] = np.where((table["city"] == "Oslo") ^ (rng.random(240) < 0.05), "yes", "no")
    table.loc[::5, "price"] = None
    return MultiTaskPredictor(["price", "sold"], preset="fast").fit(table), table


def verdicts(found, task):
    return {entry["name"]: entry["verdict"] for entry in found["tasks"][task]["columns"]}


def test_columns_that_tell_something_matter_and_noise_does_not(fitted):
    found = fitted[0].report_["importance"]
    assert verdicts(found, "price")["area"] == "matters"
    assert verdicts(found, "sold")["city"] == "matters"
    assert {verdicts(found, task)["noise"] for task in ("price", "sold")} <= {"undecided", "unused"}
    entry = next(own for own in found["tasks"]["price"]["columns"] if own["name"] == "area")
    assert entry["low"] < entry["importance"] < entry["high"]
    assert entry["low"] > 0.5
    assert found["rows"] == "held-out"


def test_it_is_drawn_in_every_report_and_told_in_the_terminal(fitted):
    page = render(fitted[0].report_, format="html").decode()
    assert "What is it predicted from?" in page
    assert "## What is it predicted from?" in render(fitted[0].report_, format="md").decode()
    console = Console(width=120, color_system=None)
    with console.capture() as told:
        console.print(leaderboard_table(fitted[0].report_))
    assert "'area' (" in told.get()


def test_skill_is_that_of_rows_that_the_fold_has_not_seen(fitted):
    predictor, _ = fitted
    found, portfolio = predictor.report_["importance"], predictor.model_.portfolio_
    for task in ("price", "sold"):
        assert found["tasks"][task]["skill"] == pytest.approx(portfolio.ensembles[task].skill, abs=0.02)


def test_a_column_learned_by_heart_does_not_matter():
    """Labels are noise: in training rows every column seems to matter, on others none does."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(150, 3)), columns=["a", "b", "y"])
    found = MultiTaskPredictor(["y"], preset="fast").fit(table).report_["importance"]
    assert not any(entry["matters"] for entry in found["tasks"]["y"]["columns"])


def test_without_time_nothing_is_measured_and_that_is_told(fitted):
    model = fitted[0].model_
    labels, weight = read_labels(fitted[1][["price", "sold"]], model.tasks).weighed(None)
    arrays = model.codec_.transform(fitted[1][["area", "city", "noise"]])
    data = LearningData(CodedTable(arrays, model.codec_.cardinalities), labels, weight)
    found, note = portfolio_importance(model.portfolio_, data, model.splits_, model.codec_, seed=0, until=time.monotonic() - 1)
    assert found is None
    assert "no time" in note
    some, note = portfolio_importance(model.portfolio_, data, model.splits_, model.codec_, seed=0, until=time.monotonic() + 60)
    assert not note
    assert some["n_repeats"] == 5
