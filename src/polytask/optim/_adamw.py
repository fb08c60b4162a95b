"""AdamW over named parameters, with no decay where it makes no sense."""

from collections.abc import Mapping

import torch
from torch import Tensor

from polytask._parts import is_matrix


def adamw(parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter, ICLR 2019); biases, norms and embeddings are not decayed.

    Parameters
    ----------
    parameters : mapping of name to Tensor
    learning_rate : float > 0
    weight_decay : float >= 0

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> [g["weight_decay"] for g in adamw(dict(layer.named_parameters()), learning_rate=0.1, weight_decay=0.01).param_groups]
    [0.01, 0.0]
    """
    decayed = [p for name, p in parameters.items() if is_matrix(name)]
    free = [p for name, p in parameters.items() if not is_matrix(name)]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    fused = all(p.device.type in ("cpu", "cuda") for p in parameters.values())
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, fused=fused)
