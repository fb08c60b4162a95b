"""Initializations: variances as said, of matrices and of experts alike; parts; what would never learn is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from polytask.exceptions import OptionError
from polytask.networks import MLP, ResNet, TableShape, build_module, sharing_of
from polytask.networks.initialization import (
    INITIALIZERS,
    HeNormal,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Zeros,
    initialization_of,
)
from polytask.tasks import Binary, Regression

OUT, IN = 60, 240
VARIANCES = {
    "glorot_uniform": 2 / (IN + OUT),
    "glorot_normal": 2 / (IN + OUT),
    "he_uniform": 2 / IN,
    "he_normal": 2 / IN,
    "lecun_uniform": 1 / IN,
    "lecun_normal": 1 / IN,
    "truncated_normal": 1 / IN,
    "sparse": 2 / IN,
    "orthogonal": 1 / IN,
}
SHAPES = [(OUT, IN), (5, OUT, IN)]


def filled(name, shape, seed=0):
    torch.manual_seed(seed)
    return initialization_of(name)["encoder"].fill_(torch.empty(*shape))


def tasks_of():
    y = pd.DataFrame({"price": [1.0, 2.0, 6.0], "sold": [0.0, 1.0, 1.0]})
    found = []
    for declared in (Regression("price"), Binary("sold")):
        task = declared.fit(y)
        target = task.encode(y)
        found.append(task.with_statistics(target, np.ones_like(target)))
    return found


def module_of(initialization, *, encoder=None, sharing="hard", seed=0, shape=None):
    shape = shape or TableShape(4, cardinalities=(20,))
    return build_module(
        encoder or MLP(width=16),
        sharing_of(sharing),
        shape=shape,
        tasks=tasks_of(),
        generator=torch.Generator().manual_seed(seed),
        initialization=initialization,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", VARIANCES)
def test_variance_is_that_of_the_paper_for_a_matrix_and_for_each_expert(name, shape):
    """The fan of an expert is its own, not that of all experts. The bounds are those of a chi-squared test at 1 in 10,000."""
    weight = filled(name, shape)
    for own in weight.view(-1, OUT, IN):
        n, ratio = own.numel(), float(own.square().mean()) / VARIANCES[name]
        kurtosis = {"sparse": 15.0}.get(name, 3.0)  # of a normal value; of one that is 0 four times in five
        assert abs(ratio - 1) < 4 * np.sqrt((kurtosis - 1) / n), ratio
        assert abs(float(own.mean())) < 4 * np.sqrt(VARIANCES[name] / n)


@pytest.mark.parametrize("name", ["glorot", "he", "lecun"])
def test_shapes_of_the_distributions_are_uniform_and_normal(name):
    std = np.sqrt(VARIANCES[f"{name}_normal"])
    uniform = filled(f"{name}_uniform", (OUT, IN)).ravel().numpy() / std
    normal = filled(f"{name}_normal", (OUT, IN)).ravel().numpy() / std
    assert stats.kstest(uniform, "uniform", (-np.sqrt(3), 2 * np.sqrt(3))).pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3


def test_truncated_values_stay_within_twice_the_scale():
    weight = TruncatedNormal(std=0.02).fill_(torch.empty(300, 300))
    assert abs(float(weight.std()) / 0.02 - 1) < 0.02
    assert float(weight.abs().max()) <= 2 * 0.02 / stats.truncnorm.std(-2, 2) + 1e-6


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 3, 5), (2, 5, 3)])
def test_orthogonal_matrices_are_orthonormal_on_their_shorter_side(shape):
    weight = Orthogonal(gain=2.0).fill_(torch.empty(*shape))
    product = weight @ weight.mT if shape[-2] < shape[-1] else weight.mT @ weight
    torch.testing.assert_close(product, 4 * torch.eye(3).expand_as(product), atol=1e-5, rtol=0)


def test_every_unit_of_a_sparse_layer_reads_the_same_number_of_inputs():
    weight = Sparse(sparsity=0.75).fill_(torch.empty(2, 9, 8))
    assert (weight != 0).sum(-1).unique().tolist() == [2]
    assert (weight != 0).any(-2).any(0).all()  # other inputs for other units
    assert (Sparse(sparsity=0.99).fill_(torch.empty(9, 8)) != 0).sum(-1).unique().tolist() == [1]


def test_the_default_is_what_it_was():
    torch.manual_seed(0)
    first, second = module_of(None).state_dict(), module_of(None).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    bound = 16**-0.5
    assert float(first["heads.0.linear.weight"].abs().max()) <= bound


@pytest.mark.parametrize("name", [name for name in INITIALIZERS.classes if name != "zeros"])
def test_parts_that_are_not_named_and_output_biases_stay(name):
    plain, own = module_of(None), module_of({"encoder": name})
    for key, p in plain.named_parameters():
        changed = key.startswith("encoder.layers")
        assert torch.equal(p, dict(own.named_parameters())[key]) is not changed, key
    assert not own.encoder.layers[0].bias.any()
    everywhere = module_of(name)
    assert torch.equal(everywhere.heads[0].bias, plain.heads[0].bias)
    assert not torch.equal(everywhere.heads[0].linear.weight, plain.heads[0].linear.weight)


def test_experts_towers_and_encoders_of_a_sharing_are_reached():
    plain, own = module_of(None, sharing="mmoe:tower_width=5"), module_of("he_normal", sharing="mmoe:tower_width=5")
    changed = {key for key, p in plain.named_parameters() if not torch.equal(p, dict(own.named_parameters())[key])}
    assert {"sharing.experts.weights.0", "sharing.towers.0.0.weight"} <= changed
    assert not any(".gates." in key for key in changed)  # those of DSelect-k start small, or would never move
    assert not own.sharing.experts.biases[0].any()
    variance = float(own.sharing.experts.weights[0].detach().square().mean())
    assert abs(variance / (2 / 16) - 1) < 0.1
    plain, own = module_of(None, sharing="cross_stitch"), module_of({"encoder": "he_normal"}, sharing="cross_stitch")
    changed = {key for key, p in plain.named_parameters() if not torch.equal(p, dict(own.named_parameters())[key])}
    assert changed
    assert all(key.startswith("sharing.encoders.") and "embedding" not in key for key in changed)


def test_the_same_seed_gives_the_same_start():
    first, second, other = (module_of("sparse", seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["encoder.layers.0.weight"], other["encoder.layers.0.weight"])


def test_zeros_are_for_heads_which_then_predict_the_constant():
    module = module_of({"heads": "zeros"}).eval()
    numbers = torch.randn(5, 4, dtype=torch.float64)
    outputs = module(*module.prepare(numbers, torch.zeros(5, 1, dtype=torch.long)))
    constants = torch.tensor(np.concatenate([task.constant_raw() for task in tasks_of()]), dtype=torch.float32)
    torch.testing.assert_close(outputs, constants.expand(5, -1))


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("zeros", {}),
        ({"encoder": Zeros()}, {"encoder": ResNet(width=8)}),
        ("sharing=zeros", {"sharing": "hard:tower_width=4"}),
        ("zeros", {"encoder": MLP(n_layers=0), "sharing": "mmoe"}),
    ],
)
def test_zeros_are_refused_where_hidden_units_would_stay_alike(given, options):
    with pytest.raises(OptionError, match=r"stay alike for ever. .* initialization='heads=zeros'\)\.$"):
        module_of(given, **options)


def test_zeros_are_fine_where_there_is_no_hidden_layer():
    module = module_of("zeros", encoder=MLP(n_layers=0))
    assert not any(head.linear.weight.any() for head in module.heads)


def test_names_settings_and_json_mean_the_same():
    given = {"encoder": HeNormal(), "heads": "truncated_normal:std=0.01"}
    made = initialization_of(given)
    assert made == initialization_of("encoder=he-normal;heads=truncated_normal:std=0.01")
    assert INITIALIZERS.from_json(json.loads(json.dumps(INITIALIZERS.to_json(made)))) == made
    assert INITIALIZERS.text(made) == "encoder=he_normal;heads=truncated_normal:std=0.01"


@pytest.mark.parametrize("given", ["he_norml", "sparse:sparsity=1", "orthogonal:gain=0", "head=zeros", {"a": "zeros"}, 1, Zeros])
def test_what_cannot_be_used_is_refused(given):
    with pytest.raises(OptionError, match=r"Did you mean|must be"):
        initialization_of(given)


@pytest.mark.parametrize("given", ["sharing=he_normal", {"encoder": HeNormal(), "sharing": HeNormal(), "heads": Zeros()}])
def test_a_part_that_is_named_and_has_no_layers_is_told(given):
    with pytest.raises(OptionError, match="names the part 'sharing', and this network has no layer there"):
        module_of(given, sharing="hard")
    module_of(given, sharing="hard:tower_width=4")
    module_of("he_normal", sharing="hard")  # for all parts, whichever there are
