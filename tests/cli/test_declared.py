"""Options that say what is learned and by what network: losses, class weights, encoders; a table per target; report formats."""

import json

import pandas as pd
import pytest

QUICK = ["--ignore", "id", "--max-steps", 5, "-q"]


def report_of(folder):
    return json.loads((folder / "predictor.json").read_text())["report"]


@pytest.fixture
def fit(polytask, table, tmp_path):
    """Fit with some options; the report, and the predictions."""

    def call(*words, tables=(), name="model", said=""):
        shown = polytask("fit", *(tables or [table]), *QUICK, "--out", tmp_path / name, *words)
        assert (shown.code, shown.err) == (0, said)
        assert polytask("predict", tmp_path / name, table, "--out", tmp_path / f"{name}.csv", "-q").code == 0
        return report_of(tmp_path / name), pd.read_csv(tmp_path / f"{name}.csv")

    return call


def test_losses_are_learned_told_and_repeated(fit, polytask, table, tmp_path):
    words = ["-t", "price", "-t", "visits:count", "-t", "sold", "--max-steps", 200]
    usual, means = fit(*words, name="usual")
    report, quantiles = fit(*words, "--loss", "price=quantile:0.9", "--loss", "so*=focal", name="quantile")
    assert report["study"]["loss"] == {"price": "quantile:0.9", "so*": "focal"}
    assert "loss" not in usual["study"]
    assert quantiles["price"].mean() > means["price"].mean()
    assert (quantiles["sold:p(yes)"] != means["sold:p(yes)"]).any()
    assert polytask("fit", tmp_path / "quantile" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    assert report_of(tmp_path / "again")["tasks"] == report["tasks"]


def test_scores_of_metric_losses_are_told_as_probabilities(fit, table):
    words = ["-t", "price", "-t", "sold", "--max-steps", 100]
    report, predicted = fit(*words, "--loss", "sold=auc", "--loss", "price=log_cosh")
    assert report["study"]["loss"] == {"sold": "auc", "price": "log_cosh"}
    assert report["tasks"]["sold"]["kind"] == "binary"
    assert predicted["sold:p(yes)"].mean() == pytest.approx((pd.read_csv(table)["sold"] == "yes").mean(), abs=0.12)


def test_class_weights_raise_the_rare_class(fit):
    words = ["-t", "price", "-t", "sold", "--max-steps", 200]
    _, usual = fit(*words, name="usual")
    report, weighed = fit(*words, "--class-weight", "sold=balanced", name="weighed")
    assert report["study"]["class_weight"] == {"sold": "balanced"}
    rare = "sold:p(yes)" if usual["sold:p(yes)"].mean() < 0.5 else "sold:p(no)"
    assert weighed[rare].mean() > usual[rare].mean()


def test_a_comparison_has_losses_too(polytask, table, tmp_path):
    words = ["-t", "price", "-t", "visits", *QUICK, "--folds", 2, "--repeats", 1, "--json", tmp_path / "c.json"]
    assert polytask("compare", table, *words, "--loss", "price=mae").code == 0
    tasks = json.loads((tmp_path / "c.json").read_text())["tasks"]
    assert tasks["price"]["metric"] == "mae"
    assert tasks["visits"]["metric"] != "mae"


@pytest.mark.parametrize("encoder", ["mlp", "resnet", "ft_transformer"])
@pytest.mark.parametrize("numbers", ["plain", "periodic", "piecewise"])
def test_encoders_and_embeddings_of_numbers(fit, encoder, numbers):
    report, _ = fit("-t", "price", "-t", "visits", "--encoder", encoder, "--numbers", numbers)
    told = {"encoder": encoder, "numbers": numbers}
    usual = {"encoder": "mlp", "numbers": "plain"}
    assert {key: value for key, value in report["study"].items() if key in told} == {
        key: value for key, value in told.items() if value != usual[key]
    }
    words = {"resnet": "ResNet", "ft_transformer": "FTTransformer", "periodic": "Periodic", "piecewise": "PiecewiseLinear"}
    for name, shown in words.items():
        assert (shown in report["settings"]["encoder"]) == (name in (encoder, numbers))


def test_encoders_have_settings(polytask, fit, tmp_path):
    words = ["--encoder", "resnet:n_blocks=1,width=24,dropout=0.3,numeric=robust", "--numbers", "periodic:width=4"]
    report, _ = fit("-t", "price", "-t", "visits", *words)
    shown = "ResNet(dropout=0.3, embedding=Periodic(width=4), n_blocks=1, numeric='robust',"
    assert " ".join(report["settings"]["encoder"].split()).startswith(shown)
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q") == (0, "", "")
    assert report_of(tmp_path / "again")["tasks"] == report["tasks"]


def test_a_table_for_each_target(fit, frame, tmp_path):
    inputs = ["id", "area", "rooms", "city"]
    frame.head(50)[[*inputs, "price", "site:plot*"]].to_csv(tmp_path / "prices.csv", index=False)
    frame.tail(60)[[*inputs, "grade"]].to_parquet(tmp_path / "grades.parquet")
    data = ["--data", f"price={tmp_path / 'prices.csv'}", "--data", f"grade:ordinal={tmp_path / 'grades.parquet'}"]
    report, predictions = fit(*data, tables=["--seed", 0])
    assert report["n_rows"] == 110
    assert {name: task["kind"] for name, task in report["tasks"].items()} == {"price": "regression", "grade": "ordinal"}
    assert {*report["study"]["data"]} == {"price", "grade:ordinal"}
    assert {"price", "grade"} <= {*predictions.columns}


def test_tables_of_targets_in_a_study_are_seen_from_it(polytask, frame, tmp_path):
    inputs = ["area", "rooms", "city"]
    frame[[*inputs, "price"]].to_csv(tmp_path / "p.csv", index=False)
    frame[[*inputs, "visits"]].to_csv(tmp_path / "v.csv", index=False)
    (tmp_path / "s.yaml").write_text("data: {price: p.csv, visits: v.csv}\nmax_steps: 5\nfit: {out: m}\n")
    assert polytask("fit", tmp_path / "s.yaml", "-q") == (0, "", "")
    assert polytask("fit", tmp_path / "m" / "study.yaml", "--out", tmp_path / "n", "-q") == (0, "", "")
    assert report_of(tmp_path / "m")["tasks"] == report_of(tmp_path / "n")["tasks"]
    shown = polytask("compare", tmp_path / "s.yaml", "--folds", 2, "--repeats", 1, "-q", "--json", tmp_path / "c.json")
    assert shown.code == 0
    assert json.loads((tmp_path / "c.json").read_text())["n_rows"] == 160


def test_tables_that_hold_both_targets_give_each_its_own(polytask, frame, tmp_path):
    frame[["area", "price", "visits"]].head(50).to_csv(tmp_path / "p.csv", index=False)
    frame[["area", "price", "visits"]].tail(40).to_csv(tmp_path / "v.csv", index=False)
    data = ["--data", f"price={tmp_path / 'p.csv'}", "--data", f"visits:count={tmp_path / 'v.csv'}"]
    shown = polytask("tasks", *data, "--json", tmp_path / "t.json")
    assert shown.code == 0
    assert [column["name"] for column in json.loads((tmp_path / "t.json").read_text())["inputs"]] == ["area"]
    assert f"The table of 'price' ('{tmp_path / 'p.csv'}') holds 'visits' too" in shown.err
    assert f"give the files as one table: {tmp_path / 'p.csv'} {tmp_path / 'v.csv'} -t 'price' -t 'visits:count'." in shown.err
    labels = {line.split()[0]: line.split()[2] for line in shown.out.splitlines() if line.startswith(("price ", "visits "))}
    assert labels == {"price": str(frame.head(50)["price"].notna().sum()), "visits": "40"}


def test_rows_of_one_group_are_one_entity_in_all_tables(polytask, frame, tmp_path):
    for name in ("price", "visits"):
        frame[["id", "area", "rooms", name]].to_csv(tmp_path / f"{name}.csv", index=False)
    data = [word for name in ("price", "visits") for word in ("--data", f"{name}={tmp_path / name}.csv")]
    words = ["--group", "id", "--max-steps", 5, "--folds", 2, "--repeats", 1, "-q", "--json", tmp_path / "c.json"]
    assert polytask("compare", *data, *words).code == 0
    assert json.loads((tmp_path / "c.json").read_text())["n_groups"] == 80


@pytest.mark.parametrize(
    ("name", "start"), [("r.md", b"#"), ("r.pdf", b"%PDF"), ("r.json", b"{"), ("r.html", b"<!doctype"), ("r", b"<!d")]
)
def test_the_report_has_the_format_of_its_name(polytask, table, tmp_path, name, start):
    words = ["-t", "price", "-t", "visits", *QUICK]
    assert polytask("fit", table, *words, "--out", tmp_path / "m", "--report", tmp_path / name).code == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    words += ["--folds", 2, "--repeats", 1]
    assert polytask("compare", table, *words, "--report", tmp_path / f"c{name}").code == 0
    assert (tmp_path / f"c{name}").read_bytes().startswith(start)


@pytest.mark.parametrize("command", [["fit", "--out"], ["compare", "--json"]])
def test_a_report_of_an_unknown_ending_is_refused_before_the_work(polytask, table, tmp_path, command):
    words = [table, "-t", "price", command[1], tmp_path / "m", "--report", tmp_path / "r.docx"]
    shown = polytask(command[0], *words)
    assert shown.code == 2
    assert shown.err.startswith(
        "error: A report must end in .html, .htm, .pdf, .md, .markdown, .json, or its --format must be given;"
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == [table.name]


def test_an_unknown_format_is_told_in_plain_words(polytask, table, tmp_path):
    shown = polytask("compare", table, "-t", "price", "--report", tmp_path / "r", "--format", "docx")
    assert shown.err.startswith("error: Invalid value for '--format': 'docx' is not one of 'html', 'pdf', 'md', 'json'.")
    shown = polytask("compare", table, "-t", "price", "--seed", "x")
    assert shown.err.startswith("error: Invalid value for '--seed': it must be a whole number.")


def test_a_format_goes_before_the_name(polytask, table, tmp_path):
    words = ["-t", "price", "-t", "visits", *QUICK]
    assert polytask("fit", table, *words, "--out", tmp_path / "m", "--format", "md").code == 0
    assert (tmp_path / "m.md").read_text().startswith("#")
    words += ["--folds", 2, "--repeats", 1, "--report", tmp_path / "c.txt", "--format", "json"]
    assert polytask("compare", table, *words).code == 0
    assert json.loads((tmp_path / "c.txt").read_text())["format"] == "polytask.comparison"


def test_a_learning_curve_is_kept_and_told(polytask, table, tmp_path):
    words = ["-t", "price", "-t", "visits", *(word for word in QUICK if word != "-q"), "--folds", 2, "--repeats", 2]
    report = tmp_path / "c.html"
    shown = polytask("compare", table, *words, "--learning-curve", "--json", tmp_path / "c.json", "--report", report)
    assert shown.code == 0
    curve = json.loads((tmp_path / "c.json").read_text())["learning_curve"]
    assert curve["shares"] == [0.1, 0.25, 0.5, 1.0]
    assert curve["comparison"] == {"share": 1.0, "repeats": 2}
    assert "The point with all labels is the comparison itself" in " ".join(shown.out.split())
    assert {*curve["tasks"]} == {"price", "visits"}
    assert "How many labels does it take?" in report.read_text()


def test_ctrl_c_in_a_learning_curve_keeps_the_comparison(polytask, table, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("polytask.evaluation.learning_curve", interrupted)
    words = ["-t", "price", "-t", "visits", *QUICK, "--folds", 2, "--repeats", 1, "--learning-curve"]
    shown = polytask("compare", table, *words, "--json", tmp_path / "c.json")
    assert shown.code == 130
    assert "without the learning curve" in shown.err
    assert "learning_curve" not in json.loads((tmp_path / "c.json").read_text())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--loss", "prize=mae"], "--loss names 'prize', which is no target. Did you mean 'price'?"),
        (["--loss", "price=hubber"], "The loss of task 'price' must be one of"),
        (["--loss", "price=focal"], "The loss of task 'price' must be one of"),
        (["--loss", "price=quantile:2"], "`level` of Quantile must be in (0, 1)"),
        (["--loss", "price=quantile:x"], "The setting of the loss 'quantile' must be a number"),
        (["--loss", "price"], "--loss must be TARGET=LOSS, such as price=huber; got 'price'"),
        (["--loss", "price=mae", "--loss", "price=mse"], "--loss must name 'price' once; got it twice"),
        (["--class-weight", "sold=heavy"], "--class-weight must be 'balanced'; got 'heavy'"),
        (["--class-weight", "price=balanced"], "--class-weight is for targets with classes; task 'price' is of kind regression."),
        (["--class-weight", "solt=balanced"], "--class-weight names 'solt', which is no target. Did you mean 'sold'?"),
        (["--encoder", "cnn"], "--encoder must be an encoder; got 'cnn'. There are ft_transformer, mlp, resnet."),
        (["--encoder", "mlp:widht=3"], "--encoder cannot be 'mlp:widht=3': MLP has no setting 'widht'. Did you mean 'width'?"),
        (["--encoder", "mlp:width=many"], "'width' of MLP must be a whole number; got 'many'."),
        (["--encoder", "resnet:dropout=1.5"], "`dropout` of ResNet must be in [0, 1); got 1.5."),
        (["--numbers", "roman"], "--numbers must be plain or an embedding of numbers; got 'roman'."),
        (["--encoder", "mlp:embedding=periodic", "--numbers", "piecewise"], "both embed numbers. Give one of them."),
        (["--data", "price=a.csv"], "--data says which tables and targets there are; leave --target out."),
        (["--format", "doc"], "Invalid value for '--format'"),
    ],
)
def test_what_cannot_be_declared_is_told_in_one_line(polytask, table, tmp_path, words, message):
    for command, own in (("fit", ["--out", tmp_path / "m"]), ("compare", [])):
        shown = polytask(command, table, "-t", "price", "-t", "sold", *QUICK, *own, *words)
        assert shown.code == 2
        assert message in shown.err
        assert shown.err.count("\n") == 1
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "price"], "--data must be TARGET=FILE, such as price=houses.csv; got 'price'"),
        (["--data", "price=no.csv"], "no.csv"),
        (["--data", "prize=train.csv"], "Target 'prize' is not in the table. Did you mean 'price'?"),
        (["train.csv", "--data", "price=train.csv"], "leave TABLE (`table` in a study) out."),
        (
            ["--data", "price=train.csv", "--data", "sold=train.csv"],
            "Give it once, as the table of both: train.csv -t 'price' -t 'sold'.",
        ),
    ],
)
def test_tables_of_targets_that_cannot_be_used(polytask, table, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    shown = polytask("fit", *words, *QUICK, "--out", "m")
    assert shown.code == 2
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_a_format_without_a_report_is_told(polytask, table):
    shown = polytask("compare", table, "-t", "price", "-t", "visits", "--format", "pdf")
    assert shown.code == 2
    assert "--format pdf is of --report, the file to write; got none." in shown.err
