"""The grammar of ``--target``."""

import pytest

from polytask.exceptions import TargetError
from polytask.tasks import Binary
from polytask.tasks._targets import KINDS, TargetSpec, nearest, parse_targets

COLUMNS = ["id", "price", "sold", "grade", "y_red", "y_blue", "y_green", "Jitter:RAP", "Jitter:PPQ", "a*b", "a=b", "x:binary"]


def parse(*specs):
    return parse_targets(list(specs), COLUMNS)


def names(*specs):
    return [target.name for target in parse(*specs)]


def test_a_plain_name_is_a_task_whose_kind_is_inferred():
    assert parse("price") == [TargetSpec("price", ("price",), None)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_follows_the_last_colon(kind):
    assert parse(f"grade:{kind}") == [TargetSpec("grade", ("grade",), kind)]


def test_targets_keep_the_order_they_are_given_in():
    assert names("sold", "price", "grade:ordinal") == ["sold", "price", "grade"]


@pytest.mark.parametrize("name", ["Jitter:RAP", "a*b", "a=b", "x:binary"])
def test_an_exact_column_name_comes_before_every_other_reading(name):
    assert parse(name) == [TargetSpec(name, (name,), None)]


@pytest.mark.parametrize("name", ["Jitter:RAP", "a*b", "a=b", "x:binary"])
def test_a_kind_can_follow_a_name_with_signs_in_it(name):
    assert parse(f"{name}:count") == [TargetSpec(name, (name,), "count")]


def test_a_pattern_names_every_column_it_matches_in_table_order():
    assert names("y_*") == ["y_red", "y_blue", "y_green"]


def test_a_pattern_may_hold_a_colon():
    assert names("Jitter:*") == ["Jitter:RAP", "Jitter:PPQ"]


def test_a_pattern_with_a_kind_gives_every_column_that_kind():
    assert {target.kind for target in parse("y_*:binary")} == {"binary"}


def test_a_pattern_can_exclude_by_brackets():
    assert names("y_[!r]*") == ["y_blue", "y_green"]


def test_case_counts_in_patterns():
    with pytest.raises(TargetError, match="matches no column"):
        parse("Y_*")


def test_several_columns_become_one_multilabel_task():
    assert parse("tags=y_*:multilabel") == [TargetSpec("tags", ("y_red", "y_blue", "y_green"), "multilabel")]


def test_the_columns_of_a_multilabel_task_can_be_listed():
    assert parse("tags=y_red,y_green:multilabel") == [TargetSpec("tags", ("y_red", "y_green"), "multilabel")]


def test_a_list_may_mix_names_and_patterns_without_doubling():
    assert parse("tags=y_g*, y_*,sold:multilabel")[0].columns == ("y_green", "y_red", "y_blue", "sold")


def test_one_column_can_be_a_multilabel_task_of_another_name():
    assert parse("tags=y_red:multilabel") == [TargetSpec("tags", ("y_red",), "multilabel")]


def test_a_single_string_is_one_spec():
    assert parse_targets("price", COLUMNS) == parse("price")


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], r"No target is given.*--target.*'id', 'price'"),
        (["prise"], r"Target 'prise' is not in the table.*Did you mean 'price'\?"),
        (["PRICE"], r"Did you mean 'price'\?"),
        (["jitter:rap"], r"Did you mean 'Jitter:RAP'"),
        (["prise:count"], r"The column 'prise' of target 'prise:count'.*Did you mean 'price'\?"),
        (["prise:cuont"], r"Target 'prise:cuont' is not in the table.*'price'"),
        (["grade:ordnal"], r"unknown kind 'ordnal'.*regression, binary.*Did you mean 'ordinal'\?"),
        (["grade:"], r"unknown kind ''"),
        (["y_*:bin"], r"unknown kind 'bin'"),
        (["tags=y_*:multi"], r"unknown kind 'multi'.*'multilabel'"),
        (["z_*"], r"The pattern 'z_\*' matches no column"),
        (["z_*:binary"], r"The pattern 'z_\*' of target 'z_\*:binary' matches no column"),
        (["tags=z_*:multilabel"], r"The pattern 'z_\*' of target"),
        (["tags=y_red,y_bleu:multilabel"], r"The column 'y_bleu' of target.*Did you mean 'y_blue'"),
        (["tags=y_*"], r"needs a kind: write 'tags=y_\*:multilabel'"),
        (["y_*:multilabel"], r"the task needs a name: write 'NAME=y_\*:multilabel'"),
        (["tags=y_*:binary"], r"must be of kind multilabel; got 'binary'"),
        (["price", "price:count"], r"Column 'price' is in two targets, 'price' and 'price:count'"),
        (["y_*", "y_red:ordinal"], r"Column 'y_red' is in two targets"),
        (["sold", "sold=y_*:multilabel"], r"Two tasks are named 'sold'"),
        ([""], r"Target '' is not in the table"),
        (["=y_*:multilabel"], r"matches no column"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(specs, message):
    with pytest.raises(TargetError, match=message) as caught:
        parse_targets(specs, COLUMNS)
    assert "\n" not in str(caught.value)


def test_a_long_list_of_columns_is_shortened_in_the_message():
    with pytest.raises(TargetError, match=r"'c11' and 88 more\."):
        parse_targets(["nothing"], [f"c{i}" for i in range(100)])


def test_nearest_gives_nothing_for_a_far_name():
    assert nearest("weather", ["price", "sold"]) == []


@pytest.mark.parametrize("order", ["low<middle<high", "low,middle,high", " low < middle < high"])
def test_an_ordinal_target_can_give_the_order_of_its_classes(order):
    assert parse(f"grade:ordinal={order}") == [TargetSpec("grade", ("grade",), "ordinal", ("low", "middle", "high"))]


def test_classes_with_commas_or_colons_are_ordered_by_less_than_signs():
    assert parse("grade:ordinal=a, b<c: d")[0].order == ("a, b", "c: d")


def test_a_pattern_gives_every_column_the_same_order():
    assert {target.order for target in parse("y_*:ordinal=1<2<3")} == {("1", "2", "3")}


def test_a_column_named_like_an_order_is_that_column():
    columns = ["a", "a:ordinal=b<c"]
    assert parse_targets(["a:ordinal=b<c"], columns) == [TargetSpec("a:ordinal=b<c", ("a:ordinal=b<c",), None)]


@pytest.mark.parametrize("order", ["", "low", "low<<high", "low<high<low"])
def test_an_order_names_every_class_once(order):
    with pytest.raises(TargetError, match=r"must name every class once.*Write 'grade:ordinal=LOWEST<\.\.\.<HIGHEST'"):
        parse(f"grade:ordinal={order}")


def test_an_order_of_a_column_that_is_not_there_or_another_kind_is_told():
    with pytest.raises(TargetError, match=r"The column 'grad' of target .* Did you mean 'grade'"):
        parse("grad:ordinal=a<b")
    with pytest.raises(TargetError, match=r"unknown kind 'ordnal=a<b'.*Did you mean 'ordinal'"):
        parse("grade:ordnal=a<b")


DERIVED = ["num", "price", "age", "city", "tags", "area (m2)", "a>b", "odd, name", "y_red", "y_blue", "same as before", "J:RAP"]


def derived(spec, columns=DERIVED):
    return [(t.name, t.kind, t.derived.source, t.derived.function, t.derived.arguments) for t in parse_targets([spec], columns)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("num>0 as presence", ("presence", "binary", "num", ">", (0.0,))),
        (" num  >= -1.5 ", ("num>=-1.5", "binary", "num", ">=", (-1.5,))),
        ("city==Oslo", ("city==Oslo", "binary", "city", "==", ("Oslo",))),
        ("city != 'such as <it>' as c", ("c", "binary", "city", "!=", ("such as <it>",))),
        ("log(price)", ("log(price)", "regression", "price", "log", ())),
        ("log( price ) as lp:count", ("lp", "count", "price", "log", ())),
        ("bins(age, 30,60) as group", ("group", "ordinal", "age", "bins", (30.0, 60.0))),
        ("quantiles(age, 4):multiclass", ("quantiles(age, 4)", "multiclass", "age", "quantiles", (4.0,))),
        ("onehot(city)", ("city", "binary", "city", "onehot", ())),
        ('split(tags, "|")', ("tags", "binary", "tags", "split", ("|",))),
        ('split(tags, ",") as t', ("t", "binary", "tags", "split", (",",))),
        (r"split(tags, '\t')", ("tags", "binary", "tags", "split", ("\t",))),
    ],
)
def test_a_target_can_be_made_from_a_column(spec, expected):
    assert derived(spec) == [expected]


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        ("log(area (m2))", "area (m2)"),
        ("a>b>3", "a>b"),
        ("log(odd, name)", "odd, name"),
        ("bins(odd, name, 1)", "odd, name"),
        ('sqrt("odd, name")', "odd, name"),
        ("same as before>1 as s", "same as before"),
        ("J:RAP>1", "J:RAP"),
    ],
)
def test_the_exact_name_of_a_column_wins_within_an_expression(spec, source):
    assert derived(spec)[0][2] == source


@pytest.mark.parametrize("name", ["log(price)", "num>0", "num>0 as presence", "bins(age, 30)"])
def test_a_column_named_like_an_expression_is_that_column(name):
    columns = [*DERIVED, name]
    assert parse_targets([name], columns) == [TargetSpec(name, (name,))]
    assert parse_targets([f"{name}:count"], columns) == [TargetSpec(name, (name,), "count")]


def test_a_pattern_makes_a_target_of_each_of_its_columns():
    assert [target[0] for target in derived("log1p(y_*)")] == ["log1p(y_red)", "log1p(y_blue)"]
    assert [target[0] for target in derived("y_*>0")] == ["y_red>0", "y_blue>0"]


def test_several_targets_may_be_made_from_one_column():
    assert [target.sources for target in parse_targets(["price", "log(price)", "price>3"], DERIVED)] == [("price",)] * 3


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["log(prise)"], r"The column 'prise' of target 'log\(prise\)' is not in the table\. Did you mean 'price'\?"),
        (["prise>3:binary"], r"The column 'prise' of target 'prise>3:binary' .*Did you mean 'price'\?"),
        (["lgo(price)"], r"uses the unknown function 'lgo'\. Did you mean 'log'\?"),
        (["weather(price)"], r"unknown function 'weather'\. Functions are 'log', 'log1p', 'sqrt', 'bins'"),
        (["area(m3)"], r"Target 'area\(m3\)' is not in the table\. Did you mean 'area \(m2\)'\?"),
        (["log()"], r"names no column"),
        (["log(price, 2)"], r"'log' takes a column and nothing else; got '2' too"),
        (["log(log(price))"], r"a function within a function"),
        (["num>"], r"compares column 'num' with nothing"),
        (["num>few"], r"'>' compares with a number; got 'few'"),
        (["city=Oslo"], r"If it compares, write 'city==Oslo'"),
        (["bins(age)"], r"edges that rise.*got no edge"),
        (["bins(age, 60, 30)"], r"edges that rise.*got 60, 30"),
        (["bins(age, old)"], r"the edges of 'bins' are numbers; got 'old'"),
        (["quantiles(age)"], r"a number of bins from 2 to 100; got nothing"),
        (["quantiles(age, 1)"], r"got 1\."),
        (["split(tags, a, b)"], r"what stands between tags"),
        (["num>0 as price"], r"The name 'price' of target .* is a column of the table already\. Choose another"),
        (["y_*>0 as some"], r"gives one name to the tasks of 2 columns"),
        (["num>0 as a", "age>3 as a"], r"Two tasks are named 'a'"),
        (["num>0", "num > 0"], r"Two tasks are named 'num>0'"),
        (["num>0:binray"], r"unknown kind 'binray'.*Did you mean 'binary'\?"),
        (["log(price) as p:regresion"], r"unknown kind 'regresion'"),
    ],
)
def test_an_expression_that_cannot_be_read_is_told_in_one_sentence(specs, message):
    with pytest.raises(TargetError, match=message) as caught:
        parse_targets(specs, DERIVED)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["num>0 as ''", "num>0 as ", 'num>0 as " ":binary', "log1p(num) as ''"])
def test_an_empty_name_of_a_task_is_refused(spec):
    with pytest.raises(TargetError, match=r"gives an empty name\. Write a name after 'as', or leave 'as' out"):
        parse_targets([spec], ["num"])


def test_a_name_may_be_in_quotes():
    assert parse_targets(["num>0 as 'is there'"], ["num"])[0].name == "is there"
    assert parse_targets(["num=='as'"], ["num"])[0].name == "num==as"


def test_no_task_goes_without_a_name():
    with pytest.raises(TargetError, match="A task must have a name; got ' '"):
        Binary(" ")


@pytest.mark.parametrize("spec", ["quantiles(age,4", "quantiles(age,4:multiclass", "log(age as old"])
def test_a_missing_bracket_is_told(spec):
    with pytest.raises(TargetError, match=r"lacks a closing bracket\. Write such as '\w+\(age[,4]*\)'"):
        parse_targets([spec], ["age"])
