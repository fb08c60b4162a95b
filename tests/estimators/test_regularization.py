"""Penalties in training: linear networks against scikit-learn, columns that survive, stacks, resumed runs, folders."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import ElasticNet as ElasticNetOfSklearn
from sklearn.linear_model import Lasso, MultiTaskLasso

from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator, zero_shares
from polytask.exceptions import OptionError, PolytaskWarning
from polytask.networks import MLP, FTTransformer, Periodic, ResNet, input_columns
from polytask.optim import L1, SGD, AdamW, ElasticNet, GroupLasso, SoftOrthogonality
from polytask.training import EpochRecord
from polytask.training._fit import _score
from tests.estimators._tables import assert_same_outputs, houses, small_network
from tests.estimators.test_twins import prepared, train

LINEAR = {
    "encoder": MLP(n_layers=0),
    "validation": None,
    "optimizer": SGD(learning_rate=0.1),
    "schedule": "constant",
    "weight_decay": 0.0,
    "clip_norm": None,
    "batch_size": 120,
    "max_epochs": 250,
    "random_state": 0,
}


def linear_data(n_tasks, n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8)) @ (np.eye(8) + 0.2 * rng.normal(size=(8, 8)))
    coefficients = rng.normal(size=(8, n_tasks)) * (rng.random(8) < 0.4)[:, None]
    return X, X @ coefficients + 0.5 * rng.normal(size=(n, n_tasks))


def standardized(values):
    return (values - values.mean(0)) / values.std(0)


def coefficients(model):
    return torch.cat([head.linear.weight for head in model.network_.module.heads]).detach().numpy()


def test_l1_of_a_linear_network_is_the_lasso():
    """Squared losses over their variance: half the strength is the alpha of scikit-learn, which halves the squares."""
    X, y = linear_data(1)
    model = MultiTaskNetwork(regularization=L1(0.2, on="heads"), **LINEAR).fit(X, y)
    theirs = Lasso(alpha=0.1, tol=1e-9, max_iter=10_000).fit(standardized(X), standardized(y).ravel()).coef_
    np.testing.assert_allclose(coefficients(model)[0], theirs, atol=2e-4)
    np.testing.assert_array_equal(coefficients(model)[0] == 0, theirs == 0)  # exact zeros, the same ones
    assert 0 < (theirs == 0).sum() < 8
    assert model.network_.kept_columns == [f"x{k}" for k in np.flatnonzero(theirs)]


def test_elastic_net_of_a_linear_network_is_that_of_scikit_learn():
    X, y = linear_data(1, seed=1)
    model = MultiTaskNetwork(regularization=ElasticNet(0.3, l1_ratio=0.6, on="heads"), **LINEAR).fit(X, y)
    theirs = ElasticNetOfSklearn(alpha=0.15, l1_ratio=0.6, tol=1e-9).fit(standardized(X), standardized(y).ravel()).coef_
    np.testing.assert_allclose(coefficients(model)[0], theirs, atol=2e-4)
    np.testing.assert_array_equal(coefficients(model)[0] == 0, theirs == 0)


def test_group_lasso_of_a_linear_network_is_the_multi_task_lasso():
    """The loss is the mean over three tasks, the sum of scikit-learn is over them."""
    X, y = linear_data(3, seed=2)
    model = MultiTaskNetwork(regularization=GroupLasso(0.15), **LINEAR).fit(X, y)
    theirs = MultiTaskLasso(alpha=0.15 * 3 / 2, tol=1e-9, max_iter=10_000).fit(standardized(X), standardized(y)).coef_
    np.testing.assert_allclose(coefficients(model), theirs, atol=3e-4)
    kept = np.flatnonzero((theirs != 0).any(0))
    assert 0 < len(kept) < 8
    assert model.network_.kept_columns == [f"x{k}" for k in kept]


def test_columns_of_noise_are_dropped_by_a_hidden_layer_and_predictions_ignore_them():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"area": rng.normal(size=300), "noise": rng.normal(size=300), "city": rng.choice(["a", "b", "c"], 300)})
    X["late"] = rng.normal(size=300)
    y = pd.DataFrame({"price": X["area"] + (X["city"] == "a"), "sold": (X["area"] + rng.normal(size=300) > 0).astype(float)})
    settings = {"max_epochs": 60, "random_state": 0, "encoder": MLP(width=16, dropout=0.0), "optimizer": SGD(learning_rate=0.1)}
    model = MultiTaskNetwork(regularization=GroupLasso(0.1), **settings).fit(X, y)
    assert model.network_.kept_columns == ["area", "city"]
    other = X.assign(noise=99.0, late=-X["late"])
    assert_same_outputs(model.outputs(X), model.outputs(other))
    assert MultiTaskNetwork(**settings).fit(X, y).network_.kept_columns is None


@pytest.mark.parametrize("penalty", [L1(0.1, on="all"), GroupLasso(0.5), SoftOrthogonality(0.1)], ids=repr)
def test_a_stack_gives_what_each_network_gives_alone(penalty):
    X, y = houses(60)
    model, table, labels, weight = prepared(
        X, y, ["price", "sold"], encoder=MLP(width=16, dropout=0.0), regularization=penalty, max_epochs=2
    )
    masks = [np.array([True, True]), np.array([True, False])]
    stacked = train(model, table, labels, weight, masks, [1, 2])
    for mask, seed, both in zip(masks, [1, 2], stacked, strict=True):
        (alone,) = train(model, table, labels, weight, [mask], [seed])
        for name, p in alone.module.named_parameters():
            if not (mask.sum() == 1 and name.startswith("heads.1")):  # the head of a hidden task: not in the network alone
                torch.testing.assert_close(p, dict(both.module.named_parameters())[name], rtol=1e-3, atol=1e-4)


def test_penalties_survive_a_folder_with_their_columns(tmp_path):
    X, y = houses(80)
    penalties = [GroupLasso(0.1), L1(0.05, on="heads")]
    model = small_network(["price"], regularization=penalties, max_epochs=10, learning_rate=0.02).fit(X, y)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert loaded.regularization == penalties
    assert loaded.network_.kept_columns == model.network_.kept_columns
    assert_same_outputs(model.outputs(X), loaded.outputs(X))


ENCODERS = [MLP(width=16), ResNet(width=16), MLP(width=16, embedding=Periodic(width=3)), MLP(n_layers=0)]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("sharing", ["hard", "mmoe:tower_width=16", "none", "mtan", "tabm:k=2", "adapters:width=8"])
def test_weights_that_read_a_column_are_found_by_what_they_shut_out(encoder, sharing):
    X, y = houses(60)
    if sharing == "mtan" and encoder.get_params().get("n_layers") == 0:
        with pytest.raises(OptionError, match="this one has no layer"):
            small_network(["price", "sold"], encoder=encoder, sharing=sharing, max_epochs=1).fit(X, y)
        return
    X["street"] = [f"s{k % 15}" for k in range(60)]  # embedded
    model = small_network(["price", "sold"], encoder=encoder, sharing=sharing, max_epochs=1).fit(X, y)
    module = model.network_.module
    numeric, codes = torch.zeros(1, 2, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.long)
    columns = input_columns(module, module.prepare(numeric, codes))
    own = dict(module.named_parameters())
    with torch.no_grad():
        for name, column_of in columns.items():
            own[name][..., column_of != 0] = 0.0  # only `area` is read
    plain = model.outputs(X)
    assert_same_outputs(plain, model.outputs(X.assign(age=np.nan, city=None, street="s1")))
    assert not np.array_equal(plain["price"], model.outputs(X.assign(area=1.0))["price"])


def test_group_lasso_is_refused_where_other_layers_read_the_inputs():
    X, y = houses(60)
    with pytest.raises(OptionError, match="no group of weights shuts a column out"):
        small_network(["price"], encoder=FTTransformer(width=8, n_blocks=1), regularization=GroupLasso()).fit(X, y)


def test_averages_and_exact_zeros_exclude_each_other():
    X, y = houses(60)
    with pytest.raises(OptionError, match="means of weights are not 0"):
        small_network(["price"], ema=0.9, regularization="l1").fit(X, y)


@pytest.mark.parametrize("penalty", [L1(0.2, on="heads"), ElasticNet(0.2, l1_ratio=0.6, on="heads"), GroupLasso(0.15)], ids=repr)
def test_strengths_mean_the_same_after_adamw_whose_steps_adapt(penalty):
    """Mean over tasks: the strength is twice the alpha of scikit-learn, divided by the number of tasks."""
    X, y = linear_data(3, seed=2)
    settings = LINEAR | {"optimizer": None, "learning_rate": 0.02, "schedule": "cosine", "max_epochs": 400}
    model = MultiTaskNetwork(regularization=penalty, **settings).fit(X, y)
    own, alpha = {"tol": 1e-9, "max_iter": 10_000}, penalty.strength * 3 / 2
    if not isinstance(penalty, GroupLasso):
        ratio = getattr(penalty, "l1_ratio", 1.0)
        alone = ElasticNetOfSklearn(alpha=alpha, l1_ratio=ratio, **own)
        theirs = np.stack([alone.fit(standardized(X), t).coef_ for t in standardized(y).T])
    else:
        theirs = MultiTaskLasso(alpha=alpha, **own).fit(standardized(X), standardized(y)).coef_
    np.testing.assert_allclose(coefficients(model), theirs, atol=2e-3)
    np.testing.assert_array_equal(coefficients(model) == 0, theirs == 0)


def columns_of_noise(n=240):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 12)), columns=[f"c{k}" for k in range(12)])
    effects = [1.0, 0.6, 0.4, 0.25, 0.15]
    y = pd.DataFrame({"a": X.iloc[:, :5] @ effects, "b": X.iloc[:, :5] @ effects[::-1]}) + 0.5 * rng.normal(size=(n, 2))
    return X, y


@pytest.mark.filterwarnings("ignore:The network reads no input column")
@pytest.mark.parametrize("optimizer", [None, "sgd:learning_rate=0.05"])
def test_more_strength_keeps_fewer_columns_since_epochs_are_compared_by_what_is_minimized(optimizer):
    """By validation skill alone SGD kept 6 columns with strength 0.1, and all 12 with 0.3, those of the first epoch."""
    X, y = columns_of_noise()
    n_kept = []
    for strength in (0.01, 0.1, 0.3):
        settings = {"encoder": MLP(width=16), "optimizer": optimizer or AdamW(learning_rate=0.005)}
        settings |= {"max_epochs": 40, "random_state": 0}
        model = MultiTaskNetwork(regularization=GroupLasso(strength), **settings).fit(X, y)
        network = model.network_
        n_kept.append(len(network.kept_columns))
        assert model.optimistic_skill_ == pytest.approx(float(network.curves["skill"][network.best_epoch - 1].mean()))
        if strength == 0.1:
            assert set(X.columns[:5]) <= set(network.kept_columns)
    assert n_kept[0] > n_kept[1] > n_kept[2]


def test_an_epoch_is_scored_by_skill_less_the_penalty_also_in_a_stack():
    skill = torch.tensor([0.5, 0.4, torch.nan], dtype=torch.float64)
    record = EpochRecord(3, 10, 30, torch.zeros(3, 1), skill[:, None], skill)
    assert _score(record, torch.tensor([0.25, 1.0]), torch.tensor([0, 2])).tolist() == [0.25, 0.4, 3.0]
    assert _score(record, None, None).tolist() == [0.5, 0.4, 3.0]


def test_a_network_that_reads_no_column_is_told():
    X, y = houses(60)
    with pytest.warns(PolytaskWarning, match=r"reads no input column .* smaller `strength`"):
        model = small_network(["price"], regularization=GroupLasso(10.0), max_epochs=30).fit(X, y)
    assert model.network_.kept_columns == []


@pytest.mark.parametrize("penalty", [L1(0.1, on="sharing"), SoftOrthogonality(0.1, on="sharing")], ids=repr)
def test_a_penalty_of_a_part_without_weights_is_refused(penalty):
    X, y = houses(60)
    with pytest.raises(OptionError, match=r"`on='sharing'` of .* reaches no weight"):
        small_network(["price"], regularization=penalty).fit(X, y)
    small_network(["price"], sharing="hard:tower_width=4", regularization=penalty, max_epochs=1).fit(X, y)


def test_default_strengths_make_zeros_with_the_default_optimizer():
    X, y = columns_of_noise()
    for name in ("l1", "elastic_net"):
        network = MultiTaskNetwork(regularization=name, max_epochs=20, random_state=0).fit(X, y).network_
        assert 0.05 < zero_shares(network)["encoder"] < 0.9, name
    network = MultiTaskNetwork(encoder=MLP(width=16), regularization="group_lasso", random_state=0).fit(X, y).network_
    assert 5 <= len(network.kept_columns) < 12
