"""``--balancing`` and ``--balance-at`` of fit and compare, and of study files."""

import json

import pytest

from polytask.balancing import method_names

QUICK = ["-t", "price", "-t", "sold", "-t", "visits", "--ignore", "id", "--epochs", 2, "-q"]


def report_of(folder):
    return json.loads((folder / "predictor.json").read_text())["report"]


def test_a_fit_is_balanced_told_and_repeated(polytask, table, tmp_path):
    words = ["--balancing", "CAGrad:c=0.3", "--balance-at", "features"]
    assert polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model").code == 0
    report = report_of(tmp_path / "model")
    assert report["settings"]["balancing"] == "'CAGrad:c=0.3'"
    assert report["settings"]["balance_at"] == "'features'"
    assert (report["study"]["balancing"], report["study"]["balance_at"]) == ("CAGrad:c=0.3", "features")
    assert report["balancing"]["method"] == "CAGrad(c=0.3)"
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    again = report_of(tmp_path / "again")
    assert (again["tasks"], again["balancing"]) == (report["tasks"], report["balancing"])
    assert polytask("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "-q").code == 0


def test_without_it_nothing_is_told_of_it(polytask, table, tmp_path):
    assert polytask("fit", table, *QUICK, "--out", tmp_path / "model").code == 0
    report = report_of(tmp_path / "model")
    assert "balancing" not in report
    assert not {"balancing", "balance_at"} & report["study"].keys()


def test_a_comparison_balances_the_joint_networks_only(polytask, table, tmp_path):
    found = {}
    for method in ("equal", "rlw"):
        words = ["--folds", 2, "--repeats", 1, "--balancing", method, "--json", tmp_path / f"{method}.json"]
        assert polytask("compare", table, *QUICK, *words).code == 0
        found[method] = json.loads((tmp_path / f"{method}.json").read_text())
    assert "balancing='rlw'" in found["rlw"]["settings"]["joint"]
    for name, task in found["rlw"]["tasks"].items():
        both = task["arms"], found["equal"]["tasks"][name]["arms"]
        together, alone = ([own[arm]["skill"] for own in both] for arm in ("together", "alone"))
        assert alone[0] == pytest.approx(alone[1], abs=1e-5)
        assert together[0] != pytest.approx(together[1], abs=1e-5)


@pytest.mark.parametrize(
    "words, said",
    [
        (["--balancing", "pc_grid"], "error: --balancing must be a balancing method; got 'pc_grid'. Did you mean 'pcgrad'"),
        (["--balancing", "cagrad:d=1"], "error: --balancing cannot be 'cagrad:d=1': CAGrad has no setting 'd'. It has 'c'."),
        (["--balancing", "cagrad:c"], "A setting must be name=value; got 'c'."),
        (["--balancing", "cagrad:c=-1"], "`c` of CAGrad must be >= 0; got -1."),
        (["--balance-at", "heads"], "'--balance-at'"),
        (["--balancing", "pcgrad", "--preset", "fast"], "error: --balancing pcgrad is of networks, and --preset fast has none."),
    ],
)
def test_what_cannot_be_balanced_is_refused(polytask, table, tmp_path, words, said):
    shown = polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model")
    assert shown.code == 2
    assert said in shown.err


def test_the_help_names_the_experimental_methods(polytask):
    shown = " ".join(polytask("fit", "--help").out.replace("│", " ").split())
    names = ", ".join(name for name, own in method_names().items() if own.experimental)
    assert f"Experimental: {names}." in shown


def test_weights_may_be_kept_for_some_steps_and_an_experimental_method_is_told(polytask, table, tmp_path):
    words = ["--balancing", "every:method=cagrad:c=0.3,k=2"]
    assert polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model").code == 0
    told = report_of(tmp_path / "model")["balancing"]
    assert told["method"] == "Every(method=CAGrad(c=0.3), k=2)"
    assert "experimental" not in told
    assert polytask("fit", table, *QUICK, "--balancing", "go4align", "--out", tmp_path / "other").code == 0
    assert report_of(tmp_path / "other")["balancing"]["experimental"] is True


def test_a_study_file_names_its_field(polytask, table, tmp_path):
    (tmp_path / "study.yaml").write_text(f"table: {table}\ntarget: [price, sold]\nbalancing: famoo\n")
    shown = polytask("fit", tmp_path / "study.yaml", "--out", tmp_path / "model")
    assert shown.code == 2
    assert "`balancing` must be a balancing method; got 'famoo'. Did you mean 'famo'" in shown.err
