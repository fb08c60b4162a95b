"""What of a portfolio is deployed: models of folds, models fitted once, or one network; sizes, folders, what is lost."""

import io
from html import unescape

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import polytask
from polytask.automatic import MultiTaskPredictor
from polytask.automatic._deploy import COPIES, STUDENT, _student, deployment_notes, drawn_labels
from polytask.estimators import CodedTable, LearningData, MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MLP
from polytask.reporting import fit_sentence, fit_table, leaderboard_table, render
from polytask.reporting._deployed_view import student_means
from polytask.reporting._numbers import points
from polytask.tasks import Count, Multilabel, Ordinal, Regression
from tests.automatic._tables import houses
from tests.reporting._page import Page

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


def test_what_predicts_is_told_in_the_terminal_and_in_every_report(deployed):
    predictor, how = deployed
    told = predictor.report_["deployed"]["told"]
    assert told[0].startswith("Predicted by ")
    assert "B, " in told[0]
    out = io.StringIO()
    console = Console(file=out, width=200, color_system=None)
    console.print(fit_table(predictor.report_))
    console.print(leaderboard_table(predictor.report_))
    pages = [unescape(render(predictor.report_, format=format).decode()) for format in ("html", "md")]
    texts = [" ".join(out.getvalue().split()), *pages]
    whole = "".join(texts)
    assert all(sentence in text for sentence in told for text in texts)
    mean = student_means(predictor.report_)
    assert ("which is what predicts" in texts[0]) == (how != "distill")
    assert ("one network, taught by a mixture of" in whole) == (how == "distill")
    assert ("each fitted once on all rows" in whole) == (how == "refit")
    assert ("one distilled network predicts" in fit_sentence(predictor.report_)) == (how == "distill")
    if how != "distill":
        assert mean is None
        return
    assert f"mean skill of {points(mean[0])} points where its portfolio has {points(mean[1])}" in fit_sentence(predictor.report_)
    for own in predictor.report_["deployed"]["tasks"].values():
        row = [*(points(own[key]) for key in ("student", "teacher", "lost")), str(own["n_rows"])]
        assert "".join(row) in "".join(texts[0].split())
        assert "".join(f"<td>{cell}</td>" for cell in row) in texts[1].replace("−", "-")
    words = Page(texts[1]).words
    assert words.index("mean skill of the distilled network") < words.index("mean validation skill of the portfolio")
    assert render(predictor.report_, format="pdf").startswith(b"%PDF")


def test_only_rows_with_a_label_are_counted_where_a_student_is_scored(deployed, frame):
    predictor, how = deployed
    if how != "distill":
        return
    _, held = predictor.model_.splits_[0]
    for name, own in predictor.report_["deployed"]["tasks"].items():
        assert own["n_rows"] == frame[name].iloc[held].notna().sum() <= len(held)


def test_a_network_whose_skill_is_undefined_is_told_so():
    own = {"price": {"teacher": 0.5, "student": None, "lost": None, "n_rows": 0}}
    measured = {"megabytes": 1.0, "milliseconds_one_row": 1.0, "milliseconds_per_row_of_1000": 0.1}
    deployed = {"mode": "distill", "models": 1, "tasks": own} | measured
    deployed["told"] = deployment_notes(deployed)
    result = {"format": "polytask.fit", "version": 1, "tasks": {"price": {}}, "deployed": deployed}
    assert "loses: undefined" in deployed["told"][1]
    assert "its skill is undefined" in fit_sentence(result)
    Console(file=io.StringIO()).print(fit_table(result))
