"""Labels that teach nothing, since no batch that has them defines the loss: alone and in stacks."""

import warnings

import pandas as pd
import pytest
import torch

from polytask.exceptions import PolytaskError, PolytaskWarning
from polytask.tasks import Binary, Multilabel
from polytask.training import TrainingData
from polytask.training._undefined_batches import check_defined

TARGET = torch.tensor([[0.0, 0, 1], [0, 0, 1], [1, 0, 1], [1, 1, 1]])


@pytest.fixture
def tasks():
    frame = pd.DataFrame(TARGET.numpy(), columns=["a", "b", "c"]).assign(c=[0, 1, 1, 1])
    return [own.fit(frame) for own in (Binary("a", loss="auc"), Multilabel("tags", ("b", "c"), loss="auc"))]


def stack(*rows, mask=None):
    """Networks that learn from these rows."""
    rows = [torch.tensor(own) for own in rows]
    mask = torch.ones(len(rows), 3) if mask is None else torch.tensor(mask)
    fold, none = torch.zeros(len(rows), dtype=torch.long), [own[:0] for own in rows]
    return TrainingData((), TARGET[None], torch.ones(4, 3), rows, none, torch.ones(2), torch.ones(2), fold=fold, mask=mask)


def test_the_network_whose_rows_are_of_one_class_is_told(tasks):
    taught = torch.tensor([[4.0, 4.0], [0.0, 2.0]])
    with pytest.warns(PolytaskWarning, match=r"'a' .*: the training rows of 1 of 2 networks hold one, and teach nothing") as told:
        check_defined(stack([0, 1, 2, 3], [2, 3]), tasks, taught, dealt=True)
    assert len(told) == 1


def test_a_task_that_a_network_does_not_learn_is_not_told(tasks):
    data = stack([0, 1, 2, 3], [2, 3], mask=[[1.0, 1, 1], [0, 1, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_defined(data, tasks, torch.tensor([[4.0, 4.0], [0.0, 2.0]]), dealt=True)


def test_a_run_that_ends_within_an_epoch_is_warned_and_a_whole_one_refused(tasks):
    data, taught = stack([0, 1, 2, 3]), torch.tensor([[0.0, 1.0]])
    with pytest.warns(PolytaskWarning, match="'a' .*: none of the steps of this short run had one") as told:
        check_defined(data, tasks, taught, dealt=False, is_whole=False)
    assert len(told) == 1
    with pytest.raises(PolytaskError, match=r"'a' .*, and none does"):
        check_defined(data, tasks, taught, dealt=False)
