"""The part of a network that some of its tasks use."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytask.networks import MultiTaskModule, TaskProduct


class PartOfTasks(nn.Module):
    """A network with the heads of some tasks, or of all, as it is trained; its parameters are those of the network itself.

    A single-task twin of a hundred tasks needs one head, not a hundred; what it computes is the same.

    Parameters
    ----------
    module : MultiTaskModule
    tasks : sequence of int
        Numbers of the tasks.
    product : TaskProduct, optional
        Two of these tasks, counted among these, of which the product is learned: outputs are as :meth:`TaskProduct.outputs` makes
        them.

    Examples
    --------
    >>> from polytask.networks import MLP, HardSharing, TableShape
    >>> from polytask.networks.heads import LinearHead
    >>> encoder = MLP(width=8).build(TableShape(2))
    >>> module = MultiTaskModule(encoder, HardSharing().build(8, 3), [LinearHead(8, 1) for _ in range(3)]).eval()
    >>> inputs = module.prepare(torch.zeros(4, 2), torch.zeros(4, 0, dtype=torch.long))
    >>> bool((PartOfTasks(module, [2])(*inputs) == module(*inputs)[:, [2]]).all())
    True
    """

    def __init__(self, module: MultiTaskModule, tasks: Sequence[int], *, product: TaskProduct | None = None) -> None:
        super().__init__()
        self.encoder, self.sharing = module.encoder, module.sharing
        self.heads = nn.ModuleList([module.heads[k] for k in tasks])
        self.tasks, self.product = list(tasks), product
        self.reads_features = module.reads_features

    def features(self, *prepared: Tensor) -> Any:
        """See :meth:`MultiTaskModule.features`."""
        return self.encoder(*prepared) if self.reads_features else prepared

    def outputs_of(self, features: Any) -> list[Tensor]:
        """Features to raw outputs, a tensor for each of these tasks."""
        representations = self.sharing(features) if self.reads_features else self.sharing(*features)
        raw = [head(representations[k]) for head, k in zip(self.heads, self.tasks, strict=True)]
        return raw if self.product is None else self.product.outputs(raw)

    def penalty(self) -> Tensor | None:
        """See :meth:`MultiTaskModule.penalty`."""
        own = getattr(self.sharing, "penalty", None)
        return None if own is None else own()

    def forward(self, *prepared: Tensor) -> Tensor:
        """Prepared inputs to raw outputs of these tasks, side by side."""
        return torch.cat(self.outputs_of(self.features(*prepared)), dim=-1)
