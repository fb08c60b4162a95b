import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from polytask.data.splits import ColumnSplit
from polytask.estimators import BestPerTask, MultiTaskNetwork, linear_models
from polytask.evaluation import compare, task_gain
from polytask.exceptions import DataError, OptionError, TargetError
from polytask.tasks import Binary, Multiclass, Multilabel, Ordinal, Regression
from tests.evaluation._tables import small_network, table

TOP = {
    *("format", "version", "polytask", "n_rows", "n_groups", "folds", "repeats", "seed", "confidence", "margin", "seconds"),
    *("arms", "tasks", "mean", "curves", "split", "settings", "versions", "data", "notes"),
}
GAIN = {
    *("gain", "se", "low", "high", "low_unadjusted", "high_unadjusted", "p_value", "p_adjusted", "verdict", "detectable"),
    *("nadeau_bengio", "delta"),
}
MEAN_GAIN = {"gain", "se", "low", "high", "p_value", "verdict", "nadeau_bengio", "delta_m"}


def run(X=None, y=None, **settings):
    if X is None:
        X, y = table()
    defaults = {"joint": small_network(), "folds": 3, "repeats": 2, "candidates": {"linear": linear_models()}}
    return compare(X, y, **(defaults | settings))


@pytest.fixture(scope="module")
def found():
    return run()


def as_json(comparison):
    """The result after a trip through strict JSON."""
    return json.loads(json.dumps(comparison.to_dict(), allow_nan=False))


def test_the_result_is_strict_json_with_all_its_keys(found):
    result = as_json(found)
    assert result == found.to_dict()
    assert set(result) >= TOP
    assert (result["format"], result["version"]) == ("polytask.comparison", 1)
    assert set(result["arms"]) == {"together", "alone", "best_separate"}
    for arm in result["arms"].values():
        assert set(arm) >= {"label", "parameters", "train_seconds", "latency_ms", "memory_mb"}
    assert set(result["mean"]) == {"skill", "gains"}
    for gain in result["mean"]["gains"].values():
        assert set(gain) >= MEAN_GAIN
    assert set(result["split"]) >= {"method", "tasks", "largest_deviation"}
    assert set(result["data"]) >= {"fingerprint", "columns"}


def test_every_task_has_all_its_keys(found):
    for task in as_json(found)["tasks"].values():
        assert set(task) >= {"kind", "metric", "n_observed", "n_missing", "constant", "arms", "gains", "saturated", "undefined"}
        assert task["n_observed"] + task["n_missing"] == 80
        for arm in task["arms"].values():
            assert set(arm) >= {"error", "skill", "fold_skills", "metrics"}
            assert np.shape(arm["fold_skills"]) == (2, 3)
        assert set(task["gains"]) == {"alone", "best_separate"}
        for gain in task["gains"].values():
            assert set(gain) >= GAIN


def test_the_gain_is_the_skill_together_less_the_skill_alone(found):
    for task in found.to_dict()["tasks"].values():
        for arm, gain in task["gains"].items():
            difference = task["arms"]["together"]["skill"] - task["arms"][arm]["skill"]
            np.testing.assert_allclose(gain["gain"], difference, atol=1e-12)


def test_skill_is_one_minus_error_over_the_constant_of_the_training_rows():
    X, y = table(missing=0.0)
    fold = np.arange(80) % 4
    comparison = run(X, y, folds=ColumnSplit(fold), repeats=1)
    price, outputs = y["price"].to_numpy(), comparison.outputs["best_separate"][0]["price"]
    constant = np.array([price[fold != own].mean() for own in fold])
    task = comparison.to_dict()["tasks"]["price"]
    np.testing.assert_allclose(task["constant"]["error"], ((price - constant) ** 2).mean(), rtol=1e-12)
    np.testing.assert_allclose(task["arms"]["best_separate"]["error"], ((price - outputs) ** 2).mean(), rtol=1e-12)
    expected = task_gain(
        *((price - comparison.outputs[arm][0]["price"])[None] ** 2 for arm in ("together", "alone")),
        (price - constant)[None] ** 2,
        fold=fold[None],
    )
    np.testing.assert_allclose(task["gains"]["alone"]["gain"], expected.gain, rtol=1e-9)


def test_the_mean_skill_and_gain_are_means_over_tasks(found):
    result = found.to_dict()
    for arm, mean in result["mean"]["skill"].items():
        np.testing.assert_allclose(mean, np.mean([task["arms"][arm]["skill"] for task in result["tasks"].values()]))
    gains = [task["gains"]["alone"]["gain"] for task in result["tasks"].values()]
    np.testing.assert_allclose(result["mean"]["gains"]["alone"]["gain"], np.mean(gains))


def without_times(result):
    result = json.loads(json.dumps(result))
    del result["seconds"]
    for arm in result["arms"].values():
        del arm["train_seconds"], arm["latency_ms"], arm["memory_mb"]
    return result


def test_the_same_seed_gives_the_same_result(found):
    assert without_times(run().to_dict()) == without_times(found.to_dict())


def test_another_seed_gives_other_folds(found):
    other = run(random_state=1).to_dict()["tasks"]["price"]["arms"]["alone"]["error"]
    assert other != found.to_dict()["tasks"]["price"]["arms"]["alone"]["error"]


def test_polars_and_pandas_give_the_same(found):
    X, y = table()
    other = run(pl.from_pandas(X), pl.from_pandas(y)).to_dict()
    assert without_times(other)["tasks"] == without_times(found.to_dict())["tasks"]


def test_arrays_are_compared_as_tasks_named_by_their_column(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    result = as_json(run(X, y, joint=small_network(tasks=None), separate=["alone"]))
    assert list(result["tasks"]) == ["y0", "y1"]
    assert set(result["arms"]) == {"together", "alone"}


def test_one_repeat_gives_no_verdict_but_the_corrected_t_test():
    result = as_json(run(repeats=1, separate=["alone"]))
    for gain in [task["gains"]["alone"] for task in result["tasks"].values()] + [result["mean"]["gains"]["alone"]]:
        assert gain["verdict"] == "none"
        assert gain["gain"] is not None
        assert gain["low"] is gain["high"] is None
        assert gain["nadeau_bengio"]["low"] < gain["nadeau_bengio"]["high"]


@pytest.mark.parametrize("repeats", [1, 2])
def test_one_split_into_training_and_test_rows_is_judged_for_that_training_set(repeats):
    words = np.where(np.arange(80) % 4, "train", "test")
    result = as_json(run(folds=ColumnSplit(words), repeats=repeats))
    for task in result["tasks"].values():
        gain = task["gains"]["alone"]
        assert task["arms"]["together"]["skill"] is not None
        assert (gain["verdict"] == "none") == (repeats == 1)
        assert gain["nadeau_bengio"] is None
        assert repeats == 1 or gain["low"] < gain["gain"] < gain["high"]
    assert any("60 of 80 rows are never held out" in note for note in result["notes"])
    assert any("models of this training set" in note for note in result["notes"])
    assert any("same in every repeat" in note for note in result["notes"]) == (repeats > 1)


def test_the_skill_of_a_binary_task_can_be_its_auc():
    X, y = table()
    task = as_json(run(X, y, skill_metrics={"sold": "roc_auc"}))["tasks"]["sold"]
    assert task["metric"] == "roc_auc"
    assert task["constant"]["error"] == 0.5
    for entry in task["arms"].values():
        np.testing.assert_allclose(entry["skill"], 1 - entry["error"] / 0.5)
        assert abs((1 - entry["error"]) - entry["metrics"]["roc_auc"]) < 0.1  # within folds here, over all rows there


@pytest.mark.parametrize(
    "metrics, words", [({"price": "roc_auc"}, "only binary"), ({"sold": "f1"}, "only binary"), ({"sole": "roc_auc"}, "no task")]
)
def test_a_skill_that_cannot_be_is_refused_before_training(metrics, words):
    with pytest.raises(OptionError, match=words):
        run(skill_metrics=metrics, on_fold=lambda *_: pytest.fail("trained"))


@pytest.mark.parametrize(
    "settings",
    [{"separate": "alone"}, {"separate": ["twins"]}, {"confidence": 1.0}, {"margin": -0.1}, {"repeats": 0}, {"candidates": {}}],
)
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(OptionError, match=next(iter(settings))):
        run(**settings)


@pytest.mark.parametrize("separate", [["best_separate"], []])
def test_the_arm_alone_cannot_be_left_out(separate):
    with pytest.raises(OptionError, match="must hold 'alone'"):
        run(separate=separate)


@pytest.mark.parametrize("joint", [BestPerTask(), "network", MultiTaskNetwork])
def test_only_a_network_can_be_joint(joint):
    with pytest.raises(OptionError, match="`joint` must be a MultiTaskNetwork"):
        run(joint=joint)


def test_the_seed_is_that_of_the_network_unless_given(found):
    quick = {"separate": ["alone"], "repeats": 1}
    assert run(joint=small_network(random_state=7), **quick).to_dict()["seed"] == 7
    assert run(joint=small_network(random_state=7), random_state=np.int64(3), **quick).to_dict()["seed"] == 3
    assert found.to_dict()["seed"] == 0


def test_too_few_groups_for_the_inner_split_are_told_with_the_ways_out():
    X, y = table(missing=0.0)
    groups = np.arange(80) % 4
    with pytest.raises(DataError, match=r"Fold 0 of repeat 0 .*at least 2 groups; got 1.*more folds, more groups or"):
        run(X, y, groups=groups, folds=2, candidates={"network": None, "linear": linear_models()})
    quick = {"separate": ["alone"], "repeats": 1}
    assert run(X, y, groups=groups, folds=2, **quick).to_dict()["n_groups"] == 4
    with pytest.raises(DataError, match="`validation=None`"):
        run(X, y, groups=groups % 2, folds=2, **quick)
    assert run(X, y, groups=groups % 2, folds=2, joint=small_network(validation=None), **quick).to_dict()["n_groups"] == 2


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_a_seed_that_cannot_be_is_refused(seed):
    with pytest.raises(OptionError, match="random_state"):
        run(random_state=seed)


def test_one_task_may_be_named_alone():
    X, y = table()
    assert list(run(X, y, tasks="price", separate=["alone"]).to_dict()["tasks"]) == ["price"]


def test_groups_must_be_as_many_as_rows():
    X, y = table()
    with pytest.raises(DataError, match="groups"):
        run(X, y, groups=np.arange(79))


def test_data_that_cannot_be_are_refused():
    X, y = table()
    with pytest.raises(DataError, match="80 rows, y has 79"):
        run(X, y.iloc[1:])
    with pytest.raises(TargetError, match="Did you mean 'price'"):
        run(X, y, tasks=["prise"])


def test_rows_of_weight_zero_are_neither_learned_nor_scored():
    X, y = table()
    weight = np.r_[np.zeros(16), np.ones(64)]
    strange = y.copy()
    strange.loc[:15, "price"] = 1e6
    first, second = (
        as_json(run(X, labels, sample_weight=weight, folds=ColumnSplit(np.arange(80) % 4))) for labels in (y, strange)
    )
    assert first["tasks"]["price"] == second["tasks"]["price"]
    assert first["tasks"]["price"]["n_observed"] == y["price"].iloc[16:].notna().sum()


def test_labels_of_weight_zero_cost_only_their_task():
    X, y = table()
    weight = np.ones((80, 3))
    weight[:16, 1] = 0
    tasks = as_json(run(X, y, sample_weight=weight))["tasks"]
    assert tasks["sold"]["n_observed"] == y["sold"].iloc[16:].notna().sum()
    assert tasks["price"]["n_observed"] == y["price"].notna().sum()


def test_a_weight_of_zero_is_a_missing_label_in_all_that_is_told(rng):
    X, y = table()
    weight = (rng.random(y.shape) > 0.4).astype(float)
    weighted, without = run(X, y, sample_weight=weight), run(X, y.where(weight > 0))
    assert without_times(weighted.to_dict()) == without_times(without.to_dict())


def test_rows_count_by_their_weight():
    X, y = table(missing=0.0)
    weight, fold = np.r_[np.full(40, 0.5), np.full(40, 2.0)], np.arange(80) % 4
    candidates = {"linear": {"regressor": LinearRegression(), "classifier": LogisticRegression()}}
    settings = {"folds": ColumnSplit(fold), "sample_weight": weight, "candidates": candidates}
    comparison = run(X, y, joint=small_network(tasks=[Regression("price"), Binary("sold")]), repeats=1, **settings)
    outputs = comparison.outputs["together"][0]["price"]
    expected = np.average((y["price"] - outputs) ** 2, weights=weight)
    np.testing.assert_allclose(comparison.to_dict()["tasks"]["price"]["arms"]["together"]["error"], expected, rtol=1e-12)


def test_a_task_wholly_missing_in_a_training_fold_is_compared_where_it_can_be():
    X, y = table(missing=0.0)
    y["price"] = y["price"].where(np.arange(80) < 20)
    result = as_json(run(X, y, folds=ColumnSplit(np.arange(80) // 20)))
    price = result["tasks"]["price"]
    assert price["n_observed"] == 20
    assert math.isfinite(price["arms"]["together"]["skill"])
    assert price["gains"]["alone"]["verdict"] == "none"
    assert result["tasks"]["sold"]["gains"]["alone"]["verdict"] != "none"
    assert result["mean"]["gains"]["alone"]["n_tasks"] == 2


def test_a_class_that_a_fold_lacks_is_no_hindrance():
    X, y = table(missing=0.0)
    style = np.where(np.arange(80) < 3, "villa", np.where(np.arange(80) % 2, "flat", "cabin"))
    tasks = [Regression("price"), Multiclass("style")]
    result = as_json(run(X, y.assign(style=style), joint=small_network(tasks=tasks), folds=ColumnSplit(np.arange(80) // 20)))
    assert math.isfinite(result["tasks"]["style"]["arms"]["best_separate"]["error"])


def test_undefined_metrics_are_told_in_words():
    X, y = table(missing=0.0)
    y["sold"] = np.where(np.arange(80) < 20, y["sold"], "no")
    y.loc[0, "sold"] = "yes"
    words = np.where(np.arange(80) < 60, "train", "test")
    task = as_json(run(X, y, folds=ColumnSplit(words)))["tasks"]["sold"]
    assert task["arms"]["together"]["metrics"]["roc_auc"] is None
    assert any(reason.startswith("roc_auc: ") for reason in task["undefined"])


def test_an_auc_gain_that_folds_of_one_class_cannot_give_says_so():
    X, y = table(missing=0.0)
    y["sold"] = np.where(np.arange(80) == 0, "yes", "no")
    task = as_json(run(X, y, separate=["alone"], skill_metrics={"sold": "roc_auc"}))["tasks"]["sold"]
    assert task["gains"]["alone"]["gain"] is None
    assert "4 of 6 folds hold one class only" in task["gains"]["alone"]["reason"]
    assert "gain over alone: " + task["gains"]["alone"]["reason"] in task["undefined"]


def test_an_auc_skill_without_both_classes_is_undefined_and_keeps_its_name():
    X, y = table(missing=0.0)
    y["sold"] = np.where(np.arange(80) < 20, y["sold"], "no")
    y.loc[0, "sold"] = "yes"
    words = np.where(np.arange(80) < 60, "train", "test")
    task = as_json(run(X, y, folds=ColumnSplit(words), skill_metrics={"sold": "roc_auc"}))["tasks"]["sold"]
    assert task["metric"] == "roc_auc"
    assert task["arms"]["together"]["skill"] is None


def test_a_task_without_held_out_labels_keeps_its_metric():
    X, y = table(missing=0.0)
    y["price"] = y["price"].where(np.arange(80) < 60)
    words = np.where(np.arange(80) < 60, "train", "test")
    task = as_json(run(X, y, folds=ColumnSplit(words)))["tasks"]["price"]
    assert task["metric"] == "mse"
    assert task["arms"]["together"]["skill"] is None


def test_ordinal_and_multilabel_tasks_are_compared_too(rng):
    X, y = table(missing=0.0)
    y = y.assign(grade=rng.integers(1, 4, 80), garden=rng.integers(0, 2, 80).astype(float), lift=rng.integers(0, 2, 80))
    y.loc[::4, "garden"] = np.nan
    tasks = [Ordinal("grade"), Multilabel("tags", ("garden", "lift"))]
    result = as_json(run(X, y, joint=small_network(tasks=tasks)))
    assert {name: task["metric"] for name, task in result["tasks"].items()} == {
        "grade": "log_loss",
        "tags": "multilabel_log_loss",
    }


def test_groups_are_counted(rng):
    X, y = table()
    result = as_json(run(X, y, groups=rng.permutation(np.repeat(np.arange(20), 4))))
    assert result["n_groups"] == 20


def test_curves_of_the_first_fold_are_kept(found):
    curves = found.to_dict()["curves"]
    assert set(curves) == {"together", "alone"}
    assert [point[0] for point in curves["together"]["price"]] == [1, 2, 3]


def test_columns_left_out_are_told():
    X, y = table()
    notes = run(X.assign(always=1.0), y, separate=["alone"]).to_dict()["notes"]
    assert any("'always' is left out" in note for note in notes)


def test_the_frame_has_a_row_per_task(found):
    frame = found.to_frame()
    assert list(frame.index) == ["price", "sold", "visits"]
    assert {"skill_together", "gain_over_alone", "verdict_over_best_separate"} <= set(frame.columns)


def test_fewer_rows_than_folds_are_refused():
    X, y = table(8, missing=0.0)
    with pytest.raises((OptionError, DataError), match="9"):
        run(X, y, folds=9)


def test_one_tag_is_not_a_binary_task_to_the_auc_skill():
    X, _ = table()
    tag = pd.DataFrame({"tag": (np.arange(len(X)) % 2).astype(float)})
    with pytest.raises(OptionError, match="only binary"):
        compare(X, tag, [Multilabel("tags", ("tag",))], skill_metrics={"tags": "roc_auc"})


def test_readers_are_cautioned():
    X, y = table()
    X = X.assign(copy=y["price"])
    rng = np.random.default_rng(0)
    y = pd.DataFrame({"price": y["price"], "noise": rng.normal(size=len(X))})
    candidates = {"linear": linear_models()}
    notes = " ".join(as_json(run(X, y, joint=MultiTaskNetwork(max_epochs=2), candidates=candidates))["notes"])
    assert "'price' is learned almost perfectly" in notes
    assert "with 2 they rest on less" in notes
