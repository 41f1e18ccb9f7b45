"""At most so many with the delegate; the others queue, go out in order, and can be cancelled."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, wait
from math import inf
from typing import Any

import pytest
from support import (
    FOREVER,
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    InThread,
    Parking,
    SomeError,
    Thing,
    all_at_once,
    assert_ends,
    is_gone,
    said,
    without_collector,
)
from throttle_support import REFUSED, Sleeper, keys, throttle_thread, throttling

from more_executors import Executors, SyncExecutor, ThrottleExecutor


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(monkeypatch, "ThrottleExecutor-default")


# -- how many -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5, True])
def test_at_most_count_are_with_the_delegate_and_the_others_go_out_in_order(sleeper: Sleeper, count: int) -> None:
    with throttling(count) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(10)]
        for done in range(10):
            sleeper.idle()
            assert keys(delegate) == list(range(min(10, done + count)))
            delegate.given[done].set_result(-done)
            assert futures[done].result(0) == -done
        sleeper.idle()
        assert keys(delegate) == list(range(10))


def test_a_call_goes_out_for_each_that_ends_in_whichever_order_and_way(sleeper: Sleeper) -> None:
    with throttling(3) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(9)]
        sleeper.idle()
        delegate.given[2].set_result("c")
        delegate.given[0].set_exception(error := SomeError())
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2, 3, 4]
        assert delegate.given[3].cancel()
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2, 3, 4, 5]
        assert futures[2].result(0) == "c"
        assert futures[0].exception(0) is error
        assert said(futures[3], 0) is CancelledError


@pytest.mark.parametrize("count", [None, inf, sys.maxsize, 10**30])
def test_without_a_limit_of_any_size_all_go_out_at_once(sleeper: Sleeper, count: Any) -> None:
    with throttling(count) as (executor, delegate):
        for key in range(100):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == list(range(100))


@pytest.mark.parametrize("count", [0, -1, -0.5, -sys.maxsize, -(10**30), -inf])
def test_with_a_count_of_nothing_or_less_of_any_size_none_goes_out(sleeper: Sleeper, count: Any) -> None:
    with throttling(count) as (executor, delegate):
        future = executor.submit(int, 1)
        sleeper.idle()
        assert delegate.submitted == []
        assert future.cancel() is True


@pytest.mark.parametrize(("count", "most"), [(0.5, 1), (1.5, 2), (2.0, 2), (2.1, 3)])
def test_a_count_that_is_no_whole_number_is_rounded_up(sleeper: Sleeper, count: float, most: int) -> None:
    with throttling(count) as (executor, delegate):
        for key in range(5):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == list(range(most))


@pytest.mark.parametrize("count", ["a", [1], object(), 1j])
def test_a_count_that_is_no_number_is_refused_at_once(count: Any) -> None:
    with pytest.raises(TypeError, match="count must be"):
        ThrottleExecutor(SyncExecutor(), count)


# -- the call -----------------------------------------------------------------------------------------------------


def test_calls_are_submitted_on_the_daemon_thread_of_the_executor_with_all_their_arguments() -> None:
    def here(*args: Any, **kwargs: Any) -> Any:
        return threading.current_thread(), args, kwargs

    with ThrottleExecutor(SyncExecutor(), 1, name="on_it") as executor:
        thread = throttle_thread("on_it")
        assert thread.daemon
        future = executor.submit(here, 1, "b", self=3, fn=4, executor=5, limit=6)
        assert future.result(PATIENCE) == (thread, (1, "b"), {"self": 3, "fn": 4, "executor": 5, "limit": 6})
        assert isinstance(future, Future)


@pytest.mark.parametrize("error", [SomeError("of the task"), SystemExit(3), KeyboardInterrupt()])
def test_a_task_that_raises_fails_its_future_with_that_very_exception(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with Executors.thread_pool(1).with_throttle(1) as executor:
        futures = [executor.submit(fail), executor.submit(int, 2)]
        assert futures[0].exception(PATIENCE) is error
        assert error.__traceback__ is not None
        assert futures[1].result(PATIENCE) == 2
    error.__traceback__ = None


@pytest.mark.parametrize("error", [SomeError("no"), SystemExit(3), MemoryError()])
def test_a_submit_of_the_delegate_that_raises_fails_that_future_and_the_next_goes_out(
    sleeper: Sleeper, error: BaseException
) -> None:
    class Moody(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            if args[0] in (1, 2):
                raise error
            return super().submit(fn, *args, **kwargs)

    with throttling(1, Moody(Future)) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        sleeper.idle()
        delegate.given[0].set_result(None)
        sleeper.idle()
        assert keys(delegate) == [0, 3]
        assert [futures[1].exception(0), futures[2].exception(0)] == [error, error]
        assert not futures[3].done()
    error.__traceback__ = None


def test_a_submit_of_the_delegate_that_gives_no_future_fails_that_future_and_the_next_goes_out() -> None:
    class Wrong(SyncExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            return super().submit(fn, *args, **kwargs) if args[0] else args[0]

    with ThrottleExecutor(Wrong(), 1) as executor:
        futures = [executor.submit(int, key) for key in (0, 1)]
        assert isinstance(futures[0].exception(PATIENCE), TypeError)
        assert futures[1].result(PATIENCE) == 1


def test_what_a_delegate_that_is_shut_down_already_refuses_fails() -> None:
    delegate = SyncExecutor()
    with ThrottleExecutor(delegate, 1) as executor:
        delegate.shutdown()
        futures = [executor.submit(int, key) for key in range(3)]
        assert [str(future.exception(PATIENCE)) for future in futures] == [REFUSED[1:-1]] * 3


def test_a_future_runs_when_that_of_the_delegate_does_and_not_while_it_is_queued(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        sleeper.idle()
        assert [future.running() for future in futures] == [False, False]
        delegate.given[0].set_running_or_notify_cancel()
        assert [future.running() for future in futures] == [True, False]
        assert ["state=running" in repr(future) for future in futures] == [True, False]
        assert not futures[0].done()
        delegate.given[0].set_result(None)
        assert futures[0].running() is False


# -- cancelling ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cancelled", [[1], [2], [4], [1, 2], [3, 4], [4, 2, 1], [1, 2, 3, 4]])
def test_a_queued_future_is_cancelled_never_submitted_and_the_others_keep_their_order(
    sleeper: Sleeper, cancelled: list[int]
) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        sleeper.idle()
        called: list[Any] = []
        for key in cancelled:
            futures[key].add_done_callback(called.append)
            assert futures[key].cancel() is True
            assert futures[key].cancel() is True
            assert futures[key].cancelled()
        assert called == [futures[key] for key in cancelled]
        left = [key for key in range(5) if key not in cancelled]
        for key in left:
            sleeper.idle()
            delegate.given[-1].set_result(key)
            assert futures[key].result(0) == key
        sleeper.idle()
        assert keys(delegate) == left
        assert len(called) == len(cancelled)


# 1. The executor's thread is submitting the first call; three are queued.
# 2. The second is cancelled, and so is the fourth.
# 3. The first is with the delegate, and ends: the third goes out, and nothing else.
def test_one_that_is_cancelled_while_another_is_being_submitted_never_is(sleeper: Sleeper) -> None:
    park = Parking()

    class Slow(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            if args[0] == 0:
                park()
            return super().submit(fn, *args, **kwargs)

    with throttling(2, Slow(Future)) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(4)]
        park.wait_for_one()
        assert futures[1].cancel() is True
        assert futures[3].cancel() is True
        park.let_go()
        sleeper.idle()
        assert keys(delegate) == [0, 2]
        assert not futures[0].done()


def test_one_that_is_being_submitted_cannot_be_cancelled_yet(sleeper: Sleeper) -> None:
    park = Parking()

    class Slow(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            park()
            return super().submit(fn, *args, **kwargs)

    with throttling(1, Slow(Future)) as (executor, delegate):
        future = executor.submit(int, 0)
        park.wait_for_one()
        assert future.cancel() is False
        assert not future.done()
        park.let_go()
        sleeper.idle()
        assert future.cancel() is True
        assert delegate.given[0].cancelled()


@pytest.mark.parametrize("agrees", [True, False])
def test_with_the_delegate_it_is_for_that_to_decide(sleeper: Sleeper, agrees: bool) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        sleeper.idle()
        if not agrees:
            delegate.given[0].set_running_or_notify_cancel()
        assert futures[0].cancel() is agrees
        sleeper.idle()
        assert keys(delegate) == ([0, 1] if agrees else [0])
        assert futures[0].done() is agrees
        if not agrees:
            delegate.given[0].set_result("goes on")
            assert futures[0].result(0) == "goes on"


def test_a_future_of_the_delegate_that_is_lost_makes_room(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        sleeper.idle()
        del delegate.given[0]
        # On a free-threaded Python it is gone once the thread that made it runs again.
        executor.submit(int, 2)
        assert said(futures[0]) is CancelledError
        sleeper.idle()
        assert keys(delegate) == [0, 1]


# A delegate that refuses to cancel: so one whose cancel() said yes must not get to it, and all others must.
def test_cancels_against_submissions_each_call_is_either_cancelled_or_made() -> None:
    with Executors.thread_pool(1) as pool:

        class Refusing(DuckDelegate):
            def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
                self.given.append(super().submit(fn, *args, **kwargs))
                self.given[-1].set_running_or_notify_cancel()
                pool.submit(self.given[-1].set_result, None)
                return self.given[-1]

        with throttling(2, Refusing(Future)) as (executor, delegate):
            futures: list[Any] = [executor.submit(int, key) for key in range(400)]
            halves = all_at_once(
                lambda: [future.cancel() for future in futures[::-2]],
                lambda: [future.cancel() for future in futures[::2]],
            )
            wait(futures, PATIENCE)
            said_yes = {
                key
                for half, step in zip(halves, (range(399, -1, -2), range(0, 400, 2)), strict=True)
                for key, yes in zip(step, half, strict=True)
                if yes
            }
            assert said_yes == {key for key, future in enumerate(futures) if future.cancelled()}
            assert keys(delegate) == [key for key in range(400) if key not in said_yes]


# -- shutting down ------------------------------------------------------------------------------------------------


class Noting(DuckDelegate):
    """A DuckDelegate that knows what was done when it was shut down, and can be told to cancel."""

    def __init__(self) -> None:
        super().__init__(Future)
        self.done_at_shutdown: list[int] = []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        self.done_at_shutdown.append(sum(given.done() for given in self.given))


def test_shutdown_that_waits_sees_the_queue_through_and_then_shuts_the_delegate_down(sleeper: Sleeper) -> None:
    with throttling(1, Noting()) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(3)]
        sleeper.idle()
        shutting_down = InThread(executor.shutdown)
        for key in range(3):
            sleeper.idle()
            assert keys(delegate) == list(range(key + 1))
            assert delegate.shutdowns == []
            assert shutting_down.is_alive()
            delegate.given[key].set_result(key)
            assert futures[key].result(0) == key
        shutting_down.outcome()
        assert delegate.shutdowns == [{"wait": True, "cancel_futures": False}]
        assert delegate.done_at_shutdown == [3]
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        executor.shutdown()
        assert len(delegate.shutdowns) == 1


def test_shutdown_that_does_not_wait_sees_the_queue_through_in_the_background(sleeper: Sleeper) -> None:
    with throttling(1, Noting()) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(3)]
        sleeper.idle()
        thread = throttle_thread()
        executor.shutdown(wait=False)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        for key in range(3):
            sleeper.idle()
            assert not futures[key].done()
            assert delegate.shutdowns == []
            delegate.given[key].set_result(key)
            assert futures[key].result(0) == key
        assert_ends(thread)
        assert delegate.shutdowns == [{"wait": False, "cancel_futures": False}]
        assert delegate.done_at_shutdown == [3]


def test_shutdown_that_cancels_cancels_the_queued_ones_and_asks_the_delegate_for_the_others(sleeper: Sleeper) -> None:
    with throttling(2, Noting()) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        sleeper.idle()
        delegate.given[0].set_running_or_notify_cancel()
        shutting_down = InThread(lambda: executor.shutdown(cancel_futures=True))
        assert [said(future) for future in futures[1:]] == [CancelledError] * 4
        assert not futures[0].done()
        delegate.given[0].set_result("seen through")
        shutting_down.outcome()
        assert futures[0].result(0) == "seen through"
        assert keys(delegate) == [0, 1]
        assert delegate.shutdowns == [{"wait": True, "cancel_futures": True}]


# 1. What is queued is cancelled. 2. The delegate's future is, which makes room: nothing is there to be submitted.
def test_shutdown_that_cancels_has_the_delegate_begin_nothing(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        sleeper.idle()
        futures[0].add_done_callback(lambda _: sleeper.idle())  # so the thread has time to submit another
        futures[4].add_done_callback(lambda _: cancelled.append([future.cancelled() for future in futures]))
        cancelled: list[list[bool]] = []
        executor.shutdown(cancel_futures=True)
        assert cancelled == [[False, False, False, False, True]]  # the newest first
        assert all(future.cancelled() for future in futures)
        assert keys(delegate) == [0]


def test_leaving_a_with_block_waits_for_what_is_queued() -> None:
    with Executors.thread_pool(2).with_throttle(1) as executor:
        futures = [executor.submit(int, key) for key in range(50)]
    assert [future.result(0) for future in futures] == list(range(50))


@pytest.mark.parametrize("wait_for_it", [True, False])
def test_shutdown_on_the_executors_own_thread_does_not_wait_for_itself(wait_for_it: bool) -> None:
    executor = ThrottleExecutor(SyncExecutor(), 1)
    thread = throttle_thread()
    park = Parking()
    first = executor.submit(park)
    park.wait_for_one()
    second = executor.submit(executor.shutdown, wait_for_it)
    third = executor.submit(int, 3)
    park.let_go()
    assert [future.result(PATIENCE) for future in (first, second, third)] == [None, None, 3]
    assert_ends(thread)


@pytest.mark.parametrize("block", [False, True])
def test_a_task_on_a_pools_thread_that_shuts_down_and_waits_does_not_wait_for_itself(block: bool) -> None:
    executor = Executors.thread_pool(1).with_throttle(1, block=block)
    future = executor.submit(lambda: executor.shutdown(wait=True))
    assert future.result(PATIENCE) is None
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)


def test_a_delegate_that_fails_to_shut_down_in_the_background_is_logged() -> None:
    class Stubborn(SyncExecutor):
        def shutdown(self, wait: bool = True, **how: Any) -> None:
            raise SomeError

    logger = HeardLogger()
    executor = ThrottleExecutor(Stubborn(), 1, logger=logger)
    thread = throttle_thread()
    executor.shutdown(wait=False)
    assert_ends(thread)
    assert [(level, type(error)) for level, _, error in logger.lines] == [("ERROR", SomeError)]


# -- what a callback may do, and how long things live -------------------------------------------------------------


def test_a_callback_may_submit_and_cancel_and_is_called_once(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(3)]
        called: list[Any] = []

        def callback(future: Future[Any]) -> None:
            called.append(future)
            futures.append(executor.submit(int, 3))
            assert futures[2].cancel()  # by now, 1 may be with the delegate

        futures[0].add_done_callback(callback)
        sleeper.idle()
        delegate.given[0].set_result(None)
        sleeper.idle()
        assert called == [futures[0]]
        delegate.given[1].set_result(None)
        sleeper.idle()
        assert keys(delegate) == [0, 1, 3]
        del futures[:]


def test_a_task_may_submit_to_the_throttle_it_came_through() -> None:
    with Executors.thread_pool(1).with_throttle(1) as executor:
        inner = executor.submit(lambda: executor.submit(int, 5)).result(PATIENCE)
        assert inner.result(PATIENCE) == 5


def test_twenty_thousand_queue_on_a_sync_delegate_without_recursion() -> None:
    with ThrottleExecutor(SyncExecutor(), 1) as executor:
        park = Parking()
        executor.submit(park)
        futures = [executor.submit(int, key) for key in range(20_000)]
        park.let_go()
        assert futures[-1].result(PATIENCE) == 19_999
        assert all(future.done() for future in futures)


def test_an_executor_that_is_dropped_ends_its_thread_without_being_collected(sleeper: Sleeper) -> None:
    with without_collector():
        executor = ThrottleExecutor(SyncExecutor(), 1)
        assert executor.submit(int).result(PATIENCE) == 0
        assert sleeper.idle() == FOREVER
        thread, gone = throttle_thread(), weakref.ref(executor)
        del executor
        assert_ends(thread)
        assert gone() is None


def test_queued_futures_keep_a_dropped_executor_going_until_they_are_done(sleeper: Sleeper) -> None:
    delegate = DuckDelegate(Future)
    futures = [ThrottleExecutor(delegate, 1).submit(int, 0)]
    sleeper.idle()
    thread = throttle_thread()
    gc.collect()
    delegate.given[0].set_result("resolves")
    assert futures[0].result(PATIENCE) == "resolves"
    assert_ends(thread)


@pytest.mark.parametrize("end", ["cancel queued", "cancel", "finish"])
def test_a_future_that_is_done_keeps_neither_the_call_nor_its_arguments(sleeper: Sleeper, end: str) -> None:
    with throttling(1 if end != "cancel queued" else 0) as (executor, delegate):
        thing = Thing()
        gone = weakref.ref(thing)
        future = executor.submit(int, thing)
        del thing
        sleeper.idle()
        assert gone() is not None
        delegate.submitted.clear()
        if end == "finish":
            delegate.given.pop().set_result(None)
        else:
            assert future.cancel()
        assert is_gone(gone)
        assert future.done()


def test_it_is_an_ordinary_object() -> None:
    class Own(ThrottleExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            seen.append(args)
            return super().submit(fn, *args, **kwargs)

    seen: list[Any] = []
    with Own(SyncExecutor(), 1) as executor:
        assert list(executor.map(int, ["1", "2"])) == [1, 2]
        assert seen == [("1",), ("2",)]
        executor.label = "mine"  # type: ignore[attr-defined]
        executor.submit = lambda *args: "mocked"  # type: ignore[method-assign]
        assert executor.submit(int) == "mocked"
        assert weakref.ref(executor)() is executor


def test_the_name_and_the_logger_are_those_given_and_go_down_the_chain() -> None:
    logger = logging.getLogger("of_a_test")
    with SyncExecutor(name="chained").with_throttle(2, logger) as executor:
        assert throttle_thread("chained")
        assert executor._logger is logger
    with ThrottleExecutor(delegate=SyncExecutor(), count=1, logger=None, name="n", block=False) as executor:
        assert executor._logger is logging.getLogger("ThrottleExecutor")
        assert isinstance(executor, Executor)
        assert list(executor.map(int, ["1", "2"])) == [1, 2]


def test_a_ctrl_c_in_a_shutdown_that_waits_leaves_it_to_the_thread_to_shut_the_delegate_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with throttling(1) as (executor, delegate):
        future = executor.submit(int, "first")

        def interrupted() -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(executor._worker, "join", interrupted)
            with pytest.raises(KeyboardInterrupt):
                executor.shutdown()
        assert delegate.shutdowns == []
    assert future.done()
    assert delegate.shutdowns == [{"wait": False}]
