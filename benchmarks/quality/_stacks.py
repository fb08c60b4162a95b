"""Networks that differ in learning rate, weight decay and dropout only, such as the trials of a search, trained in one stack."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob
from polytask.training import Replica

MAY_DIFFER = ("learning_rate", "weight_decay", "encoder__dropout")


def fit_at_once(
    models: Sequence[MultiTaskNetwork], X: pd.DataFrame, y: pd.DataFrame, *, reserved: np.ndarray
) -> list[MultiTaskNetwork]:
    """Fit all models to the same rows; one by ``fit``, several as one stack, with the networks of ``fit`` but for dropout."""
    first = models[0]
    if len(models) == 1:
        return [first.fit(X, y, reserved=reserved)]
    if len({repr(_fixed(model)) for model in models}) > 1:
        raise ValueError(f"Models of a stack may differ in {', '.join(MAY_DIFFER)} only; got {[*models]}.")
    arrays, labels = first._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    seed = int(check_random_state(first.random_state).randint(2**31 - 1))
    rows = first.inner_split(labels, weight, groups=None, seed=seed, rows=np.arange(len(weight)), reserved=reserved)
    table = CodedTable(arrays, first.codec_.cardinalities)
    jobs = [NetworkJob(*rows, np.ones(len(labels.tasks), dtype=bool), seed, own_settings=_own(model)) for model in models]
    first.form_, first.tasks_reasons_ = labels.form, labels.reasons
    first._take_rows(*rows)
    return [copy(first)._take(network) for network in first.fit_jobs(jobs, table, labels, weight)]


def _own(model: MultiTaskNetwork) -> Replica:
    given: dict[str, Any] = model.get_params()
    return Replica(**{name.removeprefix("encoder__"): given[name] for name in MAY_DIFFER})


def _fixed(model: MultiTaskNetwork) -> dict[str, Any]:
    """Settings that all have: single numbers, and the classes of parts with their settings."""
    given = {name: value for name, value in model.get_params().items() if name not in MAY_DIFFER and name != "encoder"}
    return {"encoder": type(model.encoder), **given}
