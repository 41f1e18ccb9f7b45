"""Joining, leaving, handing out and dropping a group at the same time: each schedule is forced."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from math import inf
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, new_table, paced, poll_fixture
from support import DuckDelegate, InThread, Parking, SomeError, Thing

from more_executors import _core

clock = clock_fixture()
poll = poll_fixture()


def counts(table: Any) -> tuple[int, int, int, int]:
    return len(table), table.polling, table.in_calls, table.due(1e12)


class JournalWriter:
    """A journal's recorder that does `on_joined(key, result)` when a task joins, and notes who has ended."""

    first_key = 1

    def __init__(self, on_joined: Any) -> None:
        self.joined = on_joined
        self.over: list[int] = []

    def ended(self, key: int) -> None:
        self.over.append(key)


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
def test_a_task_that_is_cancelled_while_it_joins_does_not_join(kind: Any) -> None:
    # 1. The delegate is done; the task is being recorded. 2. It is cancelled. 3. It goes on to join.
    futures: list[Any] = []
    recorder = JournalWriter(lambda key, result: futures[0].cancel())
    table, owner, delegate = new_table(kind, recorder=recorder), Thing(), DuckDelegate()
    futures.append(table.submit(owner, delegate, print, (), {}))
    delegate.given[0].agrees_to_cancel = True
    delegate.given[0].end("a")
    assert futures[0].cancelled()
    assert (len(table), table.polling) == (0, 0)
    assert recorder.over == [1]
    if kind is _core.FullListTable:
        assert table.take_all() == []
    else:
        assert table.take_due(1e12, 10, 0.0) == ([], -1.0)
        assert counts(table) == (0, 0, 0, 0)


def test_a_task_that_is_cancelled_while_its_group_is_looked_for_does_not_join() -> None:
    futures: list[Any] = []

    def key(result: str) -> str:
        futures[-1].cancel()
        return result

    table, owner, delegate = new_table(group_by=key), Thing(), DuckDelegate()
    for i in range(100):
        futures.append(table.submit(owner, delegate, print, (), {}))
        delegate.given[i].agrees_to_cancel = True
        delegate.given[i].end(f"group {i}")
        assert futures[i].cancelled()
    assert counts(table) == (0, 0, 0, 0)
    table.drop_empty_groups()
    assert table.next_due() == inf


class HoldsUp:
    """Somebody who waits for a future, and holds up who ends it."""

    def __init__(self) -> None:
        self.parking = Parking()

    def add_result(self, future: Any) -> None:
        self.parking(future)

    add_cancelled = add_exception = add_result


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
def test_a_task_whose_future_is_done_is_not_handed_out_although_it_is_still_there(kind: Any) -> None:
    # 1. A thread cancels the future, and is held up by somebody who waits for it. 2. The future is cancelled: it is not
    # to be handed out. 3. The thread goes on: the task leaves.
    table, owner = new_table(kind), Thing()
    futures = table.adopt_many(owner, ["a", "b"])
    waiting = HoldsUp()
    with futures[0]._condition:
        futures[0]._waiters.append(waiting)
    cancelling = InThread(futures[0].cancel)
    waiting.parking.wait_for_one()
    assert futures[0].cancelled()
    paced_table = kind is _core.DueTable
    handed_out = table.take_due(1e12, 10, 0.0)[0] if paced_table else table.take_all()
    assert [descriptor.result for descriptor in handed_out] == ["b"]
    waiting.parking.let_go()
    assert cancelling.outcome() is True
    if paced_table:
        table.reschedule(handed_out, 0.0, 1.0, 1.0)
        assert counts(table) == (1, 1, 0, 1)
    table.cancel_all()
    waiting.parking.calls.clear()


def test_a_call_with_nothing_but_tasks_that_are_done_is_not_made() -> None:
    table, owner = new_table(), Thing()
    future = table.adopt(owner, "a")
    waiting = HoldsUp()
    with future._condition:
        future._waiters.append(waiting)
    cancelling = InThread(future.cancel)
    waiting.parking.wait_for_one()
    assert table.take_due(1e12, 10, 0.0)[0] == []
    waiting.parking.let_go()
    assert cancelling.outcome() is True
    assert counts(table) == (0, 0, 0, 0)
    waiting.parking.calls.clear()


def test_what_ended_in_its_call_does_not_come_back() -> None:
    table, owner = new_table(), Thing()
    table.adopt_many(owner, ["a", "b", "c"])
    tasks, _ = table.take_due(1e12, 10, 0.0)
    tasks[0].yield_result()
    tasks[1].yield_exception(SomeError())
    assert counts(table) == (1, 1, 1, 0)
    table.reschedule(tasks, 0.0, 0.0, 0.0)
    table.reschedule(tasks, 0.0, 0.0, 0.0)
    table.postpone(tasks, 0.0)
    assert counts(table) == (1, 1, 0, 1)
    table.cancel_all()
    assert counts(table) == (0, 0, 0, 0)


class Key:
    """A key whose hash holds up who asks for it, and whose comparison may fail."""

    held: Parking | None = None
    failing = False

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        if self.held is not None:
            self.held()
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        if self.failing:
            raise SomeError
        return self is other


def test_a_task_can_join_a_group_that_is_just_being_dropped() -> None:
    # 1. A hundred groups are over. 2. They are being dropped, and the hash of the first's key holds that up. 3. A task
    # joins another one of them. 4. The dropping goes on: the group of that task stays.
    table, owner, key = new_table(group_by=lambda result: result), Thing(), Key(-7)
    for future in table.adopt_many(owner, [key, *range(100)]):
        future.cancel()
    key.held = Parking(1)
    dropping = InThread(table.drop_empty_groups)
    key.held.wait_for_one()
    table.adopt(owner, 50)
    key.held.let_go()
    dropping.outcome()
    again = table.adopt(owner, 50)
    assert counts(table) == (2, 2, 0, 2)
    handed_out = [table.take_due(1e12, 10, 0.0)[0] for _ in range(2)]
    assert [descriptor.result for some in handed_out for descriptor in some] == [50, 50]
    assert again.cancel()
    table.cancel_all()


def test_a_key_that_cannot_be_compared_does_not_keep_others_from_joining() -> None:
    table, owner = new_table(group_by=lambda result: result), Thing()
    keys = [Key(7), Key(7)]
    for future in table.adopt_many(owner, [*range(100), *keys]):
        future.cancel()
    for key in keys:
        key.failing = True
    with contextlib.suppress(SomeError):
        table.drop_empty_groups()
    futures = table.adopt_many(owner, list(range(100)))
    assert counts(table) == (100, 100, 0, 100)
    assert all(future.cancel() for future in futures)


def test_who_joins_just_when_the_minimum_interval_ends_is_polled(
    clock: PacedClock, poll: NotedPoll, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. A round has begun at 0; the next may at 1. 2. A thread that makes a task join has looked at the clock. 3. Time
    # passes: the executor wakes at 1, finds nothing, and sleeps. 4. The thread goes on: the task is polled.
    with paced(poll, min_interval=1.0, default_interval=inf) as executor:
        executor.adopt("first")
        clock.run(0.5)
        read, looked = _core.monotonic, threading.Event()

        def slow_clock() -> float:
            now = read()
            if threading.current_thread() is joining and not looked.is_set():
                looked.set()
                clock.run(2)
            return now

        started = threading.Event()
        joining = InThread(lambda: started.wait(10) and executor.adopt("late").done())
        monkeypatch.setattr(_core, "monotonic", slow_clock)
        started.set()
        joining.outcome()
        assert looked.is_set()
        clock.run(5)
        assert poll.times("late") == [2.5]


def test_many_threads_join_and_leave_groups_that_come_and_go() -> None:
    table, owner = new_table(group_by=lambda result: result % 40), Thing()
    over = threading.Event()

    def churn(start: int) -> None:
        for i in range(start, start + 600):
            future: Future[Any] = table.adopt(owner, i)
            future.cancel()

    def take_all() -> int:
        handed_out = 0
        while not over.is_set():
            table.drop_empty_groups()
            tasks, _ = table.take_due(1e12, 3, 0.0)
            handed_out += len(tasks)
            table.reschedule(tasks, 0.0, 0.0, 0.0)
        return handed_out

    poller = InThread(take_all)
    for thread in [InThread(churn, 1000 * i) for i in range(3)]:
        thread.outcome()
    over.set()
    poller.outcome()
    assert counts(table) == (0, 0, 0, 0)
