"""Delegates that are not ours: pools, and anything with a submit whose futures do the least a future can do."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from math import inf
from typing import Any

import pytest
from support import (
    CHILD_PATIENCE,
    PATIENCE,
    DuckDelegate,
    DuckFuture,
    HeardLogger,
    InThread,
    Parking,
    PollSleeps,
    RecordingPoll,
    ScriptedDelegate,
    SteppedPoll,
    polling,
    without_collector,
)

from more_executors import Executors, PollExecutor, SyncExecutor, _core


def doubling(descriptors: list[Any]) -> float:
    """A poll function that resolves everything at once."""
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result * 2)
    return inf


class DelegateOf(DuckDelegate):
    """Its submit is the function given."""

    def __init__(self, submit: Callable[..., Any]) -> None:
        super().__init__()
        self.submit = submit  # type: ignore[method-assign]


# -- pools --------------------------------------------------------------------------------------------------------


def test_a_thread_pool_of_the_standard_library() -> None:
    with PollExecutor(ThreadPoolExecutor(2), doubling) as executor:
        futures = [executor.submit(abs, -key) for key in range(20)]
        failing = executor.submit(int, "no number")
        assert [future.result(PATIENCE) for future in futures] == [key * 2 for key in range(20)]
        assert type(failing.exception(PATIENCE)) is ValueError


def test_a_process_pool_of_the_standard_library_also_when_it_breaks() -> None:
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with PollExecutor(pool, doubling) as executor:
        assert executor.submit(abs, -3).result(CHILD_PATIENCE) == 6
        assert type(executor.submit(int, "no number").exception(60)) is ValueError
        assert isinstance(executor.submit(os._exit, 1).exception(60), BrokenExecutor)


def test_a_thread_pool_whose_threads_cannot_be_made_ready() -> None:
    def fail() -> None:
        sys.exit("not ready")

    pool = ThreadPoolExecutor(1, initializer=fail)
    with PollExecutor(pool, doubling) as executor:
        with pytest.raises(BrokenExecutor):  # out of submit, if the thread is faster
            executor.submit(int).result(PATIENCE)


# -- submit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_what_the_delegates_submit_raises_comes_out_of_submit_and_leaves_nothing(kind: type[BaseException]) -> None:
    error = kind("of the delegate")
    delegate = DelegateOf(Parking(raising=error))
    delegate.submit.let_go()  # type: ignore[attr-defined]
    with PollExecutor(delegate, doubling) as executor:
        with pytest.raises(kind) as raised:
            executor.submit(int)
        assert raised.value is error
        delegate.submit = DuckDelegate.submit.__get__(delegate)  # type: ignore[method-assign]
        future = executor.submit(int)
        delegate.given[0].end(21)
        assert future.result(PATIENCE) == 42


@pytest.mark.parametrize("value", [None, 42, "future", int], ids=repr)
def test_a_delegate_that_returns_no_future_raises_a_type_error_naming_what_it_returned(value: object) -> None:
    with PollExecutor(DelegateOf(lambda fn: value), doubling) as executor:
        with pytest.raises(TypeError) as raised:
            executor.submit(int)
        assert repr(value) in str(raised.value)


def done_future(kind: Callable[[], Any]) -> Any:
    future = kind()
    (future.end if isinstance(future, DuckFuture) else future.set_result)(21)
    return future


KINDS = pytest.mark.parametrize("kind", [Future, _core.Future, DuckFuture], ids=["stdlib", "ours", "duck"])


@KINDS
def test_a_delegate_may_be_done_before_its_submit_returns(kind: Callable[[], Any]) -> None:
    with PollExecutor(DelegateOf(lambda fn: done_future(kind)), doubling) as executor:
        assert executor.submit(int).result(PATIENCE) == 42


@KINDS
def test_a_delegate_may_give_the_same_future_twice(kind: Callable[[], Any]) -> None:
    shared = kind()
    with PollExecutor(DelegateOf(lambda fn: shared), doubling) as executor:
        futures = [executor.submit(int) for _ in range(2)]
        (shared.end if isinstance(shared, DuckFuture) else shared.set_result)(21)
        assert [future.result(PATIENCE) for future in futures] == [42, 42]


def test_the_delegates_submit_may_be_replaced() -> None:
    delegate, other = DuckDelegate(), DuckDelegate()
    with PollExecutor(delegate, doubling) as executor:
        delegate.submit = other.submit  # type: ignore[method-assign]
        future = executor.submit(int)
        other.given[0].end(21)
        assert future.result(PATIENCE) == 42


def test_a_callable_may_submit_to_the_executor_it_runs_for() -> None:
    def outer() -> int:
        inner.append(executor.submit(int, 1))
        return 2

    inner: list[Any] = []
    for base in (SyncExecutor(), ThreadPoolExecutor(1)):
        with PollExecutor(base, doubling) as executor:
            assert executor.submit(outer).result(PATIENCE) == 4
            assert inner.pop().result(PATIENCE) == 2


# -- its futures --------------------------------------------------------------------------------------------------


def test_only_the_first_time_that_a_delegates_future_calls_back_counts() -> None:
    poll, delegate = RecordingPoll(), DuckDelegate()
    with PollExecutor(delegate, poll) as executor:
        futures = [executor.submit(int) for _ in range(2)]
        delegate.given[0].end("key")
        delegate.given[0].end(error=ValueError("second thoughts"))
        delegate.given[1].end(error=KeyError("first"))
        delegate.given[1].end("second thoughts")
        (descriptor,) = poll.next_of(1)
        delegate.given[0].end("third thoughts")
        executor.notify()
        assert poll.next() == [descriptor]
        descriptor.yield_result()
        assert futures[0].result(0) is None
        assert type(futures[1].exception(0)) is KeyError


@pytest.mark.parametrize("method", ["cancelled", "exception", "result"])
@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_a_delegates_future_whose_outcome_cannot_be_had_fails_the_future(
    method: str, kind: type[BaseException]
) -> None:
    delegate, error = DuckDelegate(), kind("no outcome")
    parking = Parking(raising=error)
    parking.let_go()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        setattr(delegate.given[0], method, parking)
        InThread(delegate.given[0].end, 21).outcome()
        assert future.exception(PATIENCE) is error


@pytest.mark.parametrize("method", ["exception", "result"])
def test_a_delegates_future_that_raises_cancelled_error_is_cancelled(method: str) -> None:
    delegate, parking = DuckDelegate(), Parking(raising=CancelledError())
    parking.let_go()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        setattr(delegate.given[0], method, parking)
        delegate.given[0].end(21)
        assert future.cancelled()


def test_a_future_that_cannot_say_whether_it_runs_does_not_run() -> None:
    delegate = DuckDelegate()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        assert future.running() is False
        assert "pending" in repr(future)
        delegate.given[0].end(error=ValueError())


def test_a_delegate_that_never_completes_leaves_its_future_pending_and_cancellable() -> None:
    delegate = DuckDelegate()
    with PollExecutor(delegate, doubling) as executor:
        futures = [executor.submit(int) for _ in range(2)]
        delegate.given[0].end(21)
        assert futures[0].result(PATIENCE) == 42
        assert not futures[1].done()
        assert futures[1].cancel() is False
        delegate.given[1].agrees_to_cancel = True
        assert futures[1].cancel() is True


@pytest.mark.parametrize("agreement", [True, 1, "yes"])
def test_a_delegate_that_agrees_to_cancel_need_not_call_back(agreement: object) -> None:
    delegate, callbacks = DuckDelegate(), list[Any]()
    poll = RecordingPoll()
    with PollExecutor(delegate, poll) as executor:
        assert poll.next() == []
        future = executor.submit(int)
        future.add_done_callback(callbacks.append)
        delegate.given[0].agrees_to_cancel = agreement
        assert future.cancel() is True
        assert future.cancelled()
        delegate.given[0].end("after all")
        assert callbacks.pop() is future
        assert not callbacks
        executor.notify()
        assert poll.next() == []


class Answer:
    def __init__(self, truth: Callable[[], bool]) -> None:
        self._truth = truth

    def __bool__(self) -> bool:
        return self._truth()


@pytest.mark.parametrize("at", ["the call", "the truth value"])
def test_a_delegates_cancel_that_raises_refuses_and_is_logged(at: str) -> None:
    delegate, logger, error = DuckDelegate(), HeardLogger(), ArithmeticError("of the delegate")
    parking = Parking(raising=error)
    parking.let_go()
    answer = Answer(parking)
    with PollExecutor(delegate, doubling, logger=logger) as executor:
        future = executor.submit(int)
        delegate.given[0].cancel = parking if at == "the call" else lambda: answer
        text = f"Exception during cancel on {future}/{delegate.given[0]}"
        assert future.cancel() is False
        assert logger.lines == [("ERROR", text, error)]
        delegate.given[0].end(21)
        assert future.result(PATIENCE) == 42
    logger.lines.clear()


# -- cancelled and lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])
def test_a_delegates_future_that_anyone_cancels_ends_the_future_cancelled(kind: type[Future[Any]]) -> None:
    delegate, callbacks = ScriptedDelegate(kind), list[Any]()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        future.add_done_callback(callbacks.append)
        assert delegate.given[0].cancel()
        assert future.cancelled()
        assert future.cancel() is True
        assert callbacks.pop() is future


def test_a_delegates_future_that_says_it_was_cancelled_ends_the_future_cancelled() -> None:
    delegate = DuckDelegate()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        delegate.given[0].cancelled = lambda: True
        delegate.given[0].end()
        assert future.cancelled()


def test_a_pool_that_somebody_shuts_down_cancels_the_futures_it_had_queued() -> None:
    parking, pool = Parking(21), ThreadPoolExecutor(1)
    with PollExecutor(pool, doubling) as executor:
        running, queued = executor.submit(parking), executor.submit(int)
        parking.wait_for_one()
        pool.shutdown(wait=False, cancel_futures=True)
        assert queued.cancelled()
        parking.let_go()
        assert running.result(PATIENCE) == 42


def test_a_future_that_the_delegate_loses_ends_cancelled_at_once() -> None:
    delegate, callbacks = ScriptedDelegate(), list[Any]()
    with PollExecutor(delegate, doubling) as executor, without_collector():
        futures = [executor.submit(int) for _ in range(3)]
        for future in futures:
            future.add_done_callback(callbacks.append)
        del delegate.given[1]
        assert [future.cancelled() for future in futures] == [False, True, False]
        assert callbacks == [futures[1]]
        delegate.given[0].set_result(21)
        assert futures[0].result(PATIENCE) == 42
        waiting = InThread(futures[2].exception)
        delegate.given.clear()
        with pytest.raises(CancelledError):
            waiting.outcome()
    callbacks.clear()


def test_a_delegate_that_keeps_nothing_has_lost_the_task_when_submit_returns() -> None:
    with PollExecutor(DelegateOf(lambda fn: Future()), doubling) as executor:
        assert executor.submit(int).cancelled()


def test_a_future_that_is_lost_in_a_cycle_ends_cancelled_once_that_is_collected() -> None:
    delegate = ScriptedDelegate()
    with PollExecutor(delegate, doubling) as executor:
        future = executor.submit(int)
        cycle: list[Any] = [delegate.given.pop()]
        cycle.append(cycle)
        del cycle
        gc.collect()
        assert future.cancelled()


# -- shutting it down ---------------------------------------------------------------------------------------------


def knows_wait_only(seen: list[Any]) -> Callable[..., None]:
    def shutdown(wait: bool = True) -> None:
        seen.append({"wait": wait})

    return shutdown


def knows_both(seen: list[Any]) -> Callable[..., None]:
    def shutdown(wait: bool = True, *, cancel_futures: bool = False) -> None:
        seen.append({"wait": wait, "cancel_futures": cancel_futures})

    return shutdown


def has_no_signature(seen: list[Any]) -> Callable[..., None]:
    class Shutdown:
        __signature__ = "cannot be told"

        def __call__(self, wait: bool = True, cancel_futures: bool = False) -> None:
            seen.append({"wait": wait, "cancel_futures": cancel_futures})

    return Shutdown()


@pytest.mark.parametrize("make", [knows_wait_only, knows_both, has_no_signature])
@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("cancel_futures", [True, False])
def test_the_delegates_shutdown_gets_what_it_can_take(
    make: Callable[..., Any], wait: bool, cancel_futures: bool
) -> None:
    delegate, seen = DuckDelegate(), list[Any]()
    delegate.shutdown = make(seen)  # type: ignore[method-assign]
    executor = PollExecutor(delegate, doubling)
    executor.shutdown(wait, cancel_futures=cancel_futures)
    (how,) = seen
    assert how["wait"] is wait
    if make is not knows_wait_only:
        assert how["cancel_futures"] is cancel_futures


def test_what_the_delegates_shutdown_raises_comes_out_and_the_thread_ends_all_the_same() -> None:
    def shutdown(**how: Any) -> None:
        raise error

    delegate, error = DuckDelegate(), OSError("of the delegate")
    delegate.shutdown = shutdown  # type: ignore[method-assign]
    executor = PollExecutor(delegate, doubling)
    future = executor.submit(int)
    delegate.given[0].end(21)
    with pytest.raises(OSError) as raised:
        executor.shutdown()
    assert raised.value is error
    assert future.result(0) == 42


# -- poll on poll -------------------------------------------------------------------------------------------------


def test_an_executor_that_polls_on_top_of_one_that_polls() -> None:
    def adding(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result + 1)
        return inf

    with Executors.thread_pool(2).with_poll(doubling).with_poll(adding) as executor:
        assert [f.result(PATIENCE) for f in [executor.submit(int, key) for key in range(10)]] == list(range(1, 20, 2))
        assert type(executor.submit(int, "x").exception(PATIENCE)) is ValueError


def test_what_fails_in_the_lower_poll_is_not_seen_by_the_upper() -> None:
    lower, upper = SteppedPoll(), RecordingPoll()
    error = ValueError("of the lower poll")
    with polling(lower, logger=HeardLogger()) as below:
        with PollExecutor(below, upper) as executor:
            call = lower.next()
            futures = [executor.submit(str, key) for key in "ab"]
            call.end()
            call = lower.next()
            call.descriptors[0].yield_result("up")
            call.end(raising=error)
            assert futures[1].exception(PATIENCE) is error
            upper.next_with(["up"])[0].yield_result("done")
            assert futures[0].result(0) == "done"


@pytest.mark.parametrize("agrees", [True, False])
def test_cancel_asks_the_cancel_fn_of_the_layer_that_polls_the_task(agrees: bool) -> None:
    lower, upper = RecordingPoll(), RecordingPoll()
    asked: list[str] = []

    def answer(text: str) -> bool:
        asked.append(text)
        return agrees

    with PollExecutor(SyncExecutor(), lower, lambda result: answer(f"lower {result}")) as below:
        with PollExecutor(below, upper, lambda result: answer(f"upper {result}")) as executor:
            first, second = executor.submit(str, "a"), executor.submit(str, "b")
            assert first.cancel() is agrees
            below.notify()
            descriptors = lower.next_with(["b"] if agrees else ["a", "b"])
            descriptors[-1].yield_result("B")
            (descriptor,) = upper.next_with(["B"])
            assert second.cancel() is agrees
            descriptors[0].yield_exception(KeyError)
            descriptor.yield_result()
    assert asked == ["lower a", "upper B"]


def test_two_cancels_of_an_upper_future_share_the_answer_of_the_lower_cancel_fn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parking = Parking(True)
    with PollExecutor(SyncExecutor(), RecordingPoll(), parking) as below:
        with PollExecutor(below, RecordingPoll(), lambda result: pytest.fail("asked")) as executor:
            future = executor.submit(str, "key")
            first = InThread(future.cancel)
            parking.wait_for_one()
            sleeps = PollSleeps(monkeypatch)
            second = InThread(future.cancel)
            sleeps.wait_for_others(1)
            parking.let_go()
            assert first.outcome() is second.outcome() is True
            assert parking.calls == [("key",)]


def test_shutting_down_the_upper_sees_both_through_and_ends_all_threads() -> None:
    before = set(threading.enumerate())
    executor = Executors.thread_pool(1).with_poll(doubling).with_poll(doubling)
    futures = [executor.submit(int, key) for key in range(5)]
    executor.shutdown()
    assert [future.result(0) for future in futures] == [0, 4, 8, 12, 16]
    assert set(threading.enumerate()) <= before
