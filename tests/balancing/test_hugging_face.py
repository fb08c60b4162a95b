"""The Hugging Face Trainer of docs/balancing.md, run as it stands there; where transformers is not installed, nothing is run."""

import warnings

import pytest
import torch

from polytask.balancing import backward
from tests.balancing._loops_of_docs import code_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # those of its imports
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

pytestmark = pytest.mark.filterwarnings("ignore")  # advice on pinned memory


@pytest.fixture
def page(tmp_path, monkeypatch):
    """What the block of the page defines, after it ran."""
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(code_of("Hugging Face Trainer"), found)
    return found


def arguments(page, folder, **settings):
    given = {"max_steps": 6, "per_device_train_batch_size": 8, "report_to": "none", "use_cpu": True, "disable_tqdm": True}
    return transformers.TrainingArguments(output_dir=str(folder), **{**given, "save_strategy": "no", **settings})


def fresh(page):
    torch.manual_seed(0)
    return page["TwoTasks"](page["config"])


def trained(page, folder, *, resume=None, **settings):
    trainer = page["BalancedTrainer"](
        model=fresh(page),
        args=arguments(page, folder, **settings),
        train_dataset=page["rows"],
        method=page["PCGrad"](),
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def test_the_page_trains(page):
    assert page["trainer"].state.global_step == 4


def test_the_trainer_takes_the_steps_of_a_plain_loop(page, tmp_path):
    """Gradients of the first step, before any optimizer has seen them."""
    trainer = page["BalancedTrainer"](
        model=fresh(page), args=arguments(page, tmp_path), train_dataset=page["rows"], method=page["PCGrad"]()
    )
    batch = next(iter(trainer.get_train_dataloader()))
    model, method = fresh(page), page["PCGrad"]()
    torch.manual_seed(1)
    trainer.create_optimizer()
    loss = trainer.training_step(trainer.model, batch)
    torch.manual_seed(1)
    model.train()
    losses, label_weight = model(**batch)
    backward(losses, method, shared_params=model.encoder.parameters(), label_weight=label_weight)
    assert float(loss) == pytest.approx(float(sum(losses)))
    for one, other in zip(trainer.model.parameters(), model.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_a_checkpoint_of_the_trainer_holds_the_memory_of_the_method(page, tmp_path):
    whole = trained(page, tmp_path / "whole")
    trained(page, tmp_path / "half", max_steps=6, save_strategy="steps", save_steps=3)
    resumed = trained(page, tmp_path / "half", resume=str(tmp_path / "half" / "checkpoint-3"))
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert torch.equal(whole.method.generator.get_state(), resumed.method.generator.get_state())
