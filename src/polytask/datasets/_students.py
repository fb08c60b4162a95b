"""Pupils of two Portuguese schools: what they achieve, want and do."""

from pathlib import Path

import pandas as pd

from polytask.datasets._dataset import Dataset

FOLDER = Path(__file__).parent / "data"


def load_students() -> Dataset:
    """Pupils of two Portuguese secondary schools, six tasks of five kinds, labels missing by nature.

    One row per pupil (674 of them), 27 inputs about home, school and free time. Who does not take a course has no grade in it:
    of `math_grade` 41% of the labels are missing, of `portuguese_grade` and `absences` 4%.

    | target             | kind       | meaning                                               |
    |--------------------|------------|-------------------------------------------------------|
    | `math_grade`       | regression | final grade in mathematics, 0 to 20                   |
    | `portuguese_grade` | regression | final grade in Portuguese, 0 to 20                    |
    | `higher`           | binary     | wants to go on to higher education                    |
    | `reason`           | multiclass | why this school: home, reputation, course, other      |
    | `walc`             | ordinal    | alcohol at weekends, 1 (very low) to 5 (very high)    |
    | `absences`         | count      | lessons of Portuguese missed                          |

    `pupil` is an identifier. `dalc` (alcohol on workdays) is `walc` asked once more, so it is to be ignored.

    Returns
    -------
    dataset : Dataset
        A new frame at every call; change it freely.

    References
    ----------
    Cortez & Silva, "Using Data Mining to Predict Secondary School Student Performance", FUBUTEC 2008.
    UCI Machine Learning Repository, https://doi.org/10.24432/C5TG7T, CC BY 4.0.

    Examples
    --------
    >>> students = load_students()
    >>> students.frame[["math_grade", "portuguese_grade", "walc"]].head(2)
       math_grade  portuguese_grade  walc
    0         6.0              11.0     1
    1         6.0              11.0     1
    """
    path = FOLDER / "students.csv.gz"
    return Dataset(
        name="students",
        frame=pd.read_csv(path, keep_default_na=False, na_values=[""]),
        targets=("math_grade", "portuguese_grade", "higher:binary", "reason:multiclass", "walc:ordinal", "absences:count"),
        ignore=("dalc",),
        description=(FOLDER / "README.md").read_text(encoding="utf-8"),
        licence="CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        citation=(
            "Paulo Cortez (2008). Student Performance [Dataset]. UCI Machine Learning Repository. https://doi.org/10.24432/C5TG7T"
        ),
        url="https://archive.ics.uci.edu/dataset/320/student+performance",
        path=path,
    )
