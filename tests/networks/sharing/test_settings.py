"""Settings of sharing architectures as text and as values: what is read, what is refused, and in which words."""

import numpy as np
import pytest

from polytask._parts import is_matrix, is_penalized
from polytask.exceptions import OptionError, PolytaskWarning
from polytask.networks import (
    ESMM,
    MLP,
    STEM,
    HardSharing,
    MMoE,
    NoSharing,
    ResNet,
    Sluice,
    SoftSharing,
    TableShape,
    TabM,
    sharing_of,
    sharing_text,
)
from polytask.networks.sharing._none import NoSharingLayer
from polytask.optim import L1, SoftOrthogonality
from tests.networks.sharing._cases import inputs_of, module_of

SHAPE = TableShape(3, cardinalities=(5,))


def test_none_within_a_wrapper_is_no_sharing():
    recipe = sharing_of("esmm:parent=a,child=b,sharing=none")
    assert isinstance(recipe._inside(), NoSharing)
    assert isinstance(recipe.build_on(lambda: MLP(width=8).build(SHAPE), 2), NoSharingLayer)
    assert sharing_text(recipe) == "esmm:child=b,parent=a,sharing=none"
    assert isinstance(ESMM("a", "b")._inside(), HardSharing)


def test_none_is_refused_in_words_where_members_read_common_features():
    with pytest.raises(OptionError, match=r"`sharing` of TabM must be an architecture that reads features.* got NoSharing"):
        sharing_of("tabm:sharing=none")


@pytest.mark.parametrize("n_subspaces", [3, 8, 16])
def test_any_number_of_subspaces_can_be_given_as_text(n_subspaces):
    recipe = sharing_of(f"sluice:n_subspaces={n_subspaces}")
    assert recipe.get_params() == Sluice(n_subspaces=n_subspaces).get_params()
    assert sharing_text(recipe) == f"sluice:n_subspaces={n_subspaces}"
    with pytest.raises(OptionError, match="width of the encoder must be a multiple"):
        recipe.build_on(lambda: MLP(width=n_subspaces + 1).build(SHAPE), 2)


def test_stem_without_a_table_is_refused():
    with pytest.raises(OptionError, match="all categorical columns here are small ones"):
        STEM(width=4).build_on(lambda: MLP(n_layers=0).build(SHAPE), 2)
    large = TableShape(3, cardinalities=(5, 30))
    for encoder, shape in [(MLP(n_layers=1, width=4), SHAPE), (MLP(n_layers=0), large)]:
        STEM(width=4).build_on(lambda own=encoder, of=shape: own.build(of), 2)


@pytest.mark.parametrize("value", [1.5, "a", -1, True])
def test_a_tower_width_that_is_no_count_is_told(value):
    with pytest.raises(OptionError, match=r"`tower_width` of HardSharing must be an integer >= 0; got"):
        HardSharing(tower_width=value).build(4, 2)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (MLP(width=8.0), r"`width` of MLP must be an integer >= 1; got 8\.0"),
        (MLP(n_layers=1.5), r"`n_layers` of MLP must be an integer >= 0; got 1\.5"),
        (MLP(dropout="a"), r"`dropout` of MLP must be in \[0, 1\); got 'a'"),
        (ResNet(n_blocks=1.5), r"`n_blocks` of ResNet must be an integer >= 1; got 1\.5"),
        (ResNet(hidden_factor="2"), r"`hidden_factor` of ResNet must be a number >= 0; got '2'"),
    ],
)
def test_settings_of_another_kind_are_told(recipe, words):
    with pytest.raises(OptionError, match=words):
        recipe.build(SHAPE)


def test_numbers_of_numpy_are_numbers():
    assert MLP(width=np.int64(8), dropout=np.float32(0.5)).build(SHAPE).out_features == 8
    assert MMoE(n_experts=np.int64(2), width=np.int64(4)).build(3, 2).out_features == 4


def test_a_start_that_is_neither_true_nor_false_is_told():
    with pytest.raises(OptionError, match="`same_start` of SoftSharing must be True or False; got 'no'"):
        SoftSharing(same_start="no").build_on(lambda: MLP(width=4).build(SHAPE), 2)


def test_a_number_of_chosen_experts_that_changes_nothing_is_told():
    with pytest.warns(PolytaskWarning, match="with 'softmax' every task reads all 4 experts, and k=3 changes nothing"):
        MMoE(n_experts=4, k=3).build(3, 2)


def test_signs_of_members_are_no_weights():
    module = module_of(TabM(MMoE(n_experts=2, width=8), k=3))
    own = dict(module.named_parameters())
    assert not is_matrix("sharing.signs")
    before = own["sharing.signs"].detach().clone()
    L1(1.0, on="all").shrink_(own, lambda name: 10.0, columns={})
    assert (own["sharing.signs"] == before).all()
    assert not own["sharing.layer.experts.weights.0"].any()
    gates = [name for name in own if ".gates." in name]
    assert gates
    assert all(own[name].any() for name in gates)  # decayed, but not set to zero
    assert all(is_matrix(name) and not is_penalized(name) for name in gates)


@pytest.mark.parametrize("sharing", ["adapters", "mmoe", "tabm"])
def test_orthogonality_is_of_layers_only(sharing):
    module = module_of(sharing_of(sharing))
    SoftOrthogonality(1.0).penalty(dict(module.named_parameters()), n_replicas=None).backward()
    reached = {name for name, p in module.named_parameters() if p.grad is not None}
    assert reached
    assert not any(word in name for name in reached for word in (".gates.", ".adapters.", "signs"))


def test_what_adapters_add_is_told_as_a_share_of_norms():
    module = module_of(sharing_of("adapters:n_layers=2,width=8"))
    sharing, inputs = module.sharing, inputs_of(module)
    n_tasks = sharing.n_tasks
    for name, parameter in sharing.named_parameters():
        parameter.data.mul_(0.0 if name.endswith("up") else 1.0)
    start = module.task_weights(*inputs)
    assert start[:, :-1].count_nonzero() == 0
    sharing.adapters[0][1].up.data.fill_(0.5)
    found = module.task_weights(*inputs)
    added = (sharing.scale * sharing.adapters[0][1].up @ sharing.adapters[0][1].down).norm()
    expected = (added / (added + sharing.layers[0].weight.norm()) / 2).item()  # the second layer has none
    assert found[1, 1].item() == pytest.approx(expected)
    assert found.sum(1).tolist() == pytest.approx([1.0] * n_tasks)
    assert sharing.part_names(["a", "b"])[-1] == "shared"
    inside = module_of(TabM("adapters:width=8", k=3))
    assert inside.task_weights(*inputs_of(inside)).shape == (n_tasks, n_tasks + 1)


def test_masks_of_mtan_are_told_by_stage():
    module = module_of(sharing_of("mtan"))
    for parameter in module.sharing.attentions.parameters():
        parameter.data.zero_()
    module.sharing.attentions[0][1][2].bias.data.fill_(100.0)  # the first task lets all of the second stage through
    found = module.task_weights(*inputs_of(module))
    assert found[0].tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert found[1].tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert module.sharing.part_names(["a", "b"]) == ["stage 1", "stage 2", "left out"]
