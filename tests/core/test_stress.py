"""Everything at once, from many threads, for seconds: nothing is lost and nothing happens twice."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from more_executors import Executors, PollDescriptor, PollExecutor
from more_executors._core import Future, Timers, Waker

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("threads_taking_turns")]

SECONDS = 1.5
MAX_OUTSTANDING = 1_500  # of more, the collector would not see how what is kept refers to the executor
ENDS = (ValueError, LookupError, concurrent.futures.CancelledError, concurrent.futures.TimeoutError)


@pytest.fixture(autouse=True)
def nothing_is_logged() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def all_for(seconds: float, *functions: Callable[[], object]) -> None:
    """Call each function on a thread of its own, again and again for `seconds`; raise what one of them raises."""
    until = time.monotonic() + seconds

    def repeat(function: Callable[[], object]) -> None:
        while time.monotonic() < until:
            function()

    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        for done in concurrent.futures.as_completed([pool.submit(repeat, function) for function in functions]):
            done.result()


class Workload:
    """An executor under stress, and what became of each of its futures."""

    def __init__(self, base: Any) -> None:
        self.futures: list[concurrent.futures.Future[int]] = []
        self.calls: list[int] = []
        self.kept: list[PollDescriptor[int, int]] = []
        self.executor: PollExecutor[int, int] = base.with_poll(self.poll, self.cancel_task, default_interval=0.001)

    def poll(self, descriptors: list[PollDescriptor[int, int]]) -> float:
        for descriptor in descriptors:
            chance = random.random()
            if chance < 0.3:
                descriptor.yield_result(descriptor.result)
            elif chance < 0.4:
                descriptor.yield_exception(ValueError("failed"))
            elif chance < 0.5:
                self.kept.append(descriptor)
        if random.random() < 0.05:
            raise LookupError("the poll failed")
        return 0.001

    def cancel_task(self, number: int) -> bool:
        if number % 10 == 0:
            raise KeyError(number)
        return number % 2 == 0

    def submit(self) -> None:
        if len(self.futures) - len(self.calls) < MAX_OUTSTANDING:
            number = len(self.futures)
            future = self.executor.submit(int, number)
            future.add_done_callback(lambda future: self.calls.append(id(future)))
            self.futures.append(future)

    def cancel(self) -> None:
        if self.futures:
            random.choice(self.futures[-300:]).cancel()

    def resolve_from_outside(self) -> None:
        if self.kept:
            descriptor = self.kept.pop()
            descriptor.yield_result(-1)
            descriptor.yield_exception(ValueError("too late"))

    def wait(self) -> None:
        some = self.futures[-50:]
        concurrent.futures.wait(some, timeout=0.005)
        try:
            for future in concurrent.futures.as_completed(some, timeout=0.005):
                assert future.done()
        except concurrent.futures.TimeoutError:
            pass

    def wait_for_one(self) -> None:
        if self.futures:
            future = random.choice(self.futures[-50:])
            with contextlib.suppress(
                ValueError, LookupError, concurrent.futures.CancelledError, concurrent.futures.TimeoutError
            ):
                assert future.result(0.01) is not None
            repr(future)


BASES = {
    "sync": lambda: Executors.sync(),
    "thread pool": lambda: Executors.thread_pool(max_workers=3),
    "poll on thread pool": lambda: Executors.thread_pool(max_workers=2).with_poll(
        lambda descriptors: [descriptor.yield_result(descriptor.result) for descriptor in descriptors] and 0.001
    ),
}


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_each_future_ends_exactly_once_and_none_is_lost(base: Callable[[], Any]) -> None:
    work = Workload(base())
    counters = work.executor._table.counters
    all_for(SECONDS, work.submit, work.submit, work.cancel, work.resolve_from_outside, work.wait, work.wait_for_one)
    work.executor.shutdown()

    assert all(future.done() for future in work.futures)
    assert Counter(work.calls) == Counter(id(future) for future in work.futures)
    ends = Counter(
        "cancelled" if future.cancelled() else "failed" if future.exception() else "finished" for future in work.futures
    )
    assert (counters.finished, counters.failed, counters.cancelled) == (
        ends["finished"],
        ends["failed"],
        ends["cancelled"],
    )
    assert counters.started == len(work.futures) > 0
    assert min(ends.values()) > 0


def test_one_future_from_all_sides_at_once() -> None:
    rounds = Counter[str]()

    def once() -> None:
        future = Future[int]()
        calls: list[Any] = []
        start = threading.Barrier(5)

        def side(function: Callable[[], object]) -> object:
            start.wait(10)
            try:
                return function()
            except (concurrent.futures.InvalidStateError, concurrent.futures.CancelledError):
                return None

        def resolve() -> str:
            future.set_result(1)
            return "won"

        def cancel() -> str | None:
            return "won" if future.cancel() else None

        def call_back() -> None:
            for _ in range(10):
                future.add_done_callback(calls.append)

        def look() -> None:
            with future._condition:
                assert repr(future).startswith("<Future")
                future._get_snapshot()
                future.running()

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            ends = list(pool.map(side, [resolve, cancel, call_back, look, lambda: future.result(10)]))
        assert ends.count("won") == 1
        assert len(calls) == 10
        rounds["rounds"] += 1

    all_for(SECONDS, once)
    assert rounds["rounds"] > 5


def test_timers_from_many_threads_lose_nothing() -> None:
    timers = Timers()
    added, cancelled, due = Counter[str](), Counter[str](), list[Any]()

    def add_and_cancel() -> None:
        name = threading.current_thread().name
        timer = timers.add(random.random(), object())
        added[name] += 1
        if random.random() < 0.6 and timer.cancel():
            cancelled[name] += 1

    def pop() -> None:
        due.extend(timers.pop_due(random.random()))
        timers.next()

    all_for(SECONDS, add_and_cancel, add_and_cancel, add_and_cancel, pop)
    due.extend(timers.pop_due(1.0))
    assert len(timers) == 0
    assert added.total() == cancelled.total() + len(due) > 100


def test_cancels_at_the_moment_when_retries_fall_due() -> None:
    futures: list[concurrent.futures.Future[Any]] = []
    with Executors.sync().with_retry(max_attempts=1000, sleep=0.0005, exponent=1) as executor:

        def cancel_some() -> None:
            some = [executor.submit(divmod, 1, 0) for _ in range(50)]
            time.sleep(random.uniform(0.0004, 0.0007))
            for future in some:
                future.cancel()
            futures.extend(some)

        all_for(2 * SECONDS, cancel_some, cancel_some, cancel_some, cancel_some)
        counters = executor._table.counters
    cancelled = sum(future.cancelled() for future in futures)
    assert all(future.done() for future in futures)
    assert (counters.started, counters.cancelled, counters.failed) == (
        len(futures),
        cancelled,
        len(futures) - cancelled,
    )
    assert cancelled > 0


def test_a_wake_up_from_many_threads_is_never_lost() -> None:
    waker, asked = Waker(), list[None]()
    over = threading.Event()

    def sleep() -> None:
        seen = 0
        while not over.is_set() or seen < len(asked):
            assert waker.wait(10), "a wake-up was lost"
            seen = len(asked)

    def wake() -> None:
        asked.append(None)  # a number that threads add to would lose some
        waker.set()

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    all_for(SECONDS, wake, wake, wake)
    over.set()
    waker.set()
    sleeper.join(20)
    assert not sleeper.is_alive()


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="this Python always has the GIL")
def test_the_gil_stays_as_python_was_started() -> None:
    import sysconfig

    assert sys._is_gil_enabled() is not bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
