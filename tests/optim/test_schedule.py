"""The learning-rate schedule."""

import itertools
import math

import pytest

from polytask.optim import warmup_cosine


def factors(total, **options):
    return [warmup_cosine(step, total_steps=total, **options) for step in range(total)]


def test_the_rate_rises_in_a_line_and_falls_in_half_a_cosine():
    found = factors(100, warmup=0.1)
    assert found[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert found[10:] == pytest.approx([0.5 * (1 + math.cos(math.pi * k / 90)) for k in range(90)])


@pytest.mark.parametrize("total", [1, 2, 3, 10, 19, 20, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 0.99])
def test_factors_stay_in_their_range_and_the_first_step_moves(total, warmup):
    found = factors(total, warmup=warmup)
    assert all(0 <= factor <= 1 for factor in found)
    assert found[0] > 0
    assert max(found) == 1


def test_the_rate_never_rises_after_the_warm_up():
    found = factors(200)[10:]
    assert all(a >= b for a, b in itertools.pairwise(found))


def test_beyond_the_plan_the_rate_is_zero():
    assert warmup_cosine(500, total_steps=100) == 0
