"""Scaling of numeric columns inside the network: fitted once on training rows, kept in buffers."""

from typing import Literal

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError

Scaling = Literal["standard", "quantile", "robust"]

_HELD = 2_000_000  # numbers that are worked on at a time


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

    Notes
    -----
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
        """Set the buffers from training rows, float64 [n, d]; some columns at a time, so that little is held besides."""
        at_once = max(1, _HELD // max(len(numbers), 1))
        for start in range(0, numbers.shape[1], at_once):
            self._fit_columns(numbers[:, start : start + at_once], slice(start, start + at_once))

    def _fit_columns(self, numbers: Tensor, columns: slice) -> None:
        if self.scaling == "quantile":
            levels = torch.linspace(0, 1, self.quantiles.shape[1], dtype=torch.float64)
            self.quantiles[columns] = _quantiles(numbers, levels).T
            numbers = _to_normal(numbers, self.quantiles[columns])
        if self.scaling == "robust":
            low, middle, high = _quantiles(numbers, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
            spread = high - low
            wide = _filled(numbers, torch.full_like(middle, -torch.inf)).amax(0) - _filled(
                numbers, torch.full_like(middle, torch.inf)
            ).amin(0)
            scale = torch.where(spread > 0, spread, wide / 2)  # more than half of the rows equal: half the range
            center = middle
        else:
            seen = ~numbers.isnan()
            count = seen.sum(0).clamp(min=1)
            center = torch.where(seen, numbers, 0.0).sum(0) / count
            scale = (torch.where(seen, numbers - center, 0.0).square().sum(0) / count).sqrt()
        self.center[columns] = center.nan_to_num(0.0)
        self.scale[columns] = torch.where((scale > 0) & scale.isfinite(), scale, 1.0)

    def forward(self, numbers: Tensor) -> Tensor:
        """Scale float64 [n, d] and return float32 [n, d]."""
        if self.scaling == "quantile":
            numbers = _to_normal(numbers, self.quantiles)
        scaled = (numbers - self.center) / self.scale
        if self.scaling == "robust":
            scaled = scaled / torch.sqrt(1 + (scaled / 3).square())
        else:
            scaled = scaled.clamp(-10.0, 10.0)
        return torch.where(scaled.isnan(), 0.0, scaled).float()


def _to_normal(numbers: Tensor, quantiles: Tensor) -> Tensor:
    """Numbers to normal scores by interpolation between the quantiles; a tie gets the middle of its range."""
    n_quantiles = quantiles.shape[1]
    columns = numbers.nan_to_num(0.0).T.contiguous()  # [d, n]
    left = torch.searchsorted(quantiles, columns, side="left")
    right = torch.searchsorted(quantiles, columns, side="right")
    below, above = (right - 1).clamp(0, n_quantiles - 1), right.clamp(0, n_quantiles - 1)
    low, high = quantiles.gather(1, below), quantiles.gather(1, above)
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
