"""A table whose tasks are all but told by one input, so that a few epochs learn something."""

import numpy as np
import pandas as pd

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP
from polytask.tasks import Binary, Count, Regression

TASKS = [Regression("price"), Binary("sold"), Count("visits")]


def table(n=80, *, seed=0, missing=0.2):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"area": rng.normal(size=n), "age": rng.normal(size=n), "city": rng.choice(["Oslo", "Bergen"], n)})
    y = pd.DataFrame(
        {
            "price": 3 * X["area"] + rng.normal(0, 0.5, n),
            "sold": np.where(X["area"] + rng.normal(0, 0.5, n) > 0, "yes", "no"),
            "visits": rng.poisson(np.exp(X["area"] / 2)).astype(float),
        }
    )
    return X, y.mask(rng.random(y.shape) < missing)


def small_network(**settings):
    return MultiTaskNetwork(**{"tasks": TASKS, "encoder": MLP(width=16), "max_epochs": 3} | settings)
