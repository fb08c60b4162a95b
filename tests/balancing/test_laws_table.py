"""Every cell of the table of laws: what holds on batteries of gradients, and a counterexample for what does not."""

import inspect
from fractions import Fraction

import pytest
import torch

from polytask import balancing
from polytask.balancing import BalancingMethod, mgda_weights, step
from tests.balancing._law_table import END, NOT_IN_IT, PAGE, START, TABLE, markdown
from tests.balancing._laws import MATRICES, observed

HARMLESS = {"always": ["two", "more", "dependent"], "independent gradients": ["two", "more"], "two tasks": ["two"], "no": []}
STOPPED = {"MGDA", "Every", "PCD"}  # by a task whose gradient is zero; PCD, if it is the primary one
SETTLE = 400  # steps until learned weights rest, with the learning rates of the table


def make(name):
    return (TABLE[name].make or getattr(balancing, name))()


def has_memory(name):
    return bool(TABLE[name].unit_free == "at rest")


def drawn(kind, seed):
    """Gradients [T, P] of scales from 1e-1 to 1e1."""
    generator = torch.Generator().manual_seed(seed)
    shape = {"two": (2, 5), "more": (4, 7), "dependent": (5, 3)}[kind]
    rows = torch.randn(shape, dtype=torch.float64, generator=generator)
    if (
        kind == "dependent" and seed % 2
    ):  # a cone without a direction that helps all is the exception in three dimensions, so lean
        rows[:, 0] = rows[:, 0].abs() + 0.1
    return rows * 10 ** (2 * torch.rand(shape[0], 1, dtype=torch.float64, generator=generator) - 1)


def losses_of(seed, n_tasks):
    return 0.2 + torch.rand(n_tasks, dtype=torch.float64, generator=torch.Generator().manual_seed(1000 + seed))


def direction(method, jacobian, losses, *, steps=1, tasks=None):
    """What the method makes of these gradients, once or after seeing them many times."""
    if method.n_batches > 1 or "second_forward" in method.needs:
        return ahead(method, jacobian, losses, steps=steps, tasks=tasks)
    for _ in range(steps):
        found = method(observed(jacobian, losses, tasks))
        if "losses_after_step" in method.needs:
            method.after_step(losses)
    return found if "jacobian" in method.needs else found.to(jacobian) @ jacobian


def ahead(method, jacobian, losses, *, steps, tasks):
    """The same of a method that looks ahead: losses of these values and gradients at 0, the same in all batches.

    They are straight, but bent for a method that looks at parameters nearby.
    """
    w = torch.zeros(jacobian.shape[1], dtype=torch.float64, requires_grad=True)
    bend = jacobian.norm(dim=1) / 2 if "second_forward" in method.needs else torch.zeros_like(losses)
    found = []

    def take():
        found.append(w.grad)
        w.grad = None  # so that it stays at 0

    for _ in range(steps):
        step(
            lambda _: losses + jacobian @ w + bend * w.square().sum(),
            [None] * method.n_batches,
            method,
            optimizer=torch.optim.SGD([w], lr=0.1),
            shared_params=[w],
            tasks=tasks,
            before_step=take,
        )
    return found[-1]


def rests(name, jacobian, seed):
    """Whether there is no direction, beyond rounding.

    Of methods whose direction does not grow with the gradients (2 to 3 long as a rule), one below 0.01: they keep their weights
    finite where no direction helps all tasks.
    """
    found, degree = direction(make(name), jacobian, losses_of(seed, len(jacobian))), TABLE[name].degree
    return float(found.norm()) <= (0.01 if degree is not None and degree < 1 else 1e-9 * jacobian.norm())


def harms(name, jacobian, seed):
    """Whether some task gets worse, beyond rounding."""
    if rests(name, jacobian, seed):
        return False
    found = direction(make(name), jacobian, losses_of(seed, len(jacobian)))
    cosines = jacobian @ found / (jacobian.norm(dim=1) * found.norm()).clamp(min=1e-300)
    return bool((cosines < -1e-6).any())


def turned(name, jacobian, seed, factors, *, steps):
    """The directions before and after multiplying losses and gradients by factors [T]."""
    losses, factors = losses_of(seed, len(jacobian)), torch.as_tensor(factors, dtype=torch.float64)
    first = direction(make(name), jacobian, losses, steps=steps)
    return first, direction(make(name), factors[:, None] * jacobian, factors * losses, steps=steps)


def angle_is_zero(first, second, *, atol):
    return bool((first / first.norm() - second / second.norm()).norm() <= atol)


# ------------------------------------------------------------------ the table is whole, and in the docs


def test_every_exported_method_has_a_row_and_every_row_a_method():
    classes = {name: getattr(balancing, name) for name in balancing.__all__ if inspect.isclass(getattr(balancing, name))}
    methods = {name for name, found in classes.items() if issubclass(found, BalancingMethod)}
    assert methods - NOT_IN_IT == set(TABLE), "add its row to tests/balancing/_law_table.py"


def test_the_docs_show_this_table():
    shown = PAGE.read_text(encoding="utf-8").partition(START)[2].partition(END)[0]
    assert shown == markdown(), "write it: python tests/balancing/_law_table.py"


def test_the_docs_say_when_to_take_every_method():
    told = PAGE.read_text(encoding="utf-8").partition("## Which method when")[2].partition("**What it brings**")[0]
    own = [
        name
        for name in balancing.__all__
        if isinstance(kind := getattr(balancing, name), type) and issubclass(kind, BalancingMethod)
    ]
    left_out = [name for name in own if f"`{name}" not in told]
    assert sorted(left_out) == ["BalancingMethod", "PerReplica"]  # the base class, and what the estimators put around a method
    row_of = dict(zip(own, ([row for row in told.splitlines() if f"`{name}" in row] for name in own), strict=True))
    assert all("experimental" in "".join(row_of[name]) for name in own if getattr(balancing, name).experimental)


def test_the_docs_introduce_every_method():
    methods = PAGE.read_text(encoding="utf-8").partition("## Methods")[2].partition("## Laws")[0]
    assert [name for name in TABLE if f"`{name}`" not in methods] == []


# ------------------------------------------------------------------ harms none


@pytest.mark.parametrize("name", TABLE)
def test_harms_none_where_the_table_says_so(name):
    for kind in HARMLESS[TABLE[name].harms_none]:
        for seed in range(40):
            assert not harms(name, drawn(kind, seed), seed), (kind, seed)
    if TABLE[name].harms_none == "always":
        for case, jacobian in MATRICES.items():
            assert not harms(name, jacobian, 0), case


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].harms_none != "always"])
def test_harms_some_task_elsewhere(name):
    kind = next(kind for kind in ("two", "more", "dependent") if kind not in HARMLESS[TABLE[name].harms_none])
    assert any(harms(name, drawn(kind, seed), seed) for seed in range(300))


# ------------------------------------------------------------------ order of the tasks


def follows_the_order(name, seed):
    jacobian, losses = drawn("more", seed), losses_of(seed, 4)
    order = [2, 0, 3, 1]
    first = direction(make(name), jacobian, losses)
    second = direction(make(name), jacobian[order], losses[order], tasks=tuple(order))
    return bool((first - second).norm() <= 1e-7 * first.norm())


@pytest.mark.parametrize("name", TABLE)
def test_follows_the_order_of_the_tasks_exactly_or_not(name):
    assert all(follows_the_order(name, seed) for seed in range(10)) == (TABLE[name].order == "exact")


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].order == "in distribution"])
def test_follows_the_order_of_the_tasks_in_distribution(name):
    """Mean and spread of the direction, of 600 draws each: within 5 standard errors."""
    jacobian, losses, order = MATRICES["random"], losses_of(0, 4), [2, 0, 3, 1]
    first, second = make(name), make(name)
    a = torch.stack([direction(first, jacobian, losses) for _ in range(600)])
    for _ in range(50):  # other draws than the first
        direction(second, jacobian, losses)
    b = torch.stack([direction(second, jacobian[order], losses[order], tasks=tuple(order)) for _ in range(600)])
    for one, other in ((a, b), ((a - a.mean(0)) ** 2, (b - b.mean(0)) ** 2)):
        error = (one.var(0) / 600 + other.var(0) / 600).sqrt()
        assert ((one.mean(0) - other.mean(0)).abs() <= 5 * error + 1e-12).all()
    assert float(a.std(0).max()) > 1e-3 * float(a.mean(0).norm())  # it does draw


# ------------------------------------------------------------------ units


def turn(name, kind, *, up_to_sign=False, n_seeds=12):
    """For some gradients, whether the unit of one task turns the direction."""
    found = []
    for seed in range(n_seeds):
        for factor in (1e-2, 1e2):
            first, second = turned(name, drawn(kind, seed), seed, [factor, *[1.0] * (len(drawn(kind, seed)) - 1)], steps=1)
            same = angle_is_zero(first, second, atol=1e-5) or (up_to_sign and angle_is_zero(first, -second, atol=1e-5))
            found.append(not same)
    return found


@pytest.mark.parametrize("name", TABLE)
def test_the_unit_of_one_task_turns_the_direction_or_not(name):
    law = TABLE[name].unit_free
    if law == "yes":
        assert not any(turn(name, "more"))
    elif law == "independent gradients":
        assert not any(turn(name, "more"))
        assert any(turn(name, "dependent"))
    elif law == "up to sign":
        assert any(turn(name, "more", n_seeds=100))
        assert not any(turn(name, "more", up_to_sign=True))
    else:
        assert sum(turn(name, "more", up_to_sign=True)) > 12


@pytest.mark.parametrize("name", [name for name in TABLE if has_memory(name)])
def test_the_unit_of_one_task_does_not_turn_the_direction_of_weights_at_rest(name):
    first, second = turned(name, MATRICES["random"], 0, [8.0, 1, 1, 1], steps=SETTLE)
    assert angle_is_zero(first, second, atol=0.1)


@pytest.mark.parametrize("name", TABLE)
def test_one_unit_for_all_multiplies_the_direction_by_its_degree(name):
    degree, settle = TABLE[name].degree, has_memory(name)
    first, second = turned(name, MATRICES["random"], 0, [4.0] * 4, steps=SETTLE if settle else 1)
    if degree is None:  # if it turns slowly, by a large unit
        large = turned(name, MATRICES["random"], 0, [1e3] * 4, steps=1)
        assert not angle_is_zero(first, second, atol=1e-3) or not angle_is_zero(*large, atol=1e-2)
    else:
        tolerance = 0.1 if settle else 1e-5
        torch.testing.assert_close(second, 4**degree * first, rtol=tolerance, atol=tolerance * float(second.norm()))


def test_degrees_are_simple_fractions():
    assert {Fraction(laws.degree).limit_denominator(9) for laws in TABLE.values() if laws.degree is not None} <= {
        Fraction(1),
        Fraction(0),
        Fraction(-1, 3),
    }


# ------------------------------------------------------------------ where it rests


def stationary(n_tasks, seed):
    """Gradients [T, 6] of which a mixture with positive weights is zero."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n_tasks, 6, dtype=torch.float64, generator=generator)
    mixture = 0.3 + torch.rand(n_tasks, dtype=torch.float64, generator=generator)
    rows[-1] = -(mixture[:-1] @ rows[:-1]) / mixture[-1]
    return rows


@pytest.mark.parametrize("name", TABLE)
def test_rests_at_every_pareto_stationary_point_or_not(name):
    cases = [(stationary(n_tasks, seed), seed) for n_tasks in (2, 3, 5) for seed in range(5)]
    assert all(rests(name, *case) for case in cases) == (TABLE[name].rests == "every")


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].rests != "elsewhere too"])
def test_does_not_rest_where_a_step_helps_all_tasks(name):
    for kind in ("two", "more", "dependent"):
        for seed in range(40):
            jacobian = drawn(kind, seed)
            helpful = float((mgda_weights(jacobian @ jacobian.T) @ jacobian).norm() / jacobian.norm())
            assert helpful < 1e-3 or not rests(name, jacobian, seed), (kind, seed)


def test_config_rests_where_a_step_would_help_all_tasks():
    """Five unit gradients in a half plane, of which one has a negative product with the direction: it grows until they cancel."""
    generator = torch.Generator().manual_seed(84)
    unit = torch.randn(5, 2, dtype=torch.float64, generator=generator)
    unit[:, 0] = unit[:, 0].abs() + 0.05
    unit = unit / unit.norm(dim=1, keepdim=True)
    products = unit @ torch.linalg.pinv(unit) @ torch.ones(5, dtype=torch.float64)
    lengths = torch.where(products < 0, products.clamp(min=0).sum() / products.clamp(max=0).sum().abs(), 1.0)
    assert TABLE["ConFIG"].rests == "elsewhere too"
    assert (unit @ (mgda_weights(unit @ unit.T) @ unit) > 0.01).all()
    assert rests("ConFIG", lengths[:, None] * unit, 0)


def test_the_trimmed_mean_rests_where_a_step_would_help_all_tasks():
    assert TABLE["TrimmedMean"].rests == "elsewhere too"
    assert rests("TrimmedMean", torch.eye(3, dtype=torch.float64), 0)


@pytest.mark.parametrize("name", ["COSMOS", "PBI"])
def test_negative_weights_rest_where_a_step_would_help_all_tasks(name):
    """Two gradients of one sign, in the ratio at which weights of two signs cancel them."""
    losses = torch.tensor([1.0, 0.01], dtype=torch.float64)
    weights = make(name)(observed(torch.eye(2, dtype=torch.float64), losses))
    jacobian = torch.stack([-weights[1:], weights[:1]])
    assert TABLE[name].rests == "elsewhere too"
    assert (jacobian > 0).all()
    assert direction(make(name), jacobian, losses).abs() <= 1e-12


def test_every_may_harm_between_solves_and_then_keeps_its_weights():
    found = []
    for seed in range(40):
        method, losses = make("Every"), losses_of(seed, 4)
        direction(method, drawn("more", 100 + seed), losses)
        jacobian = drawn("more", seed)
        found.append(bool((jacobian @ direction(method, jacobian, losses) < 0).any()))
    assert any(found)


def test_a_task_without_a_gradient_stops_these():
    """As the docs say; where it is marked absent, the others go on."""
    rows = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 2.0]], dtype=torch.float64)
    stopped = {name for name in TABLE if direction(make(name), rows, losses_of(0, 3)).norm() <= 1e-9 * rows.norm()}
    assert stopped == STOPPED
    for name in stopped:
        assert direction(make(name), rows[[0, 2]], losses_of(0, 2)).norm() > 0.1


def test_those_that_rest_elsewhere_have_each_an_example_here():
    assert {name for name in TABLE if TABLE[name].rests == "elsewhere too"} == {"COSMOS", "ConFIG", "PBI", "TrimmedMean"}
