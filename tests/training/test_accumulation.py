"""Steps in parts equal those of a larger batch; bfloat16 stays near float32."""

import pytest
import torch

from polytask.balancing import PCGrad
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.tasks import Binary
from polytask.training import TrainingSettings
from tests.training._problems import Job, assert_close_weights, make_table, train_one, train_stack


@pytest.fixture(scope="module")
def table():
    return make_table()


JOBS = [Job(seed=1), Job(seed=2, hidden=(0, 3), train=range(50))]
PENALTIES = {"regularization": "soft_orthogonality:strength=0.1;l1:strength=0.01"}


@pytest.mark.parametrize("parts", [2, 4])
def test_steps_in_parts_are_those_of_one_larger_batch(table, parts):
    """Labels are missing at random, so that the parts of a batch have different label weights."""
    whole = train_one(table, batch_size=32, max_epochs=3, **PENALTIES)
    pieces = train_one(table, batch_size=32 // parts, accumulate=parts, max_epochs=3, **PENALTIES)
    assert_close_weights(whole.weights[0], pieces.weights[0])
    assert whole.history.steps == pieces.history.steps
    torch.testing.assert_close(
        whole.history.epochs[-1].train_losses, pieces.history.epochs[-1].train_losses, rtol=1e-3, atol=1e-4
    )


def test_a_stack_adds_up_each_network_on_its_own(table):
    whole = train_stack(table, JOBS, batch_size=30, max_epochs=2)
    pieces = train_stack(table, JOBS, batch_size=10, accumulate=3, max_epochs=2)
    for first, second in zip(whole.weights, pieces.weights, strict=True):
        assert_close_weights(first, second)


def test_balancing_by_losses_is_refused(table):
    with pytest.raises(OptionError, match="which balances by the losses of a whole batch"):
        train_one(table, accumulate=2, method=PCGrad())


@pytest.mark.parametrize("loss", ["auc", "soft_f1_micro"])
def test_a_loss_of_a_whole_batch_is_refused(loss):
    model = MultiTaskNetwork([Binary("sold", loss=loss)], accumulate=2, max_epochs=1, random_state=0)
    X = torch.randn(60, 2, generator=torch.Generator().manual_seed(0)).numpy()
    with pytest.raises(
        OptionError, match="`accumulate` cannot be with the loss of 'sold', which is a statistic of a whole batch"
    ):
        model.fit(X, X[:, :1] > 0)
    assert model.set_params(accumulate=1).fit(X, X[:, :1] > 0).n_iter_ > 0


@pytest.mark.parametrize("method", [None, PCGrad()], ids=["equal", "pcgrad"])
@pytest.mark.parametrize("stacked", [False, True])
def test_bfloat16_is_near_float32_and_not_the_same(table, method, stacked):
    options = {"max_epochs": 3, "method": method}
    train = (
        (lambda **own: train_stack(table, [Job(seed=1), Job(seed=2)], **own))
        if stacked
        else (lambda **own: train_one(table, **own))
    )
    full, half = train(**options).weights[0], train(**options, precision="bfloat16").weights[0]
    assert all(p.dtype == torch.float32 for p in half.values())
    assert any(not torch.equal(full[name], half[name]) for name in full)
    for name, p in full.items():
        torch.testing.assert_close(p, half[name], rtol=0.1, atol=0.1)


@pytest.mark.parametrize("values", [{"accumulate": 0}, {"accumulate": 1.5}, {"precision": "float16"}, {"precision": None}])
def test_other_values_are_refused(values):
    with pytest.raises(OptionError, match=r"`(accumulate|precision)` must be"):
        TrainingSettings(**values)
