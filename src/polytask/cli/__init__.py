"""The command line: ``polytask fit``, ``predict``, ``evaluate``, ``compare``, ``tasks`` and ``demo``; one command per file.

:func:`main` is what the shell runs, :func:`run` the same for a program: it takes the words after ``polytask`` and returns the
exit code. 0 is success, 1 something unexpected, 2 something that could not be used (told in one sentence on stderr), 130 Ctrl-C.
Nothing heavy is imported before a command runs.

>>> from polytask.cli import run
>>> run(["--version"])
polytask 0.1.0
0
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

__all__ = ["main", "run"]


def main() -> None:
    """Run the words of the command line and leave with their exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a column name that the terminal cannot show is no reason to stop
    code = run()
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done; Ctrl-C while libraries clean up changes nothing
    if any(thread.name == "polytask-portfolio" for thread in threading.enumerate()):  # fits that outlived the time limit
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; never raises what a command raises.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``polytask``; those of this process by default.

    Returns
    -------
    exit_code : int
        0 done, 1 unexpected error, 2 what was given cannot be used, 130 interrupted.
    """
    from polytask.cli._errors import guarded

    return guarded(lambda: _dispatch(arguments))


def _dispatch(arguments: Sequence[str] | None) -> int:
    from polytask.cli._app import app
    from polytask.cli._started import begun

    words = sys.argv[1:] if arguments is None else list(arguments)
    with begun(with_process=arguments is None):
        return app(words, prog_name="polytask", standalone_mode=False, obj=["polytask", *words]) or 0
