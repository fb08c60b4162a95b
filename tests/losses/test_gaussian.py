"""The normal likelihood with a variance for every row: its formula, its tasks, and networks that find the variance."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm

from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator, standard_deviations
from polytask.exceptions import OptionError
from polytask.losses import Gaussian, gaussian_of_members, gaussian_per_label
from polytask.networks import MLP
from polytask.tasks import Binary, Regression


def test_is_the_density_of_scipy_but_for_a_constant():
    raw = torch.randn(9, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.randn(9, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    deviation = np.exp(10 * np.tanh(raw[:, 1].numpy() / 10) / 2)
    expected = -norm(raw[:, 0], deviation).logpdf(target[:, 0]) - np.log(2 * np.pi) / 2
    np.testing.assert_allclose(gaussian_per_label(raw, target)[:, 0], expected)


def test_the_loss_of_the_constant_is_a_half_so_that_the_mean_is_pulled_as_by_squared_error():
    y = pd.DataFrame({"price": np.random.default_rng(0).normal(50, 7, size=500)})
    task = Regression("price", loss="gaussian").fit(y)
    task = task.with_statistics(task.encode(y), np.ones((500, 1)))
    target = torch.tensor(task.training_target(task.encode(y)))
    raw = torch.tensor(task.constant_raw()).expand(500, 2).clone().requires_grad_()
    loss = task.label_losses(raw, target).mean()
    assert loss.item() == pytest.approx(0.5)
    (slope,) = torch.autograd.grad(loss / 0.5, raw)
    torch.testing.assert_close(slope[:, :1], -2 * target / 500)  # that of the squared error, divided by its constant, 1


def test_a_task_of_another_loss_has_no_deviation():
    y = pd.DataFrame({"price": [1.0, 2.0, 4.0]})
    task = Regression("price").fit(y)
    with pytest.raises(OptionError, match=r"its loss is 'mse'\. Declare it with loss='gaussian'"):
        task.standard_deviation(torch.zeros(3, 2))


def test_networks_find_where_labels_spread_and_predict_better_densities(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(1600, 3)), columns=list("abc"))
    deviation = 10 * np.exp(X["b"])
    y = pd.DataFrame({"price": 100 + 20 * X["a"] + deviation * rng.normal(size=1600), "up": (X["c"] > 0).astype(int)})
    y.loc[:100, "price"] = np.nan
    train, test = slice(0, 1200), slice(1200, None)
    settings = {
        "max_epochs": 15,
        "patience": None,
        "learning_rate": 0.01,
        "encoder": MLP(width=16, dropout=0.0),
        "random_state": 0,
    }
    model = MultiTaskNetwork([Regression("price", loss=Gaussian()), Binary("up")], **settings).fit(X[train], y[train])
    plain = MultiTaskNetwork([Regression("price"), Binary("up")], **settings).fit(X[train], y[train])
    found = standard_deviations(model, X[test])
    assert list(found) == ["price"]
    own, means = found["price"].to_numpy(), model.predict(X[test])["price"].to_numpy()
    assert np.corrcoef(np.log(own), X["b"][test])[0, 1] > 0.9
    true = y["price"][test]
    residual = (y["price"] - plain.predict(X)["price"])[train].std()
    told = norm(means, own).logpdf(true).mean()
    assert told > norm(plain.predict(X[test])["price"], residual).logpdf(true).mean() + 0.2
    assert 0.85 < (np.abs(true - means) < 1.96 * own).mean() <= 1.0
    assert np.isfinite(model.score(X[test], y[test]))
    save_estimator(model, tmp_path / "model")
    pd.testing.assert_frame_equal(standard_deviations(load_estimator(tmp_path / "model"), X[test]), found)
    with pytest.raises(OptionError, match="No task of this network"):
        standard_deviations(plain, X[test])


def test_deviations_are_stretched_to_the_likeliest_factor_by_the_labels_that_are_there():
    rng = np.random.default_rng(0)
    y = pd.DataFrame({"price": rng.normal(50, 7, size=200)})
    task = Regression("price", loss="gaussian").fit(y)
    task = task.with_statistics(task.encode(y), np.ones((200, 1)))
    raw, weight = rng.normal(size=(200, 2)), rng.integers(0, 3, size=(200, 1)).astype(float)
    target = raw[:, :1] + 3 * np.exp(raw[:, 1:] / 2) * rng.normal(size=(200, 1))
    stretched = task.calibrated(raw, np.where(weight > 0, target, np.nan), weight)
    factor = stretched.statistics["calibration"]
    factors = np.linspace(2, 4, 2001)
    deviation = np.exp(5 * np.tanh(raw[:, 1] / 10))
    likelihood = [np.average(norm.logpdf(target[:, 0], raw[:, 0], own * deviation), weights=weight[:, 0]) for own in factors]
    assert factor == pytest.approx(factors[np.argmax(likelihood)], abs=0.001)
    wide, narrow = (own.standard_deviation(torch.as_tensor(raw)) for own in (stretched, task))
    torch.testing.assert_close(wide, factor * narrow)
    assert task.calibrated(raw, target, 0 * weight) is task  # nothing to go by
    plain = Regression("price").fit(y)
    assert plain.calibrated(raw[:, :1], target, weight) is plain


def test_labels_that_stop_training_stretch_deviations_of_a_network_that_learns_its_rows_by_heart():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 8))).rename(columns=str)
    y = pd.DataFrame({"price": X["0"] + rng.normal(size=400)})
    model = MultiTaskNetwork(
        Regression("price", loss="gaussian"), encoder=MLP(width=64, dropout=0.0), max_epochs=60, patience=None, random_state=0
    ).fit(X[:120], y[:120])
    (task,) = model.tasks_
    assert task.statistics["calibration"] > 1.1
    error = (y["price"] - model.predict(X)["price"])[120:] / standard_deviations(model, X)["price"][120:]
    assert (error**2).mean() < 2


def test_deviations_of_an_ensemble_in_one_network_are_right_on_the_rows_that_stopped_training():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    y = pd.DataFrame({"price": X["a"] * X["b"] + 0.02 * rng.normal(size=200)})
    model = MultiTaskNetwork(Regression("price", loss="gaussian"), sharing="tabm:k=4", max_epochs=30, random_state=0).fit(X, y)
    rows = model.validation_rows_
    error = ((y["price"] - model.predict(X)["price"]) / standard_deviations(model, X)["price"]).to_numpy()[rows]
    assert np.mean(error**2) == pytest.approx(1.0, abs=1e-3)


def test_members_become_the_normal_distribution_with_the_moments_of_their_mixture():
    raw = torch.randn(5, 7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, deviation = gaussian_of_members(raw).numpy(), np.exp(5 * np.tanh(raw[..., 1].numpy() / 10))
    second = (deviation**2 + raw[..., 0].numpy() ** 2).mean(0)
    np.testing.assert_allclose(found[:, 0], raw[..., 0].mean(0).numpy())
    np.testing.assert_allclose(np.exp(10 * np.tanh(found[:, 1] / 10)), second - found[:, 0] ** 2)
