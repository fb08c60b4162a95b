"""Free text, lists and very many categories, from the table to the model folder."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from polytask.estimators import BestPerTask, MultiTaskNetwork, PerTaskEstimator, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import MLP, recipe_of
from tests.estimators._tables import assert_same_outputs

FILL = [f"filler{k}" for k in range(150)]
GOOD, BAD = ["good", "great", "lovely"], ["bad", "awful", "broken"]


def reviews(n=400, seed=0):
    """A text that tells ``liked``, lists that tell ``price``, a user whose mean is part of ``price``; some of all missing."""
    rng = np.random.default_rng(seed)
    liked = rng.integers(0, 2, n)
    texts = [" ".join(rng.permutation([*rng.choice(FILL, 8), *rng.choice(GOOD if k else BAD, 2)])) for k in liked]
    tags = [[tag for tag in ("sea", "park", "lift") if rng.random() < 0.5] for _ in range(n)]
    user = rng.integers(0, 100, n)
    effect = np.random.default_rng(1).normal(size=100)
    X = pd.DataFrame({"review": texts, "tags": pd.Series(tags, dtype=object), "user": [f"u{k}" for k in user]})
    y = pd.DataFrame({"liked": liked, "price": [2 * ("sea" in own) for own in tags] + effect[user] + 0.1 * rng.normal(size=n)})
    X.loc[rng.random(n) < 0.05, "review"] = None
    X.loc[rng.random(n) < 0.05, "tags"] = None
    return X, y


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
