"""Make the students data set that ships with polytask: one row per pupil, from the two courses of UCI 320.

    python tools/make_students.py student.csv.gz

The input is the UCI archive's student-mat.csv and student-por.csv under each other with a first column `course` (mat, por),
or the folder that holds the two original files. It writes src/polytask/datasets/data/students.csv.gz, the same bytes every time.
"""

import argparse
import gzip
from pathlib import Path

import pandas as pd

OUT = Path(__file__).parent.parent / "src/polytask/datasets/data/students.csv.gz"

# A pupil of both courses is found by all answers that do not belong to a course. The first 13 are those of the archive's
# student-merge.R; the others tell apart the few pupils who share these. (All 370 pairs agree in all of them.)
PUPIL = [
    *("school", "sex", "age", "address", "famsize", "Pstatus", "Medu", "Fedu"),
    *("Mjob", "Fjob", "reason", "nursery", "internet"),
    *("guardian", "traveltime", "studytime", "schoolsup", "famsup", "activities", "higher"),
    *("romantic", "famrel", "freetime", "goout", "Dalc", "Walc", "health"),
]
# Differ between the courses. G1 and G2, the grades of the first two periods, nearly give G3 away and are left out.
MATH = {"failures": "failures_math", "paid": "paid_math", "G3": "math_grade"}
PORTUGUESE = {"failures": "failures_portuguese", "paid": "paid_portuguese", "absences": "absences", "G3": "portuguese_grade"}


def read_courses(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the mathematics and the Portuguese course, all columns as text."""
    if path.is_dir():
        math, portuguese = (pd.read_csv(path / f"student-{name}.csv", sep=";", dtype=str) for name in ("mat", "por"))
        return math, portuguese
    both = pd.read_csv(path, dtype=str)
    return both[both["course"] == "mat"], both[both["course"] == "por"]


def make_students(math: pd.DataFrame, portuguese: pd.DataFrame) -> pd.DataFrame:
    """One row per pupil: first those who take mathematics, then those who take Portuguese only, in the files' order."""
    courses = []
    for table, names in ((math, MATH), (portuguese, PORTUGUESE)):
        pupils = table[[*PUPIL, *names]].rename(columns=names)
        pupils["twin"] = pupils.groupby(PUPIL).cumcount()  # pupils of one course with the same answers stay apart
        pupils[f"order_{names['G3']}"] = range(len(pupils))
        courses.append(pupils)
    students = courses[0].merge(courses[1], on=[*PUPIL, "twin"], how="outer")
    students = students.sort_values(["order_math_grade", "order_portuguese_grade"], ignore_index=True)  # NaN last
    pairs = ["failures_math", "failures_portuguese", "paid_math", "paid_portuguese"]
    students = students[[*PUPIL, *pairs, "absences", "math_grade", "portuguese_grade"]]
    students.columns = students.columns.str.lower()
    students.insert(0, "pupil", [f"P{number:04d}" for number in range(1, len(students) + 1)])
    return students


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the students data set that ships with polytask.")
    parser.add_argument("source", type=Path, help="the combined file, or the folder with student-mat.csv and student-por.csv")
    students = make_students(*read_courses(parser.parse_args().source))
    text = students.to_csv(index=False, lineterminator="\n")
    OUT.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{OUT.name}: {len(students)} pupils, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
