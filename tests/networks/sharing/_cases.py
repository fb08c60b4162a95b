"""A small recipe of every sharing architecture, and what the laws need to know of it."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from polytask.networks import (
    CGC,
    ESMM,
    LTB,
    MLP,
    MTAN,
    PLE,
    STEM,
    AdaTT,
    CrossStitch,
    HardSharing,
    MMoE,
    NoSharing,
    Recipe,
    Sluice,
    SoftSharing,
    TableShape,
    TabM,
    TaskAdapters,
    build_module,
)
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
    index : regular expression
        Of all names with the number of a task in them.
    by_task : mapping of regular expression to int
        Parameters whose axis 0 runs over tasks, that many entries each, so that a permutation of the tasks permutes it too; any
        entries after those belong to no task.
    of_axes : mapping of regular expression to tuple of int
        Parameters of which each of these axes runs over tasks.
    free : regular expression
        Of parameters that at inference some tasks read and others not.
    shares : bool
        Whether tasks share parameters, so that their gradients can be balanced.
    alone : Recipe, optional
        Without towers; with one task it is the plain network, of a single layer.
    weight, bias : str
        Names of the parameters of that layer.
    scale : float
        What the plain network is multiplied by.
    """

    recipe: Recipe
    of_task: str = r"(?:gates|towers|own)\.(\d+)\."
    index: str = r"(?:gates|towers|own|native|encoders)\.(\d+)(?:\.|$)"
    by_task: dict[str, int] = field(default_factory=dict)
    of_axes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    free: str = "none"
    shares: bool = True
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
        HardSharing(tower_width=8), alone=HardSharing(tower_width=4), weight="towers.0.0.weight", bias="towers.0.0.bias"
    ),
    "none": Case(NoSharing(), of_task=r"encoders\.(\d+)\.", shares=False),
    "soft": Case(SoftSharing(same_start=False), of_task=r"encoders\.(\d+)\.", shares=False),
    "cross_stitch": Case(CrossStitch(), of_task="none", of_axes={r"stitches": (0, 1)}),
    "cross_stitch one": Case(CrossStitch(per_channel=False), of_task="none", of_axes={r"stitches": (0, 1)}),
    "sluice": Case(Sluice(), of_task="none", of_axes={r"alphas": (1, 3), r"betas": (0,)}),
    "mtan": Case(MTAN(), of_task=r"attentions\.(\d+)\.", index=r"attentions\.(\d+)\."),
    "ltb": Case(LTB(), of_task="none", index="none", of_axes={r"branching\.1": (0,)}, free="branching|encoders"),
    "mmoe": Case(MMoE(n_experts=4, width=8, tower_width=8), alone=MMoE(n_experts=1, width=5)),
    "mmoe top_k": Case(MMoE(n_experts=4, width=8, n_layers=2, gate="top_k")),
    "cgc": Case(
        CGC(n_task_experts=2, n_shared_experts=1, width=8, tower_width=8),
        alone=CGC(n_task_experts=1, n_shared_experts=1, width=8),
        weight="level.own.0.weights.0",
        bias="level.own.0.biases.0",
    ),
    "ple": Case(
        PLE(n_task_experts=2, n_shared_experts=1, width=8, n_layers=2, tower_width=8),
        of_task=r"(?:gates|towers|levels\.1\.own)\.(\d+)\.",  # the first level's experts reach all by the shared gate
        by_task={r"shared_gate": 2},
        alone=PLE(n_levels=1, n_task_experts=1, n_shared_experts=1, width=8),
        weight="levels.0.own.0.weights.0",
        bias="levels.0.own.0.biases.0",
    ),
    "adatt": Case(
        AdaTT(n_task_experts=2, width=8, tower_width=8),
        of_task=r"(?:towers|levels\.1\.gates|levels\.1\.native)\.(\d+)(?:\.|$)",  # all other parts are read by all tasks
        index=r"(?:gates|towers|native|experts)\.(\d+)(?:\.|$)",
        by_task={r"gates": 2},
        alone=AdaTT(n_levels=1, width=8),
        weight="levels.0.experts.0.weights.0",
        bias="levels.0.experts.0.biases.0",
        scale=2.0,  # by its gate, and as its own
    ),
    "adatt one": Case(
        AdaTT(n_levels=1, width=8),
        of_task=r"(?:gates)\.(\d+)\.",
        index=r"(?:gates|experts)\.(\d+)\.",
        by_task={r"gates": 1},
    ),
    "adapters": Case(
        TaskAdapters(n_layers=2, width=8, rank=2),
        of_task=r"adapters\.\d+\.(\d+)\.",
        index=r"adapters\.\d+\.(\d+)\.",
        alone=TaskAdapters(width=8),
        weight="layers.0.weight",
        bias="layers.0.bias",
    ),
    "stem": Case(
        STEM(n_task_experts=2, width=8, tower_width=8),
        of_task=r"(?:gates|towers|own|encoders)\.(\d+)\.",
        by_task={r"gates": 2},
    ),
    "esmm": Case(ESMM("sold", "paid", sharing="hard:tower_width=8")),
    "tabm": Case(TabM("mmoe", k=3)),
    "tabm hard": Case(TabM("hard:tower_width=8", k=3)),
    "mmoe dselect_k": Case(MMoE(n_experts=4, width=8, gate="dselect_k")),
}


def tasks_of(n_tasks):
    y = pd.DataFrame({f"t{k}": [1.0, 2.0, 4.0] for k in range(n_tasks)})
    fitted = [Regression(name).fit(y) for name in y]
    return [task.with_statistics(task.encode(y), np.ones((3, 1))) for task in fitted]


def module_of(recipe, n_tasks=3, *, seed=0, drawn=True):
    """A network of tasks of one output each; with ``drawn`` what starts at zero is drawn too."""
    generator = torch.Generator().manual_seed(seed)
    module = build_module(ENCODER, recipe, shape=SHAPE, tasks=tasks_of(n_tasks), generator=generator).eval()
    for p in module.sharing.parameters() if drawn else ():
        if not bool(p.any()):
            torch.nn.init.normal_(p, generator=generator)
    for k, head in enumerate(module.heads):
        torch.nn.init.constant_(head.bias, 0.1 * k)
    return module


def inputs_of(module, *, seed=0, n=N_ROWS):
    generator = torch.Generator().manual_seed(seed)
    numeric = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    return module.prepare(numeric, torch.randint(20, (n, 1), generator=generator))
