"""Errors of an inner room in the words of who reads them at an outer door."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from polytask.exceptions import PolytaskError


@contextmanager
def reworded(change: Callable[[str], str]) -> Iterator[None]:
    """Change the text of errors that pass; their kind and traceback stay.

    >>> from polytask.exceptions import OptionError
    >>> with reworded(lambda text: text.replace("--seed", "`seed`")):
    ...     raise OptionError("--seed must be a whole number.")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: `seed` must be a whole number.
    """
    try:
        yield
    except PolytaskError as error:
        error.args = (change(str(error)), *error.args[1:])
        raise
