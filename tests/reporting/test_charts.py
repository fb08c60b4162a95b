import re
from xml.etree import ElementTree

import pytest

from polytask.reporting._balance import balance_scale, balance_strip, describe_labels, fold_deviations
from polytask.reporting._curves import Curve, curve_scales, learning_curve
from polytask.reporting._skill_bar import skill_bar, skill_scale
from polytask.reporting._svg import Scale, element, round_ticks, tick_texts


def curve(values, *, marked=None, epochs=None):
    return Curve(
        label="learned together", style="together", epochs=epochs or range(1, len(values) + 1), values=values, marked=marked
    )


def path_points(svg: str) -> list[tuple[float, float]]:
    path = next(e.get("d") for e in ElementTree.fromstring(svg).iter("path"))
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path)]


def test_a_curve_passes_through_the_places_of_its_values():
    line = curve([0.1, 0.3, 0.2])
    x, y = curve_scales([line])
    expected = [(x(epoch), y(value)) for epoch, value in zip((1, 2, 3), (0.1, 0.3, 0.2), strict=True)]
    assert path_points(learning_curve([line], title="t")) == [pytest.approx(place, abs=0.06) for place in expected]


def test_a_higher_value_is_drawn_higher():
    (_, low), (_, high) = path_points(learning_curve([curve([0.1, 0.3])], title="t"))
    assert high < low


def test_a_curve_breaks_where_a_value_is_undefined():
    svg = learning_curve([curve([0.1, 0.2, None, 0.3, 0.4])], title="t")
    assert re.search(r'd="M[^"ML]*L[^"ML]*M[^"ML]*L[^"ML]*"', svg)


def test_a_single_epoch_is_a_dot():
    assert "<circle" in learning_curve([curve([0.1])], title="t")


def test_the_marked_epoch_gets_a_circle_at_its_place():
    line = curve([0.1, 0.3, 0.2], marked=2)
    x, _ = curve_scales([line])
    assert f'cx="{round(x(2), 1):g}"' in learning_curve([line], title="t")


def test_nothing_defined_is_said():
    assert "undefined in every epoch" in learning_curve([curve([None, None])], title="t")


def test_one_wild_epoch_does_not_flatten_the_rest():
    _, y = curve_scales([curve([-50.0, *(0.2 + 0.001 * i for i in range(60))])])
    assert y.low > -1


def test_a_long_curve_is_thinned_but_keeps_its_last_and_marked_epoch():
    line = curve([i / 5000 for i in range(5000)], marked=1234)
    epochs = [epoch for epoch, _ in line.points]
    assert len(epochs) < 170
    assert epochs[-1] == 5000
    assert 1234 in epochs


def test_curves_share_their_axes():
    x, y = curve_scales([curve([0.1, 0.2]), curve([0.5, 0.9, 0.7])])
    assert x.high == 3
    assert y.low < 0.1 < 0.9 < y.high


def test_a_fold_with_a_tenth_more_labels_is_a_tenth_off():
    assert fold_deviations([90, 110, 100]) == [-0.1, 0.1, 0.0]


def test_the_share_of_labels_follows_the_share_of_rows():
    assert fold_deviations([10, 20], rows=[100, 200]) == [0.0, 0.0]


def test_folds_without_any_label_have_no_deviation():
    assert fold_deviations([0, 0, None]) == [None, None, None]


def test_a_fold_is_drawn_where_the_scale_says():
    scale = balance_scale([-0.1, 0.1])
    svg = balance_strip("price", [-0.1, 0.1], scale)
    places = [float(e.get("cx").removesuffix("%")) for e in ElementTree.fromstring(svg).iter("circle")]
    assert places == [pytest.approx(scale(-0.1), abs=0.01), pytest.approx(scale(0.1), abs=0.01)]


def test_labels_are_described_by_mean_or_by_shares():
    assert describe_labels({"mean": 11.4, "std": 2.0}) == "mean 11.4"
    assert describe_labels({"classes": {"no": 1, "yes": 3}}) == "no 25 %, yes 75 %"
    assert describe_labels({"classes": {}}) == ""


def test_the_bar_of_a_skill_ends_at_its_place():
    scale = skill_scale([0.25])
    assert 'x="0.00%" width="25.00%"' in skill_bar("price", 0.25, scale)


def test_a_skill_below_zero_is_drawn_to_the_left():
    scale = skill_scale([-0.25, 0.5])
    svg = skill_bar("price", -0.25, scale)
    assert 'class="bar"' in svg
    assert scale(-0.25) == 0.0


def test_an_undefined_skill_has_no_bar():
    svg = skill_bar("price", None, skill_scale([None]))
    assert 'class="bar"' not in svg
    assert "price: skill undefined" in svg


def test_ticks_are_round_and_inside():
    assert round_ticks(-0.033, 0.061) == [-0.02, 0.0, 0.02, 0.04, 0.06]
    assert tick_texts([-0.02, 0.0, 0.02]) == ["-0.02", "0", "0.02"]
    assert tick_texts([0.0, 1000.0]) == ["0", "1,000"]


@pytest.mark.parametrize("low, high", [(-1e-9, 1e-9), (-1e6, 3e6), (0.0, 0.3), (-0.1, 250.0)])
def test_there_are_a_few_ticks_on_any_scale(low, high):
    ticks = round_ticks(low, high)
    assert 3 <= len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)
    assert len(set(tick_texts(ticks))) == len(ticks)


def test_a_scale_maps_its_ends_to_its_ends():
    scale = Scale(2.0, 4.0, 10.0, 20.0)
    assert (scale(2.0), scale(3.0), scale(4.0)) == (10.0, 15.0, 20.0)


def test_attributes_and_text_are_escaped():
    assert element("text", "<b>", title='"x"') == '<text title="&#34;x&#34;">&lt;b&gt;</text>'
