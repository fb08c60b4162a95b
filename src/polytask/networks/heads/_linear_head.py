"""The head of one task."""

import torch
from torch import Tensor, nn


class LinearHead(nn.Module):
    """A linear layer whose last outputs may be free constants (the thresholds of an ordinal task).

    Its ``dropout`` is of what it reads, at the rate 0 as long as nobody sets another.

    Parameters
    ----------
    in_features : int
    n_outputs : int
        Raw outputs of the task.
    n_dependent : int, optional
        How many of them, the first ones, depend on the features; all by default.

    Examples
    --------
    >>> head = LinearHead(8, 4, n_dependent=1)
    >>> head(torch.zeros(5, 8)).shape
    torch.Size([5, 4])
    """

    def __init__(self, in_features: int, n_outputs: int, *, n_dependent: int | None = None) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.0)
        self.linear = nn.Linear(in_features, n_outputs if n_dependent is None else n_dependent, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    @property
    def drops(self) -> bool:
        """Whether it drops units now, by a mask of its own."""
        return self.training and getattr(self.dropout, "p", 1.0) > 0

    def forward(self, features: Tensor) -> Tensor:
        """Features [..., in_features] to raw outputs [..., n_outputs]."""
        outputs = self.linear(self.dropout(features))
        constants = self.bias.shape[-1] - outputs.shape[-1]
        return nn.functional.pad(outputs, (0, constants)) + self.bias
