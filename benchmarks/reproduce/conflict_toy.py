"""The two-objective toy of CAGrad and Nash-MTL: from which of five starts does each method come to the front?

    python benchmarks/reproduce/conflict_toy.py            # some minutes; prints tables and pass or fail, draws conflict_toy.png

Two losses of a point in the plane. Above the horizontal axis they are steep valleys at whose floors the gradients conflict and
differ by orders of magnitude; below it two bowls with minima at (7, -8) and (-7, -8), between which the front lies. Adam,
learning rate 1e-3. The first loss counts as it is (CAGrad; 100,000 steps) or a tenth (Nash-MTL; 35,000 steps). A run ends early
where it has moved less than 0.002 in 2,500 steps.
"""

import argparse
import sys
from collections.abc import Callable
from math import log, tanh
from pathlib import Path

import numpy as np
import torch
from _report import check, save

from polytask import balancing
from polytask.balancing import BalancingMethod, Observed

STARTS = ((-8.5, 7.5), (0.0, 0.0), (9.0, 9.0), (-7.5, -0.5), (9.0, -1.0))
LOWER = 0.000005  # of the distance to the floor of a valley
STEPS = {1.0: 100_000, 0.1: 35_000}  # by the factor on the first loss
EVERY = 100  # steps between points that are kept

METHODS: dict[str, Callable[[], BalancingMethod]] = {
    "Equal": balancing.Equal,
    "RLW": balancing.RLW,
    "FAMO": lambda: balancing.FAMO(least_loss=-20.1),
    "PCGrad": balancing.PCGrad,
    "MGDA": balancing.MGDA,
    "CAGrad": balancing.CAGrad,
    "IMTLG": balancing.IMTLG,
    "AlignedMTL": balancing.AlignedMTL,
    "ConFIG": balancing.ConFIG,
    "DualProj": balancing.DualProj,
    "UPGrad": balancing.UPGrad,
    "NashMTL": balancing.NashMTL,
}


def objectives(x: float, y: float, scale: float = 1.0) -> tuple[tuple[float, float], tuple[tuple[float, float], ...]]:
    """Both losses and their gradients (a row each) at one point."""
    bent = tanh(y)
    slope = 1 - bent * bent
    first, second = 0.5 * (-x - 7) + bent, 0.5 * (-x + 3) - bent + 2
    valley_1, valley_2 = (log(max(abs(part), LOWER)) + 6 for part in (first, second))
    bowl = 0.1 * (y + 8) ** 2
    bowl_1, bowl_2 = ((x - 7) ** 2 + bowl) / 10 - 20, ((x + 7) ** 2 + bowl) / 10 - 20
    half = tanh(0.5 * y)
    above, below = max(half, 0.0), max(-half, 0.0)
    turn = 0.5 * (1 - half * half)
    d_above, d_below = (turn if y >= 0 else 0.0), (-turn if y <= 0 else 0.0)
    inverse_1 = 1 / first if abs(first) > LOWER else 0.0
    inverse_2 = 1 / second if abs(second) > LOWER else 0.0
    losses = scale * (valley_1 * above + bowl_1 * below), valley_2 * above + bowl_2 * below
    by_x_1 = -0.5 * inverse_1 * above + (x - 7) / 5 * below
    by_x_2 = -0.5 * inverse_2 * above + (x + 7) / 5 * below
    by_y_1 = slope * inverse_1 * above + valley_1 * d_above + 0.02 * (y + 8) * below + bowl_1 * d_below
    by_y_2 = -slope * inverse_2 * above + valley_2 * d_above + 0.02 * (y + 8) * below + bowl_2 * d_below
    return losses, ((scale * by_x_1, scale * by_y_1), (by_x_2, by_y_2))


def run(make: Callable[[], BalancingMethod], start: tuple[float, float], *, scale: float, max_steps: int) -> np.ndarray:
    """Points passed, [n, 2], every 100 steps of Adam."""
    method, point = make(), list(start)
    mean, square, path = [0.0, 0.0], [0.0, 0.0], [tuple(start)]
    label_weight, after = torch.ones(2), "losses_after_step" in method.needs
    losses, rows = objectives(*point, scale)
    for step in range(1, max_steps + 1):
        (a, b), (c, d) = rows
        inner = a * c + b * d
        gramian = torch.tensor([[a * a + b * b, inner], [inner, c * c + d * d]], dtype=torch.float64)
        jacobian = torch.tensor(rows, dtype=torch.float64) if "jacobian" in method.needs else None
        found = method(Observed(torch.tensor(losses, dtype=torch.float64), label_weight, (0, 1), gramian, jacobian)).tolist()
        direction = found if jacobian is not None else [found[0] * a + found[1] * c, found[0] * b + found[1] * d]
        for k, g in enumerate(direction):
            mean[k] = 0.9 * mean[k] + 0.1 * g
            square[k] = 0.999 * square[k] + 0.001 * g * g
            point[k] -= 1e-3 * mean[k] / (1 - 0.9**step) / ((square[k] / (1 - 0.999**step)) ** 0.5 + 1e-8)
        losses, rows = objectives(*point, scale)
        if after:
            method.after_step(torch.tensor(losses, dtype=torch.float64))
        if step % EVERY == 0:
            path.append(tuple(point))
            if len(path) > 30 and max(abs(np.subtract(path[-1], path[-26]))) < 2e-3:
                break
    return np.array(path)


def front(scale: float) -> np.ndarray:
    """Points [n, 2] of the front: for every place between the minima the best height."""
    heights = np.linspace(-12, -4, 801)
    return np.array(
        [(x, heights[np.argmin([sum(objectives(x, y, scale)[0]) for y in heights])]) for x in np.linspace(-7, 7, 141)]
    )


def distance_to_front(point: np.ndarray, points: np.ndarray, scale: float) -> float:
    """Between losses, each in units of its own range over the front."""
    curve = np.array([objectives(*p, scale)[0] for p in points])
    return float(np.linalg.norm((curve - objectives(*point, scale)[0]) / np.ptp(curve, axis=0), axis=1).min())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS))
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_suffix(".png"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    reached: dict[tuple[str, float], list[bool]] = {}
    paths = {}
    for scale, max_steps in STEPS.items():
        points = front(scale)
        print(f"\nFirst loss times {scale:g}: place on the front where each start ends (-7 to 7), or x and the point where not\n")
        print(f"| method | {' | '.join(str(start) for start in STARTS)} |\n|---|{'--:|' * len(STARTS)}")
        for name in args.methods:
            paths[name, scale] = found = [run(METHODS[name], start, scale=scale, max_steps=max_steps) for start in STARTS]
            ok = [distance_to_front(path[-1], points, scale) < 0.02 for path in found]
            reached[name, scale] = ok
            cells = [
                f"{path[-1][0]:.1f}" if good else f"x ({path[-1][0]:.1f}, {path[-1][1]:.1f})"
                for path, good in zip(found, ok, strict=True)
            ]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    draw(paths, reached, args)
    if set(args.methods) < set(METHODS):
        return 0
    return claims(reached, paths)


def claims(reached: dict, paths: dict) -> int:
    """What the papers say of this toy, and whether it is so here."""
    inside = [abs(path[-1][0]) < 5.5 for path in paths["NashMTL", 0.1]]
    print()
    return check(
        {
            "CAGrad paper: the mean gradient is stuck in a valley from some starts": not all(reached["Equal", 1.0]),
            "CAGrad paper: so is PCGrad": not all(reached["PCGrad", 1.0]),
            "CAGrad paper: MGDA and CAGrad come to the front from all": all(reached["MGDA", 1.0] + reached["CAGrad", 1.0]),
            "Nash-MTL paper: Nash-MTL comes to the front from all, at both scales": all(
                reached["NashMTL", 1.0] + reached["NashMTL", 0.1]
            ),
            "Nash-MTL paper: and not to its ends, with losses of unlike scale": all(inside),
        }
    )


def draw(paths: dict, reached: dict, args: argparse.Namespace) -> None:
    """Paths in the plane with the first loss a tenth, a panel per method."""
    import matplotlib.pyplot as plt

    scale, points = 0.1, front(0.1)
    figure, axes = plt.subplots(-(-len(args.methods) // 4), 4, figsize=(9, 7), sharex=True, sharey=True, squeeze=False)
    for axis, name in zip(axes.ravel(), args.methods, strict=False):
        axis.plot(*points.T, color="0.6", lw=3, solid_capstyle="round")
        for path, ok in zip(paths[name, scale], reached[name, scale], strict=True):
            colour = "C0" if ok else "C3"
            axis.plot(*path.T, color=colour, lw=0.8)
            axis.plot(*path[0], "o", color="k", ms=3)
            axis.plot(*path[-1], "*" if ok else "x", color=colour, ms=7)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
    figure.suptitle("First loss times 0.1. From the dots: blue reaches the front (grey), red does not", fontsize=9)
    save(figure, args.figure)


if __name__ == "__main__":
    sys.exit(main())
