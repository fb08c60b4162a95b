"""Speed of the training loop, as ratios within one run.

- ``training.fit`` against the same training written by hand in plain PyTorch: same module, batches, losses, fused AdamW,
  clipping, schedule, and the same final weights (checked);
- the same with polytask's losses in the hand-written loop, which leaves the cost of the loop alone;
- against the hand-written loop fed by a ``DataLoader``, one row at a time, as it is usually done;
- stacked networks (one joint network and its single-task twins, trained at once) against one after the other.

The contestants take turns in every repeat, so that other work on the machine meets all of them; the median ratio is shown.

    python benchmarks/speed/loop.py [--repeats 15] [--epochs 3] [--rows 10000] [--batch 256]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from polytask.networks import MLP, HardSharing, MultiTaskModule, TableShape, build_module
from polytask.optim import warmup_cosine
from polytask.tasks import Binary, Count, FittedTask, Multiclass, Regression
from polytask.training import (
    OneNetwork,
    StackedNetworks,
    TaskLosses,
    TrainingData,
    TrainingSettings,
    epoch_batches,
    fit,
    mean_losses,
)

N_FEATURES = 20
N_CLASSES = 4
MISSING = 0.2


@dataclass(frozen=True)
class Problem:
    """Prepared inputs, targets and weights of four tasks: regression, binary, multiclass, count."""

    dense: Tensor
    codes: Tensor
    target: Tensor
    weight: Tensor
    tasks: list[FittedTask]
    scale: Tensor


def make_problem(n_rows: int) -> Problem:
    """Draw a table whose four targets depend on the inputs; a fifth of the labels is missing."""
    import pandas as pd

    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, N_FEATURES))
    score = X @ rng.normal(size=(N_FEATURES, 4)) / np.sqrt(N_FEATURES)
    y = pd.DataFrame(
        {
            "price": score[:, 0],
            "sold": (score[:, 1] > 0).astype(float),
            "grade": np.digitize(score[:, 2], [-0.7, 0.0, 0.7]).astype(float),
            "visits": rng.poisson(np.exp(0.5 * score[:, 3])).astype(float),
        }
    ).mask(rng.uniform(size=(n_rows, 4)) < MISSING)
    fitted, columns = [], []
    for task in (Regression("price"), Binary("sold"), Multiclass("grade"), Count("visits")):
        one = task.fit(y)
        target = one.encode(y)
        fitted.append(one.with_statistics(target, (~np.isnan(target)).astype(float)))
        columns.append(fitted[-1].training_target(target))
    joined = np.concatenate(columns, axis=1)
    target = torch.as_tensor(np.nan_to_num(joined), dtype=torch.float32)
    weight = torch.as_tensor(~np.isnan(joined), dtype=torch.float32)
    constants = torch.as_tensor(np.concatenate([task.constant_raw() for task in fitted]), dtype=torch.float32).expand(n_rows, -1)
    scale = mean_losses(*TaskLosses(fitted)(constants, target, weight))
    dense = torch.as_tensor(X, dtype=torch.float32)
    return Problem(dense, torch.zeros(n_rows, 0, dtype=torch.long), target, weight, fitted, scale)


def module_of(problem: Problem, *, seed: int = 0) -> MultiTaskModule:
    """Build the network of polytask's defaults for this problem."""
    generator = torch.Generator().manual_seed(seed)
    return build_module(MLP(), HardSharing(), shape=TableShape(N_FEATURES), tasks=problem.tasks, generator=generator)


def train_polytask(problem: Problem, settings: TrainingSettings) -> nn.Module:
    """Train with ``training.fit``."""
    module = module_of(problem)
    rows = torch.arange(len(problem.dense))
    data = TrainingData(
        (problem.dense, problem.codes), problem.target, problem.weight, [rows], [rows[:0]], problem.scale, torch.zeros(4)
    )
    fit(OneNetwork(module), data, problem.tasks, settings=settings, seeds=[0])
    return module


def masked_losses(outputs: Tensor, target: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """The four losses by hand: the mean over observed labels, as a share of the constant predictor's; then the mean of tasks."""
    price, sold, grade, visits = outputs[:, 0], outputs[:, 1], outputs[:, 2 : 2 + N_CLASSES], outputs[:, 2 + N_CLASSES]
    count = target[:, 3]
    deviance = 2 * (torch.xlogy(count, count) - count * visits - count + visits.exp())
    values = torch.stack(
        [
            (price - target[:, 0]) ** 2,
            F.binary_cross_entropy_with_logits(sold, target[:, 1], reduction="none"),
            F.cross_entropy(grade, target[:, 2].long(), reduction="none"),
            deviance,
        ],
        dim=1,
    )
    return ((values * weight).sum(0) / weight.sum(0) / scale).mean()


def polytask_losses(tasks: list[FittedTask]) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The same as :func:`masked_losses` by the losses of polytask, which take NaN and infinity wherever the weight is 0."""
    losses_of = TaskLosses(tasks)
    return lambda outputs, target, weight, scale: (mean_losses(*losses_of(outputs, target, weight)) / scale).mean()


def train_by_hand(
    problem: Problem,
    settings: TrainingSettings,
    batches: Callable[[int], object],
    loss_of: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] = masked_losses,
) -> nn.Module:
    """Train in plain PyTorch; ``batches(epoch)`` gives (dense, codes, target, weight)."""
    module = module_of(problem)
    parameters = dict(module.named_parameters())
    decayed = [p for name, p in parameters.items() if not name.endswith("bias")]
    biases = [p for name, p in parameters.items() if name.endswith("bias")]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    total_steps = settings.max_epochs * -(-len(problem.dense) // settings.batch_size)
    step = 0
    module.train()
    for epoch in range(1, settings.max_epochs + 1):
        total = torch.zeros(())
        for dense, codes, target, weight in batches(epoch):  # type: ignore[attr-defined]
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * warmup_cosine(step, total_steps=total_steps)
            loss = loss_of(module(dense, codes), target, weight, problem.scale)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), settings.clip_norm or 1.0)
            optimizer.step()
            total += loss.detach()
            step += 1
    return module.eval()


def indexed(problem: Problem, settings: TrainingSettings) -> Callable[[int], object]:
    """Batches by index tensors, in the order of polytask."""
    rows = [torch.arange(len(problem.dense))]

    def batches(epoch: int) -> object:
        for own in epoch_batches(rows, batch_size=settings.batch_size, seeds=[0], epoch=epoch):
            yield problem.dense[own], problem.codes[own], problem.target[own], problem.weight[own]

    return batches


def loaded(problem: Problem, settings: TrainingSettings) -> Callable[[int], object]:
    """Batches of a DataLoader in this process, row by row."""
    dataset = TensorDataset(problem.dense, problem.codes, problem.target, problem.weight)
    loader = DataLoader(dataset, batch_size=settings.batch_size, shuffle=True)
    return lambda epoch: loader


def train_stacked(problem: Problem, settings: TrainingSettings, *, n: int) -> None:
    """Train one joint network and ``n - 1`` single-task twins as one stack."""
    rows = torch.arange(len(problem.dense))
    data = TrainingData(
        (problem.dense[None], problem.codes[None]),
        problem.target[None],
        problem.weight,
        [rows] * n,
        [rows[:0]] * n,
        problem.scale.expand(n, -1),
        torch.zeros(n, 4),
        fold=torch.zeros(n, dtype=torch.long),
        mask=torch.cat([torch.ones(1, 4), torch.eye(4)])[:n],
    )
    fit(
        StackedNetworks([module_of(problem, seed=r) for r in range(n)]),
        data,
        problem.tasks,
        settings=settings,
        seeds=list(range(n)),
    )


def train_in_turn(problem: Problem, settings: TrainingSettings, *, n: int) -> None:
    """Train the same networks one after the other."""
    rows = torch.arange(len(problem.dense))
    masks = torch.cat([torch.ones(1, 4), torch.eye(4)])[:n]
    for r in range(n):
        weight = problem.weight * masks[r]
        data = TrainingData(
            (problem.dense, problem.codes), problem.target, weight, [rows], [rows[:0]], problem.scale, torch.zeros(4)
        )
        fit(OneNetwork(module_of(problem, seed=r)), data, problem.tasks, settings=settings, seeds=[r])


def seconds_of(contestants: dict[str, Callable[[], object]], *, repeats: int) -> dict[str, np.ndarray]:
    """Seconds of every contestant in every repeat; they take turns, and the order turns too."""
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats + 1):  # the first one warms up
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            started = time.perf_counter()
            contestants[name]()
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def show_ratio(what: str, slower: np.ndarray, faster: np.ndarray) -> None:
    """Print the median ratio of two contestants with its quartiles over repeats."""
    low, middle, high = np.quantile(slower / faster, [0.25, 0.5, 0.75])
    print(f"{what:<62} {middle:5.2f}x  (quartiles {low:.2f} to {high:.2f})")


def check_same_weights(problem: Problem, settings: TrainingSettings) -> None:
    """Make sure that the loop and the hand-written one do the same: equal weights, dropout apart drawn from the same seed."""
    from polytask.training import seed_of

    ours = train_polytask(problem, settings)
    torch.manual_seed(seed_of(0, 2**20))  # dropout
    by_hand = train_by_hand(problem, settings, indexed(problem, settings))
    for (name, p), q in zip(ours.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = make_problem(options.rows)
    settings = TrainingSettings(max_epochs=options.epochs, batch_size=options.batch, patience=None)
    check_same_weights(problem, settings)

    print(f"{options.rows} rows x {N_FEATURES} numeric, 4 tasks, batch {options.batch}, one thread, {options.repeats} repeats")
    seconds = seconds_of(
        {
            "polytask": lambda: train_polytask(problem, settings),
            "by hand": lambda: train_by_hand(problem, settings, indexed(problem, settings)),
            "by hand, polytask's losses": lambda: train_by_hand(
                problem, settings, indexed(problem, settings), polytask_losses(problem.tasks)
            ),
            "DataLoader": lambda: train_by_hand(problem, settings, loaded(problem, settings)),
        },
        repeats=options.repeats,
    )
    steps = options.epochs * -(-options.rows // options.batch)
    print("milliseconds per step: " + ", ".join(f"{name} {1e3 * np.median(s) / steps:.2f}" for name, s in seconds.items()))
    show_ratio("training.fit / hand-written loop", seconds["polytask"], seconds["by hand"])
    show_ratio(
        "training.fit / hand-written loop with polytask's losses", seconds["polytask"], seconds["by hand, polytask's losses"]
    )
    show_ratio("DataLoader loop / training.fit", seconds["DataLoader"], seconds["polytask"])

    for n_rows, batch in ((600, 32), (2_000, 128)):
        small = make_problem(n_rows)
        plan = TrainingSettings(max_epochs=options.epochs, batch_size=batch, patience=None)
        seconds = seconds_of(
            {
                "stacked": lambda small=small, plan=plan: train_stacked(small, plan, n=5),
                "in turn": lambda small=small, plan=plan: train_in_turn(small, plan, n=5),
            },
            repeats=options.repeats,
        )
        show_ratio(
            f"5 networks one after the other / stacked ({n_rows} rows, batch {batch})", seconds["in turn"], seconds["stacked"]
        )


if __name__ == "__main__":
    main()
