"""Fits that do not need each other, in processes of their own, with the numbers that one process would give."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import joblib
import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from polytask.exceptions import OptionError

Result = TypeVar("Result")

_MAPPED = "1M"  # larger arrays are written to disk once, and read there by all processes


def run_all(jobs: Sequence[Callable[[], Result]], *, n_jobs: int | None) -> list[Result]:
    """Run all jobs and give their results in order; warnings are told here, whichever process they came from.

    Processes are started anew (never forked, which can hang once a thread pool runs) and use as many threads as this one, so
    that the numbers are the same for every ``n_jobs``.

    Parameters
    ----------
    jobs : sequence of callables without arguments
        Such as ``functools.partial`` of a function of a module; what they hold is pickled.
    n_jobs : int or None
        Processes at once; -1 for one per core, None for 1 unless inside ``joblib.parallel_config``.

    Raises
    ------
    OptionError
        If ``n_jobs`` is 0 or no whole number.

    Examples
    --------
    >>> from functools import partial
    >>> run_all([partial(pow, 2, k) for k in range(3)], n_jobs=None)
    [1, 2, 4]
    """
    at_once = min(number_of_processes(n_jobs), len(jobs))
    if at_once <= 1:
        return [job() for job in jobs]
    threads = {kind: _threads_of(kind) for kind in ("blas", "openmp")}
    parallel = joblib.Parallel(n_jobs=at_once, backend="loky", max_nbytes=_MAPPED, mmap_mode="c")
    found = parallel(joblib.delayed(_in_worker)(job, threads, torch.get_num_threads()) for job in jobs)
    for _, told in found:
        for warning in told:
            warnings.warn(warning, stacklevel=3)
    return [result for result, _ in found]


def number_of_processes(n_jobs: int | None) -> int:
    """How many processes ``n_jobs`` stands for.

    >>> number_of_processes(None), number_of_processes(3)
    (1, 3)
    """
    is_count = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool) and n_jobs != 0
    if n_jobs is not None and not is_count:
        raise OptionError(f"`n_jobs` must be a whole number other than 0, or None; got {n_jobs!r}. Use -1 for all cores.")
    return int(joblib.effective_n_jobs(n_jobs))


def _threads_of(kind: str) -> int:
    """Threads of the libraries of this kind that are loaded here; 1 where there is none."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == kind), default=1)


def _in_worker(job: Callable[[], Result], threads: dict[str, int], torch_threads: int) -> tuple[Result, list[Any]]:
    """Run a job with the threads of the process that asked for it; its result and its warnings."""
    with warnings.catch_warnings(record=True) as told, threadpool_limits(threads):
        warnings.simplefilter("always")
        torch.set_num_threads(torch_threads)
        result = job()
    return result, [warning.message for warning in told]
