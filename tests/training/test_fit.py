"""The loop: same seeds same weights, the best epoch kept, missing labels without effect, runs that end early."""

import numpy as np
import pytest
import torch

from polytask.balancing import BalancingMethod, Equal
from polytask.exceptions import OptionError, PolytaskError
from polytask.optim import warmup_cosine
from polytask.training import OneNetwork, TaskLosses, TrainingSettings, epoch_batches, fit, mean_losses
from tests.training._problems import (
    N_ROWS,
    Job,
    Table,
    assert_close_weights,
    assert_same_weights,
    data_of,
    make_table,
    module_of,
    train_one,
    train_stack,
)


@pytest.fixture
def table() -> Table:
    return make_table()


# ------------------------------------------------------------------------------------------------------------- seeds


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_same_seed_gives_the_same_weights(table, dropout):
    first, second = (train_one(table, dropout=dropout).weights[0] for _ in range(2))
    assert_same_weights(first, second)


def test_the_global_generators_do_not_matter_and_are_not_touched(table):
    first = train_one(table, dropout=0.3).weights[0]
    torch.manual_seed(123)
    np.random.seed(123)  # noqa: NPY002 - the global state is what is tested
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    second = train_one(table, dropout=0.3).weights[0]
    assert_same_weights(first, second)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


def test_another_seed_gives_another_order_of_rows_and_other_weights(table):
    module, other = module_of(table), module_of(table)
    settings = TrainingSettings(max_epochs=1, batch_size=16)
    for seed, one in ((0, module), (1, other)):
        fit(OneNetwork(one), data_of(table, Job()), table.tasks, settings=settings, seeds=[seed])
    assert not torch.equal(module.encoder.layers[0].weight, other.encoder.layers[0].weight)


def test_dropout_is_drawn_from_the_seed(table):
    rows = Job(train=range(16))  # one batch an epoch: the order of rows makes no difference but in the masks
    first, second = (train_one(table, Job(rows.train, seed=s), dropout=0.5, batch_size=64).weights[0] for s in (0, 1))
    assert not torch.equal(first["encoder.layers.0.weight"], second["encoder.layers.0.weight"])


# ------------------------------------------------------------------------------------- the loop does what it says


def test_equals_a_loop_written_by_hand(table):
    settings = TrainingSettings(max_epochs=3, batch_size=16, learning_rate=0.01, weight_decay=0.1, clip_norm=0.5, patience=None)
    ours = train_one(table, max_epochs=3, weight_decay=0.1, clip_norm=0.5, patience=None, learning_rate=0.01).weights[0]

    module, data = module_of(table), data_of(table, Job(valid=()))
    decayed = [p for name, p in module.named_parameters() if not name.endswith("bias")]
    free = [p for name, p in module.named_parameters() if name.endswith("bias")]
    optimizer = torch.optim.AdamW([{"params": decayed}, {"params": free, "weight_decay": 0.0}], lr=0.01, weight_decay=0.1)
    step = 0
    for epoch in (1, 2, 3):
        for rows in epoch_batches([torch.arange(60)], batch_size=16, seeds=[0], epoch=epoch):
            for group in optimizer.param_groups:
                group["lr"] = 0.01 * warmup_cosine(step, total_steps=12)
            outputs = module(table.inputs[0][rows], table.codes[0][rows])
            sums, weights = TaskLosses(table.tasks)(outputs, table.target[rows], table.weight[rows])
            optimizer.zero_grad()
            (sums / weights / data.scale).mean().backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm)
            optimizer.step()
            step += 1
    by_hand = {name: p.detach() for name, p in module.named_parameters()}
    stopped = train_one(table, Job(valid=()), max_epochs=3, weight_decay=0.1, clip_norm=0.5, learning_rate=0.01).weights[0]
    assert_close_weights(stopped, by_hand)
    assert ours.keys() == by_hand.keys()


def test_training_lowers_the_loss_and_raises_the_skill(table):
    history = train_one(table, Job(range(80), range(80, 90)), max_epochs=30).history
    assert (history.epochs[-1].train_losses < history.epochs[0].train_losses).all()
    assert history.best_skill > 0.1


def test_the_untrained_network_has_skill_zero_on_training_rows(table):
    """Heads start at the constant prediction, against which skill is measured."""
    seen = []
    train_one(table, Job(range(60), range(60)), max_epochs=1, learning_rate=1e-12, on_epoch=seen.append)
    features = torch.zeros_like(seen[0].skills)
    torch.testing.assert_close(seen[0].skills, features, atol=0.4, rtol=0)  # random features move it a little


def test_records_tell_epoch_plan_and_steps(table):
    seen = []
    history = train_one(table, max_epochs=3, on_epoch=seen.append).history
    assert [(r.epoch, r.max_epochs, r.steps) for r in seen] == [(1, 3, 4), (2, 3, 8), (3, 3, 12)]
    assert history.epochs == seen
    assert history.steps == 12
    assert history.ended_by == "epochs"
    assert history.n_epochs == 3
    assert history.seconds > 0


def test_the_recorded_skill_is_that_of_the_validation_rows(table):
    job, records, states = Job(), [], []
    module = module_of(table)

    def remember(record):
        records.append(record)
        states.append({name: p.detach().clone() for name, p in module.named_parameters()})

    settings = TrainingSettings(max_epochs=2, batch_size=16)
    fit(OneNetwork(module), data_of(table, job), table.tasks, settings=settings, seeds=[0], on_epoch=remember)
    module.load_state_dict(states[1], strict=False)
    rows = torch.tensor(list(job.valid))
    with torch.no_grad():
        losses = mean_losses(
            *TaskLosses(table.tasks)(module(table.inputs[0][rows], table.codes[0][rows]), table.target[rows], table.weight[rows])
        )
    expected = 1 - losses / data_of(table, job).validation_scale
    torch.testing.assert_close(records[1].skills, expected)
    torch.testing.assert_close(records[1].mean_skill, expected.mean())


def test_another_balancing_method_can_be_given(table):
    class OnlyFirst(BalancingMethod):
        batched = True

        def forward(self, seen):
            weights = torch.zeros_like(seen.losses)
            weights[..., 0] = 1
            return weights

    ours = train_one(table, Job(valid=()), method=OnlyFirst(), weight_decay=0.0).weights[0]
    alone = train_one(table, Job(valid=(), hidden=[1, 2, 3, 4, 5]), method=Equal(), weight_decay=0.0).weights[0]
    assert_close_weights(ours, alone)


# ------------------------------------------------------------------------------------------------------ early stopping


def test_the_parameters_of_the_best_epoch_are_kept(table):
    module, states = module_of(table), []

    def remember(record):
        states.append({name: p.detach().clone() for name, p in module.named_parameters()})

    settings = TrainingSettings(max_epochs=40, batch_size=16, learning_rate=0.05, patience=5)
    history = fit(OneNetwork(module), data_of(table, Job()), table.tasks, settings=settings, seeds=[0], on_epoch=remember)
    skills = [record.mean_skill.item() for record in history.epochs]
    best = int(np.argmax(skills))
    assert history.ended_by == "patience"
    assert history.best_epoch == best + 1
    assert history.best_skill == pytest.approx(skills[best])
    assert len(skills) == best + 1 + 5
    assert best + 1 < len(skills)
    assert_same_weights({name: p.detach() for name, p in module.named_parameters()}, states[best])


def test_without_patience_training_goes_to_the_end_and_still_keeps_the_best(table):
    history = train_one(table, max_epochs=25, learning_rate=0.05, patience=None).history
    assert len(history.epochs) == 25
    assert history.best_epoch < 25


def test_without_validation_rows_the_last_epoch_is_kept(table):
    history = train_one(table, Job(valid=()), max_epochs=20, patience=1).history
    assert history.best_epoch == 20
    assert history.best_skill.isnan()
    assert history.epochs[0].mean_skill.isnan()


@pytest.mark.parametrize("stacked", [False, True])
def test_a_task_without_validation_labels_has_nothing_to_stop_by(table, stacked):
    """A single-task twin whose task is missing in all validation rows is trained to the end, not stopped at its first epoch."""
    table.weight[60:, 0] = 0
    job = Job(hidden=[1, 2, 3, 4, 5])
    history = (
        train_stack(table, [job, Job()], max_epochs=12, patience=2) if stacked else train_one(table, job, patience=2)
    ).history
    assert history.best_epoch.reshape(-1)[0] == history.n_epochs.reshape(-1)[0] == len(history.epochs)
    assert history.best_skill.reshape(-1)[0].isnan()


# ----------------------------------------------------------------------------------------------- missing and weighted


def test_what_stands_under_a_missing_label_does_not_matter(table):
    first = train_one(table).weights[0]
    other = make_table()
    other.target[other.weight == 0] = 77.0
    assert_same_weights(first, train_one(other).weights[0])


def test_a_row_without_any_label_is_as_good_as_no_row_in_the_loss(table):
    rows = torch.arange(20)
    weight = table.weight[rows].clone()
    weight[5:8] = 0
    outputs = module_of(table)(table.inputs[0][rows], table.codes[0][rows])
    losses = TaskLosses(table.tasks)
    kept = torch.tensor([k for k in range(20) if not 5 <= k < 8])
    with_zeros = losses(outputs, table.target[rows], weight)
    without = losses(outputs[kept], table.target[kept], weight[kept])
    for mine, own in zip(with_zeros, without, strict=True):
        torch.testing.assert_close(mine, own)


def test_a_whole_number_as_weight_is_a_row_repeated(table):
    rows = torch.arange(20)
    times = torch.arange(20) % 4
    repeated = rows.repeat_interleave(times)
    losses, module = TaskLosses(table.tasks), module_of(table)
    weighted = losses(
        module(table.inputs[0][rows], table.codes[0][rows]), table.target[rows], table.weight[rows] * times[:, None]
    )
    copied = losses(module(table.inputs[0][repeated], table.codes[0][repeated]), table.target[repeated], table.weight[repeated])
    for mine, own in zip(weighted, copied, strict=True):
        torch.testing.assert_close(mine, own)


def test_losses_of_parts_add_up_to_the_loss_of_the_whole(table):
    losses, rows = TaskLosses(table.tasks), torch.arange(30)
    outputs = module_of(table)(table.inputs[0][rows], table.codes[0][rows])
    whole = losses(outputs, table.target[rows], table.weight[rows])
    parts = [losses(outputs[p], table.target[rows][p], table.weight[rows][p]) for p in (slice(11), slice(11, 30))]
    for k in (0, 1):
        torch.testing.assert_close(parts[0][k] + parts[1][k], whole[k])


def test_a_task_wholly_missing_in_training_changes_nothing_for_the_others(table):
    table.weight[:60, 0] = 0
    run = train_one(table, weight_decay=0.0)
    assert run.history.epochs[0].train_losses[0].isnan()
    start = dict(module_of(table).named_parameters())
    assert torch.equal(run.weights[0]["heads.0.linear.weight"], start["heads.0.linear.weight"])
    hidden = train_one(make_table(), Job(hidden=[0]), weight_decay=0.0).weights[0]
    assert_close_weights(run.weights[0], hidden)


def test_a_task_missing_in_a_batch_leaves_that_step_to_the_others(table):
    table.weight[:] = 1
    table.weight[1:60, 1] = 0  # one label: three batches of four have none
    run = train_one(table)
    assert run.history.epochs[0].train_losses.isfinite().all()


def test_no_label_in_a_whole_batch_is_no_step_of_any_loss(table):
    table.weight[:55] = 0
    run = train_one(table, max_epochs=2)
    assert all(p.isfinite().all() for p in run.weights[0].values())


def test_a_task_missing_in_validation_has_no_skill_and_the_mean_is_over_the_others(table):
    table.weight[60:, 2] = 0
    record = train_one(table, max_epochs=1).history.epochs[0]
    assert record.skills[2].isnan()
    torch.testing.assert_close(record.mean_skill, record.skills[[0, 1, 3, 4, 5]].mean())


def test_one_task_alone_can_be_trained():
    history = train_one(make_table(only=1), max_epochs=30).history
    assert history.epochs[0].skills.shape == (1,)
    assert history.best_skill > 0.3


def test_one_row_in_a_batch_can_be_trained(table):
    history = train_one(table, Job(range(17), range(60, N_ROWS)), batch_size=1, max_epochs=1).history
    assert history.steps == 17


# ----------------------------------------------------------------------------------------------------- ends of a run


def test_max_steps_ends_the_run_at_that_step(table):
    history = train_one(table, max_steps=6).history
    assert (history.steps, history.ended_by, len(history.epochs)) == (6, "steps", 2)


def test_max_steps_keeps_the_schedule_of_the_plan(table):
    """Six steps of a long plan are the first six steps of the whole plan."""
    states = []
    module = module_of(table)
    settings = TrainingSettings(max_epochs=6, batch_size=16, learning_rate=0.01)
    data = data_of(table, Job(valid=()))

    def remember(record):
        states.append({name: p.detach().clone() for name, p in module.named_parameters()})

    fit(OneNetwork(module), data, table.tasks, settings=settings, seeds=[0], on_epoch=remember)
    assert_same_weights(train_one(table, Job(valid=()), max_steps=8).weights[0], states[1])


@pytest.mark.parametrize("seconds", [1e-9, 0.05])
def test_a_run_ended_by_time_is_repeated_by_its_number_of_steps(table, seconds):
    by_time = train_one(table, dropout=0.2, time_limit=seconds, max_epochs=10_000, patience=None)
    assert by_time.history.ended_by == "time"
    by_steps = train_one(table, dropout=0.2, max_steps=by_time.history.steps, max_epochs=10_000, patience=None)
    assert by_steps.history.ended_by == "steps"
    assert_same_weights(by_time.weights[0], by_steps.weights[0])


def test_a_stack_ended_by_time_is_repeated_by_its_number_of_steps(table):
    jobs = [Job(seed=1), Job(seed=2, fold=1)]
    by_time = train_stack(table, jobs, dropout=0.2, time_limit=0.05, max_epochs=10_000, patience=None)
    by_steps = train_stack(table, jobs, dropout=0.2, max_steps=by_time.history.steps, max_epochs=10_000, patience=None)
    for first, second in zip(by_time.weights, by_steps.weights, strict=True):
        assert_same_weights(first, second)


def test_an_interrupt_keeps_what_was_best(table):
    def interrupt(record):
        if record.epoch == 3:
            raise KeyboardInterrupt

    run = train_one(table, on_epoch=interrupt)
    assert run.history.ended_by == "interrupt"
    assert len(run.history.epochs) == 3
    # the plan of the schedule is that of the whole run: twelve of its 24 steps are three of its six epochs
    assert_same_weights(run.weights[0], train_one(table, max_steps=12).weights[0])
    assert not run.modules[0].training


def test_an_interrupt_keeps_what_was_best_of_every_network(table):
    def interrupt(record):
        if record.epoch == 3:
            raise KeyboardInterrupt

    jobs = [Job(seed=1), Job(seed=2)]
    run, whole = train_stack(table, jobs, on_epoch=interrupt), train_stack(table, jobs, max_steps=12)
    for first, second in zip(run.weights, whole.weights, strict=True):
        assert_same_weights(first, second)


def test_an_interrupt_before_anything_was_learned_is_passed_on(table, monkeypatch):
    monkeypatch.setattr("polytask.optim._schedules.warmup_cosine", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_one(table)


def _interrupt(*args, **kwargs):
    raise KeyboardInterrupt


def test_another_error_of_a_callback_is_passed_on(table):
    def fail(record):
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        train_one(table, on_epoch=fail)


# ------------------------------------------------------------------------------------------------- losses not finite


@pytest.mark.parametrize("stacked", [False, True])
def test_a_loss_that_is_not_finite_names_the_task_that_began_it(table, stacked):
    table.target[7, 0], table.weight[7, 0] = 1e30, 1.0  # its square is infinite in float32
    with pytest.raises(PolytaskError, match=r"^The loss of 'price' is not finite"):
        train_stack(table, [Job(seed=1), Job(seed=2)]) if stacked else train_one(table)


def test_a_validation_loss_that_is_not_finite_names_the_task(table):
    table.target[70, 0], table.weight[70, 0] = 1e30, 1.0
    with pytest.raises(PolytaskError, match="loss of 'price' is not finite"):
        train_one(table)


def test_lost_parameters_are_told_even_if_no_loss_was_seen_after(table):
    class Broken(BalancingMethod):
        def forward(self, seen):
            return torch.full_like(seen.losses, torch.nan)

    with pytest.raises(PolytaskError, match="not finite"):
        train_one(table, Job(range(16), ()), max_epochs=1, method=Broken())


# ------------------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("name", ["max_epochs", "batch_size", "patience", "max_steps"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_count_must_be_a_whole_number_above_zero(name, value):
    with pytest.raises(OptionError, match=f"`{name}` must be a whole number >= 1; got {value!r}"):
        TrainingSettings(**{name: value})


@pytest.mark.parametrize("name", ["learning_rate", "clip_norm", "time_limit"])
@pytest.mark.parametrize("value", [0, -0.5, float("nan")])
def test_a_rate_norm_or_limit_must_be_positive(name, value):
    with pytest.raises(OptionError, match=f"`{name}` must be positive"):
        TrainingSettings(**{name: value})


def test_decay_must_not_be_negative():
    with pytest.raises(OptionError, match="`weight_decay` must be >= 0 and finite; got -1"):
        TrainingSettings(weight_decay=-1)


@pytest.mark.parametrize("value", ["ten", None, float("nan"), float("inf")])
def test_a_setting_of_another_kind_is_refused_in_a_sentence(value):
    with pytest.raises(OptionError, match="max_epochs"):
        TrainingSettings(max_epochs=value)
    with pytest.raises(OptionError, match="learning_rate"):
        TrainingSettings(learning_rate=value)
