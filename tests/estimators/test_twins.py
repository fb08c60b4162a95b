"""The matched single-task twin: the joint network's recipe, rows and seeds, with the labels of the other tasks hidden."""

import numpy as np
import pytest
import torch

from polytask.estimators import CodedTable, NetworkJob, TwinModel, _fit_networks, label_weights, twin_mask
from polytask.exceptions import OptionError
from polytask.networks import MLP, HardSharing, TableShape
from polytask.training import Replica, TrainingSettings
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


def prepared(X, y, tasks, **settings):
    model = small_network(tasks, **settings)
    arrays, labels = model._read_training_data(X, y)
    return model, CodedTable(arrays, model.codec_.cardinalities), labels, label_weights(None, labels)


def train(model, table, labels, weight, masks, seeds):
    train_rows, held = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(len(weight)))
    jobs = [NetworkJob(train_rows, held, mask, seed) for mask, seed in zip(masks, seeds, strict=True)]
    return model.fit_jobs(jobs, table, labels, weight)


def test_a_mask_hides_all_other_tasks():
    X, y = houses()
    _, _, labels, _ = prepared(X, y, TASKS)
    assert twin_mask(labels, labels.tasks[2]).tolist() == [False, False, True, False, False, False]


def test_a_twin_equals_a_network_with_the_labels_of_the_others_hidden():
    X, y = houses(missing=0.0)
    model, table, labels, weight = prepared(X, y, ["price", "sold"])
    (twin,) = train(model, table, labels, weight, [twin_mask(labels, labels.tasks[0])], [7])
    hidden = weight * np.array([1.0, 0.0])  # labels of the second task weigh nothing anywhere
    rows = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(80))
    (network,) = model.fit_jobs([NetworkJob(*rows, np.array([True, True]), 7)], table, labels, hidden)
    np.testing.assert_array_equal(twin.outputs(table.arrays)["price"], network.outputs(table.arrays)["price"])


def test_a_twin_never_feels_the_labels_of_the_others():
    X, y = houses(missing=0.0)
    found = []
    for sold in (y["sold"], y["sold"].iloc[::-1].to_numpy()):
        model, table, labels, weight = prepared(X, y.assign(sold=sold), ["price", "sold"], validation=None)
        (twin,) = train(model, table, labels, weight, [twin_mask(labels, labels.tasks[0])], [7])
        found.append(twin.outputs(table.arrays)["price"])
    np.testing.assert_array_equal(*found)


def test_twins_in_a_stack_are_those_trained_one_by_one():
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS[:3], encoder=MLP(width=8, dropout=0.0))  # dropout is drawn per stack
    masks, seeds = [twin_mask(labels, task) for task in labels.tasks], [1, 2, 3]
    for k, network in enumerate(train(model, table, labels, weight, masks, seeds)):
        (alone,) = train(model, table, labels, weight, [masks[k]], [seeds[k]])
        for name, values in alone.outputs(table.arrays).items():
            np.testing.assert_allclose(network.outputs(table.arrays)[name], values, rtol=1e-4)  # float32 sums in another order


PENALTIES = [
    ("l1:on=heads,strength=0.2", {"optimizer": "sgd:learning_rate=0.01"}),
    ("soft_orthogonality:on=heads,strength=1", {}),
    ("l1:on=heads,strength=0.01;group_lasso:strength=0.1", {"encoder": MLP(n_layers=0), "optimizer": "sgd"}),  # heads read inputs
    ("l1:on=all,strength=0.01;l2:on=all,strength=0.5", {"sharing": "stem:width=8"}),  # tasks read parts of others
    (None, {"sharing": "stem:width=8", "optimizer": "adam:weight_decay=0.01"}),  # which would decay them
]


@pytest.mark.parametrize(("penalty", "settings"), PENALTIES)
def test_penalties_and_decay_of_a_twin_are_those_of_its_own_parameters(penalty, settings):
    X, y = houses()
    settings = {"encoder": MLP(width=8, dropout=0.0), "patience": 2, "max_epochs": 12, **settings}
    model, table, labels, weight = prepared(X, y, TASKS[:3], regularization=penalty, **settings)
    masks = [np.ones(3, dtype=bool), *(twin_mask(labels, task) for task in labels.tasks)]
    together = train(model, table, labels, weight, masks, range(4))
    for k, (task, own) in enumerate(zip(labels.tasks, together[1:], strict=True), 1):
        (alone,) = train(model, table, labels, weight, [masks[k]], [k])
        assert own.best_epoch == alone.best_epoch
        expected, found = (network.outputs(table.arrays, only=task.name)[task.name] for network in (alone, own))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=task.name)


@pytest.mark.parametrize(
    "sharing",
    ["hard:tower_width=4", "none", "cross_stitch", "sluice", "mmoe", "ple", "mtan", "ltb", "adatt", "soft", "adapters", "stem"],
)
def test_every_parameter_of_a_network_learns_alone_and_in_a_stack(sharing):
    X, y = houses()
    found = {}
    for epochs in (1, 4):
        settings = {"encoder": MLP(width=8, dropout=0.0), "sharing": sharing, "max_epochs": epochs, "patience": None}
        model, table, labels, weight = prepared(X, y, TASKS[:3], weight_decay=0.0, **settings)
        jobs = [NetworkJob(np.arange(80), np.arange(0), np.ones(3, dtype=bool), seed) for seed in (0, 1)]
        networks = [*model.fit_jobs(jobs, table, labels, weight), *model.fit_jobs(jobs[:1], table, labels, weight)]
        found[epochs] = [dict(own.module.named_parameters()) for own in networks]
    for k, (early, late) in enumerate(zip(*found.values(), strict=True)):
        assert [name for name, p in early.items() if torch.equal(p, late[name])] == [], ("stack", "stack", "alone")[k]


def test_of_many_tasks_twins_train_their_own_heads_and_are_the_same(monkeypatch):
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS, encoder=MLP(width=8, dropout=0.0))
    masks = [np.ones(len(TASKS), dtype=bool), *(twin_mask(labels, task) for task in labels.tasks[:2])]
    together = train(model, table, labels, weight, masks, [1, 2, 3])  # with the joint network, so with all heads
    widths, stacked = [], _fit_networks.StackedNetworks
    monkeypatch.setattr(_fit_networks, "STACKED_NETWORKS", 3)
    monkeypatch.setattr(
        _fit_networks, "StackedNetworks", lambda modules: widths.append(len(modules[0].heads)) or stacked(modules)
    )
    apart = train(model, table, labels, weight, masks, [1, 2, 3])
    assert widths == [2]
    for k, (one, other) in enumerate(zip(together, apart, strict=True)):
        name = labels.tasks[max(k - 1, 0)].name
        own = other.outputs(table.arrays, only=name)
        assert list(own) == [name]
        np.testing.assert_array_equal(own[name], other.outputs(table.arrays)[name])
        np.testing.assert_allclose(own[name], one.outputs(table.arrays)[name], rtol=1e-4)  # float32 sums in another order
        assert one.curves["skill"].shape == other.curves["skill"].shape == (3, len(TASKS))
        np.testing.assert_array_equal(np.isnan(one.curves["skill"]), np.isnan(other.curves["skill"]))


def test_joint_and_twins_make_the_same_number_of_steps():
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS, patience=None)
    masks = [np.ones(6, dtype=bool), *(twin_mask(labels, task) for task in labels.tasks)]
    assert len({network.steps for network in train(model, table, labels, weight, masks, range(7))}) == 1


def test_a_twin_model_gives_the_outputs_of_its_task_for_some_rows():
    X, y = houses()
    model, table, labels, weight = prepared(X, y, ["price", "sold"])
    (network,) = train(model, table, labels, weight, [twin_mask(labels, labels.tasks[1])], [0])
    twin = TwinModel(network, labels.tasks[1])
    rows = np.array([3, 50, 7])
    assert_same_outputs({"sold": twin.outputs(table.arrays, rows)}, {"sold": network.outputs(table.arrays)["sold"][rows]})


def test_jobs_with_own_settings_give_the_networks_of_these_settings():
    X, y = houses()
    own, plain = [Replica(learning_rate=0.02, weight_decay=0.3), None, Replica(learning_rate=0.001)], MLP(width=8, dropout=0.0)
    model, table, labels, weight = prepared(X, y, TASKS, encoder=plain)
    rows = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(len(weight)))
    jobs = [NetworkJob(*rows, np.ones(len(TASKS), dtype=bool), 7, own_settings=one) for one in own]
    for network, one in zip(model.fit_jobs(jobs, table, labels, weight), own, strict=True):
        rates = {} if one is None else {name: value for name, value in vars(one).items() if value is not None}
        alone, *_ = prepared(X, y, TASKS, encoder=plain, **rates)
        (expected,) = alone.fit_jobs([NetworkJob(*rows, np.ones(len(TASKS), dtype=bool), 7)], table, labels, weight)
        found = network.outputs(table.arrays)
        for task, outputs in expected.outputs(table.arrays).items():
            np.testing.assert_allclose(found[task], outputs, rtol=1e-3, atol=1e-3, err_msg=task)


@pytest.mark.parametrize(
    ("n_jobs", "n_rows", "width", "settings", "expected"),
    [
        (35, 800, 64, {}, 18),  # and 17, no stack of the three that are too many
        (2, 800, 256, {}, 2),
        (64, 6400, 128, {"batch_size": 512}, 32),
        (3, 6400, 256, {"batch_size": 512}, 1),  # wide, and many rows at once
        (3, 100, 256, {"batch_size": 512}, 3),  # of which there are not so many
        (3, 800, 512, {"batch_size": 32}, 1),
        (3, 800, 64, {"optimizer": "muon"}, 1),
        (3, 30_000, 64, {}, 1),
        (1, 800, 64, {}, 1),
    ],
)
def test_networks_are_stacked_where_that_is_faster(n_jobs, n_rows, width, settings, expected):
    jobs = [NetworkJob(np.arange(n_rows), np.arange(0), np.array([True]), seed) for seed in range(n_jobs)]
    recipes = MLP(width=width), HardSharing(), TableShape(20), TrainingSettings(**settings)
    assert _fit_networks._n_at_once(jobs, *recipes, n_tasks=4, compares=False) == expected


def test_networks_are_the_same_in_whatever_stacks(monkeypatch):
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS[:3], encoder=MLP(width=8, dropout=0.0), batch_size=16, max_epochs=4)
    rows, jobs = np.arange(len(weight)), []
    for start in (40, 8, 0, 41):  # folds of 40, 72, 80 and 39 rows: 3, 5, 5 and 3 steps
        for tasks in (np.ones(3, dtype=bool), np.arange(3) == 1):
            jobs.append(NetworkJob(rows[start:], rows[:start], tasks, len(jobs)))
    alone = [model.fit_jobs([job], table, labels, weight)[0] for job in jobs]
    for at_once, n_stacks in ((32, 2), (3, 4), (1, 8)):
        monkeypatch.setattr(_fit_networks, "STACKED_NETWORKS", at_once)
        assert model.n_stacks(jobs, table, labels) == n_stacks
        for job, own, expected in zip(jobs, model.fit_jobs(jobs, table, labels, weight), alone, strict=True):
            assert own.steps == expected.steps
            only = None if job.tasks.all() else labels.tasks[1].name
            found = own.outputs(table.arrays, only=only)
            for name, outputs in expected.outputs(table.arrays, only=only).items():
                np.testing.assert_allclose(found[name], outputs, rtol=1e-4, atol=1e-5, err_msg=f"{name}, {at_once} at once")


def test_networks_go_apart_by_the_steps_that_they_make_alone():
    X, y = houses()
    model, table, labels, _ = prepared(X, y, TASKS[:1], batch_size=None)
    for sizes, n_stacks in (((800, 790), 1), ((800, 833), 2), ((700, 760), 2)):  # 13 and 14 steps of 64; steps of 32 and of 64
        jobs = [NetworkJob(np.arange(n), np.arange(0), np.array([True]), 0) for n in sizes]
        assert model.n_stacks(jobs, table, labels) == n_stacks


def test_fewer_networks_whose_gradients_are_compared_are_stacked():
    jobs = [NetworkJob(np.arange(800), np.arange(0), np.ones(40, dtype=bool), seed) for seed in range(20)]
    recipes = MLP(width=256), HardSharing(), TableShape(20), TrainingSettings()
    assert _fit_networks._n_at_once(jobs, *recipes, n_tasks=40, compares=True) == 20
    assert _fit_networks._n_at_once(jobs, *recipes, n_tasks=120, compares=True) == 7


def test_jobs_may_differ_in_dropout():
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS, encoder=MLP(width=8, dropout=0.4))
    rows = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(len(weight)))
    all_tasks = np.ones(len(TASKS), dtype=bool)
    own = [Replica(dropout=0.0, learning_rate=0.01), Replica(), Replica(dropout=0.2)]
    found = model.fit_jobs([NetworkJob(*rows, all_tasks, 7, own_settings=one) for one in own], table, labels, weight)
    assert [network.encoder.dropout for network in found] == [0.0, 0.4, 0.2]
    assert [network.module.encoder.layers[2].p for network in found] == [0.0, 0.4, 0.2]
    assert model.encoder.dropout == 0.4
    alone, *_ = prepared(X, y, TASKS, encoder=MLP(width=8, dropout=0.0), learning_rate=0.01)
    (expected,) = alone.fit_jobs([NetworkJob(*rows, all_tasks, 7)], table, labels, weight)
    outputs = found[0].outputs(table.arrays)
    for task, values in expected.outputs(table.arrays).items():
        np.testing.assert_allclose(outputs[task], values, rtol=1e-3, atol=1e-3, err_msg=task)


def test_one_job_with_a_dropout_of_its_own_is_the_network_of_that_dropout():
    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS, encoder=MLP(width=8, dropout=0.0))
    rows = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(len(weight)))
    all_tasks = np.ones(len(TASKS), dtype=bool)
    (found,) = model.fit_jobs([NetworkJob(*rows, all_tasks, 7, own_settings=Replica(dropout=0.3))], table, labels, weight)
    alone, *_ = prepared(X, y, TASKS, encoder=MLP(width=8, dropout=0.3))
    (expected,) = alone.fit_jobs([NetworkJob(*rows, all_tasks, 7)], table, labels, weight)
    assert_same_outputs(found.outputs(table.arrays), expected.outputs(table.arrays))


def test_a_dropout_for_an_encoder_without_one_is_refused():
    class Plain(MLP):
        def __init__(self, width=8):
            super().__init__(width=width)

    X, y = houses()
    model, table, labels, weight = prepared(X, y, TASKS, encoder=Plain())
    rows = model.inner_split(labels, weight, groups=None, seed=0, rows=np.arange(len(weight)))
    jobs = [NetworkJob(*rows, np.ones(len(TASKS), dtype=bool), 7, own_settings=Replica(dropout=0.3))]
    with pytest.raises(OptionError, match="Plain has no `dropout`, so that of a Replica cannot be given"):
        model.fit_jobs(jobs, table, labels, weight)
