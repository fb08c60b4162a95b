"""Comparison of what is learned together with what is learned alone.

Held-out losses go in, one array (n_repeats, n_rows) for each arm of each task; gains with intervals and verdicts come out.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> fold = np.stack([rng.permutation(np.arange(200) % 5) for repeat in range(5)])
>>> alone = rng.uniform(0.5, 0.9, (5, 200))
>>> together = alone - 0.08 + rng.normal(0, 0.1, (5, 200))
>>> table = gain_table({"price": LossArrays(together, alone, constant=np.ones((5, 200)))}, fold=fold)
>>> table.tasks["price"]["verdict"]
'helped'
"""

from polytask.evaluation._compare import Comparison, compare
from polytask.evaluation._corrected_t import CorrectedT, corrected_resampled_t
from polytask.evaluation._delong import auc_row_losses
from polytask.evaluation._diagnostics import Slices, diagnose, diagnose_tasks
from polytask.evaluation._donated_columns import CodedRows
from polytask.evaluation._folds import FoldPlan, plan_folds
from polytask.evaluation._gain import Gain, TaskGain, UndefinedGain, mean_gain, task_gain
from polytask.evaluation._gain_table import GainTable, LossArrays, gain_table
from polytask.evaluation._importance import (
    Importance,
    held_out_rows,
    importance_of,
    out_of_fold_importance,
    permutation_importance,
)
from polytask.evaluation._importance_of_models import HeldOutRows
from polytask.evaluation._intervals import Intervals, holm, holm_levels, simultaneous_intervals, two_sided_p
from polytask.evaluation._learning_curve import LearningCurve, learning_curve
from polytask.evaluation._out_of_fold import out_of_fold
from polytask.evaluation._time_blocks import time_blocks
from polytask.evaluation._variance import Variance, repeated_cv_variance
from polytask.evaluation._verdict import LEAST_UNLIKE, Verdict, too_few_labels, verdict

__all__ = [
    "LEAST_UNLIKE",
    "CodedRows",
    "Comparison",
    "CorrectedT",
    "FoldPlan",
    "Gain",
    "GainTable",
    "HeldOutRows",
    "Importance",
    "Intervals",
    "LearningCurve",
    "LossArrays",
    "Slices",
    "TaskGain",
    "UndefinedGain",
    "Variance",
    "Verdict",
    "auc_row_losses",
    "compare",
    "corrected_resampled_t",
    "diagnose",
    "diagnose_tasks",
    "gain_table",
    "held_out_rows",
    "holm",
    "holm_levels",
    "importance_of",
    "learning_curve",
    "mean_gain",
    "out_of_fold",
    "out_of_fold_importance",
    "permutation_importance",
    "plan_folds",
    "repeated_cv_variance",
    "simultaneous_intervals",
    "task_gain",
    "time_blocks",
    "too_few_labels",
    "two_sided_p",
    "verdict",
]
