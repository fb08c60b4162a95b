"""Did learning together help? Each task against a network that learns it alone, and against the best separate model.

Two folds, two repeats and few epochs, so that it runs at once. For an answer leave these out.
"""

from rich.console import Console

from polytask import MultiTaskNetwork, compare
from polytask.datasets import load_students
from polytask.reporting import comparison_table, summary_sentence
from polytask.tasks import Binary, Count, Ordinal, Regression

students = load_students()
tasks = [Regression("math_grade"), Regression("portuguese_grade"), Binary("higher"), Ordinal("walc"), Count("absences")]
labels = students.frame[[task.name for task in tasks]]
inputs = students.frame.drop(columns=[*labels, "reason", "dalc", "pupil"])

found = compare(inputs, labels, tasks, joint=MultiTaskNetwork(max_epochs=10), folds=2, repeats=2, random_state=0)

print(found.to_frame().filter(like="skill").round(2).to_string())
print(summary_sentence(found.to_dict()))
Console().print(comparison_table(found.to_dict()))
