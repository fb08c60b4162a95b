"""Piecewise-linear embeddings of numbers."""

import torch
from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts
from polytask.networks.encoders._column_linear import ColumnLinear

_NARROWEST = 1e-6  # of scaled numbers: nearer edges are one


class PiecewiseLinearEncoding(nn.Module):
    r"""Numbers [..., d] to their place among bins, [..., d, n_bins]: 1 for bins below, a part of the own bin, 0 for bins above.

    .. math:: e_t = \mathrm{clip}\left(\frac{x - b_{t-1}}{b_t - b_{t-1}}, 0, 1\right)

    The first bin goes on below, the last one above, without a bound. Edges are quantiles of the training rows, kept as buffers;
    equal ones count once, and the places that this leaves are always 0.

    >>> encoding = PiecewiseLinearEncoding(1, n_bins=2)
    >>> encoding.fit(torch.tensor([[0.0], [1.0], [3.0]]))
    >>> encoding(torch.tensor([[0.5], [2.0], [5.0]]))[:, 0].tolist()
    [[0.5, 0.0], [1.0, 0.5], [1.0, 2.0]]
    """

    def __init__(self, n_features: int, *, n_bins: int) -> None:
        super().__init__()
        self.n_bins = n_bins
        for name in ("slope", "offset", "low", "high"):
            self.register_buffer(name, torch.zeros(n_features, n_bins))

    slope: Tensor
    offset: Tensor
    low: Tensor
    high: Tensor

    @torch.no_grad()
    def fit(self, numbers: Tensor) -> None:
        """Set the bins from scaled training rows, float32 [n, d] without NaN."""
        for buffer in (self.slope, self.offset, self.low, self.high):
            buffer.zero_()
        for k in range(numbers.shape[1] if len(numbers) else 0):  # column by column, so that little is held at a time
            edges = _edges(numbers[:, k], self.n_bins)
            n, width = len(edges) - 1, edges.diff()
            self.slope[k, :n], self.offset[k, :n], self.high[k, :n] = 1 / width, -edges[:-1] / width, 1.0
            if n:
                self.low[k, 0], self.high[k, n - 1] = -torch.inf, torch.inf

    def forward(self, numbers: Tensor) -> Tensor:
        """Place of each number among the bins of its column."""
        place = self.offset + self.slope * numbers[..., None]
        return torch.maximum(torch.minimum(place, self.high), self.low)


def _edges(numbers: Tensor, n_bins: int) -> Tensor:
    """Quantiles of the numbers [n], linearly interpolated, from the smallest to the largest; equal ones once."""
    ordered = numbers.sort().values
    position = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64, device=numbers.device) * (len(numbers) - 1)
    below, above = ordered[position.floor().long()], ordered[position.ceil().long()]
    edges = below + (above - below) * (position - position.floor()).to(numbers.dtype)
    kept = edges[:1].tolist()
    for edge in edges[1:].tolist():
        if edge - kept[-1] > _NARROWEST:
            kept.append(edge)
    return edges.new_tensor(kept)


class PiecewiseLinearEmbedding(nn.Module):
    """The module that :class:`PiecewiseLinear` builds: scaled numbers [..., d] to [..., d * width]."""

    def __init__(self, n_features: int, *, width: int, n_bins: int) -> None:
        super().__init__()
        self.encoding = PiecewiseLinearEncoding(n_features, n_bins=n_bins)
        self.line = ColumnLinear(n_features, 1, width)
        self.linear = ColumnLinear(n_features, n_bins, width, bias=False)
        # DIFFERS FROM PAPER: starts as a plain linear embedding, to which the pieces are learned; no ReLU. This is the later
        # version of Gorishniy, Kotelnikov & Babenko, "TabM", ICLR 2025 (arXiv:2410.24210), which the authors recommend
        nn.init.zeros_(self.linear.weight)
        self.out_features = n_features * width

    def fit(self, numbers: Tensor) -> None:
        """Set the bins from scaled training rows [n, d]."""
        self.encoding.fit(numbers)

    def forward(self, numbers: Tensor) -> Tensor:
        """Each column's line and pieces, side by side."""
        return (self.line(numbers[..., None]) + self.linear(self.encoding(numbers))).flatten(-2)


class PiecewiseLinear(Recipe):
    """Piecewise-linear embeddings of numbers ("PLE", quantile bins): a line per column that may bend at quantiles.

    Parameters
    ----------
    width : int, default=12
        Features per column.
    n_bins : int, default=16
        Bins per column; their edges are quantiles of the training rows, so equal numbers of rows fall into them.

    Notes
    -----
    A missing number has the embedding of the middle of its column; its indicator stands beside.

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022.
    arXiv:2203.05556

    Examples
    --------
    >>> embedding = PiecewiseLinear(width=4).build(3)
    >>> embedding.fit(torch.randn(100, 3))
    >>> embedding(torch.zeros(5, 3)).shape
    torch.Size([5, 12])
    """

    def __init__(self, *, width: int = 12, n_bins: int = 16) -> None:
        self.width = width
        self.n_bins = n_bins

    def build(self, n_features: int) -> PiecewiseLinearEmbedding:
        """Make the module for so many numeric columns; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("PiecewiseLinear", width=self.width)
        check_counts("PiecewiseLinear", at_least=2, n_bins=self.n_bins)
        return PiecewiseLinearEmbedding(n_features, width=self.width, n_bins=self.n_bins)
