"""Architectures that hold encoders themselves: what each computes, and what it becomes where nothing is shared."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from polytask.balancing import PCGrad
from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import (
    LTB,
    MLP,
    MTAN,
    CrossStitch,
    FTTransformer,
    NoSharing,
    ResNet,
    Sluice,
    SoftSharing,
    TableShape,
    build_module,
    recipe_of,
)
from polytask.training import StackedNetworks
from tests.networks.sharing._cases import tasks_of

SHAPE = TableShape(3, with_missing=(1,), cardinalities=(20,))
ENCODERS = [MLP(n_layers=3, width=8), ResNet(width=8), FTTransformer(width=8, n_heads=2)]
APART = [NoSharing(), CrossStitch(self_weight=1.0), Sluice(self_weight=1.0), SoftSharing(same_start=False)]
each_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=lambda recipe: type(recipe).__name__)


def layer_of(recipe, n_tasks=3, *, encoder=ENCODERS[0], seed=0):
    torch.manual_seed(seed)
    return recipe.build_on(lambda: encoder.build(SHAPE), n_tasks).eval()


def prepared_of(encoder=ENCODERS[0], *, n=6):
    generator = torch.Generator().manual_seed(0)
    numeric = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    return encoder.build(SHAPE).prepare(numeric, torch.randint(20, (n, 1), generator=generator))


def open_all(layer):
    """Let every mask of MTAN be 1."""
    for attention in layer.attentions:
        for own in attention:
            nn.init.zeros_(own[2].weight)
            nn.init.constant_(own[2].bias, 100.0)


# ------------------------------------------------------------------------------------------------- the plain network


@each_encoder
@pytest.mark.parametrize("recipe", [*APART, CrossStitch(), LTB(), MTAN()], ids=repr)
def test_with_one_task_it_is_the_plain_network(recipe, encoder):
    plain = encoder.build(SHAPE).eval()
    layer = layer_of(recipe, 1, encoder=encoder)
    (layer.encoder if isinstance(recipe, MTAN) else layer.encoders[0]).load_state_dict(plain.state_dict())
    if isinstance(recipe, MTAN):
        open_all(layer)
    inputs = prepared_of(encoder)
    torch.testing.assert_close(layer(*inputs)[0], plain(*inputs))


@each_encoder
@pytest.mark.parametrize("recipe", APART, ids=repr)
def test_where_nothing_is_mixed_each_task_has_its_own_network(recipe, encoder):
    layer, inputs = layer_of(recipe, encoder=encoder), prepared_of(encoder)
    for z, own in zip(layer(*inputs), layer.encoders, strict=True):
        torch.testing.assert_close(z, own(*inputs))


@each_encoder
def test_where_all_branches_read_one_node_it_is_hard_sharing(encoder):
    layer, inputs = layer_of(LTB(), encoder=encoder), prepared_of(encoder)
    plain = encoder.build(SHAPE).eval()
    plain.load_state_dict(layer.encoders[0].state_dict())
    for z in layer(*inputs):
        torch.testing.assert_close(z, plain(*inputs))


@each_encoder
def test_open_masks_are_hard_sharing(encoder):
    layer, inputs = layer_of(MTAN(), encoder=encoder), prepared_of(encoder)
    open_all(layer)
    for z in layer(*inputs):
        torch.testing.assert_close(z, layer.encoder(*inputs))


# ---------------------------------------------------------------------------------------------- what the papers say


def test_stitches_start_as_in_the_paper():
    for stitch in layer_of(CrossStitch(), 2).stitches:
        assert stitch.shape == (2, 2, 8)
        torch.testing.assert_close(stitch[..., 3], torch.tensor([[0.9, 0.1], [0.1, 0.9]]))
    torch.testing.assert_close(layer_of(CrossStitch(per_channel=False)).stitches[0].sum(1), torch.ones(3, 1))


def test_stitches_mix_what_networks_make_after_every_block():
    layer, inputs = layer_of(CrossStitch(), 2), prepared_of()
    for stitch in layer.stitches:
        nn.init.normal_(stitch)
    first, second = (encoder.embed(*inputs) for encoder in layer.encoders)
    for depth, a in enumerate(layer.stitches):
        p, q = layer.encoders[0].blocks[depth](first), layer.encoders[1].blocks[depth](second)
        first, second = a[0, 0] * p + a[0, 1] * q, a[1, 0] * p + a[1, 1] * q
    torch.testing.assert_close(layer(*inputs)[0], first)
    torch.testing.assert_close(layer(*inputs)[1], second)


@pytest.mark.parametrize("recipe", [CrossStitch(), Sluice()], ids=repr)
def test_a_task_teaches_the_networks_of_the_others_unless_all_weight_is_on_its_own(recipe):
    for own, others_learn in ((0.9, True), (1.0, False)):
        layer = layer_of(recipe.__class__(self_weight=own))
        layer(*prepared_of())[0].square().sum().backward()
        for number, encoder in enumerate(layer.encoders):
            learns = any(bool(p.grad.any()) for p in encoder.parameters() if p.grad is not None)
            assert learns == (number == 0 or others_learn)


def test_a_sluice_mixes_subspaces_then_layers():
    layer, inputs = layer_of(Sluice(), 2), prepared_of()
    nn.init.normal_(layer.alphas)
    nn.init.normal_(layer.betas)
    own, layers = [encoder.embed(*inputs) for encoder in layer.encoders], []
    for depth in range(3):
        made = [encoder.blocks[depth](z) for encoder, z in zip(layer.encoders, own, strict=True)]
        parts = [part for z in made for part in z.chunk(2, dim=-1)]  # of tasks and parts: 00, 01, 10, 11
        matrix = layer.alphas[depth].reshape(4, 4)
        mixed = [sum(matrix[k, m] * parts[m] for m in range(4)) for k in range(4)]
        own = [torch.cat(mixed[:2], dim=-1), torch.cat(mixed[2:], dim=-1)]
        layers.append(own)
    for t, z in enumerate(layer(*inputs)):
        torch.testing.assert_close(z, sum(layer.betas[t, depth] * layers[depth][t] for depth in range(3)), rtol=1e-4, atol=1e-5)


@each_encoder
def test_subspaces_are_held_orthogonal(encoder):
    layer = layer_of(Sluice(orthogonality=0.5), 2, encoder=encoder)
    expected = 0.0
    for own in layer.encoders:
        for block in own.blocks:
            weight = {MLP: lambda b: b[0], ResNet: lambda b: b.layers[3], FTTransformer: lambda b: b.linear}[type(encoder)](
                block
            ).weight
            expected += 0.5 * sum(float(weight[i].detach() @ weight[j].detach()) ** 2 for i in range(4) for j in range(4, 8))
    torch.testing.assert_close(layer.penalty().detach(), torch.tensor(expected))
    assert layer_of(Sluice(orthogonality=0.0)).penalty() is None


def test_attention_follows_the_formula():
    layer, inputs = layer_of(MTAN(attention_width=5), 2), prepared_of()
    encoder, own = layer.encoder, layer.attentions[1]
    stages = [encoder.embed(*inputs)]
    for block in encoder.blocks:
        stages.append(block(stages[-1]))
    taken = own[0](stages[0]) * stages[1]
    taken = own[1](torch.cat([stages[1], layer.passes[0](taken)], dim=-1)) * stages[2]
    mask = own[2](torch.cat([stages[2], layer.passes[1](taken)], dim=-1))
    assert own[2][0].out_features == 5
    assert bool(((mask > 0) & (mask < 1)).all())
    torch.testing.assert_close(layer(*inputs)[1], mask * stages[3])


def test_the_penalty_is_the_mean_squared_distance_of_two_encoders():
    layer = layer_of(SoftSharing(strength=0.3, same_start=False))
    flat = [torch.cat([p.detach().flatten() for p in encoder.parameters()]) for encoder in layer.encoders]
    pairs = [(first - second).square().sum() for first, second in itertools.combinations(flat, 2)]
    torch.testing.assert_close(layer.penalty().detach(), 0.3 * torch.stack(pairs).mean(), rtol=1e-4, atol=1e-4)
    assert layer_of(SoftSharing(), 1).penalty() is None
    assert layer_of(SoftSharing()).penalty().item() < 1e-12
    drawn = build_module(ENCODERS[0], SoftSharing(), shape=SHAPE, tasks=tasks_of(3), initialization="he_normal")
    assert drawn.penalty().item() < 1e-12


@pytest.mark.parametrize("recipe", [SoftSharing(same_start=False), Sluice()], ids=repr)
def test_a_stack_has_the_penalty_of_each(recipe):
    modules = [build_module(ENCODERS[0], recipe, shape=SHAPE, tasks=tasks_of(3)) for _ in range(2)]
    torch.testing.assert_close(StackedNetworks(modules).penalty(), torch.stack([module.penalty() for module in modules]))


def test_the_stronger_the_penalty_the_nearer_the_encoders_stay():
    X = np.random.default_rng(0).normal(size=(80, 2))
    y, distances = np.stack([X[:, 0], -X[:, 1]], axis=1), []
    for strength in (0.0, 10.0):
        settings = {"max_epochs": 4, "learning_rate": 0.02, "validation": None, "random_state": 0}
        model = MultiTaskNetwork(encoder=MLP(width=8), sharing=SoftSharing(strength=strength), **settings).fit(X, y)
        first, second = (encoder.layers[0].weight for encoder in model.network_.module.sharing.encoders)
        distances.append(float((first - second).detach().norm()))
    assert distances[1] < 0.3 * distances[0]


# ------------------------------------------------------------------------------------------------- learning to branch


def test_branches_are_drawn_in_training_as_often_as_probable():
    layer = layer_of(LTB(temperature=0.5)).train()
    logits = torch.tensor([0.0, 1.0, -1.0]).repeat(20_000, 1)
    drawn = layer._chosen(logits)
    torch.testing.assert_close(drawn.sum(-1), torch.ones(20_000))
    torch.testing.assert_close(drawn.mean(0), logits[0].softmax(0), rtol=0, atol=0.015)  # four standard errors
    assert set(drawn.round(decimals=4).unique().tolist()) <= {0.0, 1.0}


def test_the_most_probable_branch_is_read_at_inference():
    layer, inputs = layer_of(LTB()), prepared_of()
    layer.branching[2].data[:] = torch.tensor([[0.0, 0.1, 0.0], [0.0, 0.0, 0.2], [0.0, 0.3, 0.0]])
    first, second, third = layer(*inputs)
    assert torch.equal(first, third)
    assert not torch.equal(first, second)
    assert torch.equal(first, layer(*inputs)[0])
    torch.testing.assert_close(layer.task_weights(), (30 * layer.branching[2]).softmax(-1))


def test_branching_learns_from_every_draw_and_blocks_where_they_were_read():
    layer, inputs = layer_of(LTB()).train(), prepared_of()
    with torch.no_grad():
        for logits in layer.branching:
            logits.copy_(1000 * torch.eye(3))  # each reads its own
    layer.temperature = 30_000.0  # whose slope is not lost
    layer(*inputs)[1].square().sum().backward()
    assert all(bool(logits.grad.any()) for logits in layer.branching)
    learned = [bool(node.layers[0].weight.grad.any()) for node in layer.encoders]
    assert learned == [False, True, False]


def test_networks_of_a_stack_draw_branches_of_their_own():
    modules = [build_module(MLP(width=8, dropout=0.0), LTB(), shape=SHAPE, tasks=tasks_of(3)) for _ in range(6)]
    for module in modules:
        module.load_state_dict(modules[0].state_dict())
    stack = StackedNetworks(modules)
    stack.set_training(True)
    torch.manual_seed(0)
    outputs = stack.forward(tuple(own.expand(6, *own.shape) for own in prepared_of()))
    assert len({tuple(own.flatten().tolist()) for own in outputs.detach()}) > 1


# --------------------------------------------------------------------------------------------------------- refusals


class Plain(nn.Module):
    """A user's own encoder without stages."""

    def __init__(self, shape):
        super().__init__()
        self.out_features = shape.n_numeric

    def prepare(self, numeric, categorical):
        return (numeric.float(),)

    def forward(self, numbers):
        return numbers


@pytest.mark.parametrize("recipe", [CrossStitch(), Sluice(), MTAN(), LTB()], ids=repr)
def test_an_encoder_that_shows_no_stages_is_refused(recipe):
    name = type(recipe).__name__
    with pytest.raises(
        OptionError, match=f"{name} reads the stages of an encoder, and Plain does not show them: it has no 'embed'"
    ):
        layer_of(recipe, encoder=recipe_of(Plain))
    with pytest.raises(OptionError, match=f"{name} reads the stages of an encoder, and this one has no layer"):
        layer_of(recipe, encoder=MLP(n_layers=0))


@pytest.mark.parametrize(
    "recipe, message",
    [
        (CrossStitch(self_weight=1.5), "`self_weight` of CrossStitch must be a number between 0 and 1; got 1.5"),
        (CrossStitch(per_channel="false"), "`per_channel` of CrossStitch must be True or False; got 'false'"),
        (CrossStitch(per_channel=None), "`per_channel` of CrossStitch must be True or False; got None"),
        (Sluice(n_subspaces=3), "must be a multiple of `n_subspaces` of Sluice; got 8 and 3"),
        (Sluice(orthogonality=-1.0), "`orthogonality` of Sluice must be a number >= 0; got -1.0"),
        (SoftSharing(strength=float("inf")), "`strength` of SoftSharing must be a number >= 0; got inf"),
        (LTB(temperature=0.0), "`temperature` of LTB must be a number >= 0.001; got 0.0"),
        (LTB(n_nodes=0), "`n_nodes` of LTB must be an integer >= 1; got 0"),
        (MTAN(attention_width=-1), "`attention_width` of MTAN must be an integer >= 0; got -1"),
    ],
    ids=repr,
)
def test_a_wrong_setting_is_told(recipe, message):
    with pytest.raises(OptionError, match=message):
        layer_of(recipe)
    with pytest.raises(OptionError, match="it is built by `build_on"):
        recipe.build(8, 3)


@pytest.mark.parametrize("recipe", [NoSharing(), SoftSharing()], ids=repr)
def test_gradients_are_not_balanced_where_no_parameter_is_shared(recipe):
    X = np.random.default_rng(0).normal(size=(80, 2))
    with pytest.raises(OptionError, match="no trained parameter is shared"):
        MultiTaskNetwork(sharing=recipe, balancing=PCGrad(), max_epochs=1).fit(X, X + 1)


def test_projections_of_texts_are_held_once(tmp_path):
    X = pd.DataFrame(
        {"x": np.arange(90) % 7, "note": [f"the {'good' if k % 2 else 'bad'} day number {k % 9} of the week" for k in range(90)]}
    )
    y = pd.DataFrame({"a": (np.arange(90) % 2).astype(float), "b": np.arange(90) % 7 + 0.5})
    model = MultiTaskNetwork(
        encoder=MLP(width=8), sharing=NoSharing(), column_kinds={"note": "text"}, max_epochs=3, random_state=0
    )
    model.fit(X, y)
    assert sum("texts" in name for name in model.network_.module.state_dict()) == 4
    save_estimator(model, tmp_path / "model")
    pd.testing.assert_frame_equal(load_estimator(tmp_path / "model").predict(X), model.predict(X))
