"""The first layers for a table: what needs no gradient (:meth:`TableInputs.prepare`), then categorical embeddings."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polytask.networks.encoders._scaling import NumericScaling, Scaling

MAX_ONE_HOT = 12  # with at most this many codes a column is one-hot; else it is embedded


@dataclass(frozen=True)
class TableShape:
    """What fixes the shape of a table encoder.

    Parameters
    ----------
    n_numeric : int
        Numeric columns.
    with_missing : tuple of int
        Numeric columns that get an indicator of a missing value besides.
    cardinalities : tuple of int
        Codes of each categorical column, 0 (unseen) and 1 (missing) included.
    """

    n_numeric: int
    with_missing: tuple[int, ...] = ()
    cardinalities: tuple[int, ...] = ()


class TableInputs(nn.Module):
    """Numbers and codes to one float vector per row.

    ``prepare`` scales numbers, flags missing ones and one-hot encodes small categories; it has no parameters, so training
    runs it once. ``forward`` adds the embeddings of large categories.

    >>> inputs = TableInputs(TableShape(2, with_missing=(1,), cardinalities=(4,)))
    >>> dense, codes = inputs.prepare(torch.tensor([[1.0, torch.nan]], dtype=torch.float64), torch.tensor([[3]]))
    >>> inputs(dense, codes).shape
    torch.Size([1, 7])
    """

    def __init__(self, shape: TableShape, *, numeric: Scaling = "standard") -> None:
        super().__init__()
        self.scaling = NumericScaling(shape.n_numeric, scaling=numeric)
        self.with_missing = list(shape.with_missing)
        self.one_hot = [k for k, size in enumerate(shape.cardinalities) if size <= MAX_ONE_HOT]
        self.embedded = [k for k, size in enumerate(shape.cardinalities) if size > MAX_ONE_HOT]
        self.cardinalities = shape.cardinalities
        sizes = [(shape.cardinalities[k], _embedding_width(shape.cardinalities[k])) for k in self.embedded]
        self.embeddings = nn.ModuleList(nn.Embedding(codes, width) for codes, width in sizes)
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, std=1 / math.sqrt(embedding.embedding_dim))  # type: ignore[arg-type]
        n_dense = shape.n_numeric + len(self.with_missing) + sum(shape.cardinalities[k] for k in self.one_hot)
        self.out_features = n_dense + sum(width for _, width in sizes)

    def fit_statistics(self, numeric: Tensor) -> None:
        """Fit the scaling on the training rows, float64 [n, n_numeric]."""
        self.scaling.fit(numeric)

    def prepare(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Float64 [n, n_numeric] and int64 codes [n, n_categorical] to dense float32 [n, d] and codes left to embed [n, e]."""
        parts = [self.scaling(numeric), numeric[:, self.with_missing].isnan().float()]
        for k in self.one_hot:
            parts.append(nn.functional.one_hot(categorical[:, k], self.cardinalities[k]).float())
        return torch.cat(parts, dim=1), categorical[:, self.embedded]

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Dense [..., d] and codes [..., e] to features [..., out_features]."""
        return torch.cat([dense, *(embed(codes[..., k]) for k, embed in enumerate(self.embeddings))], dim=-1)


def _embedding_width(cardinality: int) -> int:
    """Width of an embedding, the rule of thumb of fastai: 1.6 n^0.56, at most 32."""
    return min(32, round(1.6 * cardinality**0.56))
