"""What every kind of task promises: shapes, missing labels, the constant model, JSON, strata."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from polytask.exceptions import ModelFolderError, PolytaskError, TargetError
from polytask.tasks import KINDS, FittedTask, fitted_task_from_dict, fixed_task, task_of_kind
from tests.tasks._tables import DECLARED, fitted_tasks, label_table, weights_of

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def y():
    return label_table()


@pytest.fixture(scope="module")
def fitted(y):
    return fitted_tasks(y)


def natural(task: FittedTask, n: int, *, seed: int = 0) -> np.ndarray:
    """Some outputs in natural scale."""
    raw = torch.randn(n, task.n_outputs, generator=torch.Generator().manual_seed(seed))
    return task.link(raw).numpy()


def test_every_kind_is_tested():
    assert DECLARED.keys() == KINDS.keys()


# ------------------------------------------------------------------------------------------------------- into numbers


@every_kind
def test_labels_become_one_column_per_target_with_nan_for_missing(y, fitted, kind):
    target = fitted[kind].encode(y)
    assert target.shape == (200, fitted[kind].n_targets)
    assert target.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(target), y[list(fitted[kind].columns)].isna())


@every_kind
def test_every_kind_of_missing_is_missing(fitted, kind):
    task = fitted[kind]
    for missing in (None, np.nan, pd.NA, pd.NaT):
        frame = pd.DataFrame({column: pd.Series([missing, missing], dtype=object) for column in task.columns})
        assert np.isnan(task.encode(frame)).all()


@every_kind
def test_no_rows_give_no_targets(y, fitted, kind):
    assert fitted[kind].encode(y.iloc[:0]).shape == (0, fitted[kind].n_targets)


@every_kind
def test_a_missing_column_is_named_with_near_ones(y, fitted, kind):
    column = fitted[kind].columns[0]
    renamed = y.rename(columns={column: column + "x"}).drop(columns=[c for c in "abc" if c in y and c != column])
    with pytest.raises(TargetError, match=rf"needs the label column '{column}'; it is not in y\."):
        fitted[kind].encode(renamed)


@every_kind
def test_a_column_without_labels_cannot_be_learned(y, kind):
    with pytest.raises(TargetError, match=r"cannot be learned: all its labels are missing.*--unlearnable skip"):
        DECLARED[kind].fit(y.mask(np.ones(y.shape, dtype=bool)))


@every_kind
def test_a_column_with_one_value_cannot_be_learned(y, kind):
    same = pd.DataFrame({column: [1, 1, None] for column in y})
    declared = task_of_kind(DECLARED[kind].name, DECLARED[kind].columns, kind)
    with pytest.raises(TargetError, match="cannot be learned"):
        declared.fit(same)


@every_kind
def test_infinite_labels_are_refused(y, kind):
    declared = task_of_kind(DECLARED[kind].name, DECLARED[kind].columns, kind)
    for bad in (np.inf, -np.inf):
        with pytest.raises(PolytaskError, match="inf"):
            declared.fit(pd.DataFrame({column: [0.0, 1.0, bad, 0.0] for column in y}))


@every_kind
def test_strata_tell_the_label_and_whether_it_is_missing(y, fitted, kind):
    task = fitted[kind]
    target = task.encode(y)
    strata = task.strata(target)
    assert strata.dtype == bool
    assert len(strata) == 200
    missing = np.isnan(target).any(axis=1)
    np.testing.assert_array_equal(strata[:, -1], missing)
    complete = task.strata(target[~missing])
    assert complete.shape[1] == strata.shape[1] - 1  # no indicator of what does not happen


# --------------------------------------------------------------------------------------------------- the constant model


@every_kind
def test_the_constant_raw_outputs_give_the_constant_outputs(fitted, kind):
    task = fitted[kind]
    raw = torch.as_tensor(task.constant_raw()).expand(5, -1)
    assert raw.shape == (5, task.n_outputs)
    np.testing.assert_allclose(task.link(raw).numpy(), task.constant_outputs(5), rtol=1e-12, atol=1e-12)


def constants_and_loss(task, y):
    target = task.encode(y)
    weight = weights_of(target)
    numbers = torch.as_tensor(np.nan_to_num(task.training_target(target)))
    raw = torch.as_tensor(task.constant_raw()).double().requires_grad_()
    loss, total = task.loss_sums(raw.expand(len(y), -1), numbers, torch.as_tensor(weight))
    return raw, loss / total


@pytest.mark.parametrize("kind", ["regression", "count"])
def test_the_constant_of_a_number_minimises_the_loss(y, fitted, kind):
    raw, loss = constants_and_loss(fitted[kind], y)
    loss.backward()
    assert raw.grad.abs().max() < 1e-9


@pytest.mark.parametrize("kind", ["binary", "multiclass", "ordinal", "multilabel"])
def test_the_constant_of_classes_minimises_the_loss_of_the_smoothed_labels(y, fitted, kind):
    """One label's worth of doubt, spread over all classes, is added to the observed ones; weights count as rows on average."""
    task = fitted[kind]
    target = task.encode(y)
    weight = weights_of(target)
    n_classes = 2 if kind == "multilabel" else len(task.classes)
    n_labels = (weight > 0).sum(axis=0)
    weight = weight * n_labels / weight.sum(axis=0)
    doubt = np.repeat(np.arange(n_classes)[:, None], target.shape[1], axis=1).astype(float)
    numbers = torch.as_tensor(np.nan_to_num(np.concatenate([target, doubt])))
    weights = torch.as_tensor(np.concatenate([weight, np.full(doubt.shape, 1 / n_classes)]))
    raw = torch.as_tensor(task.constant_raw()).double().requires_grad_()
    loss, total = task.loss_sums(raw.expand(len(numbers), -1), numbers, weights)
    (loss / total).backward()
    assert raw.grad.abs().max() < 1e-9


@every_kind
def test_the_constant_model_has_skill_zero_by_its_own_row_losses(y, fitted, kind):
    """Its row losses are those of the loss that networks minimise, but for constants of scale."""
    task = fitted[kind]
    target = task.encode(y)
    own = task.row_losses(task.constant_outputs(200), target)
    assert np.isnan(own).tolist() == np.isnan(target).all(axis=1).tolist()
    assert np.nanmin(own) >= 0


@every_kind
def test_row_losses_agree_with_the_training_loss(y, fitted, kind):
    task = fitted[kind]
    rows = ~np.isnan(task.encode(y)).any(axis=1)
    target = task.encode(y)[rows]
    raw = torch.randn(len(target), task.n_outputs, dtype=torch.float64) * 0.5
    numbers = torch.as_tensor(task.training_target(target))
    per_row = [task.loss_sums(raw[[k]], numbers[[k]], torch.ones(1, task.n_targets))[0].item() for k in range(len(target))]
    scale = task.statistics["scale"] ** 2 if kind == "regression" else 1 / task.n_targets
    np.testing.assert_allclose(task.row_losses(task.link(raw).numpy(), target), np.array(per_row) * scale, rtol=1e-6)


@every_kind
def test_training_rows_without_labels_still_give_a_constant(y, fitted, kind):
    task = fitted[kind]
    nothing = np.full((7, task.n_targets), np.nan)
    constant = task.with_statistics(nothing, np.zeros((7, task.n_targets)))
    assert np.isfinite(constant.constant_outputs(2)).all()
    assert np.isfinite(constant.constant_raw()).all()


@every_kind
def test_labels_of_weight_zero_do_not_move_the_constant(y, fitted, kind):
    task = fitted[kind]
    target = task.encode(y)
    weight = weights_of(target)
    some = weight.copy()
    some[100:] = 0
    first = task.with_statistics(target, some).constant_outputs(1)
    np.testing.assert_allclose(first, task.with_statistics(target[:100], weight[:100]).constant_outputs(1))


@every_kind
def test_the_scale_of_weights_does_not_matter(y, fitted, kind):
    task = fitted[kind]
    target = task.encode(y)
    weight = weights_of(target)
    first, second = (task.with_statistics(target, weight * factor).constant_outputs(1) for factor in (1.0, 1000.0))
    np.testing.assert_allclose(first, second)


# ------------------------------------------------------------------------------------------------------ out of numbers


@every_kind
def test_the_link_gives_finite_outputs_whatever_the_raw_ones(fitted, kind):
    task = fitted[kind]
    raw = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4])[:, None].expand(5, task.n_outputs)
    outputs = task.link(raw)
    assert outputs.dtype == torch.float64
    assert outputs.isfinite().all()


@every_kind
def test_the_link_keeps_leading_axes(fitted, kind):
    task = fitted[kind]
    raw = torch.randn(3, 5, task.n_outputs)
    whole = task.link(raw)
    for r in range(3):
        torch.testing.assert_close(whole[r], task.link(raw[r]))


@pytest.mark.parametrize("kind", ["binary", "multiclass", "ordinal"])
def test_probabilities_sum_to_one(fitted, kind):
    np.testing.assert_allclose(natural(fitted[kind], 50).sum(axis=1), 1)


@every_kind
def test_decoded_columns_are_the_label_columns(fitted, kind):
    decoded = fitted[kind].decode(natural(fitted[kind], 7))
    assert tuple(decoded) == fitted[kind].columns
    assert all(len(values) == 7 for values in decoded.values())


@every_kind
def test_perfect_outputs_decode_to_the_labels(y, fitted, kind):
    task = fitted[kind]
    target = task.encode(y)
    rows = ~np.isnan(target).any(axis=1)
    codes = target[rows]
    perfect = (
        codes[:, 0] if not task.labels else codes if kind == "multilabel" else np.eye(len(task.labels))[codes[:, 0].astype(int)]
    )
    for column, values in task.decode(perfect).items():
        assert list(values) == list(y.loc[rows, column])


@every_kind
def test_the_table_starts_with_the_decoded_columns(fitted, kind):
    outputs = natural(fitted[kind], 4)
    table, decoded = fitted[kind].decode_table(outputs), fitted[kind].decode(outputs)
    for column in decoded:
        np.testing.assert_array_equal(table[column], decoded[column])
    expected = {
        "regression": ["price"],
        "count": ["visits"],
        "binary": ["sold", "sold:p(no)", "sold:p(yes)"],
        "multiclass": ["colour", "colour:p(blue)", "colour:p(green)", "colour:p(red)"],
        "ordinal": ["size", "size:p(S)", "size:p(M)", "size:p(L)", "size:p(XL)"],
        "multilabel": ["a", "a:p", "b", "b:p", "c", "c:p"],
    }
    assert list(table) == expected[kind]


@every_kind
def test_metrics_are_on_the_observed_labels_only(y, fitted, kind):
    task = fitted[kind]
    target = task.encode(y)
    seen = ~np.isnan(target).all(axis=1)
    outputs = natural(task, 200)
    whole = task.evaluate(outputs, target)
    assert whole.keys() == {metric.name for metric in task.scored_by}
    assert whole == task.evaluate(outputs[seen], target[seen])
    assert all(value is None or np.isfinite(value) for value in whole.values())


@every_kind
def test_undefined_metrics_have_a_reason(y, fitted, kind):
    task = fitted[kind]
    nothing = np.full((5, task.n_targets), np.nan)
    values, reasons = task.evaluate_with_reasons(natural(task, 5), nothing)
    assert set(values.values()) == {None}
    assert reasons.keys() == values.keys()
    assert all(isinstance(reason, str) and reason for reason in reasons.values())


@every_kind
def test_a_row_weight_of_zero_leaves_the_row_out_of_metrics(y, fitted, kind):
    task = fitted[kind]
    target, outputs = task.encode(y), natural(task, 200)
    weight = np.r_[np.ones(150), np.zeros(50)]
    first = task.evaluate(outputs, target, sample_weight=weight)
    assert first == pytest.approx(task.evaluate(outputs[:150], target[:150], sample_weight=np.ones(150)))


@every_kind
def test_columns_predicted_alone_join_to_outputs(fitted, kind):
    task = fitted[kind]
    rng = np.random.default_rng(0)
    columns = []
    for _ in range(task.n_targets):
        column = rng.uniform(0.1, 1, size=(6, task.n_codes) if task.n_codes else 6)
        columns.append(column / column.sum(axis=1, keepdims=True) if task.n_codes else column)
    joined = task.join(columns)
    assert joined.shape == task.constant_outputs(6).shape
    assert np.isfinite(joined).all()


# ------------------------------------------------------------------------------------------------------------- storage


@every_kind
def test_json_gives_the_same_task_again(y, fitted, kind):
    task = fitted[kind]
    again = fitted_task_from_dict(json.loads(json.dumps(task.to_dict(), allow_nan=False)))
    assert again == task
    assert again.to_dict() == task.to_dict()
    outputs = natural(task, 5)
    np.testing.assert_array_equal(again.constant_outputs(3), task.constant_outputs(3))
    assert list(again.decode(outputs)) == list(task.decode(outputs))


@every_kind
def test_a_fixed_task_gives_the_fitted_one_whatever_the_rows(y, fitted, kind):
    fixed = fixed_task(fitted[kind])
    assert fixed.fit(y.iloc[:0]) is fitted[kind]
    assert (fixed.name, fixed.columns, fixed.kind) == (fitted[kind].name, fitted[kind].columns, kind)
    assert fixed.estimator_type == fitted[kind].estimator_type


@every_kind
def test_declared_and_fitted_agree_on_their_class_variables(fitted, kind):
    assert DECLARED[kind].kind == fitted[kind].kind == kind
    assert DECLARED[kind].estimator_type == fitted[kind].estimator_type


@pytest.mark.parametrize("content", [{}, {"kind": "survival"}, {"kind": None}])
def test_an_unknown_kind_in_a_folder_is_told(content):
    with pytest.raises(ModelFolderError, match="not known to this version"):
        fitted_task_from_dict(content)
