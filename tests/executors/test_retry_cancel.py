"""RetryExecutor: cancelling, at every moment that there is."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import SimpleNamespace
from typing import Any

import pytest
from retry_support import Clock, Deciding, Scripted, WatchedDelegate, retrying
from support import FOREVER, PATIENCE, DuckFuture, HeardLogger, InThread, Parking, SomeError, all_at_once, is_gone, said

from more_executors import Executors, RetryPolicy, _core

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


class Waiting:
    """A future that waits `pause` seconds for its second attempt, and the executor's thread asleep meanwhile."""

    def __init__(self, clock: Clock, delegate: Any, executor: Any, pause: float = 5.0) -> None:
        self.future = executor.submit_retry(Scripted(pause), int)
        clock.sleep()
        delegate.next().set_exception(SomeError())
        assert clock.sleep() == pause


# -- while it waits -----------------------------------------------------------------------------------------------


@KINDS
def test_between_attempts_cancel_succeeds_and_nothing_is_submitted_any_more(
    kind: type[Future[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate(kind)
    with retrying(delegate) as executor:
        assert clock.sleep() == FOREVER
        future = Waiting(clock, delegate, executor).future
        callbacks: list[Any] = []
        future.add_done_callback(callbacks.append)
        assert (future.cancel(), future.cancel()) == (True, True)
        assert callbacks == [future]
        assert (future.cancelled(), future.running()) == (True, False)
        assert clock.set_on(5, executor) == FOREVER
    assert len(delegate.given) == 1


def test_before_the_first_attempt_cancel_succeeds_and_there_is_none() -> None:
    # 1. the thread is in the delegate's submit for another call; 2. cancel; 3. the thread goes on.
    submitting, delegate = Parking(), WatchedDelegate()
    with retrying(delegate, RetryPolicy()) as executor:
        usual = delegate.submit
        delegate.submit = lambda *args: (submitting(), usual(*args))[1]  # type: ignore[method-assign]
        first = executor.submit(int)
        submitting.wait_for_one()
        second = executor.submit(str)
        third = executor.submit(str)
        assert second.running() is False
        assert second.cancel() is True
        submitting.let_go()
        delegate.next().set_result(1)
        delegate.next().set_result(3)
        assert (first.result(0), third.result(0)) == (1, 3)
    assert len(delegate.given) == 2


@pytest.mark.parametrize("number", [1, 2])
def test_of_attempts_that_are_due_together_one_may_cancel_the_next(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The thread has taken both off the queue when it submits the first, and that cancels the second.
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    with retrying(delegate) as executor:
        assert clock.sleep() == FOREVER
        futures = []
        for pause in (5.0, 4.0, 3.0)[:number]:
            futures.insert(0, Waiting(clock, delegate, executor, pause).future)
        last = futures[-1]
        answers: list[bool] = []
        usual = delegate.submit

        def submit(*args: Any) -> Any:
            answers.append(last.cancel())
            return usual(*args)

        delegate.submit = submit  # type: ignore[method-assign]
        clock.set_on(5, executor)
        delegate.next().set_result("done")
        if number == 1:
            assert answers == [False], "this was the one that was being submitted"
            assert last.result(0) == "done"
        else:
            assert answers == [True]
            assert [said(future, 0) for future in futures] == ["done", CancelledError]
            assert len(delegate.given) == 3


def test_cancel_wins_against_the_timer_that_is_about_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. an attempt fails, and the policy wants another; 2. what is left is to set a timer, which asks for the time;
    # 3. cancel; 4. the timer is set.
    clock, delegate, answers = Clock(monkeypatch), WatchedDelegate(), list[bool]()
    with retrying(delegate, Scripted(0.0)) as executor:
        assert clock.sleep() == FOREVER
        future = executor.submit(int)
        assert clock.sleep() == FOREVER

        def monotonic() -> float:
            if threading.current_thread() is threading.main_thread():  # the other one only looks at its watch
                answers.append(future.cancel())
            return clock.now

        with monkeypatch.context() as patched:
            patched.setattr(_core, "monotonic", monotonic)
            delegate.next().set_exception(SomeError())
        assert answers == [True]
        assert future.cancelled()
        other = executor.submit_retry(RetryPolicy(), int)
        delegate.next().set_result("next")
        assert other.result(0) == "next"
    assert len(delegate.given) == 2


def test_an_attempt_that_falls_due_leaves_the_timer_to_a_cancel_that_has_just_won(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 1. cancel has won, and tells who waits for the future; 2. the second attempt falls due: what the task has is the
    # winner's by now, and not to be touched; 3. cancel goes on, and lets go of the timer.
    now, timers = [0.0], list[int]()
    monkeypatch.setattr(_core, "monotonic", lambda: now[0])
    table, delegate, policy = _core.RetryTable(HeardLogger()), Executors.sync(), Scripted(5.0, 5.0)
    future = table.submit_retry(None, policy, divmod, (1, 0), {})
    assert table.start_due(delegate) == 5.0
    (task,) = (thing for thing in gc.get_referents(future) if type(thing).__name__ == "RetryTask")

    def count_timers() -> None:
        timers.append(sum(isinstance(thing, _core.Timer) for thing in gc.get_referents(task)))

    def attempt(future: Future[Any]) -> None:
        count_timers()
        now[0] = 5.0
        table.start_due(delegate)
        count_timers()

    watcher = SimpleNamespace(add_cancelled=attempt)
    future._waiters.append(watcher)
    assert future.cancel()
    future._waiters.remove(watcher)
    count_timers()
    assert timers == [1, 1, 0]
    assert len(policy.asked) == 1


# -- during an attempt --------------------------------------------------------------------------------------------


@KINDS
def test_a_delegate_that_agrees_ends_the_future_cancelled(kind: type[Future[Any]]) -> None:
    policy, delegate = Scripted(0, 0), WatchedDelegate(kind)
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        delegate.next().set_exception(SomeError())
        given = delegate.next()
        assert future.cancel() is True
        assert (given.cancelled(), future.cancelled()) == (True, True)
    assert len(policy.asked) == 1
    assert len(delegate.given) == 2


@ENDS
@pytest.mark.parametrize("kind", [Future, _core.Future, DuckFuture], ids=["stdlib", "ours", "duck"])
def test_a_delegate_that_refuses_leaves_the_future_to_end_as_the_attempt(kind: Callable[[], Any], end: Any) -> None:
    delegate = WatchedDelegate(kind)
    with retrying(delegate, Deciding()) as executor:
        future = executor.submit(int)
        given = delegate.next()
        if isinstance(given, Future):
            given.set_running_or_notify_cancel()
        assert (future.cancel(), future.cancel()) == (False, False)
        assert not future.done()
        if isinstance(given, Future):
            assert future.running()
            finish(given, end)
        elif isinstance(end, BaseException):
            given.end(error=end)
        else:
            given.end(end)
        assert ended_as(future, end)
        assert future.cancel() is False
    assert len(delegate.given) == 1


def test_a_cancel_that_was_refused_may_be_repeated() -> None:
    delegate = WatchedDelegate(DuckFuture)
    with retrying(delegate, Deciding()) as executor:
        future = executor.submit(int)
        given = delegate.next()
        assert future.cancel() is False
        given.agrees_to_cancel = True
        assert future.cancel() is True
        given.end("too late")
        assert future.cancelled()


def test_a_delegates_cancel_that_raises_refuses_and_there_are_no_more_attempts() -> None:
    error, logger, delegate = SomeError("of cancel"), HeardLogger(), WatchedDelegate(DuckFuture)
    with retrying(delegate, Deciding(), logger) as executor:
        future = executor.submit(int)
        given = delegate.next()
        given.cancel = Parking(raising=error)
        given.cancel.let_go()
        assert future.cancel() is False
        assert [line[2] for line in logger.lines] == [error]
        last = KeyError()
        given.end(error=last)
        assert future.exception(0) is last
    assert len(delegate.given) == 1


@ENDS
@pytest.mark.parametrize("answer", [True, False])
def test_an_attempt_that_ends_while_the_delegate_thinks_about_a_cancel_is_the_last(end: Any, answer: bool) -> None:
    delegate = WatchedDelegate(DuckFuture)
    with retrying(delegate, Deciding()) as executor:
        future = executor.submit(int)
        given = delegate.next()
        given.cancel = Parking(answer)
        cancelling = InThread(future.cancel)
        given.cancel.wait_for_one()
        given.end(*((None, end) if isinstance(end, BaseException) else (end,)))
        assert ended_as(future, end)
        given.cancel.let_go()
        assert cancelling.outcome() is False
    assert len(delegate.given) == 1


def test_cancel_reaches_the_attempt_through_a_chain() -> None:
    delegate = WatchedDelegate()
    with retrying(Executors.with_map(delegate, str), Deciding()) as executor:
        upper = executor.with_map(str)
        future, other = upper.submit(int), upper.submit(int)
        given, next_given = delegate.next(), delegate.next()  # the first is in hand when the second is submitted
        given.set_running_or_notify_cancel()
        assert (future.running(), future.cancel()) == (True, False)
        error = SomeError()
        given.set_exception(error)
        assert future.exception(0) is error
        last = upper.submit(int)
        last_given = delegate.next()
        assert (other.cancel(), next_given.cancelled()) == (True, True)
        assert not last.done()
    last_given.cancel()  # the map below waits for it


# -- at any moment ------------------------------------------------------------------------------------------------


def test_whatever_the_moment_the_answer_of_cancel_is_what_becomes_of_the_future() -> None:
    calls = [0] * 300

    def fn(number: int) -> None:
        calls[number] += 1
        raise SomeError

    with Executors.thread_pool(2).with_retry(Deciding(lambda attempt, f: attempt < 50)) as executor:
        futures = [executor.submit(fn, number) for number in range(len(calls))]
        answers = all_at_once(*[lambda: [future.cancel() for future in futures]] * 2)
    for number, future in enumerate(futures):
        assert future.done()
        # One may be refused while the attempt is submitted, and the other agreed to once the pool has it queued.
        assert future.cancelled() == (answers[0][number] or answers[1][number]), number
        assert future.cancelled() or type(future.exception(0)) is SomeError
        assert calls[number] <= 50


def test_one_that_is_cancelled_just_before_its_timer_is_set_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    table, delegate = _core.RetryTable(HeardLogger()), WatchedDelegate()
    table.submit_retry(None, Scripted(3600.0), int, (), {})
    assert table.start_due(delegate) is None
    futures, answers = table.futures(), list[bool]()

    def monotonic() -> float:
        answers.append(futures[0].cancel())
        return 0.0

    with monkeypatch.context() as patched:
        patched.setattr(_core, "monotonic", monotonic)
        delegate.next().set_exception(SomeError())
    assert answers == [True]
    delegate.given.clear()
    reference = weakref.ref(futures.pop())
    assert is_gone(reference)


@KINDS
def test_a_policy_is_not_asked_about_an_attempt_that_a_cancel_was_refused_during(kind: type[Future[Any]]) -> None:
    table, policy, given = _core.RetryTable(HeardLogger()), Scripted(0.0), kind()
    future = table.submit_retry(None, policy, int, (), {})
    table.start_due(SimpleNamespace(submit=lambda fn: given))
    given.set_running_or_notify_cancel()
    assert future.cancel() is False
    given.set_exception(error := SomeError())
    assert future.exception(0) is error
    assert policy.asked == []
