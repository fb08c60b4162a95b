"""What predict gives, as chosen by set_output."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polytask.estimators import PerTaskEstimator
from polytask.exceptions import OptionError
from tests.estimators._tables import houses, small_network

MODELS = [small_network(), PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()})]


@pytest.fixture(params=MODELS, ids=["network", "per task"])
def model(request):
    return clone(request.param)


@pytest.fixture
def arrays(rng):
    X = rng.normal(size=(40, 2))
    return X, np.stack([X.sum(axis=1), X[:, 0] > 0], axis=1)


@pytest.mark.parametrize("kind, frame", [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_arrays_come_out_as_frames_when_asked(model, arrays, kind, frame):
    X, y = arrays
    plain = model.fit(X, y).predict(X)
    assert isinstance(plain, np.ndarray)
    predicted = model.set_output(transform=kind).predict(X)
    assert isinstance(predicted, frame)
    assert list(predicted.columns) == ["y0", "y1"]
    np.testing.assert_array_equal(predicted.to_numpy(), plain)
    assert all(isinstance(table, frame) for table in model.predict_proba(X).values())


def test_one_target_is_a_frame_of_one_column(model, rng):
    X = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"], index=range(100, 130))
    predicted = model.fit(X, X["a"]).set_output(transform="pandas").predict(X)
    assert list(predicted) == ["a"]
    assert predicted.index.equals(X.index)


def test_pandas_in_polars_out_and_back(model):
    X, y = houses(60, missing=0.0)
    model.fit(X, y[["price", "sold"]])
    assert isinstance(model.set_output(transform="polars").predict(X), pl.DataFrame)
    polars = pl.from_pandas(X.reset_index(drop=True))
    assert isinstance(model.set_output(transform="pandas").predict(polars), pd.DataFrame)
    assert isinstance(model.set_output(transform="default").predict(polars), pl.DataFrame)


def test_none_changes_nothing_and_the_model_is_given_back(model):
    assert model.set_output(transform="pandas").set_output() is model
    assert model.set_output(transform=None)._container == "pandas"


def test_clone_keeps_the_choice(model, arrays):
    assert isinstance(clone(model.set_output(transform="pandas")).fit(*arrays).predict(arrays[0]), pd.DataFrame)


@pytest.mark.parametrize("kind", ["numpy", "", 3])
def test_another_kind_is_refused(model, kind):
    with pytest.raises(OptionError, match="must be one of 'default', 'pandas', 'polars'"):
        model.set_output(transform=kind)


def test_as_in_scikit_learn_the_setting_for_transformers_changes_no_prediction(model, arrays):
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(model.fit(*arrays).predict(arrays[0]), np.ndarray)


def test_a_pipeline_whose_steps_give_frames_works(model, arrays):
    X, y = arrays
    pipeline = make_pipeline(StandardScaler(), model).set_output(transform="pandas").fit(pd.DataFrame(X, columns=["a", "b"]), y)
    predicted = pipeline.predict(pd.DataFrame(X, columns=["a", "b"]))
    assert predicted.shape == y.shape
    assert list(model.feature_names_in_) == ["a", "b"]


def test_the_score_does_not_depend_on_it(model, arrays):
    model.fit(*arrays)
    assert model.score(*arrays) == model.set_output(transform="polars").score(*arrays)
