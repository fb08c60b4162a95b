"""Scikit-learn estimators as skops files, of allow-listed types only."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from polytask.exceptions import ModelFolderError

from ._skops_types import ALLOWED_LOADERS, ALLOWED_TYPES
from ._trees import check_trees

_SAVE_WITHOUT = "Save it without this part, or give the class as `trusted` when saving and loading."


@dataclass(frozen=True)
class SkopsPart:
    """A fitted scikit-learn estimator as a part of a model folder.

    Parameters
    ----------
    estimator : object
        An estimator made of types in our own list (linear models, trees and forests, preprocessing, pipelines).
    trusted : collection of type, default=()
        Further classes to let through, the user's own for example. They must be given again at load.
    """

    estimator: Any
    trusted: Collection[type] = ()
    part: ClassVar[str] = "skops"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        import skops.io

        try:
            content = skops.io.dumps(self.estimator)
        except Exception as error:  # skops has no one type of its own for what it cannot write
            raise ModelFolderError(f"{name} cannot hold a {type(self.estimator).__name__} ({error}). {_SAVE_WITHOUT}") from error
        _check_types(content, where=name, trusted=self.trusted)
        return content


def decode_skops(content: bytes, *, where: str, trusted: Collection[type] = ()) -> Any:
    """Load an estimator after checking every type name, then check its trees; `where` names the file in errors.

    No module is imported and no object is made before all names in the file are known to be in our list or in `trusted`.
    """
    names = _check_types(content, where=where, trusted=trusted)
    import skops.io

    try:
        if refused := set(skops.io.get_untrusted_types(data=content)) - names:  # skops looks again with eyes of its own
            raise ModelFolderError(_refusal(where, sorted(refused)))
        estimator = skops.io.loads(content, trusted=sorted(names))
    except ModelFolderError:
        raise
    except Exception as error:  # whatever the constructors of other libraries raise on damaged state
        raise ModelFolderError(f"{where} is not an estimator that can be read ({error}). Save the model again.") from error
    check_trees(estimator, where=where)
    return estimator


def _check_types(content: bytes, *, where: str, trusted: Collection[type]) -> set[str]:
    """Every type name in a skops file, all of them allowed; raises otherwise."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            schema = json.loads(archive.read("schema.json"))
        found = list(_nodes(schema))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError, EOFError) as error:
        raise ModelFolderError(f"{where} is not a skops file ({error}). Copy the model again, or save it again.") from error
    given = {f"{kind.__module__}.{kind.__qualname__}" for kind in trusted}
    refused = {
        name if loader in ALLOWED_LOADERS else f"{name} ({loader})"
        for loader, name in found
        if not _is_allowed(loader, name, given)
    }
    if refused:
        raise ModelFolderError(_refusal(where, sorted(refused)))
    return {name for _, name in found}


def _is_allowed(loader: str, name: str, given: set[str]) -> bool:
    return loader in ALLOWED_LOADERS and (name in ALLOWED_TYPES or name in given)


def _nodes(schema: Any) -> Iterator[tuple[str, str]]:
    """Loader and type name of everything in a skops schema that asks for a loader or a class."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
            if item.get("__loader__") == "CachedNode":  # points to an object that has its own entry
                continue
            if any(isinstance(item.get(key), str) for key in ("__loader__", "__class__", "__module__")):
                yield str(item.get("__loader__")), f"{item.get('__module__')}.{item.get('__class__')}"
        elif isinstance(item, list):
            waiting.extend(item)


def _refusal(where: str, names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{where} asks for types that are not in the list of allowed ones: {', '.join(names[:3])}{more}. {_SAVE_WITHOUT}"
