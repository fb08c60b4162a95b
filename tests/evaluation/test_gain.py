import numpy as np
import pytest
from numpy.testing import assert_allclose

from polytask.evaluation import UndefinedGain, mean_gain, task_gain
from tests.evaluation._noise import folds, noisy_losses


@pytest.fixture
def fold(rng):
    return folds(120, rng=rng)


@pytest.fixture
def losses(rng, fold):
    return noisy_losses(fold, rng=rng, gain=0.1)


def test_gain_is_the_difference_of_the_two_skills(fold, losses):
    joint, separate, constant = losses[0], losses[1], losses[2] * 4
    gain = task_gain(joint, separate, constant, fold=fold)
    assert_allclose(gain.gain, (1 - joint.mean() / 4) - (1 - separate.mean() / 4))
    assert_allclose([gain.error_joint, gain.error_separate, gain.error_constant], [joint.mean(), separate.mean(), 4.0])


def test_influence_sums_to_zero_and_is_the_derivative_by_row_weight(fold, losses):
    constant = losses[2] * np.linspace(0.5, 1.5, fold.shape[1])
    plain = task_gain(*losses[:2], constant, fold=fold)
    assert_allclose(plain.influence.sum(), 0, atol=1e-12)
    weight = np.ones(fold.shape[1])
    weight[7] += 1e-6
    moved = task_gain(*losses[:2], constant, fold=fold, weight=weight)
    assert_allclose((moved.gain - plain.gain) / 1e-6, plain.influence[:, 7].sum(), rtol=1e-4)


def test_one_repeat_without_an_effect_of_models_has_the_textbook_standard_error(rng):
    fold = folds(200, rng=rng, n_repeats=1)
    joint, separate, constant = noisy_losses(fold, rng=rng, model=0.0)
    gain = task_gain(joint, separate, constant, fold=fold)
    assert_allclose(np.sqrt(gain.variance.rows), (separate - joint).std(ddof=1) / np.sqrt(200))


def test_rows_and_repeats_is_the_formula_of_the_design(fold, losses):
    joint, separate, _ = losses
    variance = task_gain(*losses, fold=fold).variance
    difference = separate - joint
    expected = difference.mean(axis=0).var(ddof=1) / fold.shape[1] + difference.mean(axis=1).var(ddof=1) / len(fold)
    assert_allclose(variance.rows_and_repeats, expected)


def test_unit_of_the_loss_does_not_matter(fold, losses):
    small, large = (task_gain(*(scale * values for values in losses), fold=fold) for scale in (1.0, 1e6))
    assert_allclose([large.gain, large.se, large.df, large.delta], [small.gain, small.se, small.df, small.delta])


def test_order_of_rows_and_repeats_does_not_matter(rng, fold, losses):
    rows, repeats = rng.permutation(fold.shape[1]), rng.permutation(len(fold))
    shuffled = [values[repeats][:, rows] for values in losses]
    one, other = task_gain(*losses, fold=fold), task_gain(*shuffled, fold=fold[repeats][:, rows])
    assert_allclose([other.gain, other.se, other.df], [one.gain, one.se, one.df])
    assert_allclose(np.sort(other.fold_gains), np.sort(one.fold_gains))


def test_swapping_the_arms_turns_the_gain_around(fold, losses):
    joint, separate, constant = losses
    there, back = task_gain(joint, separate, constant, fold=fold), task_gain(separate, joint, constant, fold=fold)
    assert_allclose([back.gain, back.se], [-there.gain, there.se])


def test_missing_labels_are_as_if_the_rows_were_not_there(rng, fold, losses):
    missing = rng.random(fold.shape[1]) < 0.4
    holes = [np.where(missing, np.nan, values) for values in losses]
    without = task_gain(*(values[:, ~missing] for values in losses), fold=fold[:, ~missing])
    for gain in (task_gain(*holes, fold=fold), task_gain(*losses, fold=fold, weight=np.where(missing, 0.0, 1.0))):
        assert_allclose([gain.gain, gain.se, gain.df], [without.gain, without.se, without.df])
        assert_allclose(gain.fold_gains, without.fold_gains)
        assert_allclose(gain.test_to_train, without.test_to_train)


def test_rows_never_held_out_are_as_if_they_were_not_there(fold, losses):
    never = np.arange(fold.shape[1]) < 30
    marked = task_gain(*(np.where(never, np.nan, v) for v in losses), fold=np.where(never, -1, fold))
    without = task_gain(*(values[:, ~never] for values in losses), fold=fold[:, ~never])
    assert_allclose([marked.gain, marked.se, marked.df], [without.gain, without.se, without.df])
    assert_allclose(marked.fold_gains, without.fold_gains)
    assert_allclose(mean_gain([marked], fold=np.where(never, -1, fold)).se, without.se)


def test_groups_of_one_row_are_rows(rng, fold, losses):
    rows, groups = (task_gain(*losses, fold=fold, groups=g) for g in (None, rng.permutation(fold.shape[1])))
    assert_allclose([groups.gain, groups.se, groups.df], [rows.gain, rows.se, rows.df])


def test_copies_of_a_row_in_one_group_bring_no_certainty(fold, losses):
    groups = np.arange(fold.shape[1])
    once = task_gain(*losses, fold=fold, groups=groups)
    thrice = task_gain(*(np.repeat(v, 3, axis=1) for v in losses), fold=np.repeat(fold, 3, axis=1), groups=np.repeat(groups, 3))
    assert_allclose([thrice.gain, thrice.se, thrice.df], [once.gain, once.se, once.df])


def test_whole_weights_are_copies_in_one_group(rng, fold, losses):
    weight = rng.integers(1, 4, fold.shape[1])
    weighted = task_gain(*losses, fold=fold, weight=weight)
    copied = [np.repeat(values, weight, axis=1) for values in (*losses, fold)]
    copies = task_gain(*copied[:3], fold=copied[3], groups=np.repeat(np.arange(len(weight)), weight))
    assert_allclose([copies.gain, copies.se], [weighted.gain, weighted.se])


def test_groups_may_have_any_names(fold, losses):
    names = np.array(["a", "b", "c", "d"])[np.arange(fold.shape[1]) % 4]
    named, coded = (task_gain(*losses, fold=fold, groups=g) for g in (names, np.arange(fold.shape[1]) % 4))
    assert named.se == coded.se
    assert named.variance.n_rows == 4


def test_delta_is_the_change_of_error_in_percent(fold):
    ones = np.ones(fold.shape)
    assert_allclose(task_gain(0.4 * ones, 0.5 * ones, ones, fold=fold).delta, 20.0)
    assert task_gain(0 * ones, 0 * ones, ones, fold=fold).delta is None


def test_a_task_nearly_without_error_alone_is_saturated(fold):
    ones = np.ones(fold.shape)
    assert task_gain(0.04 * ones, 0.04 * ones, ones, fold=fold).saturated
    assert not task_gain(0.04 * ones, 0.06 * ones, ones, fold=fold).saturated


def test_mean_gain_counts_the_correlation_between_tasks(rng, fold):
    one, other = (task_gain(*noisy_losses(fold, rng=rng), fold=fold) for _ in range(2))
    together, apart = mean_gain([one, one], fold=fold), mean_gain([one, other], fold=fold)
    assert_allclose([together.gain, together.se], [one.gain, one.se])
    assert apart.se < 0.8 * one.se


def test_mean_gain_weighs_tasks_alike_however_many_labels_they_have(rng, fold):
    full, sparse = noisy_losses(fold, rng=rng, gain=0.1), noisy_losses(fold, rng=rng, gain=0.3)
    missing = rng.random(fold.shape[1]) < 0.7
    gains = [task_gain(*full, fold=fold), task_gain(*(np.where(missing, np.nan, v) for v in sparse), fold=fold)]
    mean = mean_gain(gains, fold=fold)
    assert_allclose(mean.gain, (gains[0].gain + gains[1].gain) / 2)
    assert_allclose(mean.delta, (gains[0].delta + gains[1].delta) / 2)
    assert_allclose(mean.variance.rows, (gains[0].variance.rows + gains[1].variance.rows) / 4, rtol=0.3)  # independent errors


def test_a_task_without_labels_in_one_fold_still_counts_in_the_mean(rng, fold):
    losses = noisy_losses(fold, rng=rng)
    full, holes = task_gain(*losses, fold=fold), [np.where(fold == 4, np.nan, v) for v in losses]
    mean = mean_gain([full, task_gain(*holes, fold=fold)], fold=fold)
    assert np.isfinite([mean.se, mean.corrected_t().high]).all()
    assert_allclose(mean.fold_gains[4::5], full.fold_gains[4::5])


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda joint, separate, constant: (joint + np.nan, separate + np.nan, constant + np.nan), "no label"),
        (lambda joint, separate, constant: (joint, separate, constant * 0), "nothing to gain"),
        (lambda joint, separate, constant: (joint, separate + np.inf, constant), "infinite"),
    ],
)
def test_what_cannot_be_measured_is_told_in_words(fold, losses, change, reason):
    with pytest.raises(UndefinedGain, match=reason):
        task_gain(*change(*losses), fold=fold)


def test_labels_of_one_group_or_one_fold_cannot_give_a_gain(fold, losses):
    with pytest.raises(UndefinedGain, match="one group"):
        task_gain(*losses, fold=fold, groups=np.zeros(fold.shape[1]))
    with pytest.raises(UndefinedGain, match="one fold"):
        task_gain(*losses, fold=fold, weight=(fold[0] == 0).astype(float))


def test_errors_name_shapes_and_the_arm_with_an_extra_nan(fold, losses):
    joint, separate, constant = losses
    with pytest.raises(ValueError, match=r"\(5, 119\)"):
        task_gain(joint[:, 1:], separate, constant, fold=fold)
    separate[2, 3] = np.nan
    with pytest.raises(ValueError, match="`separate` must be NaN in the same places; 1 differ"):
        task_gain(joint, separate, constant, fold=fold)
    with pytest.raises(ValueError, match=r"\(120,\) numbers >= 0"):
        task_gain(joint, joint, constant, fold=fold, weight=-np.ones(120))
