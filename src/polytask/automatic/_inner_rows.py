"""Which rows an estimator learned from, and which chose its epoch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from polytask.estimators import MultiTaskNetwork

Array = np.ndarray[Any, np.dtype[Any]]


@contextmanager
def noting_inner_rows(model: MultiTaskNetwork) -> Iterator[list[Array]]:
    """Give a list that a fit in the block fills with two arrays: positions of the training and of the validation rows."""
    inner_split, noted = model.inner_split, list[Array]()

    def note(*args: Any, **kwargs: Any) -> tuple[Array, Array]:
        train, held = inner_split(*args, **kwargs)
        noted[:] = [train, held]
        return train, held

    model.__dict__["inner_split"] = note  # for this one model, while the block lasts
    try:
        yield noted
    finally:
        del model.__dict__["inner_split"]
