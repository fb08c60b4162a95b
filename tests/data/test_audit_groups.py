"""Columns by which tasks could be split."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polytask.data import audit
from polytask.data._audit_groups import holm, shift_between_groups
from polytask.tasks import Binary, Regression


def test_eta_squared_and_p_are_those_of_the_analysis_of_variance(rng):
    groups = rng.integers(0, 4, 200)
    y = rng.normal(size=200) + 0.3 * groups
    found = shift_between_groups(y, groups)
    f, p = stats.f_oneway(*(y[groups == g] for g in range(4)))
    assert found.p_value == pytest.approx(p)
    assert found.eta_squared == pytest.approx(3 * f / (3 * f + 196))
    assert found.low < found.eta_squared < found.high


def test_omega_squared_is_that_of_the_sums_of_squares():
    """By hand: means 2, 4, 9 around 5; between 3 * (9 + 1 + 16) = 78, within 3 * 2 = 6, its mean square 6 / 6 = 1."""
    y = np.array([1.0, 2, 3, 3, 4, 5, 8, 9, 10])
    found = shift_between_groups(y, np.repeat([0, 1, 2], 3))
    assert found.eta_squared == pytest.approx(78 / 84)
    assert found.corrected == pytest.approx((78 - 2 * 1) / (84 + 1))


def test_tau_of_classes_is_adjusted_for_its_mean_by_chance(rng):
    """Over all orders of the labels tau has the mean (groups - 1) / (n - 1)."""
    groups, y = np.arange(60) % 6, (np.arange(60) % 3).astype(float)
    by_chance = [shift_between_groups(rng.permutation(y), groups, n_classes=3).eta_squared for _ in range(150)]
    assert np.mean(by_chance) == pytest.approx(5 / 59, abs=0.01)
    y = np.where(groups < 2, 0.0, y)
    found = shift_between_groups(y, groups, n_classes=3)
    assert found.corrected == pytest.approx((found.eta_squared - 5 / 59) / (1 - 5 / 59))


@pytest.mark.parametrize("n_classes", [0, 2])
@pytest.mark.parametrize("size", [0.0, 0.2, 1.0])
def test_of_many_groups_the_estimate_lies_in_its_interval_and_hits_the_truth(rng, n_classes, size):
    groups, found = np.arange(1500) % 139, []
    for _ in range(20):
        score = size * rng.normal(size=139)[groups] + rng.normal(size=1500)
        found.append(shift_between_groups((score > 0).astype(float) if n_classes else score, groups, n_classes=n_classes))
    assert all(shift.low <= shift.corrected <= shift.high for shift in found)
    truth = size**2 / (1 + size**2)
    if n_classes:  # the variance of the chance of a class between groups, by the arcsine law of a bivariate normal
        truth = 2 * np.arcsin(truth) / np.pi
    assert np.mean([shift.corrected for shift in found]) == pytest.approx(truth, abs=0.02)
    assert np.mean([shift.eta_squared for shift in found]) > truth + 0.03


def test_of_two_classes_it_is_chi_squared_over_n(rng):
    groups, y = rng.integers(0, 3, 300), rng.integers(0, 2, 300)
    y[groups == 2] = rng.random((groups == 2).sum()) < 0.8
    table = pd.crosstab(groups, y)
    found = shift_between_groups(y.astype(float), groups, n_classes=2)
    assert found.eta_squared == pytest.approx(stats.chi2_contingency(table, correction=False).statistic / 300)


@pytest.mark.parametrize("n_classes", [0, 2])
def test_intervals_cover_the_true_share(rng, n_classes):
    """At 400 draws the standard error of a coverage of 0.95 is 0.011."""
    groups, means = np.repeat(np.arange(10), 30), 0.5 * np.linspace(-1, 1, 10)
    chance = 1 / (1 + np.exp(-2 * means))
    truth = means.var() / (means.var() + 1)
    truth = chance.var() / (chance.mean() * (1 - chance.mean())) if n_classes else truth
    covered = 0
    for _ in range(400):
        y = means[groups] + rng.normal(size=300) if not n_classes else (rng.random(300) < chance[groups]).astype(float)
        found = shift_between_groups(y, groups, n_classes=n_classes)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 400 <= 0.985


def test_no_shift_is_rejected_as_seldom_as_said(rng):
    found = [shift_between_groups(rng.normal(size=120), np.arange(120) % 6) for _ in range(300)]
    assert np.mean([shift.p_value < 0.05 for shift in found]) < 0.09
    assert np.mean([shift.low > 0 for shift in found]) < 0.06


def test_missing_labels_are_left_out_and_nothing_to_compare_is_none(rng):
    y, groups = rng.normal(size=60), np.arange(60) % 3
    hidden = y.copy()
    hidden[:12] = np.nan
    assert shift_between_groups(hidden, groups) == shift_between_groups(y[12:], groups[12:])
    assert shift_between_groups(y, np.zeros(60, dtype=int)) is None
    assert shift_between_groups(np.full(60, 2.0), groups) is None


def test_groups_that_are_the_target_itself_are_no_error():
    groups = np.arange(60) % 3
    found = shift_between_groups(groups.astype(float), groups)
    assert found.eta_squared == pytest.approx(1)
    assert found.corrected == pytest.approx(1)
    assert shift_between_groups(groups.astype(float), groups, n_classes=3).corrected == pytest.approx(1)
    assert found.p_value < 1e-9


def proposals(X, y, **options):
    return audit(X, pd.DataFrame({"y": y}), [Regression("y")], **options).splits


def test_a_column_of_groups_with_a_shift_is_proposed(rng):
    school = rng.integers(0, 30, 1500)
    X = pd.DataFrame({"school": school, "town": rng.choice(list("abc"), 1500), "age": rng.integers(8, 18, 1500)})
    (found,) = proposals(X, rng.normal(size=30)[school] + rng.normal(size=1500))
    assert (found["column"], found["n_groups"]) == ("school", 30)
    assert found["groups"][0]["n_rows"] == found["largest"] == X["school"].value_counts().max()
    assert sum(group["labels"]["y"] for group in found["groups"]) == 1500
    shift = found["tasks"]["y"]
    assert shift["low"] < 0.5 < shift["high"] + 0.2
    assert shift["p_adjusted"] >= shift["p_value"]


def test_a_quantity_is_no_label_of_groups(rng):
    rooms = rng.integers(0, 20, 1500)
    X = pd.DataFrame({"rooms": rooms, "other": rng.normal(size=1500)})
    assert proposals(X, rooms + rng.normal(size=1500)) == ()
    assert proposals(X, (rooms - 10.0) ** 2 + rng.normal(size=1500)) == ()


def test_small_groups_are_not_proposed_but_shown_if_given(rng):
    shop = np.arange(300) // 3
    X, y = pd.DataFrame({"a": rng.normal(size=300)}), rng.normal(size=100)[shop] + 0.1 * rng.normal(size=300)
    assert proposals(X.assign(shop=[f"s{i}" for i in shop]), y) == ()
    (found,) = proposals(X, y, group_columns=pd.DataFrame({"shop": shop}))
    assert (found["n_groups"], found["median"], found["n_small"]) == (100, 3, 100)


def test_many_columns_of_noise_propose_nothing(rng):
    X = pd.DataFrame(rng.integers(0, 8, (400, 60)).astype(str))
    assert proposals(X, rng.normal(size=400)) == ()


def test_holm_is_that_of_the_textbook():
    assert holm({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.5}) == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.5})


def test_an_audit_is_plain_json(rng):
    X = pd.DataFrame({"site": rng.choice(list("ab"), 200), "x": rng.normal(size=200)})
    y = pd.DataFrame({"a": rng.normal(size=200) + (X["site"] == "a"), "b": rng.random(200) < 0.5}).astype({"b": object})
    y.loc[:20, "b"] = None
    content = audit(X.assign(leak=y["a"] * 2), y, [Regression("a"), Binary("b")]).to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert (content["format"], content["version"]) == ("polytask.audit", 1)
    assert content["suspects"][0]["column"] == "leak"


def test_rows_are_matched_by_place_and_not_by_index(rng):
    X = pd.DataFrame({"x": rng.normal(size=60)}, index=np.arange(60) % 3)
    shop = pd.DataFrame({"shop": np.arange(60) % 5}, index=np.arange(60) % 7)
    (found,) = proposals(X, (np.arange(60) % 5) + 0.1 * rng.normal(size=60), group_columns=shop)
    assert [group["n_rows"] for group in found["groups"]] == [12] * 5
    assert found["shift"] > 0.9


@pytest.mark.parametrize(
    "column",
    [
        [np.inf, 1.0],
        [["u"], ["v", "w"]],
        [1, "x"],
        [None, None],
        pd.date_range("1890-01-01", periods=2),
        pd.to_timedelta([1, 2], unit="h"),
        pd.array([True, None], dtype="boolean"),
        pd.Categorical(["u", "v"]),
    ],
)
def test_columns_of_any_kind_can_be_looked_at(rng, column):
    X = pd.DataFrame({"a": rng.normal(size=50), "strange": pd.Series(column).take(np.arange(50) % 2).reset_index(drop=True)})
    found = audit(X, pd.DataFrame({"y": rng.normal(size=50)}), [Regression("y")])
    assert found.suspects == ()
    json.dumps(found.to_dict(), allow_nan=False)
