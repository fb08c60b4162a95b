"""A study: what it holds, how it is read and written, and what is told of a wrong one."""

import os
from datetime import timedelta

import pytest
import yaml

from polytask.automatic import (
    MultiTaskPredictor,
    Study,
    StudyLine,
    YAMLText,
    commented_study,
    load,
    parse_yaml,
    read_study,
    study_from,
    study_predictor,
    study_text,
)
from polytask.automatic._study import read_gap
from polytask.balancing import CAGrad
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.networks import MMoE, Periodic, ResNet
from tests.automatic._tables import houses

FULL = {
    "table": ["a.csv"],
    "target": ["price", "no", "007", "a: b", "x\ny", "null", "ünï", "- #", "*", "grade:ordinal=low<high"],
    "ignore": ["2020-01-01"],
    "sep": "\t",
    "missing": ["", "~", "NA"],
    "no_default_missing": True,
    "seed": 3,
    "max_steps": 5,
    "fit": {"out": "model", "time_limit": 2.5},
    "compare": {"folds": 3, "metric": {"a=b": "roc_auc"}, "json": "x.json"},
}


def read(text, *, where="study.yaml"):
    """A study as read from a file named ``where`` in this folder."""
    return study_from(parse_yaml(text, where=where), {}, path=where)


@pytest.fixture
def wrong():
    """What is told of a text."""

    def call(text):
        with pytest.raises(OptionError) as error:
            read(text)
        return str(error.value)

    return call


def test_what_is_written_is_read():
    study = Study.model_validate(FULL)
    assert read(study_text(study)) == study
    assert read(commented_study(study)) == study
    assert Study.model_validate(study.to_dict()) == study


def test_the_file_says_the_same_to_any_reader_of_yaml():
    study = Study.model_validate(FULL)
    assert Study.model_validate(yaml.safe_load(study_text(study))) == study
    assert Study.model_validate(yaml.safe_load(commented_study(study))) == study


def test_lines_of_a_commented_study_may_be_left_out():
    lines = [StudyLine("price", "a number # of\nmoney"), StudyLine("two\nlines", "odd", out=True), StudyLine("no")]
    text = commented_study(Study(table="a.csv"), head="First.\n\nSecond.", targets=lines, ignored=[StudyLine("id", out=True)])
    assert text.startswith("# First.\n#\n# Second.\n")
    study = read(text)
    assert (study.target, study.ignore) == (["price", "no"], [])


def test_every_field_is_in_a_commented_study():
    text = commented_study(Study())
    for name in [*Study.model_fields, "time_limit", "folds", "json"]:
        assert f"{name}:" in text
    assert read(text) == Study()


def test_plain_scalars_stay_what_is_written():
    study = read("target: [no, 007, 1.50, 2020-01-01, 1:30, 'null', yes]\ndecimal: ;\ngroup: null\nweight: ~\nsplit:\n")
    assert study.target == ["no", "007", "1.50", "2020-01-01", "1:30", "null", "yes"]
    assert (study.decimal, study.group, study.weight, study.split) == (";", None, None, None)


def test_dashes_of_options_may_be_written():
    assert read("max-steps: 3\nfit:\n  time-limit: 2\n").fit.time_limit == 2


def test_an_empty_file_is_an_empty_study():
    assert read("# nothing\n") == Study()


def test_json_is_yaml():
    assert read('{"target": ["price"], "max_steps": 3, "compare": {"folds": 3}}').compare.folds == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target: price\ncompare:\n  fold: 3\n", "study.yaml, line 3: `fold` of `compare` is not a field. Did you mean 'folds'?"),
        ("seeds: 4", "study.yaml, line 1: `seeds` is not a field. Did you mean 'seed'?"),
        ("folds: 5", "`folds` is not a field. It is a field of compare."),
        ("fit:\n  target: a\n", "line 2: `target` of `fit` is not a field. It is a field of the study itself."),
        ("\n\nepochs: five\n", "study.yaml, line 3: `epochs` must be a whole number; got 'five'."),
        ("epochs: 2.5", "`epochs` must be a whole number; got '2.5'."),
        ("max-steps: 0", "line 1: `max_steps` must be a whole number >= 1; got 0."),
        ("ema: 1", "`ema` must be a number < 1; got 1."),
        ("weight-decay: -0.5", "`weight_decay` must be a number >= 0; got -0.5."),
        ("seed: -1", "`seed` must be a whole number >= 0; got -1."),
        (f"seed: {2**32}", "`seed` must be a whole number < 4294967296"),
        ("fit: {time_limit: 0}", "`time_limit` of `fit` must be a number > 0; got 0."),
        ("fit: {time_limit: soon}", "`time_limit` of `fit` must be a number; got 'soon'."),
        ("unlearnable: skipp", "`unlearnable` must be 'error' or 'skip'; got 'skipp'. Did you mean 'skip'?"),
        ("no_default_missing: maybe", "`no_default_missing` must be true or false; got 'maybe'."),
        ("target:\n- a\n- [b]\n", "line 3: item 2 of `target` must be a text; got a list."),
        ("target:\n- a\n- # b\n", "item 2 of `target` must be a text; got nothing."),
        ("device: {a: b}", "`device` must be a text; got a mapping."),
        ("target: {a: b}", "`target` must be a list; got a mapping."),
        ("compare: 3", "`compare` must be a mapping of options; got '3'."),
        ("compare:\n  metric:\n    sold: [a]\n", "line 3: 'sold' of `metric` of `compare` must be a text; got a list."),
        ("compare:\n  metric: [a]\n", "line 2: `metric` of `compare` must be TARGET=METRIC, such as sold=roc_auc; got 'a'."),
        ("- a", "study.yaml must be a mapping of fields (table: ..., target: ...); got a list."),
        ("seed: 1\nseed: 2", "study.yaml, line 2: the field 'seed' is there twice"),
        ("max-steps: 1\nmax_steps: 2", "the field `max_steps` is there twice"),
        ("compare:\n  folds: 2\n  folds: 2", "line 3: the field 'folds' is there twice"),
        ("compare: {max-x: 2, max_x: 3}", "the field `max_x` of `compare` is there twice"),
        ("target:\n- *\n", "study.yaml, line 2: this is not YAML: expected"),
        ("target: *_score", "A text that begins with '*' must be in quotes."),
        ("target: @x", "A text that begins with '@' must be in quotes."),
        ("target: &a [*a]", "aliases (*NAME) have no meaning here"),
        ("target: &x b\nignore: *x", "line 2: aliases (*NAME) have no meaning here"),
        ("target: !x b", "line 1: tags (!x) have no meaning here"),
        ("seed: 1\ntarget: !!python/object:os.system b", "line 2: tags (!!python/object:os.system) have no meaning here"),
        ("target: !!python/tuple [a, b]", "line 1: tags (!!python/tuple) have no meaning here"),
        ("seed: 1\n!!str target: b", "line 2: tags (!!str) have no meaning here"),
        ("fold: 3", "line 1: `fold` is not a field. Did you mean 'folds' of 'compare'?"),
        ("gap: 1 month", "line 1: `gap` must be a number of rows"),
        ("gap: 1 month", "Months and years differ in length; write days or weeks."),
        ("decimal: ,", "A text that begins with ',' must be in quotes."),
        ("target: a: b", "A text with ': ' in it must be in quotes."),
        ("target: [a\nseed: 1", "study.yaml, line 2: this is not YAML"),
        ("target: 'a", "study.yaml, line 1: this is not YAML: found unexpected end of stream."),
        ("target:\n\t- b", "study.yaml, line 2: this is not YAML: found character 'a tab' that cannot start any token."),
        ("seed: 1\n---\nseed: 2", "line 2: this is not YAML: but found another document."),
        ("? [a]\n: b", "line 1: the name of a field must be a text"),
        ("target: \x00", "study.yaml is not YAML: unacceptable character"),
        ("[" * 5000, "study.yaml is not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_field(wrong, text, message):
    told = wrong(text)
    assert message in told
    assert "\n" not in told


def test_several_faults_are_told_at_once_but_not_all_of_many(wrong):
    told = wrong("seed: a\nepochs: b\nunlearnable: c\n")
    assert told.count("study.yaml, line ") == 3
    assert wrong("\n".join(f"x{k}: 1" for k in range(9))).endswith("And 4 more.")


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        read_study(tmp_path / "no.yaml")
    (tmp_path / "latin.yaml").write_bytes("target: Größe".encode("latin-1"))
    with pytest.raises(OptionError, match="is not UTF-8 text"):
        read_study(tmp_path / "latin.yaml")


def test_a_byte_order_mark_is_no_part_of_a_field(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbftarget: price\r\nseed: 1\r\n")
    assert read_study(tmp_path / "s.yaml").target == ["price"]


def test_relative_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    absolute = (tmp_path / "b.csv").as_posix()
    (tmp_path / "sub" / "s.yaml").write_text(f"table: [../a.csv, {absolute}]\nfit: {{out: m}}\ncompare: {{json: x.json}}\n")
    monkeypatch.chdir(tmp_path)
    study = read_study("sub/s.yaml")
    assert [os.path.normpath(path) for path in study.table] == ["a.csv", absolute]
    assert (study.fit.out, study.compare.json_file) == (os.path.join("sub", "m"), os.path.join("sub", "x.json"))
    again = study.seen_from(tmp_path / "other" / "deep")
    assert again.table == ["../../a.csv", absolute]
    assert again.fit.out == "../../sub/m"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_paths_from_behind_a_link_lead_where_the_system_goes(tmp_path, monkeypatch):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    (tmp_path / "a.csv").write_text("x")
    monkeypatch.chdir(tmp_path)
    (path,) = Study(table="a.csv").seen_from("link").table
    assert (tmp_path / "link" / path).resolve() == (tmp_path / "a.csv").resolve()


def test_what_is_given_goes_before_the_file():
    text = parse_yaml("target: [a, b]\nseed: 1\nepochs: 2\ncompare: {folds: 3, repeats: 2}\n", where="s.yaml")
    study = study_from(text, {("target",): ["c"], ("seed",): 0, ("compare", "folds"): 4}, path="s.yaml")
    assert study.to_dict() == {"target": ["c"], "seed": 0, "epochs": 2, "compare": {"folds": 4, "repeats": 2}}


def test_what_is_given_goes_before_what_is_wrong_in_the_file():
    text = parse_yaml("seed: a\ncompare: {folds: b}\n", where="s.yaml")
    study = study_from(text, {("seed",): 2, ("compare", "folds"): 4}, path="s.yaml")
    assert study.to_dict() == {"seed": 2, "compare": {"folds": 4}}


def test_a_fault_of_the_file_is_not_blamed_on_what_is_given():
    with pytest.raises(OptionError, match=r"^s\.yaml, line 2: `epochs` must be a whole number; got 'b'\.$"):
        study_from(parse_yaml("seed: 1\nepochs: b", where="s.yaml"), {("seed",): 2}, path="s.yaml", name_given=lambda p: "option")


@pytest.mark.parametrize(("text", "gap"), [("3 rows", 3), ("1 row", 1), ("1 week", timedelta(7)), ("2 Weeks", timedelta(14))])
def test_a_gap_is_read_as_people_write_it(text, gap):
    assert read_gap(text) == gap


def test_a_fault_of_what_is_given_is_not_blamed_on_the_file():
    with pytest.raises(OptionError, match=r"^option seed must be a whole number; got 'x'\.$"):
        study_from(parse_yaml("seed: 1", where="s.yaml"), {("seed",): "x"}, path="s.yaml", name_given=lambda p: f"option {p[-1]}")


def test_the_schema_names_every_field_with_its_description():
    schema = Study.model_json_schema()
    assert set(schema["properties"]) == set(Study.model_fields)
    for own in (schema, *schema["$defs"].values()):
        assert own["additionalProperties"] is False
        for name, field in own["properties"].items():
            assert field["description"], name


def test_the_study_goes_along_with_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study(table="t.csv", target=["price", "sold"], max_steps=3, fit={"out": "model"})
    predictor = study_predictor(study).fit(houses())
    assert predictor.study_ == study.with_preset("network")
    predictor.save("model")
    assert read_study("model/study.yaml").table[0] == os.path.join("model", "../t.csv")
    monkeypatch.chdir(tmp_path / "model")
    again = load(tmp_path / "model").study_
    assert os.path.normpath(again.table[0]) == str(tmp_path / "t.csv")
    assert again.target == study.target


def test_a_predictor_made_in_python_has_a_study_without_a_table():
    network = MultiTaskNetwork(max_epochs=2, patience=16)
    predictor = MultiTaskPredictor(["price", "sold"], network=network, max_steps=3, ignore="street", seed=4).fit(houses())
    said = {"target": ["price", "sold"], "ignore": ["street"], "seed": 4, "epochs": 2, "max_steps": 3}
    said["fit"] = {"preset": "network"}
    assert predictor.study_.to_dict() == said
    assert predictor.report_["study"] == said


def test_a_network_that_a_study_cannot_say_has_none(tmp_path):
    network = MultiTaskNetwork(clip_norm=0.5, max_steps=2)
    predictor = MultiTaskPredictor(["price", "sold"], network=network).fit(houses())
    assert predictor.study_ is None
    assert predictor.report_["study"] is None
    predictor.save(tmp_path / "model")
    assert not (tmp_path / "model" / "study.yaml").exists()
    assert load(tmp_path / "model").study_ is None


def test_encoders_losses_and_weights_that_have_a_name_are_in_its_study():
    network = MultiTaskNetwork(encoder=ResNet(embedding=Periodic()), max_steps=2)
    named = {"losses": {"price": "huber"}, "class_weights": {"sold": "balanced"}}
    study = MultiTaskPredictor(["price", "sold"], network=network, **named).fit(houses()).study_
    assert (study.encoder, study.numbers) == ("resnet", "periodic")
    assert (study.loss, study.class_weight) == ({"price": "huber"}, {"sold": "balanced"})
    again = study_predictor(study)
    assert repr(again.network.encoder) == repr(network.encoder)
    assert (again.losses, again.class_weights) == (named["losses"], named["class_weights"])


def test_a_loss_that_is_a_function_has_no_study():
    def cubic(predictions, target):
        return (predictions - target).abs() ** 3

    predictor = MultiTaskPredictor(["price", "sold"], losses={"price": cubic}, max_steps=2).fit(houses())
    assert predictor.study_ is None


def test_a_run_that_a_clock_ended_is_told_by_its_steps():
    predictor = MultiTaskPredictor(["price", "sold"], preset="network", time_limit=1e-3).fit(houses())
    assert predictor.report_["ended_by"] == "time"
    assert predictor.study_.fit.time_limit is None
    assert predictor.study_.max_steps == predictor.report_["steps"] >= 1
    again = study_predictor(predictor.study_).fit(houses())
    assert again.predict(houses()).equals(predictor.predict(houses()))


def test_no_text_is_an_empty_study():
    assert study_from(YAMLText({}), {}) == Study()


def test_a_balancing_method_is_in_its_study():
    for given, said in ((CAGrad(c=0.2), "cagrad:c=0.2"), ("famo", "famo")):
        network = MultiTaskNetwork(balancing=given, balance_at="features", max_steps=2)
        study = MultiTaskPredictor(["price", "sold"], network=network).fit(houses()).study_
        assert (study.balancing, study.balance_at) == (said, "features")
        assert study_predictor(study).network.balancing == said


def test_what_is_shared_is_in_its_study():
    for given, said in ((MMoE(n_experts=2, width=4), "mmoe:n_experts=2,width=4"), ("hard:tower_width=4", "hard:tower_width=4")):
        network = MultiTaskNetwork(sharing=given, max_steps=2)
        study = MultiTaskPredictor(["price", "sold"], network=network).fit(houses()).study_
        assert study.sharing == said
        assert study_predictor(study).network.sharing == said
