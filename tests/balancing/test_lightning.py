"""The Lightning loop of docs/balancing.md, run as it stands there; where Lightning is not installed, nothing is run."""

import warnings

import pytest
import torch

from polytask.balancing import backward
from tests.balancing._loops_of_docs import code_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # those of its imports
    lightning = pytest.importorskip("lightning")

pytestmark = pytest.mark.filterwarnings("ignore")  # advice on data loaders and loggers


@pytest.fixture
def page(tmp_path, monkeypatch):
    """What the block of the page defines, after it ran."""
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(code_of("Lightning"), found)
    return found


def trainer(page, epochs, folder):
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def fresh(page):
    torch.manual_seed(0)
    return page["Joint"]()


def by_hand(page, epochs):
    """The same in a plain loop."""
    model = fresh(page)
    optimizer = model.configure_optimizers()
    for _ in range(epochs):
        for X, y in page["batches"]:
            optimizer.zero_grad()
            losses, label_weight = model.losses(X, y)
            backward(losses, model.method, shared_params=model.trunk.parameters(), label_weight=label_weight)
            optimizer.step()
    return model


def test_the_page_trains(page):
    assert page["trainer"].global_step == 2 * len(page["batches"])
    assert page["trainer"].callback_metrics["conflicts"] >= 0


def test_lightning_takes_the_steps_of_a_plain_loop(page, tmp_path):
    model = fresh(page)
    trainer(page, 2, tmp_path).fit(model, page["batches"])
    expected = by_hand(page, 2).state_dict()
    for name, value in model.trunk.state_dict(prefix="trunk.").items():
        assert torch.equal(value, expected[name])


def test_a_checkpoint_of_lightning_holds_the_memory_of_the_method(page, tmp_path):
    """PCGrad draws its orders by chance: gone on with from a checkpoint, they are those of a run in one go."""
    whole, half, resumed = fresh(page), fresh(page), fresh(page)
    trainer(page, 4, tmp_path).fit(whole, page["batches"])
    first = trainer(page, 2, tmp_path)
    first.fit(half, page["batches"])
    first.save_checkpoint(tmp_path / "half.ckpt")
    trainer(page, 4, tmp_path).fit(resumed, page["batches"], ckpt_path=tmp_path / "half.ckpt", weights_only=False)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(whole.method.generator.get_state(), resumed.method.generator.get_state())
