"""One task per school: pupils of forty small schools, whose exam scores depend on nearly the same things in each."""

import warnings

import numpy as np
import pandas as pd

from polytask import MultiTaskPredictor

rng = np.random.default_rng(0)
schools, pupils = 40, 25
school = np.repeat(np.arange(schools), pupils)
X = rng.normal(size=(schools * pupils, 6))
common, own = rng.normal(size=6), rng.normal(size=(schools, 6))  # every school differs a little from what is common
score = 20 + 5 * (X * (common + 0.3 * own[school])).sum(axis=1) + 2 * rng.normal(size=schools)[school]
score += 4 * rng.normal(size=len(score))
table = pd.DataFrame(X, columns=[f"x{k}" for k in range(6)]).assign(school=school, score=score.round(1))
train = table.sample(frac=0.75, random_state=0)
new = table.drop(train.index)

predictor = MultiTaskPredictor("score", task_by="school", seed=0, preset="network").fit(train)
print(predictor.predict(new).head(3).round(1).to_string())  # one column: every pupil by the task of the own school

scores = predictor.evaluate(new)
skills = [task["skill"] for task in scores["tasks"].values() if task["n_observed"] >= 5]
pooled = scores["pooled"]["score"]["skill"]
print(f"\n{len(scores['tasks'])} tasks; skill over all pupils {pooled:.2f}, median school {np.median(skills):.2f}")

unknown = new.head(2).assign(school=[None, 17])
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    predicted = predictor.predict(unknown)
print(f"\n{predicted.round(1).to_string()}\n{told[0].message}")
