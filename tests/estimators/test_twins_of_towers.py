"""Twins of architectures with an encoder per task have one encoder."""

import numpy as np
import pytest

from polytask.estimators import load_estimator, save_estimator, twin_mask
from polytask.networks import ESMM, MLP, CrossStitch, HardSharing, SoftSharing
from tests.estimators._tables import houses, small_network
from tests.estimators.test_twins import prepared, train

PLAIN = MLP(width=8, dropout=0.0)


@pytest.mark.parametrize("sharing", ["none", "soft", SoftSharing(strength=0.5)], ids=str)
def test_a_twin_is_a_network_with_one_encoder(sharing):
    X, y = houses()
    outputs = []
    for own in (sharing, "hard"):
        model, table, labels, weight = prepared(X, y, ["price", "sold", "visits"], encoder=PLAIN, sharing=own)
        masks = [np.ones(3, dtype=bool), *(twin_mask(labels, task) for task in labels.tasks)]
        joint, *twins = train(model, table, labels, weight, masks, range(4))
        assert all(isinstance(twin.sharing, HardSharing) for twin in twins)
        assert isinstance(joint.sharing, HardSharing) == (own == "hard")
        outputs.append(
            [twin.outputs(table.arrays, only=task.name)[task.name] for twin, task in zip(twins, labels.tasks, strict=True)]
        )
    for one, other in zip(*outputs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)  # of a stack with, and one without, the joint network


@pytest.mark.parametrize(
    ("settings", "is_one"),
    [
        ({"sharing": CrossStitch()}, False),  # encoders that mix
        ({"sharing": "soft", "regularization": "l1", "optimizer": "encoder=sgd"}, True),
        ({"sharing": "none", "initialization": "encoder=he_normal"}, True),
    ],
)
def test_encoders_of_a_twin_stay_where_they_mix_only(settings, is_one):
    X, y = houses()
    model, table, labels, weight = prepared(X, y, ["price", "sold"], encoder=PLAIN, **settings)
    (twin,) = train(model, table, labels, weight, [twin_mask(labels, labels.tasks[0])], [0])
    assert isinstance(twin.sharing, HardSharing) == is_one


def test_the_only_task_of_a_network_keeps_its_architecture(tmp_path):
    X, y = houses()
    model = small_network(["price"], sharing="none").fit(X, y)
    save_estimator(model, tmp_path / "model")
    assert "NoSharing" in repr(load_estimator(tmp_path / "model").network_.sharing)
    model.set_params(warm_start=True).fit(X, y)


def test_twins_of_a_child_are_those_of_the_architecture_inside():
    assert isinstance(ESMM("click", "buy", sharing="none").of_twin(), HardSharing)
