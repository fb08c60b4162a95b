"""L2: decoupled decay of a part, against AdamW's and the closed form."""

import json

import pytest
import torch
from torch import nn

from polytask.exceptions import OptionError
from polytask.optim import L2, REGULARIZERS, part_optimizers, regularizers_of
from polytask.training import OneNetwork, TrainingSettings
from polytask.training._update import Update
from tests.training._problems import assert_same_weights, make_table, train_one

WEIGHTS = {"encoder.layers.0.weight", "heads.0.linear.weight"}


def stepped(optimizer, *, n_steps=3, rate=0.1, **settings):
    """Parameters of a network of two layers before and after some steps with gradients of 0."""
    module = nn.Module()
    module.encoder, module.heads = nn.Module(), nn.ModuleList([nn.Module()])
    module.encoder.layers, module.heads[0].linear = nn.Sequential(nn.Linear(3, 4)), nn.Linear(4, 1)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    network = OneNetwork(module)
    own = part_optimizers(network.parameters, optimizer, learning_rate=rate, weight_decay=0.0)
    settings = TrainingSettings(learning_rate=rate, weight_decay=0.0, schedule="constant", optimizer=optimizer, **settings)
    update = Update(network, own, settings, n_tasks=1, total_steps=n_steps)
    for k in range(n_steps):
        for p in module.parameters():
            p.grad = torch.zeros_like(p)
        update.step(k)
    return before, {name: p.detach() for name, p in module.named_parameters()}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "adam", "rmsprop"])
@pytest.mark.parametrize(
    ("on", "reached"), [("all", WEIGHTS), ("shared", {"encoder.layers.0.weight"}), ("heads", {"heads.0.linear.weight"})]
)
def test_only_weights_of_the_part_decay_by_rate_times_strength(optimizer, on, reached):
    before, after = stepped(optimizer, regularization=L2(0.5, on=on))
    for name, p in before.items():
        torch.testing.assert_close(after[name], p * (1 - 0.1 * 0.5) ** 3 if name in reached else p)


def test_parts_with_rates_of_their_own_decay_by_these():
    before, after = stepped("encoder=sgd:learning_rate=0.2;heads=sgd", regularization="l2:strength=0.5,on=all")
    torch.testing.assert_close(after["encoder.layers.0.weight"], before["encoder.layers.0.weight"] * 0.9**3)
    torch.testing.assert_close(after["heads.0.linear.weight"], before["heads.0.linear.weight"] * 0.95**3)


def test_a_decay_past_0_is_refused_by_its_name():
    with pytest.raises(OptionError, match=r"L2 decays .* here 0\.1 times 10, .* Take a `strength` below 10, or"):
        stepped("sgd", regularization=L2(10))
    with pytest.raises(OptionError, match=r"here 0\.2 times 5, "):
        stepped("encoder=sgd:learning_rate=0.2;heads=sgd", regularization=L2(5))
    stepped("encoder=sgd:learning_rate=0.2;heads=sgd", regularization=L2(5, on="heads"))


def test_of_all_parts_it_is_the_decay_of_adamw_and_adds_to_it():
    table, options = make_table(), {"max_epochs": 3}
    decayed = train_one(table, weight_decay=0.3, **options)
    assert_same_weights(
        decayed.weights[0], train_one(table, weight_decay=0.0, regularization=L2(0.3, on="all"), **options).weights[0]
    )
    more = train_one(table, weight_decay=0.3, regularization=L2(3.0, on="heads"), **options).weights[0]
    norms = [sum(float(p.norm()) for name, p in own.items() if "linear" in name) for own in (more, decayed.weights[0])]
    assert norms[0] < 0.98 * norms[1]


def test_text_objects_and_json_mean_the_same():
    own = regularizers_of("l2:strength=0.1,on=heads;l2:on=encoder")
    assert own == [L2(0.1, on="heads"), L2(on="encoder")]
    assert REGULARIZERS.from_json(json.loads(json.dumps(REGULARIZERS.to_json(own)))) == own
    assert regularizers_of(REGULARIZERS.text(own)) == own


@pytest.mark.parametrize("wrong", ["l2:strength=-1", "l2:on=tower", "l2:strength=many"])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(OptionError, match=r"strength|on"):
        regularizers_of(wrong)


def test_a_part_without_weights_is_refused():
    with pytest.raises(OptionError, match="`on='sharing'` of L2 reaches no weight"):
        train_one(make_table(), regularization=L2(on="sharing"), max_epochs=1)
