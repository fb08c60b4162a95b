"""Gradient accumulation: a batch in parts, balanced as one."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from polytask.balancing._backward import _as_list, _check_served, check_graphs
from polytask.balancing._balance import Balance
from polytask.balancing._combine import accumulate_, combine, is_finite, task_weights
from polytask.balancing._given import check_some_graph, checked_label_weight, losses_and_names, without_nonfinite
from polytask.balancing._gradients._blocks import precise_gramian
from polytask.balancing._gradients._graph import divide, leaves_of, roots_of
from polytask.balancing._gradients._task_gradients import parameter_gradients
from polytask.balancing._method import BalancingMethod, Observed
from polytask.balancing._processes import agreed, check_same, sum_in_place, summed
from polytask.exceptions import OptionError, PolytaskError


class MicroBatches:
    """Collects the gradients of every task over parts of a batch, and balances them once.

    The step is that of the whole batch: losses are weighed by their label weights, and a method sees the tasks' gradients
    added up. Each part's graph is freed before the next; what is kept is one gradient per task.

    Parameters
    ----------
    method : BalancingMethod
    shared_params : iterable of Tensor
        As in :func:`~polytask.balancing.backward`. There is no ``features``: these are other ones in every part.
    group : ProcessGroup, optional
    nonfinite : {"error", "skip"}, default="error"
        What to do where the loss of a task is NaN or infinite in a part: raise, or take the task as absent in that part.

    Examples
    --------
    >>> from polytask.balancing import MicroBatches, PCGrad
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> parts = MicroBatches(PCGrad(), shared_params=[w])
    >>> for x in (torch.tensor([1.0, 0.0]), torch.tensor([3.0, 2.0])):
    ...     parts.add([(w * x).sum(), (w - x).sum()], label_weight=torch.tensor([1.0, 1.0]))
    >>> parts.backward().weights
    tensor([1., 1.], dtype=torch.float64)
    >>> w.grad
    tensor([3., 2.])
    """

    def __init__(
        self, method: BalancingMethod, *, shared_params: Iterable[Tensor] = (), group: Any = None, nonfinite: str = "error"
    ) -> None:
        missing = sorted(getattr(method, "needs", set()) & {"extra_batches", "validation_batch", "second_forward"})
        if missing:
            raise OptionError(f"{type(method).__name__} needs {missing}, which MicroBatches cannot give: use `step`, which can.")
        _check_served(method, shared_params, None)
        self.method = method
        self.shared = _as_list(shared_params)
        self.group = group
        self.nonfinite = nonfinite
        self._names: tuple[Hashable, ...] = ()
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[Tensor, Tensor] = {}  # [n_tasks, values of the parameter]
        self._loss_sums: Tensor | None = None
        self._weights: Tensor | None = None
        self._reached: list[list[Tensor] | None] = []  # leaves of each root, in one order in all processes; None without a graph
        self._separate = True
        self._refused: PolytaskError | None = None

    def add(
        self,
        losses: Tensor | Sequence[Tensor],
        *,
        label_weight: Tensor | None = None,
        tasks: Sequence[Hashable] | None = None,
    ) -> None:
        """Take the gradients of one part; arguments as in :func:`~polytask.balancing.backward`.

        Raises
        ------
        OptionError
            If the tasks are not those of the parts before, or an argument is none of those that ``backward`` takes.
        PolytaskError
            If a loss is not finite; the message names its task. With a ``group`` all errors are told by :meth:`backward`, in
            every process, lest one goes on alone.
        """
        if self.group is None:
            self._add(losses, label_weight, tasks)
            return
        try:
            self._add(losses, label_weight, tasks)
        except PolytaskError as error:
            self._refused = self._refused or error

    def _add(self, losses: Any, label_weight: Any, tasks: Any) -> None:
        values, names = losses_and_names(losses, tasks)
        if values.dim() > 1:
            raise OptionError(f"MicroBatches takes one loss per task, of one network; got shape {tuple(values.shape)}.")
        weight = checked_label_weight(values, label_weight, names, self.nonfinite)
        if self.group is None:
            check_some_graph(losses, weight)
        weight = without_nonfinite(values, weight, names, self.nonfinite, None)
        if self._weights is not None and names != self._names:
            raise OptionError(f"All parts of a batch must have the same tasks; got {list(names)} after {list(self._names)}.")
        roots, separate = roots_of(losses)
        if self.group is not None:
            if self._reached and separate != self._separate:
                raise OptionError("All parts of a batch must give their losses alike: as a list, or out of one operation.")
            known = self._reached or [None] * len(roots)
            pairs = zip(known, roots, strict=True)
            self._reached = [leaves_of(root) if old is None and root is not None else old for old, root in pairs]
        self._names, self._separate = names, separate
        graph = divide(losses)
        leaves = graph.leaves
        if leaves:
            like = losses if isinstance(losses, Tensor) else losses[0]
            found = parameter_gradients(graph, leaves, (), weight, like=like)
            for leaf, columns in zip(leaves, found.rows.split([leaf.numel() for leaf in leaves], dim=1), strict=True):
                self._rows[leaf] = self._rows[leaf] + columns if leaf in self._rows else columns.clone()
        sums = torch.where(weight > 0, values, 0.0) * weight
        self._loss_sums = sums if self._loss_sums is None else self._loss_sums + sums
        self._weights = weight if self._weights is None else self._weights + weight

    def backward(self) -> Balance:
        """Balance what was added, fill ``.grad``, and start anew.

        Raises
        ------
        OptionError
            If nothing was added.
        PolytaskError
            If a task's loss has a graph in some processes only, in all parts; in every process.
        """
        try:
            return self._backward()
        finally:
            self._clear()

    def _backward(self) -> Balance:
        with agreed(self.group):
            if self._refused is not None:
                raise self._refused
            if self._weights is None or self._loss_sums is None:
                raise OptionError("MicroBatches has nothing to balance: call `add` with the losses of each part first.")
        assert self._weights is not None
        assert self._loss_sums is not None
        check_same(self.group, tasks=self._names, method=type(self.method).__name__, losses_are_a_list=self._separate)
        check_graphs((self._reached, self._separate), self._weights, self._names, self.group)
        total = summed(self._weights, self.group)
        factor = torch.where(total > 0, 1 / total, 0.0)
        losses = summed(self._loss_sums, self.group) * factor
        rows = {leaf: row * factor[:, None].to(row) for leaf, row in self._rows.items()}
        if self.group is not None:  # in one order in all processes, whatever part came first
            leaves = [leaf for some in self._reached for leaf in some or ()]
            rows = {leaf: rows[leaf] for leaf in dict.fromkeys([*self.shared, *leaves]) if leaf in rows}
        sum_in_place(rows.values(), self.group)
        shared = [p for p in self.shared if p in rows]
        names, gramian = self._names, None
        if self.method.needs & {"gramian", "jacobian"}:
            if not shared:
                raise OptionError("No loss depends on any of `shared_params`: are they frozen, or those of another network?")
            jacobian = torch.cat([rows[p] for p in shared], dim=1)
            gramian = (jacobian @ jacobian.T).double()
            finite = is_finite(gramian, names, scaled=False)
            if finite and self.method.asks_for_digits(gramian):
                gramian = precise_gramian(jacobian)
            weights, direction = combine(self.method, Observed(losses, total, names, gramian, jacobian), finite=finite)
            for p, part in zip(shared, direction.split([p.numel() for p in shared]), strict=True):
                accumulate_(p, part.view_as(p))
            for p in rows.keys() - set(shared):
                accumulate_(p, rows[p].sum(0).view_as(p))
            absent = total <= 0
            gramian = gramian.masked_fill(absent[:, None] | absent, torch.nan)
        else:
            weights = task_weights(self.method, Observed(losses, total, names))
            for p, row in rows.items():
                accumulate_(p, (weights.to(row) @ row).view_as(p))
        return Balance(names, weights, gramian)
