"""The stages of encoders, and the FT-Transformer against the authors' package."""

import numpy as np
import pytest
import rtdl_revisiting_models as rtdl
import torch

from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob, _fit_networks
from polytask.exceptions import OptionError
from polytask.networks import MLP, FTTransformer, ResNet, TableShape
from polytask.training import StackedNetworks

SHAPE = TableShape(3, with_missing=(0, 2), cardinalities=(4, 30), vocabularies=(9,))
ENCODERS = [MLP(n_layers=3, width=6), MLP(n_layers=0), ResNet(width=6), FTTransformer(width=6, n_heads=2)]


def prepared_of(encoder, *, n=7):
    torch.manual_seed(0)
    numeric = torch.randn(n, 3, dtype=torch.float64)
    numeric[::3, 2] = torch.nan
    codes = torch.stack([torch.randint(0, 4, (n,)), torch.randint(0, 30, (n,))], dim=1)
    words = torch.randint(0, 9, (n, 2)), torch.ones(n, 2)
    encoder.fit_statistics(numeric, *words)
    return encoder.prepare(numeric, codes, *words)


@pytest.mark.parametrize("recipe", ENCODERS, ids=repr)
def test_an_encoder_is_its_stages_one_after_the_other(recipe):
    encoder = recipe.build(SHAPE).eval()
    prepared = prepared_of(encoder)
    stages = [encoder.embed(*prepared)]
    for block in encoder.blocks:
        stages.append(block(stages[-1]))
    assert [stage.shape[-1] for stage in stages] == list(encoder.stage_features)
    assert torch.equal(encoder.finish(stages[-1]), encoder(*prepared))


def test_showing_stages_left_the_names_of_parameters():
    names = list(MLP(width=4).build(TableShape(2)).state_dict())
    assert names == [
        "inputs.scaling.center",
        "inputs.scaling.scale",
        *(f"layers.{k}.{own}" for k in (0, 3) for own in ("weight", "bias")),
    ]


def test_the_ft_transformer_is_that_of_the_authors():
    own = FTTransformer(n_blocks=3, width=8, n_heads=2).build(TableShape(3, cardinalities=(4, 30))).eval()
    theirs = rtdl.FTTransformerBackbone(
        d_out=None,
        n_blocks=3,
        d_block=8,
        attention_n_heads=2,
        attention_dropout=0.15,
        ffn_d_hidden_multiplier=4 / 3,
        ffn_dropout=0.05,
        residual_dropout=0.0,
    ).eval()
    for block, other in zip(own.blocks, theirs.blocks, strict=True):
        pairs = zip(("W_q", "W_k", "W_v", "W_out"), ("query", "key", "value", "out"), strict=True)
        for name, mine in pairs:
            setattr(other["attention"], name, getattr(block.attention, mine))
        other["ffn"].linear1, other["ffn"].linear2 = block.gated, block.linear
        other["ffn_normalization"] = block.norm
        if "attention_normalization" in other:
            other["attention_normalization"] = block.attention_norm
    tokens = own.inputs
    numbers, categories = rtdl.LinearEmbeddings(3, 8), rtdl.CategoricalEmbeddings([4, 30], 8)
    numbers.weight.data, numbers.bias.data = tokens.number_embeddings.weight.data[:, 0], tokens.bias.data[:3]
    categories.embeddings[0].weight.data, categories.embeddings[1].weight.data = (
        tokens.small_embeddings[0].data,
        tokens.embeddings[0].weight.data,
    )
    categories.bias.data = tokens.bias.data[3:]

    numeric, codes = torch.randn(9, 3, dtype=torch.float64), torch.stack([torch.arange(9) % 4, torch.arange(9)], dim=1)
    own.fit_statistics(numeric)
    dense, left = own.prepare(numeric, codes)
    first = tokens.first_embedding.expand(9, 1, -1)
    expected = theirs(torch.cat([first, numbers(dense[:, :3]), categories(codes)], dim=1))
    torch.testing.assert_close(own(dense, left), own.norm(expected).relu())


def test_a_missing_number_has_a_vector_of_its_column():
    encoder = FTTransformer(width=4, n_heads=2).build(TableShape(3, with_missing=(2,)))
    numeric = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, torch.nan]], dtype=torch.float64)
    encoder.fit_statistics(numeric)
    known, missing = encoder.inputs(*encoder.prepare(numeric, torch.zeros(2, 0, dtype=torch.long)))
    assert torch.equal(known[:3], missing[:3])
    torch.testing.assert_close(missing[3] - known[3], encoder.inputs.missing_embeddings[0])


def test_a_table_of_one_kind_of_columns_becomes_tokens():
    for shape, n_tokens in ((TableShape(2), 3), (TableShape(0, cardinalities=(3,)), 2), (TableShape(0, cardinalities=(30,)), 2)):
        encoder = FTTransformer(width=4, n_heads=2).build(shape)
        prepared = encoder.prepare(
            torch.zeros(5, shape.n_numeric, dtype=torch.float64), torch.zeros(5, len(shape.cardinalities), dtype=torch.long)
        )
        assert encoder.embed(*prepared).shape == (5, n_tokens, 4)
        assert encoder(*prepared).shape == (5, 4)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"n_blocks": 0}, "`n_blocks` of FTTransformer must be an integer >= 1"),
        ({"width": 12}, "`width` of FTTransformer must be a multiple of `n_heads`; got 12 and 8"),
        ({"attention_dropout": 1.0}, r"`attention_dropout` of FTTransformer must be in \[0, 1\); got 1.0"),
    ],
)
def test_a_wrong_setting_is_told(settings, message):
    with pytest.raises(OptionError, match=message):
        FTTransformer(**settings).build(TableShape(2))


def test_networks_whose_stacks_do_not_pay_are_trained_one_after_another(monkeypatch):
    X = np.random.default_rng(0).normal(size=(60, 2))
    sizes = []
    monkeypatch.setattr(_fit_networks, "StackedNetworks", lambda parts: sizes.append(len(parts)) or StackedNetworks(parts))
    for encoder in (MLP(width=4), FTTransformer(n_blocks=1, width=4, n_heads=2)):
        model = MultiTaskNetwork(encoder=encoder, max_epochs=1)
        arrays, labels = model._read_training_data(X, X)
        jobs = [NetworkJob(np.arange(40), np.arange(40, 60), np.ones(2, dtype=bool), seed) for seed in (0, 1)]
        assert len(model.fit_jobs(jobs, CodedTable(arrays, ()), labels, np.ones((60, 2)))) == 2
    assert sizes == [2]
