"""LightGBM models as their native text, read only after a check of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from polytask.exceptions import ModelFolderError

from ._lightgbm_text import check_lightgbm_text

if TYPE_CHECKING:
    from lightgbm import Booster


@dataclass(frozen=True)
class LightGBMPart:
    """A LightGBM model as a part of a model folder.

    Parameters
    ----------
    booster : Booster or LGBMModel
        A trained model. Trees after its best iteration are left out, as its ``predict`` does. Linear trees and
        objectives that are not about rows (ranking) are not supported.
    """

    booster: Any
    part: ClassVar[str] = "lightgbm"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        booster = getattr(self.booster, "booster_", self.booster)
        content: bytes = booster.model_to_string().encode("utf-8")
        check_lightgbm_text(content, where=name)
        return content


def decode_lightgbm(content: bytes, *, where: str) -> Booster:
    """Check the text of a model, then let LightGBM parse it; `where` names the file in errors."""
    check_lightgbm_text(content, where=where)
    import lightgbm

    try:
        return lightgbm.Booster(model_str=content.decode("utf-8"))
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise ModelFolderError(f"{where} is not a LightGBM model that can be read ({error}). Save the model again.") from error
