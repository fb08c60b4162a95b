"""LightGBM parts: a damaged text is refused before it can end the process."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from polytask.exceptions import ModelFolderError
from polytask.storage import LightGBMPart, TextPart, read_folder, write_folder
from polytask.storage._lightgbm import decode_lightgbm

GENERATOR = np.random.default_rng(0)
X = np.column_stack([GENERATOR.normal(size=(200, 3)), GENERATOR.integers(0, 40, 200)])
Y = (X[:, 0] + X[:, 3] > 20).astype(int)
SETTINGS = {"num_leaves": 5, "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 1, "verbose": -1, "num_threads": 1}


def train(objective, target, *, rounds=3, **settings):
    data = lightgbm.Dataset(X, target, categorical_feature=[3], params={"verbose": -1})
    return lightgbm.train({**SETTINGS, "objective": objective, **settings}, data, rounds)


@pytest.fixture(scope="module")
def text():
    return LightGBMPart(train("binary", Y)).encode("m.txt").decode()


@pytest.mark.parametrize(
    ("objective", "target", "settings"),
    [
        ("regression", X[:, 0], {}),
        ("regression", X[:, 0], {"reg_sqrt": True}),
        ("regression", np.ones(200), {}),  # trees with a single leaf
        ("regression", X[:, 0], {"monotone_constraints": [1, 0, 0, 0]}),
        ("huber", X[:, 0], {}),
        ("quantile", X[:, 0], {"alpha": 0.3}),
        ("poisson", Y, {}),
        ("tweedie", Y, {}),
        ("gamma", Y + 1, {}),
        ("binary", Y, {}),
        ("binary", Y, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("binary", Y, {"boosting": "dart"}),
        ("cross_entropy", Y, {}),
        ("multiclass", Y + (X[:, 1] > 0), {"num_class": 3}),
        ("multiclassova", Y + (X[:, 1] > 0), {"num_class": 3}),
    ],
)
def test_boosters_predict_the_same_after_a_round_trip(tmp_path, objective, target, settings):
    booster = train(objective, target, **settings)
    write_folder(tmp_path / "m", {"m.txt": LightGBMPart(booster)}, kind="k")
    assert np.array_equal(read_folder(tmp_path / "m").lightgbm("m.txt").predict(X), booster.predict(X))


def test_the_estimator_class_is_saved_by_its_booster():
    model = lightgbm.LGBMClassifier(n_estimators=3, **{**SETTINGS, "verbose": -1}).fit(X, Y)
    loaded = decode_lightgbm(LightGBMPart(model).encode("m.txt"), where="m.txt")
    assert np.array_equal(loaded.predict(X), model.booster_.predict(X))


def test_linear_trees_are_refused_when_saving():
    with pytest.raises(ModelFolderError, match="linear tree"):
        LightGBMPart(train("regression", X[:, 0], linear_tree=True)).encode("m.txt")


DAMAGES = {
    "cut short": lambda text: text[: len(text) // 2],
    "tree sizes": lambda text: text.replace("tree_sizes=", "tree_sizes=9", 1),
    "fewer leaf values": lambda text: edit(text, "leaf_value", lambda values: values[:-1]),
    "more leaves": lambda text: edit(text, "num_leaves", lambda _: ["500000"]),
    "leaves missing": lambda text: edit(text, "num_leaves", lambda _: []),
    "child out of range": lambda text: edit(text, "left_child", lambda values: ["9", *values[1:]]),
    "leaf out of range": lambda text: edit(text, "right_child", lambda values: [*values[:-1], "-9"]),
    "circle": lambda text: edit(text, "left_child", lambda values: ["0", *values[1:]]),
    "feature out of range": lambda text: edit(text, "split_feature", lambda values: ["99", *values[1:]]),
    "not a number": lambda text: edit(text, "threshold", lambda values: ["x", *values[1:]]),
    "categories": lambda text: edit(text, "cat_boundaries", lambda values: [*values[:-1], "900000"]),
    "category words": lambda text: edit(text, "cat_threshold", lambda _: ["1"] * 9),
    "classes": lambda text: text.replace("num_class=1", "num_class=7", 1),
    "objective": lambda text: text.replace("objective=binary", "objective=lambdarank", 1),
    "features": lambda text: text.replace("max_feature_idx=3", "max_feature_idx=99999", 1),
    "no end": lambda text: text.replace("end of trees", "end of treez"),
    "zero byte": lambda text: text.replace("Tree=1", "Tree\0=1"),
}


def edit(text, key, change):
    """Change the numbers of the first line with this key, and let the sizes of the trees fit."""
    lines = text.split("\n")
    index = next(i for i, line in enumerate(lines) if line.startswith(f"{key}="))
    lines[index] = f"{key}=" + " ".join(change(lines[index].partition("=")[2].split()))
    head, _, rest = "\n".join(lines).partition("\n\n")
    sizes = [len(block) + len("Tree=") for block in rest[: rest.index("end of trees")].split("Tree=")[1:]]
    head = "\n".join(
        "tree_sizes=" + " ".join(map(str, sizes)) if line.startswith("tree_sizes=") else line for line in head.split("\n")
    )
    return head + "\n\n" + rest


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_text_is_refused(text, damage):
    damaged = DAMAGES[damage](text)
    assert damaged != text
    with pytest.raises(ModelFolderError, match=r"m\.txt is not a LightGBM model that can be read"):
        decode_lightgbm(damaged.encode(), where="m.txt")


LOAD = """
import sys
from polytask.exceptions import ModelFolderError
from polytask.storage._lightgbm import decode_lightgbm
for line in sys.stdin.buffer.read().split(b"@@@@"):
    try:
        decode_lightgbm(line, where="m.txt").predict([[0.0] * 4, [1e30] * 4, [float("nan")] * 4])
    except (ModelFolderError, ValueError):
        pass
print("alive")
"""


def test_texts_with_random_damage_never_end_the_process(text):
    chooser = np.random.default_rng(1)
    damaged = []
    for _ in range(300):
        content = bytearray(text.encode())
        position = chooser.integers(len(content))
        content[position] = chooser.choice(list(b"0123456789-. =\n\x00e"))
        damaged.append(bytes(content) if chooser.random() < 0.8 else bytes(content[:position]))
    done = subprocess.run([sys.executable, "-c", LOAD], input=b"@@@@".join(damaged), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith(b"alive\n")


def test_a_text_part_is_not_a_lightgbm_part(tmp_path, text):
    write_folder(tmp_path / "m", {"m.txt": TextPart(text)}, kind="k")
    with pytest.raises(ModelFolderError, match="of kind 'lightgbm'; got 'text'"):
        read_folder(tmp_path / "m").lightgbm("m.txt")
