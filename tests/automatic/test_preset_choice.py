"""What is fitted where no preset is named: a portfolio, or one network if something is named that only networks have."""

import pytest
import torch

import polytask
from polytask.automatic import MultiTaskPredictor, Study, preset_of, study_predictor
from polytask.automatic._presets import PRESETS
from polytask.estimators import MultiTaskNetwork
from polytask.exceptions import OptionError
from polytask.losses import Huber, LogCosh
from polytask.tasks import Regression
from tests.automatic._tables import houses, predictor

SETTINGS = [
    {"encoder": "mlp"},  # the default, but named
    {"encoder": "resnet"},
    {"numbers": "periodic"},
    {"sharing": "mmoe"},
    {"balancing": "pcgrad"},
    {"balance_at": "features"},
    {"initialization": "he_normal"},
    {"optimizer": "sgd"},
    {"schedule": "constant"},
    {"regularization": "l1:strength=0.2"},
    {"ema": 0.9},
    {"learning_rate": 0.01},
    {"weight_decay": 0.0},
    {"batch_size": 16},
    {"batches": "class_aware"},
    {"accumulate": 2},
    {"precision": "bfloat16"},
    {"patience": 3},
    {"stopping": "per_task"},
    {"epochs": 3},
    {"max_steps": 5},
    {"loss": {"sold": "focal"}},
    {"loss": {"sold": "cross_entropy:0.1"}},
    {"loss": {"price": "gaussian"}},
]


def asked(fit=None, **fields):
    return study_predictor(Study(target=["price", "sold"], fit=fit or {}, **fields))


@pytest.mark.parametrize("fields", SETTINGS, ids=str)
def test_what_only_networks_have_asks_for_one_and_a_preset_goes_before_it(fields):
    (name,) = fields
    choice = preset_of(asked(**fields))
    assert (choice.preset, choice.named) == ("network", (f"--{name.replace('_', '-')}",))
    assert preset_of(asked({"preset": "best"}, **fields)).preset == "best"
    assert preset_of(asked({"preset": "best"}, **fields)).sentence == ""
    with pytest.raises(OptionError, match=rf"--{name.replace('_', '-')}.* is of networks, and --preset fast has none"):
        asked({"preset": "fast"}, **fields)


@pytest.mark.parametrize(
    "fields", [{}, {"seed": 3}, {"threads": 2}, {"device": "cpu"}, {"loss": {"price": "mae", "sold": "cross_entropy"}}], ids=str
)
def test_all_else_is_of_every_model(fields):
    assert preset_of(asked(**fields)).preset == "balanced"
    assert preset_of(asked({"preset": "fast"}, **fields)).preset == "fast"


def test_in_python_a_network_steps_and_own_losses_ask_for_one():
    assert MultiTaskPredictor("price").preset_ == "balanced"
    assert MultiTaskPredictor("price", losses={"price": Huber()}).preset_ == "balanced"
    assert MultiTaskPredictor("price", max_steps=3).preset_ == "network"
    assert MultiTaskPredictor("price", network=MultiTaskNetwork()).preset_ == "network"
    assert MultiTaskPredictor("price", losses={"price": lambda a, b: (a - b) ** 2}).preset_ == "network"
    assert MultiTaskPredictor([Regression("price", loss=LogCosh())]).preset_ == "network"
    with pytest.raises(OptionError, match="`max_steps` is of networks, and preset 'fast' has none"):
        MultiTaskPredictor("price", max_steps=3, preset="fast").fit(houses())


def test_a_device_that_is_there_is_refused_where_no_network_is(monkeypatch):
    monkeypatch.setattr("polytask.automatic._preset_choice.torch_device", torch.device)
    with pytest.raises(OptionError, match="`device` 'cuda' is of networks"):
        MultiTaskPredictor("price", device="cuda", preset="fast").fit(houses())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("device", ["cuda:99", "gpu", 3.5])
def test_a_device_that_is_not_there_is_refused_though_no_network_may_get_a_turn(preset, device, monkeypatch):
    monkeypatch.setattr("polytask.automatic._predictor_fit.divide_table", None)  # any work would fail
    with pytest.raises(OptionError, match=f"`device` must be one that torch has here; got {device!r}"):
        MultiTaskPredictor("price", device=device, preset=preset, time_limit=0.1).fit(houses())


def test_what_asks_for_a_network_and_for_a_portfolio_is_refused():
    with pytest.raises(OptionError, match=r"--sharing asks for one network and --deploy for a portfolio\. .* name --preset too"):
        asked({"deploy": "refit"}, sharing="mmoe")
    assert asked({"deploy": "refit", "preset": "balanced"}, sharing="mmoe").preset_ == "balanced"
    with pytest.raises(OptionError, match="warm_start"):
        MultiTaskPredictor("price", max_steps=3).fit(houses(), warm_start=True)


def test_the_sentence_names_what_was_named():
    told = preset_of(asked(sharing="mmoe", epochs=3)).sentence
    assert told.startswith("Trains one network, because --sharing and --epochs were named; with --preset balanced they set")
    told = preset_of(MultiTaskPredictor("price", max_steps=3)).sentence
    assert told.startswith("Trains one network, because `max_steps` was named; with preset='balanced' it sets")


def test_the_study_of_an_early_model_is_still_that_of_its_network(tmp_path):
    found = predictor(["price", "sold"], network=MultiTaskNetwork(max_steps=3)).fit(houses())
    assert found.study_.fit.preset == "network"
    found.study_ = found.study_.with_preset(None)  # as it was written when the network was the default
    found.save(tmp_path / "model")
    assert "preset" not in (tmp_path / "model" / "study.yaml").read_text()
    assert polytask.load(tmp_path / "model").study_.fit.preset == "network"
