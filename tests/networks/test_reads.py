"""What a sharing reads, and what it adds to the loss of no task."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from polytask.balancing import Equal, PCGrad
from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob
from polytask.exceptions import OptionError
from polytask.networks import MLP, PiecewiseLinear, TableShape, build_module, recipe_of
from polytask.tasks import Regression
from polytask.training import OneNetwork, StackedNetworks


class Apart(nn.Module):
    """A user's own sharing with an encoder per task, pulled together."""

    reads = "encoders"

    def __init__(self, make_encoder, n_tasks, *, strength=0.5):
        super().__init__()
        self.encoders = nn.ModuleList(make_encoder() for _ in range(n_tasks))
        self.out_features, self.strength = self.encoders[0].out_features, strength

    def forward(self, *prepared):
        return [encoder(*prepared) for encoder in self.encoders]

    def penalty(self):
        first, *others = (torch.cat([p.flatten() for p in own.parameters()]) for own in self.encoders)
        return self.strength * sum((first - other).square().sum() for other in others)

    def task_weights(self, *prepared):
        return torch.eye(len(self.encoders))


class Small(nn.Module):
    """A user's own sharing of features, with weights held small."""

    def __init__(self, in_features, n_tasks, *, strength=1.0):
        super().__init__()
        self.layer = nn.Linear(in_features, 4)
        self.n_tasks, self.strength, self.out_features = n_tasks, strength, 4

    def forward(self, features):
        return [self.layer(features)] * self.n_tasks

    def penalty(self):
        return self.strength * self.layer.weight.square().sum()


def tasks_of(names="ab"):
    y = pd.DataFrame({name: [1.0, 2.0, 4.0] for name in names})
    fitted = [Regression(name).fit(y) for name in names]
    return [task.with_statistics(task.encode(y), np.ones((3, 1))) for task in fitted]


def module_of(*, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape, encoder = TableShape(3), MLP(n_layers=1, width=4, dropout=0.0)
    return build_module(encoder, recipe_of(Apart), shape=shape, tasks=tasks_of(), generator=generator)


def test_a_sharing_of_encoders_leaves_the_network_none_of_its_own():
    module = module_of()
    assert not list(module.encoder.parameters())
    prepared = module.prepare(torch.randn(5, 3, dtype=torch.float64), torch.zeros(5, 0, dtype=torch.long))
    own = [head(encoder(*prepared)) for head, encoder in zip(module.heads, module.sharing.encoders, strict=True)]
    assert torch.equal(module(*prepared), torch.cat(own, dim=-1))
    assert torch.equal(module.task_weights(*prepared), torch.eye(2))


def test_all_encoders_get_what_was_taken_from_the_training_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    model = MultiTaskNetwork(
        encoder=MLP(width=8, embedding=PiecewiseLinear()), sharing=recipe_of(Apart), max_epochs=2, random_state=0
    ).fit(X, X + 1)
    own = [dict(encoder.named_buffers()) for encoder in (model.network_.module.encoder, *model.network_.module.sharing.encoders)]
    assert len(own) == 3
    for name, value in own[0].items():
        assert torch.equal(own[1][name], value)
        assert torch.equal(own[2][name], value)


@pytest.mark.parametrize("balancing", [None, "pcgrad"])
def test_a_penalty_is_learned_from_unbalanced(balancing):
    X = np.random.default_rng(0).normal(size=(80, 2))
    norms = []
    for strength in (0.0, 1.0):
        settings = {"max_epochs": 4, "learning_rate": 0.02, "validation": None, "random_state": 0}
        sharing = recipe_of(Small, strength=strength)
        model = MultiTaskNetwork(encoder=MLP(width=4), sharing=sharing, balancing=balancing, **settings).fit(X, X + 1)
        norms.append(float(model.network_.module.sharing.layer.weight.detach().norm()))
    assert norms[1] < 0.8 * norms[0]


@pytest.mark.parametrize("method", [Equal(), PCGrad()])
def test_in_a_stack_each_learns_from_its_own_penalty(method):
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.random.default_rng(1).normal(size=(60, 2))
    model = MultiTaskNetwork(encoder=MLP(width=4, dropout=0.0), sharing=recipe_of(Small), balancing=method, max_epochs=2)
    arrays, labels = model._read_training_data(X, y)
    table, weight = CodedTable(arrays, model.codec_.cardinalities), np.ones((60, 2))
    jobs = [NetworkJob(np.arange(40), np.arange(40, 60), np.ones(2, dtype=bool), seed) for seed in (0, 1)]
    stack = model.fit_jobs(jobs, table, labels, weight)
    for job, own in zip(jobs, stack, strict=True):
        alone = model.fit_jobs([job], table, labels, weight)[0]
        for name, value in alone.module.state_dict().items():
            torch.testing.assert_close(own.module.state_dict()[name], value, rtol=1e-3, atol=1e-5)


def test_a_stack_has_the_penalty_of_each():
    modules = [module_of(seed=k) for k in range(3)]
    one = torch.stack([OneNetwork(module).penalty() for module in modules])
    torch.testing.assert_close(StackedNetworks(modules).penalty(), one)


def test_without_common_features_none_are_balanced():
    X = np.random.default_rng(0).normal(size=(80, 2))
    model = MultiTaskNetwork(sharing=recipe_of(Apart), balancing="pcgrad", balance_at="features", max_epochs=1)
    with pytest.raises(OptionError, match="`balance_at` cannot be 'features' where each task has an encoder of its own"):
        model.fit(X, X + 1)
