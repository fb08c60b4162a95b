"""Table inputs and the MLP encoder, against modules of torch."""

import pytest
import torch
from torch import nn

from polytask.exceptions import OptionError
from polytask.networks import MLP, TableShape
from polytask.networks.encoders import TableInputs
from polytask.networks.encoders._table_inputs import MAX_ONE_HOT

NAN = float("nan")


def test_numbers_flags_and_small_categories_stand_side_by_side():
    inputs = TableInputs(TableShape(2, with_missing=(1,), cardinalities=(3, MAX_ONE_HOT + 8)), numeric="standard")
    numeric = torch.tensor([[1.0, NAN], [3.0, 4.0]], dtype=torch.float64)
    dense, codes = inputs.prepare(numeric, torch.tensor([[2, 5], [0, 19]]))
    assert dense.tolist() == [[1, 0, 1, 0, 0, 1], [3, 4, 0, 1, 0, 0]]
    assert codes.tolist() == [[5], [19]]


def test_large_categories_are_embedded():
    inputs = TableInputs(TableShape(1, cardinalities=(50, 20)))
    dense, codes = inputs.prepare(torch.zeros(3, 1, dtype=torch.float64), torch.tensor([[49, 0], [1, 19], [0, 0]]))
    out = inputs(dense, codes)
    widths = [e.embedding_dim for e in inputs.embeddings]
    assert out.shape == (3, inputs.out_features) == (3, 1 + sum(widths))
    assert torch.equal(out[0, 1 : 1 + widths[0]], inputs.embeddings[0].weight[49])
    assert torch.equal(out[0, 1 + widths[0] :], inputs.embeddings[1].weight[0])


@pytest.mark.parametrize("cardinality", [1, 2, MAX_ONE_HOT, MAX_ONE_HOT + 1, 1000, 10**6])
def test_the_width_of_a_category_is_bounded(cardinality):
    assert 1 <= TableInputs(TableShape(0, cardinalities=(cardinality,))).out_features <= 32


def test_preparation_has_no_parameters_and_is_done_once():
    inputs = TableInputs(TableShape(2, cardinalities=(3,)))
    assert list(inputs.parameters()) == []


def encoder(shape=None, **settings):
    return MLP(**settings).build(shape or TableShape(3))


def prepared(n=6):
    return torch.randn(n, 3), torch.zeros(n, 0, dtype=torch.long)


@pytest.mark.parametrize("activation, module", [("relu", nn.ReLU), ("gelu", nn.GELU), ("silu", nn.SiLU), ("tanh", nn.Tanh)])
def test_the_encoder_is_a_plain_mlp(activation, module):
    own = encoder(n_layers=2, width=8, dropout=0.0, activation=activation)
    plain = nn.Sequential(nn.Linear(3, 8), module(), nn.Linear(8, 8), module())
    plain[0].load_state_dict(own.layers[0].state_dict())
    plain[2].load_state_dict(own.layers[3].state_dict())
    dense, codes = prepared()
    torch.testing.assert_close(own(dense, codes), plain(dense))


def test_dropout_acts_in_training_only():
    own = encoder(dropout=0.5)
    dense, codes = prepared()
    assert not torch.equal(own(dense, codes), own(dense, codes))
    own.eval()
    assert torch.equal(own(dense, codes), own(dense, codes))


def test_no_layers_give_the_inputs_themselves():
    own = encoder(n_layers=0)
    dense, codes = prepared()
    assert own.out_features == 3
    assert torch.equal(own(dense, codes), dense)


def test_statistics_of_the_training_rows_scale_all_rows():
    own = encoder(numeric="standard")
    numbers = torch.tensor([[0.0, 0.0, 0.0], [2.0, 4.0, 6.0]], dtype=torch.float64)
    own.fit_statistics(numbers)
    dense, _ = own.prepare(torch.tensor([[1.0, 2.0, 9.0]], dtype=torch.float64), torch.zeros(1, 0, dtype=torch.long))
    assert dense.tolist() == [[0, 0, 2]]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"n_layers": -1}, "`n_layers` of MLP must be an integer >= 0"),
        ({"width": 0}, "`width` of MLP must be an integer >= 1; got 0"),
        ({"dropout": 1.0}, r"`dropout` of MLP must be in \[0, 1\); got 1.0"),
        ({"dropout": -0.1}, "`dropout` of MLP"),
        ({"activation": "step"}, "must be one of relu, gelu, silu, tanh; got 'step'"),
        ({"numeric": "log"}, "got 'log'"),
    ],
)
def test_a_wrong_setting_is_told_when_the_module_is_built(settings, message):
    with pytest.raises(OptionError, match=message):
        encoder(**settings)
