"""The reproductions: their objectives and gradients, and what they say of small runs."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

from polytask.balancing import Equal, NashMTL

REPRODUCE = Path(__file__).parents[2] / "benchmarks" / "reproduce"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(REPRODUCE))
    return importlib.import_module


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_gradients_of_the_conflict_toy_are_those_of_autograd(script, rng, scale):
    toy = script("conflict_toy")
    for place in [*rng.uniform(-10, 10, size=(50, 2)), *toy.STARTS]:
        point = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        x, y = point
        above, below = (torch.tanh(y / 2).clamp(min=0), torch.tanh(-y / 2).clamp(min=0))
        valleys = 0.5 * (-x - 7) - torch.tanh(-y), 0.5 * (-x + 3) + torch.tanh(-y) + 2
        bowls = [((x - centre) ** 2 + 0.1 * (y + 8) ** 2) / 10 - 20 for centre in (7, -7)]
        expected = [
            factor * ((valley.abs().clamp(min=toy.LOWER).log() + 6) * above + bowl * below)
            for factor, valley, bowl in zip((scale, 1), valleys, bowls, strict=True)
        ]
        losses, rows = toy.objectives(*place, scale)
        assert losses == pytest.approx([loss.item() for loss in expected])
        for loss, row in zip(expected, rows, strict=True):
            assert row == pytest.approx(torch.autograd.grad(loss, point, retain_graph=True)[0].tolist(), abs=1e-12)


def test_a_run_of_the_toy_goes_towards_the_front(script):
    toy = script("conflict_toy")
    points = toy.front(1.0)
    path = toy.run(Equal, (9.0, -1.0), scale=1.0, max_steps=1500)
    before, after = (toy.distance_to_front(point, points, 1.0) for point in (path[0], path[-1]))
    assert after < before - 0.01
    assert toy.distance_to_front(points[70], points, 1.0) == 0


def test_the_unit_of_a_loss_moves_the_end_of_equal_weights_only(script, monkeypatch):
    units = script("units")
    monkeypatch.setattr(units, "STEPS", 300)
    assert np.allclose(units.end(NashMTL, 1.0), units.end(NashMTL, 100.0), atol=0.02)
    assert np.abs(units.end(Equal, 1.0) - units.end(Equal, 100.0)).max() > 0.3


def test_the_front_is_concave_and_its_gap_is_measured(script):
    concave = script("concave_front")
    ends = concave.objectives(torch.stack([concave.CENTRE, -concave.CENTRE]))[0]
    middle = concave.objectives(torch.zeros(1, concave.N, dtype=torch.float64))[0]
    assert (middle[:, 0] > ends.mean(1)).all()  # above the line between the ends
    assert concave.widest_gap(ends) == pytest.approx(1.0, abs=0.01)
    assert concave.widest_gap(torch.cat([ends, middle], dim=1)) == pytest.approx(0.5, abs=0.01)


def test_claims_that_do_not_hold_are_told(script, capsys):
    report = script("_report")
    assert report.check({"water is wet": True}) == 0
    assert report.check({"water is wet": True, "fire is cold": False}) == 1
    assert "FAIL  fire is cold" in capsys.readouterr().out
