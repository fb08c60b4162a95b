from pathlib import Path

import pytest

from tools.run_pages import blocks_of, refresh, run_page, steps_of

PRINTED = ["task   skill", "─────────", "price   12.5", "sold    -3", "Done in words."]


def page_of(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_a_session_is_commands_and_what_they_print():
    (first, second) = steps_of("$ one \\\n    --two\nout\nmore\n$ three\n")
    assert (first.command, first.shown) == ("one \\\n    --two", ["out", "more"])
    assert (second.command, second.shown) == ("three", [])


def test_numbers_may_differ_and_are_refreshed():
    shown = ["task   skill", "────────────", "price    9.1", "sold    +4", "Done in words."]
    assert refresh(shown, PRINTED) == PRINTED


def test_words_may_not_differ():
    assert refresh([*PRINTED[:-1], "Done in other words."], PRINTED) is None
    assert refresh(PRINTED[:-1], PRINTED) is None
    assert refresh([], PRINTED) is None


def test_verdicts_may_differ():
    assert refresh(["walc harmed undecided"], ["walc undecided not worth it"]) == ["walc undecided not worth it"]


@pytest.mark.parametrize(
    "shown",
    [["..."], ["task skill", "..."], ["...", "Done in words."], ["task skill", "...", "sold 1", "..."], ["...", "sold 1", "..."]],
)
def test_three_dots_stand_for_any_lines(shown):
    assert refresh(shown, PRINTED) is not None


def test_three_dots_do_not_hide_a_line_that_is_gone():
    assert refresh(["...", "rent 1", "..."], PRINTED) is None
    assert refresh(["...", "Done in words.", "task skill"], PRINTED) is None


def test_blocks_run_in_order_and_titles_are_files(tmp_path, monkeypatch):
    python = '```python\nfrom pathlib import Path\n\nPath("a").write_text("x")\n```\n'
    text = python + '```yaml title="b.txt"\ny\n```\n```console\n$ cat a b.txt\nxy\n```\n'
    page = page_of(tmp_path, text)
    assert [block.language for block in blocks_of(page)] == ["python", "yaml", "console"]
    monkeypatch.chdir(tmp_path)
    [(_, [(step, printed)])] = run_page(page, tmp_path)
    assert printed == step.shown == ["xy"]


def test_a_command_that_fails_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=r"ends with 3:\nsorry"):
        run_page(page_of(tmp_path, "```console\n$ echo sorry; exit 3\n```\n"), tmp_path)
