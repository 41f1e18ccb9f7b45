"""Waiting for many futures, with the standard library's `wait` and `as_completed`, and the condition that they hold.

Each test mixes futures with those of the standard library, or runs over both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent import futures
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future, InvalidStateError
from typing import Any

import pytest
from paced_support import new_table
from support import (
    EVERY_KIND,
    OUR_KINDS,
    PATIENCE,
    FutureKind,
    InThread,
    MadeByHand,
    OfTheStandardLibrary,
    SomeError,
    all_at_once,
    every_end,
    kind_fixture,
    said,
)

from more_executors import _core

kind = kind_fixture(EVERY_KIND)
our_kind = kind_fixture(OUR_KINDS)

by_hand = pytest.mark.parametrize("kind_type", [OfTheStandardLibrary, MadeByHand])

# A time-out that is an error as soon as anybody waits.
NOT_NEEDED: Any = object()


class TellsWhenWaitedFor(Future[Any]):
    """A future of the standard library: `waited_for` is set when `wait` or `as_completed` begins to wait for it.

    They hold the conditions of all their futures then, and let go of them when they are ready to be told.
    """

    class Waiters(list[Any]):
        def __init__(self, installed: threading.Event) -> None:
            self.installed = installed

        def append(self, waiter: Any) -> None:
            super().append(waiter)
            self.installed.set()

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = threading.Event()
        self._waiters = self.Waiters(self.waited_for)

    def end_when_waited_for(self, steps: Iterable[Callable[[], object]]) -> InThread:
        def run() -> None:
            assert self.waited_for.wait(PATIENCE)
            for step in steps:
                step()

        return InThread(run)


@pytest.mark.parametrize("return_when", [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED])
def test_wait_returns_at_once_if_it_need_not_wait(kind: FutureKind, return_when: str) -> None:
    finished, failed, pending, theirs = kind.pending(), kind.pending(), kind.pending(), Future[Any]()
    kind.finish(finished, None)
    kind.fail(failed, SomeError())
    theirs.set_result(None)
    done = {finished, failed, theirs}
    given = [*done, *done] if return_when == ALL_COMPLETED else [*done, pending, pending]
    assert futures.wait(given, NOT_NEEDED, return_when) == (done, set(given) - done)


@pytest.mark.parametrize("return_when", [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED])
def test_wait_returns_what_is_done_when_the_time_is_up(kind: FutureKind, return_when: str) -> None:
    ours, theirs = kind.pending(), Future[Any]()
    assert futures.wait([ours, theirs], 0, return_when) == (set(), {ours, theirs})
    kind.finish(ours, None)
    if return_when != FIRST_COMPLETED:
        assert futures.wait([ours, theirs, ours], 0.001, return_when) == ({ours}, {theirs})


@pytest.mark.parametrize(
    ("return_when", "ends", "expected"),
    [
        (FIRST_COMPLETED, ["finish"], [0]),
        (FIRST_COMPLETED, ["fail"], [0]),
        (FIRST_EXCEPTION, ["finish", "fail"], [0, 1]),
        (ALL_COMPLETED, ["finish", "fail", "finish"], [0, 1, 2]),
    ],
)
def test_wait_is_woken_when_it_has_waited_enough(
    kind: FutureKind, return_when: str, ends: list[str], expected: list[int]
) -> None:
    telling = TellsWhenWaitedFor()
    ours = [kind.pending() for _ in range(3)]
    steps: list[Callable[[], object]] = [
        lambda future=future, how=how: kind.end(future, how)  # type: ignore[misc]
        for future, how in zip(ours, ends, strict=False)
    ]
    if return_when == ALL_COMPLETED:
        steps.insert(1, lambda: telling.set_result(None))
    ender = telling.end_when_waited_for(steps)
    given = {*ours, telling}
    done = {ours[i] for i in expected} | ({telling} if return_when == ALL_COMPLETED else set())
    assert futures.wait(given, PATIENCE, return_when) == (done, given - done)
    ender.outcome()
    assert not any(future._waiters for future in given)


def test_a_cancel_wakes_those_who_wait(our_kind: FutureKind) -> None:
    telling, future = TellsWhenWaitedFor(), our_kind.pending()

    def cancel() -> None:
        assert future.cancel()
        if future._state == "CANCELLED":
            assert not future.set_running_or_notify_cancel()

    ender = telling.end_when_waited_for([cancel])
    assert futures.wait([future, telling], PATIENCE, FIRST_COMPLETED) == ({future}, {telling})
    ender.outcome()


@by_hand
def test_for_wait_a_cancelled_future_is_done_once_its_executor_knows(kind_type: type[MadeByHand]) -> None:
    future = kind_type().pending()
    assert future.cancel()
    assert futures.wait([future], 0) == (set(), {future})
    future.set_running_or_notify_cancel()
    assert futures.wait([future], NOT_NEEDED) == ({future}, set())


def test_as_completed_gives_each_future_once_as_it_ends(kind: FutureKind) -> None:
    first, second, third, theirs = kind.pending(), kind.pending(), kind.pending(), Future[Any]()
    kind.finish(second, None)
    completed = futures.as_completed([first, second, first, theirs, third, second], PATIENCE)
    assert next(completed) is second
    kind.fail(first, SomeError())
    assert next(completed) is first
    theirs.set_result(None)
    assert next(completed) is theirs
    kind.finish(third, None)
    assert next(completed) is third
    assert list(completed) == []
    assert not any(future._waiters for future in (first, second, third, theirs))


def test_as_completed_is_woken(kind: FutureKind) -> None:
    telling, ours = TellsWhenWaitedFor(), kind.pending()
    ender = telling.end_when_waited_for([lambda: kind.finish(ours, None), lambda: telling.set_result(None)])
    assert list(futures.as_completed([telling, ours], PATIENCE)) == [ours, telling]
    ender.outcome()


def test_as_completed_says_how_many_were_not_done_in_time(kind: FutureKind) -> None:
    ours = [kind.pending(), kind.pending()]
    kind.finish(ours[0], None)
    completed = futures.as_completed([*ours, Future[Any]()], 0)
    assert next(completed) is ours[0]
    with pytest.raises(futures.TimeoutError, match=r"2 \(of 3\) futures unfinished"):
        next(completed)


def test_nobody_who_waits_misses_an_end(kind: FutureKind) -> None:
    for how in ["finish", "fail", "finish", "fail"] * 5:
        mixed = [kind.pending(), kind.pending(), Future[Any]()]

        def end_all(mixed: list[Future[Any]] = mixed, how: str = how) -> None:
            kind.end(mixed[0], how)
            mixed[2].set_result(None)
            kind.end(mixed[1], how)

        def gather(mixed: list[Future[Any]] = mixed) -> int:
            return len(list(futures.as_completed(mixed, PATIENCE)))

        def wait(mixed: list[Future[Any]] = mixed) -> int:
            return len(futures.wait(mixed, PATIENCE).done)

        assert all_at_once(wait, end_all, gather, lambda mixed=mixed: said(mixed[0]) is not None) == [3, None, 3, True]


# -- the condition -----------------------------------------------------------------------------------------------


def kept_waiting(thread: threading.Thread) -> bool:
    """Whether `thread` does not get on: one that does would be over by now, or else nothing is found out."""
    thread.join(0.02)
    return thread.is_alive()


# 1. This thread holds the condition.
# 2. Another one begins a transition: it comes to the condition, and is kept waiting there.
# 3. Nothing of the transition is to be seen, and no callback has run.
# 4. This thread lets go of the condition, and the transition takes place.
@pytest.mark.parametrize("how", ["finish", "fail", "cancel", "run"])
def test_there_is_no_transition_while_somebody_holds_the_condition(kind: FutureKind, how: str) -> None:
    calls: list[Future[Any]] = []
    future = kind.pending()
    future.add_done_callback(calls.append)
    with future._condition:
        other = InThread(kind.end, future, how) if how != "run" else InThread(future.set_running_or_notify_cancel)
        waits = kept_waiting(other)
        state, called = future._state, calls.copy()
    other.outcome()
    assert waits, "the transition did not care"
    assert (state, called) == ("PENDING", [])
    assert (future.running(), future.done()) == (how == "run", how != "run")


# The same for the last step of a cancelled future. `wait` counts those futures twice that are not done, holding their
# conditions: were there a transition in between, it would return before all is done.
@by_hand
def test_a_cancel_is_not_made_known_while_somebody_holds_the_condition(kind_type: type[MadeByHand]) -> None:
    future = kind_type().pending()
    assert future.cancel()
    with future._condition:
        other = InThread(future.set_running_or_notify_cancel)
        waits = kept_waiting(other)
        state = future._state
    assert other.outcome() is False
    assert waits
    assert state == "CANCELLED"
    assert future._state == "CANCELLED_AND_NOTIFIED"


@every_end
def test_whoever_waits_on_the_condition_is_notified(kind: FutureKind, how: str) -> None:
    future = kind.pending()
    with future._condition:
        ender = InThread(kind.end, future, how)
        assert future._condition.wait(PATIENCE), "not notified"
        assert future.done()
    ender.outcome()


@pytest.mark.parametrize("notify", ["notify", "notify_all"])
def test_the_condition_is_a_condition(kind: FutureKind, notify: str) -> None:
    condition, waiting = kind.pending()._condition, threading.Event()

    def wait() -> bool:
        with condition:
            waiting.set()
            return condition.wait(PATIENCE)

    with condition:
        assert condition.wait(0.001) is False
        assert condition.wait_for(lambda: "true", 0) == "true"
    sleeper = InThread(wait)
    assert waiting.wait(PATIENCE)
    with condition:
        getattr(condition, notify)()
    assert sleeper.outcome() is True


def test_whoever_holds_the_condition_may_end_the_future(kind: FutureKind) -> None:
    future = kind.pending()
    with future._condition, future._condition:
        kind.finish(future, "result")
        assert future.result() == "result"


def test_a_future_has_one_condition_and_one_set_of_waiters(kind: FutureKind) -> None:
    for _ in range(20):
        future = kind.pending()
        conditions = all_at_once(*[lambda future=future: future._condition] * 4)
        assert all(condition is future._condition for condition in conditions)
        assert list(future._waiters) == []
        future._waiters.append("somebody")
        assert list(future._waiters) == ["somebody"]
        future._waiters.remove("somebody")
        assert list(future._waiters) == []


# 1. This thread holds the condition. 2. Another one cancels: it is kept waiting. 3. This one has the future run.
# 4. The other goes on: it is too late.
def test_a_cancel_that_waited_for_the_condition_comes_too_late_for_what_runs_meanwhile() -> None:
    future = MadeByHand().pending()
    with future._condition:
        other = InThread(future.cancel)
        waits = kept_waiting(other)
        assert future.set_running_or_notify_cancel() is True
    assert other.outcome() is False
    assert waits
    assert future.running()
    future.set_result("result")
    assert future.result(0) == "result"


def test_what_is_held_twice_is_held_twice_after_waiting(kind: FutureKind) -> None:
    condition: Any = kind.pending()._condition
    with condition, condition:
        assert condition.wait(0.001) is False
        condition.release()
        others = InThread(condition.acquire, False).outcome()
        condition.acquire()
    assert others is False
    with pytest.raises(RuntimeError):
        condition.release()


def test_a_cancel_of_a_polled_one_that_waited_for_the_condition_comes_too_late_for_its_result() -> None:
    table = new_table(_core.FullListTable)
    future = table.adopt(table, "a")
    (task,) = table.take_all()
    with future._condition:
        other = InThread(future.cancel)
        waits = kept_waiting(other)
        task.yield_result("result")
    assert other.outcome() is False
    assert waits
    assert future.result(0) == "result"


def test_what_is_done_is_so_for_all_whoever_holds_the_condition() -> None:
    future = MadeByHand().pending()
    future.set_result("result")
    with future._condition:
        with pytest.raises(InvalidStateError):
            InThread(future.set_result, "another").outcome()
        assert InThread(future.cancel).outcome() is False
