"""MultiTaskNetwork as a scikit-learn estimator: forms of X and y, clone, pipelines, searches, and the same numbers again."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import DataError, OptionError, PolytaskError, TargetError
from polytask.networks import MLP, HardSharing
from polytask.tasks import Binary, Count, Multiclass, Multilabel, Ordinal, Regression
from polytask.training import Checkpoint

SMALL = MLP(n_layers=1, width=16, dropout=0.0)


def network(tasks=None, **settings):
    return MultiTaskNetwork(tasks, **{"encoder": SMALL, "max_epochs": 5, "random_state": 0, **settings})


@pytest.fixture
def frames():
    """120 rows with mixed inputs, five tasks and missing labels, under an index of its own."""
    rng = np.random.default_rng(0)
    index = [f"r{k}" for k in rng.permutation(120)]
    age, city = rng.normal(40, 10, size=120), rng.choice(["Oslo", "Bergen", "Roma"], size=120)
    X = pd.DataFrame({"age": age, "city": city, "weight": rng.normal(size=120)}, index=index)
    X.loc[X.index[::9], "age"] = np.nan
    score = (age - 40) / 10 + (city == "Roma")
    y = pd.DataFrame(
        {
            "price": 100 + 10 * score + rng.normal(size=120),
            "sold": np.where(score > 0, "yes", "no"),
            "grade": np.digitize(score, [-0.5, 0.5, 1.2]),
            "visits": rng.poisson(np.exp(score / 2)),
            "a": (score > 0.5).astype(int),
            "b": (score < 0).astype(int),
        },
        index=index,
    )
    return X, y.mask(rng.uniform(size=y.shape) < 0.2)


TASKS = [
    Regression("price"),
    Binary("sold"),
    Ordinal("grade"),
    Count("visits"),
    Multilabel("tags", ("a", "b")),
]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100, 3))
    y = np.stack([X[:, 0] * 3, (X[:, 1] > 0).astype(float), np.digitize(X[:, 2], [-0.5, 0.5])], axis=1)
    y[rng.uniform(size=y.shape) < 0.2] = np.nan
    return X, y


# ------------------------------------------------------------------------------------------------------ forms in and out


def test_a_vector_gives_a_vector(arrays):
    X, _ = arrays
    fitted = network().fit(X, X[:, 0])
    assert fitted.predict(X).shape == (100,)
    assert [task.name for task in fitted.tasks_] == ["y0"]


def test_a_matrix_gives_a_matrix_of_tasks_named_by_position(arrays):
    X, y = arrays
    fitted = network().fit(X, y)
    assert fitted.predict(X).shape == (100, 3)
    assert fitted.predict(X).dtype == np.float64
    assert [(task.name, task.kind) for task in fitted.tasks_] == [("y0", "regression"), ("y1", "binary"), ("y2", "multiclass")]
    assert set(fitted.predict(X)[:, 2]) <= {0, 1, 2}


def test_a_matrix_with_text_gives_objects(arrays):
    X, y = arrays
    mixed = y.astype(object)
    mixed[:, 1] = np.where(np.isnan(y[:, 1]), None, np.where(y[:, 1] > 0, "yes", "no"))
    predicted = network().fit(X, mixed).predict(X)
    assert predicted.dtype == object
    assert set(predicted[:, 1]) <= {"yes", "no"}


def test_probabilities_are_a_dict_by_task(arrays):
    X, y = arrays
    probabilities = network().fit(X, y).predict_proba(X)
    assert {name: values.shape for name, values in probabilities.items()} == {"y1": (100, 2), "y2": (100, 3)}
    for values in probabilities.values():
        np.testing.assert_allclose(values.sum(axis=1), 1)


def test_frames_keep_index_columns_and_label_types(frames):
    X, y = frames
    predicted = network(TASKS).fit(X, y).predict(X)
    assert predicted.index.equals(X.index)
    assert list(predicted) == ["price", "sold", "grade", "visits", "a", "b"]
    assert predicted["grade"].dtype == np.int64  # whole numbers, though missing labels made the column float
    assert set(predicted["sold"]) <= {"yes", "no"}
    assert set(predicted["a"]) <= {0, 1}


def test_probabilities_of_frames_have_classes_as_columns_and_the_index(frames):
    X, y = frames
    probabilities = network(TASKS).fit(X, y).predict_proba(X)
    assert set(probabilities) == {"sold", "grade", "tags"}
    assert list(probabilities["sold"]) == ["no", "yes"]
    assert list(probabilities["grade"]) == ["0", "1", "2", "3"]
    assert list(probabilities["tags"]) == ["a", "b"]
    assert all(table.index.equals(X.index) for table in probabilities.values())


def test_polars_in_polars_out(frames):
    X, y = (pl.from_pandas(frame.reset_index(drop=True)) for frame in frames)
    fitted = network(TASKS).fit(X, y)
    assert isinstance(fitted.predict(X), pl.DataFrame)
    assert all(isinstance(table, pl.DataFrame) for table in fitted.predict_proba(X).values())


def test_polars_and_pandas_give_the_same_numbers(frames):
    X, y = frames
    first = network(TASKS).fit(X, y).predict(X)
    pX, py = (pl.from_pandas(frame.reset_index(drop=True)) for frame in frames)
    second = network(TASKS).fit(pX, py).predict(pX).to_pandas()
    np.testing.assert_array_equal(first["price"], second["price"])


def test_a_series_of_labels_gives_its_name_to_the_task(frames):
    X, y = frames
    assert [task.name for task in network().fit(X, y["price"]).tasks_] == ["price"]


def test_columns_may_come_in_another_order_at_prediction(frames):
    X, y = frames
    fitted = network(TASKS).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X)["price"], fitted.predict(X[["weight", "city", "age"]])["price"])


def test_tasks_may_be_named_by_column_and_kinds_are_inferred(frames):
    X, y = frames
    fitted = network(["price", "sold"]).fit(X, y)
    assert [task.kind for task in fitted.tasks_] == ["regression", "binary"]
    assert "fractions" in fitted.tasks_reasons_["price"]


def test_one_task_or_name_alone_will_do(frames):
    X, y = frames
    assert [task.name for task in network("price").fit(X, y).tasks_] == ["price"]
    assert [task.name for task in network(Regression("price")).fit(X, y).tasks_] == ["price"]


# ------------------------------------------------------------------------------------------------------- scikit-learn


def test_clone_gives_an_unfitted_equal(arrays):
    fitted = network(sharing=HardSharing(tower_width=4), learning_rate=0.1).fit(*arrays)
    copy = clone(fitted)
    assert copy.get_params()["sharing__tower_width"] == 4
    assert copy.learning_rate == 0.1
    assert not hasattr(copy, "tasks_")


def test_fit_changes_no_parameter_and_no_recipe(arrays):
    X, y = arrays
    model = network()
    before = {name: repr(value) for name, value in model.get_params().items()}
    model.fit(X, y)
    assert {name: repr(value) for name, value in model.get_params().items()} == before


def test_runs_in_a_pipeline(arrays):
    X, y = arrays
    model = make_pipeline(StandardScaler(), network()).fit(X, y)
    assert model.predict(X).shape == (100, 3)
    assert model.score(X, y) > -1


def test_a_search_reaches_into_recipes_with_the_own_score(arrays):
    X, y = arrays
    search = GridSearchCV(network(), {"encoder__width": [2, 32], "learning_rate": [1e-6, 0.02]}, cv=KFold(2)).fit(X, y)
    assert search.best_params_["learning_rate"] == 0.02
    assert search.best_estimator_.predict(X).shape == (100, 3)
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])


def test_cross_validation_uses_the_mean_skill(arrays):
    X, y = arrays
    scores = cross_val_score(network(max_epochs=40, learning_rate=0.02), X, y, cv=3)
    assert (scores > 0.2).all()


def test_the_score_of_one_regression_is_skill_by_hand(arrays):
    X, _ = arrays
    fitted = network().fit(X, X[:, 0])
    error = np.mean((fitted.predict(X) - X[:, 0]) ** 2)
    constant = np.mean((fitted.tasks_[0].statistics["mean"] - X[:, 0]) ** 2)
    assert fitted.score(X, X[:, 0]) == pytest.approx(1 - error / constant)


@pytest.mark.parametrize(
    "tasks, regressor, classifier",
    [
        (None, False, False),
        ([Regression("y")], True, False),
        ([Regression("y"), Regression("z")], True, False),
        ([Multiclass("y")], False, True),
        ([Binary("y")], False, True),
        ([Binary("y"), Binary("z")], False, False),
        ([Regression("y"), Binary("z")], False, False),
        ([Count("y")], False, False),
        (["y"], False, False),
    ],
)
def test_tags_follow_the_declared_tasks(tasks, regressor, classifier):
    model = network(tasks)
    assert (is_regressor(model), is_classifier(model)) == (regressor, classifier)


def test_tags_tell_whether_several_label_columns_are_taken():
    assert get_tags(network()).target_tags.multi_output
    assert not get_tags(network([Regression("y")])).target_tags.multi_output
    tags = get_tags(network([Multilabel("y", ("a", "b"))])).target_tags
    assert tags.multi_output
    assert not tags.single_output


def test_only_tasks_with_classes_have_probabilities(arrays):
    X, _ = arrays
    assert not hasattr(network([Regression("y")]), "predict_proba")
    assert not hasattr(network().fit(X, X[:, 0]), "predict_proba")
    assert hasattr(network(), "predict_proba")
    assert hasattr(network([Regression("y"), Binary("z")]), "predict_proba")


def test_one_class_task_given_as_a_vector_has_classes(arrays):
    X, _ = arrays
    fitted = network().fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    assert list(fitted.classes_) == ["no", "yes"]


# -------------------------------------------------------------------------------------------------------------- numbers


def test_the_same_random_state_gives_the_same_predictions(arrays):
    X, y = arrays
    first, second = (network().fit(X, y).predict(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, network(random_state=1).fit(X, y).predict(X))


def test_global_generators_are_not_touched(arrays):
    X, y = arrays
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what is tested
    network().fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


@pytest.mark.parametrize("numeric", ["robust", "standard", "quantile"])
def test_a_row_is_predicted_alike_alone_and_in_any_company(frames, numeric):
    X, y = frames
    fitted = network(TASKS, encoder=MLP(n_layers=2, width=24, numeric=numeric)).fit(X, y)
    many = pd.concat([X] * 6, ignore_index=True)  # 720 rows: three chunks
    whole = fitted.outputs(many)
    rng = np.random.default_rng(0)
    for rows in ([0], [119], [700], list(range(255)), list(range(3, 260)), rng.permutation(720).tolist()):
        some = fitted.outputs(many.iloc[rows])
        for name in whole:
            np.testing.assert_array_equal(some[name], whole[name][rows], err_msg=f"{name} of rows {rows[:3]}")


def test_outputs_are_in_natural_scale(frames):
    X, y = frames
    outputs = network(TASKS).fit(X, y).outputs(X)
    assert {name: values.shape for name, values in outputs.items()} == {
        "price": (120,),
        "sold": (120, 2),
        "grade": (120, 4),
        "visits": (120,),
        "tags": (120, 2),
    }
    assert abs(outputs["price"].mean() - y["price"].mean()) < 10
    assert (outputs["visits"] > 0).all()
    assert all(values.dtype == np.float64 for values in outputs.values())


def test_a_label_weight_of_zero_is_a_missing_label(frames):
    X, y = frames
    weight = np.ones((120, 5))
    weight[:60, 1] = 0
    removed = y.copy()
    removed.iloc[:60, 1] = None
    # the drawn split is stratified over labels, which differ in the two; with the same rows held out the fits are the same
    keep = KFold(5)
    first = network(TASKS, validation=keep).fit(X, y, sample_weight=weight)
    second = network(TASKS, validation=keep).fit(X, removed)
    for name, values in first.outputs(X).items():
        np.testing.assert_array_equal(values, second.outputs(X)[name])


def test_groups_are_not_divided_between_training_and_validation(arrays):
    X, y = arrays
    groups = np.repeat(np.arange(20), 5)
    model = network(validation=0.25).fit(X, y, groups=groups)
    labels = np.isfinite(y).any(axis=1)
    assert model.n_train_ + model.n_validation_ == labels.sum()
    for count in (model.n_train_, model.n_validation_):
        assert count > 0
    # with a group splitter, whose first fold is known, the same holds
    assert network(validation=GroupKFold(4)).fit(X, y, groups=groups).n_validation_ <= 25


def test_validation_may_be_a_splitter_or_nothing(arrays):
    X, y = arrays
    y[np.isnan(y).all(axis=1)] = 1.0
    assert network(validation=ShuffleSplit(test_size=30, random_state=0)).fit(X, y).n_validation_ == 30
    whole = network(validation=None).fit(X, y)
    assert whole.n_validation_ == 0
    assert np.isnan(whole.optimistic_skill_)
    assert whole.network_.best_epoch == 5


def test_a_resumed_fit_equals_one_never_stopped(frames, tmp_path):
    class Stop(Exception):
        pass

    def stop(record):
        if record.epoch == 3:
            raise Stop

    X, y = frames
    whole = network(TASKS).fit(X, y)
    with pytest.raises(Stop):
        network(TASKS).fit(X, y, on_epoch=stop, checkpoint=Checkpoint(tmp_path / "c", every=0))
    resumed = network(TASKS).fit(X, y, checkpoint=Checkpoint(tmp_path / "c", every=0))
    for name, values in whole.outputs(X).items():
        np.testing.assert_array_equal(values, resumed.outputs(X)[name])


def test_infinities_in_a_label_column_name_the_task(arrays):
    X, y = arrays
    y[3, 0] = np.inf
    with pytest.raises(DataError, match="Task 'y0' has an infinite label"):
        network().fit(X, y)


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"validation": 1.5}, "`validation` must be a share in (0, 1), a splitter or None; got 1.5"),
        ({"validation": True}, "`validation` must be a share"),
        ({"max_epochs": 0}, "`max_epochs` must be a whole number >= 1; got 0"),
        ({"learning_rate": -1}, "`learning_rate` must be positive"),
        ({"device": "abacus"}, "`device` must be one that torch has here; got 'abacus'"),
        ({"encoder": MLP(width=0)}, "`width` of MLP must be an integer >= 1; got 0"),
        ({"tasks": []}, "no target"),
        ({"tasks": [Regression("y"), Binary("y")]}, "Task names must differ"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(arrays, settings, message):
    X, y = arrays
    with pytest.raises(PolytaskError, match=re.escape(message)):
        network(**settings).fit(X, y)


def test_known_tasks_cannot_be_used_and_that_is_said(arrays):
    X, y = arrays
    with pytest.raises(OptionError, match="cannot condition on known tasks"):
        network().fit(X, y).predict(X, known={"y0": 1})


def test_lengths_that_differ_are_told(arrays):
    X, y = arrays
    with pytest.raises(DataError, match="inconsistent numbers of samples: X has 100 rows, y has 99"):
        network().fit(X, y[:-1])


def test_one_row_is_too_few(arrays):
    X, y = arrays
    with pytest.raises(DataError, match="1 sample"):
        network().fit(X[:1], y[:1])


def test_a_task_that_is_not_in_y_is_told_with_near_names(frames):
    X, y = frames
    with pytest.raises(TargetError, match="Did you mean 'price'"):
        network([Regression("prise")]).fit(X, y)


@pytest.mark.parametrize("weight", [-np.ones(100), np.ones(99), np.full(100, np.nan), np.zeros(100)])
def test_weights_that_cannot_be_used_are_told(arrays, weight):
    X, y = arrays
    with pytest.raises(OptionError, match="`sample_weight`"):
        network().fit(X, y, sample_weight=weight)


def test_parameters_of_the_default_parts_can_be_searched(arrays):
    X, y = arrays
    model = MultiTaskNetwork(max_epochs=1, random_state=0)
    found = GridSearchCV(model, {"encoder__width": [8, 16], "sharing__tower_width": [8]}, cv=2, error_score="raise").fit(X, y)
    assert found.best_estimator_.encoder.width in (8, 16)
    assert found.best_estimator_.sharing.tower_width == 8
    assert model.encoder is None  # only clones were changed
    assert clone(found.best_estimator_).get_params()["encoder__width"] == found.best_estimator_.encoder.width


def test_a_default_part_has_no_parameters_until_one_is_set():
    model = MultiTaskNetwork()
    assert "encoder__width" not in model.get_params()
    assert model.set_params(encoder__width=8).get_params()["encoder__width"] == 8
    with pytest.raises(ValueError, match="Invalid parameter 'breadth'"):
        MultiTaskNetwork().set_params(encoder__breadth=8)


def test_a_parameter_inside_of_nothing_is_told():
    with pytest.raises(OptionError, match="`tasks` of MultiTaskNetwork is None, so `tasks__name` is nothing to set"):
        MultiTaskNetwork().set_params(tasks__name="x")


def test_a_loss_that_is_not_finite_is_told_without_the_words_of_a_loop_of_ones_own(arrays):
    X, y = arrays
    with pytest.raises(PolytaskError, match="is not finite") as told:
        network(learning_rate=1e30, clip_norm=None, validation=None).fit(X, y)
    assert "backward" not in str(told.value)
