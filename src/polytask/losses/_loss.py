"""What all losses that a task can declare share: a name, settings, and JSON."""

from abc import ABC
from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Loss(ABC):
    """A loss with its settings; the maths is in the function of the same name.

    Attributes
    ----------
    name : str
        What the user writes: ``Regression("price", loss="huber")``.
    of_batch : bool
        Whether it is no mean over rows; see :class:`BatchLoss`.
    """

    name: ClassVar[str]
    of_batch: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Name and settings in one word, ``quantile:0.9``; :func:`loss_of` reads it, as far as the first setting goes."""
        own = fields(self)
        if not own or getattr(self, own[0].name) == own[0].default:
            return self.name
        return f"{self.name}:{getattr(self, own[0].name):g}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; :func:`loss_from_dict` reads it back."""
        return {"loss": self.name, **{f.name: getattr(self, f.name) for f in fields(self)}}
