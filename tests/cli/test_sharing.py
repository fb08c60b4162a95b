"""``--sharing`` of fit and compare, and of study files."""

import json

import pytest

QUICK = ["-t", "price", "-t", "sold", "-t", "visits", "--ignore", "id", "--epochs", 2, "-q"]


def report_of(folder):
    return json.loads((folder / "predictor.json").read_text())["report"]


def test_a_fit_shares_tells_and_is_repeated(polytask, table, tmp_path):
    page = tmp_path / "fit.html"
    words = ["--sharing", "MMoE:n_experts=3,width=8", "--report", page]
    assert polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model").code == 0
    report = report_of(tmp_path / "model")
    assert report["study"]["sharing"] == "MMoE:n_experts=3,width=8"
    assert report["sharing"]["architecture"] == "MMoE(n_experts=3, width=8)"
    assert report["sharing"]["parts"] == ["expert 1", "expert 2", "expert 3"]
    assert [sum(own) for own in report["sharing"]["weights"].values()] == pytest.approx([1.0] * 3)
    assert "What do the tasks share?" in page.read_text()
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    again = report_of(tmp_path / "again")
    assert (again["tasks"], again["sharing"]) == (report["tasks"], report["sharing"])
    assert polytask("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "-q").code == 0


def test_hard_sharing_has_nothing_to_tell(polytask, table, tmp_path):
    assert polytask("fit", table, *QUICK, "--sharing", "hard:tower_width=4", "--out", tmp_path / "model").code == 0
    report = report_of(tmp_path / "model")
    assert "sharing" not in report
    assert report["study"]["sharing"] == "hard:tower_width=4"


@pytest.mark.parametrize(
    "words, parts",
    [
        (
            ["--sharing", "cross_stitch:self_weight=0.8", "--balancing", "pcgrad"],
            ["network of price", "network of sold", "network of visits"],
        ),
        (["--sharing", "ltb:n_nodes=2", "--encoder", "resnet"], ["branch 1", "branch 2"]),
    ],
)
def test_tasks_have_encoders_that_share(polytask, table, tmp_path, words, parts):
    assert polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model").code == 0
    assert report_of(tmp_path / "model")["sharing"]["parts"] == parts
    assert polytask("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "-q").code == 0


def test_networks_without_sharing_are_compared(polytask, table, tmp_path):
    words = ["--folds", 2, "--repeats", 1, "--sharing", "none", "--json", tmp_path / "found.json"]
    assert polytask("compare", table, *QUICK, *words).code == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert "sharing='none'" in found["settings"]["joint"]


def test_a_comparison_has_it_in_both_arms(polytask, table, tmp_path):
    words = ["--folds", 2, "--repeats", 1, "--sharing", "cgc:width=8", "--json", tmp_path / "found.json"]
    assert polytask("compare", table, *QUICK, *words).code == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert "sharing='cgc:width=8'" in found["settings"]["joint"]


@pytest.mark.parametrize(
    "words, said",
    [
        (["--sharing", "mmo"], "error: --sharing must be a sharing architecture; got 'mmo'. Did you mean 'mmoe'"),
        (["--sharing", "mmoe:experts=4"], "'mmoe:experts=4': MMoE has no setting 'experts'. Did you mean 'n_experts'"),
        (["--sharing", "ple:n_levels=0"], "`n_levels` of PLE must be an integer >= 1; got 0."),
        (["--sharing", "ple:n_levels"], "A setting must be name=value; got 'n_levels'."),
        (["--sharing", "mmoe", "--preset", "fast"], "error: --sharing mmoe is of networks, and --preset fast has none."),
    ],
)
def test_what_cannot_be_shared_is_refused(polytask, table, tmp_path, words, said):
    shown = polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model")
    assert shown.code == 2
    assert said in shown.err
