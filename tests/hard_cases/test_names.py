"""Columns with names that programs stumble over."""

import keyword

import numpy as np
import pandas as pd
import pytest

import polytask as package
from polytask import MultiTaskPredictor

N = 50


@pytest.mark.parametrize(
    "names",
    [
        ["class", "import", "lambda", "None"],
        ["__class__", "self", "index", "columns"],
        ["🏠", "🎯", "naïve", "日本"],
        ["a b\tc", "100%", "{x}", "%s"],
        ["../up", "a/b", "C:\\x", "nul"],
        ["<b>bold</b>", "&amp;", '"quoted"', "'"],
        ["x:p(1)", "x", "y.z", "-t"],
        ["sample_weight", "groups", "target", "prediction"],
        ["0", "1.5", "True", "nan"],
    ],
    ids=lambda names: names[0],
)
def test_any_name_goes_from_file_to_prediction(end_to_end, tmp_path, rng, names):
    a, b, target, kind = names
    frame = pd.DataFrame(
        {a: rng.normal(size=N), b: rng.choice(["u", "v"], N), target: rng.normal(size=N), kind: rng.integers(0, 2, N)}
    )
    specs = [f"{name}:{kind_}" for name, kind_ in ((target, "regression"), (kind, "binary"))]
    run = end_to_end(frame, specs if not target.startswith("-") else specs[1:], steps=3)
    assert {target, kind} <= set(run.predictions)
    page = (tmp_path / "model.html").read_text(encoding="utf-8")
    assert "<b>bold</b>" not in page
    loaded = package.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict(frame)[target], run.predictions[target], rtol=1e-9)


def test_every_keyword_of_python_at_once(rng):
    frame = pd.DataFrame(rng.normal(size=(N, len(keyword.kwlist))), columns=keyword.kwlist)
    predictor = MultiTaskPredictor(["yield", "return"], max_steps=3).fit(frame)
    assert list(predictor.predict(frame)) == ["yield", "return"]


def test_names_that_differ_only_in_case_are_different_columns(rng):
    frame = pd.DataFrame(rng.normal(size=(N, 4)), columns=["a", "A", "y", "Y"])
    predictor = MultiTaskPredictor(["y", "Y"], max_steps=3).fit(frame)
    assert [info.name for info in predictor.network_.codec_.columns] == ["a", "A"]
    assert list(predictor.predict(frame)) == ["y", "Y"]


def test_a_name_that_comes_twice_is_refused(refused):
    assert "more than one 'a'" in refused("a,a,y\n" + "1,2,3\n" * 30, ["y"])
