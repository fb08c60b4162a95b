"""The first layers for a table: what needs no gradient (:meth:`TableInputs.prepare`), then categorical embeddings."""

import inspect
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks.encoders._scaling import NumericScaling, Scaling
from polytask.networks.encoders._text import TextProjection, text_width

_HELD = 4_000_000  # numbers that are prepared at a time, so that little is held besides the result
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
    vocabularies : tuple of int
        Codes of the words of each text column, 0 (no word) included.
    """

    n_numeric: int
    with_missing: tuple[int, ...] = ()
    cardinalities: tuple[int, ...] = ()
    vocabularies: tuple[int, ...] = ()


class TableInputs(nn.Module):
    """Numbers, codes and words to one float vector per row.

    ``prepare`` scales numbers, flags missing ones, one-hot encodes small categories and projects words
    (:class:`TextProjection`); it has no parameters, so training runs it once. ``forward`` adds embeddings of large categories.

    >>> inputs = TableInputs(TableShape(2, with_missing=(1,), cardinalities=(4,)))
    >>> dense, codes = inputs.prepare(torch.tensor([[1.0, torch.nan]], dtype=torch.float64), torch.tensor([[3]]))
    >>> inputs(dense, codes).shape
    torch.Size([1, 7])
    """

    def __init__(self, shape: TableShape, *, numeric: Scaling = "standard") -> None:
        super().__init__()
        self.scaling = NumericScaling(shape.n_numeric, scaling=numeric)
        self.n_numeric = shape.n_numeric
        self.with_missing = list(shape.with_missing)
        self.one_hot = [k for k, size in enumerate(shape.cardinalities) if size <= MAX_ONE_HOT]
        self.embedded = [k for k, size in enumerate(shape.cardinalities) if size > MAX_ONE_HOT]
        self.cardinalities = shape.cardinalities
        sizes = [(shape.cardinalities[k], _embedding_width(shape.cardinalities[k])) for k in self.embedded]
        self.embedded_widths = [(k, width) for k, (_, width) in zip(self.embedded, sizes, strict=True)]
        self.embeddings = nn.ModuleList(nn.Embedding(codes, width) for codes, width in sizes)
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, std=1 / math.sqrt(embedding.embedding_dim))  # type: ignore[arg-type]
        self.texts = nn.ModuleList(TextProjection(size) for size in shape.vocabularies)
        self.text_widths = [text_width(size) for size in shape.vocabularies]
        n_dense = shape.n_numeric + len(self.with_missing) + sum(shape.cardinalities[k] for k in self.one_hot)
        n_dense += sum(text_width(size) for size in shape.vocabularies)
        self.n_dense = n_dense
        self.out_features = n_dense + sum(width for _, width in sizes)

    def fit_statistics(self, numeric: Tensor, *tokens: Tensor) -> None:
        """Fit on the training rows: float64 [n, n_numeric], and for each text column codes and counts of words [n, L]."""
        self.scaling.fit(numeric)
        for text, codes, counts in zip(self.texts, tokens[::2], tokens[1::2], strict=True):
            text.fit(codes, counts)  # type: ignore[operator]

    def feature_columns(self) -> Tensor:
        """The column of the table [out_features] that each feature comes from: numbers, then categories, then texts."""
        n_numeric, n_categories = self.n_numeric, len(self.cardinalities)
        dense = [*range(n_numeric), *self.with_missing]
        dense += [n_numeric + k for k in self.one_hot for _ in range(self.cardinalities[k])]
        dense += [n_numeric + n_categories + k for k, width in enumerate(self.text_widths) for _ in range(width)]
        return torch.tensor([*dense, *(n_numeric + k for k, width in self.embedded_widths for _ in range(width))])

    def prepare(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Everything that needs no gradient, once per row.

        Parameters
        ----------
        numeric : float64 Tensor of shape (n, n_numeric)
        categorical : int64 Tensor of shape (n, n_categorical)
        *tokens : Tensor of shape (n, L)
            For each text column the codes of its words and how often they occur.

        Returns
        -------
        dense : float32 Tensor of shape (n, d)
        codes : int64 Tensor of shape (n, n_embedded)
            Left to embed.
        """
        at_once = max(1, _HELD // max(self.n_dense, 1))
        if len(numeric) <= at_once:
            return self._dense(numeric, categorical, *tokens), categorical[:, self.embedded]
        dense = torch.empty(len(numeric), self.n_dense, device=numeric.device)
        for start in range(0, len(numeric), at_once):
            rows = slice(start, start + at_once)
            dense[rows] = self._dense(numeric[rows], categorical[rows], *(own[rows] for own in tokens))
        return dense, categorical[:, self.embedded]

    def _dense(self, numeric: Tensor, categorical: Tensor, *tokens: Tensor) -> Tensor:
        parts = [self.scaling(numeric), numeric[:, self.with_missing].isnan().float()]
        for k in self.one_hot:
            parts.append(nn.functional.one_hot(categorical[:, k], self.cardinalities[k]).float())
        parts += [text(codes, counts) for text, codes, counts in zip(self.texts, tokens[::2], tokens[1::2], strict=True)]
        return torch.cat(parts, dim=1)

    def forward(self, dense: Tensor, codes: Tensor) -> Tensor:
        """Dense [..., d] and codes [..., e] to features [..., out_features]."""
        return torch.cat([dense, *(embed(codes[..., k]) for k, embed in enumerate(self.embeddings))], dim=-1)


def check_takes_words(encoder: nn.Module, shape: TableShape) -> None:
    """Raise an :class:`OptionError` if the table has text and the ``prepare`` of an encoder takes no words."""
    if not shape.vocabularies:
        return
    parameters = inspect.signature(encoder.prepare).parameters.values()  # type: ignore[arg-type]
    n_taken = sum(parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters)
    n_given = 2 + 2 * len(shape.vocabularies)
    if n_taken < n_given and all(parameter.kind != parameter.VAR_POSITIONAL for parameter in parameters):
        several = f"{len(shape.vocabularies)} text columns" if len(shape.vocabularies) > 1 else "text column"
        raise OptionError(
            f"The encoder {type(encoder).__name__} cannot read the {several} of the table. Let it have "
            "`prepare(numeric, categorical, *tokens)`, with codes and counts of words for each text column (TextProjection makes "
            "numbers of them), or leave the text out."
        )


def _embedding_width(cardinality: int) -> int:
    """Width of an embedding, the rule of thumb of fastai: 1.6 n^0.56, at most 32."""
    return min(32, round(1.6 * cardinality**0.56))
