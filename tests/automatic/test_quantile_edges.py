"""Edges of quantiles come from rows that are learned from where the table says which these are, never from test rows."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.automatic._roles import divide_table
from polytask.tasks import Derived, fit_derived

N = 120
TEST = np.arange(N) >= 90


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    table = pd.DataFrame({"x": x, "price": np.exp(x), "part": np.where(TEST, "test", "train"), "w": np.where(TEST, 0.0, 1.0)})
    table["fold"] = np.arange(N) % 4
    return table


def roles(frame, **settings):
    options = {"ignore": ["part", "w", "fold"], "group": None, "split": None, "weight": None, "unlearnable": "error"} | settings
    options["ignore"] = [column for column in options["ignore"] if column not in settings.values()]
    return divide_table(frame, targets=["quantiles(price, 4) as quarter"], **options)


def edges(found):
    return found.makers.derived[0].arguments


@pytest.mark.parametrize("settings", [{"split": "part"}, {"weight": "w"}])
def test_test_rows_and_rows_of_weight_zero_do_not_move_the_edges(frame, settings):
    other = frame.assign(price=np.where(TEST, 1000.0 + np.arange(N), frame["price"]))
    assert edges(roles(frame, **settings)) == edges(roles(other, **settings))
    assert edges(roles(frame)) != edges(roles(other))
    train = frame["price"][~TEST]
    np.testing.assert_allclose(edges(roles(frame, **settings)), np.quantile(train, [0.25, 0.5, 0.75]), rtol=1e-3)


def test_rows_that_are_kept_to_choose_the_epoch_do_not_either(frame):
    frame["part"] = np.where(TEST, "validation", "train")
    other = frame.assign(price=np.where(TEST, 1000.0 + np.arange(N), frame["price"]))
    assert edges(roles(frame, split="part")) == edges(roles(other, split="part"))


def test_the_reason_says_of_which_labels(frame):
    told = roles(frame, split="part").reasons["quarter"]
    assert told.endswith("the edges are quantiles of 90 labels, without test rows and rows of weight 0")
    for settings in ({}, {"split": "fold"}):
        told = roles(frame, **settings).reasons["quarter"]
        assert told.endswith("quantiles of all 120 labels, and part of what the task is, whatever rows are held out")


def test_a_fit_takes_them_from_training_rows(frame):
    other = frame.assign(price=np.where(TEST, 1000.0 + np.arange(N), frame["price"]))
    found = [
        MultiTaskPredictor(["quantiles(price, 3) as third"], split="part", ignore=["w", "fold"], max_steps=2).fit(own)
        for own in (frame, other)
    ]
    assert found[0].tasks_[0].labels == found[1].tasks_[0].labels
    assert "without test rows" in found[0].report_["tasks"]["third"]["reason"]


def test_rows_that_count_are_said_by_a_mask():
    prices = pd.Series([1.0, 2.0, 3.0, 4.0, 500.0, 900.0])
    counted = np.arange(6) < 4
    assert fit_derived(Derived("p", "price", "quantiles", (2,)), prices, counted=counted)[0].arguments == (2.5,)
    assert fit_derived(Derived("p", "price", "quantiles", (2,)), prices)[0].arguments == (3.5,)
