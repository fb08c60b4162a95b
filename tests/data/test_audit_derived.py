"""Targets that could be made of a number."""

import numpy as np
import pandas as pd
import pytest

from polytask.data import audit
from polytask.data._audit_derived import propose_derived
from polytask.tasks import Regression, parse_targets


def targets(y):
    return [proposal["target"] for proposal in propose_derived("x", np.asarray(y, dtype=float))]


def test_many_zeros_and_a_long_tail_are_told_apart(rng):
    amount = rng.lognormal(0, 1.2, 400)
    assert targets(amount) == ["log(x)"]
    assert targets(np.where(rng.random(400) < 0.4, 0, amount)) == ["x>0 as any_x", "log1p(x)"]
    assert targets(np.where(rng.random(400) < 0.5, 0, rng.uniform(1, 2, 400))) == ["x>0 as any_x"]


@pytest.mark.parametrize("shift", [-1.0, -100.0])
def test_numbers_below_zero_propose_nothing(rng, shift):
    assert targets(rng.lognormal(0, 1.5, 400) + shift) == []


def test_symmetric_few_or_equal_numbers_propose_nothing(rng):
    assert targets(rng.normal(50, 5, 400)) == []
    assert targets(rng.lognormal(0, 1.5, 20)) == []
    assert targets(np.full(100, np.nan)) == []
    assert targets(np.zeros(100)) == []


def test_every_proposal_is_a_target_that_can_be_read(rng):
    views = np.where(rng.random(300) < 0.3, 0, rng.lognormal(0, 1.5, 300))
    found = audit(
        pd.DataFrame({"a": rng.normal(size=300)}), pd.DataFrame({"num views": views}), [Regression("num views")]
    ).derived
    specs = parse_targets([proposal["target"] for proposal in found], ["a", "num views"])
    assert [spec.name for spec in specs] == ["any_num views", "log1p(num views)"]
