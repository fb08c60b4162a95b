"""Scikit-learn parts: allow-listed types, checked trees, and nothing run from the file."""

import io
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from polytask.exceptions import ModelFolderError
from polytask.storage import BytesPart, SkopsPart, read_folder, write_folder
from polytask.storage._skops import decode_skops
from polytask.storage._trees import check_trees

GENERATOR = np.random.default_rng(0)
X = np.column_stack([GENERATOR.normal(size=(80, 3)), GENERATOR.integers(0, 4, 80)])
Y = (X[:, 0] + X[:, 3] > 1.5).astype(int)
TREES = [
    DecisionTreeClassifier(max_depth=3),
    DecisionTreeClassifier(max_leaf_nodes=5, ccp_alpha=0.01),
    RandomForestClassifier(3, random_state=0),
    ExtraTreesClassifier(3, max_leaf_nodes=6, random_state=0),
    RandomForestRegressor(3, random_state=0),
    HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5),
]
OTHERS = [
    Ridge(),
    make_pipeline(ColumnTransformer([("n", StandardScaler(), [0, 1, 2]), ("c", OneHotEncoder(), [3])]), LogisticRegression()),
]


class MyRidge(Ridge):
    """A class of the user's own."""


@pytest.mark.parametrize("estimator", [*TREES, *OTHERS], ids=lambda e: type(e).__name__)
def test_estimators_predict_the_same_after_a_round_trip(tmp_path, estimator):
    estimator.fit(X, Y)
    write_folder(tmp_path / "m", {"e.skops": SkopsPart(estimator)}, kind="k")
    assert np.array_equal(read_folder(tmp_path / "m").skops("e.skops").predict(X), estimator.predict(X))


@pytest.mark.parametrize("estimator", [SVC(), FunctionTransformer(np.log1p)])
def test_types_outside_the_list_are_refused_when_saving(tmp_path, estimator):
    with pytest.raises(ModelFolderError, match=r"e\.skops asks for types .*: (sklearn\.svm|numpy)"):
        write_folder(tmp_path / "m", {"e.skops": SkopsPart(estimator.fit(np.abs(X), Y))}, kind="k")


def test_a_class_of_the_user_must_be_given_when_saving_and_loading(tmp_path):
    with pytest.raises(ModelFolderError, match=r"MyRidge"):
        SkopsPart(MyRidge()).encode("e.skops")
    write_folder(tmp_path / "m", {"e.skops": SkopsPart(MyRidge(alpha=3), trusted=[MyRidge])}, kind="k")
    with pytest.raises(ModelFolderError, match="MyRidge"):
        read_folder(tmp_path / "m").skops("e.skops")
    assert read_folder(tmp_path / "m").skops("e.skops", trusted=[MyRidge]).alpha == 3


def rewritten(content, change):
    """A skops file with its schema changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                schema = json.loads(data)
                change(schema)
                data = json.dumps(schema).encode()
            new.writestr(name, data)
    return out.getvalue()


def call_os_system(schema, loader, command):
    argument = {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(command),
        "is_json": True,
    }
    arguments = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [argument], "__id__": 77}
    schema.clear()
    schema.update(
        {"__class__": "system", "__module__": "posix", "__loader__": loader, "__id__": 78, "protocol": 2, "_skops_version": "0"}
    )
    schema.update({"content": arguments, "attrs": arguments, "args": arguments, "__reduce__": {"args": arguments}})


@pytest.mark.parametrize(
    "loader", ["ObjectNode", "FunctionNode", "PartialNode", "MethodNode", "OperatorFuncNode", "LossNode", "TreeNode"]
)
def test_a_file_that_asks_for_code_is_refused_and_nothing_runs(tmp_path, loader):
    content = rewritten(skops.io.dumps(Ridge()), lambda schema: call_os_system(schema, loader, f"touch {tmp_path}/ran"))
    write_folder(tmp_path / "m", {"e.skops": BytesPart(content)}, kind="k")
    with pytest.raises(ModelFolderError, match=r"posix\.system"):
        decode_skops(content, where="e.skops")
    assert not (tmp_path / "ran").exists()


def test_a_module_that_is_not_in_the_list_is_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)

    def change(schema):
        schema.update({"__class__": "Model", "__module__": "evil"})

    with pytest.raises(ModelFolderError, match=r"evil\.Model"):
        decode_skops(rewritten(skops.io.dumps(Ridge()), change), where="e.skops")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", skops.io.dumps(Ridge())[:-30]])
def test_what_is_not_a_skops_file_is_refused(content):
    with pytest.raises(ModelFolderError, match="is not a skops file"):
        decode_skops(content, where="e.skops")


@pytest.mark.parametrize("field", ["left_child", "right_child", "feature"])
@pytest.mark.parametrize("value", [-5, 0, 10**6])
def test_a_forest_with_an_index_out_of_range_is_refused(field, value):
    forest = RandomForestClassifier(3, random_state=0).fit(X[:, :3], Y)
    tree = forest.estimators_[1].tree_
    state = tree.__getstate__()
    state["nodes"][field][0] = value if field != "feature" or value else 3
    tree.__setstate__(state)
    with pytest.raises(ModelFolderError, match="damaged tree"):
        decode_skops(SkopsPart(forest).encode("e.skops"), where="e.skops")


def test_a_tree_that_counts_more_nodes_than_it_has_is_refused():
    estimator = DecisionTreeClassifier(max_depth=2).fit(X, Y)
    state = estimator.tree_.__getstate__()
    estimator.tree_.__setstate__({**state, "node_count": state["node_count"] + 10**6})
    with pytest.raises(ModelFolderError, match="number of nodes is wrong"):
        check_trees(estimator, where="e.skops")


@pytest.mark.parametrize(("field", "value"), [("left", 0), ("right", 10**6), ("feature_idx", 99), ("is_categorical", 1)])
def test_a_boosted_tree_with_an_index_out_of_range_is_refused(field, value):
    model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(X, Y)
    nodes = model._predictors[1][0].nodes
    nodes[field][np.flatnonzero(nodes["is_leaf"] == 0)[-1]] = value
    with pytest.raises(ModelFolderError, match="damaged tree"):
        decode_skops(SkopsPart(model).encode("e.skops"), where="e.skops")
