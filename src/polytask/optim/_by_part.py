"""Optimizers by name, and a network's parameters to the optimizers of its parts."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from polytask._by_name import ByName
from polytask._parts import PARTS, part_of
from polytask.exceptions import OptionError
from polytask.optim._adaptive_moments import Adam, Adamax, AdamW, Muon, NAdam, RAdam
from polytask.optim._descent import SGD, Adadelta, Adagrad, RMSprop
from polytask.optim._optimizer import Optimizer

_CLASSES = (SGD, Adam, AdamW, Adagrad, Adadelta, RMSprop, NAdam, RAdam, Adamax, Muon)

OPTIMIZERS: ByName[Optimizer] = ByName(
    Optimizer,  # type: ignore[type-abstract]
    {own.__name__.lower(): own for own in _CLASSES},
    what="an optimizer",
    example="sgd:momentum=0.9",
)


def optimizers_of(given: Any, *, option: str = "`optimizer`") -> dict[str, Optimizer]:
    """The optimizer of every part of a network, of what a user gives.

    Parameters
    ----------
    given : Optimizer, str, mapping of part to either, or None
        Such as ``SGD(learning_rate=0.1)``, ``"sgd:learning_rate=0.1"``, ``{"heads": "adagrad"}`` or
        ``"encoder=sgd;heads=adagrad"``. Parts are "encoder", "sharing" and "heads"; those that are not named take AdamW.
    option : str
        What errors call it.

    Raises
    ------
    OptionError
        If a name or a setting is not known or out of its range.

    Examples
    --------
    >>> optimizers_of("heads=sgd:momentum=0.5")
    {'encoder': AdamW(), 'sharing': AdamW(), 'heads': SGD(momentum=0.5)}
    """
    texts = [given, *given.values()] if isinstance(given, Mapping) else [given]
    if any(isinstance(text, str) and "lbfgs" in text.lower().replace("-", "") for text in texts):
        raise OptionError(
            f"{option} cannot be LBFGS: it needs the loss of all rows, several times a step, and training here draws batches and "
            "drops units, by which its curvature is wrong. Take 'adamw', or a closure of your own in a loop of your own."
        )
    found = {} if given is None else OPTIMIZERS.by_part(given, parts=PARTS, option=option)
    return {part: found.get(part, AdamW()) for part in PARTS}


def with_usual_rates(optimizers: Mapping[str, Optimizer]) -> dict[str, Optimizer]:
    """Optimizers for a network that names no learning rate: those without one of their own get what is usual for their kind.

    >>> with_usual_rates(optimizers_of("heads=sgd"))
    {'encoder': AdamW(), 'sharing': AdamW(), 'heads': SGD(learning_rate=0.01)}
    """
    found = dict(optimizers)
    for part, own in optimizers.items():
        if own.learning_rate is None and own.usual_rate is not None:
            found[part] = type(own)(**(own.get_params(deep=False) | {"learning_rate": own.usual_rate}))
    return found


class PartOptimizers:
    """Several optimizers of torch, each over its own parameters, that step as one.

    Attributes
    ----------
    members : list of torch.optim.Optimizer
    state : dict of parameter to dict
        That of all members.
    """

    def __init__(self, members: list[torch.optim.Optimizer]) -> None:
        self.members = members
        self.state: defaultdict[Tensor, Any] = defaultdict(dict)
        for member in members:
            self.state.update(member.state)
        for member in members:
            member.state = self.state  # parameters differ, so that one mapping serves all
        for group in self.param_groups:
            group["rate"] = group["lr"]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Groups of all members; ``rate`` is the learning rate that a schedule multiplies."""
        return [group for member in self.members for group in member.param_groups]

    @torch.no_grad()
    def step(self) -> None:
        """Decay what is decayed apart from the gradient, then let every member step."""
        for group in self.param_groups:
            if group.get("decoupled_decay"):
                for p in group["params"]:
                    p.mul_(1 - group["lr"] * group["decoupled_decay"])
        for member in self.members:
            member.step()

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for member in self.members:
            member.zero_grad()


def part_optimizers(
    parameters: Mapping[str, Tensor], optimizer: Any = None, *, learning_rate: float, weight_decay: float
) -> PartOptimizers:
    """The optimizers of a network's parameters by part; see :func:`optimizers_of`.

    Raises
    ------
    OptionError
        If a part without parameters has an optimizer of its own, or one that would move nothing there, such as Muon the heads.

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> made = part_optimizers(dict(layer.named_parameters()), "sgd", learning_rate=0.1, weight_decay=0.0)
    >>> [type(member).__name__ for member in made.members]
    ['SGD']
    """
    chosen = optimizers_of(optimizer)
    _check_moves(chosen, parameters)
    alike = len(set(chosen.values())) == 1 and chosen["encoder"].elementwise  # then one optimizer serves all parts
    members: list[torch.optim.Optimizer] = []
    for part in PARTS:
        own = {name: p for name, p in parameters.items() if alike or part_of(name) == part}
        if own:
            members += chosen[part].build(own, learning_rate=learning_rate, weight_decay=weight_decay, part=part)
        if alike:
            break
    return PartOptimizers(members)


def _check_moves(chosen: Mapping[str, Optimizer], parameters: Mapping[str, Tensor]) -> None:
    """Raise an :class:`OptionError` if an optimizer other than the usual one moves nothing."""
    moves = {
        part: own.moves({n: p for n, p in parameters.items() if part_of(n) == part}, part=part) for part, own in chosen.items()
    }
    is_one = len(set(chosen.values())) == 1
    for part, own in chosen.items():
        if moves[part] or own == AdamW() or (is_one and any(moves.values())):
            continue
        if is_one and parameters:
            raise OptionError(
                f"`optimizer` is {type(own).__name__}, and this network has no matrix of a hidden layer to move: all would be "
                "AdamW. Name another, or none, or give the network a hidden layer."
            )
        if any(part_of(name) == part for name in parameters):
            raise OptionError(
                f"`optimizer` names {type(own).__name__} for the part {part!r}, which has no matrix of a hidden layer there to "
                "move, and would be AdamW. Name another for that part, or none."
            )
        raise OptionError(f"`optimizer` names the part {part!r}, and this network has no parameters there. Leave it out.")
