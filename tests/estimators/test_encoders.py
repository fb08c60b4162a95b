"""Encoders and embeddings inside the estimator: fit, predict, save, twins, text and missing values."""

import numpy as np
import pandas as pd
import pytest

from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.networks import MLP, FTTransformer, Periodic, PiecewiseLinear, ResNet

ENCODERS = [
    ResNet(n_blocks=1, width=24),
    ResNet(n_blocks=1, width=24, embedding=PiecewiseLinear(width=4, n_bins=8), numeric="quantile"),
    MLP(n_layers=1, width=24, embedding=Periodic(width=4, n_frequencies=8)),
    FTTransformer(n_blocks=1, width=16, n_heads=2, embedding=Periodic(width=4, n_frequencies=8)),
]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 300
    x = rng.uniform(-2, 2, size=n)
    X = pd.DataFrame({"x": x, "z": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)), "city": rng.choice(list("abc"), n)})
    X["note"] = [
        f"a long note number {k % 60} about {'good' if v > 0 else 'bad'} things of the {k}th day" for k, v in enumerate(x)
    ]
    y = pd.DataFrame({"wave": np.sin(4 * x) + 0.1 * rng.normal(size=n), "high": (x > 0.5).astype(int)})
    y.loc[::9, "wave"] = np.nan
    return X, y


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_a_network_of_any_encoder_learns_saves_and_loads(encoder, table, tmp_path):
    X, y = table
    model = MultiTaskNetwork(encoder=encoder, max_epochs=60, learning_rate=5e-3, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.4
    save_estimator(model, tmp_path / "model")
    again = load_estimator(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict(X), model.predict(X))
    assert repr(again.encoder) == repr(encoder)
    one = model.predict(X.iloc[[7]])
    pd.testing.assert_frame_equal(one, model.predict(X).iloc[[7]])


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_numbers_beyond_the_training_rows_and_missing_ones_are_predicted(encoder, table):
    X, y = table
    model = MultiTaskNetwork(encoder=encoder, max_epochs=3, random_state=0).fit(X, y)
    strange = pd.DataFrame({"x": [1e9, None, -1e9], "z": [None, 0.0, 1e300], "city": ["a", "new", None], "note": ["", None, "?"]})
    assert np.isfinite(model.predict(strange)["wave"]).all()


def test_a_fit_with_an_embedding_is_reproducible(table):
    X, y = table
    encoder = ResNet(n_blocks=1, width=16, embedding=PiecewiseLinear(width=3))
    first, second = (MultiTaskNetwork(encoder=encoder, max_epochs=4, random_state=3).fit(X, y).predict(X) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
