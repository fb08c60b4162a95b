"""What each of two processes does in test_processes.py: some steps on its half of every batch; a script of its own."""

import os
import sys
from copy import deepcopy
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from polytask import balancing
from polytask.exceptions import PolytaskError

N_TASKS = 3
SETTINGS = {"Every": {"method": balancing.MGDA(), "k": 2}, "PCD": {"primary": 1}}  # of methods that cannot be made without
AHEAD = ("AutoLambda", "FORUM", "MOML", "MoDo", "SAMO", "SDMGrad")  # served by `step` only


def make_of(name):
    """What makes the method."""
    return lambda: getattr(balancing, name)(**deepcopy(SETTINGS.get(name, {})))


def levels_of(name):
    """Where it can balance; gradients that are kept, or drawn for each value, are those of parameters."""
    method = make_of(name)()
    at_parameters_only = "jacobian_state" in method.needs or name == "GradDrop"
    return ("shared_params",) if at_parameters_only else ("shared_params", "features")


def network():
    generator = torch.Generator().manual_seed(1)
    trunk = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 6)).double()
    heads = nn.ModuleList(nn.Linear(6, 1) for _ in range(N_TASKS)).double()
    for p in (*trunk.parameters(), *heads.parameters()):
        nn.init.normal_(p, std=0.5, generator=generator)
    return trunk, heads


def batch(step):
    """Inputs [12, 5], targets [12, 3] and label weights: unevenly missing, task 1 in one half only, task 2 absent in step 1."""
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(12, 5, dtype=torch.float64, generator=generator)
    y = torch.randn(12, N_TASKS, dtype=torch.float64, generator=generator)
    weight = (torch.rand(12, N_TASKS, generator=generator) < 0.7).double()
    weight[:6, 1] = 0
    weight[6:, 1] = 1
    if step == 1:
        weight[:, 2] = 0
    return x, y, weight


def train(make, level, rows, group, *, n_steps=3, in_list=False):
    """The parameters after some steps; losses out of one operation, or in a list, each of its head alone."""
    (trunk, heads), method = network(), make()
    parameters = [*trunk.parameters(), *heads.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.05)
    for step in range(n_steps):
        x, y, weight = (tensor[rows] for tensor in batch(step))

        def losses():
            z = trunk(x)  # noqa: B023
            if in_list:
                columns = [(head(z)[:, 0] - y[:, k]) ** 2 * weight[:, k] for k, head in enumerate(heads)]  # noqa: B023
                return z, [own.sum() / count for own, count in zip(columns, weight.sum(0).clamp(min=1), strict=True)]  # noqa: B023
            errors = (torch.cat([head(z) for head in heads], 1) - y) ** 2 * weight  # noqa: B023
            return z, errors.sum(0) / weight.sum(0).clamp(min=1)  # noqa: B023

        z, values = losses()
        where = {"shared_params": trunk.parameters()} if level == "shared_params" else {"features": z}
        if not method.needs & {"gramian", "jacobian"}:
            where = {}
        penalty = 0.01 * sum(p.square().sum() for p in parameters) + 0.02 * z.square().mean()  # one part looks at the rows
        balancing.backward(values, method, label_weight=weight.sum(0), group=group, penalty=penalty, **where)
        optimizer.step()
        optimizer.zero_grad()
        if "losses_after_step" in method.needs:
            with torch.no_grad():
                after = losses()[1]
                after, total = (torch.stack(after) if in_list else after) * weight.sum(0), weight.sum(0)
                if group is not None:
                    dist.all_reduce(after, group=group)
                    dist.all_reduce(total, group=group)
            method.after_step(after / total.clamp(min=1))
        method.end_epoch(torch.ones(N_TASKS, dtype=torch.float64) + step)
    return [p.detach().clone() for p in parameters]


def train_ahead(name, rows, group, *, n_steps=3):
    """The same by `step`, of a method that needs more than one batch."""
    (trunk, heads), method = network(), getattr(balancing, name)()
    parameters = [*trunk.parameters(), *heads.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.05)

    def closure(part):
        x, y, weight = (tensor[rows] for tensor in part)
        errors = (torch.cat([head(trunk(x)) for head in heads], 1) - y) ** 2 * weight
        return errors.sum(0) / weight.sum(0).clamp(min=1), weight.sum(0)

    for k in range(n_steps):
        batches = [batch(3 * k + number) for number in range(method.n_batches)]
        x = batches[0][0][rows]

        def penalty():
            return 0.01 * sum(p.square().sum() for p in parameters) + 0.02 * trunk(x).square().mean()  # noqa: B023

        where = {"shared_params": trunk.parameters(), "group": group}
        balancing.step(closure, batches, method, optimizer=optimizer, penalty=penalty, **where)
    return [p.detach().clone() for p in parameters]


def uneven_graphs(rank):
    """What is said where the loss of task 1 goes through its head in one process only."""
    trunk, heads = network()
    z = trunk(batch(0)[0])
    values = [head(z).square().mean() for head in heads]
    values[1] = values[1] if rank else values[1].detach() * 0
    try:
        balancing.backward(values, balancing.MGDA(), shared_params=trunk.parameters(), group=dist.group.WORLD)
    except PolytaskError as error:
        return str(error)
    return "nothing"


def train_in_parts(name, rows, group, *, n_parts=2):
    """The parameters after two steps on parts of a batch; the loss of a task without labels in a part has no graph."""
    (trunk, heads), method = network(), make_of(name)()
    parameters = [*trunk.parameters(), *heads.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.05)
    for step in range(2):
        parts = balancing.MicroBatches(method, shared_params=trunk.parameters(), group=group)
        x, y, weight = batch(step)
        weight = torch.ones_like(weight)
        weight[:3, 0] = weight[9:, 1] = weight[3:6, 2] = 0  # of every task one part of one process lacks the labels
        for part in torch.arange(12)[rows].split(3):
            z, counts = trunk(x[part]), weight[part].sum(0)
            values = [((head(z)[:, 0] - y[part, k]) ** 2 * weight[part, k]).sum() / counts[k] for k, head in enumerate(heads)]
            values = [value if there else torch.zeros(()).double() for value, there in zip(values, counts > 0, strict=True)]
            parts.add(values, label_weight=counts)
        parts.backward()
        optimizer.step()
        optimizer.zero_grad()
    return [p.detach().clone() for p in parameters]


def told(what):
    """What is said, and whether gradients stayed as they were."""
    (trunk, heads), world = network(), dist.group.WORLD
    parameters = [*trunk.parameters(), *heads.parameters()]
    try:
        what(trunk, heads, dist.get_rank(), world)
    except PolytaskError as error:
        return str(error), all(p.grad is None for p in parameters)
    return "nothing", False


def losses_by(trunk, heads):
    z = trunk(batch(0)[0])
    return [head(z).square().mean() for head in heads]


def _backward(change):
    def what(trunk, heads, rank, world):
        given = {"losses": losses_by(trunk, heads), "method": balancing.MGDA(), "shared_params": list(trunk.parameters())}
        given |= change(trunk, heads, rank) if rank else {}
        balancing.backward(**given, group=world)

    return what


def _parts(change):
    def what(trunk, heads, rank, world):
        parts = balancing.MicroBatches(balancing.PCGrad(), shared_params=trunk.parameters(), group=world)
        values, weight = change(losses_by(trunk, heads), rank) if rank else (losses_by(trunk, heads), None)
        if values is not None:
            parts.add(values, label_weight=weight)
        parts.backward()

    return what


# what is wrong in the second process only: all must refuse, and none wait
REFUSED = {
    "a penalty that is not finite": _backward(lambda trunk, heads, rank: {"penalty": trunk[0].weight.sum() * torch.nan}),
    "a penalty in one process": _backward(lambda trunk, heads, rank: {"penalty": trunk[0].weight.sum()}),
    "label weights too long": _backward(lambda trunk, heads, rank: {"label_weight": torch.ones(4)}),
    "other tasks": _backward(lambda trunk, heads, rank: {"tasks": ["a", "b", "c"]}),
    "another method": _backward(lambda trunk, heads, rank: {"method": balancing.Equal()}),
    "other shared parameters": _backward(lambda trunk, heads, rank: {"shared_params": heads[0].parameters()}),
    "shared parameters that no loss reaches": _backward(lambda t, h, r: {"shared_params": [torch.ones(1, requires_grad=True)]}),
    "a loss of other parameters": _backward(
        lambda trunk, heads, rank: {"losses": [*losses_by(trunk, heads)[:2], trunk[0].bias.sum() ** 2]}
    ),
    "no losses with a graph": _backward(lambda t, h, r: {"losses": [loss.detach() for loss in losses_by(t, h)]}),
    "parts: one without a graph": _parts(
        lambda losses, r: ([losses[0], losses[1].detach(), losses[2]], torch.tensor([1.0, 0, 1]))
    ),
    "parts: none": _parts(lambda losses, rank: (None, None)),
    "parts: not finite": _parts(lambda losses, rank: ([losses[0] * torch.nan, *losses[1:]], None)),
    "parts: in one tensor": _parts(lambda losses, rank: (torch.stack(losses) * 1, None)),
}
IN_PARTS = ("Equal", "MGDA", "GradDrop", "FAMO")


def run(rank, folder, names):
    """One process: all methods, its half of the rows; writes the parameters that come out."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    half = slice(6) if rank == 0 else slice(6, 12)
    found = {
        f"{name} {level}": train(make_of(name), level, half, dist.group.WORLD) for name in names for level in levels_of(name)
    }
    found |= {f"{name} step": train_ahead(name, half, dist.group.WORLD) for name in AHEAD}
    found |= {
        f"{name} {level} list": train(make_of(name), level, half, dist.group.WORLD, in_list=True)
        for name in names
        for level in levels_of(name)
    }
    found["uneven"] = uneven_graphs(rank)
    found |= {f"{name} parts": train_in_parts(name, half, dist.group.WORLD) for name in IN_PARTS}
    found |= {what: told(wrong) for what, wrong in REFUSED.items()}
    torch.save(found, Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3].split(","))
