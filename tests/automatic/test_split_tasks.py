"""Targets made from columns, and one task per group: at the fit, in predictions, scores and the model folder."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from polytask.automatic import MultiTaskPredictor, divide_table
from polytask.automatic._predictor_outputs import outputs_of
from polytask.estimators import MultiTaskNetwork
from polytask.evaluation import compare
from polytask.exceptions import DataError, ModelFolderError, PolytaskWarning, TargetError, UnlearnableError
from polytask.networks import MLP
from polytask.tasks import Regression

DERIVED = ["log(price)", "num>0 as presence", "bins(age, 30, 60) as group", "onehot(city)", "split(tags)"]


def people(n=120, *, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "z": rng.normal(size=n),
            "price": np.exp(x + 0.1 * rng.normal(size=n)),
            "num": np.maximum(0, np.round(2 * x)),
            "age": rng.integers(18, 80, n),
            "city": rng.choice(["Oslo", "Bergen", "Bodø"], n),
            "tags": rng.choice(["red|blue", "red", "blue", "|"], n),
            "school": rng.choice([3, 5, 12], n),
            "day": pd.date_range("2024-01-01", periods=n).astype(str),
        }
    )
    for column in ("price", "num", "city", "tags"):
        frame.loc[rng.random(n) < 0.1, column] = None
    return frame


def predictor(targets, **settings):
    network = MultiTaskNetwork(encoder=MLP(width=16), max_epochs=3, patience=None)
    return MultiTaskPredictor(targets, **{"network": network, "ignore": ["school", "day"]} | settings)


def roles(frame, targets, **options):
    usual = {"ignore": [], "group": None, "split": None, "weight": None, "unlearnable": "error"}
    return divide_table(frame, targets=targets, **usual | options)


@pytest.fixture(scope="module")
def derived():
    frame = people()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        return predictor(DERIVED).fit(frame), frame


@pytest.fixture(scope="module")
def schools():
    frame = people()
    frame["score"] = frame["x"] * (frame["school"] / 3) + 0.1 * frame["z"]
    frame.loc[5, "score"] = None
    return predictor("score", ignore=["price", "num", "age", "city", "tags", "day"], task_by="school").fit(frame), frame


# ---------------------------------------------------------------------------------------------------------- derived targets


def test_source_columns_are_no_inputs_and_predictions_have_the_derived_names(derived):
    model, frame = derived
    assert [column["name"] for column in model.report_["inputs"]] == ["x", "z"]
    assert list(model.predict(frame)) == [
        *("log(price)", "presence", "group"),
        *("city=Bergen", "city=Bodø", "city=Oslo", "tags=blue", "tags=red"),
    ]


def test_predictions_are_in_the_unit_of_the_target_and_the_report_says_so(derived):
    model, frame = derived
    assert model.predict(frame)["log(price)"].mean() == pytest.approx(np.log(frame["price"]).mean(), abs=0.3)
    assert "not in that of 'price'" in model.report_["tasks"]["log(price)"]["reason"]
    assert model.report_["tasks"]["presence"]["reason"] == "made by num>0"


def test_predictions_need_no_source_columns(derived):
    model, frame = derived
    pd.testing.assert_frame_equal(model.predict(frame[["x", "z"]]), model.predict(frame))


def test_labels_are_made_again_where_scores_are_asked_for(derived):
    model, frame = derived
    scores = model.evaluate(frame)["tasks"]
    assert scores["log(price)"]["n_observed"] == frame["price"].notna().sum()
    own = frame.dropna(subset="num")
    from sklearn.metrics import roc_auc_score

    expected = roc_auc_score(own["num"] > 0, model.predict_proba(own)["presence"]["True"])
    assert model.evaluate(own)["tasks"]["presence"]["metrics"]["roc_auc"] == pytest.approx(expected)


def test_new_labels_for_which_the_function_is_not_defined_are_not_scored_and_told(derived):
    model, frame = derived
    new = frame.assign(price=[0.0, *frame["price"][1:]])
    with pytest.warns(PolytaskWarning, match=r"'log\(price\)': 1 value of column 'price' is not greater than 0"):
        scores = model.evaluate(new)
    assert scores["tasks"]["log(price)"]["n_observed"] == new["price"].gt(0).sum()


def test_scores_without_the_source_column_say_so(derived):
    model, frame = derived
    with pytest.warns(PolytaskWarning, match=r"Task 'presence' is not scored"):
        assert "presence" not in model.evaluate(frame.drop(columns="num"))["tasks"]


def test_a_new_column_with_the_name_of_a_derived_target_is_not_taken_for_its_labels(derived):
    model, frame = derived
    with pytest.warns(PolytaskWarning, match="the column 'presence' that the model does not know"):
        scores = model.evaluate(frame.assign(presence="?"))
    assert scores["tasks"]["presence"] == model.evaluate(frame)["tasks"]["presence"]


def test_the_model_folder_keeps_the_functions_as_plain_json(derived, tmp_path):
    model, frame = derived
    model.save(tmp_path / "model")
    content = json.loads((tmp_path / "model" / "predictor.json").read_text(encoding="utf-8"))
    assert content["labels"]["derived"][0] == {"name": "log(price)", "source": "price", "function": "log", "arguments": []}
    again = MultiTaskPredictor.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict_table(frame), model.predict_table(frame))
    assert again.evaluate(frame) == model.evaluate(frame)


def test_a_model_folder_from_before_derived_targets_still_loads(tmp_path):
    from polytask.storage import JSONPart, read_folder, write_folder

    frame = people()
    model = predictor("x", ignore=["school", "day", "tags", "city"]).fit(frame)
    model.save(tmp_path / "model")
    folder = read_folder(tmp_path / "model")
    content = folder.json("predictor.json")
    del content["labels"], content["task_by"]
    from polytask.estimators import network_parts

    write_folder(tmp_path / "old", {"predictor.json": JSONPart(content), **network_parts(model.network_)}, kind="predictor")
    pd.testing.assert_frame_equal(MultiTaskPredictor.load(tmp_path / "old").predict(frame), model.predict(frame))


def test_a_damaged_function_is_refused(derived, tmp_path):
    from polytask.automatic._label_makers import LabelMakers

    with pytest.raises(ModelFolderError, match="How labels are made cannot be read"):
        LabelMakers.from_dict({"derived": [{"function": "log"}], "task_by": None})


def test_tasks_made_from_one_column_are_warned_of():
    with pytest.warns(
        PolytaskWarning, match=r"Tasks 'num', 'num>0' are made from one column, 'num', so they are functions of it: what one"
    ):
        roles(people(), ["num:count", "num>0"])


def test_tags_of_one_column_are_no_functions_of_each_other():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = roles(people(), ["split(tags)"])
    assert [task.name for task in found.tasks] == ["tags=blue", "tags=red"]


def test_functions_are_found_by_the_labels_too():
    frame = people().assign(presence=lambda own: (own["num"] > 0).where(own["num"].notna()))
    with pytest.warns(PolytaskWarning, match=r"functions of each other: 'presence' of 'num'; what one gains"):
        roles(frame, ["num:count", "presence"])


def test_targets_that_only_go_together_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        roles(people(), ["price", "num:count", "age:regression"])


def test_a_source_cannot_be_given_to_another_option():
    with pytest.raises(DataError, match=r"'num' is a target and is given to --ignore too"):
        roles(people(), ["num>0"], ignore=["num"])


def test_an_unlearnable_function_can_be_skipped():
    found = roles(people(), ["num>100 as many", "age"], unlearnable="skip")
    assert found.skipped == {"many": "Task 'many' cannot be learned: it has one class only, False."}
    assert found.order == ["many", "age"]
    model = predictor(["num>100 as many", "age"], unlearnable="skip", ignore=["school", "day", "tags", "city"]).fit(people())
    assert model.predict(people())["many"].eq(False).all()


def test_a_task_and_a_function_of_its_column_can_stand_together():
    with pytest.warns(PolytaskWarning, match="made from one column"):
        found = roles(people(), [Regression("price"), "log(price)"])
    assert [task.name for task in found.tasks] == ["price", "log(price)"]


def test_names_that_parts_make_twice_are_refused():
    with pytest.raises(TargetError, match=r"Two tasks are named 'city=Oslo'"):
        roles(people(), ["onehot(city)", "city==Oslo as city=Oslo"])


# ------------------------------------------------------------------------------------------------------- one task per group


def test_a_group_column_makes_a_task_of_each_of_its_values():
    frame = people()
    found = roles(frame, ["price"], task_by="school")
    assert [task.name for task in found.tasks] == ["price[3]", "price[5]", "price[12]"]
    assert found.labels.notna().sum().sum() == frame["price"].notna().sum()
    assert (found.labels.notna().sum(axis=1) <= 1).all()
    assert "school" not in found.inputs
    assert found.task_of_row.tolist() == [{3: 0, 5: 1, 12: 2}[school] for school in frame["school"]]


def test_every_row_is_predicted_by_the_task_of_its_group_in_one_column(schools):
    model, frame = schools
    found = model.predict(frame)
    assert list(found) == ["score"]
    outputs = outputs_of(model, frame, None, "error")
    for school in (3, 5, 12):
        rows = (frame["school"] == school).to_numpy()
        np.testing.assert_array_equal(found["score"][rows], outputs[f"score[{school}]"][rows])


@pytest.mark.parametrize("value", [99, None])
def test_a_group_never_seen_and_a_missing_one_get_the_mean_over_tasks_and_it_is_told(schools, value):
    model, frame = schools
    new = frame.head(3).assign(school=[value] * 3)
    with pytest.warns(
        PolytaskWarning, match=r"'score': 3 of 3 rows get the mean over all tasks: their column 'school' is empty, or"
    ):
        found = model.predict(new)
    outputs = outputs_of(model, new, None, "error")
    np.testing.assert_allclose(found["score"], np.mean([*outputs.values()], axis=0))


def test_new_rows_without_the_group_column_are_refused_or_filled(schools):
    model, frame = schools
    new = frame.drop(columns="school")
    with pytest.raises(DataError, match=r"no column 'school', which says the task of each row.*missing_columns='fill'"):
        model.predict(new)
    with pytest.warns(PolytaskWarning, match="mean over all tasks"):
        assert len(model.predict(new, missing_columns="fill")) == len(new)


def test_scores_are_per_group_and_pooled(schools):
    model, frame = schools
    scores = model.evaluate(frame)
    assert {name: task["n_observed"] for name, task in scores["tasks"].items()} == {
        f"score[{school}]": int((frame["score"].notna() & (frame["school"] == school)).sum()) for school in (3, 5, 12)
    }
    from sklearn.metrics import mean_squared_error

    seen = frame["score"].notna()
    expected = mean_squared_error(frame["score"][seen], model.predict(frame)["score"][seen])
    assert scores["pooled"]["score"]["metrics"]["mse"] == pytest.approx(expected)
    constant = model.makers_.groups.targets[0].statistics["mean"]
    assert scores["pooled"]["score"]["skill"] == pytest.approx(1 - expected / ((frame["score"][seen] - constant) ** 2).mean())


def test_labelled_rows_of_a_group_never_seen_count_in_the_pooled_score(schools):
    model, frame = schools
    with pytest.warns(PolytaskWarning, match="get the mean over all tasks"):
        scores = model.evaluate(frame.head(4).assign(school=99))
    assert scores["pooled"]["score"]["n_observed"] == 4
    assert sum(task["n_observed"] for task in scores["tasks"].values()) == 0


def test_a_model_of_groups_is_the_same_after_loading(schools, tmp_path):
    model, frame = schools
    model.save(tmp_path / "model")
    again = MultiTaskPredictor.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict(frame), model.predict(frame))
    assert again.evaluate(frame) == model.evaluate(frame)
    assert again.task_by == "school"


def test_functions_and_groups_go_together():
    frame = people()
    model = predictor(["log(price)", "num>0 as presence"], ignore=["day", "age", "city", "tags"], task_by="school").fit(frame)
    assert list(model.predict(frame)) == ["log(price)", "presence"]
    assert [*model.predict_proba(frame)["presence"]] == ["False", "True"]
    assert [*model.evaluate(frame)["pooled"]] == ["log(price)", "presence"]


def test_labels_of_rows_without_a_group_are_of_no_task_and_it_is_told():
    frame = people()
    frame["school"] = frame["school"].astype(float).where(np.arange(120) >= 10)
    with pytest.warns(PolytaskWarning, match=r"10 labelled rows have no value in column 'school'"):
        found = roles(frame, ["age:regression"], task_by="school")
    assert found.labels.notna().to_numpy().sum() == 110


def test_a_group_with_nothing_to_learn_is_an_error_or_skipped():
    frame = people()
    frame.loc[0, "school"] = 77
    with pytest.raises(UnlearnableError, match=r"'age\[77\]' cannot be learned: it has one label only"):
        roles(frame, ["age:regression"], task_by="school")
    model = predictor("age:regression", task_by="school", unlearnable="skip", ignore=["day", "city", "tags"]).fit(frame)
    assert model.report_["tasks"]["age[77]"]["left_out"] == "Task 'age[77]' cannot be learned: it has one label only."
    with pytest.warns(PolytaskWarning, match="1 of 120 rows get the mean"):
        assert list(model.predict(frame)) == ["age"]


def test_groups_cannot_be_both_tasks_and_held_out_whole():
    with pytest.raises(DataError, match="each task would be held out whole"):
        roles(people(), ["price"], task_by="school", group="school")


def test_a_group_column_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(DataError, match=r"'shcool' of --task-by is not in the table\. Did you mean 'school'\?"):
        roles(people(), ["price"], task_by="shcool")


def test_tasks_of_groups_can_be_compared():
    found = roles(people(), ["age:regression"], task_by="school", ignore=["day", "city", "tags"])
    joint = MultiTaskNetwork(encoder=MLP(width=16), max_epochs=2)
    result = compare(found.inputs, found.labels, found.tasks, joint=joint, separate=["alone"], folds=2, repeats=2).to_dict()
    assert [*result["tasks"]] == ["age[3]", "age[5]", "age[12]"]
    assert all(task["gains"]["alone"]["gain"] is not None for task in result["tasks"].values())


# ------------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("as_date", [False, True])
def test_times_are_dates_whatever_they_are_written_as(as_date):
    frame = people()
    if as_date:
        frame["day"] = pd.to_datetime(frame["day"])
    found = roles(frame, ["price"], time="day")
    assert found.times.dtype.kind == "M"
    assert found.times[1] - found.times[0] == np.timedelta64(1, "D")
    assert "day" not in found.inputs


def test_times_may_be_numbers():
    assert roles(people(), ["price"], time="age").times.dtype == np.float64


@pytest.mark.parametrize(
    ("column", "message"), [("city", "must have a value in every row"), ("word", r"such as 2026-01-31; got 'a'")]
)
def test_what_is_no_time_is_refused(column, message):
    with pytest.raises(DataError, match=message):
        roles(people().assign(word="a"), ["price"], time=column)
