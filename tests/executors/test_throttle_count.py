"""A count that is asked for: when, what becomes of errors in it, and of changes."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
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
    said,
)
from throttle_support import Sleeper, keys, throttle_thread, throttling

from more_executors import Executors, SyncExecutor, ThrottleExecutor


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(monkeypatch, "ThrottleExecutor-default")


class Count:
    """A count that is what the test says; an exception is raised. `asked` tells on which threads it was asked for."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.asked: list[threading.Thread] = []

    def __call__(self) -> Any:
        self.asked.append(threading.current_thread())
        if isinstance(self.value, BaseException):
            raise self.value
        return self.value

    def __repr__(self) -> str:
        return "COUNT"


# -- changes ------------------------------------------------------------------------------------------------------


def test_from_nothing_to_one_to_no_limit(sleeper: Sleeper) -> None:
    count = Count(0)
    with throttling(count) as (executor, delegate):
        for key in range(5):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == []
        count.value = 1
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == [0]
        count.value = None
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2, 3, 4]


def test_a_lower_count_holds_back_until_fewer_are_with_the_delegate(sleeper: Sleeper) -> None:
    count = Count(3)
    with throttling(count) as (executor, delegate):
        for key in range(6):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2]
        count.value = 1
        for done in (0, 1):
            delegate.given[done].set_result(None)
            sleeper.idle()
            assert keys(delegate) == [0, 1, 2]
        delegate.given[2].set_result(None)
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2, 3]


def test_a_count_that_falls_to_nothing_stops_and_one_that_rises_goes_on(sleeper: Sleeper) -> None:
    count = Count(2)
    with throttling(count) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        sleeper.idle()
        count.value = -3
        for given in delegate.given:
            given.set_result(None)
        sleeper.idle()
        assert keys(delegate) == [0, 1]
        assert futures[2].cancel() is True
        count.value = 5
        sleeper.idle()
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == [0, 1, 3, 4]


@pytest.mark.parametrize("what", ["submit", "end", "cancel"])
def test_it_is_asked_again_at_each_decision(sleeper: Sleeper, what: str) -> None:
    count = Count(1)
    with throttling(count) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(4)]
        sleeper.idle()
        asked = len(count.asked)
        count.value = 2
        if what == "submit":
            executor.submit(int, 4)
        elif what == "end":
            delegate.given[0].set_result(None)
        else:
            assert futures[3].cancel()
        sleeper.idle()
        assert len(count.asked) > asked
        assert keys(delegate) == ([0, 1, 2] if what == "end" else [0, 1])


def test_one_decision_is_one_call(sleeper: Sleeper) -> None:
    # While the thread is in the first, the count changes: what the second is told counts for the second call only.
    answers = iter([5, 1, 1, 0])
    with throttling(lambda: next(answers, 0)) as (executor, delegate):
        sleeper.idle()
        for key in range(3):
            executor.submit(int, key)
            sleeper.idle()
        assert len(keys(delegate)) <= 1


# -- when ---------------------------------------------------------------------------------------------------------


def test_it_is_asked_every_two_seconds_while_nothing_runs_and_every_thirty_otherwise(sleeper: Sleeper) -> None:
    count = Count(0)
    with throttling(count) as (executor, delegate):
        assert sleeper.idle() == 2.0
        executor.submit(int, 0)
        assert sleeper.idle() == 2.0
        for _ in range(3):
            asked = len(count.asked)
            sleeper.let_time_pass()
            assert sleeper.idle() == 2.0
            assert len(count.asked) > asked
        count.value = 1
        sleeper.let_time_pass()
        assert sleeper.idle() == 30.0
        for _ in range(3):
            asked = len(count.asked)
            sleeper.let_time_pass()
            assert sleeper.idle() == 30.0
            assert len(count.asked) > asked
        delegate.given[0].set_result(None)
        assert sleeper.idle() == 2.0


@pytest.mark.parametrize("count", [None, 0, 3])
def test_a_count_that_is_no_callable_needs_no_looking_again(sleeper: Sleeper, count: int | None) -> None:
    with throttling(count) as (executor, _):
        assert sleeper.idle() == FOREVER
        executor.submit(int, 0)
        assert sleeper.idle() == FOREVER


def test_an_idle_executor_that_is_asked_for_its_count_ends_all_the_same_when_it_is_dropped(sleeper: Sleeper) -> None:
    executor = ThrottleExecutor(SyncExecutor(), Count(1))
    sleeper.idle()
    thread = throttle_thread()
    del executor
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_after_the_construction_it_is_asked_on_the_executors_own_thread_only(sleeper: Sleeper) -> None:
    count = Count(2)
    with throttling(count) as (executor, delegate):
        for key in range(4):
            executor.submit(int, key)
        sleeper.idle()
        delegate.given[0].set_result(None)
        sleeper.idle()
        assert count.asked[0] is threading.current_thread()
        assert set(count.asked[1:]) == {throttle_thread()}


# -- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SomeError("at once"), SystemExit(3)])
def test_if_it_raises_at_construction_so_does_that_and_no_thread_is_left(error: BaseException) -> None:
    before = set(threading.enumerate())
    with pytest.raises(type(error)) as caught:
        ThrottleExecutor(SyncExecutor(), Count(error))
    assert caught.value is error
    assert set(threading.enumerate()) <= before
    error.__traceback__ = None


@pytest.mark.parametrize("value", ["a", [1], float("nan")])
def test_if_it_gives_no_count_at_construction_that_raises(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="count must"):
        ThrottleExecutor(SyncExecutor(), Count(value))


@pytest.mark.parametrize("error", [SomeError("later"), SystemExit(3), KeyboardInterrupt()])
def test_if_it_raises_later_the_last_value_holds_and_it_is_logged(sleeper: Sleeper, error: BaseException) -> None:
    count, logger = Count(2), HeardLogger()
    with throttling(count, logger=logger) as (executor, delegate):
        sleeper.idle()
        assert logger.lines == []
        count.value = error
        futures = [executor.submit(int, key) for key in range(4)]
        sleeper.idle()
        assert keys(delegate) == [0, 1]
        assert {level for level, _, _ in logger.lines} == {"ERROR"}
        assert all(message.startswith("Error evaluating throttle count via COUNT") for _, message, _ in logger.lines)
        assert all(raised is error for _, _, raised in logger.lines)
        delegate.given[1].set_result("ok")
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2]
        assert futures[1].result(0) == "ok"
        count.value = 3
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == [0, 1, 2, 3]
    error.__traceback__ = None


@pytest.mark.parametrize("value", ["a", [1], 1j, float("nan")])
def test_if_it_gives_no_count_later_the_last_value_holds_and_it_is_logged(sleeper: Sleeper, value: object) -> None:
    count, logger = Count(1), HeardLogger()
    with throttling(count, logger=logger) as (executor, delegate):
        sleeper.idle()
        count.value = value
        for key in range(2):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == [0]
        assert logger.of_level("ERROR")
        assert len(logger.of_level("ERROR")) == len(logger.lines)


def test_a_logger_that_raises_stops_nothing(sleeper: Sleeper, nothing_left_behind: list[BaseException | None]) -> None:
    count, loud = Count(1), SomeError("of the logger")
    with throttling(count, logger=HeardLogger(raising=loud)) as (executor, delegate):
        sleeper.idle()
        count.value = SomeError("of the count")
        executor.submit(int, 0)
        sleeper.idle()
        assert keys(delegate) == [0]
        count.value = 1
    assert set(nothing_left_behind) == {loud}
    nothing_left_behind.clear()
    loud.__traceback__ = None


# -- with nothing held --------------------------------------------------------------------------------------------


def test_while_it_takes_its_time_all_else_goes_on(sleeper: Sleeper) -> None:
    park = Parking(returning=1)
    answers: list[Any] = [lambda: 1, lambda: 1]
    with throttling(lambda: answers.pop()() if answers else park()) as (executor, delegate):
        sleeper.idle()
        futures = [executor.submit(int, key) for key in range(3)]
        park.wait_for_one()
        assert futures[0].cancel() is True
        futures.append(executor.submit(int, 3))
        assert futures[3].running() is False
        executor.shutdown(wait=False)
        with pytest.raises(RuntimeError):
            executor.submit(int)
        park.let_go()
        sleeper.idle()
        assert keys(delegate) == [1]
        assert said(futures[0], 0) is CancelledError


def test_it_may_submit_cancel_and_shut_down(sleeper: Sleeper) -> None:
    actions: list[Any] = []

    def count() -> int:
        if actions:
            actions.pop()()
        return 1

    with throttling(count) as (executor, delegate):
        sleeper.idle()
        futures: list[Future[Any]] = []
        actions.append(lambda: futures.append(executor.submit(int, "from the count")))
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == ["from the count"]
        second = executor.submit(int, "second")
        sleeper.idle()
        actions.append(second.cancel)
        delegate.given[0].set_result(None)
        sleeper.idle()
        sleeper.let_time_pass()
        sleeper.idle()
        assert keys(delegate) == ["from the count"]
        actions.append(lambda: executor.shutdown(wait=True))
        thread = throttle_thread()
        sleeper.let_time_pass()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert delegate.shutdowns
        del actions[:], futures[:]


def test_a_count_that_changes_all_the_time_loses_no_call() -> None:
    state = {"turn": 0}

    def count() -> int | None:
        state["turn"] += 1
        return (0, 1, None, 3)[state["turn"] % 4]

    with Executors.thread_pool(4).with_throttle(count) as executor:
        submitting = [InThread(lambda: [executor.submit(int, key) for key in range(100)]) for _ in range(2)]
        futures = [future for thread in submitting for future in thread.outcome()]
        while not all(future.done() for future in futures):
            executor.submit(int).cancel()
        assert [future.result(0) for future in futures] == list(range(100)) * 2


def test_delegates_of_no_library_of_ours_do_as_well(sleeper: Sleeper) -> None:
    count, delegate = Count(1), DuckDelegate()
    executor = ThrottleExecutor(delegate, count)
    futures = [executor.submit(int, key) for key in range(2)]
    sleeper.idle()
    assert keys(delegate) == [0]
    assert futures[0].cancel() is False
    delegate.given[0].end("a")
    sleeper.idle()
    delegate.given[1].end(error=SomeError())
    assert [said(future) for future in futures] == ["a", SomeError]
    executor.shutdown()
