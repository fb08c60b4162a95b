"""Cells that are written in odd ways."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultiTaskPredictor
from polytask.data import TableCodec
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import PolytaskWarning

N = 60


@pytest.fixture
def numbers(rng):
    """A number to learn from, whole numbers, and a target that follows both."""
    a, k = rng.normal(size=N).round(3), rng.integers(0, 9, N)
    return a, k, (2 * a + k).round(3)


def kinds(frame):
    return {info.name: info.kind for info in TableCodec.fit(frame).columns}


def test_whole_numbers_stored_as_text_are_numbers_and_codes_stay_codes(end_to_end, numbers):
    a, k, y = numbers
    rows = "".join(f'"{a[i]}","{k[i] % 3:03d}","{k[i]}","{y[i]}"\n' for i in range(N))
    run = end_to_end('"a","zip","rooms","y"\n' + rows, ["y"])
    assert run.fit.err == ""
    frame = pd.DataFrame({"zip": [f"{v % 3:03d}" for v in k], "rooms": k.astype(str), "y": y})
    assert kinds(frame[["zip", "rooms"]]) == {"zip": "categorical", "rooms": "numeric"}


def test_texts_of_numbers_and_numbers_give_the_same_model(numbers):
    a, k, y = numbers
    plain = pd.DataFrame({"a": a, "k": k, "y": y})
    texts = plain.assign(k=plain["k"].astype(str))
    first, second = (
        MultiTaskPredictor(["y"], max_steps=5).fit(frame).predict(other) for frame, other in ((plain, texts), (texts, plain))
    )
    pd.testing.assert_frame_equal(first, second)


def test_decimal_commas(end_to_end, refused, numbers):
    a, k, y = numbers
    comma = lambda value: str(value).replace(".", ",")  # noqa: E731
    text = "a;k;y\n" + "".join(f"{comma(a[i])};{k[i]};{comma(y[i])}\n" for i in range(N))
    run = end_to_end(text, ["y"], read=["--decimal", ","])
    assert run.scores["y"]["kind"] == "regression"


def test_forgotten_decimal_commas_are_told(refused, numbers, polytask, tmp_path):
    a, _, y = numbers
    text = "a;y\n" + "".join(f"{str(a[i]).replace('.', ',')};{str(y[i]).replace('.', ',')}\n" for i in range(N))
    assert "'y'" in refused(text, ["y"])
    shown = polytask("fit", tmp_path / "train.csv", "-t", "y", "--out", tmp_path / "model", "-q")
    assert "'a', 'y' look like numbers with a decimal comma" in shown.err
    assert "--decimal ," in shown.err


def test_a_column_of_mixed_types_becomes_categories(end_to_end, numbers):
    a, _, y = numbers
    cells = ["3", "x", "4.5", "yes", "2020-01-01", ""]
    run = end_to_end("a,mixed,y\n" + "".join(f"{a[i]},{cells[i % 6]},{y[i]}\n" for i in range(N)), ["y"])
    assert run.predictions["y"].notna().all()


def test_python_objects_of_mixed_types_become_categories(rng):
    values = [3, "x", 4.5, True, None, b"raw", ("a", 1)]
    frame = pd.DataFrame({"mixed": [values[i % 7] for i in range(70)], "y": rng.normal(size=70)})
    predictor = MultiTaskPredictor(["y"], max_steps=3).fit(frame)
    assert kinds(frame[["mixed"]]) == {"mixed": "categorical"}
    assert predictor.predict(frame)["y"].notna().all()


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_marks_and_line_ends_change_nothing(end_to_end, numbers, start, end):
    a, k, y = numbers
    text = "a,k,y" + end + "".join(f"{a[i]},{k[i]},{y[i]}{end}" for i in range(N))
    run = end_to_end(start + text.encode(), ["y"], steps=3)
    expected = MultiTaskPredictor(["y"], max_steps=3, threads=1).fit(pd.DataFrame({"a": a, "k": k, "y": y}))
    np.testing.assert_allclose(run.predictions["y"], expected.predict(pd.DataFrame({"a": a, "k": k}))["y"], rtol=1e-6)


def test_quotes_commas_and_line_ends_in_cells_and_names(end_to_end, numbers):
    a, k, y = numbers
    rows = "".join(f'{a[i]},"line {k[i] % 3}\nnext, ""quoted""",{k[i]},{y[i]}\n' for i in range(N))
    run = end_to_end('a,"no\nte","say ""b""","y, the target"\n' + rows, ["y, the target"])
    assert list(run.predictions) == ["y, the target"]


def test_texts_of_a_target_with_quotes_and_line_ends_come_back(end_to_end, numbers):
    a, k, _ = numbers
    classes = ['say "yes"', "no,\nnot now", "maybe; 'later'"]
    frame = pd.DataFrame({"a": a, "answer": [classes[v % 3] for v in k]})
    run = end_to_end(frame, ["answer"])
    assert set(run.predictions["answer"]) <= set(classes)
    assert f"answer:p({classes[1]})" in run.predictions


def test_categories_that_differ_in_case_or_spaces_are_told(end_to_end, rng):
    frame = pd.DataFrame(
        {
            "city": rng.choice(["Oslo", "oslo", "Oslo ", "Rome"], N),
            "a": rng.normal(size=N),
            "sold": rng.choice(["Yes", "yes", "no"], N),
        }
    )
    run = end_to_end(frame, ["sold"])
    told = run.fit.err
    assert "Column 'city': 'Oslo', 'Oslo ', 'oslo' differ only in case or spaces. They are taken as different categories" in told
    assert "Column 'sold': 'Yes', 'yes' differ only in case or spaces. They are taken as different classes" in told
    assert {"sold:p(Yes)", "sold:p(yes)", "sold:p(no)"} < set(run.predictions)


@pytest.mark.parametrize("command", ["tasks", "compare"])
def test_all_commands_that_learn_tell_of_spellings(polytask, tmp_path, rng, command):
    frame = pd.DataFrame({"city": rng.choice(["Oslo", "oslo"], N), "y": rng.normal(size=N)})
    frame.to_csv(tmp_path / "train.csv", index=False)
    words = ["--max-steps", 3, "--repeats", 1, "-q"] if command == "compare" else []
    assert "'Oslo', 'oslo' differ only in case or spaces" in polytask(command, tmp_path / "train.csv", "-t", "y", *words).err


def test_a_new_spelling_is_an_unseen_category_and_told(rng):
    frame = pd.DataFrame({"city": rng.choice(["Oslo", "Rome"], N), "y": rng.normal(size=N)})
    predictor = MultiTaskPredictor(["y"], network=MultiTaskNetwork(max_epochs=1)).fit(frame)
    with pytest.warns(PolytaskWarning, match="'city'.*not among the 2 categories.*'OSLO'"):
        predictor.predict(frame.assign(city="OSLO"))
