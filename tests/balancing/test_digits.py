"""Gradients that all but depend on each other: their inner products are summed in float64, whatever the gradients are."""

import pytest
import torch
from torch import nn

from polytask.balancing import MGDA, PCD, AlignedMTL, ConFIG, Every, MicroBatches, UPGrad, backward
from polytask.balancing._gradients._blocks import HeadBlock, OuterBlock, WrittenBlock
from polytask.balancing._gradients._held_block import HeldBlock
from polytask.balancing._gradients._workspace import Workspace

JACOBIAN = torch.tensor([[1.0, 2.0, -1.0, 0.5], [1.0, 2.0001, -1.0, 0.5], [0.0, 1.0, 3.0, -2.0]])


def weights_of(method, jacobian, **options):
    w = torch.zeros(jacobian.shape[1], dtype=jacobian.dtype, requires_grad=True)
    return backward([(row * w).sum() for row in jacobian], method, shared_params=[w], **options).weights.double()


@pytest.mark.parametrize("options", [{}, {"chunk_size": 1}, {"chunk_size": 2}])
@pytest.mark.parametrize("method", [ConFIG, AlignedMTL, lambda: Every(ConFIG(), 2)])
def test_weights_of_float32_gradients_are_those_of_float64(method, options):
    expected = weights_of(method(), JACOBIAN.double())
    torch.testing.assert_close(weights_of(method(), JACOBIAN, **options), expected, rtol=1e-6, atol=1e-11)


def test_parts_of_a_batch_are_summed_as_exactly():
    w = torch.zeros(4, requires_grad=True)
    parts = MicroBatches(ConFIG(), shared_params=[w])
    parts.add([(row * w).sum() for row in JACOBIAN])
    torch.testing.assert_close(parts.backward().weights.double(), weights_of(ConFIG(), JACOBIAN.double()), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("method", [ConFIG, AlignedMTL])
def test_parallel_gradients_count_as_one_whatever_their_rounding(method):
    generator = torch.Generator().manual_seed(0)
    jacobian = torch.randn(3, 50, generator=generator)
    jacobian[1] = jacobian[0] / 3  # rounded
    exact = jacobian.double()
    exact[1] = exact[0] / 3
    direction = weights_of(method(), jacobian) @ jacobian.double()
    torch.testing.assert_close(direction, weights_of(method(), exact) @ exact, rtol=1e-4, atol=1e-5)


def test_only_methods_that_divide_by_small_angles_ask():
    near, apart = (rows @ rows.T for rows in (JACOBIAN.double(), torch.eye(3, 4, dtype=torch.float64)))
    for method in (ConFIG(), AlignedMTL(), Every(AlignedMTL(), 3)):
        assert method.asks_for_digits(near)
        assert method.asks_for_digits(near * torch.tensor([1.0, 1e9, 1.0]).outer(torch.tensor([1.0, 1e9, 1.0])))
        assert not method.asks_for_digits(apart)
        assert not method.asks_for_digits(apart * torch.tensor([1.0, 0.0, 1.0]))
    assert not any(method.asks_for_digits(near) for method in (MGDA(), UPGrad(), PCD(primary=0)))


def test_every_way_to_keep_gradients_can_sum_in_float64():
    generator = torch.Generator().manual_seed(0)
    arriving, inputs = torch.randn(3, 5, 6, generator=generator), torch.randn(5, 9, generator=generator)
    rows = (arriving.double().mT @ inputs.double()).reshape(3, -1)
    outer = OuterBlock(nn.Parameter(torch.zeros(6, 9)), inputs, arriving, Workspace())
    torch.testing.assert_close(outer.gramian(precise=True), rows @ rows.T, rtol=1e-14, atol=1e-13)
    written = torch.randn(3, 40, generator=generator)
    exact = written.double() @ written.double().T
    torch.testing.assert_close(WrittenBlock([torch.zeros(40)], written).gramian(precise=True), exact, rtol=1e-14, atol=1e-14)
    held = HeldBlock([tensor := torch.zeros(40)], 3)
    for task, row in enumerate(written):
        held.write(task, tensor, row)
    torch.testing.assert_close(held.gramian(precise=True), exact, rtol=1e-14, atol=1e-14)
    outputs, weights = torch.randn(8, 3, generator=generator), torch.randn(4, 3, generator=generator)
    exact = torch.stack([torch.outer(outputs[:, k].double(), weights[:, k].double()).ravel() for k in range(3)])
    head = HeadBlock(torch.zeros(8, 4), outputs, weights, torch.arange(3), n_tasks=3)
    torch.testing.assert_close(head.gramian(precise=True), exact @ exact.T, rtol=1e-14, atol=1e-14)
