"""Free text, lists and very many categories, from the table to the model folder."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from polytask.estimators import BestPerTask, MultiTaskNetwork, PerTaskEstimator, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import MLP, recipe_of
from tests.estimators._reviews import reviews
from tests.estimators._tables import assert_same_outputs

MODELS = {
    "network": MultiTaskNetwork(encoder=MLP(width=32), max_epochs=25, random_state=0),
    "alone": PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()}),
    "best": BestPerTask(
        {
            "network": MultiTaskNetwork(encoder=MLP(width=16), max_epochs=5, random_state=0),
            "linear": {"regressor": Ridge(), "classifier": LogisticRegression()},
        },
        random_state=0,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_text_lists_and_many_categories_are_learned_and_saved(name, tmp_path):
    X, y = reviews()
    model = MODELS[name].fit(X[:300], y[:300])
    assert [info.kind for info in model.codec_.columns] == ["text", "list", "categorical"]
    outputs = model.outputs(X[300:])
    assert np.mean((outputs["liked"][:, 1] > 0.5) == y["liked"][300:]) > 0.8
    assert model.score(X[300:], y[300:]) > 0.3
    save_estimator(model, tmp_path / "model")
    assert_same_outputs(load_estimator(tmp_path / "model").outputs(X[300:]), outputs)


@pytest.mark.parametrize("name", ["network", "alone"])
def test_a_row_does_not_depend_on_its_neighbours(name):
    X, y = reviews(n=200)
    model = MODELS[name].fit(X, y)
    whole, single = model.outputs(X), model.outputs(X.iloc[[17]])
    atol = 0.0 if name == "network" else 1e-6  # matrix products of scikit-learn round by the size of the batch
    for task, values in whole.items():
        np.testing.assert_allclose(single[task][0], values[17], rtol=0, atol=atol)


def test_a_user_s_own_encoder_goes_on_working_without_text():
    X, y = reviews(n=100)
    encoder = recipe_of(_Numbers)
    model = MultiTaskNetwork(encoder=encoder, max_epochs=2, random_state=0).fit(X[["tags", "user"]], y)
    assert len(model.predict(X[["tags", "user"]])) == 100
    with pytest.raises(OptionError, match=r"encoder _Numbers cannot read the text column of the table.*\*tokens\)"):
        MultiTaskNetwork(encoder=encoder, max_epochs=2, random_state=0).fit(X, y)


class _Numbers(torch.nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.out_features = shape.n_numeric

    def prepare(self, numeric, categorical):
        return (numeric.nan_to_num().float(),)

    def forward(self, numbers):
        return numbers


@pytest.mark.parametrize(
    "make", [lambda X: X.to_dict("list"), lambda X: X.to_dict("records"), pa.Table.from_pandas, pl.from_pandas]
)
def test_tables_of_every_kind_with_text_and_lists_give_the_same(make):
    X, y = reviews(n=120)
    model = MODELS["alone"].fit(X, y)
    outputs = model.outputs(make(X))
    assert_same_outputs(outputs, model.outputs(X))
    assert_same_outputs(MODELS["alone"].fit(make(X), y).outputs(X), outputs)
