"""The last door: whatever happens in a command becomes one sentence and an exit code, never a traceback."""

import functools
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from polytask.exceptions import PolytaskError, PolytaskWarning

_IN_OUR_WORDS = {  # what the parser of the command line says of a value
    "Value error, ": "",
    r"Input should be a valid integer\b.*": "it must be a whole number",
    r"Input should be a valid number\b.*": "it must be a number",
    r"Input should be greater than or equal to (\S+)": r"it must be >= \1",
}
_IN_PYTHON_TOO = re.compile(r"\((--[a-z][^(),]*), \w+=[^(),]+\)")
UNEXPECTED, UNUSABLE, INTERRUPTED = 1, 2, 130


class Interrupted(Exception):
    """Ctrl-C in a command; typer would swallow a KeyboardInterrupt and with it what the command says about it."""


def telling_interrupts(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command end with :class:`Interrupted`, which keeps the notes of the KeyboardInterrupt."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt as error:
            raise Interrupted(*getattr(error, "__notes__", ())) from error

    return run


def guarded(command: Callable[[], int]) -> int:
    """Run ``command`` and turn every error into a sentence on stderr and an exit code.

    With the environment variable ``POLYTASK_TRACEBACK=1`` the traceback is printed before the sentence. The notes on a
    ``KeyboardInterrupt`` (``error.add_note``), by which a command says what it kept, come through :func:`telling_interrupts`.
    """
    try:
        with _warnings_as_lines():
            code = command()
        sys.stdout.flush()
        return code
    except BaseException as error:  # noqa: BLE001 - the last door: nothing may pass it as a traceback
        if isinstance(error, SystemExit):  # rich leaves this way when the reader of its table goes away
            return error.code if isinstance(error.code, int) else UNEXPECTED
        if os.environ.get("POLYTASK_TRACEBACK") == "1":
            traceback.print_exc()
        code, lines = _explain(error)
        with suppress(OSError):
            for line in lines:
                print(line, file=sys.stderr)
        if isinstance(error, BrokenPipeError):  # whoever read us went away; what is still buffered goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code


def _explain(error: BaseException) -> tuple[int, list[str]]:
    if isinstance(error, PolytaskError):
        return UNUSABLE, [f"error: {_as_typed(error)}"]
    if isinstance(error, KeyboardInterrupt | Interrupted):
        return INTERRUPTED, ["interrupted.", *map(_one_line, error.args)]
    if isinstance(error, BrokenPipeError):
        return UNEXPECTED, []
    if hasattr(error, "format_message"):  # a usage error of click, wherever typer keeps its copy of it
        return UNUSABLE, _usage_sentence(error)
    if isinstance(error, OSError):
        what = f"{error.filename!r}: " if error.filename else ""
        return UNUSABLE, [f"error: {what}{error.strerror or _one_line(error)}."]
    if isinstance(error, MemoryError):
        return UNEXPECTED, ["error: there is not enough memory for this table."]
    return UNEXPECTED, [
        f"error: something unexpected happened ({type(error).__name__}: {_one_line(error)}). "
        "Run the command again with POLYTASK_TRACEBACK=1 to see where, and report it with that text."
    ]


def _usage_sentence(error: BaseException) -> list[str]:
    message = _one_line(error.format_message())  # type: ignore[attr-defined]
    for words, instead in _IN_OUR_WORDS.items():
        message = re.sub(words, instead, message)
    if not message:  # no command was given and the help has been shown
        return []
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "polytask"
    return [f"error: {message.rstrip('.')}. See '{command} --help'."]


def _as_typed(text: object) -> str:
    """One line, of which the ways out are those of the command line: "(--overwrite, overwrite=True)" is "(--overwrite)"."""
    return _IN_PYTHON_TOO.sub(r"(\1)", _one_line(text))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show each of our warnings once, as a line; the warnings of libraries are not for who types a command."""
    shown: set[str] = set()

    def show(message: Warning | str, *args: object, **kwargs: object) -> None:
        text = _as_typed(message)
        if text not in shown:
            shown.add(text)
            print(f"warning: {text}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=PolytaskWarning)
        warnings.showwarning = show
        yield
