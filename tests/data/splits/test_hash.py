import numpy as np
import pandas as pd
import pytest

from polytask.data.splits import HashHoldout, hash_shares
from polytask.exceptions import DataError, OptionError


def held_keys(keys, **settings):
    [(_, test)] = HashHoldout(keys, **settings).split()
    return {keys[k] for k in test}


def test_a_key_keeps_its_side_when_rows_are_added_sorted_or_left_out():
    keys = [f"person {k}" for k in range(500)]
    first = held_keys(keys[:300])
    assert held_keys(keys) & set(keys[:300]) == first
    assert held_keys(keys[299::-1]) == first
    assert held_keys(keys[:300:2]) == first & set(keys[:300:2])


def test_the_share_is_met_on_average_and_shares_are_nested():
    keys = list(range(5000))
    assert abs(len(held_keys(keys)) - 1000) < 4 * np.sqrt(5000 * 0.2 * 0.8)
    assert held_keys(keys, test_size=0.1) < held_keys(keys, test_size=0.2)


def test_another_salt_is_another_independent_draw():
    keys = list(range(5000))
    both = len(held_keys(keys) & held_keys(keys, salt="second"))
    assert abs(both - 200) < 4 * np.sqrt(5000 * 0.04 * 0.96)


def test_sides_are_the_same_for_ever():
    np.testing.assert_allclose(hash_shares(["ann", 7, 7.0, "7"]), [0.247746, 0.302026, 0.302026, 0.302026], atol=1e-6)


def test_numbers_of_all_dtypes_and_texts_of_them_are_one_key():
    expected = hash_shares([1, 2, 3])
    for keys in (np.array([1.0, 2.0, 3.0], np.float32), ["1", "2", "3"], pd.Series([1, 2, 3], dtype="Int64", index=[5, 6, 7])):
        np.testing.assert_array_equal(hash_shares(keys), expected)


def test_equal_keys_are_on_the_same_side_and_groups_are_checked():
    keys = np.repeat(np.arange(50), 4)
    [(train, test)] = HashHoldout(keys).split(np.zeros((200, 1)), groups=keys // 1)
    assert not set(keys[train]) & set(keys[test])
    with pytest.raises(DataError, match="`key` of HashHoldout cuts group"):
        list(HashHoldout(np.arange(200)).split(groups=keys))


@pytest.mark.parametrize("test_size", [0, 1, 1.2, None, True, "half"])
def test_a_share_that_cannot_be_is_refused(test_size):
    with pytest.raises(OptionError, match="share between 0 and 1"):
        list(HashHoldout(range(9), test_size).split())


def test_missing_keys_one_side_without_rows_and_other_lengths_are_refused():
    with pytest.raises(DataError, match="got 1 missing"):
        list(HashHoldout(["a", None]).split())
    with pytest.raises(DataError, match=r"No row is on the .* with 1 different keys in 3 rows"):
        list(HashHoldout([1, 1, 1]).split())
    with pytest.raises(DataError, match="got 2 values for 9 rows"):
        list(HashHoldout(range(9)).split(np.zeros(2)))
    with pytest.raises(OptionError, match="`salt` must be a text"):
        hash_shares([1], salt=3)


def test_some_rows_keep_their_sides():
    keys, rows = np.arange(60), np.arange(0, 60, 3)
    [(_, whole)] = HashHoldout(keys).split()
    [(_, some)] = HashHoldout(keys).of_rows(rows).split()
    assert set(rows[some]) == set(whole) & set(rows)
