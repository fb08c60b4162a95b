"""Read fitted tasks back from JSON."""

from collections.abc import Iterable
from typing import Any

from polytask.exceptions import ModelFolderError
from polytask.tasks._classification import FittedBinary, FittedMulticlass
from polytask.tasks._count import FittedCount
from polytask.tasks._multilabel import FittedMultilabel
from polytask.tasks._ordinal import FittedOrdinal
from polytask.tasks._regression import FittedRegression
from polytask.tasks._task import FittedTask

_FITTED: dict[str, type[FittedTask]] = {
    task.kind: task for task in (FittedRegression, FittedCount, FittedBinary, FittedMulticlass, FittedOrdinal, FittedMultilabel)
}


def fitted_task_from_dict(values: dict[str, Any], *, own: Iterable[Any] = ()) -> FittedTask:
    """Turn what :meth:`FittedTask.to_dict` gave into the fitted task again.

    >>> import pandas as pd
    >>> from polytask.tasks import Binary
    >>> task = Binary("sold").fit(pd.DataFrame({"sold": [0, 1]}))
    >>> fitted_task_from_dict(task.to_dict()) == task
    True

    Parameters
    ----------
    values : dict
    own : iterable
        The user's own loss functions and metrics; others in it do no harm.

    Raises
    ------
    ModelFolderError
        If the kind is not one of this version, or a loss or metric of the user is not given.
    """
    kind = values.get("kind")
    if kind not in _FITTED:
        known = ", ".join(_FITTED)
        raise ModelFolderError(f"A task of kind {kind!r} is not known to this version; known: {known}. Upgrade polytask.")
    return _FITTED[kind].from_dict(values, own=own)
