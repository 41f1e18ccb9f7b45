"""What tests of polling what is due share: a clock that the test moves, a poll function that notes its calls."""

from __future__ import annotations

import _thread
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import Any

import pytest
from support import PATIENCE, PollCall, SomeError, SteppedPoll

from more_executors import PollDescriptor, PollExecutor, SyncExecutor, _core
from more_executors.poll import _call, _engine, _executor, _gate, _scheduler
from more_executors.poll._runners import LoopRunner, ThreadRunner
from more_executors.retry import RetryPolicy

START = 1000.0  # what the clock says at first


class SleepLock:
    """Stands in for a lock; an executor's thread that sleeps on it does so in the time of the test."""

    def __init__(self, clock: PacedClock) -> None:
        self.lock = _thread.allocate_lock()
        self._clock = clock

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if timeout is None:
            return self.lock.acquire(blocking)
        name = threading.current_thread().name
        if not name.startswith("PollExecutor-") or "-cancel-" in name:
            return self.lock.acquire(True, timeout)
        return self._clock.sleep(self, timeout)

    def release(self) -> None:
        self.lock.release()
        self._clock.look_again()


class Calls:
    """Calls on other threads than the executor's: one is over when it has woken that."""

    def __init__(self) -> None:
        self.begun: list[None] = []
        self.over: list[None] = []

    def go_on(self) -> bool:
        return len(self.begun) > len(self.over)


class CountedOnThreads(ThreadRunner):
    def __init__(self, counted: Calls, calls: Any, table: Any, threads: Any) -> None:
        super().__init__(calls, table, threads)
        self._counted = counted
        threads.when_free = lambda: (table.waker.set(), counted.over.append(None))

    def start(self, tasks: Any, late: float) -> bool:
        self._counted.begun.append(None)
        if super().start(tasks, late):
            self._counted.over.append(None)
            return True
        return False


class CountedOnLoop(LoopRunner):
    def __init__(self, counted: Calls, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._counted = counted

    async def _call(self, call: object, tasks: Any, late: float) -> None:
        self._counted.begun.append(None)
        try:
            await super()._call(call, tasks, late)
        finally:
            self._counted.over.append(None)
            del self, tasks


class PacedClock:
    """The time of one poll executor: it passes while its thread sleeps, and as the test says.

    To be made before the executor.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._changed = threading.Condition()
        self._now = START
        self._bed: SleepLock | None = None  # what the executor's thread sleeps on
        self._wakes_at = inf
        self.sleeps = 0  # so far
        monkeypatch.setattr(_core, "allocate_lock", lambda: SleepLock(self))
        for module in (_core, _call, _engine, _executor, _gate, _scheduler):
            monkeypatch.setattr(module, "monotonic", lambda: self._now)
        self._calls = Calls()
        monkeypatch.setattr(_engine, "ThreadRunner", partial(CountedOnThreads, self._calls))
        monkeypatch.setattr(_engine, "LoopRunner", partial(CountedOnLoop, self._calls))

    @property
    def now(self) -> float:
        """How much time has passed."""
        return self._now - START

    def sleep(self, bed: SleepLock, seconds: float) -> bool:
        with self._changed:
            self.sleeps += 1
            self._wakes_at = inf if seconds < 0 else max(self._now + seconds, math.nextafter(self._now, inf))
            self._bed = bed
            self._changed.notify_all()
            self._changed.wait_for(lambda: not bed.lock.locked() or self._now >= self._wakes_at)
            self._bed = None
            return bed.lock.acquire(False)

    def look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until the executor's thread sleeps, and nothing has woken it."""
        with self._changed:
            asleep = self._changed.wait_for(self._is_asleep, PATIENCE)
        assert asleep, "the executor does not go to sleep"

    def _is_asleep(self) -> bool:
        return self._bed is not None and self._bed.lock.locked() and self._now < self._wakes_at

    def leap(self, seconds: float) -> None:
        """Have so much time pass at once, whoever sleeps: for time that passes in a call."""
        with self._changed:
            self._now += seconds
            self._changed.notify_all()

    def run(self, seconds: float = 0.0) -> None:
        """Have so much time pass, the executor's thread waking whenever it wants to; more, if a call leaps further."""
        until = self._now + seconds
        while True:
            self.settle()
            with self._changed:
                self._now = max(self._now, min(self._wakes_at, until))
                self._changed.notify_all()
                if self._wakes_at > until:
                    return

    def wait_for_calls(self, executor: PollExecutor[Any, Any]) -> None:
        """Wait until no call goes on, on whichever thread, and the executor's thread sleeps."""
        deadline = time.monotonic() + PATIENCE
        while executor.stats().in_calls or self._calls.go_on():
            assert time.monotonic() < deadline, "a call does not end"
            time.sleep(0)
        self.settle()

    def sleeps_for(self) -> float:
        """For how many seconds the executor's thread goes to sleep when it has done what there is to do."""
        self.settle()
        return self._wakes_at - self._now


class NotedPoll:
    """A poll function that notes when it is called, and with what; what `does(descriptors)` returns, it returns."""

    def __init__(self, clock: PacedClock) -> None:
        self.calls: list[tuple[float, list[Any]]] = []
        self.descriptors: dict[Any, PollDescriptor[Any, Any]] = {}
        self.does: Callable[[list[PollDescriptor[Any, Any]]], object] = lambda descriptors: None
        self._clock = clock

    def __call__(self, descriptors: list[PollDescriptor[Any, Any]]) -> Any:
        results = [descriptor.result for descriptor in descriptors]
        self.calls.append((self._clock.now, results))
        self.descriptors.update(zip(results, descriptors, strict=True))
        return self.does(descriptors)

    def times(self, result: Any) -> list[float]:
        """When the task of `result` was polled."""
        return [when for when, results in self.calls if result in results]

    def finish(self, *results: Any) -> None:
        """Resolve those tasks."""
        for result in results:
            self.descriptors.pop(result).yield_result()


def clock_fixture() -> Any:
    """The fixture that gives a PacedClock: `clock = clock_fixture()`."""

    @pytest.fixture
    def clock(monkeypatch: pytest.MonkeyPatch) -> PacedClock:
        return PacedClock(monkeypatch)

    return clock


def poll_fixture() -> Any:
    """The fixture that gives a NotedPoll: `poll = poll_fixture()`."""

    @pytest.fixture
    def poll(clock: PacedClock) -> Iterator[NotedPoll]:
        poll = NotedPoll(clock)
        yield poll
        poll.descriptors.clear()
        del poll.does

    return poll


@contextlib.contextmanager
def paced(poll_fn: Callable[[list[Any]], Any], **options: Any) -> Iterator[PollExecutor[Any, Any]]:
    """An executor that polls what is due, at once unless `options` say otherwise; what is left is cancelled."""
    options = {"batch_size": 1_000_000, "min_interval": 0.0, **options}
    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), poll_fn, **options)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


# What to give `paced`.
MODES: dict[str, dict[str, Any]] = {"whole list": {"batch_size": None}, "what is due": {}}
in_both_modes = pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))


class NotedPolicy(RetryPolicy):
    """Tries again until a task has failed `most` times in a row; `asked` has the counts it was asked about."""

    def __init__(self, most: float = inf, seconds: Any = 3.0) -> None:
        self.most = most
        self.seconds = seconds
        self.asked: list[int] = []
        self.errors: set[type[BaseException]] = set()

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        self.asked.append(attempt)
        error = future.exception(0)
        self.errors.add(type(error))
        return attempt < self.most

    def sleep_time(self, attempt: int, future: Future[Any]) -> Any:
        return self.seconds


def failing(poll: NotedPoll, *calls: int, error: Callable[[], BaseException] = SomeError) -> None:
    """Have those calls of `poll` raise, the first being number 1."""

    def does(descriptors: list[Any]) -> None:
        if len(poll.calls) in calls:
            raise error()

    poll.does = does


def new_table(kind: Any = _core.DueTable, logger: Any = None, **options: Any) -> Any:
    """A table of polled tasks that belongs to no executor."""
    return kind(logger or logging.getLogger("more_executors.tests"), **options)


def begin(stepped: SteppedPoll, count: int) -> list[PollCall]:
    """Wait until so many more calls have begun."""
    return [stepped.next() for _ in range(count)]


def end(calls: list[PollCall], returning: object = inf) -> None:
    """End those calls, their tasks being done."""
    for call in calls:
        for descriptor in call.descriptors:
            descriptor.yield_result(descriptor.result)
        call.end(returning)
        call.descriptors.clear()


def results(calls: list[PollCall]) -> list[Any]:
    """What tasks are in those calls."""
    return [descriptor.result for call in calls for descriptor in call.descriptors]
