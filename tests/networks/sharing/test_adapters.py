"""Low-rank adapters of tasks, against weights that are written out."""

import pytest
import torch

from polytask.exceptions import OptionError
from polytask.networks import HardSharing, TaskAdapters


def drawn(layer):
    for own in layer.adapters.modules():
        if hasattr(own, "up"):
            torch.nn.init.normal_(own.up)
    return layer


def test_a_task_has_the_shared_weights_and_a_matrix_of_low_rank():
    layer, x = drawn(TaskAdapters(n_layers=2, width=5, rank=2, alpha=3.0).build(4, 3)), torch.randn(7, 4)
    for task, own in enumerate(layer(x)):
        z = x
        for shared, adapters in zip(layer.layers, layer.adapters, strict=True):
            added = adapters[task].up @ adapters[task].down
            assert int(torch.linalg.matrix_rank(added)) == 2
            z = torch.relu(z @ (shared.weight + 3.0 / 2 * added).T + shared.bias)
        torch.testing.assert_close(own, z)
        torch.testing.assert_close(layer.at_once(x)[task], z)


def test_at_the_start_it_is_hard_sharing():
    layer, x = TaskAdapters(width=5).build(4, 2), torch.randn(7, 4)
    plain = HardSharing(tower_width=5).build(4, 1)
    plain.towers[0][0].load_state_dict(layer.layers[0].state_dict())
    for own in layer(x):
        torch.testing.assert_close(own, plain(x)[0])


@pytest.mark.parametrize("alpha", [0, -1.0, "x", float("inf"), None])
def test_alpha_is_positive(alpha):
    with pytest.raises(OptionError, match="`alpha` of TaskAdapters must be a positive number"):
        TaskAdapters(alpha=alpha).build(4, 2)


def test_a_rank_above_the_width_is_refused():
    with pytest.raises(OptionError, match=r"`rank` of TaskAdapters must be at most `width`.*; got 9 and 8"):
        TaskAdapters(width=8, rank=9).build(4, 2)
