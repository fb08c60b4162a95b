"""Weights that the user gives."""

from collections.abc import Hashable, Mapping

from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError


class FixedWeights(BalancingMethod):
    """The same weights in every step, by name of the task.

    With ``1 / (constant * n_tasks)``, where ``constant`` is the loss of the best constant prediction, this is equal weighting of
    losses on one scale, which the training loop of polytask does by itself (:class:`Equal` on scaled losses).

    Parameters
    ----------
    weights : mapping from task to float >= 0

    Examples
    --------
    >>> import torch
    >>> from polytask.balancing import FixedWeights, backward
    >>> w = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> backward(w**2, FixedWeights({"price": 0.5, "sold": 2.0}), tasks=["price", "sold"]).weights
    tensor([0.5000, 2.0000], dtype=torch.float64)
    """

    by_task = ("weights",)

    def __init__(self, weights: Mapping[Hashable, float]) -> None:
        super().__init__()
        bad = {task: weight for task, weight in weights.items() if not 0 <= weight < float("inf")}
        if bad or not weights:
            raise OptionError(f"`weights` of FixedWeights must be numbers >= 0, one per task; got {dict(weights)}.")
        self.weights = dict(weights)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks].

        Raises
        ------
        OptionError
            If a task has no weight.
        """
        missing = [task for task in seen.tasks if task not in self.weights]
        if missing:
            raise OptionError(
                f"`weights` of FixedWeights must hold every task; got none for {missing}, only {list(self.weights)}."
            )
        return seen.losses.new_tensor([self.weights[task] for task in seen.tasks])
