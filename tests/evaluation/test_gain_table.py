import json

import numpy as np
import pytest

from polytask.evaluation import LossArrays, gain_table
from tests.evaluation._noise import folds, noisy_losses

TASK_KEYS = {"gain", "se", "low", "high", "low_unadjusted", "high_unadjusted", "p_value", "p_adjusted", "verdict", "detectable"}


def table_of(gains, *, rng, n_rows=400, n_repeats=5, **settings):
    fold = folds(n_rows, rng=rng, n_repeats=n_repeats)
    losses = {name: LossArrays(*noisy_losses(fold, rng=rng, gain=gain)) for name, gain in gains.items()}
    return gain_table(losses, fold=fold, **settings)


def test_a_task_that_gains_and_one_that_loses_are_named(rng):
    table = table_of({"price": 0.2, "sold": -0.2, "grade": 0.0}, rng=rng)
    assert [table.tasks[name]["verdict"] for name in ("price", "sold", "grade")] == ["helped", "harmed", "undecided"]
    assert table.mean["n_tasks"] == 3
    assert table.mean["low"] < table.mean["gain"] < table.mean["high"]


def test_result_is_json_with_the_keys_of_the_comparison(rng):
    table = table_of({"price": 0.2, "sold": 0.0}, rng=rng)
    data = json.loads(json.dumps(table.to_dict()))
    assert TASK_KEYS | {"nadeau_bengio", "delta"} <= set(data["tasks"]["price"])
    assert {"gain", "se", "low", "high", "p_value", "verdict", "nadeau_bengio", "delta_m"} <= set(data["mean"])
    assert set(data["tasks"]["price"]["nadeau_bengio"]) == {"low", "high", "p_value"}


def test_a_task_without_a_gain_says_why_and_does_not_widen_the_others(rng):
    fold = folds(200, rng=rng)
    good = LossArrays(*noisy_losses(fold, rng=rng, gain=0.1))
    empty = LossArrays(*(np.full(fold.shape, np.nan) for _ in range(3)))
    both, one = gain_table({"price": good, "never": empty}, fold=fold), gain_table({"price": good}, fold=fold)
    assert both.tasks["price"] == one.tasks["price"]
    assert both.tasks["never"]["verdict"] == "none"
    assert both.tasks["never"]["gain"] is None
    assert both.tasks["never"]["reason"] == "no label is observed"
    assert both.mean["n_tasks"] == 1


def test_no_task_with_a_gain_is_told(rng):
    fold = folds(20, rng=rng)
    table = gain_table({"never": LossArrays(*(np.full(fold.shape, np.nan) for _ in range(3)))}, fold=fold)
    assert table.mean["verdict"] == "none"
    assert table.mean["reason"] == "no task has a gain"


def test_one_repeat_gives_no_verdict_but_the_corrected_test(rng):
    table = table_of({"price": 0.3, "sold": 0.0}, rng=rng, n_repeats=1)
    for entry in (*table.tasks.values(), table.mean):
        assert entry["verdict"] == "none"
        assert entry["se"] is entry["low"] is entry["p_value"] is None
        assert entry["nadeau_bengio"]["low"] < entry["gain"] < entry["nadeau_bengio"]["high"]
    json.dumps(table.to_dict(), allow_nan=False)


def test_order_of_tasks_does_not_matter(rng):
    fold = folds(100, rng=rng)
    losses = {name: LossArrays(*noisy_losses(fold, rng=rng, gain=gain)) for name, gain in zip("abc", (0.1, 0.0, 0.2))}
    there, back = gain_table(losses, fold=fold), gain_table(dict(reversed(losses.items())), fold=fold)
    assert there.tasks == back.tasks
    assert there.mean["gain"] == pytest.approx(back.mean["gain"])
    assert there.mean["se"] == pytest.approx(back.mean["se"])


def test_verdict_agrees_with_the_interval_drawn(rng):
    for _ in range(20):
        table = table_of(dict(zip("abcdef", rng.normal(0, 0.06, 6))), rng=rng, n_rows=150)
        for entry in table.tasks.values():
            assert (entry["verdict"] == "helped") == (entry["low"] > 0 and entry["high"] > 0.01)
            assert (entry["verdict"] == "harmed") == (entry["high"] < 0 and entry["low"] < -0.01)
            assert entry["verdict"] == "equivalent" or (entry["p_adjusted"] <= 0.05) == (entry["low"] * entry["high"] > 0)


def test_a_wide_margin_makes_equivalent(rng):
    assert table_of({"price": 0.01}, rng=rng, margin=0.2).tasks["price"]["verdict"] == "equivalent"


def test_confidence_outside_0_to_1_is_refused(rng):
    with pytest.raises(ValueError, match="got 95"):
        table_of({"price": 0.1}, rng=rng, confidence=95)


def test_less_bad_than_alone_is_no_help_where_a_constant_is_better(rng):
    fold = folds(400, rng=rng)
    joint, separate, constant = noisy_losses(fold, rng=rng, gain=0.2)
    found = gain_table({"rare": LossArrays(joint, separate, constant * 0.3)}, fold=fold).tasks["rare"]
    assert found["low"] > 0
    assert (found["verdict"], found["reason"]) == ("undecided", "learned together it is no better than a constant")
