"""Speed of balancing, as ratios to ``losses.sum().backward()`` and the optimizer's step.

Everything is measured with forward pass and optimizer's step (fused Adam), by contestants that take turns in one run: the
ratio of a round is that of two steps done one after the other, and the median over rounds is told, so that other work on the
machine meets both. The reference is the same trunk with separate heads, one backward pass of the sum.

- ``mlp``: trunk 64 -> 512 -> 512 -> 512 with ReLU, heads of one layer, batch 256, float32; m = 2, 8, 40 tasks;
- ``conv``: ResNet-18 at width 16 on 32 x 32 images, batch 64; m = 2, 8;
- ``stacked``: equal weights with the heads as one batched product, m = 40;
- ``solvers``: weights from a Gramian of 64 tasks alone, in milliseconds (the smallest of some repeats);
- ``memory``: peak of the process above what it held before, against one backward pass per task that keeps all rows.

torchjd 0.18 runs in the same rounds where it is installed.

    python benchmarks/speed/balancing.py [--only mlp conv stacked solvers memory] [--m 8] [--rounds 15] [--threads 2]
        [--clock wall|cpu] [--write]
"""

import argparse
import json
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from _memory import peak_memory
from torch import Tensor, nn
from torch.nn import functional as F

from polytask import balancing
from polytask.balancing import backward

GOALS = {
    ("mlp", "exact"): {2: 1.8, 8: 4.8, 40: 13.0},
    ("conv", "exact"): {2: 1.8, 8: 5.2},
    ("mlp", "representation"): {2: 1.25, 8: 1.25, 40: 1.25},
    ("conv", "representation"): {2: 1.25, 8: 1.25},
    ("mlp", "every"): {2: 1.25, 8: 1.25, 40: 1.25},
    ("conv", "every"): {2: 1.25, 8: 1.25},
    ("stacked", "equal"): {40: 0.65},
}
EVERY = {2: 10, 8: 50, 40: 200}  # steps from one solve to the next, by number of tasks
Step = Callable[[], None]


class Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, as in ResNet-18."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(2))
        self.shortcut = nn.Sequential()
        if stride != 1 or before != width:
            self.shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Images [n, before, h, w] to [n, width, h / stride, w / stride]."""
        inner = self.norms[1](self.second(F.relu(self.norms[0](self.first(x)))))
        return F.relu(inner + self.shortcut(x))


def resnet18(width: int = 16) -> nn.Sequential:
    """ResNet-18 for small images: four stages of two blocks, mean over the image; [n, 3, h, w] to [n, 8 * width]."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    before = width
    for stage in range(4):
        for k in range(2):
            layers.append(Block(before, width << stage, 2 if stage and not k else 1))
            before = width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def trunk_of(kind: str) -> tuple[nn.Module, Tensor, int]:
    """Trunk, a batch and the width of the representation."""
    torch.manual_seed(0)
    if kind == "conv":
        return resnet18(), torch.randn(64, 3, 32, 32), 128
    layers = [layer for k in range(3) for layer in (nn.Linear(512 if k else 64, 512), nn.ReLU())]
    return nn.Sequential(*layers), torch.randn(256, 64), 512


class Contest:
    """One model with its optimizer; a contestant is a way to make a step with it."""

    def __init__(self, kind: str, n_tasks: int) -> None:
        self.trunk, self.x, width = trunk_of(kind)
        self.heads = nn.ModuleList(nn.Linear(width, 1) for _ in range(n_tasks))
        self.targets = [torch.randn(len(self.x), 1) for _ in range(n_tasks)]
        self.optimizer = torch.optim.Adam([*self.trunk.parameters(), *self.heads.parameters()], lr=1e-4, fused=True)

    def forward(self) -> tuple[Tensor, list[Tensor]]:
        """The representation and the losses."""
        z = self.trunk(self.x)
        return z, [F.mse_loss(head(z), y) for head, y in zip(self.heads, self.targets, strict=True)]

    def step(self, fill: Callable[[Tensor, list[Tensor]], object]) -> None:
        """Forward, the gradients, the optimizer's step."""
        fill(*self.forward())
        self.optimizer.step()
        self.optimizer.zero_grad()


class StackedContest(Contest):
    """The same with the heads as one product."""

    def __init__(self, kind: str, n_tasks: int) -> None:
        super().__init__(kind, n_tasks)
        from polytask.networks.heads import StackedLinearHeads

        self.stack = StackedLinearHeads.of(self.heads)  # type: ignore[arg-type]
        self.target = torch.stack(self.targets, 1)
        self.optimizer = torch.optim.Adam([*self.trunk.parameters(), *self.stack.parameters()], lr=1e-4, fused=True)

    def step(self, fill: Callable[[Tensor, list[Tensor]], object]) -> None:
        """As before."""
        losses = ((self.stack(self.trunk(self.x)) - self.target) ** 2).mean((0, 2))
        backward(losses, balancing.Equal())
        self.optimizer.step()
        self.optimizer.zero_grad()


def contestants(kind: str, n_tasks: int) -> Iterator[tuple[str, str, Step]]:
    """(mode, name, step) of each; the first is the reference."""

    def contest(fill: Callable[[Contest], Callable[[Tensor, list[Tensor]], object]]) -> Step:
        own = Contest(kind, n_tasks)
        filled = fill(own)
        return lambda: own.step(filled)

    def exactly(method: balancing.BalancingMethod) -> Step:
        return contest(lambda own: lambda z, losses: backward(losses, method, shared_params=own.trunk.parameters()))

    def at_features(method: balancing.BalancingMethod) -> Step:
        return contest(lambda own: lambda z, losses: backward(losses, method, features=z))

    yield "reference", "sum", contest(lambda own: lambda z, losses: torch.stack(losses).sum().backward())
    for name in ("PCGrad", "MGDA", "UPGrad"):
        yield "exact", name, exactly(getattr(balancing, name)())
    for name in ("PCGrad", "MGDA"):
        yield "representation", name, at_features(getattr(balancing, name)())
    k = EVERY.get(n_tasks, 50)
    yield "every", f"MGDA every {k}", exactly(balancing.Every(balancing.MGDA(), k))
    yield "losses", "Equal", contest(lambda own: lambda z, losses: backward(losses, balancing.Equal()))
    try:
        from torchjd.aggregation import PCGrad
        from torchjd.autojac import jac_to_grad, mtl_backward
    except ImportError:
        return

    def peer(own: Contest) -> Callable[[Tensor, list[Tensor]], None]:
        aggregator = PCGrad()

        def fill(z: Tensor, losses: list[Tensor]) -> None:
            mtl_backward(losses, features=z)
            jac_to_grad(own.trunk.parameters(), aggregator)

        return fill

    yield "torchjd", "torchjd PCGrad", contest(peer)


def in_turn(steps: dict[str, Step], *, rounds: int, repeat: dict[str, int], clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds per step of each contestant and round."""
    for name, step in steps.items():
        for _ in range(max(2, repeat[name])):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = clock()
            for _ in range(repeat[name]):
                step()
            seconds[name].append((clock() - start) / repeat[name])
    return seconds


def networks(
    kind: str, n_tasks: int, rounds: int, only: list[str] | None, clock: Callable[[], float]
) -> Iterator[dict[str, object]]:
    """Ratios of all ways to the reference."""
    found = [(mode, name, step) for mode, name, step in contestants(kind, n_tasks) if not only or mode in ["reference", *only]]
    steps = {f"{mode}: {name}": step for mode, name, step in found}
    repeat = {
        f"{mode}: {name}": EVERY.get(n_tasks, 50) if mode == "every" else 1 if mode in ("exact", "torchjd") else 3
        for mode, name, _ in found
    }
    seconds = in_turn(steps, rounds=rounds, repeat=repeat, clock=clock)
    reference = seconds["reference: sum"]
    for mode, name, _ in found[1:]:
        ratios = sorted(a / b for a, b in zip(seconds[f"{mode}: {name}"], reference, strict=True))
        goal = GOALS.get((kind, mode), {}).get(n_tasks)
        yield {
            "case": kind,
            "n_tasks": n_tasks,
            "mode": mode,
            "name": name,
            "ratio": round(statistics.median(ratios), 2),
            "quarter": [round(ratios[len(ratios) // 4], 2), round(ratios[3 * len(ratios) // 4], 2)],
            "reference_ms": round(1e3 * statistics.median(reference), 2),
            "goal": goal,
        }


def stacked(rounds: int, clock: Callable[[], float]) -> Iterator[dict[str, object]]:
    """Equal weights with the heads stacked, against separate heads."""
    separate, together = Contest("mlp", 40), StackedContest("mlp", 40)
    steps: dict[str, Step] = {
        "sum": lambda: separate.step(lambda z, losses: torch.stack(losses).sum().backward()),
        "stacked": lambda: together.step(lambda z, losses: None),
    }
    seconds = in_turn(steps, rounds=rounds, repeat=dict.fromkeys(steps, 3), clock=clock)
    ratio = statistics.median(a / b for a, b in zip(seconds["stacked"], seconds["sum"], strict=True))
    yield {"case": "stacked", "n_tasks": 40, "mode": "equal", "name": "Equal", "ratio": round(ratio, 2), "goal": 0.65}


def solvers(n_tasks: int, repeats: int) -> Iterator[dict[str, object]]:
    """Milliseconds for weights, by the smallest of some repeats; consecutive steps see gradients that differ by a tenth."""
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(n_tasks, 300, generator=generator)
    common = torch.randn(300, generator=generator)
    for shape, rows in {"random": base, "conflicting": base - 0.1 * common, "agreeing": base + common}.items():
        seen = []
        for _ in range(repeats):
            moved = rows + 0.1 * torch.randn(rows.shape, generator=generator)
            gramian = (moved @ moved.T).double()
            seen.append(balancing.Observed(torch.rand(n_tasks) + 0.5, torch.ones(n_tasks), tuple(range(n_tasks)), gramian))
        for name in sorted(balancing.__all__):
            kind = getattr(balancing, name)
            if not (isinstance(kind, type) and issubclass(kind, balancing.BalancingMethod)) or kind.needs != {"gramian"}:
                continue
            try:
                method = kind()
            except TypeError:  # it must be told something first
                continue
            seconds = []
            for one in seen:
                start = time.perf_counter()
                method(one)
                seconds.append(time.perf_counter() - start)
            yield {
                "case": "solvers",
                "n_tasks": n_tasks,
                "mode": shape,
                "name": name,
                "ms": round(1e3 * min(seconds), 2),
                "median_ms": round(1e3 * statistics.median(seconds), 2),
                "goal": None if name in ("NashMTL", "GradVac") else 1.0,
            }


def _peak_of(way: str, n_tasks: int, threads: int, queue: "multiprocessing.Queue[float]") -> None:
    """In a process of its own: how far three steps raise the peak of memory, in MB."""
    torch.set_num_threads(threads)
    contest = Contest("mlp", n_tasks)
    contest.step(lambda z, losses: torch.stack(losses).sum().backward())
    parameters = list(contest.trunk.parameters())

    def sequential(z: Tensor, losses: list[Tensor]) -> None:
        rows = torch.empty(n_tasks, sum(p.numel() for p in parameters))
        for task, loss in enumerate(losses):
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True)
            torch.cat([g.reshape(-1) for g in gradients], out=rows[task])
        _ = rows @ rows.T
        torch.stack(losses).sum().backward()

    method = balancing.PCGrad()
    more: dict[str, Any] = {"chunk_size": 8} if way == "chunked" else {}
    with peak_memory() as peak:
        for _ in range(3):
            if way == "sequential":
                contest.step(sequential)
            else:
                contest.step(lambda z, losses: backward(losses, method, shared_params=parameters, **more))
    queue.put(peak.mb)


def memory(n_tasks: int, threads: int) -> Iterator[dict[str, object]]:
    """Peak of memory against the loop over tasks."""
    context = multiprocessing.get_context("spawn")
    peaks = {}
    for way in ("sequential", "ours", "chunked"):
        queue = context.Queue()
        process = context.Process(target=_peak_of, args=(way, n_tasks, threads, queue))
        process.start()
        peaks[way] = queue.get(timeout=120)
        process.join()
    for way in ("ours", "chunked"):
        yield {
            "case": "memory",
            "n_tasks": n_tasks,
            "name": way,
            "mb": round(peaks[way]),
            "sequential_mb": round(peaks["sequential"]),
            "ratio": round(peaks[way] / peaks["sequential"], 2),
            "goal": 1.3,
        }


def main() -> None:
    """Run the parts asked for and print a line of JSON for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ["mlp", "conv", "stacked", "solvers", "memory"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--m", nargs="+", type=int, help="numbers of tasks of `mlp` and `conv`, and of `memory`")
    parser.add_argument("--modes", nargs="+", help="exact, representation, every, losses, torchjd")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="add the lines to benchmarks/speed/results/balancing.jsonl")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu: of all threads; with 1 thread, on a busy machine"
    )
    options = parser.parse_args()
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", category=UserWarning)
    lines: list[dict[str, object]] = []

    def tell(found: Iterator[dict[str, object]]) -> None:
        for line in found:
            lines.append(line)
            print(json.dumps(line), flush=True)

    for kind, numbers in {"mlp": [2, 8, 40], "conv": [2, 8]}.items():
        if kind in options.only:
            for n_tasks in options.m or numbers:
                tell(networks(kind, n_tasks, options.rounds, options.modes, clock))
    if "stacked" in options.only:
        tell(stacked(options.rounds, clock))
    if "solvers" in options.only:
        torch.set_num_threads(1)
        tell(solvers(64, options.rounds))
        torch.set_num_threads(options.threads)
    if "memory" in options.only:
        for n_tasks in options.m or [40]:
            tell(memory(n_tasks, options.threads))
    setting = {"torch": torch.__version__, "rounds": options.rounds, "threads": options.threads, "clock": options.clock}
    if options.write:
        path = Path(__file__).parent / "results" / "balancing.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.writelines(json.dumps({**line, **setting}) + "\n" for line in lines)


if __name__ == "__main__":
    main()
