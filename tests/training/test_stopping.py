"""Mean skill and early stopping."""

import pytest
import torch

from polytask.training import EarlyStopping, mean_skill

NAN = float("nan")


def test_skill_is_one_minus_the_share_of_the_constant_error():
    skills, mean = mean_skill(torch.tensor([1.0, 3.0]), torch.tensor([4.0, 2.0]), torch.ones(2))
    assert skills.tolist() == [0.75, -0.5]
    assert mean == pytest.approx(0.125)


def test_a_task_without_labels_does_not_count_in_the_mean():
    skills, mean = mean_skill(
        torch.tensor([[1.0, 9.0], [9.0, 9.0]]), torch.ones(2, 2) * 2, torch.tensor([[5.0, 0.0], [0.0, 0.0]])
    )
    torch.testing.assert_close(skills, torch.tensor([[0.5, NAN], [NAN, NAN]]), equal_nan=True)
    torch.testing.assert_close(mean, torch.tensor([0.5, NAN]), equal_nan=True)


def test_a_task_that_the_constant_predicts_without_error_has_no_skill():
    skills, mean = mean_skill(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0]), torch.ones(2))
    assert skills[0].isnan()
    assert mean == 0.5


@pytest.mark.parametrize("lost", [NAN, float("inf")])
def test_a_lost_loss_is_told_from_a_missing_one(lost):
    skills, mean = mean_skill(torch.tensor([lost, 1.0]), torch.ones(2), torch.ones(2))
    assert skills.tolist() == [-float("inf"), 0.0]
    assert mean == -float("inf")


def run(scores, *, patience):
    stopping = EarlyStopping(patience=patience, n_replicas=None)
    for epoch, score in enumerate(scores, start=1):
        stopping.update(torch.tensor(score), {"w": torch.tensor([float(epoch)])}, epoch=epoch)
        if bool(stopping.has_ended(epoch)):
            break
    return stopping, epoch


def test_the_first_of_equal_epochs_is_the_best():
    stopping, _ = run([0.1, 0.3, 0.3, 0.2], patience=None)
    assert stopping.best_epoch == 2
    assert stopping.parameters["w"] == 2
    assert stopping.best == pytest.approx(0.3)


def test_patience_counts_epochs_since_the_best():
    stopping, epoch = run([0.1, 0.3, 0.2, 0.2, 0.2, 0.9], patience=3)
    assert epoch == 5
    assert stopping.n_epochs(9) == 5


def test_no_patience_never_ends():
    stopping, epoch = run([0.5] + [0.0] * 50, patience=None)
    assert epoch == 51
    assert stopping.n_epochs(51) == 51


def test_kept_parameters_are_copies():
    stopping, p = EarlyStopping(patience=1, n_replicas=None), torch.ones(2)
    stopping.update(torch.tensor(0.0), {"w": p}, epoch=1)
    p.zero_()
    assert stopping.parameters["w"].tolist() == [1, 1]


def test_replicas_keep_their_own_best_and_stay_stopped():
    stopping, replicas = EarlyStopping(patience=1, n_replicas=2), torch.arange(2)
    for epoch, scores in enumerate([[0.5, 0.1], [0.4, 0.2], [0.9, 0.3]], start=1):
        stopping.update(torch.tensor(scores), {"w": torch.full((2, 1), float(epoch))}, epoch=epoch, replicas=replicas)
    assert stopping.best_epoch.tolist() == [1, 3]  # 0.9 came after the first had stopped
    assert stopping.parameters["w"].ravel().tolist() == [1, 3]
    assert stopping.has_ended(3).tolist() == [True, False]
    assert stopping.n_epochs(3).tolist() == [2, 3]


def test_parameters_of_the_networks_still_in_training_go_to_their_places():
    stopping = EarlyStopping(patience=5, n_replicas=3)
    stopping.update(torch.zeros(3), {"w": torch.zeros(3, 1)}, epoch=1, replicas=torch.arange(3))
    score = torch.tensor([NAN, 0.5, -1.0])
    stopping.update(score, {"w": torch.tensor([[7.0], [8.0]])}, epoch=2, replicas=torch.tensor([1, 2]))
    assert stopping.parameters["w"].ravel().tolist() == [0, 7, 0]
    assert stopping.best_epoch.tolist() == [1, 2, 1]
