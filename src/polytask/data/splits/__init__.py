"""Splits of a table with several targets, as scikit-learn splitters.

Targets [n, n_tasks] of any kinds, labels missing anywhere, become True/False columns (one per class or quantile bin, one for
"missing"); iterative stratification deals the rows, or whole groups, to folds so that every column keeps its share in every fold.
Plain splits are scikit-learn's own (``KFold``, ``ShuffleSplit``, ``GroupKFold``): every part of polytask takes those too.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> y = (rng.random((100, 3)) < [0.5, 0.2, 0.1]).astype(float)
>>> y[rng.random((100, 3)) < 0.3] = np.nan
>>> folds = StratifiedTaskKFold(5, random_state=0).fold_of_rows(y=y)
>>> [int(np.nansum(y[folds == fold, 0])) for fold in range(5)]
[6, 6, 6, 5, 6]
>>> split_balance(y, folds).largest_deviation < split_balance(y, np.arange(100) // 20).largest_deviation
True
"""

from polytask.data.splits._balance import SplitBalance, split_balance
from polytask.data.splits._cluster_kfold import ClusterKFold, joined_groups
from polytask.data.splits._column import ColumnSplit
from polytask.data.splits._hash import HashHoldout, hash_shares
from polytask.data.splits._holdout import StratifiedTaskShuffleSplit, holdout
from polytask.data.splits._iterative import iterative_stratification
from polytask.data.splits._kfold import RepeatedStratifiedTaskKFold, StratifiedTaskKFold
from polytask.data.splits._label_budget import LabelBudget
from polytask.data.splits._leave_one_group_out import LeaveOneGroupOut
from polytask.data.splits._nested import NestedFold, NestedSplit
from polytask.data.splits._similarity import similarity_clusters
from polytask.data.splits._strata import column_strata, target_strata
from polytask.data.splits._time import TimeOrder, as_time_order, latest_holdout
from polytask.data.splits._time_split import TimeSplit

__all__ = [
    "ClusterKFold",
    "ColumnSplit",
    "HashHoldout",
    "LabelBudget",
    "LeaveOneGroupOut",
    "NestedFold",
    "NestedSplit",
    "RepeatedStratifiedTaskKFold",
    "SplitBalance",
    "StratifiedTaskKFold",
    "StratifiedTaskShuffleSplit",
    "TimeOrder",
    "TimeSplit",
    "as_time_order",
    "column_strata",
    "hash_shares",
    "holdout",
    "iterative_stratification",
    "joined_groups",
    "latest_holdout",
    "similarity_clusters",
    "split_balance",
    "target_strata",
]
