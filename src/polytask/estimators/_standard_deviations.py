"""How sure a network is of its means, row by row."""

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch.nn.functional import pad

from polytask.estimators._fit_networks import PADDED_ROWS, table_tensors
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._output_frames import framed
from polytask.exceptions import OptionError
from polytask.losses import Gaussian
from polytask.networks import output_slices
from polytask.tasks import FittedRegression


@torch.no_grad()
def standard_deviations(model: MultiTaskNetwork, X: Any) -> Any:
    """Standard deviations that a fitted network gives its predictions, of tasks whose loss is "gaussian".

    Of the labels around their predicted mean, as the network learned them from training rows, times one factor per task that
    makes them right on the mean over the validation rows. That the network may be wrong elsewhere is not in it.

    Parameters
    ----------
    model : MultiTaskNetwork
    X : table or array of shape (n_samples, n_features)

    Returns
    -------
    deviations : frame of shape (n_samples, n_tasks_of_this_loss)
        In the unit of the labels; of the kind of ``X`` and with its index.

    Raises
    ------
    OptionError
        If no task has this loss.

    Examples
    --------
    >>> import pandas as pd
    >>> from polytask.tasks import Regression
    >>> X = pd.DataFrame({"a": np.linspace(-1, 1, 200)})
    >>> y = pd.DataFrame({"price": np.random.default_rng(0).normal(size=200)})
    >>> model = MultiTaskNetwork(Regression("price", loss="gaussian"), max_epochs=5, random_state=0).fit(X, y)
    >>> bool(standard_deviations(model, X)["price"].between(0.5, 2).all())
    True
    """
    check_is_fitted(model, "tasks_")
    network = model.network_
    wanted = [
        (task, own)
        for task, own in zip(network.tasks, output_slices(network.tasks), strict=True)
        if isinstance(task, FittedRegression) and isinstance(task.loss, Gaussian)
    ]
    if not wanted:
        raise OptionError(
            "No task of this network has standard deviations. Declare regression tasks with loss='gaussian' and fit again."
        )
    arrays = model._coded_inputs(X)
    device, found = next(network.module.parameters()).device, [[] for _ in wanted]  # type: ignore[var-annotated]
    for start in range(0, max(len(arrays.numeric), 1), PADDED_ROWS):
        inputs = table_tensors(arrays, slice(start, start + PADDED_ROWS), device)
        n = len(inputs[0])  # every pass has as many rows, as for predictions
        raw = network.module(*network.module.prepare(*(pad(own, (0, 0, 0, PADDED_ROWS - n)) for own in inputs))).cpu()
        for (task, own), parts in zip(wanted, found, strict=True):
            outputs = raw[..., own].double()
            parts.append(task.standard_deviation(task.of_members(outputs) if raw.dim() == 3 else outputs)[:n].numpy())
    columns = {task.columns[0]: np.concatenate(parts) for (task, _), parts in zip(wanted, found, strict=True)}
    return framed(X, columns, container=model._container)
