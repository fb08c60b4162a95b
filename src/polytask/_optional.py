"""Packages that are not installed with polytask itself: asked for at first use, with the line that installs them."""

import importlib
from types import ModuleType

from polytask.exceptions import PolytaskError


class MissingExtraError(PolytaskError, ImportError):
    """A feature needs a package of an extra that is not installed."""


def import_optional(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import a module that an extra of polytask installs.

    Parameters
    ----------
    module : str
        Full name, as in ``import onnx.helper``.
    extra : str
        The extra in ``pip install "polytask[extra]"``.
    feature : str
        What needs it, the subject of the message: "Exporting to ONNX".

    Raises
    ------
    MissingExtraError
        If the package is not installed. An error inside an installed package is passed on as it is.

    Examples
    --------
    >>> import_optional("json", extra="export", feature="Writing JSON").__name__
    'json'
    >>> import_optional("not_there", extra="export", feature="Exporting to ONNX")
    Traceback (most recent call last):
        ...
    polytask...MissingExtraError: Exporting to ONNX needs not_there, which is not installed. Run: pip install ...
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtraError(
            f'{feature} needs {package}, which is not installed. Run: pip install "polytask[{extra}]"'
        ) from None
