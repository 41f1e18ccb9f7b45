"""Timeouts: one cancel is tried on each future that is not done in time, at that time, on the executor's own thread."""

from __future__ import annotations

import contextlib
import gc
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from math import inf, nan
from typing import Any

import pytest
from support import (
    FOREVER,
    PATIENCE,
    DuckDelegate,
    DuckFuture,
    HeardLogger,
    InThread,
    Parking,
    SomeError,
    Thing,
    assert_ends,
    is_gone,
    said,
    without_collector,
)
from throttle_support import Sleeper

from more_executors import Executors, SyncExecutor, TimeoutExecutor, _core

REFUSED = "^cannot schedule new futures after shutdown$"


class Clock(Sleeper):
    """The time: it stands still until the test moves it, and then the executor's thread notices."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch, "TimeoutExecutor-default")
        self.now = 1000.0
        monkeypatch.setattr(_core, "monotonic", lambda: self.now)

    def pass_seconds(self, seconds: float) -> None:
        """Let so much time pass, have the thread see it, and wait until it has done what is due."""
        self.idle()
        self.now += seconds
        self.let_time_pass()
        self.idle()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Stubborn(Future):  # type: ignore[type-arg]
    """Refuses to be cancelled, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[threading.Thread] = []
        self.during: Callable[[], object] = lambda: None

    def cancel(self) -> bool:
        self.asked.append(threading.current_thread())
        self.during()
        return False


def timeout_thread(name: str = "default") -> threading.Thread:
    (thread,) = (thread for thread in threading.enumerate() if thread.name == f"TimeoutExecutor-{name}")
    return thread


def cancels(executor: TimeoutExecutor) -> int:
    """How many cancels worked."""
    return executor._table.counters.cancels


def timers_of(executor: TimeoutExecutor) -> _core.Timers:
    (timers,) = (thing for thing in gc.get_referents(executor._timeout_table) if isinstance(thing, _core.Timers))
    return timers


@contextlib.contextmanager
def timing(
    timeout: float, future_type: Callable[[], Any] = Future, **options: Any
) -> Iterator[tuple[TimeoutExecutor, DuckDelegate]]:
    """An executor, and its delegate whose futures the test ends; what is left at the end is ended."""
    delegate = DuckDelegate(future_type)
    executor = TimeoutExecutor(delegate, timeout, **options)
    try:
        yield executor, delegate
    finally:
        executor.shutdown(wait=False)
        for given in delegate.given:
            if isinstance(given, Future) and not given.done():
                given.set_result(None)
        assert_ends(executor._worker._thread)


# -- what is cancelled, and when ----------------------------------------------------------------------------------


def test_a_future_that_is_not_done_in_time_is_cancelled_and_counted(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        future = executor.submit(int)
        assert clock.idle() == 5.0
        clock.pass_seconds(4.9)
        assert not future.done()
        assert clock.idle() == pytest.approx(0.1)
        clock.pass_seconds(0.1)
        assert future.cancelled()
        assert delegate.given[0].cancelled()
        assert cancels(executor) == 1
        assert clock.idle() == FOREVER


def test_the_time_counts_from_submit_for_each(clock: Clock) -> None:
    with timing(5.0) as (executor, _):
        futures = []
        for _ in range(5):
            futures.append(executor.submit(int))
            clock.pass_seconds(1.0)
        for done in range(1, 6):
            assert [future.done() for future in futures] == [number < done for number in range(5)]
            clock.pass_seconds(1.0)


def test_the_time_that_the_delegates_submit_takes_counts(clock: Clock) -> None:
    class Slow(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            clock.now += 3.0
            return super().submit(fn, *args, **kwargs)

    executor = TimeoutExecutor(Slow(Future), 5.0)
    future = executor.submit(int)
    assert clock.idle() == 2.0
    assert future.cancel()
    executor.shutdown()


@pytest.mark.parametrize("order", [[3, 1, 2, 5, 4], [5, 4, 3, 2, 1], [1, 2, 3, 4, 5], [2, 2, 1, 1, 3]])
def test_many_different_timeouts_fall_due_in_order(clock: Clock, order: list[int]) -> None:
    with timing(100.0) as (executor, _):
        ended: list[tuple[int, int]] = []
        for number, seconds in enumerate(order):
            future = executor.submit_timeout(seconds, int)
            future.add_done_callback(lambda _, key=(seconds, number): ended.append(key))
        expected = sorted((seconds, number) for number, seconds in enumerate(order))
        for second in range(1, 6):
            clock.pass_seconds(1.0)
            assert ended == [key for key in expected if key[0] <= second]


def test_all_that_are_due_at_once_are_cancelled_in_order(clock: Clock) -> None:
    with timing(100.0) as (executor, _):
        ended: list[int] = []
        seconds = [(number * 37) % 101 for number in range(1, 101)]
        for each in seconds:
            executor.submit_timeout(each, int).add_done_callback(lambda _, each=each: ended.append(each))
        clock.pass_seconds(200.0)
        assert ended == sorted(seconds)
        assert cancels(executor) == 100


def test_an_earlier_one_wakes_the_thread_and_a_later_one_does_not(clock: Clock) -> None:
    with timing(10.0) as (executor, _):
        executor.submit(int)
        assert clock.idle() == 10.0
        wake_ups = clock._wake_ups
        executor.submit_timeout(11.0, int)
        executor.submit(int)
        assert clock._bed is not None
        assert clock._bed.releases == wake_ups
        executor.submit_timeout(9.0, int)
        assert clock.idle() == 9.0
        assert clock._wake_ups == wake_ups + 1


def test_submit_timeout_is_for_one_call_only(clock: Clock) -> None:
    with timing(10.0) as (executor, delegate):
        futures = [executor.submit(int, 0), executor.submit_timeout(1.0, int, 1), executor.submit(int, 2)]
        clock.pass_seconds(1.0)
        assert [future.cancelled() for future in futures] == [False, True, False]
        clock.pass_seconds(9.0)
        assert [future.cancelled() for future in futures] == [True, True, True]
        assert [args for _, args, _ in delegate.submitted] == [(0,), (1,), (2,)]


@pytest.mark.parametrize("seconds", [0, 0.0, -1, -1e300, -inf, False])
def test_no_time_or_less_is_over_at_once(seconds: float) -> None:
    with timing(seconds) as (executor, _):
        assert said(executor.submit(int)) is CancelledError
    with timing(100.0) as (executor, _):
        assert said(executor.submit_timeout(seconds, int)) is CancelledError


@pytest.mark.parametrize("seconds", [inf, 1e300, 10**30])
def test_for_ever_is_for_ever(clock: Clock, seconds: float) -> None:
    with timing(seconds) as (executor, _):
        future = executor.submit(int)
        clock.pass_seconds(1e9)
        assert not future.done()
        executor.submit_timeout(1.0, int)
        assert clock.idle() == 1.0
        assert future.cancel()


@pytest.mark.parametrize(
    ("timeout", "error"), [(nan, ValueError), (None, TypeError), ("1", TypeError), ([], TypeError)]
)
def test_what_is_no_number_of_seconds_is_refused_at_once(timeout: Any, error: type[Exception]) -> None:
    before = set(threading.enumerate())
    with pytest.raises(error, match="timeout must be a number of seconds"):
        TimeoutExecutor(SyncExecutor(), timeout)
    with pytest.raises(error, match="timeout must be a number of seconds"):
        SyncExecutor().with_timeout(timeout)
    assert set(threading.enumerate()) <= before
    with timing(1.0) as (executor, delegate):
        with pytest.raises(error, match="timeout must be a number of seconds"):
            executor.submit_timeout(timeout, int)
        assert delegate.submitted == []


# -- once, and with nothing held ----------------------------------------------------------------------------------


@pytest.mark.parametrize("future_type", [Stubborn, DuckFuture])
def test_a_cancel_that_is_refused_is_not_tried_again_nor_counted(clock: Clock, future_type: Callable[[], Any]) -> None:
    with timing(5.0, future_type) as (executor, delegate):
        future = executor.submit(int)
        clock.pass_seconds(5.0)
        assert clock.idle() == FOREVER
        clock.pass_seconds(100.0)
        given = delegate.given[0]
        if future_type is Stubborn:
            assert given.asked == [timeout_thread()]
        assert not future.done()
        assert cancels(executor) == 0
        given.set_result("late") if future_type is Stubborn else given.end("late")
        assert future.result(0) == "late"


def test_one_that_runs_is_left_to_end_as_it_does(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        future = executor.submit(int)
        delegate.given[0].set_running_or_notify_cancel()
        assert future.running()
        clock.pass_seconds(5.0)
        assert future.running()
        delegate.given[0].set_exception(error := SomeError())
        assert future.exception(0) is error


@pytest.mark.parametrize("error", [SomeError("no"), SystemExit(3)])
def test_a_cancel_that_raises_is_logged_and_the_next_are_tried(clock: Clock, error: BaseException) -> None:
    def fail() -> None:
        raise error

    logger = HeardLogger()
    with timing(5.0, Stubborn, logger=logger) as (executor, delegate):
        futures = [executor.submit(int) for _ in range(2)]
        delegate.given[0].during = fail
        clock.pass_seconds(5.0)
        assert [(level, raised) for level, _, raised in logger.lines] == [("ERROR", error)]
        assert [len(given.asked) for given in delegate.given] == [1, 1]
        assert not any(future.done() for future in futures)
    error.__traceback__ = None


def test_the_cancel_function_may_submit_cancel_and_shut_down(clock: Clock) -> None:
    with timing(5.0, Stubborn) as (executor, delegate):
        futures = [executor.submit(int), executor.submit_timeout(100.0, int)]

        def during() -> None:
            futures.append(executor.submit_timeout(50.0, int))
            assert futures[1].cancel() is False
            executor.shutdown()

        delegate.given[0].during = during
        clock.pass_seconds(5.0)
        assert clock.idle() == 50.0
        assert [len(given.asked) for given in delegate.given] == [1, 1, 0]
        clock.pass_seconds(50.0)
        assert [len(given.asked) for given in delegate.given] == [1, 1, 1]
        assert not any(future.done() for future in futures)
        delegate.given[0].during = lambda: None


def test_while_a_cancel_takes_its_time_all_else_goes_on(clock: Clock) -> None:
    park = Parking()
    with timing(5.0, Stubborn) as (executor, delegate):
        futures = [executor.submit(int) for _ in range(3)]
        delegate.given[0].during = park
        clock.idle()
        clock.now += 5.0
        clock.let_time_pass()
        park.wait_for_one()
        futures.append(executor.submit(int))
        delegate.given[1].set_result("meanwhile")
        assert futures[1].result(0) == "meanwhile"
        assert futures[2].running() is False
        assert futures[3].cancel() is False
        delegate.given[0].set_result("while it is being cancelled")
        assert futures[0].result(0) == "while it is being cancelled"
        executor.shutdown(wait=False)
        park.let_go()
        clock.idle()
        assert delegate.given[1].asked == []
        assert len(delegate.given[2].asked) == 1
        assert cancels(executor) == 0


# 1. The time of two futures is up. The first is cancelled, and its callback ends the second.
# 2. The second is done: nothing is tried, nothing is counted.
def test_one_that_ends_while_it_is_due_is_left_alone(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        futures = [executor.submit(int) for _ in range(2)]
        futures[0].add_done_callback(lambda _: delegate.given[1].set_result("just so"))
        clock.pass_seconds(5.0)
        assert futures[0].cancelled()
        assert futures[1].result(0) == "just so"
        assert cancels(executor) == 1


def test_a_callback_of_one_that_is_cancelled_in_time_may_submit_cancel_and_shut_down(clock: Clock) -> None:
    with timing(5.0) as (executor, _):
        futures = [executor.submit(int), executor.submit_timeout(50.0, int)]

        def callback(_: Any) -> None:
            assert threading.current_thread() is timeout_thread()
            futures.append(executor.submit(int))
            assert futures[1].cancel()
            executor.shutdown(wait=True)

        futures[0].add_done_callback(callback)
        clock.pass_seconds(5.0)
        assert [future.cancelled() for future in futures] == [True, True, False]
        assert clock.idle() == 5.0
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        thread = timeout_thread()
        clock.now += 5.0
        clock.let_time_pass()
        assert_ends(thread)
        assert futures.pop().cancelled()


def test_completion_against_timeout_ends_each_once_and_as_the_delegate_did() -> None:
    with timing(100.0) as (executor, delegate):
        for _ in range(50):
            called: queue.SimpleQueue[Any] = queue.SimpleQueue()
            futures = [executor.submit_timeout(0.0, int) for _ in range(8)]
            given = delegate.given[-8:]
            for future in futures:
                future.add_done_callback(called.put)
            for each in given:
                with contextlib.suppress(InvalidStateError):
                    each.set_result("in time")
            for future, source in zip(futures, given, strict=True):
                assert said(future) == ("in time" if not source.cancelled() else CancelledError)
            assert {called.get(timeout=PATIENCE) for _ in futures} == set(futures)
            assert called.empty()


@pytest.mark.parametrize("answer", [True, False])
def test_a_result_that_comes_while_the_cancel_is_tried_wins_and_is_not_counted(clock: Clock, answer: bool) -> None:
    class Late(Future):  # type: ignore[type-arg]
        def cancel(self) -> bool:
            self.set_result("just so")
            return answer

    with timing(5.0, Late) as (executor, _):
        future = executor.submit(int)
        clock.pass_seconds(5.0)
        assert future.result(0) == "just so"
        assert cancels(executor) == 0


# -- what is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["result", "error", "cancel"])
def test_the_timer_of_a_future_that_is_done_is_dropped(clock: Clock, how: str) -> None:
    with timing(1000.0) as (executor, delegate):
        thing = Thing()
        gone = weakref.ref(thing)
        future = executor.submit(int, thing)
        assert len(timers_of(executor)) == 1
        if how == "result":
            delegate.given[0].set_result(thing)
        elif how == "error":
            delegate.given[0].set_exception(SomeError(thing))
        else:
            assert future.cancel()
        del thing
        assert len(timers_of(executor)) == 0
        delegate.given.clear()
        delegate.submitted.clear()
        kept = weakref.ref(future)
        del future
        assert is_gone(kept)
        assert is_gone(gone)


def live_timers() -> int:
    return sum(isinstance(thing, _core.Timer) for thing in gc.get_objects())


def test_ten_thousand_that_are_done_leave_next_to_nothing_in_the_heap() -> None:
    with TimeoutExecutor(Executors.thread_pool(1), 3600.0) as executor:
        pending = threading.Event()
        blocked = executor.submit(pending.wait, PATIENCE)
        for future in [executor.submit(int) for _ in range(10_000)]:
            assert future.cancel()
        assert len(timers_of(executor)) == 1
        until = time.monotonic() + PATIENCE
        while live_timers() >= 100 and time.monotonic() < until:
            # On a free-threaded Python, what the executor's thread dropped last goes away when this one runs again.
            threading.Event().wait(0.01)
            gc.collect()
        assert live_timers() < 100
        pending.set()
        assert blocked.result(PATIENCE) is True
    with TimeoutExecutor(SyncExecutor(), 3600.0) as executor:
        assert executor.submit(int).result(0) == 0
        assert len(timers_of(executor)) == 0


def test_an_executor_that_is_dropped_ends_its_thread_without_being_collected(clock: Clock) -> None:
    with without_collector():
        executor = TimeoutExecutor(SyncExecutor(), 60.0)
        assert executor.submit(int).result(0) == 0
        clock.idle()
        thread, gone = timeout_thread(), weakref.ref(executor)
        del executor
        assert_ends(thread)
        assert gone() is None


def test_a_pending_future_keeps_a_dropped_executor_watching_it(clock: Clock) -> None:
    delegate = DuckDelegate(Future)
    future = TimeoutExecutor(delegate, 5.0).submit(int)
    gc.collect()
    thread = timeout_thread()
    assert clock.idle() == 5.0
    clock.now += 5.0
    clock.let_time_pass()
    assert said(future) is CancelledError
    assert_ends(thread)


# -- as an executor -----------------------------------------------------------------------------------------------


def test_shutdown_that_waits_does_so_until_the_timeouts_have_done_their_work(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        futures = [executor.submit(int), executor.submit_timeout(7.0, int)]
        shutting_down = InThread(executor.shutdown)
        clock.pass_seconds(5.0)
        assert futures[0].cancelled()
        assert shutting_down.is_alive()
        clock.idle()
        clock.now += 2.0
        clock.let_time_pass()
        shutting_down.outcome()
        assert futures[1].cancelled()
        assert delegate.shutdowns == [{"wait": True}]
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit_timeout(1.0, int)


def test_shutdown_that_does_not_wait_still_applies_the_timeouts_in_the_background(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        future = executor.submit(int)
        clock.idle()
        executor.shutdown(wait=False)
        executor.shutdown()
        assert delegate.shutdowns == []
        assert not future.done()
        clock.idle()
        clock.now += 5.0
        clock.let_time_pass()
        assert said(future) is CancelledError
        assert delegate.wait_for_shutdown() == {"wait": False}


def test_shutdown_that_cancels_tries_all_at_once(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        futures = [executor.submit(int) for _ in range(3)]
        delegate.given[1].set_running_or_notify_cancel()
        executor.shutdown(wait=False, cancel_futures=True)
        assert [future.cancelled() for future in futures] == [True, False, True]
        assert cancels(executor) == 0


def test_a_task_on_a_pools_thread_that_shuts_down_and_waits_does_not_wait_for_itself() -> None:
    executor = Executors.thread_pool(1).with_timeout(3600.0)
    future = executor.submit(lambda: executor.shutdown(wait=True))
    assert future.result(PATIENCE) is None
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)


def test_what_the_delegate_raises_at_submit_gets_to_the_caller_and_leaves_nothing(clock: Clock) -> None:
    delegate = SyncExecutor()
    with TimeoutExecutor(delegate, 5.0) as executor:
        delegate.shutdown()
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit_timeout(1.0, int)
        assert len(timers_of(executor)) == 0
        assert len(executor._table) == 0


def test_arguments_names_and_the_thread(clock: Clock) -> None:
    def arguments(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    with SyncExecutor(name="chained").with_timeout(5.0) as executor:
        assert timeout_thread("chained").daemon
        call: dict[str, Any] = {"self": 1, "executor": 4, "seconds": 5}
        assert executor.submit_timeout(9, arguments, 1, **call).result(0) == ((1,), call)
        assert executor.submit_timeout(timeout=9, fn=arguments, a=1).result(0) == ((), {"a": 1})
        call |= {"fn": 2, "timeout": 3}
        assert executor.submit(arguments, 1, **call).result(0) == ((1,), call)
        assert executor._logger is logging.getLogger("TimeoutExecutor")
        assert isinstance(executor, Executor)
        assert list(executor.map(int, ["1", "2"])) == [1, 2]
    with TimeoutExecutor(delegate=SyncExecutor(), timeout=1, logger=None, name="n") as executor:
        assert executor.submit(int).result(0) == 0


def test_the_delegates_future_that_is_lost_or_cancelled_ends_its_own(clock: Clock) -> None:
    with timing(5.0) as (executor, delegate):
        futures = [executor.submit(int) for _ in range(2)]
        assert delegate.given[0].cancel()
        assert said(futures[0], 0) is CancelledError
        delegate.given.clear()
        assert said(futures[1]) is CancelledError
        assert len(timers_of(executor)) == 0
        assert cancels(executor) == 0


def test_a_timeout_reaches_what_is_queued_in_a_throttle_below() -> None:
    with Executors.thread_pool(1).with_throttle(1).with_timeout(100.0) as executor:
        park = Parking()
        first = executor.submit(park)
        park.wait_for_one()
        queued = executor.submit_timeout(0.0, int)
        assert said(queued) is CancelledError
        park.let_go()
        assert first.result(PATIENCE) is None


def test_of_those_that_are_late_together_one_that_is_cancelled_by_another_is_not_counted() -> None:
    table = _core.TimeoutTable(HeardLogger())
    sources = [Future[Any](), Future[Any]()]
    futures = [table.with_timeout(table, source, -1.0) for source in sources]
    futures[0].add_done_callback(lambda _: futures[1].cancel())
    table.cancel_due()
    assert [future.cancelled() for future in futures] == [True, True]
    assert table.counters.cancels == 1
