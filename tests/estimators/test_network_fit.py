"""What MultiTaskNetwork learns from: rows, labels, weights, inner splits, ends of a run; and what its score counts."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from polytask.estimators import label_weights, read_labels
from polytask.exceptions import DataError, OptionError, PolytaskWarning
from polytask.networks import MLP
from polytask.tasks import Count, Multilabel, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


@pytest.fixture(scope="module")
def fitted():
    X, y = houses()
    return small_network(TASKS).fit(X, y), X, y


def test_all_kinds_are_learned_from_one_table_with_missing_labels(fitted):
    model, X, _ = fitted
    outputs = model.outputs(X)
    shapes = {name: values.shape for name, values in outputs.items()}
    assert shapes == {"price": (80,), "sold": (80, 2), "style": (80, 3), "grade": (80, 4), "visits": (80,), "tags": (80, 2)}
    for name in ("sold", "style", "grade"):
        np.testing.assert_allclose(outputs[name].sum(axis=1), 1, atol=1e-12)
    assert (outputs["visits"] > 0).all()


def test_predictions_have_the_types_of_the_labels(fitted):
    model, X, _ = fitted
    found = model.predict(X)
    assert found["grade"].dtype == found["garden"].dtype == np.int64
    assert found["visits"].dtype == np.float64  # a mean, not rounded
    assert list(found.index) == list(X.index)


def test_polars_labels_keep_their_names():
    X, y = houses()
    found = small_network(TASKS).fit(pl.from_pandas(X), pl.from_pandas(y)).predict(pl.from_pandas(X))
    assert isinstance(found, pl.DataFrame)
    assert found.columns == list(y.columns)


def test_a_numpy_column_that_counts_the_rows_is_an_input(rng):
    model = small_network().fit(np.arange(60).reshape(60, 1), rng.normal(size=60))
    assert model.codec_.numeric_names == ("x0",)


def test_texts_that_look_like_numbers_come_back_as_texts(rng):
    X = rng.normal(size=(40, 2))
    y = np.where(X[:, 0] > 0, "1", "2").astype(object)
    assert set(small_network().fit(X, y).predict(X)) <= {"1", "2"}


def test_more_rows_than_one_pass_holds_change_nothing(fitted):
    model, X, _ = fitted
    many = model.outputs(pd.concat([X] * 5))
    assert_same_outputs({name: values[320:] for name, values in many.items()}, model.outputs(X))


def test_one_row_is_predicted_as_among_others(fitted):
    model, X, _ = fitted
    together = model.outputs(X)
    for row in (0, 41, 79):
        assert_same_outputs(model.outputs(X.iloc[[row]]), {name: values[[row]] for name, values in together.items()})


def test_no_rows_are_refused(fitted):
    model, X, y = fitted
    with pytest.raises(DataError, match="minimum of 1 is required"):
        model.predict(X.iloc[:0])
    with pytest.raises(DataError, match="minimum of 1 is required"):
        small_network().fit(X.iloc[:0], y.iloc[:0])


def test_prediction_before_fit_is_refused():
    with pytest.raises(NotFittedError):
        small_network().predict(np.zeros((2, 2)))


def test_an_unseen_category_and_a_missing_input_are_predicted(fitted):
    model, X, _ = fitted
    new = X.iloc[:2].assign(city=["Rome", None], age=[np.nan, np.nan])
    assert model.predict(new)["price"].notna().all()


def test_a_missing_column_is_named(fitted):
    model, X, _ = fitted
    with pytest.raises(DataError, match="'age'"):
        model.predict(X.drop(columns="age"))


@pytest.mark.parametrize("name, value", [("validation", "some"), ("validation", True), ("time_limit", 0.0), ("max_steps", 0)])
def test_a_setting_out_of_range_is_refused_at_fit(name, value):
    X, y = houses(40)
    with pytest.raises(OptionError, match=name):
        small_network(["price"], **{name: value}).fit(X, y)


def test_fit_changes_neither_x_nor_y():
    X, y = houses()
    before = X.copy(deep=True), y.copy(deep=True)
    small_network(TASKS).fit(X, y)
    pd.testing.assert_frame_equal(X, before[0])
    pd.testing.assert_frame_equal(y, before[1])


def test_rows_without_any_label_are_not_trained_on():
    X, y = houses()
    y.iloc[:20] = None
    assert small_network(TASKS, validation=None).fit(X, y).n_train_ == 60


def test_a_row_of_weight_zero_is_as_if_it_had_no_labels():
    X, y = houses()
    weight = np.r_[np.zeros(20), np.ones(60)]
    strange = y.copy()
    strange.iloc[:20, strange.columns.get_loc("price")] = 1e6
    first = small_network(["price", "sold"], validation=None).fit(X, y, sample_weight=weight)
    second = small_network(["price", "sold"], validation=None).fit(X, strange, sample_weight=weight)
    assert_same_outputs(first.outputs(X), second.outputs(X))


@pytest.mark.parametrize("shape", [(80,), (80, 6)])
def test_a_weight_of_zero_is_a_missing_label_to_the_bit(shape, rng):
    X, y = houses()
    weight = (rng.random(shape) > 0.3).astype(float)
    per_task = np.broadcast_to(weight[:, None], (80, 6)) if weight.ndim == 1 else weight
    missing = y.copy()
    for k, task in enumerate(TASKS):
        missing.loc[per_task[:, k] == 0, list(task.columns)] = None
    weighted, without = small_network(TASKS).fit(X, y, sample_weight=weight), small_network(TASKS).fit(X, missing)
    assert weighted.n_train_ == without.n_train_
    assert_same_outputs(weighted.outputs(X), without.outputs(X))


def test_a_heavy_row_pulls_the_mean_to_itself():
    X, y = (np.arange(40) % 2)[:, None].astype(float), np.repeat([0.0, 1.0], 20)
    light, heavy = np.ones(40), np.repeat([1.0, 9.0], 20)
    means = [small_network([Regression("y0")]).fit(X, y, sample_weight=w).outputs(X)["y0"].mean() for w in (light, heavy)]
    assert means[1] > means[0] + 0.2


def test_tasks_that_share_no_row_are_learned_together():
    X, y = houses()
    y["price"] = y["price"].where(np.arange(80) < 40)
    y["sold"] = y["sold"].where(np.arange(80) >= 40)
    outputs = small_network(["price", "sold"]).fit(X, y).outputs(X)
    assert all(np.isfinite(values).all() for values in outputs.values())


def test_a_row_with_one_of_two_tags_counts():
    X, y = houses(missing=0.0)
    y["garden"] = y["garden"].where(np.arange(80) % 2 == 0)
    assert small_network([Multilabel("tags", ("garden", "lift"))], validation=None).fit(X, y).n_train_ == 80


def inner_split(y, *, groups=None, reserved=None, rows=None):
    labels = read_labels(y, TASKS)
    rows = np.arange(len(y)) if rows is None else rows
    return small_network(TASKS).inner_split(
        labels, label_weights(None, labels), groups=groups, seed=0, rows=rows, reserved=reserved
    )


def test_the_inner_split_stays_within_its_rows_and_keeps_groups_whole(rng):
    _, y = houses(missing=0.0)
    rows, groups = np.arange(10, 70), rng.integers(0, 12, 80)
    train, held = inner_split(y, rows=rows, groups=groups)
    assert sorted([*train, *held]) == rows.tolist()
    assert len(held) > 0
    assert not set(groups[train]) & set(groups[held])


def test_reserved_rows_are_the_validation_rows():
    _, y = houses(missing=0.0)
    reserved, rows = np.arange(80) % 4 == 0, np.arange(40)
    train, held = inner_split(y, reserved=reserved, rows=rows)
    assert held.tolist() == list(range(0, 40, 4))
    assert sorted([*train, *held]) == rows.tolist()


def test_reserving_all_rows_is_refused():
    X, y = houses()
    with pytest.raises(DataError, match="reserved for validation"):
        small_network(["price"]).fit(X, y, reserved=np.ones(80, dtype=bool))


@pytest.mark.parametrize("settings", [{"encoder": 3}, {"sharing": 3}, {"encoder": MLP}])
def test_a_part_that_is_no_recipe_is_refused(settings):
    X, y = houses()
    with pytest.raises(OptionError, match=f"`{next(iter(settings))}` of MultiTaskNetwork must be a recipe.*recipe_of"):
        small_network(["price"], **settings).fit(X, y)


def test_one_group_cannot_be_divided():
    X, y = houses()
    with pytest.raises(DataError, match=r"at least 2 groups; got 1.*`validation=None`"):
        small_network(["price"]).fit(X, y, groups=np.zeros(80))


def test_groups_must_be_as_many_as_rows():
    X, y = houses()
    with pytest.raises(DataError, match="each of the 80 rows; got 5"):
        small_network(["price"]).fit(X, y, groups=np.arange(5))


def test_without_validation_the_last_epoch_is_kept():
    X, y = houses()
    model = small_network(["price"], validation=None).fit(X, y)
    assert model.n_validation_ == 0
    assert model.network_.best_epoch == 3
    assert np.isnan(model.optimistic_skill_)


def test_a_time_limit_ends_the_run_and_its_steps_repeat_it(rng):
    X, y = rng.normal(size=(200, 3)), rng.normal(size=(200, 2))
    limited = small_network(max_epochs=100_000, patience=None, time_limit=0.3).fit(X, y)
    assert limited.network_.ended_by == "time"
    repeated = small_network(max_epochs=100_000, patience=None, max_steps=limited.n_iter_).fit(X, y)
    assert repeated.network_.ended_by == "steps"
    assert_same_outputs(limited.outputs(X), repeated.outputs(X))


def test_ctrl_c_keeps_what_was_best():
    def stop(record):
        if record.epoch == 2:
            raise KeyboardInterrupt

    X, y = houses()
    model = small_network(["price"], max_epochs=50).fit(X, y, on_epoch=stop)
    assert model.network_.ended_by == "interrupt"
    assert len(model.network_.curves["train"]) == 2


def test_every_epoch_is_told():
    X, y = houses()
    seen = []
    small_network(["price"]).fit(X, y, on_epoch=seen.append)
    assert [record.epoch for record in seen] == [1, 2, 3]


@pytest.mark.parametrize("shape", [(80,), (80, 2)])
def test_score_leaves_out_what_weighs_nothing(shape):
    X, y = houses()
    model = small_network(["price", "sold"]).fit(X, y)
    weight = np.zeros(shape)
    weight[40:] = 2
    np.testing.assert_allclose(model.score(X, y, sample_weight=weight), model.score(X.iloc[40:], y.iloc[40:]), rtol=1e-12)


def test_score_without_labels_is_refused():
    X, y = houses()
    model = small_network(["price"]).fit(X, y)
    with pytest.raises(DataError, match="No task has a score"):
        model.score(X, y.assign(price=np.nan))


def test_score_leaves_out_a_class_never_seen():
    X, y = houses()
    model = small_network(["sold", "price"]).fit(X, y)
    with pytest.warns(PolytaskWarning, match="never seen"):
        score = model.score(X, y.assign(sold="perhaps"))
    assert np.isfinite(score)


def test_cross_validation_takes_frames_with_missing_labels():
    X, y = houses(missing=0.3)
    assert np.isfinite(cross_val_score(small_network(["price", "sold", Count("visits")]), X, y, cv=3)).all()
