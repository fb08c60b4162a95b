"""A table as tokens: one vector of the same width for each column, and one more that collects."""

import torch
from torch import Tensor, nn

from polytask.networks._recipe import Recipe
from polytask.networks.encoders._column_linear import ColumnLinear
from polytask.networks.encoders._embedded_inputs import EmbeddedInputs
from polytask.networks.encoders._scaling import Scaling
from polytask.networks.encoders._table_inputs import TableShape
from polytask.networks.encoders._text import text_width


class ColumnTokens(EmbeddedInputs):
    """Numbers, codes and words of a row to tokens, [..., 1 + columns, width]; the first one is the same for all rows.

    ``prepare`` is that of :class:`TableInputs`. A number times a vector of its column, plus a bias of the column; a category has
    a vector of its own, plus the bias; a text column's projection goes through a linear layer. Where a number is missing, a
    vector of its column is added.

    >>> tokens = ColumnTokens(TableShape(2, with_missing=(1,), cardinalities=(4, 50)), width=8)
    >>> prepared = tokens.prepare(torch.zeros(5, 2, dtype=torch.float64), torch.ones(5, 2, dtype=torch.long))
    >>> tokens(*prepared).shape
    torch.Size([5, 5, 8])
    """

    def __init__(self, shape: TableShape, *, width: int, numeric: Scaling = "standard", embedding: Recipe | None = None) -> None:
        super().__init__(shape, numeric=numeric, embedding=embedding)
        self.width = width
        self.sizes = [shape.cardinalities[k] for k in self.one_hot]
        self.text_sizes = [text_width(size) for size in shape.vocabularies]
        self.embeddings = nn.ModuleList(nn.Embedding(shape.cardinalities[k], width) for k in self.embedded)
        for own in self.embeddings:
            _uniform(own.weight, width)  # type: ignore[arg-type]
        self.first_embedding = _uniform(torch.empty(width), width)
        self.bias = _uniform(torch.empty(shape.n_numeric + len(shape.cardinalities), width), width)
        self.small_embeddings = nn.ParameterList(_uniform(torch.empty(size, width), width) for size in self.sizes)
        self.missing_embeddings = _uniform(torch.empty(len(self.with_missing), width), width) if self.with_missing else None
        self.words = nn.ModuleList(nn.Linear(size, width) for size in self.text_sizes)
        per_column = 1 if self.embedding is None else self.embedding.out_features // shape.n_numeric
        self.number_embeddings = ColumnLinear(shape.n_numeric, per_column, width, bias=False)
        if self.embedding is None:
            _uniform(self.number_embeddings.weight, width)
        places = {column: k for k, column in enumerate(self.with_missing)}
        self.places = [places.get(k, len(places)) for k in range(shape.n_numeric)]

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Dense [..., d] and codes [..., e] to tokens [..., 1 + columns, width]."""
        sizes = [self.n_numeric, len(self.with_missing), *self.sizes, *self.text_sizes]
        numbers, missing, *others = dense.split(sizes, dim=-1)
        small, texts = others[: len(self.sizes)], others[len(self.sizes) :]
        columns = [own @ weight for own, weight in zip(small, self.small_embeddings, strict=True)]
        columns += [embed(codes[..., k]) for k, embed in enumerate(self.embeddings)]
        tokens = torch.stack(columns, dim=-2) if columns else dense.new_zeros(*dense.shape[:-1], 0, self.width)
        tokens = torch.cat([self._numbers(numbers, missing), tokens], dim=-2) + self.bias
        words = [linear(own)[..., None, :] for own, linear in zip(texts, self.words, strict=True)]
        return torch.cat([self.first_embedding.expand(*dense.shape[:-1], 1, -1), tokens, *words], dim=-2)

    def _numbers(self, numbers: Tensor, missing: Tensor) -> Tensor:
        """Tokens of the numeric columns without their bias, [..., n_numeric, width]."""
        if self.embedding is None:
            tokens = numbers[..., None] * self.number_embeddings.weight[:, 0]
        else:
            tokens = self.number_embeddings(self.embedding(numbers).unflatten(-1, (self.n_numeric, -1)))
        if self.missing_embeddings is None:
            return tokens
        # the last one is 0, for columns without
        marks = nn.functional.pad(missing[..., None] * self.missing_embeddings, (0, 0, 0, 1))
        return tokens + marks[..., self.places, :]


def _uniform(values: Tensor, width: int) -> nn.Parameter:
    with torch.no_grad():
        values.uniform_(-(width**-0.5), width**-0.5)
    return values if isinstance(values, nn.Parameter) else nn.Parameter(values)
