"""Dropout of parts in fits: folders, copies, twins, further training, other shapes of networks."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from polytask.estimators import MultiTaskNetwork, NetworkJob, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import MLP, MMoE
from polytask.optim import L2, Dropout
from polytask.training import Replica
from tests.estimators._tables import assert_same_outputs, houses, small_network
from tests.estimators.test_twins import prepared

BOTH = [Dropout(0.4, on="heads"), L2(0.1, on="shared")]
ROWS = np.random.default_rng(0).normal(size=(90, 3))
LABELS = (ROWS @ np.random.default_rng(1).normal(size=(3, 2))).round(2)


def rates(model):
    module = model.network_.module
    return {name: own.p for name, own in module.named_modules() if isinstance(own, torch.nn.Dropout)}


def fitted(regularization="dropout:rate=0.4,on=heads", **settings):
    return MultiTaskNetwork(regularization=regularization, max_epochs=2, random_state=0, **settings).fit(ROWS, LABELS)


def test_a_folder_and_a_copy_keep_it_and_predictions_drop_nothing(tmp_path):
    X, y = houses(80)
    model = clone(small_network(["price", "sold"], regularization=BOTH)).fit(X, y)
    assert_same_outputs(model.outputs(X), model.outputs(X))
    plain = small_network(["price", "sold"]).fit(X, y)
    assert not np.allclose(plain.outputs(X)["price"], model.outputs(X)["price"])
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert loaded.regularization == BOTH
    assert_same_outputs(model.outputs(X), loaded.outputs(X))
    assert_same_outputs(model.outputs(X), clone(loaded).set_params(random_state=0).fit(X, y).outputs(X))


def test_it_takes_the_place_of_the_rate_of_a_recipe_and_leaves_recipes_alone():
    encoder, sharing = MLP(width=8, dropout=0.1), MMoE(width=8)
    model = fitted(Dropout(0.3, on="all"), encoder=encoder, sharing=sharing)
    assert set(rates(model).values()) == {0.3}
    assert (encoder.dropout, sharing.dropout) == (0.1, 0.0)
    assert (model.network_.encoder.dropout, model.network_.sharing.dropout) == (0.1, 0.0)
    as_recipe = fitted(None, encoder=MLP(width=8, dropout=0.3), sharing=MMoE(width=8, dropout=0.3))
    by_part = fitted(Dropout(0.3), encoder=encoder, sharing=sharing)
    np.testing.assert_array_equal(as_recipe.predict(ROWS), by_part.predict(ROWS))


@pytest.mark.parametrize("sharing", ["tabm:k=2", "none", "mtan"])
def test_other_shapes_of_networks_learn_with_it(sharing):
    model = fitted(sharing=sharing, encoder=MLP(width=8))
    assert rates(model)["heads.1.dropout"] == 0.4
    np.testing.assert_array_equal(model.predict(ROWS), model.predict(ROWS))
    assert not np.allclose(model.predict(ROWS), fitted(None, sharing=sharing, encoder=MLP(width=8)).predict(ROWS))


def test_a_product_of_tasks_learns_with_it():
    click = np.where(ROWS[:, 0] > 0, "yes", "no")
    buy = np.where(ROWS[:, 1] > 0, "yes", "no").astype(object)
    buy[click == "no"] = None
    settings = {"sharing": "esmm:parent=y0,child=y1", "encoder": MLP(width=8), "max_epochs": 2, "random_state": 0}
    y = np.column_stack([click.astype(object), buy])
    found = [
        MultiTaskNetwork(regularization=own, **settings).fit(ROWS, y).predict_proba(ROWS) for own in (None, "dropout:on=heads")
    ]
    assert not np.allclose(*(next(iter(own.values())) for own in found))


def test_training_goes_on_with_it():
    model = fitted(encoder=MLP(width=8), warm_start=True)
    once = clone(model).set_params(regularization=None)
    once.network_ = model.network_
    assert rates(model.fit(ROWS, LABELS))["heads.0.dropout"] == 0.4
    model.set_params(regularization=Dropout(0.2, on="heads"))
    assert rates(model.fit(ROWS, LABELS))["heads.0.dropout"] == 0.2
    partly = MultiTaskNetwork(encoder=MLP(width=8), regularization="dropout:on=heads", random_state=0).partial_fit(ROWS, LABELS)
    assert rates(partly)["heads.0.dropout"] == 0.3
    with pytest.raises(OptionError, match="`on='sharing'` of Dropout reaches nothing"):
        MultiTaskNetwork(regularization="dropout:on=sharing").partial_fit(ROWS, LABELS)


def test_networks_of_a_stack_and_twins_have_it_and_a_job_has_its_own():
    X, y = houses(60)
    model, table, labels, weight = prepared(X, y, ["price", "sold"], encoder=MLP(width=8), regularization=Dropout(0.2, on="all"))
    masks = [np.array(own) for own in ([True, True], [True, True], [True, False])]
    own = [None, Replica(dropout=0.5), None]
    jobs = [NetworkJob(np.arange(40), np.arange(40, 60), m, 7, own_settings=o) for m, o in zip(masks, own, strict=True)]
    found = model.fit_jobs(jobs, table, labels, weight)
    for network, rate in zip(found, [0.2, 0.5, 0.2], strict=True):
        named = {name: part.p for name, part in network.module.named_modules() if isinstance(part, torch.nn.Dropout)}
        assert {name: p for name, p in named.items() if p != 0.2} == (
            {} if rate == 0.2 else dict.fromkeys(_of_encoder(named), rate)
        )


def _of_encoder(names):
    return [name for name in names if name.startswith("encoder")]


def test_searches_reach_its_rate():
    network = MultiTaskNetwork(encoder=MLP(width=8), regularization=Dropout(on="heads"), max_epochs=1, random_state=0)
    search = GridSearchCV(network, {"regularization__rate": [0.1, 0.5], "regularization__on": ["heads", "all"]}, cv=2)
    search.fit(ROWS, LABELS)
    assert {own["regularization__rate"] for own in search.cv_results_["params"]} == {0.1, 0.5}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
