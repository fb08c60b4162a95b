"""A parameter of a predictor that is of a wrong kind is told by its name."""

import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.5]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"targets": None}, "`targets` must be a name of a column or a list of them; got None."),
        ({"ignore": [3]}, "`ignore` must be the name of a column, a text; got 3."),
        ({"group": ["a"]}, "`group` must be the name of a column, a text; got ['a']."),
        ({"time": 3}, "`time` must be the name of a column, a text; got 3."),
        ({"losses": "mae"}, "`losses` must be a mapping from targets, such as {'price': 'huber'}; got 'mae'."),
        ({"class_weights": "balanced"}, "such as {'sold': 'balanced'}; got 'balanced'."),
        ({"network": MultiTaskNetwork}, "`network` must be a MultiTaskNetwork, an object of it; got <class"),
        ({"threads": "x"}, "`threads` must be a number; got 'x'."),
        ({"time_limit": "x"}, "`time_limit` must be a number; got 'x'."),
        ({"time_limit": 0}, "`time_limit` must be positive seconds, a finite number; got 0."),
        ({"time_limit": float("nan")}, "`time_limit` must be positive seconds, a finite number; got nan."),
        ({"time_limit": float("inf")}, "`time_limit` must be positive seconds, a finite number; got inf."),
        ({"max_steps": True}, "`max_steps` must be a number; got True."),
    ],
)
def test_a_parameter_of_a_wrong_kind_is_told(settings, message):
    with pytest.raises(OptionError) as told:
        MultiTaskPredictor(**{"targets": ["y"], **settings}).fit(FRAME)
    assert message in str(told.value)
