"""Losses per label for rare classes and outliers, against the formulas of their papers."""

import math

import numpy as np
import pytest
import torch

from polytask.losses import (
    AsymmetricFocal,
    ClassBalancedFocal,
    Focal,
    asymmetric_focal_per_label,
    binary_cross_entropy_per_label,
    effective_number_weights,
    focal_per_label,
    huber_per_label,
    log_cosh_per_label,
)


def logits_and_labels(n=30, n_labels=2):
    logits = 3 * torch.randn(n, n_labels, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return logits, torch.randint(2, (n, n_labels), generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("settings", [(4.0, 0.0, 0.05), (4.0, 1.0, 0.05), (2.0, 1.0, 0.0), (0.5, 0.5, 0.2)])
def test_asymmetric_focal_is_the_formula_of_the_paper(settings):
    gamma_negative, gamma_positive, margin = settings
    logits, target = logits_and_labels()
    found = AsymmetricFocal(*settings).binary(logits, target)
    for (i, k), z in np.ndenumerate(logits.numpy()):
        p = 1 / (1 + math.exp(-z))
        if target[i, k] == 1:
            expected = -((1 - p) ** gamma_positive) * math.log(p)
        else:
            shifted = max(p - margin, 0.0)
            expected = -(shifted**gamma_negative) * math.log(1 - shifted)
        assert float(found[i, k]) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_asymmetric_focal_without_focus_is_cross_entropy_and_with_equal_focus_focal():
    logits, target = logits_and_labels()
    plain = asymmetric_focal_per_label(logits, target, gamma_negative=0.0, gamma_positive=0.0, margin=0.0)
    torch.testing.assert_close(plain, binary_cross_entropy_per_label(logits, target))
    even = asymmetric_focal_per_label(logits, target, gamma_negative=2.0, gamma_positive=2.0, margin=0.0)
    torch.testing.assert_close(even, Focal(2.0).binary(logits, target))
    both = torch.log_softmax(torch.stack([torch.zeros_like(logits), logits], -1), -1)
    own = AsymmetricFocal()
    torch.testing.assert_close(own.of_log_probabilities(both, target[..., None])[..., 0], own.binary(logits, target))


def test_easy_negatives_cost_and_pull_nothing():
    logits = torch.tensor([[-4.0], [-2.0]], requires_grad=True)
    losses = AsymmetricFocal(margin=0.05).binary(logits, torch.zeros(2, 1))
    losses.sum().backward()
    assert losses[0] == 0
    assert logits.grad[0] == 0
    assert logits.grad[1] > 0


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999])
def test_effective_numbers_are_the_formula_of_the_paper(beta):
    counts = np.array([500.0, 30.0, 2.0])
    paper = (1 - beta) / (1 - beta**counts)
    found = effective_number_weights(counts, beta=beta)
    np.testing.assert_allclose(found / found[0], paper / paper[0])
    assert (counts * found).sum() == pytest.approx(counts.sum())


def test_effective_numbers_between_equal_and_inverse_weights():
    counts = np.array([90.0, 10.0, 0.0])
    np.testing.assert_allclose(effective_number_weights(counts, beta=0.0), 1.0)
    np.testing.assert_allclose(effective_number_weights(counts, beta=1 - 1e-9)[:2], [50 / 90, 5.0], rtol=1e-6)
    assert effective_number_weights(counts)[2] == 1.0
    assert effective_number_weights([0.0, 0.0]).tolist() == [1.0, 1.0]


def test_class_balanced_focal_is_focal_per_label():
    logits = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[0.0], [1.0], [2.0]] * 3)
    torch.testing.assert_close(
        ClassBalancedFocal(gamma=1.0).multiclass(logits, target), focal_per_label(logits, target, gamma=1.0)
    )


def test_log_cosh_is_its_formula_near_half_a_square_and_far_a_line():
    residual = torch.linspace(-5, 5, 41, dtype=torch.float64)[:, None]
    found = log_cosh_per_label(residual, torch.zeros_like(residual), delta=0.7)
    torch.testing.assert_close(found, 0.7**2 * torch.log(torch.cosh(residual / 0.7)))
    small = torch.tensor([[1e-6]])
    assert float(log_cosh_per_label(small, torch.zeros(1, 1))) == pytest.approx(5e-13, rel=1e-4)
    far = log_cosh_per_label(torch.tensor([[1e4]]), torch.zeros(1, 1))
    assert float(far) == pytest.approx(1e4 - math.log(2))
    assert (found <= huber_per_label(residual, torch.zeros_like(residual), delta=0.7) + 1e-12).all()
