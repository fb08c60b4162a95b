"""What of a portfolio is deployed: models of folds, models fitted once, or one network; sizes, folders, what is lost."""

import numpy as np
import pandas as pd
import pytest

import polytask
from polytask.automatic import MultiTaskPredictor
from polytask.automatic._deploy import COPIES, STUDENT, _student, drawn_labels
from polytask.estimators import CodedTable, LearningData, MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MLP
from polytask.tasks import Count, Multilabel, Ordinal, Regression
from tests.automatic._tables import houses

NETWORK = MultiTaskNetwork(encoder=MLP(width=16), max_epochs=20, patience=5)
IGNORED = ["street", "part", "trust"]


def fit(frame, targets=("price", "sold"), **settings):
    network = NETWORK if settings.get("deploy") == "distill" else None
    own = {"preset": "fast", "network": network, "ignore": IGNORED} | settings
    return MultiTaskPredictor(list(targets), **own).fit(frame)


@pytest.fixture(scope="module")
def frame():
    return houses(200)


def tasks_of(frame):
    columns = frame[["price", "grade", "visits", "has_garden", "has_lift"]]
    tags = Multilabel("tags", ("has_garden", "has_lift"))
    return [task.fit(columns) for task in (Regression("price"), Ordinal("grade"), Count("visits"), tags)]


@pytest.fixture(scope="module", params=["folds", "refit", "distill"])
def deployed(request, frame):
    return fit(frame, ["price", "sold", "grade:ordinal"], deploy=request.param), request.param


def test_a_deployed_model_predicts_well_and_tells_size_and_time(deployed):
    predictor, how = deployed
    told = predictor.report_["deployed"]
    assert told["mode"] == how
    assert 0 < told["milliseconds_per_row_of_1000"] < told["milliseconds_one_row"]
    assert any("MB" in note for note in predictor.report_["notes"])
    new = houses(300, seed=7)
    scores = predictor.evaluate(new)["tasks"]
    assert scores["price"]["skill"] > 0.7
    assert scores["sold"]["skill"] > 0.3


def test_the_folder_holds_what_is_deployed_and_no_more(deployed, frame, tmp_path):
    predictor, how = deployed
    predictor.save(tmp_path / "model")
    loaded = polytask.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict_table(frame), predictor.predict_table(frame), check_exact=True)
    n_models = sum(len(own.models) for own in loaded.model_.portfolio_.bagged.values())
    assert n_models == predictor.report_["deployed"]["models"]
    size = sum(file.stat().st_size for file in (tmp_path / "model" / "members").rglob("*") if file.is_file())
    assert size == pytest.approx(1e6 * predictor.report_["deployed"]["megabytes"], rel=0.25)
    if how == "refit":
        assert all(len(own.models) == 1 for own in loaded.model_.portfolio_.bagged.values())
    if how == "distill":
        assert list(loaded.model_.portfolio_.bagged) == [STUDENT]
    pd.testing.assert_frame_equal(loaded.leaderboard(), predictor.leaderboard())


def test_models_fitted_once_are_fewer_and_the_study_says_so(frame):
    folds, once = (fit(frame, ["price"], deploy=how, network=None) for how in ("folds", "refit"))
    told = [own.report_["deployed"] for own in (folds, once)]
    assert told[1]["models"] == len(told[1]["kinds"]) < told[0]["models"]
    assert told[1]["megabytes"] < told[0]["megabytes"] / 2
    assert once.study_.to_dict()["fit"]["deploy"] == "refit"
    pd.testing.assert_frame_equal(folds.leaderboard()[["model", "skill"]], once.leaderboard()[["model", "skill"]])


def test_what_a_student_loses_is_told_per_task_on_rows_not_seen(frame):
    model = fit(frame, deploy="distill")
    found = model.report_["deployed"]["tasks"]
    for own in found.values():
        assert own["lost"] == pytest.approx(own["teacher"] - own["student"])
    train, held = model.model_.splits_[0]
    price, mixed = frame["price"].to_numpy(), model.model_.held_out(model.tasks_[0])  # by weights of other rows
    error, constant = (np.nanmean((price - said)[held] ** 2) for said in (mixed, np.nanmean(price[train])))
    assert found["price"]["teacher"] == pytest.approx(1 - error / constant)
    noise = frame.assign(price=np.random.default_rng(9).normal(size=len(frame)))
    assert fit(noise, deploy="distill").report_["deployed"]["tasks"]["price"]["student"] < 0.15  # not learned by heart


def test_a_student_learns_from_labels_and_from_what_its_teacher_says(frame):
    model = fit(frame, ["price", "sold"]).model_
    X, y = frame[["area", "city"]], frame[["price", "sold"]]
    arrays, labels = model._read_training_data(X, y)
    labels, weight = labels.weighed(None)
    seen = []

    class Watching(MultiTaskNetwork):
        def inner_split(self, labels, weight, **given):
            seen.append((labels.target.copy(), weight.copy(), given["groups"]))
            return super().inner_split(labels, weight, **given)

    data = LearningData(CodedTable(arrays, model.codec_.cardinalities), labels, weight)
    outputs = {"price": np.full(200, 5.0), "sold": np.tile([0.0, 1.0], (200, 1))}
    _student(Watching(encoder=MLP(width=8), max_epochs=1), data, np.arange(200), outputs, seed=0, until=np.inf)
    target, own_weight, groups = seen[0]
    assert target.shape == (200 * COPIES, 2)
    observed = weight > 0
    np.testing.assert_array_equal(target[:200][observed], labels.target[observed])
    assert (target[:200, 0][~observed[:, 0]] == 5).all()
    assert (target[200:] == [5.0, 1.0]).all()
    assert (own_weight > 0).all()
    np.testing.assert_array_equal(groups, np.tile(np.arange(200), COPIES))


def test_labels_are_drawn_as_often_as_they_are_probable(frame):
    tasks = {task.name: task for task in tasks_of(frame)}
    rng, n = np.random.default_rng(0), 4000
    grade = drawn_labels(tasks["grade"], np.tile([0.1, 0.2, 0.3, 0.4], (n, 1)), rng)
    np.testing.assert_allclose(np.bincount(grade[:, 0].astype(int)) / n, [0.1, 0.2, 0.3, 0.4], atol=0.03)
    np.testing.assert_allclose(drawn_labels(tasks["tags"], np.tile([0.9, 0.2], (n, 1)), rng).mean(axis=0), [0.9, 0.2], atol=0.03)
    assert drawn_labels(tasks["visits"], np.full(n, 3.0), rng).mean() == pytest.approx(3, abs=0.1)
    np.testing.assert_array_equal(drawn_labels(tasks["price"], np.arange(3.0), rng)[:, 0], np.arange(3.0))


def test_a_deployment_is_checked(frame):
    with pytest.raises(OptionError, match="one of folds, refit, distill"):
        fit(frame, deploy="onnx")
    with pytest.raises(OptionError, match="one model already"):
        fit(frame, deploy="refit", preset="network")
