"""scikit-learn's own checks, and what cannot hold with its reason."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from polytask.estimators import MultiTaskNetwork
from polytask.networks import MLP
from polytask.tasks import Multiclass, Regression

WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "rows are drawn into batches and a validation part, so a weight of 2 and a row given twice lead to other steps; "
        "in the loss they are equal, as a test of the training room shows"
    )
}
ONE_COLUMN = {
    "check_supervised_y_2d": "a y of shape (n, 1) is taken as it is and predictions have that shape: nothing to warn of"
}
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
CLASSES = {"check_classifiers_train": A_DICT}


@pytest.mark.parametrize(
    "tasks, expected",
    [
        pytest.param(None, WEIGHTS | PROBABILITIES, id="no tasks"),
        pytest.param([Regression("y")], WEIGHTS | ONE_COLUMN, id="regression"),
        pytest.param([Multiclass("y")], WEIGHTS | ONE_COLUMN | PROBABILITIES | CLASSES, id="multiclass"),
    ],
)
def test_checks_of_scikit_learn(tasks, expected):
    estimator = MultiTaskNetwork(tasks, encoder=MLP(width=32), max_epochs=20, random_state=0)
    results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}
    known = {result["check_name"] for result in results if result["status"] == "xfail"}
    assert known == expected.keys(), "a check that passes now need not be listed"
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}  # runs only where SCIPY_ARRAY_API is set
    assert len(results) > 45
