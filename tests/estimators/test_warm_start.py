"""A refit that begins with the fitted parameters."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from polytask.estimators import load_estimator, save_estimator
from polytask.exceptions import OptionError, PolytaskWarning, TargetError
from polytask.networks import MLP, HardSharing
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


@pytest.fixture
def table():
    return houses(120, missing=0.1)


def warm(**settings):
    return small_network(TASKS, warm_start=True, **settings)


def test_the_first_fit_is_as_without(table):
    assert_same_outputs(warm().fit(*table).outputs(table[0]), small_network(TASKS).fit(*table).outputs(table[0]))


def test_a_refit_begins_where_the_first_ended(table):
    model = warm(validation=None).fit(*table)
    first = model.network_.curves["train"]
    model.fit(*table)
    assert model.network_.curves["train"].shape == first.shape
    assert np.nanmean(model.network_.curves["train"][0]) < np.nanmean(first[-1]) + 0.02
    anew = small_network(TASKS, validation=None).fit(*table)
    assert np.nanmean(model.network_.curves["train"][-1]) < np.nanmean(anew.network_.curves["train"][-1])


def test_with_no_rate_to_speak_of_the_function_stays(table):
    X, y = table
    model = warm(weight_decay=0.0).fit(X, y)
    before = model.outputs(X)
    model.set_params(learning_rate=1e-12).fit(X[20:], y[20:])
    for name, values in model.outputs(X).items():
        np.testing.assert_allclose(values, before[name], rtol=1e-5, err_msg=name)


def test_without_warm_start_a_refit_begins_anew(table):
    model = small_network(TASKS).fit(*table)
    before = model.outputs(table[0])
    assert_same_outputs(model.fit(*table).outputs(table[0]), before)


def test_the_same_refits_give_the_same_numbers(table):
    left, right = (warm().fit(*table).fit(*table) for _ in range(2))
    assert_same_outputs(left.outputs(table[0]), right.outputs(table[0]))


def test_what_has_no_shape_may_change(table):
    model = warm(encoder=MLP(width=16, dropout=0.0)).fit(*table)
    model.set_params(encoder=MLP(width=16, dropout=0.5), batch_size=8, max_epochs=1).fit(*table)
    assert model.network_.module.encoder.layers[2].p == 0.5
    assert model.n_iter_ == -(-model.n_train_ // 8)


@pytest.mark.parametrize(
    "change", [{"encoder": MLP(width=8)}, {"encoder": MLP(n_layers=1)}, {"sharing": HardSharing(tower_width=4)}]
)
def test_another_shape_is_refused(table, change):
    model = warm().fit(*table)
    before = model.outputs(table[0])
    with pytest.raises(OptionError, match="cannot go on from its fitted parameters"):
        model.set_params(**change).fit(*table)
    assert_same_outputs(model.outputs(table[0]), before)


def test_new_data_are_read_in_the_fitted_way(table):
    X, y = table
    model = warm().fit(X, y)
    codec = model.codec_
    with pytest.warns(PolytaskWarning, match="'city'"):
        model.fit(X.assign(city="Rome"), y)
    assert model.codec_ is codec
    with pytest.raises(TargetError, match="castle"):
        model.fit(X, y.assign(style="castle"))
    with pytest.raises(OptionError, match="must be those that are fitted"):
        model.set_params(tasks=TASKS[:1]).fit(X, y)


def test_the_choice_survives_clone_and_folder(table, tmp_path):
    model = warm().fit(*table)
    assert clone(model).warm_start
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert loaded.warm_start
    assert_same_outputs(loaded.fit(*table).outputs(table[0]), model.fit(*table).outputs(table[0]))


def test_a_folder_of_before_has_no_scale_and_goes_on(table):
    model = warm().fit(*table)
    model.network_.scale = None
    start = {name: p.clone() for name, p in model.network_.module.named_parameters()}
    model.fit(*table)
    assert any(not torch.equal(p, start[name]) for name, p in model.network_.module.named_parameters())
