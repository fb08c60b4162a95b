"""Label columns that are functions of each other are found by the data; chance is not."""

import numpy as np
import pandas as pd
import pytest

from polytask.tasks import Relation, deterministic_relations

RNG = np.random.default_rng(0)
PRICE = RNG.lognormal(size=300)
NUM = RNG.integers(0, 5, 300)


def found(**columns):
    return [(relation.column, relation.of, relation.both_ways) for relation in deterministic_relations(pd.DataFrame(columns))]


def test_a_number_and_its_logarithm_are_functions_both_ways():
    assert found(price=PRICE, log=np.log(PRICE)) == [("log", "price", True)]


def test_a_falling_function_is_found_too():
    assert found(price=PRICE, inverse=1 / PRICE) == [("inverse", "price", True)]


def test_a_comparison_is_a_function_of_its_number_and_not_the_other_way_round():
    assert found(presence=NUM > 0, num=NUM) == [("presence", "num", False)]
    assert found(dear=PRICE > 1, price=PRICE) == [("dear", "price", False)]


def test_bins_in_words_are_a_function_of_their_number():
    bins = pd.cut(PRICE, [0, 0.5, 1, np.inf], labels=["low", "middle", "high"])
    assert found(bins=bins, price=PRICE) == [("bins", "price", False)]


def test_a_relabelling_is_a_function_both_ways():
    assert found(code=NUM, word=[f"class {n}" for n in NUM]) == [("word", "code", True)]


def test_a_coarser_class_is_a_function_of_a_finer_one():
    assert found(fine=NUM, coarse=np.array(["a", "b", "a", "b", "b"])[NUM]) == [("coarse", "fine", False)]


@pytest.mark.parametrize(
    "other", [RNG.normal(size=300), RNG.integers(0, 2, 300), RNG.permutation(300), np.where(NUM > 0, 1, RNG.integers(0, 2, 300))]
)
def test_independent_and_nearly_determined_labels_are_no_functions(other):
    assert found(price=PRICE, num=NUM, other=other) == []


def test_an_identifier_determines_everything_and_so_says_nothing():
    assert found(id=np.arange(300), name=[f"n{k}" for k in RNG.permutation(300)], sold=RNG.integers(0, 2, 300)) == []


def test_a_few_rows_are_no_evidence():
    assert found(a=[0, 1, 0, 1], b=["x", "y", "x", "y"]) == []


def test_one_exception_is_enough():
    presence = NUM > 0
    presence[np.flatnonzero(NUM == 3)[-1]] = False
    assert found(num=NUM, presence=presence) == []


def test_only_rows_with_both_labels_count():
    presence = pd.Series(np.where(NUM > 0, 1.0, 0.0)).where(np.arange(300) < 200)
    num = pd.Series(NUM).where(np.arange(300) >= 40)
    assert found(num=num, presence=presence) == [("presence", "num", False)]


def test_tasks_that_are_seldom_labelled_together_are_not_compared():
    presence = pd.Series(np.where(NUM > 0, 1.0, 0.0)).where(np.arange(300) >= 100)
    assert found(num=pd.Series(NUM).where(np.arange(300) < 150), presence=presence) == []


def test_constants_lists_and_a_single_column_are_no_trouble():
    lists = pd.Series([["a"], ["b"], [], None] * 75)
    assert found(one=np.ones(300), lists=lists, num=NUM) == []
    assert deterministic_relations(pd.DataFrame({"num": NUM})) == []


def test_the_order_of_rows_does_not_matter():
    frame = pd.DataFrame({"num": NUM, "presence": NUM > 0, "price": PRICE, "log": np.log(PRICE)})
    expected = [Relation("presence", "num", False), Relation("log", "price", True)]
    assert deterministic_relations(frame) == deterministic_relations(frame.sample(frac=1, random_state=1)) == expected
