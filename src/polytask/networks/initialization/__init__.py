"""Initialization: how the weights of a network start, by name and by part.

>>> import torch
>>> from polytask.networks.initialization import HeNormal, initialization_of
>>> initialization_of("he_normal")["heads"]
HeNormal()
>>> HeNormal().fill_(torch.empty(8, 4)).shape
torch.Size([8, 4])
"""

from polytask.networks.initialization._initialize import initialization_of, initialize_
from polytask.networks.initialization._initializers import (
    INITIALIZERS,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LeCunNormal,
    LeCunUniform,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Zeros,
)

__all__ = [
    "INITIALIZERS",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Orthogonal",
    "Sparse",
    "TruncatedNormal",
    "Zeros",
    "initialization_of",
    "initialize_",
]
