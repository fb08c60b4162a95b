"""Schedules by name."""

import numpy as np
import pytest
import torch

from polytask.exceptions import OptionError
from polytask.optim import SCHEDULES, Constant, Cosine, Linear, OneCycle, Plateau, Step, schedule_of, warmup_cosine


def factors(schedule, total=100):
    return np.array([schedule.factor(step, total_steps=total) for step in range(total)])


def of_torch(make, total=100):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule, found = make(optimizer), []
    for _ in range(total):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(found)


def test_cosine_is_the_one_of_before_and_the_default():
    assert factors(schedule_of(None)).tolist() == [warmup_cosine(step, total_steps=100) for step in range(100)]


def test_linear_step_and_constant_are_those_of_torch():
    lr = torch.optim.lr_scheduler
    np.testing.assert_allclose(
        factors(Linear(warmup=0, end=0.1)), of_torch(lambda o: lr.LinearLR(o, 1.0, 0.1, total_iters=100)), atol=1e-9
    )
    np.testing.assert_allclose(factors(Step(every=0.3, by=0.2)), of_torch(lambda o: lr.StepLR(o, 30, 0.2)))
    np.testing.assert_allclose(
        factors(Constant(warmup=0.1)), of_torch(lambda o: lr.LinearLR(o, 0.1, 1.0, total_iters=9)), atol=1e-9
    )


def test_one_cycle_is_that_of_torch_but_for_a_step():
    lr = torch.optim.lr_scheduler
    theirs = of_torch(lambda o: lr.OneCycleLR(o, 1.0, total_steps=101, pct_start=0.3, div_factor=25, cycle_momentum=False))
    np.testing.assert_allclose(factors(OneCycle()), theirs, atol=0.06)
    assert factors(OneCycle()).argmax() == 30


@pytest.mark.parametrize("name", SCHEDULES.classes)
def test_every_factor_is_in_0_to_1_for_plans_of_any_length(name):
    for total in (1, 2, 7, 1000):
        found = factors(schedule_of(name), total)
        assert (found >= 0).all()
        assert (found <= 1).all()
        assert found.max() > 0


def test_names_take_settings():
    assert schedule_of("one-cycle:peak=0.5") == OneCycle(peak=0.5)
    assert schedule_of(Cosine(warmup=0.2)) == Cosine(warmup=0.2)
    assert SCHEDULES.text(Plateau(per_task=True)) == "plateau:per_task=True"
    assert schedule_of("plateau:per_task=True") == Plateau(per_task=True)


@pytest.mark.parametrize("given", ["cosin", "cosine:warmup=1", "step:every=0", "plateau:patience=0", "plateau:by=2", 3, Cosine])
def test_what_cannot_be_used_is_refused(given):
    with pytest.raises(OptionError, match=r"Did you mean|must be"):
        schedule_of(given)
