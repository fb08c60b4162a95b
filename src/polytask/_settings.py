"""Settings of a method by name, in the way of scikit-learn, so that ``clone`` and searches reach them."""

import inspect
from copy import deepcopy
from typing import Any, Self

from polytask.exceptions import OptionError


class Settings:
    """Gives ``get_params`` and ``set_params`` to classes that keep each argument of their constructor under its name.

    >>> from polytask.balancing import CAGrad
    >>> CAGrad().set_params(c=0.2)
    CAGrad(c=0.2)
    >>> CAGrad(c=0.2).get_params()["c"]
    0.2
    """

    @classmethod
    def _setting_names(cls) -> list[str]:
        if cls.__init__ is object.__init__:
            return []
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return [p.name for p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings by name; with ``deep`` also those of a method inside this one, as ``method__c``."""
        found: dict[str, Any] = {}
        for name in self._setting_names():
            value = getattr(self, name)
            found[name] = value
            if deep and isinstance(value, Settings):
                found |= {f"{name}__{key}": own for key, own in value.get_params().items()}
        return found

    def set_params(self, **settings: Any) -> Self:
        """Change settings; what the constructor refuses is refused here too.

        Raises
        ------
        OptionError
            If there is no such setting.
        """
        own = self.get_params(deep=False)
        inner: dict[str, dict[str, Any]] = {}
        for path, value in settings.items():
            name, nested, rest = path.partition("__")
            if name not in own or (nested and not isinstance(settings.get(name, own[name]), Settings)):
                raise OptionError(f"{type(self).__name__} has no setting {path!r}; it has {', '.join(map(repr, own)) or 'none'}.")
            if nested:
                inner.setdefault(name, {})[rest] = value
            else:
                own[name] = value
        checked = type(self)(**own)
        for name in own:
            setattr(self, name, getattr(checked, name))
        for name, values in inner.items():
            getattr(self, name).set_params(**values)
        return self

    def fresh(self) -> Self:
        """One more of these settings, with an empty memory."""
        try:
            settings = self.get_params(deep=False)
        except AttributeError:  # a class of the user's own that keeps its arguments otherwise
            return deepcopy(self)
        made = {name: value.fresh() if isinstance(value, Settings) else deepcopy(value) for name, value in settings.items()}
        return type(self)(**made)

    def __sklearn_clone__(self) -> Self:
        return self.fresh()

    def extra_repr(self) -> str:
        """The settings that are not at their default."""
        try:
            settings = self.get_params(deep=False)
        except AttributeError:
            return ""
        defaults = inspect.signature(type(self).__init__).parameters if settings else {}
        return ", ".join(f"{k}={v!r}" for k, v in settings.items() if repr(v) != repr(defaults[k].default))


class NamedSettings(Settings):
    """Settings that are shown, and are equal, by their class and what is not at its default."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_params() == other.get_params()

    def __hash__(self) -> int:
        return hash(repr(self))
