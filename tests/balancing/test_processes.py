"""Two processes with half of the batch each make the step of one process with all of it."""

import subprocess
import sys

import pytest
import torch

from polytask import balancing
from tests.balancing import _two_processes as two

NAMES = sorted(
    name
    for name in balancing.__all__
    if isinstance(getattr(balancing, name), type)
    and issubclass(getattr(balancing, name), balancing.BalancingMethod)
    and name not in ("BalancingMethod", "FixedWeights")
    and getattr(balancing, name).by_name  # the others wrap a method, or go through `step`
)

RUN = [*NAMES, "Every"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    command = [sys.executable, two.__file__]
    started = [subprocess.Popen([*command, str(rank), str(folder), ",".join(RUN)]) for rank in range(2)]
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize(("name", "level"), [(name, level) for name in RUN for level in two.levels_of(name)])
def test_two_processes_equal_one(both, name, level):
    expected = two.train(two.make_of(name), level, slice(None), None)
    for found in both:
        torch.testing.assert_close(found[f"{name} {level}"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "level"), [(name, level) for name in RUN for level in two.levels_of(name)])
def test_two_processes_equal_one_where_losses_are_a_list(both, name, level):
    expected = two.train(two.make_of(name), level, slice(None), None, in_list=True)
    for found in both:
        torch.testing.assert_close(found[f"{name} {level} list"], expected, rtol=1e-9, atol=1e-12)


def test_a_loss_with_a_graph_in_one_process_only_is_refused_in_both(both):
    for found in both:
        assert found["uneven"].startswith("The loss of 1 has a graph in some processes only.")


@pytest.mark.parametrize("name", two.IN_PARTS)
def test_two_processes_equal_one_in_parts_that_lack_tasks(both, name):
    expected = two.train_in_parts(name, slice(None), None)
    for found in both:
        torch.testing.assert_close(found[f"{name} parts"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("what", two.REFUSED)
def test_what_is_wrong_in_one_process_is_refused_in_both(both, what):
    for found in both:
        words, is_as_before = found[what]
        assert words != "nothing"
        assert is_as_before


@pytest.mark.parametrize("name", two.AHEAD)
def test_two_processes_that_step_equal_one(both, name):
    expected = two.train_ahead(name, slice(None), None)
    for found in both:
        torch.testing.assert_close(found[f"{name} step"], expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", RUN)
def test_both_processes_have_the_same_parameters(both, name):
    for level in two.levels_of(name):
        for first, second in zip(both[0][f"{name} {level}"], both[1][f"{name} {level}"], strict=True):
            assert torch.equal(first, second)
