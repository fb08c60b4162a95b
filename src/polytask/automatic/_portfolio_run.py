"""Fit candidates side by side while there is time: what is begun, what is left out and why."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from polytask.automatic._candidate import (
    Candidate,
    Fitted,
    bagged_of,
    jobs_of,
    learnable,
    pilot_seconds,
    tasks_of_all_folds,
)
from polytask.automatic._workers import Workers
from polytask.estimators import Bagged, LearningData

Array = np.ndarray[Any, np.dtype[Any]]
Split = tuple[Array, Array]

PILOT, FIT = "pilot", "fit"
N_FIRST = 3  # models that tell how noisy the labels are
LONGEST_WAIT = 3600.0  # seconds; then it is looked again


@dataclass
class UnderWay:
    """A candidate whose jobs are being done."""

    candidate: Candidate
    jobs: list[tuple[int, Callable[[], Any]]] = field(default_factory=list)
    begun: int = 0
    results: list[tuple[int, int, Fitted]] = field(default_factory=list)  # number of the job, fold, what it gave
    bagged: Bagged | None = None
    in_pilot: bool = False
    is_over: bool = False

    @property
    def is_done(self) -> bool:
        return not self.in_pilot and len(self.results) == len(self.jobs)


class PortfolioRun:
    """One pass over the candidates.

    Parameters
    ----------
    data : LearningData
    candidates : sequence of Candidate
        Cheap and sure ones first. Their order alone decides what counts as a gain, whatever ends first.
    splits : sequence of pairs of int arrays
    seed : int
    deadline : callable
        Gives the latest time (of ``time.monotonic()``) at which fitting must be over; it may move while the run learns what
        saving takes.
    n_workers : int
    earlier : mapping of name to Bagged
        Models of an earlier run on the same split; they are not fitted again, but for those that time cut to some of their tasks.
    judge : callable, optional
        Told the models that are whole, in order, each time one more is; True ends the run.
    on_model : callable, optional
        Told name and model (None if it was left out).
    best_skill : callable, optional
        A model to the skill of the task that it does best, for candidates that only suit labels of little noise.

    Attributes
    ----------
    bagged : dict of name to Bagged
        Those that are whole, in the order of the candidates.
    made : dict of name to Candidate
        As they were fitted, smaller ones too.
    left_out : dict of name to str
    ran_out : bool
        Whether something was left out, or made smaller, for want of time.
    ended_early : bool
        Whether the judge ended the run.
    """

    def __init__(
        self,
        data: LearningData,
        candidates: Sequence[Candidate],
        splits: Sequence[Split],
        *,
        seed: int,
        deadline: Callable[[], float],
        n_workers: int = 1,
        earlier: Mapping[str, Bagged] | None = None,
        judge: Callable[[dict[str, Bagged]], bool] | None = None,
        on_model: Callable[[str, Bagged | None], None] | None = None,
        best_skill: Callable[[Bagged], float] | None = None,
    ) -> None:
        self.data, self.splits, self.seed = data, splits, seed
        self.candidates = list(candidates)
        self.deadline, self.n_workers = deadline, n_workers
        self.earlier, self.judge, self.on_model = dict(earlier or {}), judge, on_model
        self.best_skill = best_skill
        self.left_out: dict[str, str] = {}
        self.notes: list[str] = []
        self.ran_out = self.ended_early = False
        self.made: dict[str, Candidate] = {}
        self._found: dict[int, Bagged] = {}
        self._open: dict[int, UnderWay] = {}
        self._next = self._judged = 0
        self._last = len(self.candidates)
        self._slow: dict[int, float] = {}
        self._n_rows = data.table.arrays.numeric.shape[0]
        self._n_columns = data.table.arrays.numeric.shape[1] + sum(data.table.cardinalities)

    @property
    def bagged(self) -> dict[str, Bagged]:
        """Models that are whole, in the order of the candidates."""
        return {self.candidates[k].name: self._found[k] for k in sorted(self._found)}

    @property
    def slow(self) -> Candidate | None:
        """Of the candidates that were found too slow the quickest."""
        return self.candidates[min(self._slow, key=lambda k: self._slow[k])] if self._slow else None

    def run(self) -> None:
        """Fit what there is time for; matrix products have one thread each, since they are done side by side."""
        workers = Workers(self.n_workers)
        try:
            with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
                warnings.simplefilter("ignore")  # of libraries; inside threads the filters of single fits are not safe
                self._go(workers)
        finally:
            workers.stop()

    def _go(self, workers: Workers) -> None:
        while True:
            while workers.free and self._begin_next(workers):
                pass
            if not workers.under_way or (self._found and all(own.is_over for own in self._open.values())):
                break
            may_wait = None if not self._found else min(max(self._left(), 0.05), LONGEST_WAIT)
            done = workers.next_done(may_wait)
            if done is not None:
                self._take(*done)
            elif self._found and time.monotonic() >= self.deadline():
                break
        for k, under_way in list(self._open.items()):
            if not under_way.is_over:
                told = (
                    f"after {len(under_way.results)} of {len(under_way.jobs)} fits"
                    if under_way.jobs
                    else "in a trial on few rows"
                )
                self._cut(k, f"time ended {told}")
        for k in range(self._next, self._last):  # never begun
            if not self._is_settled(k):
                self._leave_out(k, *self._why_not_begun(k))

    # -------------------------------------------------------------- beginning

    def _begin_next(self, workers: Workers) -> bool:
        """Begin one more job; False where there is none that may begin."""
        for k, under_way in list(self._open.items()):
            if under_way.begun < len(under_way.jobs) and not under_way.is_over:
                if self._is_too_late(k, under_way):
                    continue
                under_way = self._open[k]
                if not under_way.jobs or under_way.is_over:
                    continue
                fold, job = under_way.jobs[under_way.begun]
                workers.begin((FIT, k, under_way.begun, fold, under_way), job)
                under_way.begun += 1
                return True
        if self._next >= self._last or self._waits_for_skill(self._next):
            return False
        k = self._next
        self._next += 1
        return self._open_candidate(k, workers)

    def _waits_for_skill(self, k: int) -> bool:
        """Whether the candidate asks for the skill of the first models, and one of these is still under way."""
        return self.candidates[k].least_skill is not None and not all(map(self._is_settled, range(min(k, N_FIRST))))

    def _is_noisy(self, candidate: Candidate) -> bool:
        """Whether the first models say that labels have too much noise for a candidate."""
        if candidate.least_skill is None or self.best_skill is None:
            return False
        skills = [self.best_skill(self._found[k]) for k in range(N_FIRST) if k in self._found]
        return not any(skill >= candidate.least_skill for skill in skills)

    def _open_candidate(self, k: int, workers: Workers) -> bool:
        candidate = self.candidates[k]
        earlier = self.earlier.get(candidate.name)
        if earlier is not None and earlier.is_whole:
            self._found[k] = earlier
            self._tell(k)
            self._judge()
        elif not candidate.suits(self._n_rows, self._n_columns):
            self._leave_out(k, *self._why_not_begun(k))
        elif learnable(candidate, self.data) == []:
            self._leave_out(k, "not for tasks of these kinds")
        elif self._is_noisy(candidate):
            self._leave_out(k, f"for labels of less noise: no model before it has a skill of {candidate.least_skill}")
        elif self._left() <= 0 and (self._found or self._open):
            self._leave_out(k, "no time was left", for_time=True)
        else:
            self._open[k] = UnderWay(candidate)
            if self._needs_pilot(candidate):
                self._open[k].in_pilot = True
                most = max(candidate.share * self._left(), 0.0) * self.n_workers / len(self.splits)
                work = partial(pilot_seconds, candidate, self.data, self.splits[0][0], seed=self.seed, most=most)
                workers.begin((PILOT, k, 0, 0, self._open[k]), work)
            else:
                self._make_jobs(k, candidate)
        return True

    def _needs_pilot(self, candidate: Candidate) -> bool:
        return candidate.needs_pilot(len(self.splits[0][0])) and bool(np.isfinite(self.deadline()))

    def _make_jobs(self, k: int, candidate: Candidate) -> None:
        until = time.monotonic() + candidate.share * self._left() if np.isfinite(self.deadline()) else np.inf
        try:
            jobs = jobs_of(candidate, self.data, self.splits, seed=self.seed, until=until)
        except Exception as error:  # noqa: BLE001 - such as groups that cannot be divided again; others may do without
            self._leave_out(k, f"it cannot learn from these rows: {error}")
            return
        self._open[k] = UnderWay(candidate, jobs)

    def _is_too_late(self, k: int, under_way: UnderWay) -> bool:
        """Whether the jobs left of a candidate would end too late; then it is left out."""
        if not self._others_than(k) or not under_way.results:
            return False
        mean = float(np.mean([result.seconds for _, _, result in under_way.results]))
        rounds = -(-(len(under_way.jobs) - under_way.begun) // self.n_workers)
        left = self._left()
        if mean * rounds <= left:
            return False
        smaller = under_way.candidate.smaller(max(left, 0.0) * self.n_workers / (mean * len(under_way.jobs)))
        if smaller is not None:
            self._shrink(k, smaller)
            return False
        folds_left = -under_way.begun % len(self.splits)  # of the task that is begun
        if folds_left and mean * -(-folds_left // self.n_workers) <= left and len(under_way.jobs) > len(self.splits):
            return False  # some tasks are better than none
        if under_way.begun == len(under_way.results):
            self._cut(k, f"after {under_way.begun} of {len(under_way.jobs)} fits it would not have ended in time")
        return True

    def _shrink(self, k: int, smaller: Candidate) -> None:
        """Begin a candidate anew, smaller; what its jobs under way give is not used."""
        self.ran_out = True
        self.notes.append(f"{smaller.name} was made smaller, to end in time.")
        self._make_jobs(k, smaller)

    # ----------------------------------------------------------------- taking

    def _take(self, tag: tuple[str, int, int, int, UnderWay], result: Any, error: BaseException | None) -> None:
        kind, k, number, fold, under_way = tag
        if under_way.is_over or self._open.get(k) is not under_way:  # given up, or begun anew
            return
        if error is not None:
            if not isinstance(error, Exception):
                raise error
            self._leave_out(k, f"it failed: {type(error).__name__}: {error}")
        elif kind == PILOT:
            self._after_pilot(k, float(result))
        elif isinstance(result, Bagged):
            under_way.bagged = result
            self._complete(k)
        else:
            under_way.results.append((number, fold, result))
            if under_way.is_done:
                self._complete(k)

    def _after_pilot(self, k: int, seconds: float) -> None:
        """Go on with a candidate as it is, with a smaller one, or leave it out."""
        candidate = self._open[k].candidate
        needed = seconds * len(self.splits) / self.n_workers
        may_take = candidate.share * self._left()
        if needed > may_take:
            smaller = candidate.smaller(max(may_take, 0.0) / needed)
            if smaller is None:
                self._slow[k] = needed
                told = f"it would take about {needed:.0f} s of the {max(self._left(), 0):.0f} s that were left"
                self._leave_out(k, told, for_time=True)
                return
            self._shrink(k, smaller)
            return
        self._make_jobs(k, candidate)

    def _cut(self, k: int, why: str) -> None:
        """End a candidate for want of time: keep the tasks of which all folds are done; where there are none, leave it out."""
        under_way = self._open[k]
        results = [(fold, result) for _, fold, result in under_way.results]
        whole, earlier = tasks_of_all_folds(results, len(self.splits)), self.earlier.get(under_way.candidate.name)
        if earlier is not None and len(earlier.held_out) >= len(whole):
            under_way.bagged = earlier
        elif not whole:
            self._leave_out(k, why, for_time=True)
            return
        self.ran_out = True
        n_tasks = len(under_way.bagged.held_out if under_way.bagged else whole)
        n_all = len(self.data.labels.tasks)
        self.notes.append(f"{under_way.candidate.name} learned {n_tasks} of {n_all} tasks before time ended.")
        self._complete(k, is_whole=False)

    def _complete(self, k: int, *, is_whole: bool = True) -> None:
        under_way = self._open.pop(k)
        bagged = under_way.bagged
        if bagged is None:
            results = [(fold, result) for _, fold, result in sorted(under_way.results, key=lambda own: own[0])]
            bagged = bagged_of(under_way.candidate, results, self.splits, len(self.data.weight), self.data.labels.tasks)
            bagged.is_whole = is_whole
        bagged.name = under_way.candidate.name
        self.made[bagged.name] = under_way.candidate
        self._found[k] = bagged
        self._tell(k)
        self._judge()

    def _judge(self) -> None:
        """Ask the judge about the candidates up to the first that is still under way, one more at a time."""
        settled = next((k for k in range(len(self.candidates)) if not self._is_settled(k)), len(self.candidates))
        while self._judged < settled and self.judge is not None:
            k = self._judged
            self._judged += 1
            if k in self._found and self.judge({self.candidates[j].name: self._found[j] for j in sorted(self._found) if j <= k}):
                self._end_after(k)
                return

    def _is_settled(self, k: int) -> bool:
        return k in self._found or self.candidates[k].name in self.left_out

    def _end_after(self, last: int) -> None:
        """Leave all later candidates out, those too that are whole, so that the clock has no say in it."""
        self.ended_early, self._last = True, 0
        for k in range(last + 1, len(self.candidates)):
            if self.candidates[k].name not in self.left_out:
                self._found.pop(k, None)
                self._leave_out(k, "the models before it no longer gained")

    # ---------------------------------------------------------------- helpers

    def _leave_out(self, k: int, why: str, for_time: bool = False) -> None:
        self.ran_out = self.ran_out or for_time
        if k in self._open:
            self._open[k].is_over = True
        earlier = self.earlier.get(self.candidates[k].name)
        if for_time and earlier is not None:  # of some tasks, but better than nothing
            self._found[k] = earlier
            self._tell(k)
            self._judge()
            return
        self.left_out[self.candidates[k].name] = why
        if self.on_model is not None:
            self.on_model(self.candidates[k].name, None)
        if self._last:
            self._judge()

    def _tell(self, k: int) -> None:
        if self.on_model is not None:
            self.on_model(self.candidates[k].name, self._found[k])

    def _why_not_begun(self, k: int) -> tuple[str, bool]:
        """What is told of a candidate that had no turn, and whether it lacked time."""
        if not self.candidates[k].suits(self._n_rows, self._n_columns):
            return f"not for {self._n_rows:,} rows and {self._n_columns:,} columns", False
        return "no time was left", True

    def _others_than(self, k: int) -> bool:
        """Whether another candidate is whole, so that this one may be given up."""
        return any(other != k for other in self._found)

    def _left(self) -> float:
        return self.deadline() - time.monotonic()
