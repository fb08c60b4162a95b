"""TabM: members written out as networks of their own."""

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob
from polytask.exceptions import OptionError
from polytask.networks import MLP, FTTransformer, MMoE, Periodic, ResNet, TableShape, TabM, recipe_of, sharing_of
from polytask.tasks import Regression
from polytask.training import TaskLosses
from tests.networks.sharing._cases import inputs_of, module_of


def test_a_member_is_a_network_with_signs_and_heads_of_its_own():
    module = module_of(TabM(MMoE(n_experts=2, width=8), k=3))
    inputs = inputs_of(module)
    raw, sharing = module(*inputs), module.sharing
    assert set(sharing.signs.detach().flatten().tolist()) == {-1.0, 1.0}
    stage = sharing.encoder.embed(*inputs)
    for member in range(3):
        features = sharing.encoder.layers(stage * sharing.signs[member])
        for k, (z, head) in enumerate(zip(sharing.layer(features), module.heads, strict=True)):
            torch.testing.assert_close(raw[member, :, [k]], z @ head.weight[member].T + head.bias[member])


def test_members_start_with_a_sign_for_each_column():
    shape = TableShape(3, with_missing=(1,), cardinalities=(5, 40))
    layer = TabM(k=64).build_on(lambda: MLP(width=8).build(shape), 2)
    columns = layer.encoder.inputs.feature_columns()
    drawn = torch.stack([layer.signs.detach()[:, columns == k].mean(1) for k in range(5)], dim=1)  # of one column all the same
    assert set(drawn.flatten().tolist()) == {-1.0, 1.0}
    assert len(torch.unique(drawn, dim=1).T) == 5
    apart = TabM(k=64).build_on(lambda: ResNet(width=8).build(shape), 2).signs.detach()
    assert len(torch.unique(apart, dim=1).T) == 8


def test_where_numbers_are_embedded_members_start_with_normal_numbers():
    encoder, shape = MLP(width=8, embedding=Periodic(width=4)), TableShape(3, cardinalities=(5,))
    layer = TabM(k=200).build_on(lambda: encoder.build(shape), 2)
    drawn = layer.signs.detach()
    for start, stop in ((0, 4), (4, 8), (8, 12), (12, 17)):
        assert (drawn[:, start:stop] == drawn[:, [start]]).all()
    own = drawn[:, [0, 4, 8, 12]]
    assert float(own.mean()) == pytest.approx(0.0, abs=0.15)  # four standard errors
    assert float(own.std()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("encoder", [ResNet(n_blocks=1, width=8), FTTransformer(n_blocks=1, width=8, n_heads=2)])
def test_every_encoder_that_shows_its_stages_can_be_wrapped(encoder):
    shape = TableShape(3, cardinalities=(20,))
    layer = TabM(k=4).build_on(lambda: encoder.build(shape), 2).eval()
    inputs = encoder.build(shape).prepare(torch.randn(5, 3).double(), torch.arange(5)[:, None])
    with torch.no_grad():
        layer.signs.fill_(1.0)
    expected = layer.encoder(*inputs)
    for z in layer(*inputs):
        assert z.shape == (4, 5, 8)
        torch.testing.assert_close(z, expected.expand(4, -1, -1), rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_mean_of_those_of_the_members():
    y = pd.DataFrame({"a": [1.0, 2.0, 4.0, np.nan]})
    task = Regression("a").fit(y)
    task = task.with_statistics(task.encode(y), np.array([[1.0], [1.0], [1.0], [0.0]]))
    raw, target, weight = torch.randn(3, 4, 1), torch.randn(4, 1), torch.tensor([[1.0], [1.0], [2.0], [0.0]])
    sums, weights = TaskLosses([task], has_members=True)(raw, target, weight)
    alone = torch.stack([TaskLosses([task])(own, target, weight)[0] for own in raw])
    torch.testing.assert_close(sums, alone.mean(0))
    torch.testing.assert_close(weights, torch.tensor([4.0]))


def table_of(n=120):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    kinds = {"price": X[:, 0], "sold": X[:, 1] > 0, "colour": np.digitize(X[:, 2], [-0.5, 0.5]).astype(str)}
    return X, pd.DataFrame(kinds)


def test_a_prediction_is_the_mean_over_members_in_natural_scale():
    X, y = table_of()
    model = MultiTaskNetwork(encoder=MLP(width=8), sharing=TabM(k=3), max_epochs=2, random_state=0).fit(X, y)
    module, found = model.network_.module, model.predict_proba(X)["colour"]
    inputs = module.prepare(torch.as_tensor(X), torch.zeros(len(X), 0, dtype=torch.long))
    expected = module(*inputs)[..., 2:5].softmax(-1).mean(0)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("balancing", [None, "pcgrad"])
def test_a_stack_learns_what_each_learns(balancing):
    X, y = table_of(60)
    settings = {"encoder": MLP(width=4, dropout=0.0), "sharing": TabM("mmoe", k=2), "max_epochs": 2}
    model = MultiTaskNetwork(balancing=balancing, **settings)
    arrays, labels = model._read_training_data(X, y)
    table, weight = CodedTable(arrays, model.codec_.cardinalities), np.ones((60, 3))
    jobs = [NetworkJob(np.arange(40), np.arange(40, 60), np.ones(3, dtype=bool), seed) for seed in (0, 1)]
    for job, own in zip(jobs, model.fit_jobs(jobs, table, labels, weight), strict=True):
        alone = model.fit_jobs([job], table, labels, weight)[0]
        for name, value in alone.module.state_dict().items():
            torch.testing.assert_close(own.module.state_dict()[name], value, rtol=1e-2, atol=1e-3)


def test_it_learns():
    X, y = table_of(300)
    settings = {"encoder": MLP(width=16), "sharing": "tabm:k=4", "max_epochs": 30, "random_state": 0}
    model = MultiTaskNetwork(**settings).fit(X, y[["price", "sold"]])
    assert model.optimistic_skill_ > 0.6


class Features(torch.nn.Module):
    """An encoder that shows no stages."""

    def __init__(self, shape):
        super().__init__()
        self.out_features = shape.n_numeric

    def prepare(self, numeric, categorical):
        return (numeric.float(),)

    def forward(self, numbers):
        return numbers


def test_what_cannot_be_wrapped_is_refused():
    X, y = table_of()
    with pytest.raises(OptionError, match="`sharing` of TabM must be an architecture that reads features"):
        sharing_of("tabm:sharing=stem")
    with pytest.raises(OptionError, match="`k` of TabM must be an integer >= 2; got 1"):
        sharing_of("tabm:k=1")
    with pytest.raises(OptionError, match=r"`sharing` of TabM must be a sharing architecture; got 'moe'\. Did you mean 'mmoe'"):
        sharing_of("tabm:sharing=moe")
    with pytest.raises(OptionError, match="Features does not show its stages: it has no 'embed', 'blocks'"):
        MultiTaskNetwork(encoder=recipe_of(Features), sharing=TabM(), max_epochs=1).fit(X, y)
