"""The first layers for a table whose numbers are embedded."""

from typing import Any

import torch
from torch import Tensor

from polytask.exceptions import OptionError
from polytask.networks._recipe import Recipe
from polytask.networks.encoders._scaling import Scaling
from polytask.networks.encoders._table_inputs import TableInputs, TableShape


class EmbeddedInputs(TableInputs):
    """Inputs of a table, with an embedding of its numbers in their place.

    Scaling, indicators, categories and text are as in :class:`TableInputs`; the scaled numbers, its first ``n_numeric`` features,
    go through the embedding.

    >>> from polytask.networks.encoders import Periodic
    >>> inputs = EmbeddedInputs(TableShape(2, with_missing=(1,)), embedding=Periodic(width=4))
    >>> inputs.out_features
    9
    """

    def __init__(self, shape: TableShape, *, numeric: Scaling = "standard", embedding: Recipe | None = None) -> None:
        super().__init__(shape, numeric=numeric)
        if embedding is not None and not isinstance(embedding, Recipe):
            raise OptionError(
                f"`embedding` must be None or a recipe, such as Periodic() or PiecewiseLinear(); got {embedding!r}."
            )
        built: Any = embedding.build(shape.n_numeric) if embedding is not None and shape.n_numeric else None
        self.embedding = built
        if built is not None:
            self.out_features = int(self.out_features) + int(built.out_features) - shape.n_numeric

    def fit_statistics(self, numeric: Tensor, *tokens: Tensor) -> None:
        """Fit scaling and words, then what the embedding takes from scaled training rows."""
        super().fit_statistics(numeric, *tokens)
        if self.embedding is not None:
            self.embedding.fit(self.scaling(numeric))

    def feature_columns(self) -> Tensor:
        """The column of the table that each feature comes from; an embedding gives as many for every number."""
        columns = super().feature_columns()
        if self.embedding is None:
            return columns
        width = int(self.embedding.out_features) // self.n_numeric
        return torch.cat([torch.arange(self.n_numeric).repeat_interleave(width), columns[self.n_numeric :]])

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Dense [..., d] and codes [..., e] to features [..., out_features]."""
        features = super().forward(dense, codes)
        if self.embedding is None:
            return features
        return torch.cat([self.embedding(features[..., : self.n_numeric]), features[..., self.n_numeric :]], dim=-1)
