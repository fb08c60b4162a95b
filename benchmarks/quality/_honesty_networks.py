"""polytask's own networks as arms of honesty.py, trained by the calls that `evaluation.compare` makes.

Small and short, so that hundreds of comparisons (25 folds x 7 or 12 networks each) are possible on one core.
"""

import numpy as np
import pandas as pd
from _honesty_worlds import Data, FloatArray, Splits, World

from polytask.estimators import CodedTable, MultiTaskNetwork, NetworkJob
from polytask.networks import MLP


def polytask_alone(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """Single-task twins of a MultiTaskNetwork."""
    return _networks(world, data, splits, rng, masks=np.eye(world.n_tasks, dtype=bool))


def polytask_together(world: World, data: Data, splits: Splits, rng: np.random.Generator) -> list[FloatArray]:
    """A MultiTaskNetwork."""
    return _networks(world, data, splits, rng, masks=np.ones((1, world.n_tasks), dtype=bool))


def _networks(world: World, data: Data, splits: Splits, rng: np.random.Generator, *, masks: np.ndarray) -> list[FloatArray]:
    model = MultiTaskNetwork(encoder=MLP(n_layers=1, width=16, dropout=0.0), max_epochs=12, learning_rate=5e-2, batch_size=64)
    y = pd.DataFrame(data.y, columns=[f"y{t}" for t in range(world.n_tasks)])
    arrays, labels = model._read_training_data(data.X, y)
    table, weight = CodedTable(arrays, model.codec_.cardinalities), (~np.isnan(labels.target)).astype(float)
    jobs = []
    for train, _ in splits:
        fit, stop = model.inner_split(labels, weight, groups=None, seed=int(rng.integers(2**31)), rows=train)
        jobs += [NetworkJob(fit, stop, mask, int(rng.integers(2**31))) for mask in masks]
    networks = model.fit_jobs(jobs, table, labels, weight)
    outputs = []
    for s, (_, test) in enumerate(splits):
        part = type(arrays)(arrays.numeric[test], arrays.categorical[test], [])
        own = networks[s * len(masks) : (s + 1) * len(masks)]
        values = [network.outputs(part) for network in own]
        outputs.append(np.stack([values[min(t, len(masks) - 1)][f"y{t}"] for t in range(world.n_tasks)], axis=1))
    return outputs
