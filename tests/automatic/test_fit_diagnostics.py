"""A fit tells how and where it is wrong: on its test rows, else on its validation rows."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.estimators import MultiTaskNetwork
from polytask.reporting import FORMATS, render


@pytest.fixture
def frame(rng):
    x = rng.normal(size=240)
    return pd.DataFrame(
        {
            "x": x,
            "city": rng.choice(["Oslo", "Rome"], 240),
            "pupil": np.repeat(np.arange(80), 3),
            "part": np.where(np.arange(240) % 4, "train", "test"),
            "price": x + rng.normal(size=240),
            "sold": np.where(rng.random(240) < 0.5, "yes", "no"),
        }
    )


def fitted(frame, **options):
    network = MultiTaskNetwork(max_epochs=2)
    return MultiTaskPredictor(["price", "sold"], network=network, **options).fit(frame)


def test_validation_rows_are_named_as_such(frame):
    predictor = fitted(frame.drop(columns="part"), group="pupil")
    found = predictor.report_["tasks"]["price"]["diagnostics"]
    assert found["rows"] == "validation"
    assert found["n_rows"] == predictor.report_["n_validation"]
    assert found["n_groups"] == found["n_rows"] / 3
    assert found["by_column"]["n_columns"] == 2


def test_test_rows_go_before_validation_rows(frame):
    found = fitted(frame, split="part", ignore=["pupil"]).report_["tasks"]["sold"]["diagnostics"]
    assert (found["rows"], found["n_rows"]) == ("test", 60)


def test_a_loaded_model_still_has_its_report_in_every_format(frame, tmp_path):
    predictor = fitted(frame, split="part", ignore=["pupil"])
    predictor.save(tmp_path / "model")
    report = MultiTaskPredictor.load(tmp_path / "model").report_
    assert report["tasks"] == predictor.report_["tasks"]
    assert all(render(report, format=own) for own in FORMATS)
