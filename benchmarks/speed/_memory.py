"""Peak memory of a piece of work in this process."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """Megabytes above what was used before; filled when the block ends."""

    mb = float("nan")


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure how far memory rises in a block: on Linux exactly, elsewhere by the high-water mark of the whole process."""
    peak = Peak()
    with suppress(OSError):
        _CLEAR.write_text("5", encoding="ascii")  # the high-water mark starts again from what is used now
    before = _used("VmRSS:")
    yield peak
    peak.mb = _used("VmHWM:") - before


def _used(field: str) -> float:
    if _STATUS.exists():
        return next(int(line.split()[1]) / 1024 for line in _STATUS.read_text(encoding="ascii").splitlines() if field in line)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)
