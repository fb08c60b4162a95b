"""Batches, seeds and padding."""

import pytest
import torch

from polytask.training import TrainingData, epoch_batches, seed_of
from polytask.training._data import n_batches, padded_chunks


def batches(*sizes, batch_size=4, seeds=None, epoch=1):
    rows = [torch.arange(size) + 100 * k for k, size in enumerate(sizes)]
    return list(epoch_batches(rows, batch_size=batch_size, seeds=seeds or list(range(len(sizes))), epoch=epoch))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 11, 12, 13])
def test_every_row_is_presented_once_an_epoch(size):
    assert sorted(torch.cat(batches(size)).tolist()) == list(range(size))


@pytest.mark.parametrize("size", [1, 3, 4, 5, 11, 12, 13])
def test_batches_differ_in_size_by_one_row_at_most(size):
    sizes = [len(rows) for rows in batches(size)]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= 4
    assert len(sizes) == n_batches(size, 4)


def test_the_order_is_drawn_from_seed_and_epoch():
    def order(**options):
        return torch.cat(batches(30, **options)).tolist()

    assert order(seeds=[1]) == order(seeds=[1])
    assert order(seeds=[1]) != order(seeds=[2])
    assert order(seeds=[1], epoch=1) != order(seeds=[1], epoch=2)


def test_replicas_read_their_own_rows_in_their_own_order():
    whole = torch.cat(batches(8, 8), dim=1)
    assert sorted(whole[0].tolist()) == list(range(8))
    assert sorted(whole[1].tolist()) == list(range(100, 108))
    assert whole[0].tolist() != (whole[1] - 100).tolist()


def test_a_shorter_replica_is_padded_evenly_and_reads_every_row_once():
    found = batches(20, 17)
    assert [int((rows[1] == -1).sum()) for rows in found] == [0, 0, 1, 1, 1]
    own = torch.cat(found, dim=1)[1]
    assert sorted(own[own >= 0].tolist()) == list(range(100, 117))


def test_a_replica_has_the_batches_it_would_have_alone():
    both, alone = batches(20, 18), batches(18, seeds=[1])
    for mine, own in zip(both, alone, strict=True):
        assert (mine[1][mine[1] >= 0] - 100).tolist() == own.tolist()


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    batches(20)
    assert torch.equal(before, torch.get_rng_state())


def test_seeds_differ_by_every_part_and_position():
    seeds = [seed_of(*parts) for parts in ((0,), (1,), (0, 0), (0, 1), (1, 0), (2**31, 5), (5, 2**31))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**62 for seed in seeds)


def test_padded_chunks_keep_the_order_and_pad_the_shorter():
    chunks = list(padded_chunks([torch.arange(5), torch.arange(3)], size=4))
    assert [chunk.tolist() for chunk in chunks] == [[[0, 1, 2, 3], [0, 1, 2, -1]], [[4], [-1]]]
    assert [chunk.tolist() for chunk in padded_chunks([torch.arange(5)], size=4)] == [[0, 1, 2, 3], [4]]


@pytest.fixture
def data():
    return TrainingData(
        inputs=(torch.arange(12.0).view(2, 6, 1),),
        target=torch.arange(12.0).view(2, 6, 1) * 10,
        weight=torch.arange(6.0)[:, None],
        train_rows=[torch.arange(4), torch.arange(6), torch.arange(5)],
        validation_rows=[torch.arange(4, 6), torch.arange(0), torch.arange(5, 6)],
        scale=torch.arange(3.0)[:, None],
        validation_scale=torch.arange(3.0)[:, None],
        fold=torch.tensor([0, 1, 1]),
        mask=torch.tensor([[1.0], [1.0], [0.0]]),
    )


def test_a_replica_reads_its_fold_and_only_labels_it_may_see(data):
    (inputs,), target, weight = data.batch(torch.tensor([[1, 2], [1, 2], [1, 2]]))
    assert inputs[..., 0].tolist() == [[1, 2], [7, 8], [7, 8]]
    assert target[..., 0].tolist() == [[10, 20], [70, 80], [70, 80]]
    assert weight[..., 0].tolist() == [[1, 2], [1, 2], [0, 0]]


def test_padding_has_no_weight(data):
    weight = data.batch(torch.tensor([[1, -1], [-1, -1], [1, 2]]))[2]
    assert weight[..., 0].tolist() == [[1, 0], [0, 0], [0, 0]]


def test_kept_replicas_keep_what_is_theirs(data):
    kept = data.keep(torch.tensor([2, 0]))
    assert [len(rows) for rows in kept.train_rows] == [5, 4]
    assert [len(rows) for rows in kept.validation_rows] == [1, 2]
    assert kept.scale.ravel().tolist() == [2, 0]
    assert kept.fold.tolist() == [1, 0]
    assert kept.mask.ravel().tolist() == [0, 1]
    assert (data.n_train, kept.n_train) == (6, 5)


def test_one_network_reads_rows_as_they_are():
    data = TrainingData(
        (torch.arange(3.0),), torch.arange(3.0), torch.ones(3), [torch.arange(3)], [], torch.ones(1), torch.ones(1)
    )
    (inputs,), target, weight = data.batch(torch.tensor([2, 0]))
    assert inputs.tolist() == target.tolist() == [2, 0]
    assert weight.tolist() == [1, 1]


def sparse_data(**options):
    weight = torch.zeros(10, 2)
    weight[3, 0] = weight[7, 1] = weight[8, 1] = 1.0
    rows = [torch.arange(10)]
    ones = torch.ones(2)
    return TrainingData((torch.arange(10.0)[:, None],), torch.zeros(10, 2), weight, rows, rows, ones, ones, **options)


def test_rows_without_a_label_are_left_out_of_a_batch():
    assert sparse_data().labelled(torch.arange(9, -1, -1)).tolist() == [8, 7, 3]


def test_a_batch_of_which_most_rows_have_labels_stays_whole():
    rows = torch.tensor([3, 7, 8, 0])
    assert sparse_data().labelled(rows).tolist() == rows.tolist()


def test_a_batch_without_labels_keeps_one_row():
    assert sparse_data().labelled(torch.tensor([0, 1, 2, 4])).tolist() == [0]


def test_every_replica_keeps_the_rows_of_its_own_tasks():
    stacked = {"fold": torch.zeros(2, dtype=torch.long), "mask": torch.eye(2)}
    data = sparse_data(**stacked)
    rows = torch.arange(10).expand(2, 10).clone()
    rows[1, 9] = -1  # padding has no label
    assert data.labelled(rows).tolist() == [[3, -1], [7, 8]]


def test_the_last_replica_in_training_keeps_its_own_rows_too():
    data = sparse_data(fold=torch.zeros(1, dtype=torch.long), mask=torch.tensor([[0.0, 1.0]]))
    assert data.labelled(torch.arange(10)).tolist() == [[7, 8]]
