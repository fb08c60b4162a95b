"""Scaling of numeric columns inside the network: fitted once on training rows, kept in buffers."""

from typing import Literal

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError

Scaling = Literal["standard", "quantile", "robust"]


class NumericScaling(nn.Module):
    """Numbers [n, d] with NaN for missing to finite scaled numbers [n, d].

    Parameters
    ----------
    n_features : int
        d, the number of columns.
    scaling : {"standard", "quantile", "robust"}, default="standard"
        ``standard``: mean 0, variance 1. ``quantile``: to a normal distribution by the quantiles of the training rows.
        ``robust``: median 0, the middle half of the rows one unit wide, far values pulled in smoothly to at most 3
        (Holzmüller, Grinsztajn & Steinwart, "Better by Default", NeurIPS 2024).

    A missing number becomes 0, the middle of the column.
    """

    def __init__(self, n_features: int, *, scaling: Scaling = "standard", n_quantiles: int = 101) -> None:
        super().__init__()
        if scaling not in ("standard", "quantile", "robust"):
            raise OptionError(f"`numeric` must be 'robust', 'standard' or 'quantile'; got {scaling!r}.")
        self.scaling = scaling
        self.register_buffer("center", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(n_features, dtype=torch.float64))
        if scaling == "quantile":
            self.register_buffer("quantiles", torch.zeros(n_features, n_quantiles, dtype=torch.float64))

    center: Tensor
    scale: Tensor
    quantiles: Tensor

    @torch.no_grad()
    def fit(self, numbers: Tensor) -> None:
        """Set the buffers from training rows, float64 [n, d]."""
        if self.scaling == "quantile":
            levels = torch.linspace(0, 1, self.quantiles.shape[1], dtype=torch.float64)
            self.quantiles.copy_(_quantiles(numbers, levels).T)
            numbers = self._to_normal(numbers)
        if self.scaling == "robust":
            low, middle, high = _quantiles(numbers, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
            spread = high - low
            wide = _filled(numbers, torch.full_like(middle, -torch.inf)).amax(0) - _filled(
                numbers, torch.full_like(middle, torch.inf)
            ).amin(0)
            scale = torch.where(spread > 0, spread, wide / 2)  # more than half of the rows equal: half the range
            self.center.copy_(middle)
        else:
            seen = ~numbers.isnan()
            count = seen.sum(0).clamp(min=1)
            mean = torch.where(seen, numbers, 0.0).sum(0) / count
            scale = (torch.where(seen, numbers - mean, 0.0).square().sum(0) / count).sqrt()
            self.center.copy_(mean)
        self.scale.copy_(torch.where((scale > 0) & scale.isfinite(), scale, 1.0))
        self.center.nan_to_num_(0.0)

    def forward(self, numbers: Tensor) -> Tensor:
        """Scale float64 [n, d] and return float32 [n, d]."""
        if self.scaling == "quantile":
            numbers = self._to_normal(numbers)
        scaled = (numbers - self.center) / self.scale
        if self.scaling == "robust":
            scaled = scaled / torch.sqrt(1 + (scaled / 3).square())
        else:
            scaled = scaled.clamp(-10.0, 10.0)
        return torch.where(scaled.isnan(), 0.0, scaled).float()

    def _to_normal(self, numbers: Tensor) -> Tensor:
        """Numbers to normal scores by interpolation between the quantiles; a tie gets the middle of its range."""
        n_quantiles = self.quantiles.shape[1]
        columns = numbers.nan_to_num(0.0).T.contiguous()  # [d, n]
        left = torch.searchsorted(self.quantiles, columns, side="left")
        right = torch.searchsorted(self.quantiles, columns, side="right")
        below, above = (right - 1).clamp(0, n_quantiles - 1), right.clamp(0, n_quantiles - 1)
        low, high = self.quantiles.gather(1, below), self.quantiles.gather(1, above)
        between = below + torch.where(high > low, (columns - low) / (high - low), 0.0).clamp(0, 1)
        position = torch.where(left < right, (left + right - 1) / 2, between) / (n_quantiles - 1)
        edge = 0.5 / n_quantiles
        normal = torch.special.ndtri(position.clamp(edge, 1 - edge)).T
        return torch.where(numbers.isnan(), torch.nan, normal)


def _quantiles(numbers: Tensor, levels: Tensor) -> Tensor:
    """Quantiles [levels, d] of the observed numbers of each column, linearly interpolated; 0 for a column without any."""
    ordered = numbers.sort(dim=0).values  # NaN last
    last = ((~numbers.isnan()).sum(0) - 1).clamp(min=0)  # [d]
    position = levels[:, None] * last  # [levels, d]
    low, high = position.floor().long(), position.ceil().long()
    below, above = ordered.gather(0, low), ordered.gather(0, high)
    return (below + (above - below) * (position - low)).nan_to_num(0.0)


def _filled(numbers: Tensor, value: Tensor) -> Tensor:
    return torch.where(numbers.isnan(), value, numbers)
