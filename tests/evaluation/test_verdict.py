import numpy as np
import pytest

from polytask.evaluation import verdict


@pytest.mark.parametrize(
    "low, high, said",
    [
        (0.001, 0.02, "helped"),
        (-0.02, -0.001, "harmed"),
        (0.0, 0.02, "undecided"),
        (-0.02, 0.0, "undecided"),
        (-0.01, 0.01, "equivalent"),
        (0.0, 0.0, "equivalent"),
        (-0.3, 0.005, "undecided"),
    ],
)
def test_interval_decides(low, high, said):
    assert verdict(low, high) == said


def test_a_sure_but_tiny_gain_is_no_help():
    assert verdict(0.001, 0.003) == "equivalent"
    assert verdict(0.001, 0.003, margin=0.002) == "helped"


def test_bounds_in_the_wrong_order_or_nan_are_refused():
    with pytest.raises(ValueError, match=r"0.2 and 0.1"):
        verdict(0.2, 0.1)
    with pytest.raises(ValueError, match="nan"):
        verdict(np.nan, 0.1)
