"""Text, lists and lists as targets, by the predictor."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.exceptions import PolytaskWarning
from tests.estimators._reviews import reviews


@pytest.fixture(scope="module")
def frame():
    X, y = reviews(n=300)
    rng = np.random.default_rng(1)
    kinds = [["hot"] * (rng.random() < 0.5) + ["near sea"] * ("sea" in (tags or ())) for tags in X["tags"]]
    kinds = pd.Series(kinds, dtype=object).where(rng.random(len(X)) > 0.1, None)
    return pd.concat([X.drop(columns="user"), y], axis=1).assign(kinds=kinds)


@pytest.fixture(scope="module")
def predictor(frame):
    return MultiTaskPredictor(["liked", "price", "kinds"], max_steps=150, seed=0).fit(frame)


def test_a_saved_predictor_predicts_the_same(predictor, frame, tmp_path):
    predictor.save(tmp_path / "model")
    again = MultiTaskPredictor.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict_table(frame), predictor.predict_table(frame))
    found = again.predict(frame)
    assert list(found) == ["liked", "price", "kinds"]
    assert np.mean(found["liked"] == frame["liked"]) > 0.8
    assert {type(tags) for tags in found["kinds"]} == {list}


def test_lists_are_scored_and_written_as_texts(predictor, frame):
    scores = predictor.evaluate(frame.iloc[:100])["tasks"]["kinds"]
    assert scores["kind"] == "multilabel"
    assert scores["n_observed"] == frame["kinds"][:100].notna().sum()
    table = predictor.predict_table(frame)
    assert {"kinds", "kinds:p(hot)", "kinds:p(near sea)"} < set(table)
    assert set(table["kinds"]) <= {"[]", "hot", "near sea", "hot|near sea"}


def test_new_words_and_tags_are_told(predictor):
    new = pd.DataFrame({"review": ["quite unheard of prose"], "tags": [["sea", "volcano"]]})
    with pytest.warns(PolytaskWarning) as told:
        predictor.predict(new)
    texts = " ".join(str(own.message) for own in told)
    assert "4 of 4 words (100%) are not among the" in texts
    assert "1 of 2 tags are not among the 3 known from training, such as 'volcano'" in texts
