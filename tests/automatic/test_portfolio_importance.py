"""What a portfolio is predicted from: in the report in every form, on rows that no model of the fold has seen, in time."""

import time

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from polytask.automatic import MultiTaskPredictor
from polytask.automatic._portfolio_importance import portfolio_importance
from polytask.estimators import CodedTable, LearningData, read_labels
from polytask.exceptions import DataError, OptionError
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


def test_where_time_is_short_fewer_folds_are_asked(fitted, monkeypatch):
    """As if a prediction had taken so long that the time suffices for seven tenths of the folds."""
    import polytask.automatic._portfolio_importance as own

    model = fitted[0].model_
    labels, weight = read_labels(fitted[1][["price", "sold"]], model.tasks).weighed(None)
    data = LearningData(
        CodedTable(model.codec_.transform(fitted[1][["area", "city", "noise"]]), model.codec_.cardinalities), labels, weight
    )
    n_folds = len(model.splits_)
    ticks = iter([0.0, 100.0])
    monkeypatch.setattr(own.time, "perf_counter", lambda: next(ticks))  # 100 s for one fold
    asked = 100.0 * n_folds * (1 + 2 * 3)  # for all folds and columns, twice
    until = time.monotonic() + 0.7 * asked / own.HASTE
    found, note = portfolio_importance(model.portfolio_, data, model.splits_, model.codec_, seed=0, until=until)
    assert not note
    assert found["holds_for"].startswith(f"the models of {int(0.7 * n_folds)} of {n_folds} folds")
    assert verdicts(found, "price")["area"] == "matters"


def test_who_asks_gets_it_though_the_limit_left_no_time(fitted):
    table = fitted[1]
    predictor = MultiTaskPredictor(["price", "sold"], preset="fast", time_limit=0.05).fit(table)
    assert "importance" not in predictor.report_
    assert any("What columns matter was not measured" in note for note in predictor.report_["notes"])
    with pytest.raises(OptionError, match="give `importance` the table of the fit"):
        predictor.importance()
    with pytest.raises(DataError, match="this one differs"):
        predictor.importance(table.head(100))
    found = predictor.importance(table)
    assert found.groupby("task").head(1)["column"].tolist() == ["area", "city"]
    assert predictor.importance().equals(found)
    assert not any("was not measured" in note for note in predictor.report_["notes"])


def test_what_was_measured_in_the_fit_is_given(fitted):
    found = fitted[0].importance()
    assert found.loc[found["task"] == "price", "column"].iloc[0] == "area"
    assert found["importance"].max() > 0.5
