"""Methods by name: for the command line, study files and model folders."""

import inspect
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from polytask._named import check_settings, named, settings_of_text
from polytask.balancing._method import BalancingMethod
from polytask.exceptions import ModelFolderError, OptionError


def method_names() -> dict[str, type[BalancingMethod]]:
    """Name to class of every method of this room.

    >>> method_names()["nash_mtl"].__name__
    'NashMTL'
    """
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", own.__name__).lower(): own for own in _classes() if own.by_name}


def _classes() -> list[type[BalancingMethod]]:
    """Every method of this room, those around other methods among them."""
    room = import_module("polytask.balancing")
    found = [getattr(room, name) for name in room.__all__]
    return [own for own in found if isinstance(own, type) and issubclass(own, BalancingMethod) and not inspect.isabstract(own)]


def method_of(given: Any, *, option: str = "`balancing`", **settings: Any) -> BalancingMethod:
    """A fresh method of what a user gives: a method, its name, or its name with settings.

    Parameters
    ----------
    given : BalancingMethod or str
        Such as ``CAGrad(c=0.2)``, ``"nash_mtl"``, ``"NashMTL"``, ``"cagrad:c=0.2"`` or, of a method around another,
        ``"every:method=mgda,k=10"``.
    option : str
        What errors call it.
    **settings
        More settings, for a name.

    Raises
    ------
    OptionError
        If the name, or a setting, is not known; the message names the closest ones.

    Examples
    --------
    >>> method_of("cagrad:c=0.2")
    CAGrad(c=0.2)
    >>> method_of("nash_mlt")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: `balancing` must be a balancing method; got 'nash_mlt'. Did you mean 'nash_mtl'?
    """
    if isinstance(given, BalancingMethod):
        return given.fresh()
    if not isinstance(given, str):
        kind = f"the class {given.__name__}, not an object" if isinstance(given, type) else repr(given)
        raise OptionError(f"{option} must be a balancing method, such as PCGrad() or 'pcgrad'; got {kind}.")
    name, _, rest = given.partition(":")
    own = named(name, method_names(), option=option, what="a balancing method")
    return _made(own, {**settings_of_text(rest, option=option, example="cagrad:c=0.5"), **settings}, option)


def _made(own: type[BalancingMethod], settings: Mapping[str, Any], option: str) -> BalancingMethod:
    title = own.__name__
    check_settings(own, own._setting_names(), settings, option=option)
    inner = {name: method_of(value, option=option) if name == "method" else value for name, value in settings.items()}
    try:
        return own(**inner)  # type: ignore[arg-type]
    except (TypeError, AttributeError) as error:
        raise OptionError(f"{title} in {option} cannot take {dict(settings)}: {error}.") from error
    except OptionError:
        raise
    except ValueError as error:
        raise OptionError(f"In {option}: {error}") from error


def method_to_dict(method: BalancingMethod) -> dict[str, Any]:
    """Class name and settings of a method, as JSON.

    >>> from polytask.balancing import CAGrad
    >>> method_to_dict(CAGrad(c=0.5))["settings"]["c"]
    0.5
    """
    settings = {
        name: method_to_dict(value) if isinstance(value, BalancingMethod) else value
        for name, value in method.get_params(deep=False).items()
    }
    own = type(method) in _classes()
    return {"method": type(method).__name__, "of_user": not own, "settings": settings}


def method_text(method: BalancingMethod) -> str | None:
    """The text that :func:`method_of` reads as this method; None where no text does, as for a class of the user's own.

    >>> from polytask.balancing import CAGrad, Every, FixedWeights
    >>> method_text(CAGrad(c=0.2)), method_text(FixedWeights({"price": 2.0}))
    ('cagrad:c=0.2', 'fixed_weights:weights.price=2.0')
    >>> method_text(Every(CAGrad(c=0.2), 20))
    'every:method=cagrad:c=0.2,k=20'
    """
    names = [name for name, own in method_names().items() if own is type(method)]
    if not names:
        return None
    defaults = inspect.signature(type(method).__init__).parameters
    parts = []
    for name, value in method.get_params(deep=False).items():
        if isinstance(value, Mapping):
            parts += [f"{name}.{key}={own}" for key, own in value.items()]
        elif repr(value) != repr(defaults[name].default):
            inner = method_text(value) if isinstance(value, BalancingMethod) else value
            parts.append(f"{name}={inner}")
    text = names[0] + (":" if parts else "") + ",".join(parts)
    try:
        return text if repr(method_of(text)) == repr(method) else None
    except OptionError:
        return None


def same_method(first: BalancingMethod, second: BalancingMethod) -> bool:
    """Whether two methods are of one class and of the same settings, whatever they remember."""
    return type(first) is type(second) and repr(first) == repr(second)


def method_from_dict(content: Mapping[str, Any], *, classes: Iterable[type] = ()) -> BalancingMethod:
    """Make the method of :func:`method_to_dict`, without its memory; a user's own class must be among ``classes``.

    Raises
    ------
    ModelFolderError
        If the class is not known, or its settings are not.
    """
    known = {own.__name__: own for own in (*_classes(), *classes) if isinstance(own, type)}
    name = content["method"]
    if name not in known:
        what = "pass the class to load, `classes=[...]`" if content.get("of_user") else "upgrade polytask"
        raise ModelFolderError(f"The model was balanced by {name!r}, which is not known here: {what}.")
    settings = {
        key: method_from_dict(value, classes=classes) if isinstance(value, Mapping) and "method" in value else value
        for key, value in content["settings"].items()
    }
    try:
        made: BalancingMethod = known[name](**settings)
    except (TypeError, ValueError) as error:
        raise ModelFolderError(
            f"The balancing of this model is not known to this version ({error}). Upgrade polytask."
        ) from error
    return made
