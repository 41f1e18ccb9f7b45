"""RetryExecutor, shut down: all attempts are seen through, then the delegate follows."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import pytest
from retry_support import Clock, Deciding, Scripted, WatchedDelegate, retry_thread, retrying, shutting_down
from support import (
    FOREVER,
    PATIENCE,
    HeardLogger,
    InThread,
    Parking,
    SomeError,
    all_at_once,
    assert_ends,
    without_collector,
)

from more_executors import Executors, RetryExecutor, RetryPolicy, SyncExecutor

REFUSED = r"^cannot schedule new futures after shutdown$"


def fail(error: BaseException) -> Any:
    raise error


class Draining:
    """Three futures: between attempts, with the delegate, and with the delegate and running."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock(monkeypatch)
        self.delegate = WatchedDelegate()
        self.executor = RetryExecutor(self.delegate, name="own")
        self.thread = retry_thread("own")
        assert self.clock.sleep() == FOREVER
        self.futures = []
        for _ in range(3):
            self.futures.append(self.executor.submit_retry(Scripted(5), int))
            assert self.clock.sleep() == FOREVER
        self.given = [self.delegate.next() for _ in range(3)]
        self.given[2].set_running_or_notify_cancel()
        self.given[0].set_exception(SomeError())
        assert self.clock.sleep() == 5

    def see_through(self) -> None:
        """Have all go on, the second and third with another attempt."""
        self.given[1].set_exception(SomeError())
        self.given[2].set_exception(SomeError())
        self.clock.now += 5
        self.executor._table.waker.set()
        for number in range(3):
            self.delegate.next().set_result(number)


@pytest.mark.parametrize("base", [Executors.sync, lambda: Executors.thread_pool(2)], ids=["sync", "pool"])
def test_leaving_a_with_block_waits_for_all_attempts(base: Any) -> None:
    with base().with_retry(Deciding(lambda attempt, f: attempt < 5), name="own") as executor:
        thread = retry_thread("own")
        futures = [executor.submit(fail, SomeError()) for _ in range(20)]
    assert [future.done() for future in futures] == [True] * 20
    assert not thread.is_alive()


def test_shutdown_that_waits_returns_when_the_last_attempt_is_done_and_then_shuts_the_delegate_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draining = Draining(monkeypatch)
    thread = shutting_down(draining.executor)
    assert thread.is_alive()
    assert draining.delegate.shutdowns == []
    draining.see_through()
    thread.outcome()
    assert [future.result(0) for future in draining.futures] == [0, 1, 2]
    assert draining.delegate.shutdowns == [{"wait": True}]
    assert not draining.thread.is_alive()


def test_shutdown_without_waiting_returns_at_once_and_attempts_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    draining = Draining(monkeypatch)
    draining.executor.shutdown(wait=False)
    assert [future.done() for future in draining.futures] == [False] * 3
    assert draining.thread.is_alive()
    with pytest.raises(RuntimeError, match=REFUSED):
        draining.executor.submit(int)
    draining.see_through()
    assert [future.result(0) for future in draining.futures] == [0, 1, 2]
    assert_ends(draining.thread)
    assert draining.delegate.shutdowns == [{"wait": False}]


@pytest.mark.parametrize("wait", [True, False])
def test_cancel_futures_cancels_what_waits_and_what_the_delegate_gives_up(
    monkeypatch: pytest.MonkeyPatch, wait: bool
) -> None:
    draining = Draining(monkeypatch)
    tried = threading.Event()
    draining.given[2].cancel = lambda: (tried.set(), False)[1]
    thread = InThread(lambda: draining.executor.shutdown(wait, cancel_futures=True))
    assert tried.wait(PATIENCE)
    if not wait:
        thread.outcome()
    assert [future.cancelled() for future in draining.futures] == [True, True, False]
    assert not draining.futures[2].done()
    draining.given[2].set_exception(KeyError())
    thread.outcome()
    assert type(draining.futures[2].exception(0)) is KeyError, "a refused cancel is the end of the attempts"
    assert_ends(draining.thread)
    assert len(draining.delegate.given) == 3
    assert draining.delegate.shutdowns[0]["wait"] is wait
    assert draining.delegate.shutdowns[0].get("cancel_futures") is True


@pytest.mark.parametrize("method", ["submit", "submit_retry"])
def test_submit_after_shutdown_raises_and_asks_no_delegate(method: str) -> None:
    delegate = WatchedDelegate()
    executor = RetryExecutor(delegate)
    executor.shutdown()
    arguments = (int,) if method == "submit" else (RetryPolicy(), int)
    with pytest.raises(RuntimeError, match=REFUSED):
        getattr(executor, method)(*arguments)
    assert delegate.given == []


def test_a_second_shutdown_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draining = Draining(monkeypatch)
    draining.executor.shutdown(wait=False)
    draining.executor.shutdown()
    draining.executor.shutdown(cancel_futures=True)
    assert [future.done() for future in draining.futures] == [False] * 3
    draining.see_through()
    assert_ends(draining.thread)
    assert len(draining.delegate.shutdowns) == 1


def test_of_shutdowns_at_the_same_time_one_counts() -> None:
    delegate = WatchedDelegate()
    executor = RetryExecutor(delegate)
    all_at_once(*[executor.shutdown] * 4)
    assert delegate.shutdowns == [{"wait": True}]


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("method", ["should_retry", "sleep_time"])
@pytest.mark.parametrize("base", [Executors.sync, lambda: Executors.thread_pool(1)], ids=["sync", "pool"])
def test_shutdown_in_the_policy_does_not_wait_and_the_attempts_go_on(base: Any, method: str, wait: bool) -> None:
    def shut_down(attempt: int, _: Any) -> bool:
        executor.shutdown(wait)
        return attempt < 2 if method == "should_retry" else False

    again = {"should_retry": lambda attempt, _: attempt < 2}
    executor = base().with_retry(Deciding(**{**again, method: shut_down}), name="own")
    thread = retry_thread("own")
    calls: list[int] = []
    future = executor.submit(lambda: (calls.append(1), fail(SomeError())))
    assert type(future.exception(PATIENCE)) is SomeError
    assert len(calls) == 2
    assert_ends(thread)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)


def test_shutdown_with_cancel_futures_in_the_policy_makes_that_attempt_the_last() -> None:
    delegate = WatchedDelegate()
    policy = Deciding(lambda attempt, _: executor.shutdown(cancel_futures=True) is None)
    executor = RetryExecutor(delegate, policy, name="own")
    thread = retry_thread("own")
    first, other = executor.submit(int), executor.submit(int)
    error, given = SomeError(), [delegate.next(), delegate.next()]
    given[0].set_exception(error)
    assert first.exception(0) is error
    assert other.cancelled()
    assert_ends(thread)


@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_in_a_callback(wait: bool) -> None:
    delegate = WatchedDelegate()
    executor = RetryExecutor(delegate, Deciding(lambda attempt, _: attempt < 2), name="own")
    thread = retry_thread("own")
    future = executor.submit(int)
    future.add_done_callback(lambda _: executor.shutdown(wait))
    delegate.next().set_exception(SomeError())
    delegate.next().set_result("done")
    assert future.result(0) == "done"
    assert_ends(thread)
    assert delegate.shutdowns == [{"wait": wait}]


@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_in_a_callback_on_the_executors_own_thread_does_not_wait(wait: bool) -> None:
    submitting = Parking()
    executor = RetryExecutor(SyncExecutor(), RetryPolicy(), name="own")
    thread = retry_thread("own")
    future, other = executor.submit(submitting), executor.submit(int)
    submitting.wait_for_one()
    future.add_done_callback(lambda _: executor.shutdown(wait))
    submitting.let_go()
    assert other.result(PATIENCE) == 0
    assert_ends(thread)


@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_in_a_callable_on_the_executors_own_thread_does_not_wait(wait: bool) -> None:
    calls: list[int] = []

    def fn() -> None:
        calls.append(1)
        executor.shutdown(wait)
        raise SomeError

    executor = RetryExecutor(SyncExecutor(), Deciding(lambda attempt, _: attempt < 3), name="own")
    thread = retry_thread("own")
    assert type(executor.submit(fn).exception(PATIENCE)) is SomeError
    assert len(calls) == 3
    assert_ends(thread)


def test_shutdown_in_a_callable_on_a_thread_of_the_delegate_does_not_wait_for_itself_for_ever() -> None:
    with retrying(Executors.thread_pool(1), RetryPolicy()) as executor:
        future = executor.submit(executor.shutdown)
        error = future.exception(PATIENCE)
    assert error is None or "cannot join current thread" in str(error), "as of concurrent.futures"


def test_the_delegate_is_there_for_attempts_after_shutdown() -> None:
    base = Executors.thread_pool(1)
    executor = base.with_retry(Deciding(lambda attempt, _: attempt < 3))
    parking = Parking(raising=SomeError())
    future = executor.submit(parking)
    parking.wait_for_one()
    executor.shutdown(wait=False)
    parking.let_go()
    assert type(future.exception(PATIENCE)) is SomeError
    assert len(parking.calls) == 3


def test_what_the_delegates_shutdown_raises_comes_out_when_it_is_waited_for() -> None:
    delegate, error = WatchedDelegate(), SomeError()
    delegate.shutdown = lambda **_: fail(error)  # type: ignore[method-assign]
    executor = RetryExecutor(delegate, name="own")
    thread = retry_thread("own")
    with pytest.raises(SomeError) as raised:
        executor.shutdown()
    assert raised.value is error
    assert_ends(thread)
    executor.shutdown()


def test_what_the_delegates_shutdown_raises_is_logged_when_nobody_waits() -> None:
    delegate, error, logger = WatchedDelegate(), SomeError(), HeardLogger()
    delegate.shutdown = lambda **_: fail(error)  # type: ignore[method-assign]
    executor = RetryExecutor(delegate, None, logger, name="own")
    thread = retry_thread("own")
    executor.shutdown(wait=False)
    assert_ends(thread)
    assert [line[2] for line in logger.lines] == [error]


def test_what_is_shut_down_and_dropped_is_seen_through_and_gone_without_being_collected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draining = Draining(monkeypatch)
    gone = weakref.ref(draining.executor)
    draining.executor.shutdown(wait=False)
    thread, waker, kept = draining.thread, draining.executor._table.waker, draining.futures[0]
    with without_collector():
        for given in draining.given[1:]:
            given.set_exception(SomeError())
        draining.clock.now += 5
        del draining.executor
        waker.set()
        for number in range(3):
            draining.delegate.next().set_result(number)
        assert_ends(thread)
        assert kept.result(0) == 0
        assert gone() is None


def test_two_retry_executors_end_from_the_top_down() -> None:
    lower = Executors.thread_pool(1).with_retry(Deciding(lambda attempt, _: attempt < 3), name="lower")
    upper = lower.with_retry(Deciding(lambda attempt, _: attempt < 4), name="upper")
    threads = [retry_thread("lower"), retry_thread("upper")]
    calls: list[int] = []
    with upper:
        future = upper.submit(lambda: (calls.append(1), fail(SomeError())))
    assert type(future.exception(0)) is SomeError
    assert len(calls) == 12
    assert not any(thread.is_alive() for thread in threads)
    with pytest.raises(RuntimeError, match=REFUSED):
        lower.submit(int)
