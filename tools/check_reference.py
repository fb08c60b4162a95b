"""Check that every public name of polytask is on a page of the built site: python tools/check_reference.py [SITE]"""

import argparse
import importlib
import pkgutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import polytask


def public_names() -> Iterator[str]:
    """``polytask.room.name`` of every name in the ``__all__`` of every room that is not private."""
    for module in pkgutil.walk_packages(polytask.__path__, "polytask."):
        parts = module.name.split(".")
        if not any(part.startswith("_") for part in parts):
            for name in getattr(importlib.import_module(module.name), "__all__", ()):
                yield f"{module.name}.{name}"


def documented_names(inventory: Path) -> set[str]:
    """The names in the inventory that mkdocstrings writes (a line per name after four of text, compressed)."""
    lines = inventory.read_bytes().split(b"\n", 4)[4]
    return {line.split(" ", 1)[0] for line in zlib.decompress(lines).decode().splitlines()}


def missing_names(inventory: Path) -> list[str]:
    """Public names without a place; a name that is re-exported from a deeper room needs one place only."""
    known = documented_names(inventory)
    return [name for name in public_names() if not _places(name) & known]


def _places(name: str) -> set[str]:
    """The name in its own room and in all rooms above."""
    room, _, last = name.rpartition(".")
    parts = room.split(".")
    return {".".join([*parts[:depth], last]) for depth in range(2, len(parts) + 1)}


def main() -> None:
    """Exit with the names that are missing, if any."""
    parser = argparse.ArgumentParser(description="Check that every public name is on a page of the built site.")
    parser.add_argument("site", nargs="?", type=Path, default=Path("site"))
    missing = missing_names(parser.parse_args().site / "objects.inv")
    if missing:
        raise SystemExit("not on any page: " + ", ".join(missing))
    print(f"all {len(list(public_names()))} public names are on a page")


if __name__ == "__main__":
    main()
