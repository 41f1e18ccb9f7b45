"""RetryExecutor: delegates that refuse, cancel, lose or repeat attempts."""

from __future__ import annotations

import gc
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from retry_support import Clock, Deciding, Scripted, WatchedDelegate, retrying
from support import (
    FOREVER,
    PATIENCE,
    DuckFuture,
    SomeError,
)

from more_executors import Executors, RetryPolicy, _core

KINDS = pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])


def fail(error: BaseException) -> Any:
    raise error


class Refusing(WatchedDelegate):
    """Its submit raises `error` from attempt number `good` + 1 on."""

    def __init__(self, good: int, error: BaseException) -> None:
        super().__init__()
        self.good = good
        self.error: BaseException | None = error

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if len(self.given) >= self.good and self.error is not None:
            raise self.error
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("good", [0, 1, 2])
@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_what_the_delegates_submit_raises_fails_the_future_and_the_thread_goes_on(
    good: int, kind: type[BaseException]
) -> None:
    error = kind("of the delegate")
    delegate = Refusing(good, error)
    with retrying(delegate, Deciding()) as executor:
        future = executor.submit(int)
        for _ in range(good):
            delegate.next().set_exception(SomeError())
        assert future.exception(PATIENCE) is error
        delegate.error = None
        other = executor.submit_retry(RetryPolicy(), int)
        delegate.next().set_result("goes on")
        assert other.result(0) == "goes on"


def test_a_delegate_that_is_shut_down_between_attempts_fails_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    base = Executors.thread_pool(1)
    with retrying(base, Scripted(5)) as executor:
        assert clock.sleep() == FOREVER
        future = executor.submit(fail, SomeError())
        while clock.sleep() != 5:
            pass
        base.shutdown()
        clock.set_on(5, executor)
        assert type(future.exception(PATIENCE)) is RuntimeError
        assert "after shutdown" in str(future.exception(0))


@pytest.mark.parametrize("value", [None, 42])
def test_a_delegate_that_returns_no_future_fails_the_future(value: Any) -> None:
    delegate = WatchedDelegate(lambda: value)
    with retrying(delegate) as executor:
        error = executor.submit(int).exception(PATIENCE)
        assert type(error) is TypeError
        assert repr(value) in str(error)


@KINDS
@pytest.mark.parametrize("attempt", [1, 2])
def test_an_attempt_that_anyone_cancels_is_not_tried_again(kind: type[Future[Any]], attempt: int) -> None:
    policy, delegate = Scripted(*[0] * 9), WatchedDelegate(kind)
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        for _ in range(attempt - 1):
            delegate.next().set_exception(SomeError())
        given = delegate.next()
        assert given.cancel()
        if kind is Future:
            given.set_running_or_notify_cancel()
        with pytest.raises(CancelledError):
            future.result(0)
        assert future.cancelled()
        assert len(policy.asked) == attempt - 1
    assert len(delegate.given) == attempt


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_attempt_that_is_lost_cancels_the_future(attempt: int) -> None:
    policy, delegate = Scripted(*[0] * 9), WatchedDelegate()
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        for _ in range(attempt - 1):
            delegate.next().set_exception(SomeError())
        delegate.next()
        delegate.given.clear()
        gc.collect()
        with pytest.raises(CancelledError):
            future.result(PATIENCE)
        assert len(policy.asked) == attempt - 1


def test_only_the_first_call_back_of_an_attempt_counts() -> None:
    policy, delegate = Scripted(0), WatchedDelegate(DuckFuture)
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        first = delegate.next()
        first.end(error=SomeError())
        second = delegate.next()
        first.call_back()
        first.end("again")
        assert not future.done()
        second.end(2)
        assert future.result(0) == 2
    assert [attempt for attempt, _ in policy.asked] == [1, 2]
