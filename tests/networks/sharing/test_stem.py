"""STEM, written out from the paper."""

import numpy as np
import pytest
import torch

from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MLP, STEM, HardSharing, TableShape
from tests.networks.sharing.test_mmoe import expert_of

SHAPE = TableShape(2, cardinalities=(30, 4))


def stem_of(n_tasks, **settings):
    return STEM(width=5, **settings).build_on(lambda: MLP(n_layers=1, width=4, dropout=0.0).build(SHAPE), n_tasks)


def inputs_of(layer):
    return layer.shared_encoder.prepare(torch.randn(7, 2).double(), torch.stack([torch.arange(7), torch.arange(7) % 4], dim=1))


def by_hand(layer, inputs, *, stop):
    shared_x = layer.shared_encoder(*inputs)
    features = [encoder(*inputs) for encoder in layer.encoders]
    found = []
    for task, x in enumerate(features):
        outs = []
        for other, experts in enumerate(layer.own):
            own = [expert_of(experts, e, features[other]) for e in range(experts.n_experts)]
            outs += [out.detach() if stop and other != task else out for out in own]
        outs += [expert_of(layer.shared, e, shared_x) for e in range(layer.shared.n_experts)]
        gate = torch.softmax((x + shared_x) @ layer.gates[task].linear.weight.T, dim=-1)
        found.append(sum(gate[:, [e]] * out for e, out in enumerate(outs)))
    return found


def test_is_the_formula_of_the_paper_in_values_and_gradients():
    layer = stem_of(3, n_task_experts=2, n_shared_experts=2)
    inputs = inputs_of(layer)
    for stop in (True, False):
        for own, expected in zip(layer(*inputs), by_hand(layer, inputs, stop=stop), strict=True):
            torch.testing.assert_close(own, expected)
    parameters = list(layer.parameters())
    for own, expected in zip(layer(*inputs), by_hand(layer, inputs, stop=True), strict=True):
        gradients = [
            torch.autograd.grad(z.square().sum(), parameters, retain_graph=True, allow_unused=True) for z in (own, expected)
        ]
        for one, other in zip(*gradients, strict=True):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                torch.testing.assert_close(one, other)


def test_with_one_task_and_equal_parts_it_is_the_plain_network():
    layer = stem_of(1)
    layer.shared_encoder.load_state_dict(layer.encoders[0].state_dict())
    layer.shared.load_state_dict(layer.own[0].state_dict())
    plain, inputs = HardSharing(tower_width=5).build(4, 1), inputs_of(layer)
    experts = layer.own[0]
    plain.load_state_dict({"towers.0.0.weight": experts.weights[0][0], "towers.0.0.bias": experts.biases[0][0]})
    torch.testing.assert_close(layer(*inputs)[0], plain(layer.encoders[0](*inputs))[0])


def test_each_task_has_tables_of_its_own():
    layer = stem_of(3)
    tables = [module for module in layer.modules() if isinstance(module, torch.nn.Embedding)]
    assert len({id(table.weight) for table in tables}) == 4


def test_a_table_without_categories_is_refused():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(OptionError, match=r"this table has no categorical column to embed\. Take another sharing"):
        MultiTaskNetwork(sharing=STEM(), max_epochs=1).fit(X, X)
