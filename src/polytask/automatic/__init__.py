"""The automatic door: a table and the names of its targets in, one model of all of them out.

>>> import pandas as pd
>>> from polytask.automatic import MultiTaskPredictor
>>> area = pd.Series([40.5 + 7 * k % 60 for k in range(60)])
>>> frame = pd.DataFrame({"area": area, "price": area**1.5, "sold": ["yes", "no"] * 30})
>>> scores = MultiTaskPredictor(["price", "sold"], max_steps=10).fit(frame).evaluate(frame)
>>> scores["tasks"]["price"]["kind"], scores["tasks"]["sold"]["n_observed"]
('regression', 60)
"""

from polytask.automatic._audience import in_fields, in_options, in_parameters
from polytask.automatic._clock import Clock, process_start
from polytask.automatic._first_study import first_study
from polytask.automatic._portfolio import Candidate, Portfolio, fit_portfolio
from polytask.automatic._predictor import MultiTaskPredictor, load
from polytask.automatic._preset_choice import preset_of
from polytask.automatic._roles import Roles, divide_table, warn_of_copies
from polytask.automatic._run_folder import RunFolder
from polytask.automatic._study import CompareOptions, FitOptions, Study
from polytask.automatic._study_errors import field_name
from polytask.automatic._study_file import read_study, read_study_text, study_from
from polytask.automatic._study_run import (
    check_division,
    check_gap,
    study_comparison,
    study_network,
    study_order,
    study_predictor,
    study_roles,
    study_targets,
)
from polytask.automatic._study_table import read_study_table
from polytask.automatic._study_text import StudyLine, commented_study, study_text
from polytask.automatic._study_yaml import YAMLText, parse_yaml
from polytask.automatic._time_spent import tell_time

__all__ = [
    "Candidate",
    "Clock",
    "CompareOptions",
    "FitOptions",
    "MultiTaskPredictor",
    "Portfolio",
    "Roles",
    "RunFolder",
    "Study",
    "StudyLine",
    "YAMLText",
    "check_division",
    "check_gap",
    "commented_study",
    "divide_table",
    "field_name",
    "first_study",
    "fit_portfolio",
    "in_fields",
    "in_options",
    "in_parameters",
    "load",
    "parse_yaml",
    "preset_of",
    "process_start",
    "read_study",
    "read_study_table",
    "read_study_text",
    "study_comparison",
    "study_from",
    "study_network",
    "study_order",
    "study_predictor",
    "study_roles",
    "study_targets",
    "study_text",
    "tell_time",
    "warn_of_copies",
]
