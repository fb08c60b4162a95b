import json
import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import KFold
from torch import nn

import polytask
from polytask.estimators import load_estimator, save_estimator
from polytask.exceptions import ModelFolderError, OptionError
from polytask.networks import MLP, HardSharing, Recipe, recipe_of
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


class Squares(nn.Module):
    """A user's own encoder: numbers, their squares and codes, and one layer."""

    def __init__(self, shape, *, width):
        super().__init__()
        self.layer = nn.Linear(2 * shape.n_numeric + len(shape.cardinalities), width)
        self.out_features = width

    def prepare(self, numeric, categorical):
        numbers = numeric.nan_to_num(0.0).float() / 100
        return (torch.cat([numbers, numbers**2, categorical.float()], dim=1),)

    def forward(self, inputs):
        return torch.relu(self.layer(inputs))


class Gates(nn.Module):
    """A user's own sharing: a learned gate per task."""

    def __init__(self, in_features, n_tasks):
        super().__init__()
        self.gates = nn.Parameter(torch.ones(n_tasks, in_features))
        self.out_features = in_features

    def forward(self, features):
        return [features * gate for gate in self.gates]


class OwnRecipe(Recipe):
    def build(self, shape):
        return Squares(shape, width=4)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    X, y = houses()
    model = small_network(TASKS, encoder=MLP(width=8, numeric="quantile"), sharing=HardSharing(tower_width=4)).fit(X, y)
    path = tmp_path_factory.mktemp("models") / "model"
    save_estimator(model, path)
    return model, X, y, path


def test_a_loaded_network_predicts_the_same_to_the_bit(saved):
    model, X, _, path = saved
    assert_same_outputs(load_estimator(path).outputs(X), model.outputs(X))


def test_polytask_load_knows_it_too(saved):
    model, X, _, path = saved
    assert_same_outputs(polytask.load(path).outputs(X), model.outputs(X))


def test_a_moved_folder_predicts_the_same(saved, tmp_path):
    model, X, _, path = saved
    shutil.copytree(path, tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "second")
    assert_same_outputs(load_estimator(tmp_path / "second").outputs(X), model.outputs(X))


def test_a_loaded_network_gives_frames_and_scores_as_before(saved):
    model, X, y, path = saved
    loaded = load_estimator(path)
    assert loaded.predict(X).equals(model.predict(X))
    assert loaded.score(X, y) == model.score(X, y)


def test_a_loaded_network_can_be_fitted_again_with_the_same_result(saved):
    model, X, y, path = saved
    again = clone(load_estimator(path)).fit(X, y)
    assert_same_outputs(again.outputs(X), model.outputs(X))


@pytest.mark.parametrize("validation", [None, 0.3])
def test_settings_survive(validation, tmp_path):
    X, y = houses(40)
    settings = {"validation": validation, "batch_size": np.int64(16), "patience": None, "max_steps": 4}
    save_estimator(small_network(["price"], **settings).fit(X, y), tmp_path / "model")
    assert settings.items() <= load_estimator(tmp_path / "model").get_params().items()


def test_a_splitter_as_validation_does_not_hinder_saving(tmp_path):
    X, y = houses(40)
    save_estimator(small_network(["price"], validation=KFold(4)).fit(X, y), tmp_path / "model")
    assert load_estimator(tmp_path / "model").predict(X).shape == (40, 1)


@pytest.mark.parametrize("shape", [(30,), (30, 2)])
def test_arrays_stay_arrays(rng, shape, tmp_path):
    X, y = rng.normal(size=(30, 2)), rng.normal(size=shape)
    model = small_network().fit(X, y)
    save_estimator(model, tmp_path / "model")
    np.testing.assert_array_equal(load_estimator(tmp_path / "model").predict(X), model.predict(X))


def test_classes_of_a_single_task_survive(tmp_path):
    X, y = houses(missing=0.0)
    save_estimator(small_network(["style"]).fit(X, y["style"]), tmp_path / "model")
    assert load_estimator(tmp_path / "model").classes_.tolist() == ["cabin", "flat", "villa"]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    X, y = houses()
    model = small_network(TASKS, encoder=recipe_of(Squares, width=8), sharing=recipe_of(Gates)).fit(X, y)
    path = tmp_path_factory.mktemp("own") / "model"
    save_estimator(model, path)
    return model, X, path


def test_an_own_module_is_loaded_when_its_class_is_given(own):
    model, X, path = own
    assert_same_outputs(load_estimator(path, classes=[Squares, Gates]).outputs(X), model.outputs(X))


@pytest.mark.parametrize("classes", [[], [Squares]])
def test_without_its_class_an_own_module_is_refused_by_name(own, classes):
    with pytest.raises(ModelFolderError, match="'Squares'" if not classes else "'Gates'"):
        load_estimator(own[2], classes=classes)


def test_an_own_module_of_another_shape_is_refused(own):
    class Gates(nn.Module):
        def __init__(self, in_features, n_tasks):
            super().__init__()
            self.other = nn.Parameter(torch.ones(1))
            self.out_features = in_features

    with pytest.raises(ModelFolderError, match="not complete"):
        load_estimator(own[2], classes=[Squares, Gates])


def test_own_recipes_are_cloned_and_searched(own):
    model = clone(own[0])
    assert model.encoder.module_class is Squares
    assert model.encoder.settings == {"width": 8}


def test_a_recipe_class_of_the_user_is_refused_with_the_way_out(tmp_path):
    X, y = houses(40)
    model = small_network(["price"], encoder=OwnRecipe()).fit(X, y)
    with pytest.raises(OptionError, match="recipe_of"):
        save_estimator(model, tmp_path / "model")


def test_a_setting_that_is_not_json_is_refused(tmp_path):
    class Offset(Squares):
        def __init__(self, shape, *, offset):
            super().__init__(shape, width=2)

    X, y = houses(40)
    model = small_network(["price"], encoder=recipe_of(Offset, offset=torch.zeros(2))).fit(X, y)
    with pytest.raises(OptionError, match="cannot be saved as JSON"):
        save_estimator(model, tmp_path / "model")


def test_a_module_that_is_an_object_is_refused():
    with pytest.raises(OptionError, match="Pass the class, not an object"):
        recipe_of(nn.Linear(2, 2))


def test_an_existing_folder_is_not_overwritten_unasked(saved):
    model, _, _, path = saved
    with pytest.raises(ModelFolderError):
        save_estimator(model, path)


def test_weights_of_another_network_are_refused(saved, tmp_path):
    model, X, y, _ = saved
    small = small_network(TASKS).fit(X, y)
    parts = polytask.estimators.network_parts(small) | {"network.json": polytask.estimators.network_parts(model)["network.json"]}
    polytask.storage.write_folder(tmp_path / "mixed", parts, kind="network")
    with pytest.raises(ModelFolderError, match="not complete"):
        load_estimator(tmp_path / "mixed")


def test_the_folder_holds_json_and_tensors_only(saved):
    files = {path.name for path in saved[3].iterdir()}
    assert files == {"manifest.json", "network.json", "network.safetensors"}
    json.loads((saved[3] / "network.json").read_text())
