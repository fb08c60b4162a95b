"""Measuring one task in another unit, from a thousandth to a thousand times: which methods end where they ended before?

    python benchmarks/reproduce/units.py                   # a minute; prints a table and pass or fail, draws units.png

Three losses, quadratic bowls with different centres and curvatures in ten dimensions, each plus 5: their logarithms are finite
and have one minimum together. Adam (which does away with a common unit by itself), learning rate 0.05 falling to 0, 1,500 steps.
The first loss is multiplied by a factor; told is how far the end has moved, in units of the distance from the centre of the first
bowl to where equal weights end; and the largest angle by which the factors turn the first direction.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _report import check, save

from polytask import balancing
from polytask.balancing import BalancingMethod, Observed

T, N, STEPS, FLOOR = 3, 10, 1500, 5.0
FACTORS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
DRAWN = np.random.default_rng(0)
CENTRES, CURVATURES = DRAWN.normal(size=(T, N)), DRAWN.uniform(0.3, 3.0, size=(T, N))

INVARIANT = {  # by paper or formula; a log loss of any unit differs by a constant
    "ScaleInvariant": balancing.ScaleInvariant,
    "GeometricMean": balancing.GeometricMean,
    "FAMO": balancing.FAMO,
    "NashMTL": balancing.NashMTL,
    "MGDA, normalize='l2'": lambda: balancing.MGDA(normalize="l2"),
}
DIRECTION_ONLY = {"ConFIG": balancing.ConFIG, "IMTLG": balancing.IMTLG}  # the length of the step depends on the unit
AT_REST = {  # learned weights, which need time
    "IMTLL": lambda: balancing.IMTLL(learning_rate=0.025),
    "Uncertainty": lambda: balancing.Uncertainty(learning_rate=0.025),
    "GradNorm, alpha=0": lambda: balancing.GradNorm(alpha=0.0),
}
NOT_INVARIANT = {
    "Equal": balancing.Equal,
    "RLW": balancing.RLW,
    "STCH": balancing.STCH,
    "MGDA": balancing.MGDA,
    "PCGrad": balancing.PCGrad,
    "CAGrad": balancing.CAGrad,
    "AlignedMTL": balancing.AlignedMTL,
    "DualProj": balancing.DualProj,
    "UPGrad": balancing.UPGrad,
}
METHODS: dict[str, Callable[[], BalancingMethod]] = {**INVARIANT, **DIRECTION_ONLY, **AT_REST, **NOT_INVARIANT}


def objectives(x: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Losses [T] and their gradients [T, N]."""
    unit = np.array([factor, 1.0, 1.0])
    apart = x - CENTRES
    return unit * (FLOOR + (CURVATURES * apart**2).sum(1) / 2), unit[:, None] * CURVATURES * apart


def end(make: Callable[[], BalancingMethod], factor: float) -> np.ndarray:
    """Where Adam ends, [N]."""
    method, x = make(), CENTRES.mean(0) + 1.0
    mean, square, label_weight, tasks = np.zeros(N), np.zeros(N), torch.ones(T), tuple(range(T))
    after = "losses_after_step" in method.needs
    losses, rows = objectives(x, factor)
    for step in range(1, STEPS + 1):
        seen = Observed(torch.from_numpy(losses), label_weight, tasks, torch.from_numpy(rows @ rows.T), torch.from_numpy(rows))
        found = method(seen).numpy()
        g = found if "jacobian" in method.needs else found @ rows
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
        rate = 0.05 * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        x = x - rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-12)
        losses, rows = objectives(x, factor)
        if after:
            method.after_step(torch.from_numpy(losses))
    return x


def turned(make: Callable[[], BalancingMethod]) -> float:
    """The largest angle, in degrees, between the first directions with and without a factor; opposite ones are one."""
    found = []
    for factor in FACTORS:
        losses, rows = objectives(CENTRES.mean(0) + 1.0, factor)
        jacobian = torch.from_numpy(rows)
        made = make()(Observed(torch.from_numpy(losses), torch.ones(T), tuple(range(T)), jacobian @ jacobian.T, jacobian))
        direction = (made if len(made) == N else made @ jacobian).numpy()
        found.append(direction / np.linalg.norm(direction))
    return max(float(np.degrees(np.arccos(min(1.0, abs(one @ found[FACTORS.index(1.0)]))))) for one in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_suffix(".png"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    unit = np.linalg.norm(CENTRES[0] - end(METHODS["Equal"], 1.0))
    moved, angles = {}, {}
    print(f"| method | turns by | {' | '.join(f'{factor:g}' for factor in FACTORS)} |\n|---|--:|{'--:|' * len(FACTORS)}")
    for name, make in METHODS.items():
        ends = [end(make, factor) for factor in FACTORS]
        moved[name] = [float(np.linalg.norm(x - ends[FACTORS.index(1.0)]) / unit) for x in ends]
        angles[name] = turned(make)
        print(f"| {name} | {angles[name]:.0f}° | {' | '.join(f'{value:.3f}' for value in moved[name])} |", flush=True)
    draw(moved, args.figure)
    print()
    return check(
        {f"the end of {name} does not depend on the unit (moved < 0.02)": max(moved[name]) < 0.02 for name in INVARIANT}
        | {f"the direction of {name} does not, its end does": angles[name] < 0.1 < max(moved[name]) for name in DIRECTION_ONLY}
        | {f"nor that of {name}, from 0.01 to 100 (moved < 0.1)": max(moved[name][1:-1]) < 0.1 for name in AT_REST}
        | {f"that of {name} does (moved > 0.1)": max(moved[name]) > 0.1 for name in NOT_INVARIANT}
    )


def draw(moved: dict[str, list[float]], path: Path) -> None:
    """A row per method, a column per factor."""
    import matplotlib.pyplot as plt

    values = np.array(list(moved.values()))
    figure, axis = plt.subplots(figsize=(6.5, 5.2))
    axis.imshow(values, cmap="Reds", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color="w" if value > 0.6 else "k")
    axis.set_xticks(range(len(FACTORS)), [f"{factor:g}" for factor in FACTORS], fontsize=8)
    axis.set_yticks(range(len(moved)), list(moved), fontsize=8)
    axis.set_xlabel("factor on the first loss")
    axis.set_title("How far the end moves", fontsize=10)
    save(figure, path)


if __name__ == "__main__":
    sys.exit(main())
