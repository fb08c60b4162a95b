"""The time limit of a whole fit, saving included, is kept though a model never ends; CatBoost is imported before any thread."""

import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from polytask import MultiTaskPredictor, load
from polytask.automatic import Candidate, _portfolio_model
from polytask.automatic._portfolio_model import machine_slowness

LIMIT = 5.0  # seconds
SLACK = 2.5  # for what a small machine needs at any limit; where others work too, as many times that as they are


class NeverEnds(RegressorMixin, BaseEstimator):
    """A fit that nobody can stop, as one inside of compiled code; ``released`` ends it for the test."""

    released = threading.Event()

    def fit(self, X, y):
        NeverEnds.released.wait(90.0)
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@pytest.fixture
def endless(monkeypatch):
    """The models of the preset, and after the third one that never ends."""
    known = _portfolio_model.candidates_of

    def more(*args, **settings):
        found = known(*args, **settings)
        return [*found[:3], Candidate("never ends", {"regressor": NeverEnds()}), *found[3:]]

    monkeypatch.setattr(_portfolio_model, "candidates_of", more)
    NeverEnds.released.clear()
    yield
    NeverEnds.released.set()


def table_of(n):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    table["price"] = 2 * table["a"] + table["b"] ** 2 + 0.3 * rng.normal(size=n)
    table["sold"] = np.where(table["a"] + rng.normal(size=n) > 0, "yes", "no")
    table.loc[::5, "price"] = None
    return table


@pytest.mark.parametrize("n_rows", [2_000, 5_000])  # begun at once; tried on a part of the rows first
def test_the_limit_is_kept_though_a_model_never_ends(n_rows, endless, tmp_path):
    table, started = table_of(n_rows), time.monotonic()
    predictor = MultiTaskPredictor(["price", "sold"], time_limit=LIMIT, threads=2).fit(table)
    predictor.save(tmp_path / "model")
    took = time.monotonic() - started
    assert took < 1.1 * LIMIT + SLACK * machine_slowness()
    assert "never ends" in predictor.report_["left_out_models"]
    assert predictor.report_["ended_by"] == "time"
    assert {"linear", "constant", "LightGBM"} <= set(predictor.leaderboard()["model"])
    assert load(tmp_path / "model").predict(table.head(3)).columns.tolist() == ["price", "sold"]


def test_catboost_is_imported_before_there_are_threads(tmp_path, monkeypatch):
    """Two threads that import it at once may see it half made."""
    own = "import threading\nBY = threading.current_thread() is threading.main_thread()\n"
    own += "THREADS = [one.ident for one in threading.enumerate()]\n"
    (tmp_path / "catboost.py").write_text(own)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "catboost", None)  # so that what is there comes back after the test
    del sys.modules["catboost"]
    before = {one.ident for one in threading.enumerate()}
    MultiTaskPredictor(["price"], preset="best", time_limit=0.01).fit(table_of(60)[["a", "price"]])
    found = sys.modules["catboost"]
    assert found.__file__ == str(tmp_path / "catboost.py")
    assert found.BY
    assert set(found.THREADS) <= before
