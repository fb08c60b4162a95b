"""A small recipe of every sharing architecture, and what the laws need to know of it."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from polytask.networks import MLP, HardSharing, MMoE, Recipe, TableShape, build_module
from polytask.tasks import Regression

N_ROWS = 6
SHAPE = TableShape(3, cardinalities=(20,))
ENCODER = MLP(n_layers=2, width=8, dropout=0.0)


@dataclass(frozen=True)
class Case:
    """A small recipe.

    Attributes
    ----------
    of_task : regular expression
        Of the names of parameters of the sharing that one task uses alone; its group is the number of the task.
    by_task : mapping of regular expression to int
        Parameters whose axis 0 runs over tasks, that many entries each, so that a permutation of the tasks permutes it too; any
        entries after those belong to no task.
    alone : Recipe, optional
        Without towers; with one task it is the plain network, of a single layer.
    weight, bias : str
        Names of the parameters of that layer.
    scale : float
        What the plain network is multiplied by.
    """

    recipe: Recipe
    of_task: str = r"(?:gates|towers|own)\.(\d+)\."
    by_task: dict[str, int] = field(default_factory=dict)
    alone: Recipe | None = None
    weight: str = "experts.weights.0"
    bias: str = "experts.biases.0"
    scale: float = 1.0

    def owner(self, name: str) -> int | None:
        """Number of the task that a parameter belongs to."""
        found = re.search(self.of_task, name)
        return None if found is None else int(found[1])


CASES: dict[str, Case] = {
    "hard": Case(
        HardSharing(tower_width=4), alone=HardSharing(tower_width=4), weight="towers.0.0.weight", bias="towers.0.0.bias"
    ),
    "mmoe": Case(MMoE(n_experts=4, width=5, tower_width=4), alone=MMoE(n_experts=1, width=5)),
    "mmoe top_k": Case(MMoE(n_experts=4, width=5, n_layers=2, gate="top_k")),
    "mmoe dselect_k": Case(MMoE(n_experts=4, width=5, gate="dselect_k")),
}


def tasks_of(n_tasks):
    y = pd.DataFrame({f"t{k}": [1.0, 2.0, 4.0] for k in range(n_tasks)})
    fitted = [Regression(name).fit(y) for name in y]
    return [task.with_statistics(task.encode(y), np.ones((3, 1))) for task in fitted]


def module_of(recipe, n_tasks=3, *, seed=0):
    """A network of tasks of one output each, whose heads are drawn too."""
    generator = torch.Generator().manual_seed(seed)
    module = build_module(ENCODER, recipe, shape=SHAPE, tasks=tasks_of(n_tasks), generator=generator).eval()
    for k, head in enumerate(module.heads):
        torch.nn.init.constant_(head.bias, 0.1 * k)
    return module


def inputs_of(module, *, seed=0, n=N_ROWS):
    generator = torch.Generator().manual_seed(seed)
    numeric = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    return module.prepare(numeric, torch.randint(20, (n, 1), generator=generator))
