"""Encoders: a table's numbers and codes to features [n, out_features].

An encoder has ``prepare`` (everything without a gradient, run once), ``forward`` (from prepared inputs to features),
``fit_statistics`` (scaling from training rows, kept in buffers) and ``out_features``. Those of this room show stages besides:
``forward`` is ``embed``, then each of ``blocks``, then ``finish``; ``stage_features`` are the widths between.

>>> import torch
>>> from polytask.networks.encoders import MLP, TableShape
>>> encoder = MLP(width=16).build(TableShape(n_numeric=3))
>>> prepared = encoder.prepare(torch.zeros(5, 3, dtype=torch.float64), torch.zeros(5, 0, dtype=torch.long))
>>> encoder(*prepared).shape
torch.Size([5, 16])
"""

from polytask.networks.encoders._embedded_inputs import EmbeddedInputs
from polytask.networks.encoders._ft_transformer import FTTransformer, FTTransformerEncoder
from polytask.networks.encoders._mlp import MLP, MLPEncoder
from polytask.networks.encoders._periodic import Periodic, PeriodicEmbedding
from polytask.networks.encoders._piecewise import PiecewiseLinear, PiecewiseLinearEmbedding, PiecewiseLinearEncoding
from polytask.networks.encoders._registry import embedding_of, embedding_text, encoder_of, encoder_text
from polytask.networks.encoders._resnet import ResNet, ResNetEncoder
from polytask.networks.encoders._scaling import NumericScaling
from polytask.networks.encoders._table_inputs import TableInputs, TableShape, check_takes_words
from polytask.networks.encoders._text import TextProjection, text_width
from polytask.networks.encoders._tokens import ColumnTokens

__all__ = [
    "MLP",
    "ColumnTokens",
    "EmbeddedInputs",
    "FTTransformer",
    "FTTransformerEncoder",
    "MLPEncoder",
    "NumericScaling",
    "Periodic",
    "PeriodicEmbedding",
    "PiecewiseLinear",
    "PiecewiseLinearEmbedding",
    "PiecewiseLinearEncoding",
    "ResNet",
    "ResNetEncoder",
    "TableInputs",
    "TableShape",
    "TextProjection",
    "check_takes_words",
    "embedding_of",
    "embedding_text",
    "encoder_of",
    "encoder_text",
    "text_width",
]
