"""Optimizers, schedules and averages of MultiTaskNetwork: in folders, in partial fits, in stacks or one by one."""

import numpy as np
import pytest
import torch

from polytask.estimators import MultiTaskNetwork, _fit_networks, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.optim import SGD, Plateau
from tests.estimators._tables import assert_same_outputs, houses, small_network
from tests.estimators.test_twins import prepared, train


@pytest.fixture(scope="module")
def table():
    return houses(80)


def test_settings_are_kept_in_the_folder_of_a_model(table, tmp_path):
    given = {"optimizer": {"encoder": SGD(learning_rate=0.05), "heads": "adagrad"}, "schedule": Plateau(patience=2), "ema": 0.9}
    given["initialization"] = "encoder=he_normal;heads=zeros"
    model = small_network(["price", "sold"], **given).fit(*table)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert_same_outputs(model.outputs(table[0]), loaded.outputs(table[0]))
    for name, value in given.items():
        assert getattr(loaded, name) == value


def test_every_part_may_be_given_by_text(table):
    text = small_network(["price"], optimizer="encoder=sgd:learning_rate=0.05;heads=adagrad", schedule="constant").fit(*table)
    own = {"encoder": SGD(learning_rate=0.05), "heads": "adagrad"}
    made = small_network(["price"], optimizer=own, schedule="constant").fit(*table)
    assert_same_outputs(text.outputs(table[0]), made.outputs(table[0]))


def test_a_rate_of_0_keeps_a_part_where_it_started(table):
    """A tiny rate of its own for the encoder: it stays, while the heads learn."""
    model = small_network(["price"], optimizer={"encoder": SGD(learning_rate=1e-30, weight_decay=0.0)})
    fitted = model.fit(*table).network_.module
    begun = small_network(["price"], max_steps=1, optimizer=SGD(learning_rate=1e-30)).fit(*table).network_.module
    assert torch.equal(fitted.encoder.layers[0].weight, begun.encoder.layers[0].weight)
    assert not torch.equal(fitted.heads[0].linear.weight, begun.heads[0].linear.weight)


def test_an_optimizer_of_a_part_without_parameters_is_refused(table):
    given = {"encoder": "adam", "sharing": SGD(learning_rate=0.1)}
    with pytest.raises(OptionError, match="'sharing', and this network has no parameters there"):
        small_network(["price"], optimizer=given).fit(*table)
    with pytest.raises(OptionError, match="'sharing'"):
        small_network(["price"], optimizer=given).partial_fit(*table)
    small_network(["price"], optimizer=given, sharing="hard:tower_width=4", max_epochs=1).fit(*table)
    with pytest.raises(OptionError, match="Muon for the part 'heads', which has no matrix of a hidden layer"):
        small_network(["price"], optimizer="heads=muon").fit(*table)
    for alike in ("muon", "encoder=muon", {"encoder": "adam", "sharing": "adam", "heads": "adam"}):
        small_network(["price"], optimizer=alike, max_epochs=1).fit(*table)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "sgd:learning_rate=0.1", "learning_rate": 0.5}, "`learning_rate` of MultiTaskNetwork is 0.5, and every"),
        ({"optimizer": "adam:weight_decay=0.1", "weight_decay": 3.0}, "`weight_decay` of MultiTaskNetwork is 3.0, and every"),
        ({"schedule": "plateau", "validation": None}, "`schedule='plateau'` goes by skill on validation rows"),
        ({"stopping": "per_task", "validation": None}, "`stopping='per_task'` goes by skill on validation rows"),
        ({"schedule": "plateau:patience=20"}, "stops after 16 epochs .* waits 20 for the learning rate to fall"),
        ({"learning_rate": True}, "`learning_rate` must be positive"),
        ({"optimizer": SGD, "weight_decay": 0.1}, "the class SGD, not an object"),
    ],
)
def test_settings_that_nothing_would_follow_are_refused(table, options, said):
    with pytest.raises(OptionError, match=said):
        MultiTaskNetwork(["price"], **options).fit(*table)


@pytest.mark.parametrize("name", ["sgd", "nadam", "muon"])
def test_partial_fit_goes_on_with_the_moments(table, name):
    """Two calls with moments differ from two without: the second call begins where the first one ended."""
    X, y = table
    model = small_network(["price"], optimizer=name, learning_rate=0.01, batch_size=80).partial_fit(X, y)
    state = {key: set(value) for key, value in model.network_.moments.items()}
    assert state
    assert all(state.values())
    first = {key: {k: v.clone() for k, v in own.items()} for key, own in model.network_.moments.items()}
    model.partial_fit(X, y)
    for key, own in model.network_.moments.items():
        assert set(own) == state[key]
        for what in {"momentum_buffer", "exp_avg"} & set(own):
            assert not torch.equal(own[what], first[key][what])
        if "step" in own:
            assert float(own["step"]) == 2


@pytest.mark.parametrize(("optimizer", "stacked"), [("sgd", True), ("muon", False), ({"encoder": "muon"}, False)])
def test_what_needs_whole_matrices_is_trained_one_by_one(table, monkeypatch, optimizer, stacked):
    seen = []
    made = _fit_networks.StackedNetworks
    monkeypatch.setattr(_fit_networks, "StackedNetworks", lambda modules: seen.append(len(modules)) or made(modules))
    model, coded, labels, weight = prepared(*table, ["price", "sold"], optimizer=optimizer, max_epochs=1)
    both = [np.ones(2, dtype=bool)] * 2
    assert len(train(model, coded, labels, weight, both, [1, 2])) == 2
    assert bool(seen) is stacked


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": "lbfgs"}, "LBFGS"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"ema": 2}, "`ema` must be in"),
        ({"initialization": "zeros"}, "alike"),
    ],
)
def test_what_cannot_be_used_is_refused_by_fit(table, settings, words):
    with pytest.raises(OptionError, match=words):
        MultiTaskNetwork(["price"], **settings).fit(*table)


def test_averages_predict_and_are_judged(table):
    model = small_network(["price"], ema=0.9, max_epochs=30, learning_rate=0.02).fit(*table)
    assert np.isfinite(model.optimistic_skill_)
    plain = small_network(["price"], max_epochs=30, learning_rate=0.02).fit(*table)
    assert not np.array_equal(model.outputs(table[0])["price"], plain.outputs(table[0])["price"])


@pytest.mark.parametrize(
    ("name", "rate"), [("sgd", 0.01), ("adagrad", 0.01), ("adadelta", 1.0), ("adamw", 2e-3), ("rmsprop", 2e-3)]
)
def test_each_optimizer_has_a_usual_rate_unless_one_is_named(table, name, rate):
    usual, said = small_network(["price"], optimizer=name), small_network(["price"], optimizer=f"{name}:learning_rate={rate}")
    assert usual.learning_rate is None
    assert_same_outputs(usual.fit(*table).outputs(table[0]), said.fit(*table).outputs(table[0]))
    named = small_network(["price"], optimizer=name, learning_rate=0.011).fit(*table)
    own = small_network(["price"], optimizer=f"{name}:learning_rate=0.011").fit(*table)
    assert_same_outputs(named.outputs(table[0]), own.outputs(table[0]))
