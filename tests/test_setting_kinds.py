"""Values of a wrong kind in settings that are given by name."""

import inspect

import pytest

from polytask._named import check_settings
from polytask.balancing._names import method_names, method_of, method_text
from polytask.exceptions import OptionError
from polytask.networks.initialization._initializers import INITIALIZERS
from polytask.networks.sharing import sharing_of
from polytask.networks.sharing._registry import sharing_text
from polytask.optim import REGULARIZERS
from polytask.optim._by_part import OPTIMIZERS
from polytask.optim._schedules import SCHEDULES


@pytest.mark.parametrize("name", ["007", "1e3", "buy, later", "don't", "'so'", 'in "quotes", of two'])
def test_names_of_tasks_stay_text(name):
    quote = '"' if "'" in name else "'"
    recipe = sharing_of(f"esmm:parent={quote}{name}{quote},child=buy")
    assert recipe.get_params(deep=False) == {"parent": name, "child": "buy", "sharing": None, "elsewhere": "refuse"}
    assert repr(sharing_of(sharing_text(recipe))) == repr(recipe)
    assert sharing_of("esmm:parent=007,child=1.50").parent == "007"


@pytest.mark.parametrize(
    ("table", "text"), [(OPTIMIZERS, "encoder=sgd;encoder=adam"), (INITIALIZERS, "heads=zeros;heads=sparse")]
)
def test_a_part_given_twice_is_refused(table, text):
    with pytest.raises(OptionError, match=r"'(encoder|heads)' is given twice in `o`"):
        table.by_part(text, parts=("encoder", "sharing", "heads"), option="`o`")


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (method_of, "cagrad:c=foo", "'c' of CAGrad in `o` must be a number; got 'foo'."),
        (method_of, "cagrad:c=nan", "'c' of CAGrad in `o` must be a number; got nan."),
        (method_of, "cagrad:c=true", "'c' of CAGrad in `o` must be a number; got True."),
        (method_of, "every:method=cagrad:c=x,k=10", "'c' of CAGrad in `o` must be a number; got 'x'."),
        (method_of, "every:method=mgda,k=2.5", "'k' of Every in `o` must be a whole number; got 2.5."),
        (
            method_of,
            "fixed_weights:weights=2",
            "'weights' of FixedWeights in `o` must be given by entries (NAME.TASK=NUMBER); got 2.",
        ),
        (sharing_of, "mmoe:n_experts=foo", "'n_experts' of MMoE in `o` must be a whole number; got 'foo'."),
        (OPTIMIZERS.of, "sgd:momentum=foo", "'momentum' of SGD in `o` must be a number; got 'foo'."),
        (OPTIMIZERS.of, "sgd:momentum=0.9,momentum=0.1", "'momentum' in `o` is given twice. Give it once."),
        (sharing_of, "mmoe:=3", "A setting in `o` must have a name; got '=3'. Write such as 'hard:tower_width=32'."),
        (
            method_of,
            "fixed_weights:weights.=2",
            "A setting in `o` must have a name; got 'weights.=2'. Write such as 'cagrad:c=0.5'.",
        ),
        (sharing_of, "mmoe:n_experts=4,n_experts=5", "'n_experts' in `o` is given twice. Give it once."),
        (method_of, "fixed_weights:weights.a=2,weights.a=3", "'weights.a' in `o` is given twice. Give it once."),
        (OPTIMIZERS.of, "sgd:nesterov=3", "'nesterov' of SGD in `o` must be true or false; got 3."),
    ],
)
def test_a_value_of_a_wrong_kind_is_told_in_a_sentence(read, text, said):
    with pytest.raises(OptionError) as caught:
        read(text, option="`o`")
    assert str(caught.value) == said


def test_numbers_of_either_kind_entries_and_none_are_taken():
    assert method_text(method_of("cagrad:c=1")) in ("cagrad:c=1", "cagrad:c=1.0")
    assert method_of("fixed_weights:weights.price=2").weights == {"price": 2}


@pytest.mark.parametrize(
    "known", [method_names(), OPTIMIZERS.classes, SCHEDULES.classes, REGULARIZERS.classes, INITIALIZERS.classes]
)
def test_the_defaults_of_every_class_are_of_the_kinds_it_names(known):
    """Else a text that repeats a default would be refused."""
    for own in known.values():
        if own.__init__ is object.__init__:
            continue
        parameters = inspect.signature(own.__init__).parameters
        needed = [name for name in own._setting_names() if parameters[name].default is inspect.Parameter.empty]
        defaults = {name: parameters[name].default for name in own._setting_names() if name not in needed}
        if not needed:
            check_settings(own, own._setting_names(), defaults, option="`o`")
