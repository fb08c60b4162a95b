"""The automatic door: a table and the names of its targets in, one model of all of them out.

>>> import pandas as pd
>>> from polytask.automatic import MultiTaskPredictor
>>> frame = pd.DataFrame({"area": range(60), "price": [3.0 * a for a in range(60)], "sold": ["yes", "no"] * 30})
>>> scores = MultiTaskPredictor(["price", "sold"], max_steps=10).fit(frame).evaluate(frame)
>>> scores["tasks"]["price"]["kind"], scores["tasks"]["sold"]["n_observed"]
('regression', 60)
"""

from polytask.automatic._predictor import MultiTaskPredictor, load
from polytask.automatic._roles import Roles, divide_table, warn_of_copies
from polytask.automatic._run_folder import RunFolder

__all__ = ["MultiTaskPredictor", "Roles", "RunFolder", "divide_table", "load", "warn_of_copies"]
