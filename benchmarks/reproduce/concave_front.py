"""A concave front: which of its points do weighted sums and smooth Tchebycheff scalarization (STCH) reach?

    python benchmarks/reproduce/concave_front.py           # seconds; prints a table and pass or fail, draws concave_front.png

Two losses of a point in ten dimensions, one minus a bell about (a, ..., a) and (-a, ..., -a) with a = 1 / sqrt(10) (Fonseca &
Fleming). Twenty-one preferences from 0.02 to 0.98, all starts near the middle of the front, Adam, learning rate 0.01 falling to
0, 4,000 steps; all runs at once.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from _report import check, save
from torch import Tensor

from polytask.balancing import stch_weights

N, N_RUNS, STEPS = 10, 21, 4000
CENTRE = torch.full((N,), N**-0.5, dtype=torch.float64)


def objectives(x: Tensor) -> tuple[Tensor, Tensor]:
    """Losses [2, n] and their gradients [2, n, N] at points [n, N]."""
    apart = torch.stack([x - CENTRE, x + CENTRE])
    bell = torch.exp(-apart.square().sum(-1))
    return 1 - bell, 2 * apart * bell[..., None]


def run(weigh: Callable[[Tensor, Tensor], Tensor], preference: Tensor) -> Tensor:
    """Losses [2, n] where Adam ends, for preferences [2, n]."""
    x = 0.01 * torch.randn(N_RUNS, N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam([x], lr=0.01)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        losses, gradients = objectives(x)
        x.grad = (weigh(losses, preference)[..., None] * gradients).sum(0)
        optimizer.step()
        decay.step()
    return objectives(x)[0]


def widest_gap(losses: Tensor) -> float:
    """Of the front from end to end, the largest part between two neighbours that holds no point."""
    inside = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    curve = objectives(inside[:, None] * CENTRE)[0]
    place = torch.cdist(losses.T, curve.T).argmin(1) / 2000
    return float(torch.cat([torch.tensor([0.0, 1.0]), place]).sort().values.diff().max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_suffix(".png"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    first = torch.linspace(0.02, 0.98, N_RUNS, dtype=torch.float64)
    preference = torch.stack([first, 1 - first])
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "weighted sum": lambda losses, preference: preference,
        "STCH, mu = 0.1": lambda losses, preference: stch_weights(losses, preference, mu=0.1),
        "STCH, mu = 0.01": lambda losses, preference: stch_weights(losses, preference, mu=0.01),
    }
    found = {name: run(weigh, preference) for name, weigh in ways.items()}
    print("| way | ends of the front | between | widest gap |\n|---|--:|--:|--:|")
    between = {}
    for name, losses in found.items():
        at_end = int((losses.min(0).values < 0.01).sum())
        between[name] = N_RUNS - at_end
        print(f"| {name} | {at_end} | {between[name]} | {100 * widest_gap(losses):.0f} % |")
    draw(found, args.figure)
    balance = (preference * found["STCH, mu = 0.01"]).diff(dim=0).abs().max()
    print()
    return check(
        {
            "STCH paper: weighted sums reach nothing but the ends of a concave front": between["weighted sum"] == 0,
            "STCH paper: STCH of small mu reaches points all along it": widest_gap(found["STCH, mu = 0.01"]) < 0.15,
            "STCH paper: at mu towards 0 the weighted losses are equal (within 0.05)": float(balance) < 0.05,
        }
    )


def draw(found: dict[str, Tensor], path: Path) -> None:
    """Where each way ends, over the front."""
    import matplotlib.pyplot as plt

    curve = objectives(torch.linspace(-1, 1, 200, dtype=torch.float64)[:, None] * CENTRE)[0]
    figure, axes = plt.subplots(1, len(found), figsize=(9, 3.2), sharex=True, sharey=True)
    for axis, (name, losses) in zip(axes, found.items(), strict=True):
        axis.plot(*curve, color="0.7", lw=3)
        axis.plot(*losses, "o", color="C0", ms=5)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("first loss")
    axes[0].set_ylabel("second loss")
    save(figure, path)


if __name__ == "__main__":
    sys.exit(main())
