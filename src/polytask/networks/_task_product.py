"""A task that exists only where another one is "yes": the product of their probabilities, which every row teaches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class TaskProduct:
    r"""A parent and a child, both binary: in training the child's logit becomes that of p(parent) p(child | parent).

    With logits a and b the product has the logit

    .. math:: -\log(e^{-a} + e^{-b} + e^{-a-b}),

    which is exact for large and for small ones. Its label, "parent and child", is known of every row where the parent's is "no".

    Parameters
    ----------
    parent, child : int
        Numbers of the tasks.
    undefined : bool, default=False
        The user says that labels of the child where the parent is "no" mean nothing, and are to be left out.

    Examples
    --------
    >>> product = TaskProduct(0, 1)
    >>> parent, child = product.outputs([torch.tensor([[0.0]]), torch.tensor([[0.0]])])
    >>> parent.sigmoid().item(), child.sigmoid().item()
    (0.5, 0.25)
    """

    parent: int
    child: int
    undefined: bool = False

    def among(self, tasks: Sequence[int]) -> "TaskProduct":
        """The same where only some of the tasks are left, both of these among them."""
        return replace(self, parent=list(tasks).index(self.parent), child=list(tasks).index(self.child))

    def outputs(self, raw: Sequence[Tensor]) -> list[Tensor]:
        """Raw outputs [..., 1] of every task to those that are learned: the child's becomes the logit of the product."""
        found, (a, b) = list(raw), (raw[self.parent], raw[self.child])
        found[self.child] = -torch.logsumexp(torch.stack([-a, -b, -a - b]), dim=0)
        return found

    def labels(
        self, target: Tensor, weight: Tensor, columns: Sequence[slice], *, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Targets and label weights that are learned: the child's become those of "parent and child".

        Where the parent is "yes" and the child's label is missing, the product is not known. Left out alone such rows would make
        it look rarer than it is, since all rows with a parent of "no" are known. So other rows with a parent of "yes" count for
        them, each by the same factor.

        Parameters
        ----------
        target : Tensor of shape (n, C)
            0 and 1 for these tasks; anything finite where the weight is 0.
        weight : Tensor of shape (n, C)
        columns : sequence of slice
            Where each task's targets stand.
        rows : LongTensor, optional
            Those that are learned from, which say what the factor is; all by default.
        """
        # DIFFERS FROM PAPER: the factor; in the paper no label is missing
        parent, child = columns[self.parent].start, columns[self.child].start
        of_parent, is_yes, is_known = weight[:, parent], target[:, parent] > 0.5, weight[:, child] > 0
        learned = torch.where(is_yes, of_parent, 0.0) if rows is None else torch.where(is_yes, of_parent, 0.0)[rows]
        of_known = (learned * (is_known if rows is None else is_known[rows])).sum()
        factor = torch.where(of_known > 0, learned.sum() / of_known, 1.0)
        target, weight = target.clone(), weight.clone()
        target[:, child] = torch.where(is_yes & is_known, target[:, child], 0.0)
        weight[:, child] = of_parent * torch.where(is_yes, is_known * factor, 1.0)
        return target, weight
