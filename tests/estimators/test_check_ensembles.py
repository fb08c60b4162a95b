"""scikit-learn's own checks of ensembles, and what cannot hold with its reason."""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import check_estimator

from polytask.estimators import (
    AveragingEstimator,
    BaggingEstimator,
    GreedyEnsemble,
    MultiTaskBoosting,
    MultiTaskCatBoost,
    MultiTaskForest,
    StackedAcrossTasks,
    StackedRowsBoosting,
    StackingEstimator,
)
from polytask.tasks import Regression

LINEAR = {"regressor": Ridge(), "classifier": LogisticRegression(max_iter=500)}
A_DICT = "`predict_proba` gives a dict of task name to probabilities, which the check takes for one array"
PROBABILITIES = dict.fromkeys(
    (
        "check_estimators_pickle",
        "check_fit_idempotent",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
    ),
    A_DICT,
)
ONE_COLUMN = {
    "check_supervised_y_2d": "a y of shape (n, 1) is taken as it is and predictions have that shape: nothing to warn of"
}
WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a row given twice is drawn into folds and samples twice, a weight of 2 once; and the columns are scaled by rows"
    )
}


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (AveragingEstimator({"linear": LINEAR}), PROBABILITIES | WEIGHTS),
        (AveragingEstimator({"linear": LINEAR}, [Regression("y")]), ONE_COLUMN | WEIGHTS),
        (GreedyEnsemble({"linear": LINEAR}, folds=2, random_state=0), PROBABILITIES | WEIGHTS),
        (BaggingEstimator(LINEAR, [Regression("y")], n_repeats=2, random_state=0), ONE_COLUMN | WEIGHTS),
        (StackingEstimator({"linear": LINEAR}, [Regression("y")], folds=2, random_state=0), ONE_COLUMN | WEIGHTS),
        (StackedAcrossTasks(LINEAR, folds=2, random_state=0), PROBABILITIES | WEIGHTS),
        (MultiTaskForest(n_estimators=10, random_state=0), PROBABILITIES | WEIGHTS),
        (MultiTaskBoosting(n_estimators=5, random_state=0), PROBABILITIES | WEIGHTS),
        (StackedRowsBoosting([Regression("y")], n_estimators=5, random_state=0), ONE_COLUMN | WEIGHTS),
        (MultiTaskCatBoost(n_estimators=5, random_state=0), PROBABILITIES | WEIGHTS),
        (MultiTaskForest([Regression("y")], n_estimators=10, random_state=0), ONE_COLUMN | WEIGHTS),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_checks_of_scikit_learn(estimator, expected):
    if isinstance(estimator, MultiTaskCatBoost):
        pytest.importorskip("catboost")
    results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}
    assert {result["check_name"] for result in results if result["status"] == "xfail"} <= expected.keys()
    assert len(results) > 45
