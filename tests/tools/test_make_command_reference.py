"""The page of all commands is the one that the code makes now."""

from tools.make_command_reference import PAGE, command_reference


def test_the_page_is_as_the_code_is():
    made = command_reference()
    assert PAGE.read_text(encoding="utf-8") == made, "run: python tools/make_command_reference.py"


def test_every_command_and_option_is_on_it():
    from typer.main import get_command

    from polytask.cli._app import app

    page = command_reference()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        part = page.partition(f"## polytask {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            names = [word for word in (*parameter.opts, *parameter.secondary_opts) if word.startswith("-")]
            assert all(f"`{word}`" in part or f"`{word} " in part for word in names if parameter.name != "help"), names


def test_options_have_their_values_and_defaults():
    page = command_reference()
    assert "| `--unlearnable error or skip` | What to do" in page
    assert "| `--overwrite` |" in page
    assert "| `--repeats N` | Times to draw the folds; one gives no verdict. By default `5`. |" in page
    assert "polytask fit [TABLE|STUDY]... [OPTIONS]" in page
    assert "polytask predict MODEL TABLE [OPTIONS]" in page
