import json
import shutil
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.exceptions import NotFittedError

import polytask
from polytask.automatic import MultiTaskPredictor
from polytask.estimators import MultiTaskNetwork, save_estimator
from polytask.exceptions import DataError, ModelFolderError, OptionError, PolytaskWarning, TargetError, UnlearnableError
from polytask.storage import JSONPart, write_folder
from polytask.tasks import Multilabel, Regression
from tests.automatic._tables import TARGETS, houses, predictor


@pytest.fixture(scope="module")
def fitted():
    frame = houses()
    return predictor().fit(frame), frame


def test_predicts_a_column_per_label_column_with_the_index_of_the_rows(fitted):
    model, frame = fitted
    found = model.predict(frame.iloc[3:9])
    assert list(found.columns) == ["price", "sold", "grade", "visits", "has_garden", "has_lift"]
    assert list(found.index) == list(range(1003, 1009))


def test_whole_number_labels_stay_whole_though_the_column_has_gaps():
    frame = houses().astype({"grade": float})
    frame.loc[frame.index[::7], "grade"] = np.nan
    found = predictor(["grade:ordinal", "has_lift"]).fit(frame).predict(frame)
    assert found["grade"].dtype == found["has_lift"].dtype == np.int64


def test_counts_are_predicted_by_their_mean(fitted):
    model, frame = fitted
    found = model.predict(frame)["visits"]
    assert (found > 0).all()
    assert (found % 1 != 0).any()


def test_probabilities_per_task_have_classes_as_columns(fitted):
    model, frame = fitted
    found = model.predict_proba(frame)
    assert {name: list(table.columns) for name, table in found.items()} == {
        "sold": ["no", "yes"],
        "grade": ["1", "2", "3", "4"],
        "tags": ["has_garden", "has_lift"],
    }
    np.testing.assert_allclose(found["grade"].sum(axis=1), 1)


def test_the_table_of_predictions_is_what_the_command_line_writes(fitted):
    model, frame = fitted
    table = model.predict_table(frame)
    assert list(table.columns) == [
        *("price", "sold", "sold:p(no)", "sold:p(yes)"),
        *("grade", "grade:p(1)", "grade:p(2)", "grade:p(3)", "grade:p(4)", "visits"),
        *("has_garden", "has_garden:p", "has_lift", "has_lift:p"),
    ]


def test_polars_in_gives_polars_out(fitted):
    model, frame = fitted
    table = pl.from_pandas(frame)
    found = predictor().fit(table).predict(table)
    assert isinstance(found, pl.DataFrame)
    assert found["price"].to_list() == model.predict(frame)["price"].to_list()
    assert isinstance(model.predict_proba(table)["sold"], pl.DataFrame)


def test_a_dictionary_of_columns_will_do():
    frame = houses()
    columns = {name: frame[name].tolist() for name in ("area", "city", "has_lift")}
    assert predictor(["has_lift"], ignore=()).fit(columns).predict(columns).shape == (80, 1)


def test_targets_ignored_group_split_and_weight_columns_are_never_inputs():
    frame = houses()
    frame["street"] += " of " + frame["part"]  # a split must keep groups whole
    model = predictor(ignore=["city"], group="street", split="part", weight="trust").fit(frame.assign(size=frame["area"] ** 0.5))
    assert {column["name"] for column in model.report_["inputs"]} == {"area", "size"}


def test_their_values_at_prediction_change_nothing_nor_does_their_absence():
    frame = houses()
    frame["part"] = np.where(frame["street"].isin(["street 0", "street 1", "street 2"]), "test", "train")
    settings = {"group": "street", "split": "part", "weight": "trust", "ignore": ()}
    model = predictor(**settings).fit(frame)
    bare = frame[["city", "area"]]
    pd.testing.assert_frame_equal(model.predict(frame), model.predict(bare))
    strange = bare.assign(price=1e9, sold="maybe", street="s", part="?", trust=-1.0)
    pd.testing.assert_frame_equal(model.predict(strange), model.predict(bare))


def test_test_rows_are_scored_and_never_learned_from():
    frame = houses()
    strange = frame.copy()
    test = (frame["part"] == "test").to_numpy()
    strange.loc[test, "price"] = 1e7
    strange.loc[test, "area"] = -1e7
    first, second = (predictor(split="part", ignore=["street", "trust"]).fit(table) for table in (frame, strange))
    pd.testing.assert_frame_equal(first.predict(frame), second.predict(frame))
    assert first.report_["n_train"] == 48
    assert first.report_["n_validation"] == 16
    assert first.report_["test"]["n_rows"] == 16
    assert first.report_["test"] == first.evaluate(frame[test])
    assert first.report_["test"] != second.report_["test"]


def test_counts_are_of_the_rows_learned_from_and_of_labels_that_weigh_something():
    frame = houses().assign(trust=np.where(np.arange(80) % 10 == 0, 0.0, 1.5))
    report = predictor(split="part", weight="trust", ignore=["street"]).fit(frame).report_
    given = frame[frame["part"] != "test"]
    labels = given["price"].notna() & (given["trust"] > 0)
    assert (report["n_rows"], report["n_train"] + report["n_validation"], report["n_test"]) == (80, 56, 16)
    assert report["tasks"]["price"]["n_observed"] == labels.sum()
    assert report["tasks"]["price"]["n_missing"] == 64 - labels.sum()


@pytest.mark.parametrize("split", [None, "part"])
def test_validation_rows_are_counted_and_scored(split):
    frame = houses()
    model = predictor(split=split, weight="trust", ignore=["street"] + ["part"] * (split is None)).fit(frame)
    tasks = model.report_["tasks"]
    assert tasks["grade"]["validation"]["n_observed"] == model.report_["n_validation"] == 16
    assert tasks["grade"]["validation"]["metrics"]["accuracy"] >= 0
    if split:
        with pytest.warns(PolytaskWarning, match="16 of 16 rows are for training or validation"):
            scores = model.evaluate(frame[frame["part"] == "validation"])["tasks"]
        for name, task in tasks.items():
            assert task["validation"]["metrics"] == scores[name]["metrics"]
            assert task["validation"]["skill"] == pytest.approx(scores[name]["skill"], abs=1e-5)


def test_a_metric_undefined_on_the_validation_rows_is_told():
    frame = houses()
    frame.loc[(frame["part"] == "validation") & (frame["sold"] == "no"), "sold"] = None
    task = predictor(split="part", ignore=["street", "trust"]).fit(frame).report_["tasks"]["sold"]
    assert task["validation"]["metrics"]["roc_auc"] is None
    assert any(reason.startswith("roc_auc: ") for reason in task["undefined"])


def test_without_validation_rows_nothing_is_scored_on_them():
    network = MultiTaskNetwork(max_epochs=2, validation=None)
    report = predictor(["grade"], network=network).fit(houses()).report_
    assert report["tasks"]["grade"]["validation"] == {"skill": None}


def test_a_table_without_the_weight_column_is_scored_with_a_warning():
    frame = houses()
    model = predictor(weight="trust", ignore=["street", "part"]).fit(frame)
    with pytest.warns(PolytaskWarning, match="no column 'trust', .* weights of the rows: all rows count the same"):
        model.evaluate(frame.drop(columns="trust"))


def test_test_rows_of_weight_zero_are_no_hindrance():
    frame = houses()
    frame.loc[frame["part"] == "test", "trust"] = 0
    report = predictor(split="part", weight="trust", ignore=["street"]).fit(frame).report_
    assert "test" not in report
    assert any("16 test rows have no labels" in note for note in report["notes"])


def test_test_rows_without_labels_are_told_and_no_hindrance():
    frame = houses()
    frame.loc[frame["part"] == "test", ["price", "sold"]] = None
    model = predictor(["price", "sold"], split="part", ignore=["street", "trust"]).fit(frame)
    assert "test" not in model.report_
    assert any("16 test rows have no labels" in note for note in model.report_["notes"])


def test_fold_numbers_are_for_comparisons():
    frame = houses().assign(part=np.arange(80) % 5)
    with pytest.raises(DataError, match="for `compare`"):
        predictor(split="part", ignore=["street", "trust"]).fit(frame)


def test_groups_are_not_divided_between_training_and_stopping(monkeypatch):
    frame, seen = houses(), []
    inner_split = MultiTaskNetwork.inner_split

    def spy(self, labels, weight, *, groups, **settings):
        parts = inner_split(self, labels, weight, groups=groups, **settings)
        seen.extend(set(groups[rows]) for rows in parts)
        return parts

    monkeypatch.setattr(MultiTaskNetwork, "inner_split", spy)
    predictor(group="street", ignore=["part", "trust"]).fit(frame)
    train, held = seen
    assert held
    assert not train & held


def test_rows_of_weight_zero_are_not_learned_from():
    frame = houses()
    frame["trust"] = np.where(np.arange(80) < 20, 0.0, 1.0)
    strange = frame.copy()
    strange.iloc[:20, strange.columns.get_loc("price")] = 1e7
    settings = {"weight": "trust", "ignore": ["street", "part"]}
    first, second = (predictor(["price"], **settings).fit(table) for table in (frame, strange))
    pd.testing.assert_frame_equal(first.predict(frame), second.predict(frame))


def test_an_input_that_is_a_target_in_disguise_is_warned_of():
    frame = houses()
    with pytest.warns(PolytaskWarning, match="'feet' is a perfect copy of the target 'price'.*leakage"):
        predictor(["price"]).fit(frame.assign(feet=3.28 * frame["price"]))


def test_scores_have_the_metrics_of_every_task(fitted):
    model, frame = fitted
    scores = model.evaluate(frame)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["n_rows"] == 80
    assert list(scores["tasks"]) == ["price", "sold", "grade", "visits", "tags"]
    for task in scores["tasks"].values():
        assert set(task) == {"kind", "n_observed", "skill", "metrics", "undefined"}
    assert scores["tasks"]["price"]["n_observed"] == frame["price"].notna().sum()


def test_scores_use_observed_labels_only(fitted):
    model, frame = fitted
    seen = frame["price"].notna()
    numbers, found = frame.loc[seen, "price"], model.predict(frame[seen])["price"]
    expected = float(np.sqrt(((numbers - found) ** 2).mean()))
    np.testing.assert_allclose(model.evaluate(frame)["tasks"]["price"]["metrics"]["rmse"], expected, rtol=1e-12)


def test_scores_count_rows_by_their_weight_and_not_those_of_weight_zero():
    frame = houses()
    model = predictor(weight="trust", ignore=["street", "part"]).fit(frame)
    light = frame.assign(trust=np.where(np.arange(80) < 30, 0.0, 2.0))
    first, second = model.evaluate(light), model.evaluate(light.iloc[30:])
    assert first["tasks"] == second["tasks"]


def test_labels_never_seen_are_warned_of_and_not_scored(fitted):
    model, frame = fitted
    with pytest.warns(PolytaskWarning, match="2 labels are of classes never seen"):
        scores = model.evaluate(frame.assign(sold=["perhaps", "never", *frame["sold"].iloc[2:]]))
    assert scores["tasks"]["sold"]["n_observed"] == frame["sold"].iloc[2:].notna().sum()


def test_an_undefined_metric_is_none_and_says_why(fitted):
    model, frame = fitted
    task = model.evaluate(frame[frame["sold"] == "yes"])["tasks"]["sold"]
    assert task["metrics"]["roc_auc"] is None
    assert "class" in task["undefined"]["roc_auc"]


def test_a_task_without_its_column_is_told_and_the_others_scored(fitted):
    model, frame = fitted
    with pytest.warns(PolytaskWarning, match="'sold' is not scored"):
        assert "sold" not in model.evaluate(frame.drop(columns="sold"))["tasks"]


def test_evaluation_without_labels_is_refused(fitted):
    model, frame = fitted
    labels = ["price", "sold", "grade", "visits", "has_garden", "has_lift"]
    with pytest.raises(TargetError, match="evaluation needs labels"):
        model.evaluate(frame.drop(columns=labels))
    with pytest.raises(TargetError, match="nothing to score"):
        model.evaluate(frame.assign(**dict.fromkeys(labels, np.nan)))


def test_a_missing_input_column_is_an_error_or_filled_as_asked(fitted):
    model, frame = fitted
    with pytest.raises(DataError, match="'city'"):
        model.predict(frame.drop(columns="city"))
    with pytest.warns(PolytaskWarning, match="lacks the column 'city'"):
        found = model.predict(frame.drop(columns="city"), missing_columns="fill")
    assert found["price"].notna().all()


def test_an_added_column_is_told_and_left_out(fitted):
    model, frame = fitted
    with pytest.warns(PolytaskWarning, match="'colour' that the model does not know"):
        found = model.predict(frame.assign(colour="red"))
    pd.testing.assert_frame_equal(found, model.predict(frame))


def test_an_unseen_category_is_told(fitted):
    model, frame = fitted
    with pytest.warns(PolytaskWarning, match="'Rome'"):
        model.predict(frame.assign(city="Rome"))


def test_one_row_is_predicted_as_among_others(fitted):
    model, frame = fitted
    together = model.predict_table(frame)
    for row in (0, 33, 79):
        pd.testing.assert_frame_equal(model.predict_table(frame.iloc[[row]]), together.iloc[[row]])


def test_no_rows_and_known_tasks_are_refused(fitted):
    model, frame = fitted
    with pytest.raises(DataError, match="no rows"):
        model.predict(frame.iloc[:0])
    for method in (model.predict, model.predict_proba):
        with pytest.raises(OptionError, match="cannot condition on known tasks"):
            method(frame, known={})


@pytest.mark.parametrize("call", ["predict", "predict_proba", "predict_table", "evaluate"])
def test_use_before_fit_is_refused(call):
    with pytest.raises(NotFittedError):
        getattr(predictor(), call)(houses())


def test_saving_before_fit_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        predictor().save(tmp_path / "model")


@pytest.mark.parametrize(
    "settings",
    [
        {"unlearnable": "ignore"},
        {"time_limit": 0.0},
        {"time_limit": -1.0},
        {"max_steps": 0},
        {"seed": -1},
        {"seed": 1.5},
        {"threads": 0},
        {"device": "abacus"},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_refused_by_name(settings):
    with pytest.raises(OptionError, match=next(iter(settings))):
        predictor(**settings).fit(houses())


@pytest.mark.parametrize("role", ["group", "split", "weight"])
def test_a_named_column_must_be_there_and_be_no_target(role):
    with pytest.raises(DataError, match="Did you mean 'street'"):
        predictor(ignore=(), **{role: "stret"}).fit(houses())
    with pytest.raises(DataError, match="'price' is a target"):
        predictor(**{role: "price"}).fit(houses())


def test_a_target_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(TargetError, match="'price'"):
        predictor(["prize"]).fit(houses())


def test_a_target_that_is_neither_text_nor_task_is_refused():
    with pytest.raises(TargetError, match="must be a text or a Task; got 3"):
        predictor(["price", 3]).fit(houses())


def test_no_target_is_refused():
    with pytest.raises(TargetError, match="No target"):
        predictor([]).fit(houses())


def with_unlearnable():
    return houses().assign(always="yes", level=3, nothing=None)


@pytest.mark.parametrize("target", ["always", "level", "nothing"])
def test_a_target_with_nothing_to_learn_is_refused_and_the_way_out_named(target):
    with pytest.raises(UnlearnableError, match="skip"):
        predictor(["price", target]).fit(with_unlearnable())


def test_skipped_targets_are_told_and_predicted_as_their_constant_or_nothing(tmp_path):
    frame = with_unlearnable()
    model = predictor(["price", "always", "level", "nothing"], unlearnable="skip").fit(frame)
    for own in (model, save_and_load(model, tmp_path)):
        found = own.predict(frame)
        assert set(found["always"]) == {"yes"}
        assert found["level"].dtype == np.int64
        assert (found["level"] == 3).all()
        assert found["nothing"].isna().all()
        assert "level" in own.predict_table(frame).columns
    assert "one value only" in model.report_["tasks"]["always"]["left_out"]
    assert list(model.evaluate(frame)["tasks"]) == ["price"]


def test_skipped_targets_are_no_inputs():
    model = predictor(["price", "always"], unlearnable="skip").fit(with_unlearnable())
    assert "always" not in {column["name"] for column in model.report_["inputs"]}


def test_nothing_left_to_learn_is_refused():
    with pytest.raises(UnlearnableError, match="No target is left"):
        predictor(["always", "nothing"], unlearnable="skip").fit(with_unlearnable())


def test_tasks_may_be_given_as_objects():
    model = predictor([Regression("price"), "sold", Multilabel("tags", ("has_garden", "has_lift"))]).fit(houses())
    assert {task.name: task.kind for task in model.tasks_} == {"price": "regression", "sold": "binary", "tags": "multilabel"}


def test_tasks_keep_the_order_in_which_they_were_given():
    targets = ["sold", Regression("price"), "grade:ordinal"]
    assert list(predictor(targets).fit(houses()).predict(houses()).columns) == ["sold", "price", "grade"]


def test_a_column_or_a_name_in_two_tasks_is_refused():
    with pytest.raises(TargetError, match="Column 'price' is in two targets"):
        predictor(["price", Regression("cost", ("price",))]).fit(houses())
    with pytest.raises(TargetError, match="Task 'sold' is in two targets"):
        predictor(["sold", Regression("sold", ("price",))]).fit(houses())


def save_and_load(model, folder):
    model.save(folder / "model")
    return MultiTaskPredictor.load(folder / "model")


def test_a_saved_model_predicts_and_scores_the_same_wherever_it_is_moved(fitted, tmp_path):
    model, frame = fitted
    model.save(tmp_path / "model")
    shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    for loaded in (MultiTaskPredictor.load(tmp_path / "elsewhere"), polytask.load(tmp_path / "elsewhere")):
        pd.testing.assert_frame_equal(loaded.predict_table(frame), model.predict_table(frame), check_exact=True)
        assert loaded.evaluate(frame) == model.evaluate(frame)
        assert loaded.report_ == model.report_


def test_columns_that_are_no_inputs_are_remembered(tmp_path):
    frame = houses()
    model = save_and_load(predictor(weight="trust", group="street", ignore=["part"]).fit(frame), tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(frame)
    assert model.weight == "trust"


def test_an_existing_folder_is_kept_unless_asked(fitted, tmp_path):
    model, frame = fitted
    model.save(tmp_path / "model")
    with pytest.raises(ModelFolderError):
        model.save(tmp_path / "model")
    model.save(tmp_path / "model", overwrite=True)
    assert MultiTaskPredictor.load(tmp_path / "model").predict(frame).equals(model.predict(frame))


def test_the_kind_of_a_folder_is_checked(fitted, tmp_path):
    _, frame = fitted
    save_estimator(MultiTaskNetwork(max_epochs=1).fit(frame[["area", "city"]], frame[["price"]]), tmp_path / "network")
    with pytest.raises(ModelFolderError, match=r"polytask\.load"):
        MultiTaskPredictor.load(tmp_path / "network")
    write_folder(tmp_path / "other", {"a.json": JSONPart([])}, kind="garden")
    with pytest.raises(ModelFolderError, match="does not know"):
        polytask.load(tmp_path / "other")


def test_the_report_is_strict_json(fitted):
    model, _ = fitted
    assert json.loads(json.dumps(model.report_, allow_nan=False)) == model.report_
    assert model.report_["n_train"] + model.report_["n_validation"] == 80
    assert set(model.report_["tasks"]) == {"price", "sold", "grade", "visits", "tags"}


def test_threads_are_as_before_after_the_fit():
    before = torch.get_num_threads()
    model = predictor(["price"], threads=2).fit(houses())
    assert torch.get_num_threads() == before
    assert model.report_["versions"]["threads"] == 2


def test_the_network_given_is_not_changed():
    network = MultiTaskNetwork(max_epochs=2)
    predictor(["price"], network=network, max_steps=2).fit(houses())
    assert network.get_params()["tasks"] is network.get_params()["max_steps"] is None
    assert not hasattr(network, "tasks_")


def test_fit_does_not_change_the_table():
    frame = houses()
    before = frame.copy(deep=True)
    predictor().fit(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_all_target_words_of_the_command_line_are_known():
    assert predictor().targets == TARGETS
    assert MultiTaskPredictor("price").targets == ["price"]


def test_evaluating_rows_that_were_learned_from_warns():
    n = np.arange(80)
    frame = pd.DataFrame({"a": n % 7, "price": n + 0.5, "part": np.where(n % 4, "train", "test")})
    predictor = MultiTaskPredictor(["price"], split="part", max_steps=3).fit(frame)
    with pytest.warns(PolytaskWarning, match="60 of 80 rows are for training or validation"):
        predictor.evaluate(frame)
    assert predictor.evaluate(frame[frame["part"] == "test"])["n_rows"] == 20


def test_a_split_that_cuts_a_group_is_refused():
    frame = houses(40).assign(street=["a", "b", "c", "d"] * 10, part=["train"] * 30 + ["test"] * 10)
    with pytest.raises(DataError, match=r"must keep every group of 'street' whole; group 'a' is in 'train' and in 'test'"):
        predictor(["price"], group="street", split="part").fit(frame)


def test_kinds_of_columns_are_said_to_the_predictor_and_kept_in_study_and_folder(tmp_path):
    frame = pd.DataFrame(
        {"zip": [(1000, 20, 300, 4)[k % 4] for k in range(80)], "x": np.arange(80) % 13, "day": ["2024-01-01"] * 80}
    )
    frame["day"] = [f"2024-01-{1 + k % 28:02d}" for k in range(80)]
    frame["y"] = frame["x"] * 1.5 + (frame["zip"] == 20)
    said = {"zip": "categorical", "day": "date"}
    network = MultiTaskNetwork(column_kinds={"zip": "numeric", "x": "categorical"})
    predictor = MultiTaskPredictor(["y"], column_kinds=said, network=network, max_steps=2).fit(frame)
    kinds = {column["name"]: column["kind"] for column in predictor.report_["inputs"]}
    assert kinds == {"zip": "categorical", "x": "categorical", "day": "datetime"}
    assert predictor.study_.column == {"zip": "categorical", "x": "categorical", "day": "datetime"}
    predictor.save(tmp_path / "model")
    loaded = MultiTaskPredictor.load(tmp_path / "model")
    assert loaded.study_ == predictor.study_
    assert loaded.column_kinds == said
    pd.testing.assert_frame_equal(loaded.predict(frame), predictor.predict(frame))
    with pytest.raises(DataError, match=r"Column 'zap' of `column_kinds` is not in the table\. Did you mean 'zip'\?"):
        MultiTaskPredictor(["y"], column_kinds={"zap": "categorical"}).fit(frame)
    with pytest.raises(OptionError, match="`column_kinds`"):
        MultiTaskPredictor(["y"], column_kinds="zip=categorical")
