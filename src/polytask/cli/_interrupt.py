"""Ctrl-C in a command that cannot keep half of its work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _StopNow(BaseException):
    """Unlike KeyboardInterrupt, the training loop does not take it as "keep the best epoch and go on with the next network"."""


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Let Ctrl-C end the whole block, as a KeyboardInterrupt, wherever it is."""
    if threading.current_thread() is not threading.main_thread():  # signals are for the main thread only
        yield
        return

    def stop(*_: object) -> None:
        raise _StopNow

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    except _StopNow:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
