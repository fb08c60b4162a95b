"""Recipes, sharing, heads, and the whole network."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from torch import nn

from polytask.exceptions import OptionError
from polytask.networks import MLP, HardSharing, ModuleRecipe, TableShape, build_module, output_slices, recipe_of, target_slices
from polytask.networks.heads import LinearHead
from polytask.tasks import Multiclass, Multilabel, Ordinal, Regression


class Wide(nn.Module):
    """A user's own encoder."""

    def __init__(self, shape, *, factor=2):
        super().__init__()
        self.linear = nn.Linear(shape.n_numeric, factor * shape.n_numeric)
        self.out_features = factor * shape.n_numeric

    def prepare(self, numeric, categorical):
        return (numeric.float(),)

    def forward(self, numbers):
        return self.linear(numbers)


class Own(nn.Module):
    """A user's own sharing: one linear layer per task."""

    def __init__(self, in_features, n_tasks):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(in_features, 5) for _ in range(n_tasks))
        self.out_features = 5

    def forward(self, features):
        return [layer(features) for layer in self.layers]


@pytest.fixture
def tasks():
    y = pd.DataFrame(
        {"price": [1.0, 2.0, 4.0], "size": ["S", "M", "L"], "colour": ["r", "g", "b"], "a": [0, 1, 0], "b": [1, 1, 0]}
    )
    declared = [Regression("price"), Ordinal("size"), Multiclass("colour"), Multilabel("tags", ("a", "b"))]
    fitted = [task.fit(y) for task in declared]
    return [task.with_statistics(task.encode(y), np.ones((3, task.n_targets))) for task in fitted]


def build(tasks, *, encoder=None, sharing=None, seed=0):
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return build_module(
        encoder or MLP(width=8, dropout=0.0), sharing or HardSharing(), shape=TableShape(3), tasks=tasks, generator=generator
    )


NUMBERS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
INPUTS = NUMBERS, torch.zeros(6, 0, dtype=torch.long)


# ------------------------------------------------------------------------------------------------------------- recipes


def test_a_recipe_is_cloned_and_set_like_an_estimator():
    recipe = MLP(width=8)
    copy = clone(recipe).set_params(width=9)
    assert (recipe.width, copy.width) == (8, 9)


def test_building_never_changes_the_recipe_and_gives_a_fresh_module():
    recipe = MLP(width=8)
    first, second = recipe.build(TableShape(3)), recipe.build(TableShape(3))
    assert recipe.get_params() == MLP(width=8).get_params()
    assert not torch.equal(first.layers[0].weight, second.layers[0].weight)


def test_a_users_module_becomes_a_recipe_in_one_call(tasks):
    module = build(tasks, encoder=recipe_of(Wide, factor=4), sharing=recipe_of(Own))
    assert module(*module.prepare(*INPUTS)).shape == (6, 1 + 3 + 3 + 2)
    assert module.encoder.out_features == 12


def test_a_recipe_of_a_module_can_be_cloned():
    copy = clone(recipe_of(Wide, factor=4))
    assert isinstance(copy, ModuleRecipe)
    assert copy.build(TableShape(2)).out_features == 8


@pytest.mark.parametrize("wrong", [nn.Linear(2, 2), int, "MLP"])
def test_a_recipe_needs_a_class_of_modules(wrong):
    with pytest.raises(OptionError, match="needs a subclass of torch"):
        recipe_of(wrong)


# ------------------------------------------------------------------------------------------------------ sharing, heads


def test_hard_sharing_gives_all_tasks_the_same_features():
    features = torch.randn(4, 8)
    assert all(z is features for z in HardSharing().build(8, 3)(features))


def test_towers_are_one_layer_per_task():
    layer, features = HardSharing(tower_width=5).build(8, 3), torch.randn(4, 8)
    out = layer(features)
    assert layer.out_features == 5
    for z, tower in zip(out, layer.towers, strict=True):
        torch.testing.assert_close(z, torch.relu(nn.functional.linear(features, tower[0].weight, tower[0].bias)))


def test_a_tower_has_no_negative_width():
    with pytest.raises(OptionError, match="`tower_width` of HardSharing must be an integer >= 0; got -1"):
        HardSharing(tower_width=-1).build(8, 3)


def test_a_head_is_a_linear_layer():
    head, features = LinearHead(8, 3), torch.randn(4, 8)
    head.bias.data.normal_()
    torch.testing.assert_close(head(features), nn.functional.linear(features, head.linear.weight, head.bias))


def test_outputs_that_do_not_depend_on_features_are_constants():
    head = LinearHead(8, 4, n_dependent=1)
    head.bias.data = torch.arange(4.0)
    out = head(torch.randn(5, 8))
    assert out.shape == (5, 4)
    assert torch.equal(out[:, 1:], torch.arange(1.0, 4.0).expand(5, 3))
    assert out[:, 0].unique().numel() == 5


# --------------------------------------------------------------------------------------------------------- the network


def test_outputs_of_the_tasks_stand_side_by_side(tasks):
    module = build(tasks)
    raw = module(*module.prepare(*INPUTS))
    assert [(s.start, s.stop) for s in output_slices(tasks)] == [(0, 1), (1, 4), (4, 7), (7, 9)]
    assert [(s.start, s.stop) for s in target_slices(tasks)] == [(0, 1), (1, 2), (2, 3), (3, 5)]
    features = module.encoder(*module.prepare(*INPUTS))
    for head, part in zip(module.heads, output_slices(tasks), strict=True):
        torch.testing.assert_close(raw[:, part], head(features))


def test_an_untrained_network_with_silent_features_predicts_the_constants(tasks):
    module = build(tasks)
    for head in module.heads:
        nn.init.zeros_(head.linear.weight)
    raw = module(*module.prepare(*INPUTS))
    for task, part in zip(tasks, output_slices(tasks), strict=True):
        np.testing.assert_allclose(task.link(raw[:, part]).detach().numpy(), task.constant_outputs(6), rtol=1e-6)


def test_the_same_seed_builds_the_same_network(tasks):
    first, second, other = build(tasks, seed=1), build(tasks, seed=1), build(tasks, seed=2)
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.encoder.layers[0].weight, other.encoder.layers[0].weight)


@pytest.mark.parametrize("seed", [None, 1])
def test_building_leaves_the_global_generator_alone(tasks, seed):
    before = torch.get_rng_state()
    build(tasks, seed=seed)
    assert torch.equal(before, torch.get_rng_state())


def test_a_joint_network_and_a_twin_start_with_the_same_encoder(tasks):
    first, second = build(tasks, seed=1), build(tasks[:1], seed=1)
    for p, q in zip(first.encoder.parameters(), second.encoder.parameters(), strict=True):
        assert torch.equal(p, q)


def test_one_task_has_one_slice():
    assert output_slices([]) == []
