"""A time limit that was not kept is told: how long it took, why, and what limit would have been enough."""

import time

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.automatic import tell_time
from polytask.automatic._time_spent import overrun

SPENT = {"limit": 10.0, "given": True, "before": 4.0, "models": 5.0}


@pytest.mark.parametrize(("total", "is_told"), [(9.0, False), (10.9, False), (11.1, True)])
def test_it_is_told_beyond_a_tenth(total, is_told):
    assert bool(overrun({**SPENT, "total": total})) == is_told


def test_only_parts_that_took_long_are_named():
    told = overrun({**SPENT, "before": 0.01, "models": 13.9, "total": 14.0})
    assert "Models took 13.9 s." in told
    assert "imports" not in told


def test_a_limit_by_default_and_a_busy_machine_are_told():
    told = overrun({**SPENT, "given": False, "busy": 3.0, "total": 14.0})
    assert "10 s by default, and it took 14.0 s" in told
    assert "3.0 processes for each core" in told
    assert "busy" not in overrun({**SPENT, "busy": 1.0, "total": 14.0})


def test_what_is_told_once_is_told_anew_when_more_time_is_over():
    report = {"notes": ["Something else."], "time_spent": SPENT}
    tell_time(report, total=20.0)
    tell_time(report, total=30.0)
    assert report["notes"] == ["Something else.", overrun({**SPENT, "total": 30.0})]
    assert report["time_spent"]["total"] == 30.0


def test_a_predictor_tells_it_in_its_report():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "y"])
    started = time.monotonic() - 7.0
    report = MultiTaskPredictor(["y"], preset="fast", time_limit=0.5).fit(table, started=started).report_
    assert report["time_spent"]["before"] == pytest.approx(7.0, abs=0.5)
    assert any(note.startswith("The time limit was not kept: time_limit=0.5, and it took") for note in report["notes"])
