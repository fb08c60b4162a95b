import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from polytask.estimators._forest_arrays import forest_arrays, forest_of_arrays, is_forest
from polytask.exceptions import ModelFolderError


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    X[::7, 1] = np.nan
    return X, X[:, 0] + rng.normal(size=120)


@pytest.mark.parametrize("make", [RandomForestRegressor, ExtraTreesRegressor])
def test_numbers_are_equal_to_the_bit(make):
    X, y = data()
    forest = make(8, random_state=0).fit(X, y)
    np.testing.assert_array_equal(forest_of_arrays(*forest_arrays(forest), where="it").predict(X), forest.predict(X))


@pytest.mark.parametrize("make", [RandomForestClassifier, ExtraTreesClassifier])
def test_probabilities_are_equal_to_the_bit(make):
    X, y = data()
    forest = make(8, random_state=0).fit(X, 2 + (y > 0).astype(int) + 3 * (y > 1))
    same = forest_of_arrays(*forest_arrays(forest), where="it")
    np.testing.assert_array_equal(same.predict_proba(X), forest.predict_proba(X))
    np.testing.assert_array_equal(same.predict(X), forest.predict(X))


def test_a_forest_of_several_outputs_or_of_another_class_is_none():
    X, y = data()

    class Own(RandomForestRegressor):
        pass

    assert not is_forest(RandomForestRegressor(2).fit(X, np.stack([y, y], axis=1)))
    assert not is_forest(Own(2).fit(X, y))
    assert is_forest(RandomForestRegressor(2).fit(X, y))


@pytest.mark.parametrize(
    ("name", "change"),
    [("left", 10**6), ("right", -5), ("feature", 99), ("is_inner", None), ("values", None)],
)
def test_damaged_arrays_are_refused(name, change):
    X, y = data()
    content, arrays = forest_arrays(RandomForestRegressor(3, random_state=0).fit(X, y))
    arrays = {key: own.copy() for key, own in arrays.items()}
    if change is None:
        arrays[name] = arrays[name][:-1]
    else:
        arrays[name][0] = change
    with pytest.raises(ModelFolderError, match="damaged"):
        forest_of_arrays(content, arrays, where="it")
