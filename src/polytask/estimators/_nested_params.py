"""Parameters inside of dicts of estimators, by names with two underscores, as in scikit-learn's pipelines."""

from collections.abc import Iterator, Mapping
from typing import Any

from polytask.exceptions import OptionError


def nested_params(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a dict of estimators holds, and the parameters of these.

    >>> from sklearn.linear_model import Ridge
    >>> found = dict(nested_params("estimators", {"linear": {"regressor": Ridge(alpha=2.0)}}))
    >>> found["estimators__linear__regressor__alpha"]
    2.0
    """
    for key, own in value.items():
        yield f"{name}__{key}", own
        if isinstance(own, Mapping):
            yield from nested_params(f"{name}__{key}", own)
        elif hasattr(own, "get_params") and not isinstance(own, type):
            for parameter, given in own.get_params(deep=True).items():
                yield f"{name}__{key}__{parameter}", given


def with_nested_param(value: Mapping[str, Any], path: str, given: Any, *, owner: str) -> dict[str, Any]:
    """Return a copy of a dict of estimators in which one of them, or a parameter of one, is another.

    As in scikit-learn, a parameter is set on the estimator itself.

    Raises
    ------
    OptionError
        If there is no such name.
    """
    key = max((key for key in value if path == key or path.startswith(f"{key}__")), key=len, default=None)
    if key is None:
        raise OptionError(f"{owner} has no {path.partition('__')[0]!r}; it has {', '.join(map(repr, value))}.")
    rest, own = path[len(key) + 2 :], value[key]
    if not rest:
        return {**value, key: given}
    if isinstance(own, Mapping):
        return {**value, key: with_nested_param(own, rest, given, owner=f"{owner}[{key!r}]")}
    own.set_params(**{rest: given})
    return dict(value)
