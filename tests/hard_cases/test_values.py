"""Numbers, dates and types at the edge of what can be held."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.exceptions import DataError, PolytaskWarning

N = 60


@pytest.fixture
def a(rng):
    return rng.normal(size=N)


def test_inputs_of_10_to_the_300_are_learned_without_overflow(end_to_end, a, rng):
    rows = np.arange(N)
    frame = pd.DataFrame(
        {
            "large": np.where(rows % 9 == 0, 1e300, a),
            "negative": np.where(rows % 7 == 0, -1.7e308, rows),
            "all": 1e300 * (1 + rng.random(N)),
            "tiny": a * 1e-300,
            "y": 2 * a + rng.normal(size=N),
        }
    )
    run = end_to_end(frame, ["y"])
    assert run.fit.err == ""
    assert np.isfinite(run.predictions["y"]).all()
    assert run.predictions["y"].abs().max() < 100


def test_a_comparison_over_inputs_of_10_to_the_300(polytask, tmp_path, a, rng):
    frame = pd.DataFrame({"large": np.where(np.arange(N) % 9 == 0, 1e300, a), "a": a})
    frame["y"], frame["z"] = a + rng.normal(size=N), a - rng.normal(size=N)
    frame.to_csv(tmp_path / "train.csv", index=False)
    shown = polytask("compare", tmp_path / "train.csv", "-t", "y", "-t", "z", "--max-steps", 5, "--repeats", 1, "-q")
    assert (shown.code, shown.err) == (0, "")


def test_a_target_of_10_to_the_300_is_refused_with_the_way_out(refused, a):
    frame = pd.DataFrame({"a": a, "y": np.where(np.arange(N) % 9 == 0, 1e300, a)})
    told = refused(frame, ["y"])
    assert "'y' has the label 1e+300" in told
    assert "as a logarithm" in told


def test_a_target_of_10_to_the_30_and_one_of_10_to_the_minus_29_are_learned(end_to_end, a):
    frame = pd.DataFrame({"a": a, "y": 9e29 * np.tanh(a), "z": 1e-29 * np.sin(a)})
    run = end_to_end(frame, ["y", "z"], steps=60)
    assert run.scores["y"]["skill"] > 0.2
    assert run.scores["z"]["skill"] > 0.2


def test_new_rows_may_be_far_beyond_the_training_rows(end_to_end, a):
    frame = pd.DataFrame({"a": a, "y": a + 1})
    run = end_to_end(frame, ["y"], new=frame.assign(a=1e308))
    assert run.predictions["y"].nunique() == 1
    assert run.predictions["y"].abs().max() < 1e3


@pytest.mark.parametrize("value", ["inf", "-inf", "1e999"])
def test_infinities_are_refused_by_name(refused, value):
    text = "a,b,y\n" + "".join(f"{value if i == 3 else i * 0.5},{i},{i % 7}\n" for i in range(N))
    assert "'a'" in refused(text, ["y:regression"])


def test_dates_before_1900_and_far_ahead(end_to_end, a):
    born = [f"{1500 + 5 * k}-0{1 + k % 9}-1{k % 9}" for k in range(N)]
    frame = pd.DataFrame({"born": born, "a": a, "y": np.arange(N) + a})
    run = end_to_end(frame, ["y"], new=frame.assign(born=["0099-01-01", "9999-12-31"] * (N // 2)), steps=60)
    assert np.isfinite(run.predictions["y"]).all()
    assert run.scores["y"]["skill"] > 0.3, "the year tells the target"


def test_dates_before_1678_in_pandas(a):
    born = np.array([f"{1200 + 8 * k}-06-01" for k in range(N)], dtype="datetime64[s]")  # beyond what nanoseconds hold
    frame = pd.DataFrame({"born": born, "y": np.arange(N) + a})
    predictor = MultiTaskPredictor(["y"], max_steps=60).fit(frame)
    assert predictor.network_.codec_.columns[0].kind == "datetime"
    assert predictor.evaluate(frame)["tasks"]["y"]["skill"] > 0.3


# ------------------------------------------------------------------------------------------------------------- dtypes


@pytest.fixture
def fitted(a, rng):
    """A predictor over columns of many types, and its table."""
    k = rng.integers(0, 9, N)
    frame = pd.DataFrame(
        {
            "number": a,
            "whole": k,
            "code": (k % 4).astype(str),
            "letter": pd.Categorical(np.where(k % 2, "u", "v")),
            "when": pd.date_range("2020-01-01", periods=N),
            "flag": k > 4,
            "y": a + k,
            "s": np.where(a > 0, "yes", "no"),
        }
    )
    return MultiTaskPredictor(["y", "s"], max_steps=5).fit(frame), frame


SAME = {
    "float32 keeps whole numbers": lambda f: f.assign(whole=f["whole"].astype("float32")),
    "small integers": lambda f: f.assign(whole=f["whole"].astype("int8")),
    "nullable integers": lambda f: f.assign(whole=f["whole"].astype("Int64")),
    "numbers as text": lambda f: f.assign(whole=f["whole"].astype(str)),
    "objects": lambda f: f.astype(dict.fromkeys(["number", "whole", "flag", "letter"], object)),
    "categories as text": lambda f: f.assign(letter=f["letter"].astype(str)),
    "other order of categories": lambda f: f.assign(letter=f["letter"].cat.reorder_categories(["v", "u"])),
    "dates as text": lambda f: f.assign(when=f["when"].dt.strftime("%Y-%m-%d")),
    "dates in seconds": lambda f: f.assign(when=f["when"].astype("datetime64[s]")),
    "truth as numbers": lambda f: f.assign(flag=f["flag"].astype(int)),
    "truth as text": lambda f: f.assign(flag=f["flag"].astype(str)),
    "truth with missing": lambda f: f.assign(flag=f["flag"].astype("boolean")),
    "codes as numbers": lambda f: f.assign(code=f["code"].astype(int)),
    "codes as floats": lambda f: f.assign(code=f["code"].astype(float)),
    "other order of columns": lambda f: f[list(reversed(f.columns))],
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_values_in_another_dtype_give_the_same_predictions(fitted, name):
    predictor, frame = fitted
    pd.testing.assert_frame_equal(predictor.predict(SAME[name](frame)), predictor.predict(frame))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"number": "high"}, "'number' must hold numbers.*'high'"),
        ({"when": "31/12/2020"}, "'when' must hold dates.*'31/12/2020'"),
        ({"flag": "perhaps"}, "'flag' must hold true or false.*'perhaps'"),
        ({"number": np.inf}, "'number' must hold finite numbers; got inf"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(fitted, change, message):
    predictor, frame = fitted
    with pytest.raises(DataError, match=message):
        predictor.predict(frame.assign(**change))


def test_some_values_that_cannot_be_read_are_missing_and_told(fitted):
    predictor, frame = fitted
    odd = frame.assign(number=["high", *frame["number"][1:]])
    with pytest.warns(PolytaskWarning, match="'number'"):
        told = predictor.predict(odd)
    pd.testing.assert_frame_equal(told, predictor.predict(frame.assign(number=[np.nan, *frame["number"][1:]])))


def test_labels_in_another_dtype_score_the_same(fitted):
    predictor, frame = fitted
    expected = predictor.evaluate(frame)
    for other in (frame.assign(y=frame["y"].astype(object)), frame.assign(s=frame["s"].astype("category"))):
        assert predictor.evaluate(other) == expected
