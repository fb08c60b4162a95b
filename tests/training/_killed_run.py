"""A run in a process of its own that dies by SIGKILL after an epoch, or goes to the end; then it prints its weights.

python tests/training/_killed_run.py CHECKPOINT EPOCH one|stack
"""

import hashlib
import os
import signal
import sys

import torch

from polytask.training import Checkpoint


def digest(weights: list[dict[str, torch.Tensor]]) -> str:
    parts = [p.numpy().tobytes() for own in weights for _, p in sorted(own.items())]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def run(path: str, last_epoch: int, kind: str) -> str:
    from _problems import Job, make_table, train_one, train_stack  # a script's own folder is searched first

    torch.set_num_threads(1)

    def die(record: object) -> None:
        if record.epoch == last_epoch:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)

    options = {"dropout": 0.3, "max_epochs": 12, "on_epoch": die, "checkpoint": Checkpoint(path, every=0.0)}
    if kind == "one":
        return digest(train_one(make_table(), Job(), **options).weights)
    jobs = [Job(seed=s, valid=range(60 + 3 * s, 66 + 3 * s)) for s in range(6)]
    return digest(train_stack(make_table(), jobs, patience=1, learning_rate=0.05, **options).weights)


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
