"""The shift for a declared loss is learned on rows that are as unseen as those that are predicted."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression

from polytask.data.splits import TimeOrder
from polytask.estimators import PerTaskEstimator
from polytask.estimators._separate_loss import fit_for_loss
from polytask.losses import Quantile
from polytask.tasks import Regression

RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(30), 10)
X = RNG.normal(size=(30, 3))[GROUPS]  # tells the group, and nothing of another one
Y = 3 * RNG.normal(size=30)[GROUPS] + 0.1 * RNG.normal(size=300)
TREES = ExtraTreesRegressor(20, random_state=0)


class Recorded(LinearRegression):
    """Keeps the first input of the rows of every fit; the clones share the list."""

    seen: ClassVar[list[set[float]]] = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(set(X[:, 0]))
        return super().fit(X, y, sample_weight)


@pytest.fixture
def recorded():
    Recorded.seen.clear()
    return Recorded()


def shift(**order):
    return fit_for_loss(TREES, X, Y, loss=Quantile(0.9), fit_arguments={}, **order)[1]


def test_a_quantile_of_new_groups_is_farther_than_of_new_rows():
    assert shift(groups=GROUPS) > 2 > 0.5 > shift()


def test_no_fold_cuts_a_group_although_the_estimator_takes_none(recorded):
    PerTaskEstimator(recorded, [Regression("y", loss="mae")]).fit(
        pd.DataFrame({"group": GROUPS.astype(float), "b": X[:, 0]}), pd.DataFrame({"y": Y}), groups=GROUPS
    )
    *folds, everything = recorded.seen
    assert len(folds) == 5
    assert len(everything) == 30
    assert sum(30 - len(own) for own in folds) == 30  # every group is whole in the one fold that holds it out


def test_with_times_the_shift_is_that_of_the_latest_rows(recorded):
    order = np.random.default_rng(1).permutation(300).astype(float)
    late = order >= 240
    y = np.where(late, 5.0, 0.0) + 0.01 * RNG.normal(size=300)
    _, found = fit_for_loss(recorded, order[:, None] * 0, y, loss=Quantile(0.5), fit_arguments={}, times=TimeOrder(order))
    assert found == pytest.approx(5, abs=0.1)
    assert len(recorded.seen) == 2


@pytest.mark.parametrize("order", [{"groups": np.zeros(300)}, {"times": TimeOrder(np.zeros(300))}], ids=["group", "time"])
def test_one_group_or_time_is_divided_by_rows(order):
    assert shift(**order) == shift()
