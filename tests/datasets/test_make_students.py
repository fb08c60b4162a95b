"""The script that makes the students data set puts the pupils of two courses together."""

import pandas as pd

from tools.make_students import MATH, PORTUGUESE, PUPIL, make_students


def course(**columns):
    """A course of pupils who differ only in the given columns."""
    n_pupils = len(next(iter(columns.values())))
    return pd.DataFrame({column: ["1"] * n_pupils for column in {**dict.fromkeys(PUPIL), **MATH, **PORTUGUESE}}).assign(**columns)


def grades(students):
    return students[["math_grade", "portuguese_grade"]].fillna("none").to_numpy().tolist()


def test_a_pupil_of_both_courses_is_one_row():
    students = make_students(course(G3=["12"]), course(G3=["14"]))
    assert grades(students) == [["12", "14"]]


def test_pupils_who_share_their_attributes_are_told_apart_by_their_other_answers():
    students = make_students(course(goout=["2", "5"], G3=["12", "13"]), course(goout=["5", "2"], G3=["14", "15"]))
    assert grades(students) == [["12", "15"], ["13", "14"]]


def test_pupils_with_the_same_answers_in_one_course_stay_two_rows():
    students = make_students(course(G3=["12"]), course(G3=["14", "15"]))
    assert grades(students) == [["12", "14"], ["none", "15"]]


def test_a_course_not_taken_leaves_its_columns_empty():
    students = make_students(course(school=["GP"]), course(school=["MS"]))
    assert students["pupil"].tolist() == ["P0001", "P0002"]
    assert students.loc[0, list(PORTUGUESE.values())].isna().all()
    assert students.loc[1, list(MATH.values())].isna().all()
