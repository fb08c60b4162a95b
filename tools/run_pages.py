"""Run the pages of docs as a reader would type them: python tools/run_pages.py [--write] PAGE...

Blocks of a page run in order in one empty folder: `python` in one interpreter, `console` (lines that start with `$ `) in a
shell, and a block with a title is also written to the file of that name. What the commands print is compared with the page:
words must agree, numbers and verdicts may differ from machine to machine; a line `...` stands for any lines. With --write the
page gets what was printed here.
"""

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?[^\n]*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
PROGRESS = re.compile(r"(epoch \d+ of at most|fold \d+ of \d+ done|.+: fitted in \d+ folds?, )")  # in a terminal it vanishes
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
VERDICT = re.compile(r"\b(?:not )?(?:helped|harmed|equivalent|undecided|worth it)(?! *\?)")
ANY = "..."
COLUMNS = 92  # what fits the pages
SECONDS = 900


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file it stands for or None, its text and the line of the page it starts after."""

    language: str
    title: str | None
    text: str
    line: int
    start: int  # of the text in the page


@dataclass(frozen=True)
class Step:
    """A command of a session and the lines that the page shows below it."""

    command: str
    shown: list[str]


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], match[3], text.count("\n", 0, match.start(3)), match.start(3)) for match in FENCE.finditer(text)
    ]


def steps_of(session: str) -> list[Step]:
    """The commands of a console block; a line that ends with a backslash goes on."""
    steps: list[Step] = []
    goes_on = False
    for line in session.splitlines():
        if goes_on:
            steps[-1] = Step(f"{steps[-1].command}\n{line}", [])
        elif line.startswith("$ "):
            steps.append(Step(line[2:], []))
        elif steps:
            steps[-1].shown.append(line)
        else:
            raise ValueError(f"a console block begins with a command; got {line!r}")
        goes_on = line.endswith("\\") and not (steps and steps[-1].shown)
    return steps


def run_command(command: str, folder: Path) -> list[str]:
    """The lines that a command prints, without progress; a command that fails is an error."""
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, timeout=SECONDS, **streams)
    if done.returncode != 0:
        raise AssertionError(f"$ {command}\nends with {done.returncode}:\n{done.stdout}")
    lines = [line.rstrip() for line in done.stdout.splitlines() if not PROGRESS.match(line)]
    return "\n".join(lines).strip("\n").split("\n") if any(lines) else []


def mask(line: str) -> str:
    """A line without what may differ from machine to machine."""
    if line.startswith(("Learning together", "Together")):
        return line.split()[0]
    return " ".join(re.sub(r"─+", " ", VERDICT.sub("?", NUMBER.sub("#", line))).split())


def refresh(shown: list[str], printed: list[str]) -> list[str] | None:
    """The lines of the page with the numbers that were printed, or None if the words differ."""
    fresh: list[str] = []
    at = 0
    parts = _parts(shown)
    for position, part in enumerate(parts):
        words = [mask(line) for line in part]
        first = at if position == 0 else next((k for k in range(at, len(printed) + 1) if _fits(printed[k:], words)), None)
        if position == len(parts) - 1 and position > 0:
            first = len(printed) - len(part)
        if first is None or first < at or not _fits(printed[first:], words):
            return None
        fresh += [ANY] * (position > 0) + printed[first : first + len(part)]
        at = first + len(part)
    return fresh if at == len(printed) else None


def _parts(shown: list[str]) -> list[list[str]]:
    """What stands between lines of three dots."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == ANY:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _fits(printed: list[str], words: list[str]) -> bool:
    return [mask(line) for line in printed[: len(words)]] == words


def run_page(page: Path, folder: Path) -> list[tuple[Block, list[tuple[Step, list[str]]]]]:
    """Run all blocks of a page in a folder (which must be the working one) and give what the sessions print."""
    names: dict[str, Any] = {"__name__": "__main__"}
    sessions = []
    for block in blocks_of(page):
        if block.title is not None:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            # empty lines in front, so that a traceback shows the line of the page
            exec(compile("\n" * block.line + block.text, page, "exec"), names)
        elif block.language == "console":
            sessions.append((block, [(step, run_command(step.command, folder)) for step in steps_of(block.text)]))
    return sessions


def write_page(page: Path, folder: Path) -> None:
    """Put what the sessions of a page print into it."""
    text = page.read_text(encoding="utf-8")
    for block, steps in reversed(run_page(page, folder)):
        lines = []
        for step, printed in steps:
            fresh = refresh(step.shown, printed)
            if fresh is None and ANY in step.shown:
                print(f"{page}: shorten by hand what follows `$ {step.command}`", file=sys.stderr)
            lines += [f"$ {step.command}", *(printed if fresh is None else fresh)]
        text = text[: block.start] + "\n".join(lines) + "\n" + text[block.start + len(block.text) :]
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Check or write the pages that are given."""
    parser = argparse.ArgumentParser(description="Run the pages of docs as a reader would type them.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true", help="put into the pages what the commands print here")
    arguments = parser.parse_args()
    for page in [page.resolve() for page in arguments.pages]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            if arguments.write:
                write_page(page, Path(folder))
            else:
                for _, steps in run_page(page, Path(folder)):
                    for step, printed in steps:
                        if refresh(step.shown, printed) is None:
                            raise SystemExit(f"{page.name}: `$ {step.command}` prints\n" + "\n".join(printed))
            os.chdir("/")


if __name__ == "__main__":
    main()
