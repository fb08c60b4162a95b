"""Dropout of parts: masks, means, and where it is."""

import pandas as pd
import pytest
import torch
from torch import nn

from polytask._parts import part_of
from polytask.exceptions import OptionError
from polytask.networks import MLP, FTTransformer, HardSharing, MMoE, NoSharing, TableShape, TabM, build_module, sharing_of
from polytask.optim import Dropout, regularizers_of
from polytask.tasks import Regression
from polytask.training import StackedNetworks
from tests.training._problems import make_table, train_one

SHAPE = TableShape(3)
INPUTS = (torch.randn(40, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(40, 0, dtype=torch.long))
PLAIN = MLP(width=64, dropout=0.0)


def network(encoder=PLAIN, shares=None, /, *, n_tasks=2, seed=0, **dropout):
    frame = pd.DataFrame({"y": [1.0, 2.0]})
    task = Regression("y").fit(frame)
    task = task.with_statistics(task.encode(frame), torch.ones(2, 1).numpy())
    generator = torch.Generator().manual_seed(seed)
    shares = shares or HardSharing()
    return build_module(encoder, shares, shape=SHAPE, tasks=[task] * n_tasks, generator=generator, dropout=dropout)


def rates(module):
    """Rates of all that drops, by part."""
    found = {}
    for name, own in module.named_modules():
        if isinstance(own, nn.Dropout):
            found.setdefault(part_of(name), set()).add(own.p)
    return found


def read_by_heads(module):
    """What each head makes its outputs of in one pass."""
    read = []
    hooks = [head.linear.register_forward_pre_hook(lambda _, given: read.append(given[0].detach())) for head in module.heads]
    module(*INPUTS)
    for hook in hooks:
        hook.remove()
    return read


def test_every_head_drops_units_by_a_mask_of_its_own():
    module = network(heads=0.4)
    z = module.features(*INPUTS).detach()
    first, second = read_by_heads(module.train())
    for own in (first, second):
        kept = own != 0
        torch.testing.assert_close(own[kept], z[kept] / 0.6)
        assert abs(1 - float(kept[z != 0].float().mean()) - 0.4) < 0.06  # of 1,280 units: 4 standard errors
    live = z != 0
    both = ((first == 0) & (second == 0))[live].float().mean()
    assert abs(float(both) - 0.4**2) < 0.05


@pytest.mark.parametrize(
    ("sharing", "n_tasks", "on"),
    [("hard", 2, "heads"), ("hard", 10, "heads"), ("hard:tower_width=8", 2, "sharing"), ("mmoe:width=8", 2, "sharing")],
    ids=["heads", "heads that else are one product", "towers", "experts"],
)
def test_outputs_are_right_on_the_mean_and_as_without_it_in_prediction(sharing, n_tasks, on):
    module, plain = (network(PLAIN, sharing_of(sharing), n_tasks=n_tasks, **own) for own in ({on: 0.3}, {}))
    with torch.no_grad():
        expected = plain.eval()(*INPUTS)
        torch.testing.assert_close(module.eval()(*INPUTS), expected, rtol=0, atol=0)
        drawn = torch.stack([module.train()(*INPUTS) for _ in range(1500)])
    assert float(drawn.std(0).min()) > 0.001
    torch.testing.assert_close(drawn.mean(0), expected, rtol=0, atol=5 * float(drawn.std(0).max()) / 1500**0.5)


def test_a_rate_is_of_its_part_and_the_narrower_goes_before():
    sharing = MMoE(tower_width=8, dropout=0.2)
    assert rates(network(MLP(), sharing)) == {"encoder": {0.1}, "sharing": {0.2, 0.0}, "heads": {0.0}}
    assert rates(network(MLP(), sharing, sharing=0.5)) == {"encoder": {0.1}, "sharing": {0.5}, "heads": {0.0}}
    assert rates(network(MLP(), sharing, shared=0.4)) == {"encoder": {0.4}, "sharing": {0.4}, "heads": {0.0}}
    narrower = rates(network(MLP(), sharing, heads=0.0, encoder=0.6, all=0.4))
    assert narrower == {"encoder": {0.6}, "sharing": {0.4}, "heads": {0.0}}
    assert (sharing.dropout, MLP().dropout) == (0.2, 0.1)
    attending = rates(network(FTTransformer(width=16), encoder=0.5))
    assert attending["encoder"] == {0.5, 0.15, 0.0}  # those of attention and residuals stay


@pytest.mark.parametrize("sharing", ["hard:tower_width=8", "none", "mtan", "ltb", "ple:tower_width=8", "tabm:k=2,sharing=mmoe"])
def test_of_all_it_reaches_what_a_network_has(sharing):
    assert {rate for own in rates(network(PLAIN, sharing_of(sharing), all=0.3)).values() for rate in own} == {0.3}


def test_members_of_an_ensemble_have_masks_of_their_own():
    module = network(PLAIN, TabM(k=3), heads=0.5).train()
    read = []
    module.heads[0].dropout.register_forward_hook(lambda *own: read.append(own[2] == 0))
    module(*INPUTS)
    assert read[0].shape[:2] == (3, 40)
    assert not torch.equal(read[0][0], read[0][1])


def test_networks_of_a_stack_have_masks_of_their_own():
    stack = StackedNetworks([network(heads=0.5) for _ in range(2)])
    inputs = tuple(torch.stack([own, own]) for own in INPUTS)
    stack.set_training(True)
    first, second = stack.forward(inputs)
    assert not torch.allclose(first, second)
    stack.set_training(False)
    first, second = stack.forward(inputs)
    torch.testing.assert_close(first, second)


def test_an_export_has_none():
    module = network(PLAIN, MMoE(tower_width=8), all=0.5).eval()
    exported = torch.export.export(module, INPUTS)
    torch.testing.assert_close(exported.module()(*INPUTS), module(*INPUTS))
    drops = [node.args[2] for node in exported.graph.nodes if "dropout" in str(node.target)]
    assert not any(drops)  # whether in training


@pytest.mark.parametrize(
    ("encoder", "sharing", "on", "message"),
    [
        (
            PLAIN,
            HardSharing(),
            "sharing",
            "`on='sharing'` of Dropout reaches nothing: the sharing of this network has no experts",
        ),
        (PLAIN, NoSharing(), "sharing", "the sharing of this network has no experts or towers. Take another, such as 'heads'"),
        (MLP(n_layers=0), HardSharing(), "encoder", "the encoder of this network has no hidden units with a `dropout`"),
        (
            MLP(n_layers=0),
            HardSharing(),
            "shared",
            "hidden units with a `dropout` and the sharing of this network has no experts",
        ),
    ],
)
def test_a_part_with_nothing_to_drop_is_refused(encoder, sharing, on, message):
    with pytest.raises(OptionError, match=message):
        network(encoder, sharing, **{on: 0.3})


def test_texts_and_values():
    assert regularizers_of("dropout:rate=0.2,on=heads;dropout:on=encoder") == [Dropout(0.2, on="heads"), Dropout(on="encoder")]
    with pytest.raises(OptionError, match=r"Dropout of 'heads' is given twice in `regularization`. Give one\.$"):
        regularizers_of("dropout:on=heads;dropout:rate=0.2,on=heads")
    for wrong in ("dropout:rate=1", "dropout:rate=-0.1", "dropout:on=inputs", "dropout:strength=1"):
        with pytest.raises(OptionError, match=r"must be|no setting"):
            regularizers_of(wrong)


def test_the_loop_refuses_what_networks_are_built_with():
    with pytest.raises(OptionError, match="Dropout is of networks as they are built: pass `dropout` to `build_module`"):
        train_one(make_table(), regularization=Dropout(), max_epochs=1)
