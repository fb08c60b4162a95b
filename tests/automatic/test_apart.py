"""The worth of a portfolio without the models that learned the tasks together."""

import time

import numpy as np
import pandas as pd
import pytest

from polytask.automatic import MultiTaskPredictor
from polytask.automatic._apart import skills_apart
from polytask.automatic._portfolio import Candidate, fit_portfolio
from polytask.estimators import MultiTaskForest, linear_models
from tests.automatic.test_portfolio import CONSTANTS, N, learning_data

LINEAR = Candidate("linear", linear_models())
FOREST = Candidate("forest", MultiTaskForest(n_estimators=30, random_state=0), together=True)


@pytest.fixture(scope="module")
def bent():
    """What a straight line cannot learn of one task, and can of the other."""
    return learning_data(lambda X, rng: pd.DataFrame({"bent": X["a"].abs() * 3, "straight": X["a"] + 0.1 * rng.normal(size=N)}))


def test_a_task_that_needs_the_joint_model_is_worse_without_it(bent):
    data, splits = bent
    found = fit_portfolio(data, [LINEAR, CONSTANTS, FOREST], splits, seed=0)
    apart = skills_apart(found, data, splits, seed=0)
    assert apart["bent"] < found.ensembles["bent"].skill - 0.3
    assert apart["straight"] == pytest.approx(found.ensembles["straight"].skill, abs=0.02)


def test_it_is_the_skill_of_a_portfolio_that_never_had_it(bent):
    data, splits = bent
    apart = skills_apart(fit_portfolio(data, [LINEAR, CONSTANTS, FOREST], splits, seed=0), data, splits, seed=0)
    alone = fit_portfolio(data, [LINEAR, CONSTANTS], splits, seed=0)
    assert apart == {name: own.skill for name, own in alone.ensembles.items()}


def test_without_joint_models_or_time_there_is_nothing(bent):
    data, splits = bent
    assert skills_apart(fit_portfolio(data, [LINEAR, CONSTANTS], splits, seed=0), data, splits, seed=0) == {}
    found = fit_portfolio(data, [CONSTANTS, FOREST], splits, seed=0)
    assert skills_apart(found, data, splits, seed=0, until=time.monotonic() - 1) == {}


def test_a_fit_reports_it_unless_no_model_learned_together():
    rng = np.random.default_rng(0)
    a = rng.normal(size=60)
    frame = pd.DataFrame({"a": a, "y": 2 * a + rng.normal(size=60), "z": a + rng.normal(size=60)})
    found = MultiTaskPredictor(["y", "z"], preset="fast").fit(frame)
    assert found.report_["apart"] == {}
