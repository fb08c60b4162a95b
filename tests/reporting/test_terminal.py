import io

import pytest
from rich.console import Console

from polytask.reporting import comparison_table, leaderboard_table, summary_sentence
from tests.reporting._sample import bare_comparison, comparison, many_tasks, nasty_comparison


def printed(result, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(comparison_table(result))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("make", [comparison, many_tasks, bare_comparison])
def test_fits_the_terminal_and_cuts_no_number(make, width):
    text = printed(make(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_a_row_tells_skills_gain_interval_and_verdict():
    line = next(line for line in printed(comparison()).splitlines() if "final_grade" in line)
    assert line.split() == ["final_grade", "41.2", "45.9", "+4.7", "[+1.8,", "+7.6]", "helped"]


def test_a_wide_terminal_has_everything_in_one_table():
    text = printed(comparison(), 120)
    assert text.count("final_grade") == 1
    assert "worth it?" in text


def test_the_mean_and_delta_m_are_told():
    text = printed(comparison())
    assert "mean over tasks     25.0      27.1  +2.1 [+0.4, +3.8]  helped" in text
    assert "+3.4 % against learned" in text


def test_names_cannot_steer_the_terminal_and_markup_is_text():
    result = nasty_comparison()
    result["tasks"]["[red]x[/red]"] = result["tasks"].pop("x")
    text = printed(result)
    assert "\x1b" not in text
    assert "[red]x[/red]" in text


def test_a_long_name_takes_two_lines_at_most():
    assert sum("a_very_long" in line or "from_a_database" in line for line in printed(nasty_comparison(), 120).splitlines()) <= 2


def test_the_sentence_names_the_harmed_task():
    assert summary_sentence(comparison()) == (
        "Learning together helped 2 of 6 tasks and harmed 1: 'reason_for_school' (1 equivalent, 2 undecided); "
        "mean gain +2.1 points of skill [+0.4, +3.8]."
    )


def test_the_sentence_names_at_most_three_harmed_tasks():
    result = many_tasks(40)
    for i in (4, 9, 14, 19):
        result["tasks"][f"assay_{i:02d}"]["gains"]["alone"]["verdict"] = "harmed"
    assert "harmed 5: 'assay_04', 'assay_09', 'assay_14' and 2 more" in summary_sentence(result)


def test_with_one_repeat_the_sentence_gives_no_verdict():
    result = bare_comparison()
    result["tasks"]["again"] = next(iter(result["tasks"].values()))
    assert summary_sentence(result).startswith("One repeat is too few for a verdict on any task; mean gain +2.0")


def test_an_undefined_mean_is_said():
    result = bare_comparison()
    result["mean"] = {}
    assert summary_sentence(result).endswith("differ by an undefined amount.")
    result["tasks"]["again"] = next(iter(result["tasks"].values()))
    assert summary_sentence(result).endswith("the mean gain is undefined.")


def test_a_leaderboard_says_what_time_cut_short():
    rows = [{"task": "sold", "model": name, "skill": 0.3, "weight": 1.0} for name in ("ensemble", "linear")]
    told = ["slow learned 1 of 2 tasks before time ended.", "What columns matter was not measured: no time was left for it."]
    result = {"format": "polytask.fit", "version": 1, "tasks": {"sold": {}}, "leaderboard": rows}
    out = io.StringIO()
    Console(file=out, width=120, color_system=None).print(leaderboard_table(result | {"notes": [*told, "Something else."]}))
    assert all(own in out.getvalue() for own in told)
    assert "Something else." not in out.getvalue()
