"""Estimators: a table and labels in, predictions out, in the manner of scikit-learn.

>>> import pandas as pd
>>> from polytask.estimators import MultiTaskNetwork
>>> X = pd.DataFrame({"area": range(40), "city": ["Oslo", "Bergen"] * 20})
>>> y = pd.DataFrame({"price": [2.5 * a for a in range(40)], "sold": ["yes", "no"] * 20})
>>> model = MultiTaskNetwork(max_epochs=5, random_state=0).fit(X, y)
>>> list(model.predict(X).columns)
['price', 'sold']
"""

from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._fit_networks import CodedTable, FittedNetwork, NetworkJob, fit_networks
from polytask.estimators._labels import LabelTable, read_labels
from polytask.estimators._multi_task_network import MultiTaskNetwork

__all__ = [
    "CodedTable",
    "FittedNetwork",
    "LabelTable",
    "MultiTaskEstimator",
    "MultiTaskNetwork",
    "NetworkJob",
    "fit_networks",
    "read_labels",
]
