"""The pages on the command line and on JSON name everything there is."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import target_words

DOCS = Path(__file__).parents[2] / "docs"


def commands():
    from typer.main import get_command

    from polytask.cli._app import app

    return get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["fit", "predict", "evaluate", "compare", "tasks", "demo"])
def test_every_option_is_on_the_page(name):
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert f"## polytask {name}" in page
    options = {
        word for parameter in commands()[name].params for word in (*parameter.opts, *parameter.secondary_opts) if "--" in word
    }
    assert {word for word in options - {"--help"} if not re.search(rf"`{word}\b", page)} == set()


def keys_of(value):
    """All keys of nested objects, but for names of tasks and metrics and what the page calls free."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in ("metrics", "settings", "versions", "data", "split", "curves", "chosen"):
                yield from keys_of(inner)


def test_every_field_is_on_the_page(polytask, fitted, table, tmp_path):
    words = target_words(["price", "sold"])
    polytask("compare", table, *words, "-q", "--max-steps", 5, "--folds", 2, "--repeats", 2, "--json", tmp_path / "c.json")
    polytask("evaluate", fitted, table, "-q", "--json", tmp_path / "e.json")
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    for name in ("c.json", "e.json"):
        result = json.loads((tmp_path / name).read_text())
        tasks = set(result["tasks"])
        assert {key for key in keys_of(result) if key not in tasks and not re.search(rf"[`.\"]{key}\b", page)} == set()


def test_the_examples_are_json():
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "json.md").read_text(encoding="utf-8"), flags=re.S)
    assert [json.loads(block)["version"] for block in blocks] == [1, 1]
