"""Kinds of separate models, each a dict of estimator type to estimator for :class:`PerTaskEstimator`."""

from polytask.estimators._candidates._boosted_trees import boosted_trees
from polytask.estimators._candidates._boosted_trees_stopped import StoppedClassifier, StoppedRegressor, boosted_trees_stopped
from polytask.estimators._candidates._by_folds import FoldedClassifier, FoldedRegressor
from polytask.estimators._candidates._calibration import fit_probabilities, fit_shrinkage, shrunk, to_probabilities
from polytask.estimators._candidates._decision_tree import decision_tree
from polytask.estimators._candidates._elastic_net import ElasticNetByFolds, elastic_net
from polytask.estimators._candidates._forests import ForestClassifier, ForestRegressor, extra_trees, random_forest
from polytask.estimators._candidates._gaussian_process import gaussian_process
from polytask.estimators._candidates._inner_splits import inner_splits
from polytask.estimators._candidates._kernel_svm import kernel_svm
from polytask.estimators._candidates._linear_models import LogisticByFolds, PoissonByFolds, RidgeByFolds, linear_models
from polytask.estimators._candidates._linear_svm import linear_svm
from polytask.estimators._candidates._naive_bayes import naive_bayes
from polytask.estimators._candidates._nearest_neighbours import nearest_neighbours
from polytask.estimators._candidates._partial_least_squares import partial_least_squares
from polytask.estimators._candidates._plain import PlainModel

PLAIN_MODELS: dict[str, type[PlainModel]] = {
    own.__name__: own
    for own in (
        *(FoldedClassifier, FoldedRegressor, ForestClassifier, ForestRegressor, StoppedClassifier, StoppedRegressor),
        *(ElasticNetByFolds, LogisticByFolds, PoissonByFolds, RidgeByFolds),
    )
}

__all__ = [
    "PLAIN_MODELS",
    "PlainModel",
    "StoppedRegressor",
    "boosted_trees",
    "boosted_trees_stopped",
    "decision_tree",
    "elastic_net",
    "extra_trees",
    "fit_probabilities",
    "fit_shrinkage",
    "gaussian_process",
    "inner_splits",
    "kernel_svm",
    "linear_models",
    "linear_svm",
    "naive_bayes",
    "nearest_neighbours",
    "partial_least_squares",
    "random_forest",
    "shrunk",
    "to_probabilities",
]
