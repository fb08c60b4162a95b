"""How long this process has been running, and when it must be done."""

import os
import time

_STAT_AFTER_NAME, _START_FIELD = 2, 19  # of /proc/self/stat: fields after the name in brackets; the start, in ticks since boot


def seconds_since_start() -> float:
    """Seconds since this process began, the start of Python and imports among them.

    Where the system does not tell (only Linux does without further libraries), the processor time used until now stands for
    it, which is a little less.

    >>> 0 < seconds_since_start() < 1e6
    True
    """
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[_STAT_AFTER_NAME].split()
        began = int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - began, 0.0)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.process_time()


def process_start() -> float:
    """When this process began, as ``time.monotonic()`` would have told."""
    return time.monotonic() - seconds_since_start()


class Clock:
    """A time limit.

    Parameters
    ----------
    limit : float, optional
        Seconds in all; none by default.
    started : float, optional
        When they began to count, of ``time.monotonic()``; now by default.

    Examples
    --------
    >>> clock = Clock(60.0)
    >>> 59 < clock.left() <= 60
    True
    """

    def __init__(self, limit: float | None = None, started: float | None = None) -> None:
        self.limit = float("inf") if limit is None else float(limit)
        self.started = time.monotonic() if started is None else started

    @property
    def end(self) -> float:
        """When all must be done, of ``time.monotonic()``."""
        return self.started + self.limit

    def left(self) -> float:
        """Seconds until then; negative when it is past."""
        return self.end - time.monotonic()

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started
