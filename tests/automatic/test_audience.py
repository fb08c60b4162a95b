"""An error is in the words of who reads it: options, fields of a study, parameters."""

import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.automatic import in_fields, in_options, in_parameters, parse_yaml
from polytask.exceptions import DataError, OptionError

STUDY = """table: train.csv
target: [price, "sold:binery"]
loss:
  price: maee
ignore: [id, price]
decimal: ";"
gap: 3
compare:
  folds: 4
  metric: {sold: auc}
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("There is no file sub/train.csv.", 1),
        ("Target 'sold:binery' has the unknown kind 'binery'.", 2),
        ("The loss of task 'price' must be one of mse, mae; got 'maee'.", 4),
        ("--loss names 'price', which is no target.", 4),
        ("Column 'price' is a target and is given to --ignore too.", 5),
        ("--decimal must be '.' or ','; got ';'.", 6),
        ("--gap 3 is between rows in order of --time; got none.", 7),
        ("--folds 4 and --split x both say what is held out.", 9),
        ("The skill of task 'sold' cannot be measured by 'auc'.", 10),
    ],
)
def test_an_error_names_the_line_it_is_about(said, line):
    assert in_fields(said, parse_yaml(STUDY, where="sub/s.yaml"), path="sub/s.yaml").startswith(f"sub/s.yaml, line {line}: ")


@pytest.mark.parametrize("said", ["There is not enough memory.", "The loss of a task is not finite.", "sub/s.yaml, line 9: no."])
def test_an_error_about_nothing_in_the_study_names_no_line(said):
    assert in_fields(said, parse_yaml(STUDY, where="sub/s.yaml"), path="sub/s.yaml") == said


def test_what_was_given_besides_is_not_blamed_on_the_study():
    told = in_fields("--gap 5 is of --time.", parse_yaml(STUDY, where="s.yaml"), path="s.yaml", given={("gap",)})
    assert told == "--gap 5 is of --time."


def test_fields_of_the_study_are_named_as_in_it_and_others_as_options():
    told = in_fields("--gap 3 needs --time.", parse_yaml(STUDY, where="s.yaml"), path="s.yaml")
    assert told == "s.yaml, line 7: `gap` 3 needs --time."


def test_an_option_that_is_to_be_given_stays_one():
    told = in_fields("No target is given (--target NAME).", parse_yaml("target:", where="s.yaml"), path="s.yaml")
    assert told == "s.yaml, line 1: No target is given (--target NAME)."


def test_who_types_a_command_reads_no_python():
    assert in_options("`gap` of TimeSplit must be a duration such as timedelta(days=30) or '30 days'.") == (
        "--gap must be a duration such as '30 days'."
    )
    assert in_options("The loss must be mse; got 'x'. A function of your own is taken too.") == "The loss must be mse; got 'x'."
    assert in_options("`learning_rate` of MultiTaskNetwork is 0.1") == "--learning-rate is 0.1"
    assert in_options("`max_steps` and `unheard`") == "--max-steps and `unheard`"


def test_who_calls_from_python_reads_no_options():
    assert in_parameters("--class-weight names 'z'; use --task-by.") == "`class_weights` names 'z'; use `task_by`."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"losses": {"z": "mae"}}, r"^`losses` names 'z', which is no target\."),
        ({"ignore": ["z"]}, r"^Column 'z' of `ignore` is not in the table\."),
        ({"group": "z"}, r"^Column 'z' of `group` is not in the table\."),
    ],
)
def test_a_predictor_speaks_of_its_parameters(settings, message):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.5]})
    with pytest.raises((DataError, OptionError), match=message):
        MultiTaskPredictor(["y"], **settings).fit(frame)


def test_a_file_beside_the_study_is_found_in_its_text():
    text = parse_yaml("target: [price]\ntable: train.csv\n", where="s.yaml")
    said = in_fields("There is no file train.csv.", text, path="s.yaml")
    assert said == "s.yaml, line 2: There is no file train.csv."
