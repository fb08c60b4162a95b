"""Threads that do jobs and tell when they are done; those that do not end in time are left behind."""

import queue
import threading
from collections.abc import Callable
from typing import Any

Done = tuple[Any, Any, BaseException | None]  # tag, result, error


THREAD_NAME = "polytask-portfolio"


class Workers:
    """Threads for work that leaves Python (trees, boosting, matrix products).

    A job that outlives its time goes on without anybody waiting for it, until Python ends, which does wait: threads inside of
    compiled code cannot be ended safely. A program that is done may leave by ``os._exit`` instead, as the command line does.

    Parameters
    ----------
    n_threads : int

    Examples
    --------
    >>> workers = Workers(2)
    >>> for base in (2, 3):
    ...     workers.begin(base, lambda base=base: base**2)
    >>> sorted(workers.next_done(5.0)[:2] for _ in range(2))
    [(2, 4), (3, 9)]
    >>> workers.stop()
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.under_way = 0
        self._jobs: queue.SimpleQueue[tuple[Any, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        for _ in range(n_threads):
            threading.Thread(target=self._work, name=THREAD_NAME).start()

    @property
    def free(self) -> int:
        """Threads that have nothing to do."""
        return self.n_threads - self.under_way

    def begin(self, tag: Any, job: Callable[[], Any]) -> None:
        """Give a job to the next free thread."""
        self.under_way += 1
        self._jobs.put((tag, job))

    def next_done(self, timeout: float | None) -> Done | None:
        """Tag, result and error of a job that is done; None where none is within ``timeout`` seconds."""
        try:
            found = self._done.get(timeout=timeout)
        except queue.Empty:
            return None
        self.under_way -= 1
        return found

    def stop(self) -> None:
        """Let the threads end once they are free."""
        for _ in range(self.n_threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            tag, job = given
            result, error = None, None
            try:
                result = job()
            except BaseException as raised:  # noqa: BLE001 - told by whoever asked for the job
                error = raised
            self._done.put((tag, result, error))
            del given, job, result, error
