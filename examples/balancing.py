"""Tasks that pull one network in several directions: which do, and what a balancing method makes of it."""

import numpy as np
from sklearn.model_selection import GridSearchCV

from polytask.balancing import CAGrad
from polytask.datasets import load_students
from polytask.estimators import MultiTaskNetwork

students = load_students()
targets = ["math_grade", "portuguese_grade", "romantic"]
X = students.frame.drop(columns=[*students.ignore, *targets]).select_dtypes("number")
y = students.frame[targets]

model = MultiTaskNetwork(balancing=CAGrad(c=0.4), max_epochs=15, random_state=0).fit(X, y)
network = model.network_
print("Mean cosine between the gradients of two tasks (1 the same direction, -1 opposite):")
for name, row in zip(targets, np.round(network.cosines, 2), strict=True):
    print(f"  {name:18} {row}")
print(f"Pairs that pulled apart: {network.curves['conflict'].mean():.0%}")
print(f"Mean weights in the last epoch: {np.round(network.curves['weights'][-1], 2)}")

search = GridSearchCV(model, {"balancing": [None, "famo", "pcgrad"], "max_epochs": [8]}, cv=2).fit(X, y)
print(f"\nBest of three by mean skill on held-out folds: {search.best_params_['balancing'] or 'equal weights'}")
