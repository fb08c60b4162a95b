"""Periodic embeddings of numbers."""

import math

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks._setting_checks import check_counts, check_flag, check_number
from polytask.networks.encoders._column_linear import ColumnLinear


class PeriodicEmbedding(nn.Module):
    """The module that :class:`Periodic` builds: scaled numbers [..., d] to [..., d * width]."""

    def __init__(self, n_features: int, *, width: int, n_frequencies: int, sigma: float, lite: bool) -> None:
        super().__init__()
        # DIFFERS FROM PAPER: frequencies beyond 3 sigma are drawn again, as in the authors' later package
        frequencies = nn.init.trunc_normal_(torch.empty(n_features, n_frequencies), std=sigma, a=-3 * sigma, b=3 * sigma)
        self.frequencies = nn.Parameter(frequencies)
        linear: nn.Module = nn.Linear(2 * n_frequencies, width) if lite else ColumnLinear(n_features, 2 * n_frequencies, width)
        self.linear = linear
        self.out_features = n_features * width

    def fit(self, numbers: Tensor) -> None:
        """Do nothing: no statistics of the training rows are needed."""

    def forward(self, numbers: Tensor) -> Tensor:
        """Each column to its waves, each column's waves through a linear layer and ReLU, side by side."""
        phases = 2 * math.pi * self.frequencies * numbers[..., None]  # [..., d, k]
        waves = torch.cat([phases.cos(), phases.sin()], dim=-1)
        return self.linear(waves).relu().flatten(-2)


class Periodic(Recipe):
    r"""Periodic embeddings of numbers ("PLR"): waves of learned frequencies, then a linear layer and ReLU per column.

    .. math:: \mathrm{ReLU}(W_j [\cos 2 \pi c_j x_j, \sin 2 \pi c_j x_j] + b_j), \quad c_j \in R^k, \quad c \sim N(0, \sigma^2)

    Parameters
    ----------
    width : int, default=24
        Features per column.
    n_frequencies : int, default=48
        k, waves per column.
    sigma : float > 0, default=0.1
        Spread of the frequencies at the start, for numbers that are scaled to variance 1; the setting that matters most.
    lite : bool, default=False
        One linear layer for all columns instead of one each.

    Notes
    -----
    A missing number has the embedding of the middle of its column; its indicator stands beside.

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022.
    arXiv:2203.05556

    Examples
    --------
    >>> Periodic(width=4).build(3)(torch.zeros(5, 3)).shape
    torch.Size([5, 12])
    """

    def __init__(self, *, width: int = 24, n_frequencies: int = 48, sigma: float = 0.1, lite: bool = False) -> None:
        self.width = width
        self.n_frequencies = n_frequencies
        self.sigma = sigma
        self.lite = lite

    def build(self, n_features: int) -> PeriodicEmbedding:
        """Make the module for so many numeric columns; raises :class:`OptionError` if a setting is out of its range."""
        check_counts("Periodic", width=self.width, n_frequencies=self.n_frequencies)
        check_number("Periodic", sigma=self.sigma)
        if self.sigma == 0:
            raise OptionError(f"`sigma` of Periodic must be positive and finite; got {self.sigma}.")
        check_flag("Periodic", lite=self.lite)
        return PeriodicEmbedding(n_features, width=self.width, n_frequencies=self.n_frequencies, sigma=self.sigma, lite=self.lite)
