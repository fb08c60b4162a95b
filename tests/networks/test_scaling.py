"""Scaling inside the network, against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from polytask.exceptions import OptionError
from polytask.networks.encoders import NumericScaling, TableInputs, TableShape
from polytask.networks.encoders._scaling import _quantiles, _to_normal

NAN = float("nan")


def columns_of(*columns):
    return torch.tensor(np.stack(columns, axis=1), dtype=torch.float64)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    numbers = np.stack(
        [
            rng.normal(5, 3, size=300),
            rng.exponential(size=300),
            rng.integers(0, 4, size=300).astype(float),  # ties
            np.round(rng.normal(size=300), 1) * 1e6,
        ],
        axis=1,
    )
    numbers[rng.uniform(size=numbers.shape) < 0.1] = np.nan
    return numbers


def scaled(numbers, scaling, *, fitted_on=None, **options):
    module = NumericScaling(numbers.shape[1], scaling=scaling, **options)
    module.fit(torch.as_tensor(numbers if fitted_on is None else fitted_on))
    return module(torch.as_tensor(numbers)).numpy()


def test_standard_is_that_of_scikit_learn(table):
    expected = np.nan_to_num(StandardScaler().fit_transform(table))
    np.testing.assert_allclose(scaled(table, "standard"), expected, rtol=1e-6, atol=1e-6)


def test_standard_uses_the_training_rows_only(table):
    expected = np.nan_to_num(StandardScaler().fit(table[:50]).transform(table)).clip(-10, 10)
    np.testing.assert_allclose(scaled(table, "standard", fitted_on=table[:50]), expected, rtol=1e-5, atol=1e-6)


def test_quantiles_are_those_of_numpy_on_the_observed_numbers(table):
    levels = torch.linspace(0, 1, 11, dtype=torch.float64)
    expected = np.nanquantile(table, levels.numpy(), axis=0)
    np.testing.assert_allclose(_quantiles(torch.as_tensor(table), levels).numpy(), expected, rtol=1e-12)


def test_quantile_is_the_normal_transform_of_scikit_learn(table):
    """Both give a tie the middle of its range. At the ends scikit-learn takes 0 and 1 even for ties; we clip at half a step."""
    transformer = QuantileTransformer(n_quantiles=101, subsample=None).fit(table)
    expected = norm.ppf(transformer.transform(table))
    module = NumericScaling(4, scaling="quantile")
    module.fit(torch.as_tensor(table))
    found = _to_normal(torch.as_tensor(table), module.quantiles).numpy()
    inside = (
        (table > np.nanmin(table, axis=0)) & (table < np.nanmax(table, axis=0)) & (np.abs(expected) < norm.ppf(1 - 0.5 / 101))
    )
    assert inside.mean() > 0.7
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(table))


def test_quantile_scores_are_standardised(table):
    out = scaled(table[:, :2], "quantile")
    seen = ~np.isnan(table[:, :2])
    for k in range(2):
        assert out[seen[:, k], k].mean() == pytest.approx(0, abs=1e-6)
        assert out[seen[:, k], k].std() == pytest.approx(1, abs=1e-6)


def test_equal_numbers_get_one_value_in_the_middle_of_their_range():
    numbers = columns_of([0.0] * 40 + [1.0] * 20 + [2.0] * 40)
    module = NumericScaling(1, scaling="quantile")
    module.fit(numbers)
    low, middle, high = module(torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)).ravel().tolist()
    assert middle == pytest.approx(0, abs=1e-6)
    assert low == pytest.approx(-high)


def test_robust_has_median_zero_and_the_middle_half_one_wide(table):
    module = NumericScaling(4, scaling="robust")
    module.fit(torch.as_tensor(table))
    median = np.nanmedian(table, axis=0)
    np.testing.assert_allclose(module.center.numpy(), median)
    low, high = np.nanquantile(table, [0.25, 0.75], axis=0)
    np.testing.assert_allclose(module.scale.numpy()[[0, 1, 3]], (high - low)[[0, 1, 3]])
    raw = (table - median) / module.scale.numpy()
    np.testing.assert_allclose(scaled(table, "robust"), np.nan_to_num(raw / np.sqrt(1 + (raw / 3) ** 2)), rtol=1e-5, atol=1e-6)


def test_robust_pulls_far_values_to_three_at_most():
    numbers = columns_of(np.arange(100.0))
    module = NumericScaling(1, scaling="robust")
    module.fit(numbers)
    far = module(torch.tensor([[1e9], [-1e9], [1e300]], dtype=torch.float64)).ravel()
    assert far.abs().max() <= 3
    assert far[0] == pytest.approx(3, abs=1e-6)


def test_robust_with_more_than_half_equal_uses_half_the_range():
    module = NumericScaling(1, scaling="robust")
    module.fit(columns_of([0.0] * 80 + [5.0] * 20))
    assert module.scale.item() == 2.5


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_missing_numbers_become_zero(scaling):
    out = scaled(np.array([[1.0], [np.nan], [3.0], [8.0]]), scaling)
    assert out[1] == 0
    assert np.isfinite(out).all()


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
@pytest.mark.parametrize("column", [[5.0] * 6, [NAN] * 6, [NAN] * 5 + [2.0]])
def test_columns_without_spread_stay_finite(scaling, column):
    module = NumericScaling(1, scaling=scaling)
    module.fit(columns_of(column))
    out = module(columns_of([5.0, NAN, 1e6, -1e6]))
    assert out.isfinite().all()
    assert out.abs().max() <= 10


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_scaling_keeps_the_order(table, scaling):
    module = NumericScaling(1, scaling=scaling)
    module.fit(torch.as_tensor(table[:, :1]))
    out = module(torch.linspace(-5, 15, 200, dtype=torch.float64)[:, None]).ravel()
    assert (out.diff() >= 0).all()


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_statistics_are_in_the_state_dict_and_outputs_float32(table, scaling):
    first, second = (NumericScaling(4, scaling=scaling) for _ in range(2))
    first.fit(torch.as_tensor(table))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(torch.as_tensor(table)), second(torch.as_tensor(table)))
    assert first(torch.as_tensor(table)).dtype == torch.float32
    assert list(first.parameters()) == []


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_no_columns_and_no_rows_are_allowed(scaling):
    module = NumericScaling(0, scaling=scaling)
    module.fit(torch.zeros(3, 0, dtype=torch.float64))
    assert module(torch.zeros(3, 0, dtype=torch.float64)).shape == (3, 0)
    one = NumericScaling(1, scaling=scaling)
    one.fit(columns_of([1.0, 2.0]))
    assert one(torch.zeros(0, 1, dtype=torch.float64)).shape == (0, 1)


def test_large_offsets_keep_their_digits():
    """Seconds since 1970 differ in their last digits: float32 would lose them before scaling."""
    numbers = 1.7e9 + np.arange(100.0)[:, None]
    out = scaled(numbers, "standard")
    assert len(np.unique(out)) == 100


def test_an_unknown_scaling_is_told():
    with pytest.raises(OptionError, match="`numeric` must be 'robust', 'standard' or 'quantile'; got 'minmax'"):
        NumericScaling(2, scaling="minmax")


@pytest.mark.parametrize("scaling", ["standard", "quantile", "robust"])
def test_work_in_pieces_gives_the_same(scaling, monkeypatch):
    numbers = torch.randn(50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    numbers[::5, 2] = torch.nan
    whole = NumericScaling(7, scaling=scaling)
    whole.fit(numbers)
    monkeypatch.setattr("polytask.networks.encoders._scaling._HELD", 100)
    pieces = NumericScaling(7, scaling=scaling)
    pieces.fit(numbers)
    for name, values in whole.named_buffers():
        torch.testing.assert_close(dict(pieces.named_buffers())[name], values, rtol=1e-12, atol=1e-12)


def test_rows_prepared_in_pieces_are_the_same(monkeypatch):
    shape = TableShape(3, with_missing=(1,), cardinalities=(4, 30), vocabularies=(9,))
    inputs = TableInputs(shape)
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(40, 3, dtype=torch.float64, generator=generator)
    codes = torch.randint(0, 4, (40, 2), generator=generator)
    words, counts = torch.randint(0, 9, (40, 5), generator=generator), torch.ones(40, 5)
    inputs.fit_statistics(numbers, words, counts)
    whole = inputs.prepare(numbers, codes, words, counts)
    monkeypatch.setattr("polytask.networks.encoders._table_inputs._HELD", 7 * inputs.n_dense)
    for left, right in zip(inputs.prepare(numbers, codes, words, counts), whole, strict=True):
        torch.testing.assert_close(left, right)
