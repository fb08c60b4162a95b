"""Numeric embeddings and the ResNet encoder, against the authors' packages and by what they promise."""

import numpy as np
import pytest
import rtdl_num_embeddings
import rtdl_revisiting_models
import torch
from sklearn.base import clone
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from polytask.exceptions import ModelFolderError, OptionError
from polytask.networks import (
    MLP,
    FTTransformer,
    Periodic,
    PiecewiseLinear,
    ResNet,
    TableShape,
    recipe_from_dict,
    recipe_of,
    recipe_to_dict,
)
from polytask.networks.encoders import PiecewiseLinearEncoding, TableInputs

NAN = float("nan")
SHAPE = TableShape(3, with_missing=(1,), cardinalities=(4, 30))
EMBEDDINGS = [Periodic(width=5, n_frequencies=4), Periodic(width=5, lite=True), PiecewiseLinear(width=5, n_bins=6)]
ENCODERS = [MLP(width=16, embedding=e) for e in EMBEDDINGS] + [ResNet(width=16, embedding=e) for e in (None, *EMBEDDINGS)]
ENCODERS += [FTTransformer(width=16, n_heads=4, embedding=e) for e in (None, EMBEDDINGS[0])]
each_embedding = pytest.mark.parametrize("embedding", EMBEDDINGS, ids=repr)
each_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=repr)


def table(n=40, seed=0):
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(n, 3))
    numeric[::5, 1] = NAN
    return torch.tensor(numeric), torch.tensor(np.stack([rng.integers(0, 4, n), rng.integers(0, 30, n)], axis=1))


def built(encoder, seed=0):
    torch.manual_seed(seed)
    module = encoder.build(SHAPE).eval()
    module.fit_statistics(table()[0])
    return module


# ------------------------------------------------------------------------------------------------- against the authors


def test_periodic_embeddings_equal_the_authors():
    x = torch.randn(20, 3)
    for lite in (False, True):
        own, theirs = Periodic(width=5, n_frequencies=4, lite=lite).build(3), None
        theirs = rtdl_num_embeddings.PeriodicEmbeddings(3, 5, n_frequencies=4, frequency_init_scale=0.1, lite=lite)
        theirs.periodic.weight.data.copy_(own.frequencies)
        theirs.linear.weight.data.copy_(own.linear.weight)
        theirs.linear.bias.data.copy_(own.linear.bias)
        torch.testing.assert_close(own(x), theirs(x).flatten(1))


def test_piecewise_linear_embeddings_equal_the_authors():
    x = torch.randn(200, 3)
    x[:, 2] = x[:, 2].round()  # equal quantiles: fewer bins
    bins = rtdl_num_embeddings.compute_bins(x, n_bins=8)
    theirs = rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, 5, activation=False, version="B")
    own = PiecewiseLinear(width=5, n_bins=8).build(3)
    own.fit(x)
    own.line.weight.data[:, 0] = theirs.linear0.weight.data
    own.line.bias.data.copy_(theirs.linear0.bias)
    weight = torch.randn(3, 8, 5)
    own.linear.weight.data.copy_(weight)
    for k, edges in enumerate(bins):  # they keep the last bin in the last place, whatever the number of bins
        n = len(edges) - 1
        theirs.linear.weight.data[k, : n - 1], theirs.linear.weight.data[k, -1] = weight[k, : n - 1], weight[k, n - 1]
    new = torch.cat([x, 3 * torch.randn(50, 3)])
    torch.testing.assert_close(own(new), theirs(new).flatten(1), rtol=1e-4, atol=1e-4)


def test_the_piecewise_linear_encoding_equals_the_authors():
    x = torch.randn(200, 3)
    encoding = PiecewiseLinearEncoding(3, n_bins=8)
    encoding.fit(x)
    theirs = rtdl_num_embeddings.PiecewiseLinearEncoding(rtdl_num_embeddings.compute_bins(x, n_bins=8))
    torch.testing.assert_close(encoding(x).flatten(1), theirs(x), rtol=1e-4, atol=1e-4)


def test_the_resnet_is_that_of_the_authors_but_for_its_norm():
    own = ResNet(n_blocks=2, width=8, hidden_factor=1.5).build(TableShape(3)).eval()
    theirs = rtdl_revisiting_models.ResNet(
        d_in=3, d_out=1, n_blocks=2, d_block=8, d_hidden=None, d_hidden_multiplier=1.5, dropout1=0.1, dropout2=0.0
    ).eval()
    theirs.input_projection = own.first
    for block, their_block in zip(own.blocks, theirs.blocks, strict=True):
        their_block.normalization, their_block.linear1, their_block.linear2 = block.norm, block.layers[0], block.layers[3]
    theirs.output = nn.Sequential(own.norm, nn.ReLU())
    x = torch.randn(10, 3)
    torch.testing.assert_close(own(x, torch.zeros(10, 0, dtype=torch.long)), theirs(x))


# --------------------------------------------------------------------------------------------------------- piecewise


def test_a_piecewise_linear_encoding_goes_on_outside_its_bins():
    encoding = PiecewiseLinearEncoding(1, n_bins=2)
    encoding.fit(torch.tensor([[0.0], [1.0], [3.0]]))
    assert encoding(torch.tensor([[-1.0], [9.0]]))[:, 0].tolist() == [[-1.0, 0.0], [1.0, 4.0]]


def test_a_constant_column_and_no_rows_have_no_bins():
    encoding = PiecewiseLinearEncoding(2, n_bins=4)
    encoding.fit(torch.stack([torch.ones(10), torch.arange(10.0)], dim=1))
    assert (encoding(torch.randn(5, 2))[:, 0] == 0).all()
    encoding.fit(torch.zeros(0, 2))
    assert (encoding(torch.randn(5, 2)) == 0).all()


def test_bins_are_of_the_training_rows_only():
    module = MLP(embedding=PiecewiseLinear()).build(SHAPE)
    numeric, _ = table()
    module.fit_statistics(numeric[:20])
    first = module.inputs.embedding.encoding.slope.clone()
    module.fit_statistics(numeric)
    assert not torch.equal(first, module.inputs.embedding.encoding.slope)
    module.fit_statistics(numeric[:20])
    assert torch.equal(first, module.inputs.embedding.encoding.slope)


def test_a_piecewise_linear_embedding_starts_as_a_line():
    embedding = PiecewiseLinear(width=2).build(1)
    embedding.fit(torch.randn(100, 1))
    y = embedding(torch.tensor([[0.0], [1.0], [2.0]]))
    torch.testing.assert_close(y[2] - y[1], y[1] - y[0])


# ------------------------------------------------------------------------------------------------------- in encoders


@each_embedding
def test_the_scaled_numbers_are_replaced_and_all_else_stays(embedding):
    """The first features of TableInputs are the scaled numbers; indicators and categories follow."""
    module, plain = built(MLP(width=16, embedding=embedding)), TableInputs(SHAPE).eval()
    plain.load_state_dict({k: v for k, v in module.inputs.state_dict().items() if not k.startswith("embedding.")})
    prepared = module.prepare(*table())
    features, expected = module.inputs(*prepared), plain(*prepared)
    assert features.shape[-1] == module.inputs.out_features == expected.shape[-1] - 3 + 15
    assert torch.equal(features[:, 15:], expected[:, 3:])
    torch.testing.assert_close(features[:, :15], module.inputs.embedding(plain.scaling(table()[0])))


@each_encoder
def test_features_are_finite_with_missing_and_extreme_numbers(encoder):
    module = built(encoder)
    numeric, categorical = table(4)
    numeric[0], numeric[1], numeric[2] = NAN, 1e300, -1e300
    found = module(*module.prepare(numeric, categorical))
    assert found.shape == (4, module.out_features)
    assert torch.isfinite(found).all()


@each_encoder
def test_a_row_does_not_depend_on_its_neighbours(encoder):
    module = built(encoder).train(False)
    numeric, categorical = table()
    whole = module(*module.prepare(numeric, categorical))
    torch.testing.assert_close(module(*module.prepare(numeric[3:4], categorical[3:4]))[0], whole[3])


@each_encoder
def test_stacked_networks_are_each_alone(encoder):
    modules = [built(encoder, seed) for seed in range(3)]
    prepared = modules[0].prepare(*table())
    parameters, buffers = stack_module_state(modules)
    found = vmap(lambda p, b: functional_call(modules[0], (p, b), prepared))(parameters, buffers)
    for k, module in enumerate(modules):
        torch.testing.assert_close(found[k], module(*prepared), rtol=1e-4, atol=1e-5)


@each_encoder
def test_all_parameters_get_gradients(encoder):
    module = built(encoder).train()
    module(*module.prepare(*table())).square().sum().backward()
    without = [name for name, p in module.named_parameters() if p.grad is None or not (p.grad != 0).any()]
    assert without == []


@each_encoder
def test_state_and_recipe_make_the_same_encoder_again(encoder):
    module = built(encoder)
    again = recipe_from_dict(recipe_to_dict(encoder)).build(SHAPE).eval()
    again.load_state_dict(module.state_dict())
    prepared = module.prepare(*table())
    assert torch.equal(again(*again.prepare(*table())), module(*prepared))


@each_encoder
def test_clones_have_the_same_settings(encoder):
    assert recipe_to_dict(clone(encoder)) == recipe_to_dict(encoder)


def test_a_search_reaches_the_settings_of_an_embedding():
    encoder = MLP(embedding=Periodic()).set_params(embedding__sigma=3.0)
    assert encoder.embedding.sigma == 3.0
    assert recipe_to_dict(encoder)["settings"]["embedding"]["settings"]["sigma"] == 3.0


@pytest.mark.parametrize("embedding", EMBEDDINGS, ids=repr)
def test_a_table_without_numbers_needs_no_embedding(embedding):
    module = ResNet(width=8, embedding=embedding).build(TableShape(0, cardinalities=(3,)))
    prepared = module.prepare(torch.zeros(5, 0, dtype=torch.float64), torch.zeros(5, 1, dtype=torch.long))
    assert module(*prepared).shape == (5, 8)
    assert module.inputs.embedding is None


def test_recipes_of_before_have_no_embedding():
    assert recipe_from_dict({"recipe": "MLP", "settings": {"width": 8}}).embedding is None


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Periodic(sigma=0.0).build(2), "`sigma` of Periodic must be positive"),
        (lambda: Periodic(width=0).build(2), "`width` of Periodic"),
        (lambda: PiecewiseLinear(n_bins=1).build(2), "`n_bins` of PiecewiseLinear must be an integer >= 2; got 1"),
        (lambda: ResNet(n_blocks=0).build(SHAPE), "of ResNet must be an integer >= 1"),
        (lambda: ResNet(width=1, hidden_factor=0.5).build(SHAPE), "large enough for one unit"),
        (lambda: ResNet(dropout=1.0).build(SHAPE), r"`dropout` of ResNet must be in \[0, 1\); got 1.0"),
        (lambda: ResNet(residual_dropout=-0.1).build(SHAPE), "`residual_dropout` of ResNet"),
        (lambda: MLP(embedding="periodic").build(SHAPE), "must be None or a recipe, such as Periodic"),
    ],
)
def test_settings_out_of_range_are_refused(make, words):
    with pytest.raises(OptionError, match=words):
        make()


def test_an_embedding_of_another_version_is_told():
    with pytest.raises(ModelFolderError, match="not known to this version"):
        recipe_from_dict({"recipe": "MLP", "settings": {"embedding": {"recipe": "Fourier", "settings": {}}}})


class Halves(nn.Module):
    """A user's own embedding."""

    def __init__(self, n_features):
        super().__init__()
        self.out_features = 2 * n_features

    def fit(self, numbers):
        self.middle = numbers.mean()

    def forward(self, numbers):
        return torch.cat([numbers.relu(), (-numbers).relu()], dim=-1)


def test_a_module_of_the_user_is_an_embedding_too():
    encoder = MLP(width=8, embedding=recipe_of(Halves))
    module = built(encoder)
    assert module(*module.prepare(*table())).shape == (40, 8)
    content = recipe_to_dict(encoder)
    assert recipe_from_dict(content, classes=[Halves]).embedding.module_class is Halves
