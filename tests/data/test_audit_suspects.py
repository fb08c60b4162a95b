"""Leakage suspects: what gives a target away is found, what predicts it honestly is not."""

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from polytask.data import audit
from polytask.data._audit_suspects import is_named_after
from polytask.tasks import Binary, Multiclass, Multilabel, Regression, infer_task

N = 400


@pytest.fixture
def noise(rng):
    return pd.DataFrame({f"n{i}": rng.normal(size=N) for i in range(6)} | {"c": rng.choice(list("abcd"), N)})


def suspects(X, y, task, **options):
    return audit(X, pd.DataFrame({task.columns[0]: y}), [task], **options).suspects


def test_noise_is_no_suspect(noise, rng):
    assert suspects(noise, rng.normal(size=N), Regression("y")) == ()
    assert suspects(noise, rng.random(N) < 0.03, Binary("y")) == ()
    assert suspects(noise, rng.choice(list("uvw"), N), Multiclass("y")) == ()


def test_a_strong_honest_input_is_no_suspect(noise, rng):
    y = noise["n0"] + 0.6 * rng.normal(size=N)
    assert suspects(noise, y, Regression("y")) == ()
    assert suspects(noise, y > 0, Binary("y")) == ()


@pytest.mark.parametrize("leak", [np.log, lambda y: -(y**2), lambda y: y.round(1), lambda y: y.rank() + np.arange(N) % 3])
def test_a_function_of_a_number_is_a_suspect(noise, rng, leak):
    y = pd.Series(rng.gamma(2.0, size=N) + 0.1)
    (found,) = suspects(noise.assign(code=leak(y)), y, Regression("y"))
    assert (found.column, found.task, found.label, found.grounds) == ("code", "y", None, ("score",))
    assert 0.9 < found.low <= found.skill <= 1


def test_a_rare_class_given_away_by_extreme_values_is_found(noise, rng):
    y = np.arange(N) % 40 == 0
    (found,) = suspects(noise.assign(code=np.where(y, 50, 0) + rng.normal(size=N)), y, Binary("y"))
    assert found.column == "code"


def test_an_input_that_is_only_there_for_one_class_is_found(noise, rng):
    y = rng.random(N) < 0.2
    found = suspects(noise.assign(paid_on=np.where(y, rng.normal(size=N), np.nan)), y, Binary("y"))
    assert [(suspect.column, suspect.grounds) for suspect in found] == [("paid_on", ("score", "missing"))]


def test_one_class_of_several_can_be_given_away(noise, rng):
    y = rng.choice(list("abcde"), N)
    (found,) = suspects(noise.assign(code=np.where(y == "e", "yes", "no")), y, Multiclass("y"))
    assert (found.column, found.label) == ("code", "e")


def test_a_tag_is_a_target_of_its_own(noise, rng):
    y = pd.DataFrame({"t_a": rng.integers(0, 2, N), "t_b": rng.integers(0, 2, N)})
    (found,) = audit(noise.assign(code=y["t_b"] + 0.1 * rng.normal(size=N)), y, [Multilabel("tags", ("t_a", "t_b"))]).suspects
    assert (found.column, found.task, found.target) == ("code", "tags", "t_b")


def test_a_copy_is_told_as_one(noise, rng):
    y = rng.normal(size=N)
    (found,) = suspects(noise.assign(code=3 * y + 1), y, Regression("y"))
    assert "copy" in found.grounds


def test_missing_labels_and_values_do_not_hide_a_leak(noise, rng):
    y = pd.Series(rng.normal(size=N))
    code = np.exp(y).mask(rng.random(N) < 0.05)
    assert [found.column for found in suspects(noise.assign(code=code), y.mask(rng.random(N) < 0.4), Regression("y"))] == ["code"]


def test_a_name_is_a_ground_only_if_the_input_tells_of_the_target(noise, rng):
    price = pd.Series(rng.normal(size=N))
    X = noise.assign(price_rounded=price + 0.4 * rng.normal(size=N), old_price=rng.normal(size=N))
    found = suspects(X, price, Regression("price"))
    assert [(suspect.column, suspect.grounds) for suspect in found] == [("price_rounded", ("name",))]


@pytest.mark.parametrize(
    "column, target, expected",
    [
        ("price_log", "price", True),
        ("meanPrice", "price", True),
        ("murders", "murdPerPop", True),
        ("autoTheft", "auto_theft_rate", True),
        ("rooms", "price", False),
        ("x3", "x", False),
        ("y1_lag", "y1", False),
        ("age", "average_price", False),
        ("price", "price_per_room", False),
        ("First-Line Supervisors of Construction Trades and Extractive Workers", "Construction Managers", False),
    ],
)
def test_names_are_compared_by_their_words(column, target, expected):
    assert is_named_after(column, target) is expected


def test_without_groups_what_marks_a_group_is_a_suspect_and_with_them_it_is_not(rng):
    group = np.repeat(np.arange(20), 20)
    y = rng.normal(size=20)[group] + 0.01 * rng.normal(size=N)
    X = pd.DataFrame({"birth_weight": rng.normal(size=20)[group], "noise": rng.normal(size=N)})
    assert [found.column for found in suspects(X, y, Regression("y"))] == ["birth_weight"]
    assert suspects(X, y, Regression("y"), groups=group) == ()


def test_too_few_labels_say_nothing(rng):
    X = pd.DataFrame({"x": np.arange(12.0)})
    assert suspects(X, np.sqrt(np.arange(12.0)), Regression("y")) == ()
    assert suspects(pd.DataFrame({"x": np.arange(100.0) < 3}), np.where(np.arange(100) < 3, "a", "b"), Binary("y")) == ()


def test_many_rows_are_sampled_and_this_is_told(rng):
    y = rng.normal(size=30_000)
    found = audit(pd.DataFrame({"code": np.exp(y), "n": rng.normal(size=30_000)}), pd.DataFrame({"y": y}), [Regression("y")])
    assert (found.n_rows, found.n_tested_rows) == (30_000, 20_000)
    assert [suspect.column for suspect in found.suspects] == ["code"]


def test_the_same_seed_gives_the_same_numbers(noise, rng):
    y = noise["n0"].round(1)
    first, second = (suspects(noise, y, Regression("y"), random_state=3) for _ in range(2))
    assert first == second != ()


@pytest.mark.parametrize("load, n_told", [("iris", 2), ("wine", 0), ("breast_cancer", 0), ("diabetes", 0)])
def test_false_alarms_on_well_known_tables_are_few(load, n_told):
    """Of iris, both measures of petals tell the species almost perfectly, which is told; nothing else is."""
    data = getattr(datasets, f"load_{load}")(as_frame=True)
    task = infer_task("target", data.frame[["target"]]).task
    found = suspects(data.data, data.target, task)
    assert len(found) == n_told


WORDS = np.array(["red", "green", "blue", "large", "small", "old", "new", "round", "square", "soft"])


@pytest.fixture
def texts(rng):
    """Notes of eight words each, and lists of tags, drawn at random."""
    notes = [" ".join(rng.choice(WORDS, 8)) + f" number {k}" for k in range(N)]
    return pd.DataFrame({"note": notes, "tags": [sorted(rng.choice(WORDS[:6], 2, replace=False)) for _ in range(N)]})


def test_texts_and_lists_of_noise_are_no_suspects(texts, noise, rng):
    X = pd.concat([texts, noise], axis=1)
    for y, task in (
        (rng.normal(size=N), Regression("y")),
        (rng.random(N) < 0.1, Binary("y")),
        (rng.choice(list("uvw"), N), Multiclass("y")),
    ):
        assert suspects(X, y, task) == ()


def test_a_tag_that_gives_a_class_away_is_found(texts, noise, rng):
    y = rng.random(N) < 0.3
    tags = [[*own, "paid"] if told else own for own, told in zip(texts["tags"], y)]
    (found,) = suspects(noise.assign(tags=tags), y, Binary("y"))
    assert (found.column, found.grounds) == ("tags", ("score",))
    assert found.low > 0.75


def test_words_that_give_one_of_several_classes_away_are_found(texts, noise, rng):
    y = rng.choice(list("abcde"), N)
    note = [f"{note} cancelled" if own == "e" else note for note, own in zip(texts["note"], y)]
    (found,) = suspects(noise.assign(note=note), y, Multiclass("y"))
    assert (found.column, found.label) == ("note", "e")


def test_words_that_spell_a_number_are_found(texts, noise, rng):
    levels = rng.integers(0, 4, N)
    names = np.array(["cheap", "fair", "dear", "luxury"])
    note = [f"{note} {names[own]}" for note, own in zip(texts["note"], levels)]
    (found,) = suspects(noise.assign(note=note), levels * 10.0, Regression("y"))
    assert (found.column, found.task) == ("note", "y")


def test_a_list_that_is_only_there_for_one_class_is_found(texts, noise, rng):
    y = rng.random(N) < 0.3
    found = suspects(noise.assign(tags=texts["tags"].where(pd.Series(y), None)), y, Binary("y"))
    assert [(suspect.column, "missing" in suspect.grounds) for suspect in found] == [("tags", True)]
