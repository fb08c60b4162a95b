"""How many processor threads a command may use."""

import os

from polytask.exceptions import OptionError

MANY_ROWS = (
    20_000  # below, the steps of training are too small to share: a second thread gains little and loses much when cores are busy
)


def threads_for(threads: int | None, *, n_rows: int) -> int | None:
    """Threads to train with: as given; else one for a small table, and torch's own choice for a large one.

    >>> threads_for(None, n_rows=500), threads_for(2, n_rows=500), threads_for(None, n_rows=1_000_000)
    (1, 2, None)
    """
    return 1 if threads is None and n_rows < MANY_ROWS else threads


def use_threads(threads: int | None) -> None:
    """Limit the threads of torch and of everything with an OpenMP or BLAS pool; None leaves them as they are."""
    check_threads(threads)
    if threads is None:
        return
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(threads)
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch.set_num_threads(threads)
    threadpool_limits(threads)


def check_threads(threads: int | None) -> None:
    """Raise :class:`OptionError` unless it is None or at least 1."""
    if threads is not None and threads < 1:
        raise OptionError(f"--threads must be a whole number >= 1; got {threads}.")
