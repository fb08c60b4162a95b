"""How a new table differs from the one that is learned from."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polytask.data import drift, is_clear_drift
from polytask.exceptions import DataError


def table(n, rng, **columns):
    frame = pd.DataFrame({"area": rng.normal(size=n), "city": rng.choice(["Oslo", "Rome"], n), "rooms": rng.integers(1, 6, n)})
    return frame.assign(**columns)


def clear(found):
    return [column.column for column in found.inputs if is_clear_drift(column)]


def test_halves_of_one_table_do_not_differ(rng):
    whole = table(2000, rng)
    found = drift(whole[::2], whole[1::2])
    assert clear(found) == []
    assert found.told_apart.low < 0.5 < found.told_apart.high


def test_no_difference_is_told_seldom(rng):
    """Of 40 pairs of tables of noise at most a few may be said to be told apart, at 5 % two-sided."""
    found = [drift(table(150, rng), table(150, rng)) for _ in range(40)]
    assert sum(one.told_apart.low > 0.5 for one in found) <= 4
    assert sum(len(clear(one)) for one in found) <= 2


def test_a_shifted_number_is_told_with_the_distance_of_scipy(rng):
    old, new = table(500, rng), table(400, rng, area=rng.normal(0.8, 1, 400))
    found = drift(old, new)
    area = found.inputs[0]
    expected = stats.ks_2samp(old["area"], new["area"], method="asymp")
    assert area.distance == pytest.approx(expected.statistic)
    assert clear(found) == ["area"]
    assert found.told_apart.low > 0.6
    assert found.told_apart.columns[0][0] == "area"


def test_categories_never_seen_are_counted_and_named(rng):
    old, new = table(300, rng), table(200, rng, city=["Oslo"] * 100 + ["Bergen"] * 60 + ["Turin"] * 40)
    city = drift(old, new).inputs[1]
    share = (old["city"] == "Oslo").mean()
    assert city.distance == pytest.approx((abs(share - 0.5) + (1 - share) + 0.5) / 2)
    assert (city.measure, city.n_unseen, city.examples) == ("tv", 100, ("Bergen", "Turin"))


def test_more_missing_values_are_a_difference(rng):
    old, new = table(400, rng), table(400, rng)
    new.loc[:100, "area"] = np.nan
    area = drift(old, new).inputs[0]
    assert area.missing == (0.0, 101 / 400)
    assert is_clear_drift(area)


def test_a_column_without_values_has_no_distance(rng):
    found = drift(table(100, rng), table(100, rng, area=np.nan))
    assert found.inputs[0].distance is None
    assert clear(found) == ["area"]


def test_lacking_and_unknown_columns_are_named(rng):
    old, new = table(60, rng, price=1.0, id=range(60)), table(60, rng, garden=1).drop(columns="rooms")
    found = drift(old, new, targets=["price"])
    assert (found.lacking, found.unknown) == (("rooms", "id"), ("garden",))


def test_targets_are_compared_but_tell_nothing_apart(rng):
    old, new = table(300, rng, price=rng.normal(size=300)), table(300, rng, price=rng.normal(5, 1, 300))
    found = drift(old, new, targets=["price"])
    assert [column.column for column in found.targets] == ["price"]
    assert is_clear_drift(found.targets[0])
    assert found.told_apart.low < 0.5


def test_rows_of_the_reference_are_found_again_and_not_held_against_the_table(rng):
    old = table(500, rng)
    found = drift(old, old.sample(frac=1, random_state=0))
    assert found.n_repeated == 500
    assert found.told_apart.auc == 0.5


def test_an_identifier_is_not_compared(rng):
    old, new = table(200, rng, id=[f"r{i}" for i in range(200)]), table(200, rng, id=[f"r{i}" for i in range(200, 400)])
    found = drift(old, new)
    assert "id" not in [column.column for column in found.inputs]
    assert clear(found) == []


def test_dates_are_compared_as_times(rng):
    days = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.permutation(300), unit="D"))
    found = drift(table(300, rng, sold_at=days), table(300, rng, sold_at=days + pd.Timedelta(days=150)))
    sold_at = found.inputs[-1]
    assert (sold_at.kind, sold_at.n_unseen) == ("datetime", 150)
    assert sold_at.distance == pytest.approx(0.5, abs=0.01)


def test_few_rows_are_told_to_be_too_few(rng):
    found = drift(table(100, rng), table(10, rng)).told_apart
    assert (found.auc, found.reason) == (None, "fewer than 25 rows in a table")


def test_the_result_is_plain_json_and_the_same_again(rng):
    old, new = table(100, rng, price=1.5), table(90, rng, price=2.5, city="Rome")
    first, second = (drift(old, new, targets=["price"]).to_dict() for _ in range(2))
    assert json.loads(json.dumps(first, allow_nan=False)) == first == second
    assert (first["format"], first["version"]) == ("polytask.drift", 1)
    assert [column["is_clear"] for column in first["inputs"]] == [False, True, False]


def test_nothing_in_common_is_an_error(rng):
    with pytest.raises(DataError, match="no input column in common"):
        drift(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]}))
    with pytest.raises(DataError, match="must have rows"):
        drift(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": []}))
