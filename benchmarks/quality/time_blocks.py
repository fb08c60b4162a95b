"""How often 95% intervals cover the gain where what makes a model wrong lasts: rows against blocks of neighbouring times.

Five test windows, five repeats (seeds). The difference of the losses of a row is the true gain, plus an AR(1) process in time
(what lasts), plus an effect of every trained model, plus noise. ``python benchmarks/quality/time_blocks.py`` prints the table of
docs/comparison.md.
"""

import argparse

import numpy as np

from polytask.data.splits import TimeOrder
from polytask.evaluation import FoldPlan, simultaneous_intervals, task_gain, time_blocks
from polytask.evaluation._time_blocks import neighbour_correlation

GAIN, N_WINDOWS, N_REPEATS = 0.03, 5, 5


def lasting(rng, n, memory):
    """AR(1) of variance 1, [n]."""
    shocks = rng.normal(size=n) * np.sqrt(1 - memory**2)
    values = np.empty(n)
    values[0] = rng.normal()
    for t in range(1, n):
        values[t] = memory * values[t - 1] + shocks[t]
    return values


def covers(rng, n, memory):
    """Whether the intervals of rows and of blocks hold the true gain, and whether a note is given, for one history of n times."""
    window = np.repeat(np.arange(N_WINDOWS), n // N_WINDOWS)
    plan = FoldPlan(np.tile(window, (N_REPEATS, 1)))
    difference = GAIN + 0.1 * lasting(rng, n, memory) + 0.05 * rng.normal(size=(N_REPEATS, n))
    difference = difference + 0.01 * rng.normal(size=(N_REPEATS, N_WINDOWS))[:, window]
    alone, constant = np.full((N_REPEATS, n), 0.6), np.ones((N_REPEATS, n))
    found = []
    blocks = time_blocks(TimeOrder(np.arange(n)), plan)[0]
    for units in (None, blocks):
        gain = task_gain(alone - difference, alone, constant, fold=plan.held, groups=units)
        own = simultaneous_intervals([gain.gain], se=[gain.se], df=[gain.df])
        found.append(own.low[0] <= GAIN <= own.high[0])
    correlation = neighbour_correlation(gain.influence, blocks, plan.held[0] >= 0)
    return [*found, correlation is not None and correlation > 2 / np.sqrt(blocks.max() + 1)]


def coverage(n, memory, runs, seed=0):
    """Shares of intervals that hold the true gain, of rows and of blocks, and of histories with a note."""
    rng = np.random.default_rng([seed, n, round(100 * memory)])
    return np.mean([covers(rng, n, memory) for _ in range(runs)], axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    print("| held-out times | correlation of neighbours | rows: coverage % | blocks: coverage % | noted % |")
    print("|--:|--:|--:|--:|--:|")
    for n in (100, 300, 1000):
        for memory in (0.0, 0.3, 0.6, 0.9):
            rows, blocks, noted = coverage(n, memory, runs)
            print(f"| {n} | {memory} | {100 * rows:.1f} | {100 * blocks:.1f} | {100 * noted:.0f} |")
