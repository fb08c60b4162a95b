"""``polytask tasks``."""

import pytest

from tests.cli.conftest import target_words


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


def line_of(shown, start):
    return next(" ".join(line.split()) for line in shown.out.splitlines() if line.startswith(start + " "))


def test_every_task_has_its_kind_counts_values_and_reason(polytask, table):
    shown = polytask("tasks", table, *target_words())
    assert (shown.code, shown.err) == (0, "")
    assert line_of(shown, "price").startswith("price regression 68 12 ")
    assert "numbers with fractions" in line_of(shown, "price")
    assert line_of(shown, "sold") == "sold binary 71 9 no (37), yes (34) two distinct values: 'no' and 'yes'"
    assert "as you said" in line_of(shown, "grade")
    assert "1 (" in line_of(shown, "grade")  # whole-number labels without a decimal point
    assert line_of(shown, "visits").startswith("visits count 80 0 0 to ")
    assert "y_sun (" in line_of(shown, "tags")


def test_every_input_has_its_kind_and_reason(polytask, table):
    shown = polytask("tasks", table, "-t", "price", "--ignore", "rooms", "--group", "city", "--weight", "visits")
    assert line_of(shown, "id").endswith("every row has another text")
    assert line_of(shown, "area").startswith("area numeric 80 0 ")
    assert line_of(shown, "rooms").endswith("not an input: --ignore")
    assert line_of(shown, "city").endswith("not an input: --group")
    assert line_of(shown, "visits").endswith("not an input: --weight")


def test_texts_read_as_missing_are_counted(polytask, table, frame):
    frame["sold"] = frame["sold"].fillna("None")
    frame.to_csv(table, index=False)
    assert "'None' (9)" in line_of(polytask("tasks", table, "-t", "sold"), "sold")
    assert "None (9)" in line_of(polytask("tasks", table, "-t", "sold", "--no-default-missing"), "sold")
    assert "'Rome' (" in line_of(polytask("tasks", table, "-t", "city", "--missing", "Rome"), "city")


def test_columns_with_colon_and_star_are_found(polytask, table):
    shown = polytask("tasks", table, "-t", "site:plot*")
    assert line_of(shown, "site:plot*").startswith("site:plot* regression 80 0 ")
    shown = polytask("tasks", table, "-t", "site:plot*:regression")
    assert "as you said" in line_of(shown, "site:plot*")


def test_what_cannot_be_learned_is_an_error_that_names_the_option(polytask, table, frame):
    frame.assign(sold="yes").to_csv(table, index=False)
    shown = polytask("tasks", table, "-t", "price", "-t", "sold")
    assert shown.code == 2
    assert "'sold' cannot be learned: it has one value only" in shown.err
    assert "--unlearnable skip" in shown.err


def test_what_cannot_be_learned_can_be_left_out(polytask, table, frame):
    frame.assign(sold="yes").to_csv(table, index=False)
    shown = polytask("tasks", table, "-t", "price", "-t", "sold", "--unlearnable", "skip")
    assert shown.code == 0
    assert line_of(shown, "sold").startswith("sold left out Task 'sold' cannot be learned: it has one value only")


@pytest.mark.parametrize("option", ["--ignore", "--group", "--split", "--weight"])
def test_a_column_that_is_not_there_is_told_with_its_option(polytask, table, option):
    shown = polytask("tasks", table, "-t", "price", option, "citty")
    assert shown.code == 2
    assert shown.err == f"error: Column 'citty' of {option} is not in the table. Did you mean 'city'?\n"


def test_separator_and_decimal_sign_are_taken(polytask, table, frame):
    frame.to_csv(table, index=False, sep=";", decimal=",")
    shown = polytask("tasks", table, "-t", "price", "--sep", ";", "--decimal", ",")
    assert line_of(shown, "price").startswith("price regression")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gap", "3"], "--gap 3 is between rows in order of --time, the column of times; got none."),
        (["--time", "rooms", "--gap", "soon"], "--gap must be a number of rows"),
        (["--time", "rooms", "--gap", "7 days"], "since times are numbers"),
    ],
)
def test_a_gap_is_checked_as_in_a_fit(polytask, table, words, message):
    shown = polytask("tasks", table, "-t", "price", *words)
    assert shown.code == 2
    assert message in shown.err
