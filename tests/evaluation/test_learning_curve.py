import json

import numpy as np
import pandas as pd
import pytest

from polytask.data.splits import ColumnSplit, LabelBudget, TimeSplit
from polytask.estimators import MultiTaskNetwork
from polytask.evaluation import compare, holm, learning_curve
from polytask.evaluation._curve_points import CurvePoint, CurveRules
from polytask.evaluation._folds import FoldPlan
from polytask.exceptions import DataError, OptionError, TargetError
from polytask.networks import MLP
from polytask.reporting import comparison_html
from tests.evaluation._tables import TASKS, small_network, table

SHARES = [0.25, 0.5, 1.0]


def run(X=None, y=None, **settings):
    if X is None:
        X, y = table()
    return learning_curve(X, y, **({"joint": small_network(), "shares": SHARES, "folds": 3, "repeats": 2} | settings))


@pytest.fixture(scope="module")
def found():
    return run()


@pytest.fixture
def trained(monkeypatch):
    """Jobs and label weights of all networks that were trained."""
    seen, fit_jobs = [], MultiTaskNetwork.fit_jobs

    def spy(self, jobs, table, labels, weight, **settings):
        seen.extend((job, labels, weight) for job in jobs)
        return fit_jobs(self, jobs, table, labels, weight, **settings)

    monkeypatch.setattr(MultiTaskNetwork, "fit_jobs", spy)
    return seen


def test_the_result_is_strict_json_with_an_entry_per_share(found):
    result = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert result == found.to_dict()
    assert result["shares"] == SHARES
    assert (result["folds"], result["repeats"], result["pattern"], result["limited"]) == (3, 2, "random", None)
    for entry in [*result["tasks"].values(), result["mean"]]:
        assert len(entry["n_labels"]) == 3
        for arm, word in (("together", "skill"), ("alone", "skill"), ("gain", "gain")):
            assert [len(entry[arm][key]) for key in (word, "low", "high")] == [3, 3, 3]
            assert all(
                low < value < high for low, value, high in zip(*(entry[arm][k] for k in ("low", word, "high")), strict=True)
            )


def test_numbers_of_labels_are_shares_of_those_in_a_training_fold(found):
    y = table()[1]
    for name, entry in found.to_dict()["tasks"].items():
        expected = y[name].notna().sum() * 2 / 3 * np.array(SHARES)
        np.testing.assert_allclose(entry["n_labels"], expected, atol=1.5)
        assert entry["n_labels"][2] == pytest.approx(expected[2])


def test_the_gain_is_skill_together_less_skill_alone_and_the_mean_that_of_tasks(found):
    result = found.to_dict()
    for entry in [*result["tasks"].values(), result["mean"]]:
        difference = np.subtract(entry["together"]["skill"], entry["alone"]["skill"])
        np.testing.assert_allclose(entry["gain"]["gain"], difference, atol=1e-12)
    mean = np.mean([entry["alone"]["skill"] for entry in result["tasks"].values()], axis=0)
    np.testing.assert_allclose(result["mean"]["alone"]["skill"], mean)


def test_all_labels_give_what_a_comparison_of_the_same_folds_gives_in_kind():
    """Folds are those of a comparison with the same seed; networks have other seeds, so skills are near and constants equal."""
    X, y = table(200, missing=0.1)
    settings = {"joint": small_network(max_epochs=15), "folds": 3, "repeats": 3}
    whole = compare(X, y, separate=["alone"], **settings).to_dict()
    curve = learning_curve(X, y, shares=[1.0], **settings).to_dict()
    for name, task in whole["tasks"].items():
        assert curve["tasks"][name]["alone"]["skill"][0] == pytest.approx(task["arms"]["alone"]["skill"], abs=0.1)


def test_skill_is_against_the_constant_of_all_labels():
    """A share without any signal left has the skill of its own constant against the constant of all labels: below 0, not 0."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.normal(size=(60, 1))
    curve = learning_curve(X, y, joint=small_network(tasks=None, max_epochs=1), shares=[0.1, 1.0], folds=3, repeats=2).to_dict()
    assert curve["tasks"]["y0"]["alone"]["skill"][0] < -0.05


def test_labels_taken_away_are_in_no_training_or_validation_row_and_nested(trained):
    y = table()[1]
    run()
    by_share = [trained[start : start + 12] for start in range(0, len(trained), 12)]
    kept = [weight > 0 for _, _, weight in (own[0] for own in by_share)]
    for own in by_share:
        for job, labels, weight in own:
            assert (np.isnan(labels.target) == (weight == 0)).all()
            assert (weight[job.train_rows].sum(axis=1) > 0).all()
    for first in (0, 3):  # the shares of each repeat
        assert (kept[first] <= kept[first + 1]).all()
        assert (kept[first + 1] <= kept[first + 2]).all()
        np.testing.assert_array_equal(kept[first + 2], y[["price", "sold", "visits"]].notna())
    assert (kept[0] != kept[3]).any()


def test_only_limited_tasks_lose_labels(trained):
    result = run(limited=["price"], shares=[0.25, 1.0]).to_dict()
    assert result["limited"] == ["price"]
    assert result["tasks"]["sold"]["n_labels"][0] == result["tasks"]["sold"]["n_labels"][1]
    assert result["tasks"]["price"]["n_labels"][0] < 0.3 * result["tasks"]["price"]["n_labels"][1]
    few, all_of = trained[0][2], trained[12][2]
    np.testing.assert_array_equal(few[:, 1:], all_of[:, 1:])
    assert (few[:, 0] > 0).sum() == np.ceil(0.25 * (all_of[:, 0] > 0).sum())


def test_help_where_labels_are_few_is_seen():
    """A scarce task beside one of the same signal that has all its labels: sharing carries it, and the curve shows it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("abcdef"))
    signal = np.tanh(X.to_numpy() @ [1, -1, 1, -1, 1, -1])
    y = pd.DataFrame({"scarce": signal + rng.normal(0, 0.1, 400), "rich": signal + rng.normal(0, 0.1, 400)})
    joint = MultiTaskNetwork(max_epochs=60, random_state=0)
    curve = learning_curve(X, y, joint=joint, shares=[0.1, 1.0], limited="scarce", folds=3, repeats=3).to_dict()
    scarce = curve["tasks"]["scarce"]["gain"]
    assert scarce["low"][0] > 0.05
    assert abs(scarce["gain"][1]) < scarce["gain"][0] / 2


def test_the_same_seed_gives_the_same_curve(found):
    assert run().to_dict() == found.to_dict()
    assert run(random_state=1).to_dict()["tasks"] != found.to_dict()["tasks"]


def test_one_repeat_has_no_intervals():
    entry = run(repeats=1, shares=[1.0]).to_dict()["tasks"]["price"]
    assert entry["together"]["skill"][0] is not None
    assert entry["together"]["low"] == entry["gain"]["high"] == [None]


def test_folds_follow_time_and_groups(trained):
    times = np.random.default_rng(0).permutation(80)
    result = run(folds=TimeSplit(2, times=times, gap=2), shares=[0.5, 1.0]).to_dict()
    assert result["holds_for"].startswith("later rows")
    for job, _, _ in trained:
        assert times[job.train_rows].max() + 2 < times[job.validation_rows].min()
    trained.clear()
    groups = np.arange(80) // 4
    assert run(groups=groups, pattern="groups", shares=[0.5]).to_dict()["pattern"] == "groups"
    for _, _, weight in trained:
        assert len(set(groups[(weight > 0).any(axis=1)])) == 10


def test_an_undefined_task_is_none_and_not_in_the_mean():
    X, y = table(missing=0.0)
    y["price"] = y["price"].where(np.arange(80) < 20)
    result = run(X, y, tasks=TASKS, folds=ColumnSplit(np.arange(80) // 20)).to_dict()
    assert result["tasks"]["price"]["gain"]["gain"] == [None] * 3
    assert result["mean"]["gain"]["gain"][2] is not None


def test_the_skill_of_a_binary_task_can_be_its_auc():
    X, y = table(missing=0.0)
    assert run(X, y, skill_metrics={"sold": "roc_auc"}, shares=[1.0]).to_dict()["tasks"]["sold"]["alone"]["skill"][0] is not None


def test_progress_counts_all_shares_and_repeats():
    seen = []
    run(on_fold=lambda done, n: seen.append((done, n)))
    assert seen == [(k, 18) for k in range(1, 19)]


def test_an_interrupted_run_keeps_the_repeats_that_are_whole(found):
    def stop(done, n):
        if done == 13:
            raise KeyboardInterrupt

    result = run(on_fold=stop).to_dict()
    assert (result["repeats"], result["planned_repeats"]) == (1, 2)
    with pytest.raises(KeyboardInterrupt):
        run(on_fold=lambda done, n: (_ for _ in ()).throw(KeyboardInterrupt))


def test_the_frame_has_a_row_per_task_and_share(found):
    frame = found.to_frame()
    assert len(frame) == 9
    assert list(frame) == ["task", "share", "n_labels", "skill_together", "skill_alone", "gain", "low", "high", "verdict"]


def test_it_is_drawn_in_the_report_of_a_comparison(found):
    X, y = table()
    result = compare(X, y, joint=small_network(), folds=3, repeats=2, separate=["alone"]).to_dict()
    result["learning_curve"] = found.to_dict()
    assert "over the number of labels" in comparison_html(result)


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"shares": []}, OptionError, "`shares` must be numbers"),
        ({"shares": [0.5, 0.1]}, OptionError, "ascending"),
        ({"shares": [0.5, 0.5]}, OptionError, "each once"),
        ({"shares": [0.0]}, OptionError, r"in \(0, 1\]"),
        ({"shares": ["half"]}, OptionError, "must be numbers"),
        ({"shares": 0.5}, OptionError, "must be numbers"),
        ({"limited": ["prize"]}, TargetError, "names 'prize', which is no task"),
        ({"pattern": "late"}, OptionError, "`pattern` of LabelBudget"),
        ({"pattern": "groups"}, DataError, "needs `groups`"),
        ({"repeats": 0}, OptionError, "`repeats`"),
        ({"joint": "network"}, OptionError, "`joint` must be a MultiTaskNetwork"),
        ({"confidence": 1.0}, OptionError, "`confidence`"),
        ({"shares": [0.001, 1.0]}, DataError, "With 0.001 of the labels: .*Leave out the smallest shares"),
    ],
)
def test_settings_that_cannot_be_are_explained(settings, error, message):
    with pytest.raises(error, match=message):
        run(**settings)


def test_the_budget_of_a_curve_is_that_of_label_budget(trained):
    y = table(missing=0.0)[1]
    run(*table(missing=0.0), shares=[0.5], pattern="rows", repeats=1)
    weight = trained[0][2]
    rows = (weight > 0).any(axis=1)
    assert rows.sum() == LabelBudget(share=0.5, pattern="rows", random_state=0).keep(y).any(axis=1).sum() == 40
    assert (weight[rows] > 0).all()


def test_trained_anew_with_all_labels_it_is_the_comparison_but_for_dropout():
    X, y = table()
    network = small_network().set_params(encoder=MLP(width=8, dropout=0.0))
    curve = run(joint=network, shares=[0.5, 1.0]).to_dict()
    assert curve["comparison"] is None
    whole = compare(X, y, joint=network, separate=["alone"], folds=3, repeats=2).to_dict()
    for name, entry in curve["tasks"].items():
        for arm in ("together", "alone"):
            assert entry[arm]["skill"][-1] == pytest.approx(whole["tasks"][name]["arms"][arm]["skill"], abs=1e-4)


def same(own, expected):
    return (own is None and expected is None) or own == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"separate": ["alone", "best_separate"], "candidates": {"network": "network"}},
        {"folds": TimeSplit(2, times=np.random.default_rng(0).permutation(80))},
        {"groups": np.arange(80) // 4, "skill_metrics": {"sold": "roc_auc"}, "sample_weight": np.linspace(1, 2, 80)},
    ],
    ids=["dropout", "time", "groups-and-weights"],
)
def test_with_all_labels_the_curve_is_the_comparison_to_the_digit(settings, trained):
    """Whatever the comparison trained beside, with all of its repeats, and nothing is trained again."""
    X, y = table()
    network = small_network(encoder=MLP(width=8, dropout=0.3))
    own = {"folds": 3} | settings
    found = compare(X, y, joint=network, repeats=3, **own)
    own = {key: value for key, value in own.items() if key not in ("separate", "candidates")}
    trained.clear()
    curve = run(joint=network, shares=[0.5, 1.0], comparison=found, **own).to_dict()
    assert all(np.isnan(labels.target).sum() > y.isna().sum().sum() for _, labels, _ in trained)
    assert (curve["repeats"], curve["comparison"]) == (2, {"share": 1.0, "repeats": 3})
    whole = found.to_dict()
    entries = [(curve["tasks"][name], task["gains"]["alone"]) for name, task in whole["tasks"].items()]
    for entry, gain in [*entries, (curve["mean"], whole["mean"]["gains"]["alone"])]:
        assert all(same(entry["gain"][key][-1], gain[key]) for key in ("gain", "low", "high", "p_value"))
        assert (entry["gain"]["verdict"][-1], entry["gain"]["reason"][-1]) == (gain["verdict"], gain.get("reason"))
    for name, task in whole["tasks"].items():
        for arm in ("together", "alone"):
            if settings.get("skill_metrics", {}).get(name) is None:
                assert same(curve["tasks"][name][arm]["skill"][-1], task["arms"][arm]["skill"])


def test_a_budget_that_takes_labels_away_at_the_share_one_is_not_the_comparison(trained):
    X, y = table(missing=0.0)
    found = compare(X, y, joint=small_network(), separate=["alone"], folds=3, repeats=2)
    curve = run(X, y, comparison=found, shares=[1.0], pattern="disjoint").to_dict()
    assert curve["comparison"] is None
    assert curve["tasks"]["price"]["n_labels"][0] < 30


def test_only_the_comparison_can_be_the_whole_curve(trained):
    X, y = table()
    found = compare(X, y, joint=small_network(), separate=["alone"], folds=3, repeats=2)
    trained.clear()
    seen = []
    curve = run(comparison=found, shares=[1.0], on_fold=lambda *done: seen.append(done)).to_dict()
    assert curve["comparison"] == {"share": 1.0, "repeats": 2}
    assert not trained
    assert not seen


@pytest.mark.parametrize(
    "other, message",
    [
        ({"comparison": {}}, "must be what `compare` returned; got dict"),
        ({"random_state": 3}, "its seed is 0, not 3"),
        ({"folds": 4}, "its folds is '3', not '4'"),
        ({"joint": small_network(max_epochs=4)}, "its joint is"),
        ({"margin": 0.02}, "its margin is 0.01"),
        ({"X": table(seed=1)[0]}, "its data differ"),
        ({"sample_weight": np.linspace(1, 3, 80)}, "the gain of task 'price' is not the same"),
    ],
)
def test_a_comparison_of_other_data_or_settings_is_refused(whole, other, message):
    X, y = table()
    with pytest.raises(OptionError, match=message):
        run(**({"X": X, "y": y, "comparison": whole, "shares": [1.0]} | other))


@pytest.fixture(scope="module")
def whole():
    return compare(*table(), joint=small_network(), separate=["alone"], folds=3, repeats=2)


def test_intervals_of_gains_are_adjusted_over_tasks_and_shares(found):
    """Nine looks: Holm's widest interval has the level 0.05 / 9; those of single points are kept beside."""
    entries = [entry["gain"] for entry in found.to_dict()["tasks"].values()]
    for entry in entries:
        assert all(low < plain for low, plain in zip(entry["low"], entry["low_unadjusted"], strict=True))
        assert all(high > plain for high, plain in zip(entry["high"], entry["high_unadjusted"], strict=True))
    p = np.array([p for entry in entries for p in entry["p_value"]])
    adjusted = holm(p) <= 0.05
    excludes = np.array([low > 0 or high < 0 for e in entries for low, high in zip(e["low"], e["high"], strict=True)])
    np.testing.assert_array_equal(excludes, adjusted)


def point(together, alone, *, n=200, seed=0):
    """Losses of two tasks around means; the constant's are 1."""
    rng = np.random.default_rng(seed)
    plan = FoldPlan(np.tile(np.arange(n) % 5, (3, 1)))
    own = [{t: rng.normal(mean, 0.05, (3, n)) for t, mean in means.items()} for means in (together, alone)]
    return CurvePoint(*own, {t: np.ones((3, n)) for t in together}, plan, None, dict.fromkeys(together, 5.0))


def judged(points, too_few=None):
    return CurveRules(dict.fromkeys(points[0].together), too_few or {}, 0.95, 0.01).measure(points)


def test_a_point_with_too_few_labels_is_undecided_and_so_is_a_mean_that_rests_on_it():
    points = [point({"rare": 0.3, "rich": 0.5}, {"rare": 0.9, "rich": 0.5}) for _ in range(2)]
    plain, careful = judged(points), judged(points, {"rare": "only 3 positives among the held-out rows"})
    for before, own in zip(plain, careful, strict=True):
        assert before["tasks"]["rare"]["gain"]["verdict"] == before["mean"]["gain"]["verdict"] == "helped"
        gain, mean = own["tasks"]["rare"]["gain"], own["mean"]["gain"]
        assert (gain["verdict"], gain["reason"]) == ("undecided", "only 3 positives among the held-out rows")
        assert mean["verdict"] == "undecided"
        assert "'rare' (only 3 positives" in mean["reason"]
        assert own["tasks"]["rich"]["gain"]["verdict"] == before["tasks"]["rich"]["gain"]["verdict"]


def test_less_bad_than_a_constant_is_not_helped_nor_is_such_a_mean():
    (found,) = judged([point({"a": 3.0, "b": 0.8}, {"a": 9.0, "b": 0.8})])
    assert found["tasks"]["a"]["gain"]["verdict"] == "undecided"
    assert found["tasks"]["a"]["gain"]["low"] > 0
    assert found["tasks"]["a"]["gain"]["reason"] == "learned together it is no better than a constant"
    assert found["mean"]["gain"]["verdict"] == "undecided"
    assert "on the mean no better than a constant" in found["mean"]["gain"]["reason"]


def test_what_one_look_would_tell_many_do_not():
    """The same point alone and among many points that tell nothing: an interval near 0 is not beyond chance among them."""
    near = point({"a": 0.7865}, {"a": 0.8}, seed=4)
    rest = [point({"a": 0.8}, {"a": 0.8}, seed=100 + k) for k in range(40)]
    (alone,), among = judged([near]), judged([near, *rest])
    assert alone["tasks"]["a"]["gain"]["low"] > 0
    assert among[0]["tasks"]["a"]["gain"]["low"] < 0 < among[0]["tasks"]["a"]["gain"]["low_unadjusted"]
    assert alone["mean"]["gain"]["low"] > 0 > among[0]["mean"]["gain"]["low"]
