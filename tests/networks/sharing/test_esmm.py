"""ESMM: the product of a parent's and a child's probability is learned over all rows."""

import re

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.balancing import PCGrad
from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.estimators._part_of_tasks import PartOfTasks
from polytask.evaluation import compare
from polytask.exceptions import OptionError, TargetError
from polytask.networks import ESMM, MLP, HardSharing, TabM, TaskProduct, sharing_of
from polytask.tasks import Binary, Multiclass, Regression
from tests.networks.sharing._cases import inputs_of, module_of

SMALL = {"encoder": MLP(width=8, n_layers=1, dropout=0.0), "max_epochs": 2, "random_state": 0}


def table(n=200, *, seed=0, missing=0.0):
    """Clicks, and purchases where there was a click; both depend on the same column."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    click = rng.random(n) < 1 / (1 + np.exp(-X["a"]))
    buy = (rng.random(n) < 1 / (1 + np.exp(-X["b"]))).astype(float)
    seen = click & (rng.random(n) >= missing)
    y = pd.DataFrame({"click": click.astype(int), "buy": np.where(seen, buy, np.nan), "price": X["a"] - X["b"]})
    return X, y


def test_the_logit_of_a_product_is_exact_also_far_out():
    a, b = (
        torch.tensor([0.3, 40.0, -40.0, -90.0], dtype=torch.float64),
        torch.tensor([-1.2, 40.0, 2.0, -80.0], dtype=torch.float64),
    )
    found = TaskProduct(0, 1).outputs([a, b])[1]
    torch.testing.assert_close(found.sigmoid(), a.sigmoid() * b.sigmoid())
    torch.testing.assert_close((-found).sigmoid()[1], torch.tensor(2 * np.exp(-40.0), dtype=torch.float64))
    assert torch.isfinite(found).all()


def test_labels_of_the_product_are_known_wherever_the_parent_is_no():
    nan = 0.0  # what stands where the weight is 0
    target = torch.tensor([[0.0, 5.0, nan], [1.0, 5.0, 1.0], [1.0, 5.0, 0.0], [1.0, 5.0, nan], [nan, 5.0, 1.0]])
    weight = torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    found, weights = TaskProduct(0, 2).labels(target, weight, [slice(0, 1), slice(1, 2), slice(2, 3)])
    assert found[:4, 2].tolist() == [0, 1, 0, 0]
    assert weights[:, 2].tolist() == [2.0, 1.5, 1.5, 0.0, 0.0]  # three rows of "yes", of which two are known
    assert torch.equal(weights[:, :2], weight[:, :2])
    assert torch.equal(found[:, :2], target[:, :2])


def test_rows_that_are_not_learned_from_say_nothing_of_missing_labels():
    target, weight = torch.ones(4, 2), torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    columns = [slice(0, 1), slice(1, 2)]
    assert TaskProduct(0, 1).labels(target, weight, columns)[1][0, 1] == 4
    assert TaskProduct(0, 1).labels(target, weight, columns, rows=torch.tensor([0, 1]))[1][0, 1] == 2


def test_the_loss_of_the_child_teaches_the_tower_of_the_parent():
    module = module_of(ESMM("t0", "t1", sharing="hard:tower_width=8"))
    part = PartOfTasks(module, [0, 1, 2], product=TaskProduct(0, 1))
    outputs = part.outputs_of(part.features(*inputs_of(module)))
    towers = [tower[0].weight for tower in module.sharing.towers]
    reached = [
        [torch.autograd.grad(own.sum(), w, retain_graph=True, allow_unused=True)[0] is not None for w in towers]
        for own in outputs
    ]
    assert reached == [[True, False, False], [True, True, False], [False, False, True]]


def test_where_the_parent_is_certain_it_is_hard_sharing():
    module = module_of(ESMM("t0", "t1"))
    torch.nn.init.constant_(module.heads[0].bias, 60.0)
    inputs = inputs_of(module)
    torch.testing.assert_close(PartOfTasks(module, [0, 1, 2], product=TaskProduct(0, 1))(*inputs), module(*inputs))


def test_the_network_predicts_by_the_heads_themselves():
    X, y = table()
    model = MultiTaskNetwork(sharing=ESMM("click", "buy"), **SMALL).fit(X, y)
    raw = model.network_.module(
        *model.network_.module.prepare(torch.tensor(X.to_numpy()), torch.zeros(len(X), 0, dtype=torch.long))
    )
    of_child = model.predict_proba(X)["buy"]["1"]
    np.testing.assert_allclose(of_child, raw[:, 1].sigmoid().detach(), atol=1e-6)


def test_tasks_may_stand_in_any_order_and_beside_others():
    X, y = table()
    names = ["price", "buy", "click"]
    model = MultiTaskNetwork(sharing=ESMM("click", "buy"), **SMALL).fit(X, y[names])
    assert [task.name for task in model.tasks_] == names
    assert np.isfinite(model.network_.curves["skill"]).all()


@pytest.mark.parametrize("sharing", ["mmoe", "none", "tabm:k=2"])
def test_any_architecture_may_be_inside(sharing):
    X, y = table()
    model = MultiTaskNetwork(sharing=ESMM("click", "buy", sharing=sharing), **SMALL).fit(X, y)
    assert np.isfinite(model.predict_proba(X)["buy"].to_numpy()).all()


def test_it_goes_with_balancing_averages_and_more_data():
    X, y = table()
    balanced = MultiTaskNetwork(sharing=ESMM("click", "buy"), balancing=PCGrad(), ema=0.9, **SMALL).fit(X, y)
    assert balanced.network_.cosines.shape == (3, 3)
    model = MultiTaskNetwork(sharing=ESMM("click", "buy"), **SMALL)
    for rows in np.split(np.arange(200), 2):
        model = model.partial_fit(X.iloc[rows], y.iloc[rows])
    assert model.network_.steps > 0


def test_a_model_is_saved_and_loaded_with_what_is_undefined(tmp_path):
    X, y = table()
    zeros = y.assign(buy=y["buy"].fillna(0).astype(int))
    model = MultiTaskNetwork(sharing="esmm:parent=click,child=buy,elsewhere=undefined", **SMALL).fit(X, zeros)
    plain = MultiTaskNetwork(sharing="esmm:parent=click,child=buy", **SMALL).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X)["buy"], plain.predict_proba(X)["buy"])
    assert re.search(r"\d+ labels where 'click' is 0 are taken as missing, as you said", model.tasks_reasons_["buy"])
    save_estimator(model, tmp_path / "model")
    again = load_estimator(tmp_path / "model")
    assert again.tasks_[1].given == ("click", 0)
    assert again.score(X, zeros) == model.score(X, zeros) == plain.score(X, y)


def test_twins_learn_the_child_where_the_parent_is_yes():
    X, y = table(120)
    joint = MultiTaskNetwork(sharing=ESMM("click", "buy"), **SMALL)
    hard = MultiTaskNetwork(sharing=HardSharing(), **SMALL)
    settings = {"folds": 2, "repeats": 1, "separate": ("alone",), "random_state": 0}
    found, plain = (compare(X, y[["click", "buy"]], joint=own, **settings).to_dict() for own in (joint, hard))
    for name in ("click", "buy"):
        one, other = found["tasks"][name]["arms"], plain["tasks"][name]["arms"]
        assert one["alone"]["skill"] == pytest.approx(other["alone"]["skill"], abs=1e-6)
        assert one["together"]["skill"] != pytest.approx(other["together"]["skill"], abs=1e-6)


def test_labels_of_the_child_where_the_parent_is_no_are_refused():
    X, y = table()
    zeros, bought = y.fillna(0).astype(int), y.fillna(1).astype(int)
    with pytest.raises(TargetError, match=r"labels of 'buy' are 0 where 'click' is 0, and .* say `elsewhere='undefined'`"):
        MultiTaskNetwork(sharing=ESMM("click", "buy"), **SMALL).fit(X, zeros)
    with pytest.raises(TargetError, match="labels of 'buy' are 1 where 'click' is 0, so it is no child"):
        MultiTaskNetwork(sharing=ESMM("click", "buy", elsewhere="undefined"), **SMALL).fit(X, bought)
    alike = y.assign(buy=(y["click"] == 1).astype(float).where(y["click"] == 1, 0.0))
    with pytest.raises(TargetError, match="labels of 'buy' where 'click' is 1 are all alike"):
        MultiTaskNetwork(sharing=ESMM("click", "buy", elsewhere="undefined"), **SMALL).fit(X, alike)


@pytest.mark.parametrize(
    ("given", "tasks", "said"),
    [
        (ESMM(None, "buy"), ["click", "buy"], "`parent` of ESMM must be one of the tasks; got None"),
        (ESMM("clic", "buy"), ["click", "buy"], "`parent` of ESMM must be one of the tasks; got 'clic'"),
        (ESMM("click", "click"), ["click", "buy"], "must be two tasks"),
        (ESMM("click", "buy", elsewhere="no"), ["click", "buy"], "`elsewhere` of ESMM must be"),
        (ESMM("click", "price"), ["click", Regression("price")], "'price' of ESMM must be a binary task.*regression"),
        (ESMM("click", "buy"), [Multiclass("click"), "buy"], "parent 'click' of ESMM must be a binary task"),
        (ESMM("click", "buy"), ["click", Binary("buy", loss="focal")], "must be learned by cross-entropy"),
        (ESMM("click", "buy"), [Binary("click", class_weight="balanced"), "buy"], "has class weights"),
        (ESMM("click", "buy", sharing=ESMM("click", "buy")), ["click", "buy"], "another architecture"),
        (TabM(ESMM("click", "buy")), ["click", "buy"], "TabM goes inside of ESMM"),
    ],
)
def test_what_cannot_be_multiplied_is_refused(given, tasks, said):
    X, y = table(60)
    with pytest.raises(OptionError, match=said):
        MultiTaskNetwork(tasks, sharing=given, **SMALL).fit(X, y)


def test_a_name_needs_its_tasks():
    with pytest.raises(OptionError, match="ESMM in `sharing` needs 'parent', 'child'"):
        sharing_of("esmm")


def test_missing_labels_of_the_child_do_not_make_it_look_rare():
    X, y = table(3000, missing=0.7)
    settings = {"encoder": MLP(width=8, n_layers=0), "max_epochs": 30, "learning_rate": 0.02, "random_state": 0}
    model = MultiTaskNetwork(sharing=ESMM("click", "buy"), **settings).fit(X, y[["click", "buy"]])
    predicted = model.outputs(X)["buy"][:, 1]
    assert abs(predicted.mean() - 0.5) < 0.05  # half of those who click, whatever is known of them
