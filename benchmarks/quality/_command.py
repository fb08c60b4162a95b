"""What the commands of these benchmarks share: options, checks of what is given, lines of results, the table in a docs page."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def options_of(
    description: str | None, *, sets: Sequence[str] | None, seeds: Sequence[int], results: Path
) -> argparse.ArgumentParser:
    """A parser of the options that all have, with these defaults; sets of None are those of the folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER")
    parser.add_argument("--sets", type=names, default=None if sets is None else list(sets))
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=list(seeds))
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser


def names(text: str) -> list[str]:
    """Names divided by commas."""
    return text.split(",")


def check_names(parser: argparse.ArgumentParser, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """End with a sentence if a name is not known."""
    for name in given:
        if name not in known:
            parser.error(f"unknown {what} {name!r}; the {what}s are {', '.join(known)}")


def check_folder(parser: argparse.ArgumentParser, folder: Path | None, *, is_needed: bool = True) -> bool:
    """Whether to run; says why not where no folder is given, ends with a sentence where it holds no tables."""
    if folder is None and is_needed:
        print("Nothing is run: no folder of tables is given (--data FOLDER, or the environment variable POLYTASK_DATA).")
        return False
    if folder is not None and not (folder / "tabular.json").is_file():
        parser.error(f"there is no tabular.json in {folder}")
    return True


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line, after ending one that was cut off by a crash."""
    cut_off = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * cut_off + json.dumps(line, ensure_ascii=False) + "\n")


def write_page(page: Path, text: str, *, marks: tuple[str, str]) -> None:
    """Put the tables between their marks in a docs page."""
    start, end = marks
    before, _, rest = page.read_text(encoding="utf-8").partition(start)
    page.write_text(f"{before}{start}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
