"""Balancing in the loop: alone, in a stack, with a memory that a killed run keeps."""

import pytest
import torch

from polytask.balancing import (
    DWA,
    FAMO,
    MGDA,
    RLW,
    AlignedMTL,
    BalancingMethod,
    CAGrad,
    ConFIG,
    Equal,
    Every,
    FixedWeights,
    GradNorm,
    NashMTL,
    PCGrad,
    method_names,
    shared_parameters,
)
from polytask.exceptions import ModelFolderError, OptionError
from polytask.training import BalancedStep, Checkpoint, OneNetwork, StackedNetworks
from polytask.training._balanced_step import _SERVED
from tests.training._problems import (
    Job,
    assert_close_weights,
    assert_same_weights,
    data_of,
    make_table,
    module_of,
    train_one,
    train_stack,
)

TASKS = ("price", "sold", "colour", "grade", "visits", "tags")
JOBS = [Job(seed=1), Job(range(50), range(50, 90), seed=2, fold=1), Job(seed=3, hidden=[0, 3])]
TWIN = Job(seed=4, hidden=[0, 1, 3, 4, 5])


def methods():
    """Every method that may be named, with the settings it cannot be without."""
    table = make_table()
    needed = {"weights": {task.name: 0.5 + k for k, task in enumerate(table.tasks)}, "primary": table.tasks[0].name}
    found = {}
    for name, own in method_names().items():
        required = {key: value for key, value in needed.items() if key in own._setting_names()}
        if "method" in own._setting_names():  # one around another method
            required["method"] = CAGrad()
        if own(**required).needs <= _SERVED:
            found[name] = (own, required)
    return found


METHODS = methods()


def made(name):
    own, settings = METHODS[name]
    return own(**settings)


# ----------------------------------------------------------------------------------------------------------------- stacks


@pytest.mark.parametrize("name", METHODS)
def test_a_stack_gives_the_networks_that_training_alone_gives(name):
    """Two epochs: longer, Adam magnifies the rounding of float32 where a method divides by tiny numbers."""
    table = make_table()
    stack = train_stack(table, [*JOBS, TWIN], max_epochs=2, method=made(name))
    for r, job in enumerate(JOBS):
        alone = train_one(table, job, max_epochs=2, method=made(name))
        assert_close_weights(stack.weights[r], alone.weights[0])
        for record, own in zip(stack.history.epochs, alone.history.epochs, strict=True):
            torch.testing.assert_close(record.weights[r], own.weights, equal_nan=True, rtol=1e-2, atol=1e-3)
            if own.cosines is not None:
                torch.testing.assert_close(record.cosines[r], own.cosines, equal_nan=True, rtol=1e-2, atol=1e-3)
    plain = train_stack(table, [*JOBS, TWIN], max_epochs=2)
    assert_close_weights(stack.weights[3], plain.weights[3])  # the twin is left alone


@pytest.mark.parametrize("name", ["cagrad", "grad_vac"])
def test_a_stack_balances_at_features_as_training_alone_does(name):
    table = make_table()
    stack = train_stack(table, JOBS, max_epochs=2, method=made(name), balance_at="features")
    for r, job in enumerate(JOBS):
        alone = train_one(table, job, max_epochs=2, method=made(name), balance_at="features")
        assert_close_weights(stack.weights[r], alone.weights[0])


@pytest.mark.parametrize("at", ["parameters", "features"])
def test_weights_kept_for_some_steps_save_the_backward_passes_of_a_stack(monkeypatch, at):
    table, passes = make_table(missing=0.0), []
    whole = torch.autograd.grad
    monkeypatch.setattr("torch.autograd.grad", lambda *given, **more: (passes.append(1), whole(*given, **more))[1])
    counted = {}
    for method in (MGDA(), Every(MGDA(), 4)):
        train_stack(table, JOBS[:2], max_epochs=2, method=method, balance_at=at)  # eight steps
        counted[repr(method)], passes[:] = len(passes), []
    each, extra = (len(table.tasks), 1 + (at == "features"))  # besides: slopes of the losses, and from the features down
    assert list(counted.values()) == [8 * (each + extra), 2 * (each + extra) + 6 * (2 + extra)]


@pytest.mark.parametrize("missing", [0.0, 0.9])
@pytest.mark.parametrize("at", ["parameters", "features"])
def test_a_stack_that_keeps_weights_gives_the_networks_that_training_alone_gives(at, missing):
    table = make_table(missing=missing)
    options = {"max_epochs": 2, "balance_at": at}
    stack = train_stack(table, [*JOBS, TWIN], method=Every(CAGrad(), 3), **options)
    for r, job in enumerate(JOBS):
        alone = train_one(table, job, method=Every(CAGrad(), 3), **options)
        assert_close_weights(stack.weights[r], alone.weights[0])
        for record, own in zip(stack.history.epochs, alone.history.epochs, strict=True):
            torch.testing.assert_close(record.weights[r], own.weights, equal_nan=True, rtol=1e-2, atol=1e-3)
            torch.testing.assert_close(record.cosines[r], own.cosines, equal_nan=True, rtol=1e-2, atol=1e-3)
    plain = train_stack(table, [*JOBS, TWIN], max_epochs=2)
    assert_close_weights(stack.weights[3], plain.weights[3])


@pytest.mark.parametrize("method", [FAMO, PCGrad])
def test_a_network_that_stops_early_takes_its_memory_along(method):
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(6)]
    options = {"max_epochs": 12, "patience": 1, "learning_rate": 0.05}
    stack = train_stack(table, jobs, method=method(), **options)
    alone = [train_one(table, job, method=method(), **options) for job in jobs]
    stopped = [run.history.n_epochs.item() for run in alone]
    assert len(set(stopped)) > 2, "the test needs networks that stop at different epochs"
    assert stack.history.n_epochs.tolist() == stopped
    for r, run in enumerate(alone):
        assert_close_weights(stack.weights[r], run.weights[0])


# ----------------------------------------------------------------------------------------------------------------- resume


class _KilledError(Exception):
    pass


def kill_after(epoch):
    def callback(record):
        if record.epoch == epoch:
            raise _KilledError

    return callback


RESUMED = [(name, "one") for name in ("dwa", "famo", "nash_mtl", "grad_norm", "rlw", "mo_co")]


@pytest.mark.parametrize("name, kind", [*RESUMED, ("famo", "stack"), ("grad_norm", "stack")])
def test_a_killed_run_goes_on_with_the_same_numbers(name, kind, tmp_path):
    table = make_table()
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(3)]
    options = {"dropout": 0.2, "max_epochs": 5, "batch_size": 32}
    if kind == "stack":
        options |= {"patience": 1, "learning_rate": 0.05}

    def train(**more):
        run = {**options, **more, "method": made(name)}
        return train_one(table, Job(), **run) if kind == "one" else train_stack(table, jobs, **run)

    whole = train()
    checkpoint = Checkpoint(tmp_path / "state", every=0.0)
    with pytest.raises(_KilledError):
        train(checkpoint=checkpoint, on_epoch=kill_after(4))
    resumed = train(checkpoint=checkpoint)
    for first, second in zip(whole.weights, resumed.weights, strict=True):
        assert_same_weights(first, second)
    for first, second in zip(whole.history.epochs, resumed.history.epochs, strict=True):
        torch.testing.assert_close(first.weights, second.weights, rtol=0, atol=0, equal_nan=True)


def test_a_checkpoint_of_another_method_is_refused(tmp_path):
    table, checkpoint = make_table(), Checkpoint(tmp_path / "state", every=0.0)
    with pytest.raises(_KilledError):
        train_one(table, method=CAGrad(c=0.2), checkpoint=checkpoint, on_epoch=kill_after(2))
    with pytest.raises(ModelFolderError, match=r"balanced by CAGrad\(c=0.2\), not by PCGrad\(\)"):
        train_one(table, method=PCGrad(), checkpoint=checkpoint)


# ------------------------------------------------------------------------------------------------------------------ parts


class Summed(BalancingMethod):
    """The plain sum: with it the gradients by way of single tasks are those of one backward pass."""

    needs = frozenset({"gramian"})

    def forward(self, seen):
        return torch.ones(len(seen.tasks))


@pytest.mark.parametrize("at", ["parameters", "features"])
def test_gradients_of_single_tasks_add_up_to_the_plain_ones(at):
    table, module = make_table(), module_of(make_table())
    data, names = data_of(table, Job()), [task.name for task in table.tasks]
    batch = data.batch(torch.arange(40))
    grads = []
    for method in (Summed(), FixedWeights(dict.fromkeys(names, 1.0))):
        module.zero_grad()
        BalancedStep(OneNetwork(module), data, table.tasks, method=method, at=at).backward(batch, data.scale)
        grads.append([p.grad.clone() for p in module.parameters()])
    torch.testing.assert_close(*grads)


def test_what_is_shared_is_the_encoder_not_heads_nor_towers():
    table = make_table()
    module = module_of(table)
    data = data_of(table, Job())
    _, outputs = OneNetwork(module).in_parts(data.batch(torch.arange(9))[0])
    found = {id(p) for p in shared_parameters([own.sum() for own in outputs])}
    assert found == {id(p) for p in module.encoder.parameters()}


def test_features_and_outputs_of_a_stack_are_those_of_its_networks():
    table = make_table()
    modules = [module_of(table, seed=s) for s in range(2)]
    inputs = data_of(table, Job()).batch(torch.arange(5))[0]
    alone = [OneNetwork(module).in_parts(inputs) for module in modules]
    features, outputs = StackedNetworks(modules).in_parts(tuple(torch.stack([x, x]) for x in inputs))
    for r, (own_features, own_outputs) in enumerate(alone):
        torch.testing.assert_close(features[r], own_features)
        torch.testing.assert_close([own[r] for own in outputs], own_outputs)


def test_a_single_task_is_left_alone():
    table = make_table(only=1)
    first, second = (train_one(table, method=method).weights[0] for method in (None, FAMO()))
    assert_same_weights(first, second)


def test_equal_in_a_stack_is_the_default():
    table = make_table()
    first, second = (train_stack(table, JOBS, max_epochs=2, method=method) for method in (None, Equal()))
    for own, other in zip(first.weights, second.weights, strict=True):
        assert_same_weights(own, other)


def test_what_training_cannot_give_is_refused():
    class Ahead(BalancingMethod):
        needs = frozenset({"losses", "extra_batches"})

        def forward(self, seen):
            return torch.ones(len(seen.tasks))

    with pytest.raises(OptionError, match="Ahead needs extra_batches"):
        train_one(make_table(), method=Ahead())


@pytest.mark.parametrize("train", [train_one, lambda table, **options: train_stack(table, JOBS, **options)])
def test_gradients_at_features_are_not_remembered(train):
    with pytest.raises(OptionError, match="MoCo remembers gradients from step to step"):
        train(make_table(), method=made("mo_co"), balance_at="features")


# ---------------------------------------------------------------------------------------------------------------- records


@pytest.mark.parametrize("method", [DWA, RLW, GradNorm, NashMTL])
def test_an_epoch_tells_weights_and_conflicts(method):
    table = make_table()
    history = train_one(table, method=method(), max_epochs=3).history
    for record in history.epochs:
        assert record.weights.shape == (len(table.tasks),)
        assert bool((record.weights > 0).all())
        if not method().compares_gradients:
            assert record.cosines is None
            assert record.conflict is None
            continue
        assert 0 <= float(record.conflict) <= 1
        torch.testing.assert_close(record.cosines.diagonal(), torch.ones(len(table.tasks), dtype=torch.float64))
        torch.testing.assert_close(record.cosines, record.cosines.T)
        assert bool((record.cosines.abs() <= 1 + 1e-6).all())


@pytest.mark.parametrize("method, missing", [(ConFIG, 0.7), (AlignedMTL, 0.9)])
def test_few_labels_in_a_batch_give_a_stack_and_its_networks_the_same(method, missing):
    """Two tasks whose gradients are parallel but for rounding in some batches of four rows: what is rounding is left out."""
    table, jobs = make_table(missing=missing), [Job(seed=1), Job(seed=2, fold=1)]
    options = {"max_epochs": 3, "batch_size": 4}
    stack = train_stack(table, jobs, method=method(), **options)
    for r, job in enumerate(jobs):
        assert_close_weights(stack.weights[r], train_one(table, job, method=method(), **options).weights[0])
