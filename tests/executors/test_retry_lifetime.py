"""RetryExecutor: how long it and its thread live, and what its futures hold."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
from retry_support import Clock, Scripted, WatchedDelegate, retry_thread
from support import (
    FOREVER,
    PATIENCE,
    Parking,
    SomeError,
    Thing,
    assert_ends,
    is_gone,
    without_collector,
)

from more_executors import Executors, RetryExecutor, SyncExecutor, _core


def test_a_future_between_attempts_keeps_its_executor_and_resolves() -> None:
    delegate = WatchedDelegate()
    executor = RetryExecutor(delegate, Scripted(0.01), name="kept")
    thread, gone = retry_thread("kept"), weakref.ref(executor)
    future = executor.submit(int)
    delegate.next().set_exception(SomeError())
    del executor
    gc.collect()
    assert gone() is not None
    delegate.next().set_result("tried again")
    assert future.result(0) == "tried again"
    assert_ends(thread)
    assert gone() is None


def test_an_idle_executor_that_is_dropped_is_gone_with_its_thread_without_being_collected() -> None:
    with without_collector():
        executor = RetryExecutor(SyncExecutor(), name="idle")
        thread, gone = retry_thread("idle"), weakref.ref(executor)
        assert executor.submit(int).result(PATIENCE) == 0
        del executor
        assert_ends(thread)
        assert gone() is None


@pytest.mark.parametrize("phase", ["between attempts", "with the delegate"])
def test_what_nobody_can_reach_is_collected_and_the_thread_ends(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    executor = RetryExecutor(delegate, Scripted(1e6), name="lost")
    assert clock.sleep() == FOREVER
    thread, gone = retry_thread("lost"), weakref.ref(executor)
    executor.submit(int)
    assert clock.sleep() == FOREVER
    if phase == "between attempts":
        delegate.next().set_exception(SomeError())
        assert clock.sleep() == 1e6
    del executor, delegate
    assert is_gone(gone)
    assert_ends(thread)


@pytest.mark.parametrize("how", ["result", "error", "cancelled"])
def test_a_done_future_holds_its_outcome_and_nothing_else(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Function(Thing):
        def __call__(self, *_: Any) -> None:
            pass

    clock, outcome = Clock(monkeypatch), SomeError()
    policy: Any = Scripted(5)
    delegate = WatchedDelegate(_core.Future)
    with without_collector():
        executor = RetryExecutor(delegate, policy, name="held")
        thread = retry_thread("held")
        assert clock.sleep() == FOREVER
        fn, argument, callback = Function(), Thing(), Function()
        future = executor.submit(fn, argument, word=argument)
        future.add_done_callback(callback)
        gone = [weakref.ref(thing) for thing in (executor, fn, argument, callback, policy)]
        del fn, argument, callback
        assert clock.sleep() == FOREVER
        delegate.next().set_exception(SomeError())
        assert clock.sleep() == 5
        if how == "cancelled":
            assert future.cancel()
        else:
            clock.set_on(5, executor)
            given = delegate.next()
            given.set_result(outcome) if how == "result" else given.set_exception(outcome)
            del given
        assert future.done()
        delegate.submitted.clear()
        delegate.given.clear()
        policy.asked.clear()
        del policy, executor
        assert_ends(thread)
        assert [reference() for reference in gone] == [None] * 5


def test_an_attempt_on_the_thread_of_a_pool_needs_nobody_to_hold_anything() -> None:
    parking, done, outcomes = Parking("ran"), threading.Event(), list[Any]()
    future = Executors.thread_pool(1).with_retry(Scripted(0)).submit(parking)
    future.add_done_callback(lambda f: (outcomes.append(f.result(0)), done.set()))
    del future
    parking.wait_for_one()
    gc.collect()
    parking.let_go()
    assert done.wait(PATIENCE)
    assert outcomes == ["ran"]
    assert len(parking.calls) == 2
