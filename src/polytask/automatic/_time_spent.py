"""What a fit of a portfolio took against its time limit, told where the limit was not kept."""

import math
from collections.abc import Mapping, MutableMapping
from typing import Any

ALLOWED = 1.1  # times the limit
SHOWN = 0.05  # share of all seconds, for a part that is named
BUSY = 1.5  # processes that want a core, for a machine that is told to be busy
_OVERRUN = "The time limit was not kept: "


def tell_time(report: MutableMapping[str, Any], *, total: float, in_python: bool = False) -> str:
    """Put into ``time_spent`` of a report what the fit took, and a note if that is more than a tenth over the limit.

    Parameters
    ----------
    report : dict
        Its ``time_spent`` holds seconds: ``limit``; ``before``, what was over when the fit began (the start of Python, imports,
        reading the table); ``models``, what fitting took. ``given`` tells whether the user named the limit, ``busy`` how many
        processes wanted each core.
    total : float
        Seconds of all. A note of an earlier call goes.
    in_python : bool, default=False
        Whether the limit is called ``time_limit``.

    Returns
    -------
    note : str
        Empty where the limit was kept.
    """
    report["time_spent"] = {**report["time_spent"], "total": total}
    note = overrun(report["time_spent"], in_python=in_python)
    kept = [told for told in report["notes"] if not told.startswith(_OVERRUN)]
    report["notes"] = [*kept, note] if note else kept
    return note


def overrun(spent: Mapping[str, Any], *, in_python: bool = False) -> str:
    """Say by how much a fit outlived its time limit, why, and what limit would have been enough.

    Examples
    --------
    >>> spent = {"limit": 5.0, "given": True, "before": 6.1, "models": 2.9}
    >>> overrun({**spent, "total": 11.8})
    'The time limit was not kept: --time-limit 5, and it took 11.8 s. Start, imports and reading the table took 6.1 s, models
    2.9 s, all else (scoring, what columns matter, saving) 2.8 s. Some of it is needed at any limit; --time-limit 15 would have
    been enough for this.'
    >>> overrun({**spent, "total": 5.4})
    ''
    """
    limit, total, before, models = (float(spent[key]) for key in ("limit", "total", "before", "models"))
    if not total > ALLOWED * limit:
        return ""
    option = "time_limit=" if in_python else "--time-limit "
    asked = f"{option}{limit:g}" if spent["given"] else f"{limit:g} s by default"
    parts = {
        "start, imports and reading the table": before,
        "models": models,
        "all else (scoring, what columns matter, saving)": total - before - models,
    }
    shown = [(what, seconds) for what, seconds in parts.items() if seconds >= SHOWN * total]
    named = ", ".join(f"{what}{'' if k else ' took'} {seconds:.1f} s" for k, (what, seconds) in enumerate(shown))
    busy = float(spent.get("busy", 1.0))
    busy_too = f" The machine was busy, with {busy:.1f} processes for each core." if busy >= BUSY else ""
    return (
        f"{_OVERRUN}{asked}, and it took {total:.1f} s. {named[:1].upper()}{named[1:]}.{busy_too} "
        f"Some of it is needed at any limit; {option}{enough(total)} would have been enough for this."
    )


def enough(seconds: float) -> int:
    """A round number of seconds, somewhat more than these.

    >>> [enough(seconds) for seconds in (0.4, 3.2, 11.8, 47.0, 300.0)]
    [1, 4, 15, 55, 360]
    """
    needed = seconds * ALLOWED
    step = 1 if needed <= 10 else 5 if needed <= 60 else 60
    return math.ceil(needed / step) * step
