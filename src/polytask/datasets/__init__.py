"""Small real data sets that ship with polytask, with several targets of mixed kinds and labels missing by nature.

Loading reads a file of the package and never the network.

>>> from polytask.datasets import load_students
>>> students = load_students()
>>> students.frame.shape
(674, 35)
>>> students.targets[:3]
('math_grade', 'portuguese_grade', 'higher:binary')
>>> float(students.frame["math_grade"].isna().mean().round(2))
0.41
"""

from polytask.datasets._dataset import Dataset
from polytask.datasets._students import load_students

__all__ = ["Dataset", "load_students"]
