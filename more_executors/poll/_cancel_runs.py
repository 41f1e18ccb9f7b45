"""Asking about many tasks that are to be cancelled, so many at a time.

Guarantees:

* Each task is asked about once, and answered for whatever the function raises.
* An answer counts when it comes. After a Ctrl-C, requests that have begun go on, and no more are made.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from time import monotonic
from typing import Any, TypeAlias

from .._core import BulkCancel, Waker, log
from .._runtime.call_threads import CallThreads
from .._runtime.loop_thread import LoopClosed, LoopThread
from .._runtime.pauses import SECONDS_WITHOUT_MEMORY, pause
from ._cancel_call import CancelCalls
from ._owed import Owed

__all__: list[str] = []

SECONDS_BETWEEN_REPORTS = 10.0  # of how far it is

NONE: list[bool] = []  # answers: it takes no memory to give these


class LateTasks:
    """Tasks that have failed at their deadline: they are cancelled, but nobody waits for the answers."""

    def __init__(self, results: list[Any]) -> None:
        self._left = deque(results)
        self._count = len(results)

    def __len__(self) -> int:
        return self._count

    def take(self, at_most: int) -> tuple[int, list[Any]] | None:
        """At most so many results that nobody has taken; None if none is left."""
        taken: list[Any] = []
        try:
            while len(taken) < at_most:
                taken.append(self._left.popleft())
        except IndexError:
            pass
        return (0, taken) if taken else None

    def answer(self, start: int, count: int, answers: list[bool]) -> None:
        """Do nothing: they have failed."""


Tasks: TypeAlias = BulkCancel | LateTasks


def answer(tasks: Tasks, start: int, results: list[Any], answers: list[bool]) -> None:
    """Give the answers to who waits for them. Where there is no memory for that, it is tried until there is."""
    while True:
        try:
            tasks.answer(start, len(results), answers)
            return
        except MemoryError:
            pause(SECONDS_WITHOUT_MEMORY)


class Run:
    """Several threads, or coroutines, that ask about the same tasks; each has a number.

    When the last has ended, `is_over` is True, and `waker` is set. Until then, `shutdown` waits, and `owner` is kept
    alive.
    """

    def __init__(self, count: int, owed: Owed, owner: object) -> None:
        self.is_over = self._is_told = False
        self.waker = Waker()
        self._left = set(range(count))
        self._owed = owed
        self._owner = owner

    def ended(self, number: int) -> None:
        """Note that this one has ended, or will never begin. May be called twice."""
        while not self._is_told:
            try:
                self._left.discard(number)
                if self._left:
                    return
                self._end()
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)

    def _end(self) -> None:
        self._owner, owner = None, self._owner
        self._owed.end(self)
        self.is_over = True
        self.waker.set()
        self._is_told = True
        del owner  # it may be the last reference


class CancelRuns:
    """Asks about tasks, `batch` in each call, in at most `max_concurrency` calls at a time.

    That many are for all runs together that use threads or the loop of the executor; calls on a caller's own thread are
    not counted. All methods may be called from any thread.
    """

    def __init__(
        self,
        calls: CancelCalls,
        *,
        batch: int,
        max_concurrency: int,
        loop: LoopThread,
        threads: CallThreads,
        logger: logging.Logger,
        owed: Owed,
    ) -> None:
        self._calls = calls
        self._batch = batch
        self._most = max_concurrency
        self._loop = loop
        self._threads = threads
        self._logger = logger
        self._owed = owed
        self._room = asyncio.Semaphore(max_concurrency)

    def run(self, bulk: BulkCancel) -> None:
        """Ask about all of `bulk`; returns when that is over."""
        try:
            elsewhere = self._most > 1 and not (self._threads.is_current() or self._loop.is_current())
            if not (elsewhere and self._run_elsewhere(bulk)):
                report_at = monotonic() + SECONDS_BETWEEN_REPORTS
                while self._ask_next(bulk, Exception):
                    if monotonic() >= report_at:
                        report_at += SECONDS_BETWEEN_REPORTS
                        self._report(bulk)
        finally:
            del bulk  # see _frames

    def _run_elsewhere(self, bulk: BulkCancel) -> bool:
        try:
            run = self.start(bulk)
        except RuntimeError:  # no thread can be started
            return False
        while not run.is_over:
            run.waker.wait(SECONDS_BETWEEN_REPORTS)
            if not run.is_over:
                self._report(bulk)
        return True

    def start(self, tasks: Tasks, owner: object = None) -> Run:
        """Ask about all of `tasks` on threads, or the loop, of the executor. Returns at once; keeps `owner` alive.

        Raises RuntimeError if that cannot be done.
        """
        count = min(self._most, -(-len(tasks) // self._batch))
        run, begun = Run(count, self._owed, owner), 0
        try:
            self._owed.begin(run)
            while begun < count:
                if self._calls.is_async:
                    self._loop.start(partial(self._work_on_loop, tasks, run, begun))
                else:
                    self._threads.start(partial(self._work, tasks, run, begun))
                begun += 1
        except BaseException as error:
            number = begun  # no range: it takes memory
            while number < count:
                run.ended(number)
                number += 1
            if not begun or not isinstance(error, (RuntimeError, MemoryError)):  # a Ctrl-C
                raise
        return run

    def _work(self, tasks: Tasks, run: Run, number: int) -> None:
        try:
            while self._ask_next(tasks, BaseException):
                pass
        finally:
            del tasks  # see _frames
            run.ended(number)

    async def _work_on_loop(self, tasks: Tasks, run: Run, number: int) -> None:
        try:
            async with self._room:
                while (taken := tasks.take(self._batch)) is not None:
                    start, results = taken
                    answers = NONE
                    try:
                        answers = await self._calls.persistently_on_loop(results)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        if self._loop.has_cancelled(error):
                            raise
                        self._complain(tasks, start, results, error)
                    finally:
                        answer(tasks, start, results, answers)
        finally:
            del tasks  # see _frames
            run.ended(number)

    def _ask_next(self, tasks: Tasks, caught: type[BaseException]) -> bool:
        """Ask about the next `batch`. Returns False if there are no more. Raises what is not of the type `caught`."""
        try:
            if (taken := tasks.take(self._batch)) is None:
                return False
            start, results = taken
            answers = NONE
            try:
                answers = self._calls.persistently(results)
            except LoopClosed:
                pass  # all futures are done
            except caught as error:
                self._complain(tasks, start, results, error)
            finally:
                answer(tasks, start, results, answers)
            return True
        finally:
            del tasks  # see _frames

    def _complain(self, tasks: Tasks, start: int, results: list[Any], error: BaseException) -> None:
        if self._calls.many:
            log(self._logger, logging.ERROR, "Exception during cancel of %d tasks", len(results), error=error)
        elif isinstance(tasks, LateTasks):
            message = "Exception during cancel on %s, which was late"
            log(self._logger, logging.ERROR, message, results[0], error=error)
        else:
            message = "Exception during cancel on %s/%s"
            log(self._logger, logging.ERROR, message, tasks.future(start), results[0], error=error)

    def _report(self, bulk: BulkCancel) -> None:
        log(self._logger, logging.WARNING, "still cancelling: %d of %d tasks", bulk.asked, len(bulk))
