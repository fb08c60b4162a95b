"""The automatic door: a table and the names of its targets in, one model of all of them out.

>>> import pandas as pd
>>> from polytask.automatic import MultiTaskPredictor
>>> area = pd.Series([40.5 + 7 * k % 60 for k in range(60)])
>>> frame = pd.DataFrame({"area": area, "price": area**1.5, "sold": ["yes", "no"] * 30})
>>> scores = MultiTaskPredictor(["price", "sold"], max_steps=10).fit(frame).evaluate(frame)
>>> scores["tasks"]["price"]["kind"], scores["tasks"]["sold"]["n_observed"]
('regression', 60)
"""

from polytask.automatic._predictor import MultiTaskPredictor, load
from polytask.automatic._roles import Roles, divide_table, warn_of_copies
from polytask.automatic._run_folder import RunFolder

__all__ = ["MultiTaskPredictor", "Roles", "RunFolder", "divide_table", "load", "warn_of_copies"]
