"""Batches into which rare classes are dealt evenly."""

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError, PolytaskWarning
from polytask.networks import MLP
from polytask.training import TrainingData, class_strata, epoch_batches


def data_of(target, *, weight=None, rows=None, **stacked):
    weight = torch.ones_like(target if target.dim() == 2 else target[0]) if weight is None else weight
    rows = [torch.arange(len(weight))] if rows is None else rows
    scale = torch.ones(target.shape[-1])
    return TrainingData((), target, weight, rows, [own[:0] for own in rows], scale, scale, **stacked)


def test_a_row_counts_by_the_rarest_class_that_it_has():
    target = torch.tensor([[0.0, 5.0, 0.0], [0.0, 6.0, 1.0], [1.0, 7.0, 1.0], [0.0, 8.0, 1.0], [0.0, 9.0, 1.0]])
    assert class_strata(data_of(target), [2, 0, 2])[0].tolist() == [1, 2, 0, 2, 2]  # of one count, in the order of the columns


def test_a_missing_label_is_of_no_class():
    target = torch.tensor([[0.0], [0.0], [1.0], [1.0], [1.0]])
    weight = torch.tensor([[1.0], [1.0], [1.0], [0.0], [0.0]])
    assert class_strata(data_of(target, weight=weight), [2])[0].tolist() == [1, 1, 0, 2, 2]


def test_networks_of_a_stack_see_their_own_tasks():
    target = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]])
    mask, rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), [torch.arange(4), torch.arange(4)]
    data = data_of(target, rows=rows, fold=torch.zeros(2, dtype=torch.long), mask=mask)
    assert [own.tolist() for own in class_strata(data, [2, 2])] == [[1, 1, 0, 1], [0, 1, 1, 1]]


@pytest.mark.parametrize(("n", "batch_size"), [(100, 10), (97, 10), (64, 64), (30, 7)])
def test_every_batch_has_its_share_and_every_row_is_there_once(n, batch_size):
    strata = (torch.arange(n) >= n // 8).long() + (torch.arange(n) >= n // 2).long()
    batches = list(epoch_batches([torch.arange(n)], batch_size=batch_size, seeds=[3], epoch=1, strata=[strata]))
    assert torch.cat(batches).sort().values.tolist() == list(range(n))
    assert max(map(len, batches)) - min(map(len, batches)) <= 1
    for kind in range(3):
        counts = [int((strata[rows] == kind).sum()) for rows in batches]
        assert max(counts) - min(counts) <= 1


def test_a_network_has_the_batches_that_it_has_in_a_stack():
    rows = [torch.arange(50), torch.arange(50, 97)]
    strata = [(own % 7 > 0).long() for own in rows]
    stack = list(epoch_batches(rows, batch_size=10, seeds=[1, 2], epoch=0, strata=strata))
    for k in range(2):
        alone = epoch_batches([rows[k]], batch_size=10, seeds=[k + 1], epoch=0, strata=[strata[k]])
        for own, many in zip(alone, stack, strict=True):
            assert own.tolist() == [row for row in many[k].tolist() if row >= 0]


def test_the_rarest_are_not_always_in_the_first_batches():
    strata = [(torch.arange(20) >= 1).long()]
    first = [
        next(iter(epoch_batches([torch.arange(20)], batch_size=5, seeds=[0], epoch=epoch, strata=strata))) for epoch in range(12)
    ]
    assert 0 < sum(0 in rows.tolist() for rows in first) < 12


def test_networks_of_rare_positives_are_trained_so():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(160, 2)), columns=["a", "b"])
    y = pd.DataFrame({"rare": (X["a"] > X["a"].nlargest(9).min()).astype(int), "price": X["b"]})
    settings = {"encoder": MLP(width=8), "batch_size": 16, "max_epochs": 2, "random_state": 0}
    aware = MultiTaskNetwork(batches="class_aware", **settings).fit(X, y)
    plain = MultiTaskNetwork(**settings).fit(X, y)
    assert aware.network_.steps == plain.network_.steps
    assert not np.array_equal(aware.outputs(X)["price"], plain.outputs(X)["price"])
    with pytest.raises(OptionError, match="`batches` must be 'shuffled' or 'class_aware'; got 'even'"):
        MultiTaskNetwork(batches="even", **settings).fit(X, y)


@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_tasks_without_classes_are_told(way):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 2)), columns=["a", "b"])
    own = MultiTaskNetwork(encoder=MLP(width=8), max_epochs=1, random_state=0, batches="class_aware")
    with pytest.warns(PolytaskWarning, match="deal rare classes evenly, and no task here has classes"):
        getattr(own, way)(X, X["a"].to_frame("price"))
    own.fit(X, pd.DataFrame({"price": X["a"], "sold": X["b"] > 0}))
