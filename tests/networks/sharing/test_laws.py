"""Laws that every sharing architecture obeys."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from polytask.balancing import Equal, PCGrad, shared_parameters
from polytask.estimators import MultiTaskNetwork, load_estimator, save_estimator
from polytask.exceptions import OptionError
from polytask.networks import MLP, HardSharing, recipe_from_dict, recipe_to_dict, sharing_names, sharing_of, sharing_text
from polytask.networks.initialization import initialization_of, initialize_
from polytask.networks.sharing._experts import Experts
from polytask.training import BalancedStep, OneNetwork, StackedNetworks, TrainingData
from tests.networks.sharing._cases import CASES, N_ROWS, inputs_of, module_of, tasks_of

ALL = pytest.mark.parametrize("name", CASES)
BY_FEATURES = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.recipe.reads == "features"])


def test_every_architecture_is_tried():
    assert {name.split()[0] for name in CASES} == set(sharing_names())


def members_of(module):
    """The axis of members of an ensemble, if there is one."""
    return (module.sharing.n_members,) if hasattr(module.sharing, "n_members") else ()


@ALL
def test_gives_a_representation_per_task(name):
    module = module_of(CASES[name].recipe)
    found = module.representations(module.features(*inputs_of(module)))
    assert [tuple(z.shape) for z in found] == [(*members_of(module), N_ROWS, module.sharing.out_features)] * 3


@BY_FEATURES
def test_takes_features_with_more_axes(name):
    layer = CASES[name].recipe.build(8, 2)
    features = torch.randn(2, 3, N_ROWS, 8)
    for z, own in zip(layer(features), layer(features[1, 2]), strict=True):
        assert z.shape == (2, 3, N_ROWS, layer.out_features)
        torch.testing.assert_close(z[1, 2], own)


@ALL
def test_the_fast_way_gives_the_same(name):
    module = module_of(CASES[name].recipe)
    inputs = inputs_of(module)
    torch.testing.assert_close(module(*inputs), torch.cat(module.outputs_of(module.features(*inputs)), dim=-1))


@ALL
def test_no_task_reaches_what_another_has_alone(name):
    module = module_of(CASES[name].recipe)
    _, outputs = OneNetwork(module).in_parts(inputs_of(module))
    losses = [own.square().sum() for own in outputs]
    parameters = dict(module.sharing.named_parameters())
    reached_by_several = {id(p) for p in shared_parameters(losses)}
    for own, p in parameters.items():
        owner = CASES[name].owner(own)
        if re.search(CASES[name].free, own):
            continue
        gradients = [torch.autograd.grad(loss, p, retain_graph=True, allow_unused=True)[0] for loss in losses]
        reached = [k for k, gradient in enumerate(gradients) if gradient is not None and bool((gradient != 0).any())]
        if owner is None:
            assert reached == [0, 1, 2], own
            assert id(p) in reached_by_several, own
        else:
            assert set(reached) <= {owner}, own
            assert id(p) not in reached_by_several, own


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.alone is not None])
def test_with_one_task_and_one_expert_it_is_the_plain_network(name):
    case = CASES[name]
    module = module_of(case.alone, 1, drawn=False)
    state = module.sharing.state_dict()
    for key, value in state.items():  # where it has an expert of its own and a shared one, let them be the same
        value.copy_(state[case.weight if key.endswith("weights.0") else case.bias if key.endswith("biases.0") else key])
    weight, bias = state[case.weight].flatten(0, -2), state[case.bias].flatten()
    plain = HardSharing(tower_width=len(weight)).build(weight.shape[1], 1)
    plain.load_state_dict({"towers.0.0.weight": weight, "towers.0.0.bias": bias})
    inputs = inputs_of(module)
    features = module.features(*inputs)
    expected = plain(module.encoder(*inputs) if module.reads_features else features)[0]
    torch.testing.assert_close(module.representations(features)[0], case.scale * expected)


@ALL
def test_tasks_in_another_order_give_outputs_in_that_order(name):
    case, order = CASES[name], [2, 0, 1]
    module, other = module_of(case.recipe), module_of(case.recipe, seed=1)
    state = module.state_dict()
    moved = {}
    for key, value in state.items():
        new = key
        found = re.search(case.index if key.startswith("sharing.") else r"heads\.(\d+)\.", key)
        if found:
            new = key[: found.start(1)] + str(order.index(int(found[1]))) + key[found.end(1) :]
        for pattern, n_each in case.by_task.items():
            if re.search(pattern, key):
                groups = [value[k * n_each : (k + 1) * n_each] for k in order]
                value = torch.cat([*groups, value[3 * n_each :]])
        for axis in next((axes for pattern, axes in case.of_axes.items() if re.search(pattern, key)), ()):
            value = value.index_select(axis, torch.tensor(order))
        moved[new] = value
    other.load_state_dict(moved)
    inputs = inputs_of(module)
    torch.testing.assert_close(other(*inputs), module(*inputs)[..., order])


@ALL
def test_parameters_can_be_kept_and_loaded(name):
    module, other = module_of(CASES[name].recipe), module_of(CASES[name].recipe, seed=1)
    inputs = inputs_of(module)
    assert not torch.equal(module(*inputs), other(*inputs))
    other.load_state_dict(module.state_dict())
    assert torch.equal(module(*inputs), other(*inputs))


@ALL
def test_half_precision_is_close(name):
    module = module_of(CASES[name].recipe)
    dense, codes = inputs_of(module)
    exact, halved = module(dense, codes), module.to(torch.bfloat16)(dense.to(torch.bfloat16), codes)
    assert halved.dtype == torch.bfloat16
    torch.testing.assert_close(halved.float(), exact, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("at", [None, "parameters", "features"])
@ALL
def test_mixed_precision_learns_nearly_the_same(name, at):
    case, module = CASES[name], module_of(CASES[name].recipe)
    if at and (not case.shares or (at == "features" and not module.reads_features)):
        return
    target, weight = torch.linspace(-1, 1, 3 * N_ROWS).view(N_ROWS, 3), torch.ones(N_ROWS, 3)
    data = TrainingData(inputs_of(module), target, weight, [torch.arange(N_ROWS)], [], torch.ones(3), torch.ones(3))
    found = []
    for precision in ("float32", "bfloat16"):
        module.zero_grad()
        options = {"method": PCGrad() if at else Equal(), "at": at or "parameters", "precision": precision}
        step = BalancedStep(OneNetwork(module), data, tasks_of(3), **options)
        losses, _, _ = step.backward((data.inputs, target, weight), data.scale)
        found.append((losses, {own: p.grad for own, p in module.named_parameters() if p.grad is not None}))
    (exact, slopes), (halved, others) = found
    torch.testing.assert_close(halved, exact, rtol=0.05, atol=0.05)
    assert not torch.equal(halved, exact)
    assert slopes.keys() == others.keys()
    whole, other = (torch.cat([own[key].flatten() for key in slopes]) for own in (slopes, others))
    assert torch.cosine_similarity(whole, other, dim=0) > 0.95


@ALL
def test_an_exported_network_gives_the_same(name):
    module = module_of(CASES[name].recipe)
    inputs = inputs_of(module)
    exported = torch.export.export(module, inputs).module()
    torch.testing.assert_close(exported(*inputs), module(*inputs))


@pytest.mark.parametrize("name", [name for name in CASES if " " not in name])
def test_a_compiled_network_gives_the_same(name):
    torch.compiler.reset()  # of one function several versions are kept, and not more
    module = module_of(CASES[name].recipe, 2)
    inputs = inputs_of(module)
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*inputs), module(*inputs))


@ALL
def test_a_stack_gives_what_each_network_gives(name):
    modules = [module_of(CASES[name].recipe, seed=seed) for seed in range(3)]
    stack = StackedNetworks(modules)
    inputs = [inputs_of(module, seed=seed) for seed, module in enumerate(modules)]
    joined = tuple(torch.stack(own) for own in zip(*inputs, strict=True))
    expected = torch.stack([module(*own) for module, own in zip(modules, inputs, strict=True)])
    torch.testing.assert_close(stack.forward(joined), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat(stack.in_parts(joined)[1], dim=-1), expected, rtol=1e-4, atol=1e-5)


@ALL
def test_weights_of_tasks_sum_to_one_and_have_names(name):
    module = module_of(CASES[name].recipe)
    weights = module.task_weights(*inputs_of(module))
    if weights is None:
        return
    names = module.sharing.part_names(["price", "sold", "visits"])
    assert weights.shape == (3, len(names))
    assert len(set(names)) == len(names)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3))


@ALL
def test_a_recipe_is_cloned_set_written_and_named(name):
    recipe = CASES[name].recipe
    copy = clone(recipe)
    assert copy is not recipe
    assert repr(copy.set_params(**recipe.get_params())) == repr(recipe)
    assert repr(recipe_from_dict(json.loads(json.dumps(recipe_to_dict(recipe))))) == repr(recipe)
    assert repr(sharing_of(sharing_text(recipe))) == repr(recipe)


@pytest.mark.parametrize("name", ["mmoe", "ple", "adatt", "tabm"])
def test_experts_can_be_initialized(name):
    module = module_of(CASES[name].recipe)
    initialize_(module, initialization_of("sharing=orthogonal;heads=zeros"))
    experts = [own for own in module.modules() if isinstance(own, Experts)]
    for weight in experts[0].weights[0]:
        torch.testing.assert_close(weight.T @ weight, (weight.T @ weight)[0, 0] * torch.eye(8))
    assert not any(bool(own.biases[0].any()) for own in experts)
    raw = module(*inputs_of(module))
    torch.testing.assert_close(raw, torch.tensor([0.0, 0.1, 0.2]).expand_as(raw))


@ALL
def test_a_model_is_fitted_balanced_saved_and_loaded(name, tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60), "c": [f"c{k % 15}" for k in range(60)]})
    y = pd.DataFrame({"price": X["a"] + X["b"], "sold": (X["a"] > 0).astype(float).where(X["b"] < 1)})
    if name == "esmm":
        y["paid"] = (X["b"] > 0).astype(float).where(y["sold"] == 1)
    settings = {
        "encoder": MLP(width=8),
        "balancing": PCGrad() if CASES[name].shares else None,
        "max_epochs": 1,
        "random_state": 0,
    }
    model = MultiTaskNetwork(sharing=CASES[name].recipe, **settings).fit(X, y)
    save_estimator(model, tmp_path / "model")
    again = load_estimator(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict(X), model.predict(X))
    assert repr(again.network_.sharing) == repr(CASES[name].recipe)


@ALL
def test_a_setting_out_of_its_range_is_refused(name):
    recipe = CASES[name].recipe
    for setting in ("width", "n_experts", "n_layers", "tower_width", "rank", "n_levels", "n_task_experts", "n_shared_experts"):
        if setting in recipe.get_params():
            with pytest.raises(OptionError, match=f"`{setting}` of {type(recipe).__name__} must be"):
                sharing_of(f"{name.split()[0]}:{setting}=-1")
