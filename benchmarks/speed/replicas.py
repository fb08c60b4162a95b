"""Folds and seeds of one network trained at once, against one after another: how many times as fast.

    python benchmarks/speed/replicas.py [--replicas 35] [--widths 64 128 256] [--repeats 5] [--threads 2] [--write]
    python benchmarks/speed/replicas.py --clock cpu --threads 1                                # on a busy machine
    python benchmarks/speed/replicas.py --kinds mlp categories pcgrad --replicas 2 5 35        # where is a stack slower?

``--kinds``: an MLP of numbers, one that also embeds ten columns of categories, and one whose tasks are balanced by PCGrad. Four
tasks of four kinds with a fifth of the labels missing; five folds, the other replicas are seeds; every epoch is validated, as
estimators do. Threads wait as torch has them by default: OMP_WAIT_POLICY=PASSIVE slows small networks in turn, and would flatter
the stack. The two take turns, and the order turns too. In each repeat all weights are compared: equal seeds give equal
networks to the rounding of float32, so dropout, whose masks differ in a stack, is off. Each line of JSON has the median ratio,
its quartiles and the goal; ``--write`` adds them to benchmarks/speed/results/replicas.jsonl.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from loop import N_FEATURES, Problem, make_problem
from torch import Tensor

from polytask.balancing import PCGrad
from polytask.estimators._multi_task_network import default_batch_size
from polytask.networks import MLP, HardSharing, MultiTaskModule, TableShape, build_module
from polytask.training import OneNetwork, StackedNetworks, TrainingData, TrainingSettings, fit

GOALS = {64: 3.5, 128: 1.7, 256: 1.2}  # for 35 replicas of numbers, two threads
N_FOLDS = 5
N_CATEGORICAL, N_CATEGORIES = 10, 20
RESULTS = Path(__file__).parent / "results" / "replicas.jsonl"


@dataclass(frozen=True)
class Case:
    """What is trained, and how long."""

    kind: str
    width: int
    n_replicas: int
    problem: Problem
    settings: TrainingSettings

    def module(self, seed: int) -> MultiTaskModule:
        """A fresh network."""
        shape = TableShape(N_FEATURES, cardinalities=(N_CATEGORIES,) * self.problem.codes.shape[1])
        generator = torch.Generator().manual_seed(seed)
        encoder = MLP(width=self.width, dropout=0.0)
        return build_module(encoder, HardSharing(), shape=shape, tasks=self.problem.tasks, generator=generator)

    def fold(self, replica: int) -> tuple[Tensor, Tensor]:
        """Rows to train and to validate on."""
        rows = torch.arange(len(self.problem.dense))
        held = rows % N_FOLDS == replica % N_FOLDS
        return rows[~held], rows[held]


def at_once(case: Case) -> list[MultiTaskModule]:
    """Train all as one stack."""
    n, p = case.n_replicas, case.problem
    train, held = zip(*(case.fold(r) for r in range(n)), strict=True)
    modules = [case.module(seed) for seed in range(n)]
    data = TrainingData(
        (p.dense[None], p.codes[None]),
        p.target[None],
        p.weight,
        list(train),
        list(held),
        p.scale.expand(n, -1),
        p.scale.expand(n, -1),
        fold=torch.zeros(n, dtype=torch.long),
        mask=torch.ones(n, p.weight.shape[1]),
    )
    fit(StackedNetworks(modules), data, p.tasks, settings=case.settings, seeds=range(n), method=_method(case))
    return modules


def one_after_another(case: Case) -> list[MultiTaskModule]:
    """Train the same networks alone."""
    p, modules = case.problem, [case.module(seed) for seed in range(case.n_replicas)]
    for seed, module in enumerate(modules):
        train, held = case.fold(seed)
        data = TrainingData((p.dense, p.codes), p.target, p.weight, [train], [held], p.scale, p.scale)
        fit(OneNetwork(module), data, p.tasks, settings=case.settings, seeds=[seed], method=_method(case))
    return modules


def _method(case: Case) -> PCGrad | None:
    return PCGrad() if case.kind == "pcgrad" else None


def check_same(stacked: list[MultiTaskModule], alone: list[MultiTaskModule]) -> float:
    """The largest difference between two weights; fails where those of a layer differ by more than rounding, in norm.

    Not number by number: the first steps of Adam are as long for a gradient of nothing but rounding as for any other.
    """
    largest = 0.0
    for first, second in zip(stacked, alone, strict=True):
        for (name, p), q in zip(first.named_parameters(), second.parameters(), strict=True):
            difference = (p - q).detach()
            if not difference.norm() <= 1e-3 * q.norm() + 1e-5:
                raise AssertionError(f"{name}: {difference.norm():.2g} of {q.norm():.2g}")
            largest = max(largest, float(difference.abs().max()))
    return largest


def measure(case: Case, *, repeats: int, clock: Callable[[], float]) -> dict[str, object]:
    """Both in turn: a line of the results."""
    contestants = {"at once": at_once, "in turn": one_after_another}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    short = replace(case, n_replicas=2)
    at_once(short)
    one_after_another(short)
    largest = 0.0
    for repeat in range(repeats):
        found = {}
        for name in list(contestants)[:: 1 if repeat % 2 else -1]:
            started = clock()
            found[name] = contestants[name](case)
            seconds[name].append(clock() - started)
        largest = max(largest, check_same(found["at once"], found["in turn"]))
    ratios = np.array(seconds["in turn"]) / np.array(seconds["at once"])
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    goal = GOALS.get(case.width) if case.kind == "mlp" and case.n_replicas == 35 else None
    return {
        "kind": case.kind,
        "width": case.width,
        "replicas": case.n_replicas,
        "ratio": round(float(middle), 2),
        "quarter": [round(float(low), 2), round(float(high), 2)],
        "goal": goal,
        "seconds": {name: round(float(np.median(own)), 3) for name, own in seconds.items()},
        "largest_difference": float(f"{largest:.1e}"),
    }


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Every combination asked for."""
    numbers = make_problem(options.rows)
    codes = torch.randint(N_CATEGORIES, (options.rows, N_CATEGORICAL), generator=torch.Generator().manual_seed(0))
    problems = {"mlp": numbers, "pcgrad": numbers, "categories": replace(numbers, codes=codes)}
    n_train = options.rows - options.rows // N_FOLDS
    batch = options.batch or default_batch_size(n_train)
    settings = TrainingSettings(max_epochs=options.epochs, batch_size=batch, patience=None)
    for kind in options.kinds:
        for width in options.widths:
            for n in options.replicas:
                yield Case(kind, width, n, problems[kind], settings)


def main() -> None:
    """Measure, and print a line of JSON for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=["mlp", "categories", "pcgrad"], default=["mlp"])
    parser.add_argument("--widths", nargs="+", type=int, default=list(GOALS))
    parser.add_argument("--replicas", nargs="+", type=int, default=[35])
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--batch", type=int, help="by default that of estimators for so many rows")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: with 1 thread, on a busy machine")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    for case in cases(options):
        setting = {"rows": options.rows, "batch": case.settings.batch_size, "epochs": options.epochs, "repeats": options.repeats}
        setting |= {"threads": options.threads, "clock": options.clock, "torch": torch.__version__}
        line = {**measure(case, repeats=options.repeats, clock=clock), **setting}
        print(json.dumps(line), flush=True)
        if options.write:
            RESULTS.parent.mkdir(exist_ok=True)
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
