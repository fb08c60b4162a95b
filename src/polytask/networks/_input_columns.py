"""Which weights of a network read which column of the table."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from polytask.exceptions import OptionError
from polytask.networks.encoders import TableInputs


def input_columns(module: nn.Module, prepared: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Names of the weights [..., out, in] that read the inputs, and of each the table column [in] that a feature comes from.

    Columns are numbered as in a :class:`TableShape`: numbers, then categories, then texts; the indicator of a missing value
    belongs to its column.

    Parameters
    ----------
    module : MultiTaskModule
        Or a part of one, with ``features`` and ``outputs_of``.
    prepared : tuple of Tensor
        Prepared inputs of a row or more.

    Raises
    ------
    OptionError
        If inputs are read by something else too, such as the tokens of a transformer, so that a column cannot be shut out.

    Examples
    --------
    >>> from polytask.networks import MLP, HardSharing, MultiTaskModule, TableShape
    >>> from polytask.networks.heads import LinearHead
    >>> encoder = MLP(width=8).build(TableShape(2, with_missing=(1,)))
    >>> module = MultiTaskModule(encoder, HardSharing().build(8, 1), [LinearHead(8, 1)])
    >>> input_columns(module, module.prepare(torch.ones(1, 2), torch.zeros(1, 0, dtype=torch.long)))
    {'encoder.layers.0.weight': tensor([0, 1, 1])}
    """
    module = deepcopy(module).eval()
    made: list[tuple[Tensor, Tensor]] = []  # features of a table, and their columns
    found: dict[str, Tensor] = {}
    hooks = []
    weights = {id(p): name for name, p in module.named_parameters()}

    def note(own: Any, given: Any, output: Tensor) -> None:
        columns = own.feature_columns()
        if output.shape == (len(given[0]), len(columns)):  # tokens have a further axis
            made.append((output, columns))

    def reads(own: nn.Module, given: Any) -> None:
        for features, columns in made:
            if given and _is_same(given[0], features):
                found[weights[id(_first_weight(own))]] = columns.to(features.device)

    def keeps(own: nn.Module, given: Any, output: Tensor) -> None:
        made.extend([(output, columns) for features, columns in made if features.shape[-1] == given[0].shape[-1]])

    for own in module.modules():
        if isinstance(own, TableInputs):
            hooks.append(own.register_forward_hook(note))
        elif getattr(own, "keeps_columns", False):
            hooks.append(own.register_forward_hook(keeps))
        elif isinstance(own, nn.Linear) or hasattr(own, "layer_weights") or hasattr(own, "input_weight"):
            hooks.append(own.register_forward_pre_hook(reads))
    with torch.no_grad():
        _outputs(module, prepared)
        for hook in hooks:
            hook.remove()
        own_parameters = dict(module.named_parameters())
        for name in found:
            own_parameters[name].zero_()
        other = tuple(x + 1 if x.is_floating_point() else x for x in prepared)
        if not found or not torch.equal(_outputs(module, prepared), _outputs(module, other)):
            raise OptionError(
                "This network reads its inputs by other layers than linear ones, so no group of weights shuts a column out. "
                "For `GroupLasso` take an MLP or a ResNet as encoder, with any sharing, or another regularization."
            )
    return found


def _first_weight(own: Any) -> Tensor:
    """What a layer, or a module of several, reads its input by, [..., out, in]."""
    if hasattr(own, "input_weight"):
        return own.input_weight
    return own.weight if isinstance(own, nn.Linear) else own.layer_weights()[0][0]


def _is_same(given: Any, features: Tensor) -> bool:
    """Whether a layer is given these features, or a view of all of them."""
    if not isinstance(given, Tensor) or given.shape != features.shape:
        return False
    return given.data_ptr() == features.data_ptr() and given.stride() == features.stride()


def _outputs(module: nn.Module, prepared: tuple[Tensor, ...]) -> Tensor:
    return torch.cat(module.outputs_of(module.features(*prepared)), dim=-1)  # type: ignore[operator]
