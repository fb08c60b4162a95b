"""One label table with a column for every kind of task, and the tasks declared on it."""

import numpy as np
import pandas as pd

from polytask.tasks import Binary, Count, FittedTask, Multiclass, Multilabel, Ordinal, Regression, Task

DECLARED: dict[str, Task] = {
    "regression": Regression("price"),
    "binary": Binary("sold"),
    "multiclass": Multiclass("colour"),
    "ordinal": Ordinal("size", order=("S", "M", "L", "XL")),
    "count": Count("visits"),
    "multilabel": Multilabel("tags", ("a", "b", "c")),
}


def label_table(*, n: int = 200, missing: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    y = pd.DataFrame(
        {
            "price": rng.normal(50, 10, size=n),
            "sold": rng.choice(["no", "yes"], size=n, p=[0.7, 0.3]),
            "colour": rng.choice(["red", "green", "blue"], size=n, p=[0.5, 0.3, 0.2]),
            "size": rng.choice(["S", "M", "L", "XL"], size=n, p=[0.1, 0.4, 0.3, 0.2]),
            "visits": rng.poisson(2.5, size=n),
            "a": rng.integers(0, 2, size=n),
            "b": (rng.uniform(size=n) < 0.2).astype(int),
            "c": (rng.uniform(size=n) < 0.6).astype(int),
        }
    )
    return y.mask(rng.uniform(size=y.shape) < missing)


def fitted_tasks(y: pd.DataFrame) -> dict[str, FittedTask]:
    """Fitted, with the statistics of all rows and weights that differ."""
    found = {}
    for kind, task in DECLARED.items():
        fitted = task.fit(y)
        target = fitted.encode(y)
        found[kind] = fitted.with_statistics(target, weights_of(target))
    return found


def weights_of(target: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.where(np.isnan(target), 0.0, rng.uniform(0.5, 2.0, size=target.shape))
