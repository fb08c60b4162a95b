"""What is each target predicted from? Importance of the table's own columns, on pupils that no model has learned from."""

from sklearn.linear_model import LogisticRegression, Ridge

from polytask.datasets import load_students
from polytask.estimators import PerTaskEstimator
from polytask.evaluation import out_of_fold_importance

students = load_students()
y = students.frame[["math_grade", "higher"]]
X = students.frame.drop(columns=[*y.columns, "portuguese_grade", "math_absences", "portuguese_absences"], errors="ignore")

models = PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression(max_iter=500)})
importance = out_of_fold_importance(models, X, y, cv=5)

frame = importance.to_frame()
frame["points"], frame["from"], frame["to"] = (100 * frame[key] for key in ("importance", "low", "high"))
for task, columns in frame.groupby("task", sort=False):
    print(f"\n{task}: points of skill lost when a column is shuffled")
    print(columns.head(5)[["column", "points", "from", "to", "verdict"]].round(1).to_string(index=False))

for group in importance.to_dict()["alike"]:
    print(f"\n{group['words']}")
print(f"\nIntervals hold for {importance.to_dict()['holds_for']}.")
