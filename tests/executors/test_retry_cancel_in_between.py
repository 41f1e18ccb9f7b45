"""RetryExecutor: cancelling while an attempt is being submitted, and while the policy is asked about one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from retry_support import Deciding, WatchedDelegate, retrying
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, all_at_once

from more_executors import SyncExecutor, _core

KINDS = pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])
ENDS = pytest.mark.parametrize("end", [5, SomeError("of the attempt")], ids=["success", "failure"])


def finish(given: Any, end: Any) -> None:
    if isinstance(end, BaseException):
        given.set_exception(end)
    else:
        given.set_result(end)


def ended_as(future: Future[Any], end: Any) -> bool:
    if isinstance(end, BaseException):
        return future.exception(PATIENCE) is end
    return future.result(PATIENCE) == end


# -- while the attempt is being submitted -------------------------------------------------------------------------


@ENDS
@pytest.mark.parametrize("attempt", [1, 2])
def test_while_the_delegates_submit_runs_cancel_is_refused_and_that_attempt_is_the_last(end: Any, attempt: int) -> None:
    submitting, delegate = Parking(), WatchedDelegate()
    with retrying(delegate, Deciding()) as executor:
        usual = delegate.submit
        delegate.submit = lambda *args: (  # type: ignore[method-assign]
            len(delegate.given) == attempt - 1 and submitting(),
            usual(*args),
        )[1]
        future = executor.submit(int)
        if attempt == 2:
            delegate.next().set_exception(SomeError("of the first"))
        submitting.wait_for_one()
        assert InThread(future.cancel).outcome() is False
        assert not future.done()
        submitting.let_go()
        finish(delegate.next(), end)
        assert ended_as(future, end)
    assert len(delegate.given) == attempt


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_callable_may_cancel_its_own_future_on_a_delegate_that_calls_it_in_submit(succeeds: bool) -> None:
    end = 5 if succeeds else SomeError()

    def fn() -> Any:
        started.wait(PATIENCE)
        answers.append(future.cancel())
        if isinstance(end, BaseException):
            raise end
        return end

    answers: list[bool] = []
    started = threading.Event()
    with retrying(SyncExecutor(), Deciding()) as executor:
        future = executor.submit(fn)
        started.set()
        assert ended_as(future, end)
    assert answers == [False]


# -- while the policy is asked ------------------------------------------------------------------------------------


@ENDS
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("method", ["should_retry", "sleep_time"])
@KINDS
def test_while_the_policy_is_asked_cancel_is_refused_at_once_and_the_attempt_was_the_last(
    kind: type[Future[Any]], method: str, again: bool, end: Any
) -> None:
    asked: Any = Parking(again if method == "should_retry" else 0)
    policy, delegate = Deciding(**{method: asked}), WatchedDelegate(kind)
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        ending = InThread(finish, delegate.next(), end)
        asked.wait_for_one()
        assert future.running() is True
        assert InThread(future.cancel).outcome() is False
        assert (future.done(), future.running()) == (False, True)
        asked.let_go()
        ending.outcome()
        assert ended_as(future, end)
        assert future.running() is False
    assert len(delegate.given) == 1
    assert len(asked.calls) == 1


class CancellingNumber:
    """A number of seconds that cancels a future when it is looked at, the last that the policy has to say."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        self.cancel = cancel

    def __float__(self) -> float:
        self.cancel()
        return 0.0


@pytest.mark.parametrize("by", ["should_retry", "sleep_time", "seconds"])
@pytest.mark.parametrize("attempt", [1, 3])
def test_the_policy_itself_may_cancel(by: str, attempt: int) -> None:
    def cancel(number: int, _: Any = None) -> None:
        if number == attempt:
            answers.append(future.cancel())

    answers: list[bool] = []
    policies = {
        "should_retry": Deciding(lambda number, f: (cancel(number), True)[1]),
        "sleep_time": Deciding(sleep_time=lambda number, f: (cancel(number), 0)[1]),
        "seconds": Deciding(sleep_time=lambda number, f: CancellingNumber(lambda: cancel(number))),
    }
    delegate, errors = WatchedDelegate(), [SomeError(str(number)) for number in range(3)]
    with retrying(delegate, policies[by]) as executor:
        future = executor.submit(int)
        for number in range(attempt):
            delegate.next().set_exception(errors[number])
        assert future.exception(PATIENCE) is errors[attempt - 1]
    assert answers == [False]
    assert len(delegate.given) == attempt


def test_a_policy_may_wait_for_a_thread_that_cancels() -> None:
    delegate = WatchedDelegate()
    policy = Deciding(lambda attempt, f: InThread(lambda: future.cancel()).outcome() is False)
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        delegate.next().set_exception(SomeError())
        assert type(future.exception(0)) is SomeError


def test_a_policy_that_raises_after_a_cancel_ends_it_as_the_attempt() -> None:
    asked, logger, delegate = Parking(raising=KeyError("of the policy")), HeardLogger(), WatchedDelegate()
    with retrying(delegate, Deciding(asked), logger) as executor:
        future = executor.submit(int)
        ending = InThread(delegate.next().set_result, "ended")
        asked.wait_for_one()
        assert future.cancel() is False
        asked.let_go()
        ending.outcome()
        assert future.result(0) == "ended"
    assert len(logger.of_level("ERROR")) == 1


def test_of_many_cancels_while_the_policy_is_asked_none_succeeds() -> None:
    asked, delegate = Parking(True), WatchedDelegate()
    with retrying(delegate, Deciding(asked)) as executor:
        future = executor.submit(int)
        ending = InThread(delegate.next().set_result, "ended")
        asked.wait_for_one()
        assert all_at_once(*[future.cancel] * 4) == [False] * 4
        asked.let_go()
        ending.outcome()
        assert future.result(0) == "ended"
