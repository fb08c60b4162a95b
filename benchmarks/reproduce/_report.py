"""How the reproductions tell what they found: lines of pass or fail, and a small figure."""

from pathlib import Path
from typing import Any


def check(claims: dict[str, bool]) -> int:
    """Print a line per claim; 0 where all hold, else 1."""
    for claim, holds in claims.items():
        print(f"{'pass' if holds else 'FAIL'}  {claim}")
    return 0 if all(claims.values()) else 1


def save(figure: Any, path: Path) -> None:
    """Write a small picture."""
    figure.tight_layout()
    figure.savefig(path, dpi=80)
