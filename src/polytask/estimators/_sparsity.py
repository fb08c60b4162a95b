"""What regularization left of a network: columns that are read, weights that are 0."""

from collections.abc import Sequence

import torch

from polytask._parts import PARTS, is_penalized, part_of
from polytask.estimators._fit_networks import FittedNetwork
from polytask.exceptions import OptionError
from polytask.networks import input_columns
from polytask.optim import column_norms


def kept_columns(network: FittedNetwork, names: Sequence[str]) -> list[str] | None:
    """Names of the input columns that some weight reads; see :func:`column_weights`."""
    found = column_weights(network, names)
    return None if found is None else [name for name, norm in found.items() if norm > 0]


def column_weights(network: FittedNetwork, names: Sequence[str]) -> dict[str, float] | None:
    """Norm of all weights that read each input column; None where layers other than linear ones read inputs.

    Parameters
    ----------
    network : FittedNetwork
    names : sequence of str
        Of all columns: numbers, then categories, then texts.
    """
    shape, device = network.shape, next(network.module.parameters()).device
    numeric = torch.zeros(1, shape.n_numeric, dtype=torch.float64 if device.type != "mps" else torch.float32)
    tokens = [own for _ in shape.vocabularies for own in (torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1))]
    inputs = [numeric, torch.zeros(1, len(shape.cardinalities), dtype=torch.long), *tokens]
    try:
        columns = input_columns(network.module, network.module.prepare(*(own.to(device) for own in inputs)))
    except OptionError:
        return None
    norms = column_norms(dict(network.module.named_parameters()), columns)
    return dict(zip(names, norms.tolist(), strict=True))


def zero_shares(network: FittedNetwork) -> dict[str, float]:
    """Share of the weights of each part that are exactly 0; biases, norms, embeddings and gates are not counted."""
    found = {}
    for part in PARTS:
        own = [p.detach() for name, p in network.module.named_parameters() if is_penalized(name) and part_of(name) == part]
        if own:
            found[part] = sum(int((p == 0).sum()) for p in own) / sum(p.numel() for p in own)
    return found
