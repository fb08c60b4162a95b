"""Weights that are solved for every k steps, and kept between."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from polytask.balancing._method import BalancingMethod, Observed
from polytask.exceptions import OptionError


class Every(BalancingMethod):
    """Compare the tasks' gradients every k steps only, and keep the weights between.

    A step between costs one backward pass: the shared part gets the weighted sum, heads get the gradient of their own loss, as
    in the steps that compare. Weights are kept under the names of the tasks. A task that has no weight yet makes the step one
    that compares; where tasks are absent, the others keep their weights.

    Between solves the direction is no longer what the method promises (it may harm a task), only near it: see how much the
    weights move, in ``Balance.weights``.

    Parameters
    ----------
    method : BalancingMethod
        One whose weights last (``weights_last``): it solves for weights from the Gramian of the step alone. Methods that give a
        direction, use the losses only, or learn from every step are refused.
    k : int >= 1, default=10
        Steps from one solve to the next; 1 is the method itself.

    Raises
    ------
    OptionError
        If the method is not such a one, or ``k`` is not a whole number from 1.

    Examples
    --------
    >>> from polytask.balancing import MGDA, Every, backward
    >>> w = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> method = Every(MGDA(), 5)
    >>> backward([w[0] * 1, w[1] * 3], method, shared_params=[w]).weights
    tensor([0.9000, 0.1000], dtype=torch.float64)
    >>> found = backward([w[0] * 7, w[1] * 3], method, shared_params=[w])
    >>> found.weights
    tensor([0.9000, 0.1000], dtype=torch.float64)
    >>> found.gramian is None
    True

    As text, for a command line or a search: ``every:method=mgda,k=5``.
    """

    needs = frozenset({"gramian"})

    def __init__(self, method: BalancingMethod, k: int = 10) -> None:
        super().__init__()
        if not isinstance(method, BalancingMethod):
            raise OptionError(f"`method` of Every must be a balancing method, such as MGDA(); got {method!r}.")
        if not method.weights_last:
            raise OptionError(
                f"The weights of {type(method).__name__} cannot be kept for several steps: "
                "Every takes methods that solve for weights from the gradients of one step, such as MGDA or UPGrad."
            )
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise OptionError(f"`k` of Every must be a whole number of steps from 1; got {k!r}.")
        self.method = method
        self.k = k

    def compares_now(self, tasks: Sequence[Hashable]) -> bool:
        """Whether the next step compares the gradients of these tasks."""
        known = self.memory.get("weights", {})
        return self._age() >= self.k or any(task not in known for task in tasks)

    def asks_for_digits(self, gramian: Tensor) -> bool:
        """As the method inside."""
        return self.method.asks_for_digits(gramian)

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        if seen.gramian is None or not self.compares_now(seen.tasks):
            weights = self.recall("weights", seen.tasks, default=torch.tensor(torch.nan, dtype=torch.float64))
            self._set_age(self._age() + 1)
            return weights.to(seen.losses.device)
        weights = self.method(seen).double()
        self.memory.pop("weights", None)  # those of tasks that are absent now are of another solve
        self.remember("weights", seen.tasks, weights)
        self._set_age(1)
        return weights

    def _age(self) -> int:
        """Steps since the last solve, that one included."""
        return int(self.recall("age", ("",), default=torch.tensor(self.k))[0])

    def _set_age(self, age: int) -> None:
        self.remember("age", ("",), torch.tensor([age]))
