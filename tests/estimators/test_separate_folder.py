"""PerTaskEstimator and BestPerTask as model folders: what comes out is what went in, or it is refused by name."""

import shutil

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

import polytask
from polytask import BestPerTask, MultiTaskNetwork, PerTaskEstimator
from polytask.estimators import boosted_trees, linear_models, load_estimator, save_estimator
from polytask.exceptions import ModelFolderError
from polytask.networks import MLP
from polytask.storage import JSONPart, read_folder, write_folder
from polytask.tasks import Multiclass, Regression
from tests.estimators._tables import TASKS, assert_same_outputs, houses, small_network


class OwnRidge(Ridge):
    """A scikit-learn class of the user."""


class OwnBooster(LGBMRegressor):
    """A booster that could predict in its own way."""

    def predict(self, X, **settings):
        return super().predict(X, **settings) + 1


FORESTS = {
    "regressor": RandomForestRegressor(n_estimators=4, random_state=0),
    "classifier": RandomForestClassifier(n_estimators=4, random_state=0),
}
TREES = boosted_trees(n_estimators=8)
MODELS = {
    "linear": PerTaskEstimator(linear_models(), TASKS),
    "LightGBM": PerTaskEstimator(TREES, TASKS),
    "forests": PerTaskEstimator(FORESTS, TASKS),
    "network": PerTaskEstimator(small_network(), TASKS),
    "best network": BestPerTask({"network": small_network()}, TASKS, random_state=0),
    "best of all": BestPerTask(
        {"network": small_network(), "trees": TREES, "linear": linear_models(), "forests": FORESTS}, TASKS, random_state=0
    ),
    "best of best": PerTaskEstimator(BestPerTask({"trees": TREES, "linear": linear_models()}, random_state=0), TASKS),
}


@pytest.fixture(scope="module", params=MODELS)
def saved(request, tmp_path_factory):
    X, y = houses()
    model = clone(MODELS[request.param]).fit(X, y)
    path = tmp_path_factory.mktemp("models") / "model"
    save_estimator(model, path)
    return model, X, y, path


def test_a_loaded_estimator_gives_the_same_outputs_to_the_bit(saved):
    model, _, _, path = saved
    unseen, _ = houses(30, seed=1)
    unseen.loc[unseen.index[:3], "city"] = "Paris"
    loaded = load_estimator(path)
    assert type(loaded) is type(model)
    assert_same_outputs(loaded.outputs(unseen), model.outputs(unseen))


def test_polytask_load_opens_a_moved_folder(saved, tmp_path):
    model, X, _, path = saved
    shutil.copytree(path, tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "second")
    assert_same_outputs(polytask.load(tmp_path / "second").outputs(X), model.outputs(X))


def test_a_loaded_estimator_gives_frames_probabilities_and_scores_as_before(saved):
    model, X, y, path = saved
    loaded = load_estimator(path)
    assert loaded.predict(X).equals(model.predict(X))
    assert loaded.predict_proba(X)["tags"].equals(model.predict_proba(X)["tags"])
    assert loaded.score(X, y) == model.score(X, y)


def test_a_loaded_estimator_can_be_saved_again(saved, tmp_path):
    model, X, _, path = saved
    save_estimator(load_estimator(path), tmp_path / "again")
    assert_same_outputs(load_estimator(tmp_path / "again").outputs(X), model.outputs(X))


def test_a_loaded_estimator_can_be_fitted_again_with_the_same_result(saved):
    model, X, y, path = saved
    again = clone(load_estimator(path)).fit(X, y)
    assert_same_outputs(again.outputs(X), model.outputs(X))


def test_no_file_is_of_another_kind(saved):
    endings = {file.suffix for file in saved[3].rglob("*") if file.is_file()}
    assert endings <= {".json", ".safetensors", ".txt", ".skops"}


def test_any_changed_byte_is_refused(saved, tmp_path):
    for k, file in enumerate(sorted(path for path in saved[3].rglob("*") if path.is_file())):
        damaged = tmp_path / str(k)
        shutil.copytree(saved[3], damaged)
        victim = damaged / file.relative_to(saved[3])
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
        with pytest.raises(ModelFolderError, match="damaged"):
            load_estimator(damaged)


def test_the_choice_survives(tmp_path):
    X, y = houses()
    model = BestPerTask({"mean": DummyRegressor(), "ridge": Ridge()}, ["price"], random_state=3).fit(X, y)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert loaded.chosen_ == model.chosen_
    assert loaded.selection_skills_ == model.selection_skills_
    assert loaded.random_state == 3


def test_a_candidate_without_a_score_survives(tmp_path):
    X, y = houses()
    model = BestPerTask({"ridge": Ridge()}, ["price"], random_state=3).fit(X, y)
    model.selection_skills_ = {"ridge": {"price": -np.inf}}
    save_estimator(model, tmp_path / "model")
    assert load_estimator(tmp_path / "model").selection_skills_ == {"ridge": {"price": -np.inf}}


def test_default_candidates_stay_the_default(tmp_path):
    X, y = houses(40)
    model = BestPerTask(tasks=["price"], random_state=0).fit(X, y)
    save_estimator(model, tmp_path / "model")
    loaded = load_estimator(tmp_path / "model")
    assert loaded.candidates is None
    assert_same_outputs(loaded.outputs(X), model.outputs(X))


@pytest.mark.parametrize(
    ("estimator", "n_values"),
    [
        (LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1), 2),
        (LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=-1), 4),
        (LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1, objective="multiclassova"), 3),
        (LGBMClassifier(n_estimators=60, verbosity=-1, n_jobs=1, pred_early_stop=True, pred_early_stop_freq=2), 2),
        (LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1, class_weight="balanced", boosting_type="dart"), 2),
        (LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1), None),
        (LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1, objective="poisson"), None),
        (LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1, objective="quantile", alpha=0.9, reg_sqrt=True), None),
        (LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1, boosting_type="rf", subsample=0.5, subsample_freq=1), None),
        (HistGradientBoostingRegressor(max_iter=5), None),
        (make_pipeline(StandardScaler(), Ridge()), None),
    ],
)
def test_models_of_a_task_predict_the_same_to_the_bit(rng, tmp_path, estimator, n_values):
    X = rng.normal(size=(300, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 0]) + rng.normal(0, 0.3, 300)
    y = np.exp(signal) if n_values is None else np.floor(np.argsort(np.argsort(signal)) * n_values / 300)
    model = PerTaskEstimator(estimator, [Regression("y0") if n_values is None else Multiclass("y0")]).fit(X, y)
    save_estimator(model, tmp_path / "model")
    assert_same_outputs(load_estimator(tmp_path / "model").outputs(X), model.outputs(X))


def test_a_booster_of_counts_gives_means(rng, tmp_path):
    X = rng.normal(size=(300, 1))
    y = rng.poisson(np.exp(1 + X[:, 0])).astype(float)
    model = PerTaskEstimator(TREES["counter"], [Regression("y0")]).fit(X, y)
    save_estimator(model, tmp_path / "model")
    assert load_estimator(tmp_path / "model").predict(X).mean() == pytest.approx(y.mean(), rel=0.05)


def test_classes_and_tags_that_were_not_seen_survive(tmp_path):
    X, y = houses()
    weight = np.ones((len(X), 3))
    weight[y["style"] == "villa", 1] = 0
    y["lift"] = y["lift"] * 0  # a tag with one value
    weight[:, 2] = 1
    model = PerTaskEstimator(TREES, [TASKS[0], TASKS[2], TASKS[5]]).fit(X, y, sample_weight=weight)
    save_estimator(model, tmp_path / "model")
    outputs = load_estimator(tmp_path / "model").outputs(X)
    assert_same_outputs(outputs, model.outputs(X))
    assert (outputs["style"][:, 2] == 0).all()


def test_arrays_stay_arrays(rng, tmp_path):
    X, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    model = PerTaskEstimator(Ridge()).fit(X, y)
    save_estimator(model, tmp_path / "model")
    np.testing.assert_array_equal(load_estimator(tmp_path / "model").predict(X), model.predict(X))


def test_a_network_keeps_the_shape_it_was_trained_with(tmp_path):
    X, y = houses(40)
    model = small_network(["price"]).fit(X, y)
    expected = model.outputs(X)
    model.encoder.set_params(width=99)
    save_estimator(model, tmp_path / "model")
    assert_same_outputs(load_estimator(tmp_path / "model").outputs(X), expected)


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (SVR(), r"The SVR of task 'price' asks for types .*sklearn\.svm.*SVR.*Use a model that it can hold.*classes="),
        (OwnRidge(), "The OwnRidge of task 'price' asks for types"),
        (OwnBooster(n_estimators=2, verbosity=-1, n_jobs=1), "The OwnBooster of task 'price'"),
        (
            LGBMRegressor(n_estimators=2, verbosity=-1, n_jobs=1, linear_tree=True),
            "The LGBMRegressor of task 'price'.*linear tree.*Use a",
        ),
        (make_pipeline(StandardScaler(), LGBMRegressor(n_estimators=2, verbosity=-1, n_jobs=1)), "The Pipeline of task 'price'"),
        (
            LGBMRegressor(n_estimators=2, verbosity=-1, n_jobs=1, objective=lambda y, p: (p - y, np.ones_like(y))),
            "of `estimator` .*objective",
        ),
    ],
)
def test_a_model_that_a_folder_cannot_hold_is_refused_by_name(tmp_path, estimator, message):
    X, y = houses(60, missing=0.0)
    model = PerTaskEstimator(estimator, ["price"]).fit(X[["area"]], y)
    with pytest.raises(ModelFolderError, match=message):
        save_estimator(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_candidate_that_was_not_chosen_is_refused_by_name_too(tmp_path):
    X, y = houses()
    model = BestPerTask({"own": SVR(C=1e-9), "ridge": Ridge()}, ["price"], random_state=0).fit(X, y)
    assert model.chosen_ == {"price": "ridge"}
    with pytest.raises(ModelFolderError, match="The SVR of candidate 'own'"):
        save_estimator(model, tmp_path / "model")


def test_a_class_of_the_user_must_be_given_when_saving_and_loading(tmp_path):
    X, y = houses()
    model = PerTaskEstimator(OwnRidge(), ["price"]).fit(X, y)
    save_estimator(model, tmp_path / "model", classes=[OwnRidge])
    assert_same_outputs(polytask.load(tmp_path / "model", classes=[OwnRidge]).outputs(X), model.outputs(X))
    with pytest.raises(ModelFolderError, match="OwnRidge"):
        load_estimator(tmp_path / "model")


def test_only_fitted_estimators_of_this_room_are_saved(tmp_path):
    with pytest.raises(NotFittedError):
        save_estimator(PerTaskEstimator(Ridge()), tmp_path / "model")
    with pytest.raises(ModelFolderError, match="got Ridge"):
        save_estimator(Ridge(), tmp_path / "model")

    class OwnNetwork(MultiTaskNetwork):
        pass

    with pytest.raises(ModelFolderError, match="got OwnNetwork"):
        save_estimator(OwnNetwork(encoder=MLP(width=2)), tmp_path / "model")


def test_a_model_is_replaced_only_when_asked(tmp_path):
    X, y = houses(40)
    first, second = (PerTaskEstimator(Ridge(alpha), ["price"]).fit(X, y) for alpha in (1.0, 5.0))
    save_estimator(first, tmp_path / "model")
    with pytest.raises(ModelFolderError, match="already holds a model"):
        save_estimator(second, tmp_path / "model")
    save_estimator(second, tmp_path / "model", overwrite=True)
    assert_same_outputs(load_estimator(tmp_path / "model").outputs(X), second.outputs(X))


@pytest.mark.parametrize("lost", ["settings", "codec", "models"])
def test_a_folder_without_an_entry_is_refused(tmp_path, lost):
    X, y = houses(40)
    save_estimator(PerTaskEstimator(LogisticRegression(), ["sold"]).fit(X, y), tmp_path / "model")
    content = read_folder(tmp_path / "model").json("estimator.json")
    del content[lost]
    write_folder(tmp_path / "other", {"estimator.json": JSONPart(content)}, kind="per_task")
    with pytest.raises(ModelFolderError):
        load_estimator(tmp_path / "other")


def test_a_predictor_is_no_estimator(tmp_path):
    write_folder(tmp_path / "model", {"predictor.json": JSONPart({})}, kind="predictor")
    with pytest.raises(ModelFolderError, match=r"polytask\.load"):
        load_estimator(tmp_path / "model")
