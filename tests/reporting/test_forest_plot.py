import re
from xml.etree import ElementTree

import pytest

from polytask.reporting._forest_plot import forest_axis, forest_scale, forest_strip
from polytask.reporting._readings import Gain

HELPED = Gain(name="price", gain=0.02, low=0.01, high=0.04, verdict="helped")


def places(svg: str, tag: str, attribute: str, style: str) -> list[float]:
    found = [e for e in ElementTree.fromstring(svg).iter(tag) if style in e.get("class", "")]
    return [float(e.get(attribute).removesuffix("%")) for e in found]


def test_the_point_and_the_ends_of_the_interval_lie_where_the_scale_says():
    scale = forest_scale([HELPED], margin=0.01)
    svg = forest_strip(HELPED, scale, margin=0.01)
    assert places(svg, "svg", "x", "point") == [pytest.approx(scale(0.02), abs=0.01)]
    assert places(svg, "line", "x1", "interval") == [pytest.approx(scale(0.01), abs=0.01)]
    assert places(svg, "line", "x2", "interval") == [pytest.approx(scale(0.04), abs=0.01)]


def test_the_zero_line_and_the_band_of_equivalence_are_drawn_to_scale():
    scale = forest_scale([HELPED], margin=0.01)
    svg = forest_strip(HELPED, scale, margin=0.01)
    assert places(svg, "line", "x1", "zero") == [pytest.approx(scale(0), abs=0.01)]
    assert places(svg, "rect", "x", "band") == [pytest.approx(scale(-0.01), abs=0.01)]
    assert places(svg, "rect", "width", "band") == [pytest.approx(scale(0.01) - scale(-0.01), abs=0.01)]


def test_a_larger_gain_lies_further_to_the_right():
    scale = forest_scale([HELPED], margin=0.01)
    assert scale(0.02) > scale(0.01) > scale(0) > scale(-0.01)


def test_there_is_a_dot_for_every_fold():
    gain = Gain(name="price", gain=0.02, low=0.01, high=0.04, fold_gains=(0.01, 0.03, 9.0))
    scale = forest_scale([gain], margin=0.01)
    dots = places(forest_strip(gain, scale, margin=0.01), "circle", "cx", "dot")
    assert dots == [pytest.approx(scale(0.01), abs=0.01), pytest.approx(scale(0.03), abs=0.01), 99.0]


def test_one_wild_task_does_not_flatten_the_others():
    wild = Gain(name="wild", gain=-3.0, low=-5.0, high=-1.0, verdict="harmed")
    others = [Gain(name=f"t{i}", gain=0.02, low=0.01, high=0.04) for i in range(5)]
    scale = forest_scale([wild, *others], margin=0.01)
    assert scale.low > -0.3
    assert 'class="arrow"' in forest_strip(wild, scale, margin=0.01)


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    gain = Gain(name="t", gain=0.02, low=0.01, high=0.9)
    scale = forest_scale([HELPED], margin=0.01)
    assert forest_strip(gain, scale, margin=0.01).count('class="arrow"') == 1


def test_an_undefined_gain_is_said_not_drawn():
    gain = Gain(name="t")
    svg = forest_strip(gain, forest_scale([gain], margin=0.01), margin=0.01)
    assert ">undefined</text>" in svg
    assert "interval" not in svg


def test_the_title_tells_name_gain_interval_and_verdict_in_words():
    svg = forest_strip(HELPED, forest_scale([HELPED], margin=0.01), margin=0.01)
    assert "<title>price: gain +2.0 points, interval [+1.0, +4.0], helped</title>" in svg


def test_verdicts_differ_in_shape_not_only_in_colour():
    scale = forest_scale([HELPED], margin=0.01)
    strips = [
        forest_strip(Gain(name="t", gain=0.02, low=0.0, high=0.04, verdict=verdict), scale, margin=0.01)
        for verdict in ("helped", "harmed", "equivalent", "undecided", "none")
    ]
    assert len({re.search(r'<path class="mark" d="([^"]+)"|d="([^"]+)" class="mark"', strip)[0] for strip in strips}) == 5


def test_names_are_escaped():
    gain = Gain(name="<script>", gain=0.02, low=0.01, high=0.04)
    assert "<script>" not in forest_strip(gain, forest_scale([gain], margin=None), margin=None)


def test_without_any_gain_there_is_still_an_axis():
    scale = forest_scale([], margin=None)
    assert scale.low < 0 < scale.high
    assert ">0</text>" in forest_axis(scale)
