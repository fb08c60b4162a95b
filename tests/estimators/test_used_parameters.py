"""How large the part of a network is that one task uses."""

import numpy as np
import pytest

from polytask.estimators import MultiTaskNetwork, n_used_parameters
from polytask.networks import CGC, MLP, HardSharing, MMoE

SHARED = 2 * 8 + 8  # the encoder: one layer of 8 units on 2 columns


@pytest.mark.parametrize(
    "sharing, own",
    [
        (HardSharing(), 8 + 1),
        (HardSharing(tower_width=4), 8 * 4 + 4 + 4 + 1),
        (MMoE(n_experts=3, width=4), 3 * (8 * 4 + 4) + 8 * 3 + 4 + 1),
        (CGC(n_task_experts=1, n_shared_experts=2, width=4), 3 * (8 * 4 + 4) + 8 * 3 + 4 + 1),
    ],
)
def test_heads_towers_gates_and_experts_of_other_tasks_are_not_counted(sharing, own):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.stack([X[:, 0], X[:, 1], X[:, 0] + X[:, 1]], axis=1)
    model = MultiTaskNetwork(encoder=MLP(n_layers=1, width=8), sharing=sharing, max_epochs=1, random_state=0).fit(X, y)
    arrays = model._coded_inputs(X)
    assert [n_used_parameters(model.network_, k, arrays) for k in range(3)] == [SHARED + own] * 3
