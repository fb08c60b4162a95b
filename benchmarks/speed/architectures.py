"""Speed of sharing architectures of experts: forward and backward pass, as ratios within one run.

- ``loop``: the same network, 8 experts and 8 tasks, as one would write it down from the formula: a Python loop over tasks, and
  in it one over experts.
- ``expert loop``: a loop over experts only, whose outputs are stacked; each task's mixture is one product with its gate, as
  libraries usually have it. The aim is less than half of its time.
- ``one by one``: the towers of tasks as a loop after the same network; hidden layers of half the width.
- ``rechub``: torch-rechub's MMoE and PLE on the same features, with experts and towers of the same widths. They normalize over
  the batch after each layer, and end in a sigmoid, which is a part of them that cannot be left out.

"tasks apart" is the way of methods of balancing that compare gradients. What comes after (heads, losses) is the same for all
and is left out: the backward pass starts at given gradients of the outputs, and ends at the features, as with an encoder before.
Contestants run in one process, in an order drawn for each round: on one thread by processor time, on more by the clock. The
ratio of a round is that of two steps done one soon after the other, and the median over rounds is told with the middle half, so
that other work on the machine meets both. torch-rechub is installed into an environment of its own at the first use.

    python benchmarks/speed/architectures.py [--rounds 40] [--width 64] [--batch 256] [--threads 1] [--write]
"""

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
from _peer_environment import peer_python

N_FEATURES, N_TASKS, N_EXPERTS = 64, 8, 8
RESULTS = Path(__file__).parent / "results" / "architectures.json"
OUR_WAYS = ("at once", "tasks apart", "polytask")
Step = Callable[[], None]


class LoopedMMoE(nn.Module):
    """MMoE with a loop over experts, and for each task another one, or one product (``mixes_at_once``)."""

    def __init__(self, width: int, *, mixes_at_once: bool = False) -> None:
        super().__init__()
        self.mixes_at_once = mixes_at_once
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(N_FEATURES, width), nn.ReLU()) for _ in range(N_EXPERTS))
        self.gates = nn.ModuleList(nn.Linear(N_FEATURES, N_EXPERTS, bias=False) for _ in range(N_TASKS))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features [n, d] to a representation [n, width] per task."""
        experts = [expert(x) for expert in self.experts]
        if self.mixes_at_once:
            together = torch.stack(experts, dim=1)
            return [(gate(x).softmax(-1).unsqueeze(1) @ together).squeeze(1) for gate in self.gates]
        found = []
        for gate in self.gates:
            weights = gate(x).softmax(-1)
            found.append(torch.stack([weights[:, [e]] * out for e, out in enumerate(experts)]).sum(0))
        return found


class LoopedCGC(nn.Module):
    """CGC with one expert per task and as many shared ones, with such loops."""

    def __init__(self, width: int, *, mixes_at_once: bool = False) -> None:
        super().__init__()
        self.mixes_at_once = mixes_at_once
        own = [nn.Sequential(nn.Linear(N_FEATURES, width), nn.ReLU()) for _ in range(2 * N_TASKS)]
        self.own, self.shared = nn.ModuleList(own[:N_TASKS]), nn.ModuleList(own[N_TASKS:])
        self.gates = nn.ModuleList(nn.Linear(N_FEATURES, 1 + N_TASKS, bias=False) for _ in range(N_TASKS))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features [n, d] to a representation [n, width] per task."""
        shared = [expert(x) for expert in self.shared]
        found = []
        for own, gate in zip(self.own, self.gates, strict=True):
            weights, outputs = gate(x).softmax(-1), [own(x), *shared]
            if self.mixes_at_once:
                found.append((weights.unsqueeze(1) @ torch.stack(outputs, dim=1)).squeeze(1))
            else:
                found.append(torch.stack([weights[:, [e]] * out for e, out in enumerate(outputs)]).sum(0))
        return found


def step_of(module: nn.Module, outputs: Callable[[], Sequence[Tensor] | Tensor]) -> Step:
    """Forward pass, and a backward pass from gradients of the outputs that are drawn once."""

    def found() -> list[Tensor]:
        own = outputs()
        return [own] if isinstance(own, Tensor) else list(own)

    given = [torch.randn_like(own) for own in found()]

    def step() -> None:
        torch.autograd.backward(found(), given)
        module.zero_grad()

    return step


def loop_contest(width: int, batch: int) -> dict[str, dict[str, Step]]:
    """For each architecture both loops, the way of balancing methods, and the fast way."""
    from polytask.networks import CGC, MMoE

    x = torch.randn(batch, N_FEATURES, requires_grad=True)
    own = {
        "MMoE": (LoopedMMoE, MMoE(n_experts=N_EXPERTS, width=width)),
        "CGC": (LoopedCGC, CGC(n_task_experts=1, n_shared_experts=N_TASKS, width=width)),
    }
    found = {}
    for name, (looped, recipe) in own.items():
        slow, looping = looped(width), looped(width, mixes_at_once=True)
        apart, at_once = (recipe.build(N_FEATURES, N_TASKS) for _ in range(2))
        found[name] = {
            "loop": step_of(slow, lambda slow=slow: slow(x)),
            "expert loop": step_of(looping, lambda looping=looping: looping(x)),
            "at once": step_of(at_once, lambda at_once=at_once: at_once.at_once(x)),
            "tasks apart": step_of(apart, lambda apart=apart: apart(x)),
        }
    return found


def towers_contest(width: int, batch: int) -> dict[str, dict[str, Step]]:
    """For each architecture its towers one by one, and as one product."""
    from polytask.networks import HardSharing, MMoE
    from polytask.networks.sharing._towers import through_towers, towers_of

    x = torch.randn(batch, N_FEATURES, requires_grad=True)
    found = {}
    for name, recipe in {"hard": HardSharing(), "MMoE": MMoE(n_experts=N_EXPERTS, width=width)}.items():
        bare, at_once = recipe.build(N_FEATURES, N_TASKS), recipe.set_params(tower_width=width // 2).build(N_FEATURES, N_TASKS)
        towers = towers_of(bare.out_features, N_TASKS, width=width // 2)
        found[name] = {
            "one by one": step_of(
                nn.ModuleList([bare, towers]), lambda bare=bare, towers=towers: through_towers(towers, bare.at_once(x))
            ),
            "at once": step_of(at_once, lambda at_once=at_once: at_once.at_once(x)),
        }
    return found


def rechub_contest(width: int, batch: int) -> dict[str, dict[str, Step]]:
    """torch-rechub's models beside ours with towers of one output per task."""
    from torch_rechub.basic.features import DenseFeature
    from torch_rechub.models.multi_task import MMOE, PLE

    from polytask.networks import PLE as OurPLE
    from polytask.networks import MMoE

    x = torch.randn(batch, N_FEATURES)
    columns = {f"x{k}": x[:, k] for k in range(N_FEATURES)}
    features = [DenseFeature(name) for name in columns]
    kinds, towers = ["classification"] * N_TASKS, [{"dims": [width]} for _ in range(N_TASKS)]
    peers = {
        "MMoE": (
            MMOE(features, kinds, N_EXPERTS, expert_params={"dims": [width]}, tower_params_list=towers),
            MMoE(n_experts=N_EXPERTS, width=width, tower_width=width),
        ),
        "PLE": (
            PLE(features, kinds, 2, 1, 1, expert_params={"dims": [width]}, tower_params_list=towers),
            OurPLE(n_levels=2, n_task_experts=1, n_shared_experts=1, width=width, tower_width=width),
        ),
    }
    found = {}
    for name, (peer, recipe) in peers.items():
        layer = recipe.build(N_FEATURES, N_TASKS)
        heads = nn.ModuleList(nn.Linear(width, 1) for _ in range(N_TASKS))
        whole = nn.ModuleList([layer, heads])

        def outputs(layer: Any = layer, heads: Any = heads) -> list[Tensor]:
            read = torch.cat([columns[f"x{k}"][:, None] for k in range(N_FEATURES)], dim=1)  # the peer puts them together too
            return [head(z).sigmoid() for head, z in zip(heads, layer.at_once(read), strict=True)]

        found[name] = {
            "rechub": step_of(peer, lambda peer=peer: peer(columns)),
            "polytask": step_of(whole, outputs),
        }
    return found


def in_turn(steps: dict[str, Step], *, rounds: int) -> dict[str, Any]:
    """Median ratios to the peers, which are all but our own ways, with the middle half, and milliseconds of the peers."""
    for step in steps.values():
        for _ in range(5):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    draw, clock = random.Random(0), time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    for _ in range(rounds):
        for name in draw.sample(list(steps), len(steps)):  # what ran before leaves its own data in the cache
            started = clock()
            steps[name]()
            seconds[name].append(clock() - started)
    peers = [name for name in steps if name not in OUR_WAYS]
    found: dict[str, Any] = {f"{peer} ms": round(statistics.median(seconds[peer]) * 1e3, 3) for peer in peers}
    for peer, name in itertools.product(peers, [name for name in steps if name in OUR_WAYS]):
        ratios = [own / base for own, base in zip(seconds[name], seconds[peer], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        found[f"{name} / {peer}"] = [round(value, 3) for value in (middle, low, high)]
    return found


def main() -> None:
    """Run all, or one contest in this very process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--contest", choices=["loop", "towers", "rechub"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contest:
        torch.set_num_threads(given.threads)
        torch.manual_seed(0)
        contests = {"loop": loop_contest, "towers": towers_contest, "rechub": rechub_contest}
        contest = contests[given.contest](given.width, given.batch)
        print(json.dumps({name: in_turn(steps, rounds=given.rounds) for name, steps in contest.items()}))
        return
    settings = {"threads": given.threads, "width": given.width, "batch": given.batch}
    words = [f"--{name}={value}" for name, value in {"rounds": given.rounds, **settings}.items()]
    pythons = {"loop": sys.executable, "towers": sys.executable, "rechub": peer_python("rechub", ["torch-rechub==0.9.0"])}
    found: dict[str, Any] = {"torch": torch.__version__, **settings}
    paths = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    for name, python in pythons.items():
        command = [python, __file__, "--contest", name, *words]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=paths)
        found[name] = json.loads(run.stdout.splitlines()[-1])
    print(json.dumps(found, indent=2))
    if given.write:
        RESULTS.parent.mkdir(exist_ok=True)
        others = [run for run in _written() if any(run[name] != value for name, value in settings.items())]
        RESULTS.write_text(json.dumps([*others, found], indent=2) + "\n", encoding="utf-8")


def _written() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


if __name__ == "__main__":
    main()
