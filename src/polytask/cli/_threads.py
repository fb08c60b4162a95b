"""How many processor threads a command may use."""

import os

from polytask.exceptions import OptionError


def use_threads(threads: int | None) -> None:
    """Limit the threads of torch and of everything with an OpenMP or BLAS pool; None leaves them as they are."""
    if threads is None:
        return
    if threads < 1:
        raise OptionError(f"--threads must be a whole number >= 1; got {threads}.")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(threads)
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch.set_num_threads(threads)
    threadpool_limits(threads)
