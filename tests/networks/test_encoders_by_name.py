"""Encoders and embeddings by text."""

import numpy as np
import pytest
from sklearn.base import clone
from torch import nn

from polytask.automatic import MultiTaskPredictor
from polytask.automatic._study_run import study_network, study_of
from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import (
    MLP,
    FTTransformer,
    Periodic,
    PiecewiseLinear,
    ResNet,
    embedding_of,
    embedding_text,
    encoder_of,
    encoder_text,
    recipe_of,
)

ROWS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = ROWS[:, :2] + 0.1


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("mlp", MLP()),
        ("mlp:n_layers=0", MLP(n_layers=0)),
        ("MLP:width=64, dropout=0.3", MLP(width=64, dropout=0.3)),
        (
            "mlp:embedding='periodic:width=4,lite=true',activation=tanh",
            MLP(embedding=Periodic(width=4, lite=True), activation="tanh"),
        ),
        ("mlp:embedding=plain", MLP()),
        ("resnet:numeric=robust", ResNet(numeric="robust")),
        ("ft_transformer:width=126,n_heads=3", FTTransformer(width=126, n_heads=3)),
    ],
)
def test_a_text_is_a_recipe(text, recipe):
    assert repr(encoder_of(text)) == repr(recipe)
    assert repr(encoder_of(recipe)) == repr(recipe)


def test_recipes_are_texts():
    assert encoder_text(ResNet(width=8, embedding=Periodic())) == "resnet:width=8"
    assert encoder_text(recipe_of(nn.Identity)) is None
    assert embedding_text(PiecewiseLinear(n_bins=4)) == "piecewise:n_bins=4"
    assert repr(embedding_of("piecewise:n_bins=4")) == repr(PiecewiseLinear(n_bins=4))
    assert embedding_of(" Plain") is None  # capitals and spaces as of other names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mpl", r"`encoder` must be an encoder; got 'mpl'. Did you mean 'mlp'\?"),
        ("mlp:layers=1", r"MLP in `encoder` has no setting 'layers'. Did you mean 'n_layers'\?"),
        ("mlp:n_layers=1.5", "'n_layers' of MLP in `encoder` must be a whole number; got 1.5"),
        ("mlp:width", "must be name=value; got 'width'. Write such as 'mlp:width=64'"),
        ("mlp:n_layers=-1", "`n_layers` of MLP must be an integer >= 0; got -1"),
        ("ft_transformer:width=9", "`width` of FTTransformer must be a multiple of `n_heads`; got 9 and 8"),
        ("mlp:embedding=sines", "'embedding' in `encoder` must be plain or an embedding of numbers; got 'sines'"),
        (MLP, r"`encoder` must be a recipe, such as MLP\(\), or a name, such as 'mlp:width=64'; got <class"),
        (3, "such as 'mlp:width=64'; got 3. A module class of your own becomes one by `recipe_of"),
    ],
)
def test_what_is_no_encoder_is_told(given, message):
    with pytest.raises(OptionError, match=message):
        encoder_of(given)


def test_a_network_takes_an_encoder_by_name(tmp_path):
    settings = {"max_epochs": 2, "random_state": 0}
    by_name = clone(MultiTaskNetwork(encoder="mlp:width=8,n_layers=1", **settings)).fit(ROWS, LABELS)
    by_recipe = MultiTaskNetwork(encoder=MLP(width=8, n_layers=1), **settings).fit(ROWS, LABELS)
    np.testing.assert_array_equal(by_name.predict(ROWS), by_recipe.predict(ROWS))
    save_estimator(by_name, tmp_path / "m")
    again = load_estimator(tmp_path / "m")
    assert repr(again.encoder) == "MLP(n_layers=1, width=8)"
    np.testing.assert_array_equal(by_name.predict(ROWS), again.predict(ROWS))
    with pytest.raises(OptionError, match="`encoder` of MultiTaskNetwork must be an encoder; got 'cnn'"):
        MultiTaskNetwork(encoder="cnn", **settings).fit(ROWS, LABELS)


def test_searches_reach_the_settings_of_a_name():
    network = MultiTaskNetwork(encoder="mlp:width=8", sharing="mmoe:n_experts=3")
    network.set_params(encoder__dropout=0.3, sharing__width=4)
    assert repr(network.encoder) == "MLP(dropout=0.3, width=8)"
    assert (network.sharing.n_experts, network.sharing.width) == (3, 4)


def test_a_study_tells_an_encoder_of_settings():
    network = MultiTaskNetwork(encoder="resnet:width=16,embedding='periodic:width=4,lite=true'", max_steps=2)
    study = study_of(MultiTaskPredictor(["a", "b"], network=network))
    assert (study.encoder, study.numbers) == ("resnet:width=16", "periodic:lite=True,width=4")
    assert repr(study_network(study).encoder) == repr(encoder_of(network.encoder))
