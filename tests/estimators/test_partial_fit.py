"""More data for a network: what stays fixed after the first call, what goes on, what is refused."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.exceptions import DataError, OptionError, PolytaskError, PolytaskWarning, TargetError
from polytask.networks import MLP
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


@pytest.fixture
def table():
    return houses(160, missing=0.1)


def parts(X, y, n=4):
    return [(X.iloc[rows], y.iloc[rows]) for rows in np.array_split(np.arange(len(X)), n)]


def test_pass_after_pass_the_score_rises(table):
    X, y = table
    model = small_network(TASKS, learning_rate=0.02)
    scores = []
    for _ in range(8):
        for part in parts(X, y):
            model.partial_fit(*part)
        scores.append(model.score(X, y))
    assert scores[-1] > scores[0] + 0.1
    assert scores[-1] > 0.3


def test_every_call_is_one_pass_and_steps_add_up(table):
    X, y = table
    model = small_network(TASKS, batch_size=16, max_epochs=50, max_steps=1, time_limit=1e-9)
    told = []
    for part in parts(X, y):
        model.partial_fit(*part)
        told.append((model.n_iter_, len(model.network_.curves["train"]), model.network_.best_epoch, model.n_validation_))
    assert told == [(3, 1, 1, 0), (6, 2, 2, 0), (9, 3, 3, 0), (12, 4, 4, 0)]
    assert np.isnan(model.optimistic_skill_)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd:learning_rate=0.05", "regularization": "group_lasso:strength=0.05"},
        {"optimizer": "adam:learning_rate=0.05", "weight_decay": 0.1, "regularization": "l1:on=all;l2:on=all"},
        {"learning_rate": 0.05, "weight_decay": 1.0},
    ],
)
def test_a_task_without_labels_stays_as_it_is(settings):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    y = pd.DataFrame({"first": X["a"], "second": X["b"]})
    model = MultiTaskNetwork(encoder=MLP(n_layers=0), batch_size=15, random_state=0, **settings)
    for _ in range(4):  # each head reads the inputs, and is all that its task has
        model.partial_fit(X, y)
    before = model.outputs(X)
    for _ in range(4):
        model.partial_fit(X, y.assign(second=np.nan))
    np.testing.assert_array_equal(model.outputs(X)["second"], before["second"])
    assert not np.array_equal(model.outputs(X)["first"], before["first"])


def test_a_schedule_that_would_never_fall_in_fit_is_not_asked(table):
    X, y = table
    told = small_network(TASKS, schedule="plateau:patience=30", patience=5)
    assert_same_outputs(told.partial_fit(X, y).outputs(X), small_network(TASKS).partial_fit(X, y).outputs(X))
    with pytest.raises(OptionError, match="the schedule waits 30"):
        told.fit(X, y)


def test_scaling_classes_and_loss_scales_stay_those_of_the_first_call(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X[:80], y[:80])
    codec, tasks, scale = model.codec_, [task.to_dict() for task in model.tasks_], model.network_.scale
    center = model.network_.module.encoder.inputs.scaling.center.clone()
    model.partial_fit(X[80:].assign(area=X["area"] * 100), y[80:])
    assert model.codec_ is codec
    assert [task.to_dict() for task in model.tasks_] == tasks
    np.testing.assert_array_equal(model.network_.scale, scale)
    assert torch.equal(model.network_.module.encoder.inputs.scaling.center, center)


def test_equals_a_loop_of_adamw_that_keeps_its_state():
    """Two calls of one full batch each are two steps of one optimizer, written by hand."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ [1.0, 2.0, 0.0]
    settings = {"encoder": MLP(width=8, dropout=0.0), "batch_size": 64, "clip_norm": None, "learning_rate": 0.01}
    model = small_network(**settings).partial_fit(X, y)
    module = copy.deepcopy(model.network_.module)
    optimizer = torch.optim.AdamW(
        [{"params": [p], "weight_decay": 0.0 if name.endswith("bias") else 0.01} for name, p in module.named_parameters()],
        lr=0.01,
    )
    for name, p in module.named_parameters():
        optimizer.state[p] = {key: value.clone() for key, value in model.network_.moments[name].items()}
    task = model.tasks_[0]
    inputs = module.prepare(torch.as_tensor(X), torch.zeros(40, 0, dtype=torch.long))
    goal = torch.as_tensor(task.training_target(y[:, None]), dtype=torch.float32)
    loss = task.label_losses(module(*inputs), goal).mean() / float(model.network_.scale[0])
    loss.backward()
    optimizer.step()
    model.partial_fit(X, y)
    for (name, ours), theirs in zip(model.network_.module.named_parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


def test_the_same_calls_give_the_same_numbers_and_passes_differ_in_order(table):
    X, y = table
    first, second = small_network(TASKS, batch_size=8), small_network(TASKS, batch_size=8)
    for part in parts(X, y):
        first.partial_fit(*part)
        second.partial_fit(*part)
    assert_same_outputs(first.outputs(X), second.outputs(X))
    other = small_network(TASKS, batch_size=8, random_state=1)
    for part in parts(X, y):
        other.partial_fit(*part)
    assert not np.array_equal(first.outputs(X)["price"], other.outputs(X)["price"])


def test_goes_on_after_fit_and_after_loading(table, tmp_path):
    X, y = table
    model = small_network(TASKS).fit(X, y)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    before = model.outputs(X)["price"].copy()
    model.partial_fit(X[:50], y[:50])
    assert not np.array_equal(model.outputs(X)["price"], before)
    assert_same_outputs(loaded.partial_fit(X[:50], y[:50]).outputs(X), model.outputs(X))


def test_a_copy_of_the_fitted_network_is_left_alone(table):
    X, y = table
    model = small_network(TASKS).fit(X, y)
    other = copy.copy(model)
    before = other.outputs(X)
    model.partial_fit(X, y)
    assert_same_outputs(other.outputs(X), before)


def test_a_call_that_fails_leaves_the_model_as_it_was(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    before, steps = model.outputs(X), model.n_iter_
    model.set_params(learning_rate=1e30, clip_norm=None, batch_size=8)
    with pytest.raises(PolytaskError, match="not finite"):
        model.partial_fit(X, y)
    assert_same_outputs(model.outputs(X), before)
    assert model.n_iter_ == steps


# ------------------------------------------------------------------------------------------------------------ classes


def test_classes_that_the_first_rows_lack_are_given_at_first(rng):
    X = rng.normal(size=(60, 2))
    y = pd.DataFrame({"style": ["cabin"] * 30 + ["flat", "villa"] * 15, "price": X[:, 0]})
    model = small_network(["style", "price"]).partial_fit(X[:30], y[:30], classes={"style": ["cabin", "flat", "villa"]})
    assert model.tasks_[0].classes == ("cabin", "flat", "villa")
    model.partial_fit(X[30:], y[30:])
    assert model.predict_proba(X)["style"].shape == (60, 3)


@pytest.mark.parametrize("classes, expected", [(["no", "yes"], "binary"), (["no", "maybe", "yes"], "multiclass")])
def test_one_task_needs_no_name_for_its_classes(rng, classes, expected):
    X = rng.normal(size=(20, 2))
    model = small_network().partial_fit(X, np.array(["no"] * 20), classes=classes)
    assert model.tasks_[0].kind == expected
    assert list(model.classes_) == sorted(classes)


def test_classes_of_an_ordinal_task_are_given_in_their_order(rng):
    from polytask.tasks import Ordinal

    X, y = rng.normal(size=(20, 2)), np.array(["low", "high"] * 10)
    model = small_network([Ordinal("y")]).partial_fit(X, y, classes=["low", "middle", "high"])
    assert model.tasks_[0].classes == ("low", "middle", "high")


def test_a_new_class_is_refused_by_name(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    with pytest.raises(TargetError, match=r"'style' has labels \['castle'\] that were not among its classes"):
        model.partial_fit(X, y.assign(style="castle"))


@pytest.mark.parametrize(
    "classes, message",
    [
        ({"style": ["cabin", "flat"]}, r"'style' must be those it was fitted with"),
        ({"price": [1, 2]}, r"'price' must be those it was fitted with, \[\]"),
        ({"colour": ["red", "blue"]}, "'colour', which is no task"),
        (["cabin", "flat"], "must be a dict of task name to its classes"),
        ({"style": ["cabin"]}, "at least two"),
    ],
)
def test_classes_that_do_not_fit_are_refused(table, classes, message):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    with pytest.raises(OptionError, match=message):
        model.partial_fit(X, y, classes=classes)


def test_classes_of_a_number_are_refused_at_first(rng):
    from polytask.tasks import Regression

    X = rng.normal(size=(20, 2))
    with pytest.raises(OptionError, match="'price' of kind regression has no classes"):
        small_network([Regression("price")]).partial_fit(X, X[:, 0], classes=[1, 2])


# ---------------------------------------------------------------------------------------------------------- rows


def test_a_single_row_and_rows_with_few_labels_are_learned(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    before = model.outputs(X)["price"]
    model.partial_fit(X[:1], pd.DataFrame({column: [500.0 if column == "price" else None] for column in y}, index=X.index[:1]))
    assert not np.array_equal(model.outputs(X)["price"], before)


def test_a_batch_may_leave_a_task_without_weight_but_not_all(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    weight = np.ones((len(X), len(TASKS)))
    weight[:, 0] = 0
    model.partial_fit(X, y, sample_weight=weight)
    with pytest.raises(DataError, match="No row has a label of positive weight"):
        model.partial_fit(X, y, sample_weight=np.zeros(len(X)))
    with pytest.raises(DataError, match="No row has a label"):
        model.partial_fit(X, y.mask(np.ones(y.shape, dtype=bool)))


def test_a_weight_of_zero_is_a_missing_label_to_the_bit(table, rng):
    X, y = table
    weight = rng.integers(0, 2, size=(len(X), len(TASKS))).astype(float)
    masked = y.copy()
    for k, task in enumerate(TASKS):
        masked.loc[weight[:, k] == 0, list(task.columns)] = None
    left = small_network(TASKS).partial_fit(X, y).partial_fit(X, y, sample_weight=weight)
    right = small_network(TASKS).partial_fit(X, y).partial_fit(X, masked)
    assert_same_outputs(left.outputs(X), right.outputs(X))


def test_a_category_never_seen_is_told_and_learned_as_unseen(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    with pytest.warns(PolytaskWarning, match="'city'.*not among the 3 categories"):
        model.partial_fit(X.assign(city="Rome"), y)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda X, y: (X.drop(columns="city"), y), "lacks the column 'city'"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X, y.drop(columns="price")), "'price'"),
        (lambda X, y: (X, None), "requires y"),
    ],
)
def test_data_of_another_shape_are_refused(table, change, message):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(*change(X, y))


def test_tasks_cannot_change(table):
    X, y = table
    model = small_network(TASKS).partial_fit(X, y)
    with pytest.raises(OptionError, match="must be those that are fitted"):
        model.set_params(tasks=TASKS[:2]).partial_fit(X, y)
    inferred = small_network().partial_fit(X, y[["price"]])
    with pytest.raises(TargetError, match="'sold', which is none of the fitted tasks"):
        inferred.partial_fit(X, y[["price", "sold"]])


def test_a_task_whose_first_labels_say_nothing_is_refused(rng):
    X = rng.normal(size=(20, 2))
    with pytest.raises(TargetError, match=r"one value|one class|all its"):
        small_network().partial_fit(X, np.array(["no"] * 20))


@pytest.mark.parametrize("wrong", [{"ema": 5}, {"patience": 0}, {"max_epochs": -1}, {"time_limit": 0}, {"stopping": "soon"}])
def test_settings_of_fit_are_checked_though_they_are_not_used(table, wrong):
    with pytest.raises(OptionError, match=f"`{next(iter(wrong))}` must be"):
        small_network(TASKS, **wrong).partial_fit(*table)
