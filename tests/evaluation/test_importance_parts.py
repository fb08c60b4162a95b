"""Who lends to whom, how much a mean over pairs varies, and which columns carry the same."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from scipy.stats.contingency import association as scipy_association

from polytask.data import TableArrays, TableCodec
from polytask.evaluation._columns_alike import alike_groups, associations, cramers_v, rank_correlations
from polytask.evaluation._donated_columns import CodedRows, positions
from polytask.evaluation._donors import donor_rows
from polytask.evaluation._dyadic_variance import Pairs


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_no_row_keeps_its_value_and_every_row_lends_once(n):
    donors, _ = donor_rows(n, 7, rng=np.random.default_rng(n))
    assert (donors != np.arange(n)).all()
    assert (np.sort(donors, axis=1) == np.arange(n)).all()


def test_no_pair_meets_twice_while_there_are_others():
    donors, _ = donor_rows(20, 19, rng=np.random.default_rng(0))
    assert len({(i, j) for own in donors for i, j in enumerate(own)}) == 20 * 19


def test_groups_lend_to_other_groups():
    groups = np.repeat([5, 1, 9, 2], [4, 1, 3, 2])
    donors, is_apart = donor_rows(10, 30, groups=groups, rng=np.random.default_rng(0))
    assert is_apart
    assert (groups[donors] != groups).all()
    _, is_apart = donor_rows(10, 3, groups=np.repeat([0, 1], [6, 4]), rng=np.random.default_rng(0))
    assert not is_apart


def all_pairs(n, units=None):
    receiver, donor = (own.ravel() for own in np.nonzero(~np.eye(n, dtype=bool)))
    units = np.arange(n) if units is None else units
    zero = np.zeros(len(receiver), dtype=int)
    return receiver, donor, Pairs(units[receiver], units[donor], zero, zero)


def test_the_variance_of_a_mean_over_all_pairs_is_that_of_a_u_statistic():
    """With h(i, j) = a_i + b_j the mean over pairs is mean(a) + mean(b), whose variance is var(a + b) / n."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 150))
    receiver, donor, pairs = all_pairs(150)
    values = a[receiver] + b[donor]
    found = pairs.variance((values - values.mean()) / len(values), np.ones(len(values), dtype=bool))
    assert found.rows == pytest.approx(np.var(a + b, ddof=1) / 150, rel=0.04)  # a pair and its mirror: terms of 1 / n
    assert (found.models, found.n_models, found.df) == (0.0, 1, pytest.approx(149))


def test_few_permutations_are_counted():
    """Truth by drawing anew: rows, donors and noise of pairs, four permutations."""
    rng = np.random.default_rng(1)
    n, estimates, variances = 60, [], []
    for _ in range(400):
        a, b = rng.normal(size=(2, n))
        donors, _ = donor_rows(n, 4, rng=rng)
        receiver = np.tile(np.arange(n), 4)
        values = a[receiver] - b[donors.ravel()] + 2 * rng.normal(size=4 * n)
        zero = np.zeros(4 * n, dtype=int)
        pairs = Pairs(receiver, donors.ravel(), zero, zero)
        estimates.append(values.mean())
        variances.append(pairs.variance((values - values.mean()) / len(values), np.ones(4 * n, dtype=bool)).total)
    assert np.mean(variances) == pytest.approx(np.var(estimates), rel=0.2)


def test_models_that_differ_more_than_their_rows_widen_the_interval():
    rng = np.random.default_rng(2)
    own = [donor_rows(50, 3, rng=rng)[0] + 50 * m for m in range(4)]
    receiver = np.concatenate([np.tile(np.arange(50 * m, 50 * m + 50), 3) for m in range(4)])
    donor, model = np.concatenate([d.ravel() for d in own]), np.repeat(np.arange(4), 150)
    pairs = Pairs(receiver, donor, model, np.zeros(600, dtype=int))
    noise, seen = rng.normal(size=600), np.ones(600, dtype=bool)
    alike, apart = (pairs.variance((v - v.mean()) / 600, seen) for v in (noise, noise + np.array([-3.0, -1.0, 1.0, 3.0])[model]))
    assert apart.total == pytest.approx(np.var([-3, -1, 1, 3], ddof=1) / 4, rel=0.2)
    assert apart.df < 10 < alike.df


def test_moving_a_column_moves_all_its_parts_and_nothing_else():
    frame = pd.DataFrame(
        {
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(30) * 40, unit="D"),
            "city": ["Oslo", "Rome", "Bern"] * 10,
            "area": np.arange(30) + 0.5,
        }
    )
    codec = TableCodec.fit(frame)
    donors, _ = donor_rows(30, 3, rng=np.random.default_rng(0))
    seen = []
    rows = CodedRows(lambda arrays: seen.append(arrays) or {"y": arrays.numeric[:, 0]}, codec, codec.transform(frame))
    assert rows.donated(["when", "city"], donors)["y"].shape == (90,)
    moved = pd.concat([frame.assign(**{c: frame[c].to_numpy()[d] for c in ("when", "city")}) for d in donors])
    expected = codec.transform(moved.reset_index(drop=True))
    np.testing.assert_array_equal(seen[0].numeric, expected.numeric)
    np.testing.assert_array_equal(seen[0].categorical, expected.categorical)
    assert positions(codec, ["when"])[0] == list(range(len(codec.numeric_names) - 1))


def test_rank_correlations_are_spearmans():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 3)) @ rng.normal(size=(3, 4))
    np.testing.assert_allclose(rank_correlations(values), np.abs(spearmanr(values).statistic), atol=1e-12)
    values[rng.random(values.shape) < 0.2] = np.nan
    found = rank_correlations(values)
    pairwise = np.abs(spearmanr(values, nan_policy="omit").statistic)  # ranks anew for every pair
    np.testing.assert_allclose(found, np.ma.filled(pairwise, np.nan), atol=0.03)


def test_cramers_v_is_near_the_uncorrected_one_for_many_rows_and_0_for_chance():
    counts = np.array([[900, 100, 50], [80, 700, 300]])
    assert cramers_v(counts) == pytest.approx(scipy_association(counts, method="cramer"), abs=0.005)
    assert cramers_v(np.array([[10, 12], [11, 9]])) == 0.0
    assert cramers_v(np.array([[10, 12]])) == 0.0


def test_columns_of_any_kind_that_carry_the_same_are_found():
    rng = np.random.default_rng(0)
    country = rng.choice(["no", "it", "ch"], 400)
    frame = pd.DataFrame(
        {
            "area": rng.normal(size=400),
            "country": country,
            "code": pd.Series(country).map({"no": "Norway", "it": "Italy", "ch": "Switzerland"}),
            "other": rng.choice(["a", "b"], 400),
        }
    ).assign(area_sqft=lambda f: -10.7 * f["area"])
    codec = TableCodec.fit(frame)
    names, found = associations(codec, codec.transform(frame), rng=rng)
    assert [own for own, _ in alike_groups(names, found)] == [["area", "area_sqft"], ["country", "code"]]
    assert found[names.index("other"), names.index("country")] < 0.2
    assert (found == found.T).all()


def test_a_single_column_is_like_none():
    assert alike_groups(["a"], np.ones((1, 1))) == []
    arrays = TableArrays(np.zeros((0, 0)), np.zeros((0, 0), dtype=int), [])
    assert rank_correlations(arrays.numeric).shape == (0, 0)
