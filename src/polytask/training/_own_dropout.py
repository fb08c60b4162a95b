"""Dropout at a rate of its own in each network of a stack."""

from collections.abc import Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn


class OwnDropout(nn.Module):
    """Dropout whose rate is a buffer, so that networks that run as one may differ in it.

    Examples
    --------
    >>> OwnDropout(torch.tensor(0.0))(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, rate: Tensor) -> None:
        super().__init__()
        self.rate: Tensor
        self.register_buffer("rate", rate)

    def forward(self, x: Tensor) -> Tensor:
        """Zero each number with the probability ``rate``, and divide the others by the rest of it; in training only."""
        if not self.training:
            return x
        kept = 1 - self.rate
        mask = (torch.rand(x.shape, device=x.device) < kept) / kept.clamp(min=torch.finfo(kept.dtype).tiny)
        return x * mask.to(x.dtype)


def differing_rates(modules: Sequence[nn.Module]) -> dict[str, Tensor]:
    """Rates [R] of each dropout whose rate is not the same in all modules of one shape."""
    found: dict[str, Tensor] = {}
    for name, part in modules[0].named_modules(remove_duplicate=False):  # one in two places is replaced in both
        if isinstance(part, nn.Dropout):
            rates = [float(own.get_submodule(name).p) for own in modules]  # type: ignore[arg-type]
            if len(set(rates)) > 1:
                found[name] = torch.tensor(rates)
    return found


def with_own_dropout(module: nn.Module, rates: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a module in which these dropouts have a buffer ``rate``."""
    module = deepcopy(module)
    for name, own in rates.items():
        module.set_submodule(name, OwnDropout(own[0].clone()))
    return module
