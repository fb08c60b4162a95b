"""What README and docs show is true: their Python runs, their commands and options exist, their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.run_pages import refresh, run_page

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "polytask"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SLOW = {"docs/tutorial.md", "docs/cli.md"}  # they compare in many folds
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".html", ".css", ".js", ".json", ".csv", ""}


@dataclass(frozen=True)
class Block:
    language: str
    line: int
    text: str


def blocks_of(page: Path, language: str) -> list[Block]:
    """The fenced blocks of a page in one language, in order."""
    text = page.read_text(encoding="utf-8")
    found = [Block(match[1], text.count("\n", 0, match.start(2)), match[2]) for match in FENCE.finditer(text)]
    return [block for block in found if block.language == language]


def pages_with(language: str) -> list:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if blocks_of(page, language)]


def commands_of(page: Path) -> list[list[str]]:
    """The `polytask` commands in the bash blocks of a page, without comments, with continued lines put together."""
    lines = "\n".join(block.text for block in blocks_of(page, "bash")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command[:1] == ["polytask"]]


def pages_that_run() -> list:
    """The pages with Python or sessions; those that take minutes are marked."""
    names = {str(page.relative_to(ROOT)): page for page in PAGES if blocks_of(page, "python") or blocks_of(page, "console")}
    marks = [pytest.mark.slow, pytest.mark.timeout(1200)]
    return [pytest.param(page, id=name, marks=marks if name in SLOW else ()) for name, page in names.items()]


@pytest.mark.parametrize("page", pages_that_run())
def test_every_block_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    """All blocks of a page run one after the other, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    for _, steps in run_page(page, tmp_path):
        for step, printed in steps:
            shown = "\n".join(printed)
            assert refresh(step.shown, printed) is not None, (
                f"`$ {step.command}` prints\n{shown}\nUpdate: python tools/run_pages.py"
            )


def help_of(command: str) -> str:
    script = Path(sysconfig.get_path("scripts")) / "polytask"
    environment = os.environ | {"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run([script, command, "--help"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"polytask {command} --help: {done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", pages_with("bash"))
def test_commands_and_their_options_exist(page):
    commands = commands_of(page)
    helps = {command[1]: help_of(command[1]) for command in commands if len(command) > 1 and not command[1].startswith("-")}
    for command in commands:
        for option in (word.partition("=")[0] for word in command[2:] if word.startswith("--")):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", helps[command[1]]), f"{shlex.join(command)}: no {option}"


@pytest.mark.parametrize("page", pages_with("bash"))
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for block in blocks_of(page, "bash"):
        for target in re.findall(r"^make (\w+)", block.text, flags=re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"no make {target}"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_links_between_files_lead_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if not re.match(r"[a-z]+:", link):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_room_has_a_reference_page_and_every_page_a_room():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"exceptions"}
    pages = {path.stem for path in (ROOT / "docs" / "reference").glob("*.md")} - {"index"}
    assert pages == rooms


def test_no_file_names_a_path_of_a_machine():
    folders = [ROOT / name for name in ("src", "tests", "docs", "tools", "benchmarks", "examples", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix in TEXT]
    files += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT]
    private = re.compile("|".join(f"/{folder}/" for folder in ("home", "root", "work", "Users")))
    for path in files:
        if not {"__pycache__", ".environments"} & {*path.parts}:
            found = private.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)} names {found and found[0]}"


def test_constraints_pin_exact_public_versions():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert "torch==2.13.0" in pins
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"- (?:.+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
