"""RetryExecutor: one attempt after the other, each when it is due, and a future that ends with the last."""

from __future__ import annotations

import traceback
from concurrent.futures import Future
from typing import Any

import pytest
from retry_support import Clock, Deciding, Scripted, WatchedDelegate, retry_thread, retrying
from support import (
    FOREVER,
    PATIENCE,
    SomeError,
    said,
)

from more_executors import Executors, RetryExecutor, RetryPolicy, SyncExecutor, _core

KINDS = pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])


def fail(error: BaseException) -> Any:
    raise error


# -- attempts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [Executors.sync, lambda: Executors.thread_pool(2)], ids=["sync", "pool"])
def test_what_fails_is_called_again_with_the_same_arguments_until_it_does_not(base: Any) -> None:
    def fn(*args: Any, **kwargs: Any) -> Any:
        calls.append((args, kwargs))
        return fail(SomeError()) if len(calls) < 3 else "third"

    calls: list[Any] = []
    with base().with_retry(sleep=0) as executor:
        assert executor.submit(fn, 1, "two", self=3, fn=4, retry_policy=5).result(PATIENCE) == "third"
    assert calls == [((1, "two"), {"self": 3, "fn": 4, "retry_policy": 5})] * 3


@KINDS
def test_attempts_are_submitted_from_the_thread_of_the_executor(kind: type[Future[Any]]) -> None:
    delegate = WatchedDelegate(kind)
    with retrying(delegate, Scripted(0, 0), name="own") as executor:
        thread = retry_thread("own")
        assert thread.daemon
        executor.submit(int)
        for _ in range(2):
            delegate.next().set_exception(SomeError())
        delegate.next()
        assert delegate.threads == [thread] * 3


@KINDS
@pytest.mark.parametrize("last", ["result", "error"])
def test_the_future_and_its_callbacks_see_the_last_attempt_only(kind: type[Future[Any]], last: str) -> None:
    delegate, seen = WatchedDelegate(kind), list[Any]()
    with retrying(delegate, Scripted(0, 0)) as executor:
        future = executor.submit(int)
        future.add_done_callback(lambda f: seen.append(said(f, 0)))
        for _ in range(2):
            delegate.next().set_exception(KeyError())
            assert not future.done()
        third = delegate.next()
        assert (future.done(), seen) == (False, [])
        if last == "result":
            third.set_result(3)
        else:
            third.set_exception(SomeError())
        assert seen == [3 if last == "result" else SomeError] == [said(future, 0)]


def test_the_exception_of_the_last_attempt_is_the_same_object_with_its_traceback() -> None:
    errors = [SomeError(number) for number in range(3)]
    left = iter(errors)
    with Executors.sync().with_retry(sleep=0) as executor:
        future = executor.submit(lambda: fail(next(left)))
        assert future.exception(PATIENCE) is errors[-1]
    assert [frame.name for frame in traceback.extract_tb(errors[-1].__traceback__)] == ["<lambda>", "fail"]
    assert errors[-1].__context__ is None


def test_very_many_attempts_need_no_stack() -> None:
    left = iter(range(5000))
    with RetryExecutor(SyncExecutor(), Deciding(lambda attempt, future: attempt < 5000)) as executor:
        assert executor.submit(lambda: next(left)).result(PATIENCE) == 4999


def test_a_policy_for_one_call_is_asked_for_that_call_only() -> None:
    own, usual = Scripted(0), Scripted()
    with RetryExecutor(SyncExecutor(), usual) as executor:
        assert executor.submit_retry(own, pow, 2, exp=3).result(PATIENCE) == 8
        assert executor.submit(int).result(PATIENCE) == 0
    assert [attempt for attempt, _ in own.asked] == [1, 2]
    assert [attempt for attempt, _ in usual.asked] == [1]


def test_submit_retry_takes_its_arguments_by_name() -> None:
    policy = RetryPolicy()
    with RetryExecutor(SyncExecutor()) as executor:
        assert executor.submit_retry(retry_policy=policy, fn=int).result(PATIENCE) == 0
        assert executor.submit_retry(policy, fn=int).result(PATIENCE) == 0


def test_submit_retry_passes_other_keywords_on() -> None:
    with RetryExecutor(SyncExecutor()) as executor:
        future = executor.submit_retry(RetryPolicy(), dict, self=1, args=2, executor=3)
        assert future.result(PATIENCE) == {"self": 1, "args": 2, "executor": 3}


@KINDS
def test_running_says_whether_an_attempt_runs(kind: type[Future[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate(kind)
    with retrying(delegate, Scripted(5)) as executor:
        assert clock.sleep() == FOREVER
        future = executor.submit(int)
        assert clock.sleep() == FOREVER
        first = delegate.next()
        assert future.running() is False
        first.set_running_or_notify_cancel()
        assert future.running() is True
        first.set_exception(SomeError())
        assert clock.sleep() == 5
        clock.set_on(5, executor)
        second = delegate.next()
        assert future.running() is False
        second.set_running_or_notify_cancel()
        assert future.running() is True
        second.set_result(None)
        assert (future.running(), future.done()) == (False, True)


# -- when they are due --------------------------------------------------------------------------------------------


def test_what_is_due_earlier_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    with retrying(delegate) as executor:
        assert clock.sleep() == FOREVER
        for name, pause in (("late", 30), ("first", 10), ("second", 20), ("also second", 20)):
            executor.submit_retry(Scripted(pause), str, name)
            delegate.next().set_exception(SomeError())
        clock.set_on(15, executor)
        delegate.next()
        clock.now += 15
        executor.submit_retry(Scripted(), str, "new")
        clock.set_on(0, executor)
        for _ in range(4):
            delegate.next()
        assert [args[0] for _, args, _ in delegate.submitted[4:]] == ["first", "second", "also second", "late", "new"]


def test_the_thread_sleeps_until_the_earliest_is_due_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    with retrying(delegate) as executor:
        assert clock.sleep() == FOREVER
        slow = executor.submit_retry(Scripted(30), int)
        assert clock.sleep() == FOREVER
        quick = executor.submit_retry(Scripted(10), int)
        assert clock.sleep() == FOREVER
        delegate.given[0].set_exception(SomeError())
        assert clock.sleep() == 30
        delegate.given[1].set_exception(SomeError())
        assert clock.sleep() == 10
        assert clock.set_on(9, executor) == 1
        assert len(delegate.given) == 2
        assert clock.set_on(1, executor) == 20
        assert len(delegate.given) == 3
        assert clock.set_on(20, executor) == FOREVER
        assert len(delegate.given) == 4
        assert (slow.cancel(), quick.cancel()) == (True, True)


def test_a_call_that_waits_long_keeps_no_other_waiting() -> None:
    delegate = WatchedDelegate()
    with retrying(delegate, Scripted(1e6)) as executor:
        waiting = executor.submit(int)
        delegate.next().set_exception(SomeError())
        other = executor.submit_retry(Scripted(0), int)
        delegate.next().set_exception(SomeError())
        delegate.next().set_result("other")
        assert other.result(0) == "other"
        assert waiting.cancel() is True
