"""When the command began, for time limits that count from there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_STARTED: ContextVar[float | None] = ContextVar("started", default=None)  # None: with the process


@contextmanager
def begun(*, with_process: bool) -> Iterator[None]:
    """Count from the start of the process, imports and all, or else from now."""
    token = _STARTED.set(None if with_process else time.monotonic())
    try:
        yield
    finally:
        _STARTED.reset(token)


def started() -> float:
    """When the command began, of ``time.monotonic()``.

    >>> with begun(with_process=False):
    ...     0 <= time.monotonic() - started() < 60
    True
    """
    found = _STARTED.get()
    if found is None:
        from polytask.automatic import process_start  # not before a command runs: it is heavy

        return process_start()
    return found
