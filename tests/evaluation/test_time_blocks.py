"""Neighbours in time count as one, and intervals then cover where rows alone would not."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from polytask.data.splits import TimeOrder, TimeSplit
from polytask.estimators import read_labels
from polytask.evaluation import plan_folds, time_blocks
from polytask.evaluation._time_blocks import neighbour_correlation

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "quality" / "time_blocks.py"


def plan_of(times, n_splits=3, **settings):
    y = read_labels(np.random.default_rng(0).normal(size=len(times)))
    return plan_folds(y, folds=TimeSplit(n_splits, times=times, **settings), repeats=2)


def test_blocks_are_neighbours_of_one_window_whatever_the_order_of_rows():
    times = np.random.default_rng(0).permutation(400)
    plan = plan_of(times)
    blocks, length = time_blocks(TimeOrder(times), plan)
    assert length == 6  # 300 held-out times
    held = plan.held[0]
    for block in np.unique(blocks[held >= 0]):
        rows = blocks == block
        assert np.ptp(times[rows]) < length
        assert len(np.unique(held[rows])) == 1
    in_order = blocks[np.argsort(times)][100:]
    assert (np.diff(in_order) >= 0).all()
    assert len(np.unique(blocks[held < 0])) == (held < 0).sum()


def test_rows_of_one_time_are_in_one_block():
    times = np.repeat(np.arange(12), 10)
    blocks, length = time_blocks(TimeOrder(times), plan_of(times))
    assert length == 2
    assert all(len(np.unique(blocks[times == t])) == 1 for t in range(4, 12))


def test_few_times_are_not_joined():
    times = np.repeat(np.arange(6), 10)
    assert time_blocks(TimeOrder(times), plan_of(times))[1] == 1


def test_a_wave_is_correlated_and_noise_is_not(rng):
    blocks, held = np.repeat(np.arange(60), 3), np.ones(180, dtype=bool)
    wave, noise = np.sin(np.arange(180) / 20)[None], rng.normal(size=(1, 180))
    assert neighbour_correlation(wave, blocks, held) > 0.9
    assert abs(neighbour_correlation(noise, blocks, held)) < 0.3
    assert neighbour_correlation(noise[:, :12], blocks[:12], held[:12]) is None
    assert neighbour_correlation(np.zeros((1, 180)), blocks, held) is None


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmarks are not in this copy")
def test_intervals_of_blocks_cover_where_those_of_rows_do_not():
    coverage = runpy.run_path(str(BENCHMARK))["coverage"]
    rows, blocks, _ = coverage(300, 0.3, 300)
    assert rows < 0.92
    assert blocks > 0.91
    assert coverage(300, 0.0, 300)[1] > 0.92
    assert coverage(300, 0.9, 100)[2] > 0.5
