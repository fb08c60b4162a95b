"""A comparison carries diagnostics of the joint model on held-out rows."""

import json

import numpy as np
import pandas as pd

from polytask.estimators import MultiTaskNetwork
from polytask.evaluation import compare, diagnose


def test_a_comparison_diagnoses_the_held_out_rows_of_its_first_repeat(rng):
    X = pd.DataFrame({"x": rng.normal(size=90), "city": rng.choice(["Oslo", "Rome"], 90)})
    y = pd.DataFrame({"price": X["x"] + rng.normal(size=90), "sold": np.where(rng.random(90) < 0.5, "yes", "no")})
    y.loc[::9, "price"] = np.nan
    done = compare(X, y, joint=MultiTaskNetwork(max_epochs=2), folds=2, repeats=2, separate=("alone",))
    found = done.result["tasks"]["price"]["diagnostics"]
    assert (found["rows"], found["n_rows"]) == ("held-out", 80)
    assert found["by_column"]["n_columns"] == 2
    fitted = MultiTaskNetwork(max_epochs=1).fit(X, y).tasks_[0]
    again = diagnose(fitted, done.outputs["together"][0]["price"], fitted.encode(y))
    assert again["parts"] == found["parts"]
    json.dumps(done.result["tasks"]["sold"]["diagnostics"], allow_nan=False)


def test_numbers_of_any_size_are_diagnosed(rng):
    from polytask.tasks import Count, Regression

    for scale in (1e-25, 1e-3, 1e12, 1e29):
        truth = pd.DataFrame({"y": scale * rng.normal(size=200)})
        task = Regression("y").fit(truth)
        outputs = truth["y"].to_numpy() + 0.1 * scale * rng.normal(size=200)
        found = diagnose(task, outputs, task.encode(truth), inputs=pd.DataFrame({"x": rng.normal(size=200)}))
        assert found["parts"]["scatter"]["slope"][0] == np.clip(found["parts"]["scatter"]["slope"][0], 0.8, 1.1)
        assert found["by_column"]["skill"] > 0.9
    counts = pd.DataFrame({"y": [0, 10**9] * 50})
    task = Count("y").fit(counts)
    json.dumps(diagnose(task, np.full(100, 5e8), task.encode(counts)), allow_nan=False)
