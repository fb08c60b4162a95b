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


@pytest.mark.parametrize("name", ["fit", "predict", "evaluate", "compare", "tasks", "init", "demo"])
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
            if key not in ("metrics", "settings", "versions", "data", "split", "curves", "chosen", "study", "diagnostics"):
                yield from keys_of(inner)


def test_every_field_is_on_the_page(polytask, fitted, table, tmp_path):
    words = target_words(["price", "sold"])
    words += ["-q", "--max-steps", 5, "--folds", 2, "--repeats", 2, "--learning-curve"]
    polytask("compare", table, *words, "--json", tmp_path / "c.json")
    polytask("evaluate", fitted, table, "-q", "--json", tmp_path / "e.json")
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    for name in ("c.json", "e.json"):
        result = json.loads((tmp_path / name).read_text())
        tasks = set(result["tasks"])
        assert {key for key in keys_of(result) if key not in tasks and not re.search(rf"[`.\"]{key}\b", page)} == set()


def test_every_field_of_a_comparison_has_its_line_in_a_table(polytask, table, tmp_path):
    words = [*target_words(["price", "sold"]), "--max-steps", 5, "--folds", 2, "--repeats", 1]
    polytask("compare", table, *words, "-q", "--json", tmp_path / "c.json")
    page = (DOCS / "json.md").read_text(encoding="utf-8").partition("## `polytask.comparison`")[2].partition("An arm:")[0]
    rows = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    assert {key for key in json.loads((tmp_path / "c.json").read_text()) if f"`{key}`" not in rows} == set()


def test_the_example_of_a_comparison_agrees_with_itself():
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    result = json.loads(re.findall(r"```json\n(.*?)```", page, flags=re.S)[1])
    for task in result["tasks"].values():
        together = task["arms"]["together"]
        assert len(together["fold_skills"][0]) == result["folds"]
        assert together["skill"] == pytest.approx(1 - together["error"] / task["constant"]["error"], abs=1e-3)
        assert sum(task["arms"]["best_separate"]["chosen"].values()) == result["folds"] * result["repeats"]
        for rival, gain in task["gains"].items():
            if "gain" in gain:
                assert gain["gain"] == pytest.approx(together["skill"] - task["arms"][rival]["skill"], abs=2e-4)
                assert gain["low"] <= gain["low_unadjusted"] <= gain["gain"] <= gain["high_unadjusted"] <= gain["high"]


def test_the_examples_are_json():
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "json.md").read_text(encoding="utf-8"), flags=re.S)
    assert [json.loads(block)["version"] for block in blocks] == [1, 1]
