"""The students data set: what its README promises is so."""

import socket

import pandas as pd
import pytest

from polytask.datasets import load_students


@pytest.fixture
def students():
    return load_students()


def test_there_is_one_row_per_pupil(students):
    assert len(students.frame) == 395 + 649 - 370
    assert students.frame["pupil"].is_unique


def test_who_does_not_take_a_course_has_no_grade_in_it(students):
    missing = students.frame[["math_grade", "portuguese_grade", "absences"]].isna().sum()
    assert missing.to_dict() == {"math_grade": 649 - 370, "portuguese_grade": 395 - 370, "absences": 395 - 370}
    assert students.frame[["math_grade", "portuguese_grade"]].notna().any(axis=1).all()


def test_columns_of_a_course_are_empty_exactly_where_its_grade_is(students):
    for course in ("math", "portuguese"):
        taken = students.frame[f"{course}_grade"].notna()
        for column in (f"failures_{course}", f"paid_{course}"):
            assert (students.frame[column].notna() == taken).all()


def test_grades_of_every_pupil_are_kept(students):
    # means of G3 in the two files at UCI
    assert students.frame["math_grade"].mean() == pytest.approx(10.415190, abs=1e-6)
    assert students.frame["portuguese_grade"].mean() == pytest.approx(11.906009, abs=1e-6)


def test_everything_else_is_complete(students):
    other = [c for c in students.frame if not c.endswith(("_math", "_portuguese", "_grade")) and c != "absences"]
    assert not students.frame[other].isna().any(axis=None)


def test_targets_have_the_values_of_their_kind(students):
    frame = students.frame
    assert frame["math_grade"].dropna().between(0, 20).all()
    assert set(frame["higher"]) == {"yes", "no"}
    assert set(frame["reason"]) == {"home", "reputation", "course", "other"}
    assert set(frame["walc"]) == {1, 2, 3, 4, 5}
    assert (frame["absences"].dropna() >= 0).all()


def test_every_target_and_ignored_column_is_in_the_frame(students):
    names = [target.partition(":")[0] for target in students.targets]
    assert len(set(names)) == 6
    assert {*names, *students.ignore} <= set(students.frame)


def test_grades_of_earlier_periods_are_left_out(students):
    assert not {"g1", "g2"} & {column.lower() for column in students.frame}


def test_licence_attribution_and_changes_are_told(students):
    assert "CC BY 4.0" in students.licence
    assert "Cortez" in students.citation
    for words in ("CC BY 4.0", "Cortez", "https://doi.org/10.24432/C5TG7T", "Changes made"):
        assert words in students.description


def test_the_file_can_be_read_by_its_path(students):
    pd.testing.assert_frame_equal(pd.read_csv(students.path), students.frame)


def test_a_changed_frame_does_not_change_the_next_one(students):
    students.frame["walc"] = 0
    assert set(load_students().frame["walc"]) == {1, 2, 3, 4, 5}


def test_loading_does_not_touch_the_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a data set opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert load_students().name == "students"


def test_repr_is_short(students):
    assert len(repr(students)) < 400
