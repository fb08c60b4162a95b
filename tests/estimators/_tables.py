"""Small tables with tasks of every kind."""

import numpy as np
import pandas as pd

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression

TASKS = [
    Regression("price"),
    Binary("sold"),
    Multiclass("style"),
    Ordinal("grade"),
    Count("visits"),
    Multilabel("tags", ("garden", "lift")),
]


def houses(n=80, *, seed=0, missing=0.2):
    """Inputs of several kinds with missing values, and labels of six tasks, each missing in some rows."""
    rng = np.random.default_rng(seed)
    area = rng.normal(80, 20, n)
    city = rng.choice(["Oslo", "Bergen", "Tromsø"], n)
    X = pd.DataFrame({"area": area, "age": rng.uniform(0, 50, n), "city": city}, index=[f"house {k}" for k in range(n)])
    y = pd.DataFrame(
        {
            "price": 3 * area + rng.normal(0, 5, n),
            "sold": np.where(area + rng.normal(0, 5, n) > 80, "yes", "no"),
            "style": rng.choice(["cabin", "flat", "villa"], n),
            "grade": pd.array(np.clip(area // 25, 1, 4).astype(int), dtype="Int64"),
            "visits": pd.array(rng.poisson(area / 20), dtype="Int64"),
            "garden": rng.integers(0, 2, n).astype(float),
            "lift": rng.integers(0, 2, n).astype(float),
        },
        index=X.index,
    )
    X.loc[rng.random(n) < 0.1, "age"] = np.nan
    X.loc[rng.random(n) < 0.1, "city"] = None
    for column in y:
        y.loc[rng.random(n) < missing, column] = None
    return X, y


def small_network(tasks=None, **settings):
    """A network that trains in a moment."""
    return MultiTaskNetwork(tasks, **{"encoder": MLP(width=16), "max_epochs": 3, "random_state": 0} | settings)


def assert_same_outputs(left, right):
    """Outputs of two estimators, equal to the bit."""
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
