"""Objects with settings that users give as such, or as text: ``sgd:momentum=0.9``, ``encoder=sgd;heads=adam``."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from polytask._named import check_settings, named, settings_of_text
from polytask._settings import NamedSettings
from polytask.exceptions import ModelFolderError, OptionError

T = TypeVar("T", bound=NamedSettings)


class ByName(Generic[T]):
    """The classes of one kind by their names.

    Parameters
    ----------
    kind : type
        What all of them are.
    classes : mapping of name to class
    what : str
        What errors call one, such as "an optimizer".
    example : str
        A name with a setting.
    """

    def __init__(self, kind: type[T], classes: Mapping[str, type[T]], *, what: str, example: str) -> None:
        self.kind = kind
        self.classes = dict(classes)
        self.what = what
        self.example = example

    def of(self, given: Any, *, option: str) -> T:
        """What a user gives: an object, a name, or a name with settings.

        Raises
        ------
        OptionError
            If the name or a setting is not known, or a value is refused; the message names the closest ones.
        """
        if isinstance(given, self.kind):
            return given
        if not isinstance(given, str):
            kind = f"the class {given.__name__}, not an object" if isinstance(given, type) else repr(given)
            raise OptionError(f"{option} must be {self.what}, such as {self.example!r}; got {kind}.")
        name, _, rest = given.partition(":")
        own = named(name.strip(), self.classes, option=option, what=self.what)
        settings = settings_of_text(rest, option=option, example=self.example, of=own)
        check_settings(own, own._setting_names(), settings, option=option)
        try:
            made: T = own(**settings)
        except TypeError as error:
            raise OptionError(f"{own.__name__} in {option} cannot take {settings}: {error}.") from error
        return made

    def by_part(self, given: Any, *, parts: Sequence[str], option: str) -> dict[str, T]:
        """What a user gives for all parts, or for some: a mapping, or text such as ``encoder=sgd;heads=adam``."""
        if isinstance(given, str) and (divided := _divided(given, option)) is not None:
            given = divided
        if not isinstance(given, Mapping):
            return dict.fromkeys(parts, self.of(given, option=option))
        for name in given:
            named(str(name), dict.fromkeys(parts, name), option=f"A part in {option}", what=f"one of {', '.join(parts)}")
        return {part: self.of(given[part], option=f"{part!r} of {option}") for part in parts if part in given}

    def several(self, given: Any, *, option: str) -> list[T]:
        """What a user gives as one, as a list, or as text with ``;`` between."""
        if isinstance(given, str):
            given = [part for part in (own.strip() for own in given.split(";")) if part]
        if isinstance(given, self.kind):
            given = [given]
        if not isinstance(given, Iterable):
            return [self.of(given, option=option)]
        return [self.of(own, option=option) for own in given]

    def text(self, given: Any) -> str | None:
        """The text that is read as this; None where no text is, as for a class of the user's own."""
        if given is None or isinstance(given, str):
            return given
        if isinstance(given, Mapping):
            texts = {part: self.text(own) for part, own in given.items()}
            return None if None in texts.values() else ";".join(f"{part}={own}" for part, own in texts.items())
        if isinstance(given, list | tuple):
            parts = [self.text(own) for own in given]
            return None if None in parts else ";".join(map(str, parts))
        names = [name for name, own in self.classes.items() if own is type(given)]
        if not names:
            return None
        defaults = inspect.signature(type(given).__init__).parameters
        said = [f"{k}={v}" for k, v in given.get_params(deep=False).items() if repr(v) != repr(defaults[k].default)]
        text = names[0] + (":" if said else "") + ",".join(said)
        try:
            return text if self.of(text, option="") == given else None
        except OptionError:
            return None

    def to_json(self, given: Any) -> Any:
        """Objects, also in lists and mappings, as JSON; text and None stay.

        Raises
        ------
        OptionError
            If one is of a class of the user's own.
        """
        if isinstance(given, Mapping):
            return {"parts": {part: self.to_json(own) for part, own in given.items()}}
        if isinstance(given, list | tuple):
            return [self.to_json(own) for own in given]
        if isinstance(given, self.kind):
            names = [name for name, own in self.classes.items() if own is type(given)]
            if not names:
                raise OptionError(f"{type(given).__name__} is not {self.what} of polytask, and cannot be saved. Take it out.")
            return {"name": names[0], "settings": given.get_params(deep=False)}
        return given

    def from_json(self, content: Any) -> Any:
        """Make what :meth:`to_json` wrote; raises :class:`ModelFolderError` if a name or a setting is not known."""
        if isinstance(content, list):
            return [self.from_json(own) for own in content]
        if not isinstance(content, Mapping):
            return content
        if "parts" in content:
            return {part: self.from_json(own) for part, own in content["parts"].items()}
        try:
            return self.classes[content["name"]](**content["settings"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFolderError(f"The training of this model is not known to this version ({error}). Upgrade.") from error


def _divided(text: str, option: str) -> dict[str, str] | None:
    """``encoder=sgd;heads=adam`` by part; None for one name for all."""
    found = [re.fullmatch(r"\s*(\w+)\s*=(.*)", own, flags=re.DOTALL) for own in text.split(";") if own.strip()]
    if not any(found):
        return None
    if not all(found):
        raise OptionError(f"{option} must be one name, or PART=NAME for parts with ';' between; got {text!r}.")
    parts = [own[1] for own in found if own is not None]
    for part in parts:
        if parts.count(part) > 1:
            raise OptionError(f"{part!r} is given twice in {option}: {text!r}. Give it once.")
    return {own[1]: own[2].strip() for own in found if own is not None}
