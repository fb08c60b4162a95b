r"""GradNorm's toy: tasks that are alike but for their scale, 2 and 10 of them.

    python benchmarks/reproduce/grad_norm_toy.py           # some minutes; prints a table, pass or fail, draws grad_norm_toy.svg

Task t is to give s_t tanh((B + E_t) x) for 250 inputs and 100 outputs, elements of B and E_t drawn with variance 10 and 3.5;
scales s = (1, 100), or ten from 1 to 100. Four layers of 100 rectified units for all tasks and one linear head each, squared
error. Told is the mean over tasks of the error on held-out inputs divided by that before training.

The paper does not say how inputs are drawn: here of length 1 in the tanh, given to the network with variance 1, new ones in every
step, 100 a step; Adam with learning rate 1e-3, 2,000 steps, two seeds. GradNorm with alpha = 0.12 as in the paper, its norms
taken at the last shared features.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import torch
from _report import check, save
from torch import Tensor, nn

from polytask.balancing import BalancingMethod, Equal, FixedWeights, GradNorm, ScaleInvariant, Uncertainty, backward

INPUTS, OUTPUTS, WIDTH, BATCH, STEPS, EVERY, SEEDS = 250, 100, 100, 100, 2000, 100, (0, 1)
SCALES = {2: torch.tensor([1.0, 100.0]), 10: torch.logspace(0, 2, 10)}

METHODS: dict[str, Callable[[Tensor], BalancingMethod]] = {
    "Equal": lambda first: Equal(),
    "Equal, scaled": lambda first: FixedWeights({t: 1 / float(loss) for t, loss in enumerate(first)}),
    "Uncertainty": lambda first: Uncertainty(),
    "ScaleInvariant": lambda first: ScaleInvariant(),
    "GradNorm": lambda first: GradNorm(alpha=0.12),
}


def inputs(n: int, generator: torch.Generator) -> Tensor:
    """Points [n, INPUTS] of variance 1."""
    x = torch.randn(n, INPUTS, generator=generator)
    return x * INPUTS**0.5 / x.norm(dim=1, keepdim=True)


def train(make: Callable[[Tensor], BalancingMethod], n_tasks: int, *, seed: int) -> tuple[list[float], Tensor]:
    """Mean relative held-out error every 100 steps, and weights at the end."""
    generator = torch.Generator().manual_seed(seed)
    shared = 10**0.5 * torch.randn(OUTPUTS, INPUTS, generator=generator)
    own = 3.5**0.5 * torch.randn(n_tasks, OUTPUTS, INPUTS, generator=generator)
    test = inputs(1000, generator)

    def targets(x: Tensor) -> Tensor:
        return SCALES[n_tasks][:, None, None] * torch.tanh(x / INPUTS**0.5 @ (shared + own).mT)  # [T, n, outputs]

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for width in (INPUTS, WIDTH, WIDTH, WIDTH):
        layers += [nn.Linear(width, WIDTH), nn.ReLU()]
    trunk, heads = nn.Sequential(*layers), nn.ModuleList([nn.Linear(WIDTH, OUTPUTS) for _ in range(n_tasks)])

    def errors() -> Tensor:
        with torch.no_grad():
            z = trunk(test)
            return torch.stack([(head(z) - y).square().mean() for head, y in zip(heads, targets(test), strict=True)])

    first = errors()
    method = make(first)
    optimizer, history = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-3), [1.0]
    for step in range(1, STEPS + 1):
        x = inputs(BATCH, generator)
        z = trunk(x)
        losses = [(head(z) - y).square().mean() for head, y in zip(heads, targets(x), strict=True)]
        balance = backward(losses, method, features=z if "gramian" in method.needs else None)
        optimizer.step()
        optimizer.zero_grad()
        if step % EVERY == 0:
            history.append(float((errors() / first).mean()))
    return history, balance.weights


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_suffix(".svg"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    curves, last = {}, {}
    print("| tasks | method | relative error at the end, mean of the seeds | of each seed | weights |\n|--:|---|--:|---|---|")
    for n_tasks in SCALES:
        for name, make in METHODS.items():
            runs = [train(make, n_tasks, seed=seed) for seed in SEEDS]
            curves[n_tasks, name] = [fmean(values) for values in zip(*(history for history, _ in runs), strict=True)]
            last[n_tasks, name] = [history[-1] for history, _ in runs]
            weights = runs[0][1] / runs[0][1].sum() * n_tasks
            shown = ", ".join(f"{value:.2g}" for value in weights[[0, -1]].tolist())
            each = ", ".join(f"{value:.4f}" for value in last[n_tasks, name])
            print(f"| {n_tasks} | {name} | {fmean(last[n_tasks, name]):.4f} | {each} | {shown} |", flush=True)
    draw(curves, args.figure)
    print()

    def beats(one: str, other: str, n_tasks: int) -> bool:
        return all(a < b for a, b in zip(last[n_tasks, one], last[n_tasks, other], strict=True))

    return check(
        {
            "GradNorm paper: GradNorm is better than equal weights, 2 tasks, all seeds": beats("GradNorm", "Equal", 2),
            "GradNorm paper: the same of 10 tasks": beats("GradNorm", "Equal", 10),
            "GradNorm paper: GradNorm is better than uncertainty, 10 tasks": beats("GradNorm", "Uncertainty", 10),
        }
    )


def draw(curves: dict[tuple[int, str], list[float]], path: Path) -> None:
    """Error over steps, a panel per number of tasks."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(SCALES), figsize=(9, 3.4))
    for axis, n_tasks in zip(axes, SCALES, strict=True):
        for name in METHODS:
            curve = curves[n_tasks, name]
            axis.plot([EVERY * k for k in range(len(curve))], curve, label=name, lw=1.2)
        axis.set_title(f"{n_tasks} tasks", fontsize=10)
        axis.set_xlabel("steps")
    axes[0].set_ylabel("held-out error / error before")
    axes[0].legend(fontsize=8)
    save(figure, path)


if __name__ == "__main__":
    sys.exit(main())
