"""Estimators: a table and labels in, predictions out, in the manner of scikit-learn.

>>> import pandas as pd
>>> from polytask.estimators import MultiTaskNetwork
>>> X = pd.DataFrame({"area": range(40), "city": ["Oslo", "Bergen"] * 20})
>>> y = pd.DataFrame({"price": [2.5 * a for a in range(40)], "sold": ["yes", "no"] * 20})
>>> model = MultiTaskNetwork(max_epochs=5, random_state=0).fit(X, y)
>>> list(model.predict(X).columns)
['price', 'sold']
"""

from polytask.estimators._averaging import AveragingEstimator
from polytask.estimators._bag_estimator import bag_estimator
from polytask.estimators._bagged import AloneModels, Bagged, FoldModel, LearningData, NetworkModel, bag_alone, bag_network
from polytask.estimators._bagging import BaggingEstimator
from polytask.estimators._base import MultiTaskEstimator
from polytask.estimators._best_per_task import (
    BestPerTask,
    TwinModel,
    alone_jobs,
    choose_per_task,
    default_candidates,
    fit_alone,
    selection_split,
    twin_mask,
)
from polytask.estimators._bootstrap import stratified_bootstrap
from polytask.estimators._candidates import (
    boosted_trees,
    boosted_trees_stopped,
    decision_tree,
    elastic_net,
    extra_trees,
    gaussian_process,
    kernel_svm,
    linear_models,
    linear_svm,
    naive_bayes,
    nearest_neighbours,
    partial_least_squares,
    random_forest,
)
from polytask.estimators._device import torch_device
from polytask.estimators._ensemble import Ensemble
from polytask.estimators._ensemble_parts import fold_model_from_parts, fold_model_parts
from polytask.estimators._estimator_from_parts import estimator_from_parts, task_model_from_parts
from polytask.estimators._estimator_parts import task_model_parts
from polytask.estimators._fit_networks import CodedTable, FittedNetwork, NetworkJob, fit_networks
from polytask.estimators._fit_on_rows import FitsOnRows, fit_on_rows, of_tasks
from polytask.estimators._folder import load_estimator, save_estimator
from polytask.estimators._greedy_ensemble import GreedyEnsemble, mix_task
from polytask.estimators._greedy_selection import bagged_selection, cross_fitted_outputs, greedy_selection
from polytask.estimators._held_out_skill import held_out_skill
from polytask.estimators._inner_folds import inner_folds
from polytask.estimators._labels import LabelTable, encode_labels_of, label_frame, label_weights, read_labels, task_slices
from polytask.estimators._matrix import TableMatrix
from polytask.estimators._multi_task_boosting import MultiTaskBoosting
from polytask.estimators._multi_task_catboost import MultiTaskCatBoost
from polytask.estimators._multi_task_forest import MultiTaskForest
from polytask.estimators._multi_task_network import MultiTaskNetwork
from polytask.estimators._network_parts import network_from_parts, network_parts, restore_table, table_content
from polytask.estimators._per_task import PerTaskEstimator, TaskModel
from polytask.estimators._sparsity import column_weights, kept_columns, zero_shares
from polytask.estimators._stacked_across_tasks import StackedAcrossTasks
from polytask.estimators._stacked_rows_boosting import StackedRowsBoosting
from polytask.estimators._stacking import StackingEstimator
from polytask.estimators._standard_deviations import standard_deviations
from polytask.estimators._used_parameters import n_used_parameters
from polytask.estimators._voting import VotingEstimator

__all__ = [
    "AloneModels",
    "AveragingEstimator",
    "Bagged",
    "BaggingEstimator",
    "BestPerTask",
    "CodedTable",
    "Ensemble",
    "FitsOnRows",
    "FittedNetwork",
    "FoldModel",
    "GreedyEnsemble",
    "LabelTable",
    "LearningData",
    "MultiTaskBoosting",
    "MultiTaskCatBoost",
    "MultiTaskEstimator",
    "MultiTaskForest",
    "MultiTaskNetwork",
    "NetworkJob",
    "NetworkModel",
    "PerTaskEstimator",
    "StackedAcrossTasks",
    "StackedRowsBoosting",
    "StackingEstimator",
    "TableMatrix",
    "TaskModel",
    "TwinModel",
    "VotingEstimator",
    "alone_jobs",
    "bag_alone",
    "bag_estimator",
    "bag_network",
    "bagged_selection",
    "boosted_trees",
    "boosted_trees_stopped",
    "choose_per_task",
    "column_weights",
    "cross_fitted_outputs",
    "decision_tree",
    "default_candidates",
    "elastic_net",
    "encode_labels_of",
    "estimator_from_parts",
    "extra_trees",
    "fit_alone",
    "fit_networks",
    "fit_on_rows",
    "fold_model_from_parts",
    "fold_model_parts",
    "gaussian_process",
    "greedy_selection",
    "held_out_skill",
    "inner_folds",
    "kept_columns",
    "kernel_svm",
    "label_frame",
    "label_weights",
    "linear_models",
    "linear_svm",
    "load_estimator",
    "mix_task",
    "n_used_parameters",
    "naive_bayes",
    "nearest_neighbours",
    "network_from_parts",
    "network_parts",
    "of_tasks",
    "partial_least_squares",
    "random_forest",
    "read_labels",
    "restore_table",
    "save_estimator",
    "selection_split",
    "standard_deviations",
    "stratified_bootstrap",
    "table_content",
    "task_model_from_parts",
    "task_model_parts",
    "task_slices",
    "torch_device",
    "twin_mask",
    "zero_shares",
]
