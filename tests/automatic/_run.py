"""A fit in a process of its own that dies by SIGKILL after an epoch: ``python tests/automatic/_run.py RUN_FOLDER EPOCH``."""

import os
import signal
import sys

import torch


def run(run_folder: str, last_epoch: int) -> None:
    from _tables import houses, predictor  # a script's own folder is searched first

    torch.set_num_threads(1)

    def die(record: object) -> None:
        if record.epoch == last_epoch:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)

    predictor(epochs=8).fit(houses(), run_folder=run_folder, on_epoch=die)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
