"""The predictor with a preset: everything that works with a network works with a portfolio of models."""

import time

import numpy as np
import pandas as pd
import pytest

import polytask
from polytask.automatic import MultiTaskPredictor
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError, PolytaskWarning, TargetError
from polytask.networks import MLP
from polytask.reporting import render
from tests.automatic._tables import TARGETS, houses

NETWORK = MultiTaskNetwork(encoder=MLP(width=16), max_epochs=3, patience=None)
NO_INPUTS = ["street", "part", "trust"]


def portfolio(targets=TARGETS, *, preset="fast", **settings):
    ignore = [name for name in NO_INPUTS if name not in settings.values()]
    network = None if preset == "fast" else NETWORK
    return MultiTaskPredictor(targets, **{"preset": preset, "network": network, "ignore": ignore} | settings)


@pytest.fixture(scope="module")
def frame():
    return houses(120)


@pytest.fixture(scope="module")
def fitted(frame):
    return portfolio().fit(frame)


def test_all_kinds_are_predicted_and_scored(fitted, frame):
    assert list(fitted.predict(frame).columns) == ["price", "sold", "grade", "visits", "has_garden", "has_lift"]
    scores = fitted.evaluate(frame)["tasks"]
    assert scores["price"]["skill"] > 0.8
    assert set(fitted.predict_proba(frame)) == {"sold", "grade", "tags"}


def test_a_saved_portfolio_predicts_the_same_numbers(fitted, frame, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = polytask.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict_table(frame), fitted.predict_table(frame), check_exact=True)
    pd.testing.assert_frame_equal(loaded.leaderboard(), fitted.leaderboard())


def test_the_study_of_a_portfolio_goes_along(frame, tmp_path):
    found = MultiTaskPredictor(["price"], preset="fast", time_limit=30, ignore=NO_INPUTS).fit(frame)
    found.save(tmp_path / "model")
    assert polytask.load(tmp_path / "model").study_.fit.preset == "fast"
    assert found.study_.to_dict()["fit"] == {"preset": "fast", "time_limit": 30.0}


def test_only_models_with_weight_are_stored(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    stored = {own.name for own in (tmp_path / "model" / "members").iterdir()}
    assert len(stored) == len(fitted.model_.portfolio_.used)


def test_the_leaderboard_tells_models_and_the_ensemble_per_task_and_on_average(fitted):
    board = fitted.leaderboard()
    assert board["task"].unique().tolist() == ["price", "sold", "grade", "visits", "tags", "(mean)"]
    assert set(board["model"]) == {"ensemble", "linear", "LightGBM", "constant"}
    weights = board[board["model"] != "ensemble"].groupby("task")["weight"].sum()
    np.testing.assert_allclose(weights, 1.0)
    assert (board["megabytes"].dropna() > 0).all()


def test_the_report_shows_the_leaderboard_in_every_format(fitted):
    for format in ("html", "md", "pdf", "json"):
        assert len(render(fitted.report_, format=format)) > 1000
    page = render(fitted.report_, format="html").decode()
    assert "Leaderboard" in page
    assert "chose the epoch" not in page


def test_the_skill_told_is_of_rows_that_were_not_seen(fitted):
    told = fitted.report_["tasks"]["grade"]  # noise
    assert told["validation"]["skill"] < 0.1
    assert fitted.report_["validation"] == "cross-fitted"
    assert told["diagnostics"]


def test_a_label_of_another_task_in_the_same_row_does_not_raise_the_skill_told():
    """With labels that are pure noise no model has skill on rows that it has not seen, whatever is planted in the others."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=150)
    table = pd.DataFrame(
        {"a": rng.normal(size=150), "b": rng.normal(size=150), "y": noise, "z": noise + rng.normal(size=150) / 50}
    )
    found = portfolio(["y", "z"], preset="balanced", ignore=[]).fit(table, time_limit=30)
    assert found.leaderboard()["skill"].max() < 0.06


def test_the_same_seed_gives_the_same_numbers_on_one_thread_and_on_two(frame):
    one, two = (portfolio(["price", "sold"], threads=threads).fit(frame) for threads in (1, 2))
    pd.testing.assert_frame_equal(one.predict_table(frame), two.predict_table(frame), check_exact=True)


def test_groups_are_whole_in_the_shared_split(frame):
    found = portfolio(["price", "sold"], group="street").fit(frame)
    groups = frame["street"].to_numpy()
    for train, held in found.model_.splits_:
        assert not set(groups[train]) & set(groups[held])


def test_with_times_only_later_rows_are_held_out(frame):
    found = portfolio(["price", "sold"], time="trust").fit(frame)
    times = frame["trust"].to_numpy()
    assert len(found.model_.splits_) == 3
    for train, held in found.model_.splits_:
        assert times[train].max() < times[held].min()


def test_validation_rows_of_the_split_column_are_held_out_and_test_rows_never_used(frame):
    found = portfolio(["price", "sold"], split="part").fit(frame)
    learned = frame[frame["part"] != "test"]
    [(train, held)] = found.model_.splits_
    assert set(learned["part"].iloc[held]) == {"validation"}
    assert set(learned["part"].iloc[train]) == {"train"}
    assert found.report_["test"]["n_rows"] == (frame["part"] == "test").sum()


def test_derived_targets_tasks_by_group_losses_and_weights(frame, tmp_path):
    asked = {"weight": "trust", "losses": {"price": "mae"}, "class_weights": {"dear": "balanced"}}
    with pytest.warns(PolytaskWarning, match="functions of it"):
        found = portfolio(["price", "price>250 as dear"], **asked).fit(frame)
    assert found.predict(frame)["dear"].isin([True, False]).all()
    by_city = portfolio(["price"], task_by="city").fit(frame)
    by_city.save(tmp_path / "model")
    loaded = polytask.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(frame)["price"], by_city.predict(frame)["price"])


def test_a_target_that_cannot_be_learned_is_skipped(frame):
    table = frame.assign(never=np.nan)
    found = portfolio(["price", "never"], unlearnable="skip").fit(table)
    assert list(found.predict(table).columns) == ["price", "never"]


def test_text_columns_are_read(frame):
    rng = np.random.default_rng(0)
    words = np.array(["garden", "lift", "quiet", "noisy", "bright", "dark", "old", "new"])
    text = [" ".join(rng.choice(words, 12)) + f" {k}" for k in range(len(frame))]
    found = portfolio(["price", "sold"]).fit(frame.assign(text=text))
    assert len(found.predict(frame.assign(text=text))) == len(frame)


@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_killed_run_goes_on_with_the_models_that_are_whole(frame, tmp_path, has_manifest):
    def stop(name, bagged):
        if name == "LightGBM":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        portfolio(["price", "sold"], threads=1).fit(frame, run_folder=tmp_path / "run", on_model=stop)
    assert sorted(own.name for own in (tmp_path / "run" / "members").iterdir()) == ["constant", "lightgbm", "linear"]
    linear, constant = (tmp_path / "run" / "members" / name for name in ("linear", "constant"))
    held_out = (linear / "held_out.safetensors").read_bytes()  # as a power cut may leave it
    (linear / "held_out.safetensors").write_bytes(held_out[:-100])
    (constant / "manifest.json").write_text("") if has_manifest else (constant / "manifest.json").unlink()
    resumed = portfolio(["price", "sold"], threads=1).fit(frame, run_folder=tmp_path / "run", resume=True)
    whole = portfolio(["price", "sold"], threads=1).fit(frame)
    pd.testing.assert_frame_equal(resumed.predict_table(frame), whole.predict_table(frame), check_exact=True)


def test_a_run_of_other_data_is_not_gone_on_with(frame, tmp_path):
    portfolio(["price"]).fit(frame, run_folder=tmp_path / "run")
    with pytest.raises(OptionError, match="data differ"):
        portfolio(["price"]).fit(frame.iloc[1:], run_folder=tmp_path / "run", resume=True)


def test_a_warm_start_adds_models_to_those_that_are_fitted(frame):
    found = portfolio(["price", "sold"], preset="balanced").fit(frame, time_limit=0.01)
    first = dict(found.model_.portfolio_.bagged)
    assert found.report_["ended_by"] == "time"
    assert any("time limit" in note for note in found.report_["notes"])
    found.fit(frame, time_limit=15, warm_start=True)
    later = found.model_.portfolio_.bagged
    assert len(later) > len(first)
    assert all(later[name] is own for name, own in first.items())


def test_a_warm_start_keeps_what_columns_matter(frame):
    found = portfolio(["price", "sold"]).fit(frame)
    assert found.report_.get("importance") is not None
    found.fit(frame, warm_start=True)
    assert found.report_.get("importance") is not None


def test_a_warm_start_with_another_table_is_refused(frame):
    found = portfolio(["price", "sold"]).fit(frame)
    with pytest.raises(OptionError, match="data differ"):
        found.fit(frame.iloc[1:], warm_start=True)


def test_a_short_time_limit_is_kept_and_still_gives_a_model(frame):
    started = time.monotonic()
    found = portfolio(preset="best").fit(frame, time_limit=4)
    assert time.monotonic() - started < 4 * 3  # the tests' machine may be busy; alone it takes 4
    assert len(found.predict(frame)) == len(frame)
    assert found.report_["left_out_models"]


def test_a_network_has_no_leaderboard_and_a_portfolio_no_network(fitted, frame):
    with pytest.raises(AttributeError, match="portfolio"):
        _ = fitted.network_
    network = MultiTaskPredictor(["price"], network=NETWORK, ignore=NO_INPUTS).fit(frame)
    with pytest.raises(OptionError, match="Only a portfolio"):
        network.leaderboard()
    with pytest.raises(OptionError, match="warm_start"):
        network.fit(frame, warm_start=True)


def test_an_unknown_preset_is_refused(frame):
    with pytest.raises(OptionError, match="must be one of network, fast, balanced, best; got 'quick'"):
        portfolio(preset="quick").fit(frame)


def test_a_table_without_any_label_is_refused(frame):
    with pytest.raises(TargetError):
        portfolio(["price"]).fit(frame.assign(price=np.nan))
