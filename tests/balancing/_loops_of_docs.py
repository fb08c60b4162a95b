"""The loops that docs/balancing.md shows for other libraries."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "balancing.md"


def code_of(section: str) -> str:
    """The block of code under the heading ``### section``; its language is `py`, since not every reader has the library."""
    after = PAGE.read_text(encoding="utf-8").partition(f"### {section}\n")[2]
    found = re.search(r"^```py\n(.*?)^```$", after, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/balancing.md shows no code under '### {section}'"
    return found[1]
