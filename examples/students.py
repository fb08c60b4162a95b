"""Six targets of five kinds in one table, labels missing by nature: learn them together, predict, score, save."""

import tempfile
from pathlib import Path

import polytask
from polytask import MultiTaskPredictor
from polytask.datasets import load_students

students = load_students()
train = students.frame.sample(540, random_state=0)
new = students.frame.drop(train.index)

# one network is quick; leave the preset out for a portfolio of models
predictor = MultiTaskPredictor(students.targets, ignore=students.ignore, seed=0, preset="network").fit(train)

print("Predicted, with a missing grade filled in too:")
print(predictor.predict(new).head(3).round(1).to_string())

print("\nHow likely each answer is:")
print(predictor.predict_proba(new)["higher"].head(3).round(2).to_string())

print("\nOn pupils never seen (skill: 0 is a constant's, 1 is perfect):")
for name, task in predictor.evaluate(new)["tasks"].items():
    print(f"  {name:18} {task['kind']:11} {task['n_observed']:4} labels  skill {task['skill']:6.2f}")

with tempfile.TemporaryDirectory() as folder:
    predictor.save(Path(folder) / "model")  # a folder of JSON and tensors; it can be moved
    same = polytask.load(Path(folder) / "model").predict(new).equals(predictor.predict(new))
print(f"\nThe saved model predicts the same: {same}")
