"""Optimizers by name and by part: the steps are those of torch; what cannot be used is refused."""

import json

import pytest
import torch
from sklearn.base import clone

from polytask.exceptions import OptionError
from polytask.optim import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    NAdam,
    RAdam,
    RMSprop,
    optimizers_of,
    part_of,
    part_optimizers,
)

OF_TORCH = {
    "sgd": (SGD(momentum=0.8, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True)),
    "adam": (Adam(beta1=0.8), lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.999), weight_decay=0.0)),
    "adamw": (AdamW(beta1=0.8), lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.999), weight_decay=0.0)),
    "adagrad": (Adagrad(eps=1e-3), lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-3)),
    "adadelta": (Adadelta(rho=0.5), lambda p: torch.optim.Adadelta(p, lr=0.1, rho=0.5)),
    "rmsprop": (RMSprop(momentum=0.5), lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.5)),
    "nadam": (NAdam(), lambda p: torch.optim.NAdam(p, lr=0.1)),
    "radam": (RAdam(), lambda p: torch.optim.RAdam(p, lr=0.1)),
    "adamax": (Adamax(), lambda p: torch.optim.Adamax(p, lr=0.1)),
}


def network(seed=0):
    torch.manual_seed(seed)
    encoder, heads = torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)
    return torch.nn.ModuleDict({"encoder": encoder, "heads": heads})


def steps(optimizer, own, n=6):
    for k in range(n):
        optimizer.zero_grad()
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(k))
        own["heads"](own["encoder"](x).relu()).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OF_TORCH)
def test_steps_are_those_of_torch(name):
    ours, theirs = network(), network()
    optimizer, of_torch = OF_TORCH[name]
    steps(part_optimizers(dict(ours.named_parameters()), optimizer, learning_rate=0.1, weight_decay=0.0), ours)
    steps(of_torch(theirs.parameters()), theirs)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


def test_every_optimizer_has_such_a_test():
    assert {*OF_TORCH, "muon"} == set(OPTIMIZERS.classes)


@pytest.mark.parametrize("name", ["sgd", "adagrad", "nadam", "adamw"])
def test_decay_is_decoupled_and_spares_biases(name):
    """Without gradients only the decay is left: each step takes lr * decay of the matrices."""
    own = network()
    before = {key: p.detach().clone() for key, p in own.named_parameters()}
    made = part_optimizers(dict(own.named_parameters()), name, learning_rate=0.1, weight_decay=0.5)
    for _ in range(3):
        for p in own.parameters():
            p.grad = torch.zeros_like(p)
        made.step()
    for key, p in own.named_parameters():
        torch.testing.assert_close(p.detach(), before[key] * (1 if key.endswith("bias") else 0.95**3))


def test_decay_of_adam_is_part_of_the_gradient_as_in_its_paper():
    ours, theirs = network(), network()
    steps(part_optimizers(dict(ours.named_parameters()), "adam", learning_rate=0.1, weight_decay=0.3), ours)
    groups = [{"params": [p], "weight_decay": 0.3 * (p.dim() > 1)} for p in theirs.parameters()]
    steps(torch.optim.Adam(groups, lr=0.1), theirs)
    torch.testing.assert_close(ours["encoder"].weight, theirs["encoder"].weight, rtol=1e-5, atol=1e-6)


def test_each_part_has_its_own_optimizer_rate_and_decay():
    own = network()
    given = {"encoder": SGD(learning_rate=0.5, weight_decay=0.2), "heads": "adagrad:learning_rate=0.01"}
    made = part_optimizers(dict(own.named_parameters()), given, learning_rate=0.1, weight_decay=0.0)
    assert [type(member) for member in made.members] == [torch.optim.SGD, torch.optim.Adagrad]
    assert [group["rate"] for group in made.param_groups] == [0.5, 0.5, 0.01, 0.01]
    assert [group["decoupled_decay"] for group in made.param_groups] == [0.2, 0.0, 0.0, 0.0]
    found = [id(p) for group in made.param_groups for p in group["params"]]
    assert sorted(found) == sorted(id(p) for p in own.parameters())


def test_muon_takes_hidden_matrices_and_leaves_the_rest_to_adamw():
    own = network()
    made = part_optimizers(dict(own.named_parameters()), "muon", learning_rate=0.1, weight_decay=0.0)
    kinds = {id(p): type(member).__name__ for member in made.members for group in member.param_groups for p in group["params"]}
    assert kinds[id(own["encoder"].weight)] == "Muon"
    assert {kinds[id(p)] for p in (own["encoder"].bias, *own["heads"].parameters())} == {"AdamW"}
    before = own["encoder"].weight.detach().clone()
    own["encoder"].weight.grad = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([[9.0], [1], [1]])
    made.step()
    singular = torch.linalg.svdvals((own["encoder"].weight - before).detach())  # a step of equal length in every direction
    assert singular.max() / singular.min() < 3
    assert not Muon.elementwise


def test_muon_without_a_hidden_layer_is_told_of_the_whole_network():
    own = dict(torch.nn.ModuleDict({"heads": torch.nn.Linear(2, 1)}).named_parameters())
    with pytest.raises(OptionError, match="`optimizer` is Muon, and this network has no matrix of a hidden layer"):
        part_optimizers(own, "muon", learning_rate=0.1, weight_decay=0.0)
    with pytest.raises(OptionError, match="`optimizer` names the part 'encoder', and this network has no parameters there"):
        part_optimizers(own, {"encoder": "muon"}, learning_rate=0.1, weight_decay=0.0)


def test_parts_are_read_from_names():
    names = ["encoder.layers.0.weight", "sharing.towers.1.0.weight", "heads.0.bias", "module.sharing.encoders.2.first.bias"]
    assert [part_of(name) for name in names] == ["encoder", "sharing", "heads", "encoder"]


def test_text_settings_and_json_mean_the_same():
    made = SGD(momentum=0.5, learning_rate=0.2)
    assert optimizers_of("SGD:momentum=0.5,learning_rate=0.2")["encoder"] == made
    assert OPTIMIZERS.text(made) == "sgd:momentum=0.5,learning_rate=0.2"
    by_part = {"heads": made, "encoder": Adam()}
    assert optimizers_of(OPTIMIZERS.text(by_part)) == optimizers_of(by_part)
    assert OPTIMIZERS.from_json(json.loads(json.dumps(OPTIMIZERS.to_json(by_part)))) == by_part
    assert clone(made) == made
    assert clone(made) is not made
    assert clone(made).set_params(momentum=0.1) == SGD(momentum=0.1, learning_rate=0.2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("lbfgs", "needs the loss of all rows"),
        ({"heads": "L-BFGS"}, "needs the loss of all rows"),
        ("adan", "Did you mean 'adam'"),
        ("sgd:momentun=0.9", "Did you mean 'momentum'"),
        ("sgd:momentum=1.5", r"in \[0, 1\)"),
        ("sgd:momentum=fast", r"must be a number|in \[0, 1\)"),
        ("sgd:momentum=0,nesterov=true", "above 0"),
        ("adamw:learning_rate=-1", "must be positive"),
        ("adamw:weight_decay=-1", "must be >= 0"),
        ({"head": "sgd"}, "Did you mean 'heads'"),
        ("encoder=sgd;adam", "PART=NAME"),
        (SGD, "the class SGD, not an object"),
        (0.1, "must be an optimizer"),
    ],
)
def test_what_cannot_be_used_is_refused(given, words):
    with pytest.raises(OptionError, match=words):
        optimizers_of(given)
