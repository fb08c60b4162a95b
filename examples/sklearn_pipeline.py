"""MultiTaskNetwork is a scikit-learn estimator: pipelines, searches and cross-validation with its own score work."""

from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polytask import Binary, MultiTaskNetwork, PerTaskEstimator, Regression, out_of_fold
from polytask.datasets import load_students
from polytask.networks import MLP

frame = load_students().frame
X = frame[["studytime", "failures_portuguese", "goout", "medu", "fedu", "age"]]
y = frame[["math_grade", "portuguese_grade", "higher"]]
tasks = [Regression("math_grade"), Regression("portuguese_grade"), Binary("higher")]

network = MultiTaskNetwork(tasks, encoder=MLP(width=32), max_epochs=10, random_state=0)
scaled = make_column_transformer((StandardScaler(), ["age"]), remainder="passthrough", verbose_feature_names_out=False)
pipeline = make_pipeline(scaled.set_output(transform="pandas"), network)

# The score is the mean skill over tasks, on the observed labels: 0 is a constant's, 1 is perfect.
search = GridSearchCV(pipeline, {"multitasknetwork__encoder__width": [8, 32]}, cv=3).fit(X, y)
print(f"width {search.best_params_['multitasknetwork__encoder__width']}: mean skill {search.best_score_:.2f}")

# The same labels, missing ones too, for any estimator of scikit-learn.
separate = PerTaskEstimator({"regressor": Ridge(), "classifier": LogisticRegression()}, tasks)
print(f"linear models, one per task: {cross_val_score(separate, X, y, cv=3).mean():.2f}")

# Where scikit-learn has cross_val_predict, which would make classes of prices:
outputs = out_of_fold(separate, X, y, cv=3)
print({name: values.shape for name, values in outputs.items()})
