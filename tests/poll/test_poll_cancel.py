"""Cancelling: who decides while the delegate has the task, and while it is polled; what a cancel_fn may do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest
from paced_support import new_table
from support import (
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    InThread,
    Parking,
    PollSleeps,
    RecordingPoll,
    ScriptedDelegate,
    SteppedPoll,
    all_at_once,
)

from more_executors import Executors, PollExecutor, SyncExecutor, _core


class CountedCancel:
    """A cancel_fn that answers, or raises, as the test says; `calls` has what it was asked about."""

    def __init__(self, answer: object = True, *, raising: BaseException | None = None) -> None:
        self.answer, self.raising = answer, raising
        self.calls: list[Any] = []

    def __call__(self, result: Any) -> Any:
        self.calls.append(result)
        if self.raising is not None:
            raise self.raising
        return self.answer


class NoTruth:
    def __bool__(self) -> bool:
        raise ArithmeticError("neither true nor false")


def polled_future(poll: RecordingPoll, executor: PollExecutor[Any, Any], key: str = "key") -> tuple[Any, Any]:
    """A future that is being polled, and its descriptor."""
    future = executor.submit(str, key)
    while not (found := [descriptor for descriptor in poll.next() if descriptor.result == key]):
        pass
    return future, found[0]


@pytest.mark.parametrize("agrees", [True, False])
def test_while_the_delegate_has_the_task_it_decides_and_cancel_fn_is_not_asked(agrees: bool) -> None:
    delegate, cancel_fn = ScriptedDelegate(), CountedCancel(not agrees)
    poll = RecordingPoll()
    with PollExecutor(delegate, poll, cancel_fn) as executor:
        future = executor.submit(int)
        if not agrees:
            delegate.given[0].set_running_or_notify_cancel()
        assert future.cancel() is agrees
        assert future.cancelled() is agrees
        assert delegate.given[0].cancelled() is agrees
        if not agrees:
            delegate.given[0].set_result("key")
            poll.next_of(1)[0].yield_result("went on")
            assert future.result(0) == "went on"
    assert not cancel_fn.calls


def test_a_task_that_runs_in_a_thread_pool_cannot_be_cancelled_and_one_that_waits_there_can() -> None:
    parking, poll = Parking("key"), RecordingPoll()
    with Executors.thread_pool(1).with_poll(poll) as executor:
        running, waiting = executor.submit(parking), executor.submit(int)
        parking.wait_for_one()
        assert (running.cancel(), waiting.cancel()) == (False, True)
        parking.let_go()
        poll.next_with(["key"])[0].yield_result()
        assert running.result(PATIENCE) is None


def test_without_a_cancel_fn_a_polled_future_is_cancelled() -> None:
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll) as executor:
        future, _ = polled_future(poll, executor)
        assert future.cancel() is True
        assert future.cancelled()
        with pytest.raises(CancelledError):
            future.result(0)


@pytest.mark.parametrize("answer", [True, 1, "no", [0], ...], ids=repr)
def test_a_true_answer_of_cancel_fn_cancels(answer: object) -> None:
    cancel_fn, poll = CountedCancel(answer), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        future, _ = polled_future(poll, executor)
        assert future.cancel() is True
        assert future.cancelled()
        assert future.cancel() is True
    assert cancel_fn.calls == ["key"], "it is asked once, with the result"


@pytest.mark.parametrize("answer", [False, 0, None, "", [], 0.0], ids=repr)
def test_a_false_answer_of_cancel_fn_changes_nothing(answer: object) -> None:
    cancel_fn, poll = CountedCancel(answer), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        future, descriptor = polled_future(poll, executor)
        assert future.cancel() is False
        assert not future.done()
        executor.notify()
        assert poll.next() == [descriptor]
        assert future.cancel() is False
        cancel_fn.answer = True
        assert future.cancel() is True
    assert cancel_fn.calls == ["key"] * 3, "it is asked each time"


@pytest.mark.parametrize("fails_at", ["the call", "the truth value"])
def test_a_cancel_fn_that_raises_refuses_and_is_logged(fails_at: str) -> None:
    logger, poll, error = HeardLogger(), RecordingPoll(), ValueError("of the cancel_fn")
    cancel_fn = CountedCancel(raising=error) if fails_at == "the call" else CountedCancel(NoTruth())
    with PollExecutor(SyncExecutor(), poll, cancel_fn, logger=logger) as executor:
        future, descriptor = polled_future(poll, executor)
        text = f"Exception during cancel on {future}/key"
        assert future.cancel() is False
        assert not future.done()
        ((level, message, logged),) = logger.lines
        assert (level, message) == ("ERROR", text)
        assert logged is error if fails_at == "the call" else type(logged) is ArithmeticError
        executor.notify()
        assert poll.next() == [descriptor]
        cancel_fn.raising, cancel_fn.answer = None, True
        assert future.cancel() is True


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_logger_that_raises_as_well_is_reported_and_the_cancel_refused(
    nothing_left_behind: list[BaseException | None], kind: type[BaseException]
) -> None:
    error, poll = kind("of the logger"), RecordingPoll()
    cancel_fn = CountedCancel(raising=ValueError())
    with PollExecutor(SyncExecutor(), poll, cancel_fn, logger=HeardLogger(raising=error)) as executor:
        future, descriptor = polled_future(poll, executor)
        assert InThread(future.cancel).outcome() is False
        descriptor.yield_result()
    assert nothing_left_behind == [error]
    nothing_left_behind.clear()


def test_an_interrupt_gets_out_of_cancel_and_nothing_is_stuck() -> None:
    cancel_fn, poll = CountedCancel(raising=KeyboardInterrupt()), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        future, _ = polled_future(poll, executor)
        with pytest.raises(KeyboardInterrupt):
            future.cancel()
        assert not future.done()
        cancel_fn.raising = None
        assert future.cancel() is True


def test_cancel_fn_is_asked_about_nothing_that_is_done() -> None:
    cancel_fn, poll, delegate = CountedCancel(), RecordingPoll(), DuckDelegate()
    with PollExecutor(delegate, poll, cancel_fn) as executor:
        futures = [executor.submit(int) for _ in range(4)]
        for key, given in enumerate(delegate.given[:3]):
            given.end(key)
        first, second, third = poll.next_with([0, 1, 2])
        first.yield_result()
        second.yield_exception(ValueError)
        delegate.given[3].end(error=ValueError())
        assert [future.cancel() for future in futures] == [False, False, True, False]
        third.yield_result("too late")
        assert [future.cancel() for future in futures] == [False, False, True, False]
    assert cancel_fn.calls == [2]


def test_a_cancelled_descriptor_is_in_no_later_list() -> None:
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, CountedCancel()) as executor:
        futures = [executor.submit(str, key) for key in "abc"]
        first, second, third = poll.next_with(["a", "b", "c"])
        assert futures[1].cancel()
        executor.notify()
        poll.next_with(["a", "c"])
        second.yield_result("too late")
        assert futures[1].cancelled()
        first.yield_result()
        third.yield_result()


def test_callbacks_of_a_cancelled_future_run_once_on_the_cancelling_thread() -> None:
    calls: list[threading.Thread] = []
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, CountedCancel()) as executor:
        future, descriptor = polled_future(poll, executor)
        future.add_done_callback(lambda _: calls.append(threading.current_thread()))
        thread = InThread(future.cancel)
        assert thread.outcome() is True
        descriptor.yield_result()
        assert future.cancel() is True
    assert calls == [thread]


def test_a_future_can_be_cancelled_in_the_poll_function() -> None:
    poll = SteppedPoll()
    futures: list[Any] = []
    answers: list[bool] = []

    def poll_fn(descriptors: list[Any]) -> Any:
        poll(descriptors)
        answers.extend(future.cancel() for future in futures if descriptors)
        for descriptor in descriptors:
            descriptor.yield_result("too late")

    with PollExecutor(SyncExecutor(), poll_fn, CountedCancel()) as executor:
        poll.next().end()
        futures.append(executor.submit(str, "key"))
        poll.next().end()
        with pytest.raises(CancelledError):
            futures[0].result(PATIENCE)
    assert answers == [True]


def test_a_slow_cancel_fn_hinders_nobody_else() -> None:
    parking, poll = Parking(True), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, lambda key: parking(key) if key == "slow" else True) as executor:
        slow, slow_descriptor = polled_future(poll, executor, "slow")
        thread = InThread(slow.cancel)
        parking.wait_for_one()
        first, descriptor = polled_future(poll, executor, "first")
        descriptor.yield_result("resolved")
        assert first.result(0) == "resolved"
        second, _ = polled_future(poll, executor, "second")
        assert second.cancel() is True
        executor.notify()
        poll.next_with(["slow"])
        assert not slow.done()
        assert not slow.running()
        assert repr(executor)
        parking.let_go()
        assert thread.outcome() is True
        slow_descriptor.yield_result("too late")
        assert slow.cancelled()


@pytest.mark.parametrize("answer", [True, False])
def test_cancelling_a_future_from_its_own_cancel_fn_is_refused(answer: bool) -> None:
    answers: list[bool] = []
    poll = RecordingPoll()

    def cancel_fn(result: Any) -> bool:
        answers.append(future.cancel())
        return answer

    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        future, descriptor = polled_future(poll, executor)
        assert InThread(future.cancel).outcome() is answer
        assert answers == [False], "and cancel_fn is not called again"
        descriptor.yield_result()


@pytest.mark.parametrize("how", ["true", "false", "raises", "interrupts"])
def test_cancels_at_the_same_time_share_one_answer(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    error = {"raises": ValueError(), "interrupts": KeyboardInterrupt()}.get(how)
    parking, poll = Parking(how == "true", raising=error), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, parking, logger=HeardLogger()) as executor:
        future, descriptor = polled_future(poll, executor)
        first = InThread(future.cancel)
        parking.wait_for_one()
        sleeps = PollSleeps(monkeypatch)
        others = [InThread(future.cancel) for _ in range(3)]
        sleeps.wait_for_others(3)
        parking.let_go()
        assert [other.outcome() for other in others] == [how == "true"] * 3
        if how == "interrupts":
            with pytest.raises(KeyboardInterrupt):
                first.outcome()
        else:
            assert first.outcome() is (how == "true")
        assert parking.calls == [("key",)]
        assert future.cancelled() is (how == "true")
        descriptor.yield_result()


@pytest.mark.parametrize(
    "resolve",
    [
        lambda descriptor: descriptor.yield_result("won"),
        lambda descriptor: descriptor.yield_exception(KeyError("won")),
    ],
    ids=["result", "exception"],
)
@pytest.mark.parametrize("by", ["another thread", "the cancel_fn itself"])
def test_what_is_yielded_while_cancel_fn_runs_wins(resolve: Callable[[Any], object], by: str) -> None:
    parking, poll = Parking(True), RecordingPoll()

    def cancel_fn(result: Any) -> Any:
        if by == "the cancel_fn itself":
            parking.let_go()
            resolve(descriptor)
        return parking(result)

    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        future, descriptor = polled_future(poll, executor)
        thread = InThread(future.cancel)
        parking.wait_for_one()
        if by == "another thread":
            resolve(descriptor)
            assert future.done(), "at once"
            assert future.cancel() is False, "without waiting for the cancel_fn"
            parking.let_go()
        assert thread.outcome() is False
        assert not future.cancelled()
        assert "won" in repr(future.exception(0) or future.result(0))
    assert parking.calls == [("key",)]


def test_a_poll_that_fails_while_cancel_fn_runs_wins() -> None:
    parking, poll, error = Parking(True), SteppedPoll(), ValueError()
    with PollExecutor(SyncExecutor(), poll, parking, logger=HeardLogger()) as executor:
        poll.next().end()
        future = executor.submit(str, "key")
        call = poll.next()
        thread = InThread(future.cancel)
        parking.wait_for_one()
        call.end(raising=error)
        assert future.exception(PATIENCE) is error
        parking.let_go()
        assert thread.outcome() is False


def test_many_futures_cancelled_from_many_threads_are_asked_about_once_each() -> None:
    cancel_fn, poll = CountedCancel(), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, cancel_fn) as executor:
        futures = [executor.submit(str, key) for key in range(100)]

        def cancel_all() -> list[bool]:
            return [future.cancel() for future in futures]

        assert all_at_once(*[cancel_all] * 4) == [[True] * 100] * 4
    assert sorted(cancel_fn.calls, key=int) == [str(key) for key in range(100)]


def test_who_shares_the_answer_of_a_cancel_has_it_when_the_task_is_done() -> None:
    # 1. cancel_fn is at it. 2. Another thread waits for its answer. 3. The task is done: that is the answer.
    deciding = Parking(True)
    table: Any = new_table(_core.FullListTable, cancel_fn=deciding)
    future = table.adopt(table, "a")
    (task,) = table.take_all()
    first = InThread(future.cancel)
    deciding.wait_for_one()
    second = InThread(future.cancel)
    second.join(0.02)  # it waits by now, or else finds the task done
    task.yield_result("done")
    assert second.outcome() is False
    deciding.let_go()
    assert first.outcome() is False
    assert future.result(0) == "done"
