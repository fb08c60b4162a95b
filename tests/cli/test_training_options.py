"""How a network is trained, as options of fit, compare and studies."""

import json

import pytest

from polytask.automatic import MultiTaskPredictor
from polytask.automatic._study_run import study_of, study_predictor
from polytask.estimators import MultiTaskNetwork
from polytask.optim import L1, SGD

QUICK = ["-t", "price", "-t", "sold", "--ignore", "id", "--epochs", 2, "-q"]
WORDS = {
    "initialization": "encoder=he_normal;heads=zeros",
    "optimizer": "encoder=sgd:learning_rate=0.05;heads=adagrad",
    "schedule": "plateau:patience=2",
    "regularization": "l1:strength=0.2,on=heads;group_lasso",
}


def report_of(folder):
    return json.loads((folder / "predictor.json").read_text())["report"]


def test_a_fit_trains_so_tells_zeros_and_is_repeated(polytask, table, tmp_path):
    words = [word for name, value in WORDS.items() for word in (f"--{name}", value)]
    loud = [word for word in QUICK if word != "-q"]
    told = polytask("fit", table, *loud, *words, "--out", tmp_path / "model")
    assert told.code == 0
    report = report_of(tmp_path / "model")
    assert {name: report["study"][name] for name in WORDS} == WORDS
    assert set(report["sparsity"]["zeros"]) == {"encoder", "heads"}
    assert report["sparsity"]["kept_columns"] == [name for name, norm in report["sparsity"]["columns"].items() if norm]
    assert "of the weights of the heads to 0. The network reads" in " ".join((told.out + told.err).split())
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    again = report_of(tmp_path / "again")
    assert (again["tasks"], again["sparsity"]) == (report["tasks"], report["sparsity"])
    assert polytask("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "-q").code == 0


def test_parts_drop_units_and_decay(polytask, table, tmp_path):
    own = ["--encoder", "mlp:width=16,dropout=0.2", "--regularization", "dropout:rate=0.3,on=heads;l2:strength=0.5,on=heads"]
    assert polytask("fit", table, *QUICK, *own, "--out", tmp_path / "model") == (0, "", "")
    assert report_of(tmp_path / "model")["study"]["regularization"] == own[-1]
    assert polytask("predict", tmp_path / "model", table, "--out", tmp_path / "p.csv", "-q").code == 0
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    assert report_of(tmp_path / "again")["tasks"] == report_of(tmp_path / "model")["tasks"]
    assert polytask("fit", table, *QUICK, "--out", tmp_path / "plain").code == 0
    assert report_of(tmp_path / "plain")["tasks"] != report_of(tmp_path / "model")["tasks"]
    refused = polytask("fit", table, *QUICK, "--regularization", "dropout:on=sharing", "--out", tmp_path / "no")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "`on='sharing'` of Dropout reaches nothing: the sharing of this network has no experts or towers." in refused.err


def test_a_comparison_trains_so(polytask, table, tmp_path):
    words = ["--folds", 2, "--repeats", 1, "--optimizer", "nadam", "--ema", 0.9, "--json", tmp_path / "found.json"]
    words += ["--accumulate", 2, "--stopping", "per_task", "--precision", "bfloat16"]
    assert polytask("compare", table, *QUICK, *words).code == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert "optimizer='nadam'" in found["settings"]["joint"]
    for said in ("ema=0.9", "accumulate=2", "stopping='per_task'", "precision='bfloat16'"):
        assert said in found["settings"]["joint"]


def test_a_fit_stops_task_by_task_and_tells_when(polytask, table, tmp_path):
    given = {"batch-size": 32, "batches": "class_aware", "accumulate": 2, "precision": "bfloat16"}
    given |= {"patience": 1, "stopping": "per_task", "learning-rate": 0.05, "weight-decay": 0.0}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    assert polytask("fit", table, *QUICK, "--epochs", 12, *words, "--out", tmp_path / "model").code == 0
    report = report_of(tmp_path / "model")
    assert {name: report["study"][name.replace("-", "_")] for name in given} == given
    skills = {name: [row[2] for row in curve] for name, curve in report["curves"].items()}
    for name, epoch in report["stopping"]["stopped"].items():
        falls = [k + 2 for k, (one, two) in enumerate(zip(skills[name], skills[name][1:], strict=False)) if two <= one]
        assert epoch == (falls[0] if falls else None)
    assert any(note.startswith("Stopped by their own skill: ") for note in report["notes"])
    assert polytask("fit", tmp_path / "model" / "study.yaml", "--out", tmp_path / "again", "-q").code == 0
    assert report_of(tmp_path / "again")["curves"] == report["curves"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--optimizer", "lbfgs"], "it needs the loss of all rows"),
        (["--optimizer", "adamm"], "Did you mean 'adam'"),
        (["--optimizer", "head=sgd"], "Did you mean 'heads'"),
        (["--schedule", "cosine:warm=0.1"], "has no setting 'warm'"),
        (["--initialization", "he"], "must be an initialization"),
        (["--initialization", "zeros"], "or 'zeros' for the heads only (--initialization heads=zeros)."),
        (["--regularization", "l1:on=everything"], "'all'"),
        (["--ema", "1.5"], "--ema"),
        (["--accumulate", "0"], "--accumulate must be"),
        (["--precision", "float16"], "--precision"),
        (["--learning-rate", "0"], "--learning-rate must be"),
        (["--accumulate", "2", "--balancing", "pcgrad"], "--accumulate cannot be with PCGrad, which"),
        (["--accumulate", "2", "--loss", "sold=auc"], "Take a larger --batch-size instead"),
        (["--optimizer", "sgd", "--preset", "fast"], "is of networks, and --preset fast has none"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(polytask, table, tmp_path, words, told):
    ended = polytask("fit", table, *QUICK, *words, "--out", tmp_path / "model")
    assert ended.code == 2
    assert told in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
    assert "OPTION" not in ended.err


def test_objects_given_in_python_are_said_in_the_study():
    network = MultiTaskNetwork(optimizer={"heads": SGD(momentum=0.5)}, regularization=[L1(0.1)], ema=None)
    study = study_of(MultiTaskPredictor(["price"], network=network))
    assert (study.optimizer, study.regularization) == ("heads=sgd:momentum=0.5", "l1:strength=0.1")
    made = study_predictor(study).network
    assert (made.optimizer, made.regularization) == ("heads=sgd:momentum=0.5", "l1:strength=0.1")
