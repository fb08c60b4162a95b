"""Different data for each task: two registers that share patients, one input and nothing else, learned as one table."""

import numpy as np
import pandas as pd

from polytask.data import stack
from polytask.estimators import MultiTaskNetwork
from polytask.evaluation import compare

rng = np.random.default_rng(0)
frailty = rng.normal(size=500)  # of 500 patients; what both registers see, each in its way


def register(n, extra):
    patient = rng.choice(500, n)
    age = 60 + 8 * frailty[patient] + 4 * rng.normal(size=n)
    return pd.DataFrame({"patient": patient, "age": age.round(), extra: frailty[patient] + 0.5 * rng.normal(size=n)})


hospital, practice = register(300, "pressure"), register(400, "grip")
stay = np.exp(1 + 0.5 * frailty[hospital["patient"]] + 0.2 * rng.normal(size=300)).round(1)
visits = rng.poisson(np.exp(1 + 0.5 * frailty[practice["patient"]]))

stacked = stack({"stay": (hospital, stay), "visits": (practice, visits)}, entity="patient")
print(stacked.to_frame(source="register").groupby("register").count().to_string())  # absent inputs and labels are missing

result = compare(
    stacked.X,
    stacked.y,
    ["stay", "visits"],
    joint=MultiTaskNetwork(max_epochs=30),
    separate=["alone"],
    folds=3,
    repeats=2,
    groups=stacked.groups,  # a patient's rows in both registers are learned from or held out together
    random_state=0,
)
print("\n", result.to_frame()[["skill_together", "skill_alone", "verdict_over_alone"]].round(2).to_string(), sep="")
