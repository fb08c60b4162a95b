"""``polytask compare`` and ``polytask demo``."""

import json

import pytest

from tests.cli.conftest import make_frame, target_words

QUICK = ("--folds", 2, "--repeats", 2, "--max-steps", 20)


@pytest.fixture
def result(tmp_path):
    return tmp_path / "out.json"


def test_the_table_the_sentence_and_both_files_are_written(polytask, table, result, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    report = tmp_path / "out.html"
    shown = polytask("compare", table, *target_words(), "--ignore", "id", *QUICK, "--json", result, "--report", report)
    assert shown.code == 0
    assert "fold 1 of 4 done\n" in shown.err
    assert "fold 4 of 4 done\n" in shown.err
    rows = [line.split()[0].rstrip("*") for line in shown.out.splitlines() if line.split()]
    tasks = ["price", "sold", "grade", "visits", "tags", "mean"]
    assert [row for row in rows if row in tasks] == tasks
    assert "Learning together helped" in shown.out
    assert f"JSON: {result}\nReport: {report}\n" in shown.out
    found = json.loads(result.read_text())
    assert (found["format"], found["version"], found["folds"], found["repeats"]) == ("polytask.comparison", 1, 2, 2)
    assert found["data"]["source"] == str(table)
    assert found["settings"]["command"][:3] == ["polytask", "compare", str(table)]
    assert report.read_text().startswith("<!doctype html>")


def test_quiet_prints_nothing_and_still_writes(polytask, table, result):
    shown = polytask("compare", table, "-t", "price", "-t", "visits", "--quiet", *QUICK, "--json", result)
    assert shown == (0, "", "")
    assert set(json.loads(result.read_text())["tasks"]) == {"price", "visits"}


def test_why_a_task_has_its_kind_is_told_as_tasks_tells_it(polytask, table, result):
    targets = ["-t", "price", "-t", "visits:count", "-t", "area>100 as large"]
    assert polytask("compare", table, *targets, "--quiet", *QUICK, "--json", result).code == 0
    reasons = json.loads(result.read_text())["data"]["reasons"]
    assert polytask("tasks", table, *targets, "--json", result).code == 0
    assert reasons == {task["name"]: task["reason"] for task in json.loads(result.read_text())["tasks"]}
    assert reasons["visits"] == "as you said"
    assert reasons["large"].startswith("made by ")


def test_the_skill_of_a_binary_target_can_be_that_of_its_auc(polytask, table, result, tmp_path):
    words = ["compare", table, "-t", "price", "-t", "sold", "--ignore", "id", *QUICK, "--json", result]
    page = tmp_path / "out.html"
    assert polytask(*words, "--metric", "sold=roc_auc", "--report", page).code == 0
    found = json.loads(result.read_text())
    assert {name: task["metric"] for name, task in found["tasks"].items()} == {"price": "mse", "sold": "roc_auc"}
    assert found["tasks"]["sold"]["constant"]["error"] == 0.5  # of a constant, the AUC is one half
    assert found["settings"]["skill_metrics"] == {"sold": "roc_auc"}
    for arm in found["tasks"]["sold"]["arms"].values():
        assert arm["skill"] == pytest.approx(1 - arm["error"] / 0.5)
    assert "--metric sold=roc_auc" in page.read_text()
    assert polytask(*words, "--quiet").code == 0
    plain = json.loads(result.read_text())["tasks"]
    assert plain["sold"]["metric"] == "log_loss"
    assert plain["price"]["arms"] == found["tasks"]["price"]["arms"]


def test_a_metric_may_be_asked_of_a_target_with_an_equals_sign_in_its_name(polytask, table, frame, result):
    frame.rename(columns={"sold": "sold=1"}).to_csv(table, index=False)
    words = ["-t", "price", "-t", "sold=1", "-q", *QUICK, "--metric", "sold=1=roc_auc", "--json", result]
    assert polytask("compare", table, *words).code == 0
    assert json.loads(result.read_text())["tasks"]["sold=1"]["metric"] == "roc_auc"


def test_groups_weights_and_a_split_column_are_used(polytask, table, result, frame):
    frame = frame.assign(w=[0, 1] * 40, part=["train", "train", "train", "test"] * 20, who=[i // 4 for i in range(80)])
    frame.to_csv(table, index=False)
    words = ["-t", "price", "-t", "visits", "--quiet", "--max-steps", 20, "--repeats", 1, "--json", result]
    shown = polytask("compare", table, *words, "--weight", "w", "--group", "who", "--ignore", "part", "--folds", 2)
    assert shown.code == 0
    grouped = json.loads(result.read_text())
    assert grouped["n_groups"] == 20
    assert {column["name"] for column in grouped["data"]["columns"]}.isdisjoint({"w", "who", "part"})
    shown = polytask("compare", table, *words, "--split", "part", "--ignore", "who")
    assert shown.code == 0
    split = json.loads(result.read_text())
    assert split["folds"] == 1
    assert any("60 of 80 rows are never held out" in note for note in split["notes"])


def test_the_same_seed_gives_the_same_result(polytask, table, result):
    found = []
    for _ in range(2):
        polytask("compare", table, "-t", "price", "-t", "visits", "-q", *QUICK, "--seed", 3, "--json", result)
        found.append(json.loads(result.read_text())["tasks"])
    assert found[0] == found[1]


def test_a_perfect_copy_is_warned_of_as_leakage(polytask, table, frame):
    frame.assign(cost=2 * frame["price"] + 1).to_csv(table, index=False)
    shown = polytask("compare", table, "-t", "price", "-t", "visits", "-q", *QUICK)
    assert shown.code == 0
    assert shown.err.startswith("warning: The input 'cost' is a perfect copy of the target 'price': this is leakage")


def test_texts_read_as_missing_labels_are_warned_of(polytask, table, frame):
    frame["sold"] = frame["sold"].fillna("None")
    frame.to_csv(table, index=False)
    shown = polytask("compare", table, "-t", "price", "-t", "sold", "-q", *QUICK)
    assert "warning: In the target 'sold' these texts were read as missing labels: 'None' (9)." in shown.err


def test_a_target_that_cannot_be_learned_can_be_skipped(polytask, table, frame, result):
    frame.assign(sold="yes").to_csv(table, index=False)
    words = ["compare", table, "-t", "price", "-t", "visits", "-t", "sold", *QUICK, "--json", result]
    assert polytask(*words).code == 2
    shown = polytask(*words, "--unlearnable", "skip")
    assert shown.code == 0
    assert "Left out: Task 'sold' cannot be learned" in shown.out
    assert "sold" not in json.loads(result.read_text())["tasks"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--folds", 1], "--folds must be a whole number >= 2, or leave-one-group-out; got '1'"),
        (["--folds", 81], "80"),
        (["--repeats", 0], "--repeats must be a whole number >= 1; got 0"),
        (["--max-steps", 0], "--max-steps must be a whole number >= 1; got 0"),
        (["--epochs", 0], "--epochs must be a whole number >= 1; got 0"),
        (["--threads", 0], "--threads must be a whole number >= 1; got 0"),
        (["--device", "abacus"], "--device must be one that torch has here"),
        (["--weight", "city"], "Column 'city' of --weight must hold finite numbers"),
        (["--group", "price"], "Column 'price' is a target and is given to --group too"),
        (["--json", "nowhere/out.json"], "The folder of --json is not there"),
        (["--report", "."], "--report must be a file"),
        (["--seed", -1], "seed"),
        (["--metric", "price"], "--metric must be TARGET=METRIC, such as sold=roc_auc; got 'price'"),
        (["--metric", "=roc_auc"], "--metric must be TARGET=METRIC"),
        (["--metric", "prize=roc_auc"], "--metric names 'prize', which is no target. Did you mean 'price'?"),
        (["--metric", "price=roc_auc"], "'price' of kind regression cannot be measured by 'roc_auc'"),
        (["--metric", "price=mae"], "'price' of kind regression cannot be measured by 'mae'"),
        (["--metric", "price=roc_auc", "--metric", "price=mse"], "--metric must name 'price' once; got it twice"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(polytask, table, words, message):
    shown = polytask("compare", table, "-t", "price", "-t", "visits", "-q", "--max-steps", 5, "--repeats", 1, *words)
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_ctrl_c_says_that_nothing_was_written(polytask, table, result, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("polytask.evaluation.compare", interrupted)
    shown = polytask("compare", table, "-t", "price", "-t", "visits", "--json", result)
    assert shown.code == 130
    assert "interrupted.\nNo repeat was finished, so nothing is written" in shown.err
    assert not result.exists()


def test_ctrl_c_keeps_the_repeats_that_are_finished(polytask, table, result, monkeypatch):
    def note(text, *, quiet=False):
        if text == "fold 3 of 4 done":
            raise KeyboardInterrupt

    monkeypatch.setattr("polytask.cli._progress._SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("polytask.cli._progress.note", note)
    shown = polytask("compare", table, "-t", "price", "-t", "visits", *QUICK, "--json", result)
    assert shown.code == 130
    assert shown.err == "interrupted.\nWhat is shown and written is of 1 of 2 repeats.\n"
    assert "1 of 2 repeats were finished" in shown.out
    assert json.loads(result.read_text())["repeats"] == 1


def check_demo(polytask, folder, monkeypatch, *, repeats):
    monkeypatch.chdir(folder)
    shown = polytask("demo", "--json", "demo.json")
    assert shown.code == 0
    assert f"x {repeats} repeats" in shown.err
    assert f"Report: {folder / 'polytask-demo-report.html'}" in shown.out
    assert len(json.loads((folder / "demo.json").read_text())["tasks"]) == 6


@pytest.mark.slow
def test_the_demo_compares_six_tasks_and_writes_the_report_here(polytask, tmp_path, monkeypatch):
    check_demo(polytask, tmp_path, monkeypatch, repeats=3)


def test_a_small_demo_does_the_same(polytask, tmp_path, monkeypatch):
    monkeypatch.setattr("polytask.cli._demo.FOLDS", 2)
    monkeypatch.setattr("polytask.cli._demo.REPEATS", 1)
    monkeypatch.setattr("polytask.cli._demo.NETWORK", {"max_steps": 20})
    check_demo(polytask, tmp_path, monkeypatch, repeats=1)


def test_the_frame_of_these_tests_has_all_kinds():
    assert {"price", "sold", "grade", "visits", "y_sun"} <= set(make_frame())


def test_folds_and_a_split_column_are_not_both_taken(polytask, table):
    shown = polytask("compare", table, "-t", "price", "--split", "part", "--folds", 3)
    assert shown.code == 2
    assert "give one of them" in shown.err


def test_a_learning_curve_that_cannot_be_loses_no_comparison(polytask, tmp_path):
    rows = [f"{k % 7},{k * 5 % 11},{k % 7 + k % 3}" for k in range(24)]
    (tmp_path / "few.csv").write_text("\n".join(["a,b,price", *rows]))
    words = ["-t", "price:regression", "--learning-curve", "--folds", 2, "--repeats", 2, "--max-steps", 2, "-q"]
    shown = polytask("compare", tmp_path / "few.csv", *words, "--json", tmp_path / "c.json")
    assert shown.code == 2
    assert "There is no learning curve; the comparison itself is shown and written. With 0.1 of the labels" in shown.err
    found = json.loads((tmp_path / "c.json").read_text())
    assert found["repeats"] == 2
    assert "learning_curve" not in found
