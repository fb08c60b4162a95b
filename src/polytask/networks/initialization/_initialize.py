"""A whole network from an initialization for each of its parts."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from polytask._parts import PARTS, is_gate, part_of
from polytask.exceptions import OptionError
from polytask.networks.initialization._initializers import INITIALIZERS, Initializer, Zeros


def initialization_of(given: Any, *, option: str = "`initialization`") -> dict[str, Initializer]:
    """The initialization of the parts of a network that a user names; the others keep what their layers start from.

    Parameters
    ----------
    given : Initializer, str, mapping of part to either, or None
        Such as ``"he_normal"``, ``Orthogonal(gain=1.4)``, ``{"encoder": "he_normal", "heads": "zeros"}`` or
        ``"encoder=he_normal;heads=zeros"``. Parts are "encoder", "sharing" and "heads".
    option : str
        What errors call it.

    Raises
    ------
    OptionError
        If a name or a setting is not known or out of its range.

    Examples
    --------
    >>> initialization_of("encoder=he_normal;heads=zeros")
    {'encoder': HeNormal(), 'heads': Zeros()}
    """
    return {} if given is None else INITIALIZERS.by_part(given, parts=PARTS, option=option)


def initialize_(module: nn.Module, chosen: Mapping[str, Initializer]) -> None:
    """Fill the weights of every layer of the parts that are chosen, and set their hidden biases to 0.

    Layers are those of ``nn.Linear``, and of modules that list pairs of weights [..., out, in] and biases in ``layer_weights()``.
    Embeddings, norms, gates and what else mixes tasks start as they do; biases of heads stay at the constant prediction.

    Raises
    ------
    OptionError
        If a hidden layer would start at 0, or a part that is named has no layers.
    """
    for_all = len(chosen) == len(PARTS) and len(set(chosen.values())) == 1
    for part in () if for_all else chosen.keys() - {part_of(name) for name, _, _ in _layers(module)}:
        raise OptionError(
            f"`initialization` names the part {part!r}, and this network has no layer there that it could fill. Leave it out."
        )
    for name, weight, bias in _layers(module):
        own = chosen.get(part_of(name))
        if own is None:
            continue
        if isinstance(own, Zeros) and part_of(name) != "heads":
            raise OptionError(
                f"'zeros' cannot be where hidden layers are ({name}): all their units would be alike, get the same gradient, and "
                "stay alike for ever. Take 'he_normal', or 'zeros' for the heads only "
                "(--initialization heads=zeros, initialization='heads=zeros')."
            )
        with torch.no_grad():
            own.fill_(weight)
            if bias is not None:
                bias.zero_()


def _layers(module: nn.Module) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Name, weight [..., out, in] and bias of every layer."""
    for name, own in module.named_modules():
        if is_gate(name):  # that of DSelect-k starts small, where its steps are steep
            continue
        if isinstance(own, nn.Linear) and own.weight is not None:
            yield name, own.weight, own.bias
        elif hasattr(own, "layer_weights"):
            for weight, bias in own.layer_weights():
                yield name, weight, bias
