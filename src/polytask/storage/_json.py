"""Plain JSON: settings, column codes, fitted tasks."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polytask.exceptions import ModelFolderError


@dataclass(frozen=True)
class JSONPart:
    """A value of plain JSON as a part of a model folder.

    Parameters
    ----------
    value : JSON value
        Dicts with text keys, lists, text, finite numbers, booleans, None. Tuples come back as lists; numpy scalars
        are written as the number they hold.

    Examples
    --------
    >>> JSONPart({"classes": ["no", "yes"]}).encode("task.json")
    b'{\\n "classes": [\\n  "no",\\n  "yes"\\n ]\\n}\\n'
    """

    value: Any
    part: ClassVar[str] = "json"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        return encode_json(self.value, name=name)


def encode_json(value: Any, *, name: str) -> bytes:
    """Write `value` as strict JSON; what would come back as something else is refused."""
    _check_plain(value, name, at="")
    return (json.dumps(value, indent=1, allow_nan=False, default=_scalar) + "\n").encode("ascii")


def decode_json(content: bytes, *, where: str) -> Any:
    """Read strict JSON; `where` names the file in the error."""
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{where} is not valid JSON ({error}). Copy the model again, or save it again.") from error


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain JSON")  # _check_plain speaks first


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def _check_plain(value: Any, name: str, at: str) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ModelFolderError(
                    f"Keys of {name}{at} must be text; got {key!r}. JSON has no other keys: use str(key) or a list."
                )
            _check_plain(item, name, f"{at}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_plain(item, name, f"{at}[{index}]")
    elif isinstance(value, float) and not np.isfinite(value):
        raise ModelFolderError(
            f"{name}{at} must be a finite number; got {value}. Write None instead, or put it in a TensorsPart."
        )
    elif not (value is None or isinstance(value, (str, int, float))):
        raise ModelFolderError(f"{name}{at} must be plain JSON; got {type(value).__name__}. Write its settings instead.")
