"""Losses as tasks declare them: names, settings, what they make a model predict, JSON."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import mean_pinball_loss

from polytask._quantiles import weighted_quantile
from polytask.exceptions import ModelFolderError, OptionError
from polytask.losses import (
    AUCM,
    MAE,
    MSE,
    AsymmetricFocal,
    AUCSquaredHinge,
    AveragePrecision,
    ClassBalancedFocal,
    ClassLoss,
    CrossEntropy,
    Focal,
    Gaussian,
    Huber,
    LogCosh,
    NumberLoss,
    OwnClassLoss,
    OwnNumberLoss,
    Poisson,
    Quantile,
    SoftF1Macro,
    SoftF1Micro,
    binary_cross_entropy_per_label,
    class_losses,
    cross_entropy_per_label,
    focal_per_label,
    focal_to_probabilities,
    huber_per_label,
    loss_from_dict,
    loss_of,
    number_losses,
    quantile_per_label,
    spread,
)


def triple(preds, target):
    """Too low costs three times as much as too high."""
    return torch.where(preds < target, 3.0, 1.0) * (preds - target).abs()


NUMBERS = [MSE(), MAE(), Huber(), Huber(delta=0.5, unit=2.0), Quantile(0.2), Poisson(), OwnNumberLoss(triple)]
NUMBERS += [LogCosh(), LogCosh(delta=0.5, unit=2.0), Gaussian()]
CLASSES = [CrossEntropy(), CrossEntropy(0.1), Focal(), Focal(0.5), Focal(5.0), ClassBalancedFocal()]
SCORES = [
    AsymmetricFocal(),
    AsymmetricFocal(2.0, 1.0, 0.0),
    AUCSquaredHinge(),
    AUCM(),
    AveragePrecision(0.5),
]  # calibrated after training
SCORES += [SoftF1Macro(), SoftF1Micro()]
each_number_loss = pytest.mark.parametrize("loss", NUMBERS, ids=lambda loss: loss.title)
each_class_loss = pytest.mark.parametrize("loss", CLASSES, ids=lambda loss: loss.title)


# ------------------------------------------------------------------------------------------------------------- numbers


@each_number_loss
def test_the_best_constant_is_the_least_of_all(loss):
    rng = np.random.default_rng(0)
    numbers, weight = rng.gamma(2.0, 3.0, size=101), rng.uniform(0.1, 3.0, size=101)

    def mean_loss(constant):
        return np.average(loss.row_losses(numbers, np.full(101, constant)), weights=weight)

    found = loss.best_constant(numbers, weight)
    elsewhere = minimize_scalar(mean_loss, bounds=(numbers.min(), numbers.max()), method="bounded", options={"xatol": 1e-9})
    assert mean_loss(found) <= elsewhere.fun * (1 + 1e-9)
    assert all(mean_loss(found) <= mean_loss(found + step) for step in (-1.0, -0.01, 0.01, 1.0))


@each_number_loss
def test_a_weight_of_two_is_the_label_twice(loss):
    rng = np.random.default_rng(0)
    numbers, weight = rng.gamma(2.0, 3.0, size=40), rng.integers(1, 4, size=40)
    repeated = np.repeat(numbers, weight)
    found = [loss.best_constant(numbers, weight.astype(float)), loss.best_constant(repeated, np.ones(len(repeated)))]
    losses = [loss.row_losses(repeated, np.full(len(repeated), constant)).mean() for constant in found]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)  # the constants may differ where the least loss is flat


@each_number_loss
def test_row_losses_are_those_per_label_and_nan_where_missing(loss):
    rng = np.random.default_rng(0)
    target, outputs = rng.poisson(3.0, size=20).astype(float), rng.gamma(2.0, 1.0, size=20)
    expected = loss.per_label(torch.as_tensor(outputs)[:, None], torch.as_tensor(target)[:, None])[:, 0].numpy()
    target[3] = np.nan
    found = loss.row_losses(target, outputs)
    assert np.isnan(found).nonzero()[0].tolist() == [3]
    np.testing.assert_allclose(np.delete(found, 3), np.delete(expected, 3))
    assert np.nanmin(found) >= 0


@pytest.mark.parametrize("loss", [own for own in NUMBERS if own.name not in ("poisson", "gaussian")], ids=lambda loss: loss.title)
def test_standardized_labels_give_the_same_loss_up_to_a_factor(loss):
    rng = np.random.default_rng(0)
    target, outputs = (torch.as_tensor(rng.gamma(4.0, 3.0, size=(9, 1))) for _ in range(2))
    center, scale = 2.0, 5.0
    found = loss.per_standardized_label((outputs - center) / scale, (target - center) / scale, center=center, scale=scale)
    ratio = loss.per_label(outputs, target) / found
    torch.testing.assert_close(ratio, ratio[:1].expand(9, 1))


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_quantile_loss_equals_scikit_learn(level):
    rng = np.random.default_rng(0)
    target, outputs, weight = rng.normal(size=50), rng.normal(size=50), rng.uniform(size=50)
    found = Quantile(level).row_losses(target, outputs)
    expected = mean_pinball_loss(target, outputs, alpha=level, sample_weight=weight)
    assert np.average(found, weights=weight) == pytest.approx(expected)


def test_the_quantile_loss_at_a_half_is_half_the_absolute_error():
    outputs, target = torch.tensor([[1.0], [5.0]]), torch.tensor([[3.0], [4.0]])
    torch.testing.assert_close(2 * quantile_per_label(outputs, target, level=0.5), (outputs - target).abs())


def test_huber_is_half_the_square_inside_and_a_tangent_outside():
    residual = torch.tensor([[-3.0], [-1.0], [0.5], [4.0]])
    found = huber_per_label(residual, torch.zeros(4, 1), delta=2.0)
    torch.testing.assert_close(found, torch.tensor([[4.0], [0.5], [0.125], [6.0]]))


def test_a_wide_huber_loss_is_half_the_squared_error_and_a_narrow_one_the_absolute_error():
    rng = np.random.default_rng(0)
    target, outputs = rng.normal(size=30), rng.normal(size=30)
    np.testing.assert_allclose(Huber(1e6, unit=1.0).row_losses(target, outputs), (target - outputs) ** 2 / 2)
    np.testing.assert_allclose(Huber(1e-9, unit=1.0).row_losses(target, outputs) / 1e-9, np.abs(target - outputs), rtol=1e-6)


def test_the_unit_of_huber_is_the_robust_spread_unless_given():
    numbers = np.r_[np.random.default_rng(0).normal(0, 2, size=10_000), 1e9]
    assert Huber().fitted(numbers).unit == pytest.approx(2.0, rel=0.03)
    assert Huber(unit=7.0).fitted(numbers).unit == 7.0


@pytest.mark.parametrize("n", [4, 5, 7, 100])
@pytest.mark.parametrize("level", [0.25, 0.5, 0.75])
def test_equal_weights_give_a_quantile_between_neighbours(n, level):
    numbers = np.random.default_rng(0).normal(size=n)
    found = weighted_quantile(numbers, np.ones(n), level)
    assert found == pytest.approx(np.quantile(numbers, level, method="averaged_inverted_cdf"))


def test_the_spread_of_mostly_equal_labels_is_not_zero():
    assert spread(np.r_[np.zeros(90), np.ones(10)], np.ones(100)) == pytest.approx(0.1)
    assert spread(np.zeros(5), np.ones(5)) == 1.0
    assert spread(np.empty(0), np.empty(0)) == 1.0


# ------------------------------------------------------------------------------------------------------------- classes


@each_class_loss
def test_two_classes_are_two_logits_or_one(loss):
    logits = torch.randn(20, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.tensor([[0.0, 1.0] * 10]).T.double()
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(loss.binary(logits, target), loss.multiclass(both, target))


@each_class_loss
def test_ordered_classes_are_their_log_probabilities(loss):
    outputs = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.randint(4, (20, 1), generator=torch.Generator().manual_seed(1)).double()
    from polytask.losses import cumulative_link_probabilities

    logits = cumulative_link_probabilities(outputs).log()  # a softmax gives them back
    torch.testing.assert_close(loss.ordered(outputs, target), loss.multiclass(logits, target))


@each_class_loss
@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.9, 0.1], [0.999, 0.001], [0.6, 0.3, 0.1], [0.97, 0.02, 0.007, 0.003]])
def test_fitted_probabilities_minimise_the_expected_loss(loss, probabilities):
    fitted = loss.fitted_probabilities(np.array(probabilities)) if not isinstance(loss, CrossEntropy) else None
    if fitted is None:
        share = loss.label_smoothing
        fitted = (1 - share) * np.array(probabilities) + share / len(probabilities)
    codes = torch.arange(len(probabilities)).double()[:, None]
    logits = torch.tensor(np.log(fitted)).requires_grad_()
    expected = (loss.multiclass(logits.expand(len(codes), -1), codes)[:, 0] * torch.tensor(probabilities)).sum()
    expected.backward()
    assert logits.grad.abs().max() < 1e-8


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_outputs_are_turned_into_the_true_probabilities(gamma):
    wanted = np.array([0.7, 0.2, 0.06, 0.04])
    fitted = torch.tensor(Focal(gamma).fitted_probabilities(wanted))
    np.testing.assert_allclose(focal_to_probabilities(fitted, gamma=gamma).numpy(), wanted, rtol=1e-8)


def test_focal_outputs_keep_the_order_of_classes_and_stay_finite():
    logits = torch.randn(500, 5, generator=torch.Generator().manual_seed(0)) * 30
    fitted = torch.softmax(logits, dim=-1)
    found = focal_to_probabilities(fitted.double(), gamma=2.0)
    assert torch.isfinite(found).all()
    assert (found.argmax(-1) == fitted.argmax(-1)).all()
    torch.testing.assert_close(found.sum(-1), torch.ones(500, dtype=torch.float64))


def test_focal_without_focus_is_cross_entropy():
    outputs = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.randint(4, (20, 1), generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(focal_per_label(outputs, target, gamma=0.0), cross_entropy_per_label(outputs, target))


def test_focal_is_the_formula_of_the_paper():
    logit, target = torch.tensor([[0.4], [-1.3]]), torch.tensor([[1.0], [0.0]])
    p = torch.where(target == 1, logit.sigmoid(), 1 - logit.sigmoid())
    torch.testing.assert_close(Focal(2.0).binary(logit, target), -((1 - p) ** 2) * p.log())


def test_label_smoothing_equals_torch():
    outputs = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    codes = torch.randint(4, (20,), generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.cross_entropy(outputs, codes, label_smoothing=0.2, reduction="none")
    torch.testing.assert_close(CrossEntropy(0.2).multiclass(outputs, codes[:, None].float())[:, 0], expected)


def test_cross_entropy_without_smoothing_is_the_plain_function():
    logits, target = torch.randn(9, 3), torch.ones(9, 3)
    assert torch.equal(CrossEntropy().binary(logits, target), binary_cross_entropy_per_label(logits, target))


# ----------------------------------------------------------------------------------------------------- names and JSON


def test_every_loss_is_tested():
    assert {loss.name for loss in NUMBERS} >= number_losses.keys()
    assert {loss.name for loss in CLASSES + SCORES} >= class_losses.keys()


@pytest.mark.parametrize("loss", NUMBERS + CLASSES + SCORES, ids=lambda loss: loss.title)
def test_json_gives_the_same_loss_again(loss):
    assert loss_from_dict(loss.to_dict(), own=[min, triple]) == loss


def test_a_title_reads_as_the_loss_again():
    for loss in (MAE(), Quantile(0.9), Huber(2.0), LogCosh(2.0)):
        assert loss_of(loss.title, of=NumberLoss, task="t") == loss
    for loss in (Focal(1.5), CrossEntropy(0.1), AsymmetricFocal(2.0), ClassBalancedFocal(0.99), AUCM(0.5), SoftF1Micro()):
        assert loss_of(loss.title, of=ClassLoss, task="t") == loss


def test_a_function_becomes_a_loss():
    assert loss_of(triple, of=NumberLoss, task="t") == OwnNumberLoss(triple)
    assert loss_of(triple, of=ClassLoss, task="t") == OwnClassLoss(triple)
    assert OwnNumberLoss(triple).title == OwnNumberLoss(triple).metric_name == "triple"


@pytest.mark.parametrize(
    "given, words",
    [
        ("median", "one of mse, mae, huber, quantile, poisson, log_cosh, gaussian; got 'median'"),
        ("focal", "got 'focal'"),
        (Focal(), "got Focal"),
        (3, "got 3"),
        (MAE, "got <class"),
        ("quantile:0.9x", "must be a number; got 'quantile:0.9x'"),
        ("quantile:1.5", "must be in \\(0, 1\\); got 1.5"),
        ("quantile:90", "Write 0.9 for the 90th percentile"),
        ("huber:-1", "`delta` of Huber must be positive"),
    ],
)
def test_what_is_no_loss_is_refused(given, words):
    with pytest.raises(OptionError, match=words):
        loss_of(given, of=NumberLoss, task="t")


def test_settings_of_losses_by_name():
    assert loss_of("asymmetric_focal:margin=0.1,gamma_negative=2", of=ClassLoss, task="t") == AsymmetricFocal(2, margin=0.1)
    assert loss_of("class_balanced_focal:gamma=1", of=ClassLoss, task="t") == ClassBalancedFocal(gamma=1)
    with pytest.raises(OptionError, match=r"no setting 'margins'\. Did you mean 'margin'"):
        loss_of("asymmetric_focal:margins=0.1", of=ClassLoss, task="t")
    with pytest.raises(OptionError, match="'margin' in the loss of task 't' is given twice"):
        loss_of("asymmetric_focal:margin=0.1,margin=0.2", of=ClassLoss, task="t")


@pytest.mark.parametrize("make", [AUCSquaredHinge, AsymmetricFocal, ClassBalancedFocal, Focal, Quantile, Huber, CrossEntropy])
def test_truth_values_are_no_numbers(make):
    with pytest.raises(OptionError, match="got True"):
        make(True)


def test_a_setting_of_a_loss_without_one_is_refused():
    for given in ("mse:2", "soft_f1_macro:0.5"):
        with pytest.raises(OptionError, match=f"has no setting; got '{given}'"):
            loss_of(given, of=NumberLoss if given[0] == "m" else ClassLoss, task="t")


def test_settings_out_of_range_are_refused():
    for make in (
        lambda: AsymmetricFocal(margin=1.0),
        lambda: AsymmetricFocal(-1.0),
        lambda: AUCSquaredHinge(0.0),
        lambda: AveragePrecision(float("inf")),
        lambda: ClassBalancedFocal(1.0),
        lambda: ClassBalancedFocal(gamma=-1.0),
        lambda: LogCosh(0.0),
        lambda: Focal(-1.0),
        lambda: CrossEntropy(1.0),
        lambda: Huber(unit=0.0),
        lambda: Quantile(float("nan")),
    ):
        with pytest.raises(OptionError, match="must be"):
            make()


def test_a_function_that_takes_a_mean_is_told():
    loss = OwnNumberLoss(lambda preds, target: (preds - target).abs().mean())
    with pytest.raises(OptionError, match=r"one loss per label, a tensor of shape \(4, 1\); got shape \(\)"):
        loss.per_label(torch.zeros(4, 1), torch.zeros(4, 1))


def test_a_negative_loss_has_no_skill():
    loss = OwnNumberLoss(lambda preds, target: preds - target)
    with pytest.raises(OptionError, match="must be >= 0; got -1"):
        loss.row_losses(np.array([1.0]), np.array([0.0]))


def test_a_function_that_is_not_given_at_load_is_named():
    with pytest.raises(ModelFolderError, match=r"your own loss 'triple'.*losses=\[triple\]"):
        loss_from_dict(OwnNumberLoss(triple).to_dict())


@pytest.mark.parametrize("content", [{}, {"loss": "cosine"}, {"loss": "mae", "delta": 1.0}])
def test_an_unknown_loss_in_a_folder_is_told(content):
    with pytest.raises(ModelFolderError, match="not known to this version"):
        loss_from_dict(content)
