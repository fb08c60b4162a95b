"""A table with everything in it: inputs, targets of several kinds, a group, a split and a weight column."""

import numpy as np
import pandas as pd

from polytask.automatic import MultiTaskPredictor
from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP

TARGETS = ["price", "sold", "grade:ordinal", "visits:count", "tags=has_*:multilabel"]


def houses(n=80, *, seed=0):
    rng = np.random.default_rng(seed)
    area = rng.normal(80, 20, n)
    frame = pd.DataFrame(
        {
            "area": area,
            "city": rng.choice(["Oslo", "Bergen", "Tromsø"], n),
            "price": 3 * area + rng.normal(0, 20, n),
            "sold": np.where(area + rng.normal(0, 10, n) > 80, "yes", "no"),
            "grade": rng.integers(1, 5, n),
            "visits": rng.poisson(area / 20),
            "has_garden": rng.integers(0, 2, n),
            "has_lift": rng.integers(0, 2, n),
            "street": [f"street {k % 16}" for k in range(n)],
            "part": np.array(["train", "train", "train", "validation", "test"])[np.arange(n) % 5],
            "trust": rng.uniform(0.5, 2, n),
        },
        index=np.arange(n) + 1000,
    )
    for column in ("price", "sold", "visits"):
        frame.loc[rng.random(n) < 0.2, column] = None
    return frame


def predictor(targets=TARGETS, *, epochs=3, **settings):
    network = MultiTaskNetwork(encoder=MLP(width=16), max_epochs=epochs, patience=None)
    return MultiTaskPredictor(targets, **{"network": network, "ignore": ["street", "part", "trust"]} | settings)


def weights_of(model):
    return {name: tensor.numpy() for name, tensor in model.network_.network_.module.state_dict().items()}


def assert_same_weights(left, right):
    left, right = weights_of(left), weights_of(right)
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
