"""When the tables of polled tasks wake the thread that polls: not in vain, and not too late."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from paced_support import new_table
from support import Thing

from more_executors import _core
from more_executors.backoff import Backoff

TABLES = [_core.FullListTable, _core.DueTable]
every_table = pytest.mark.parametrize("kind", TABLES)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(_core, "monotonic", lambda: self.now)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def wakes(table: Any) -> bool:
    """Whether the thread has been woken since this was asked."""
    return table.waker.wait(0)  # type: ignore[no-any-return]


@every_table
def test_a_request_is_told_once_and_joins_are_counted(kind: Any) -> None:
    table = new_table(kind)
    assert (table.take_request(), table.joins) == (False, 0)
    table.adopt(Thing(), "a")
    assert (table.take_request(), table.joins) == (False, 1)
    table.request_poll_all()
    assert (table.take_request(), table.joins) == (True, 1)
    assert (table.take_request(), table.joins) == (False, 1)
    table.cancel_all()


@pytest.mark.parametrize("aside", [False, True])
@every_table
def test_the_times_are_noted_of_so_many_joins_as_was_said(kind: Any, clock: Clock, aside: bool) -> None:
    table, owner = new_table(kind), Thing()
    if kind is _core.DueTable:
        table.sets_aside = aside
    noted = []
    for _ in range(2):
        before = table.joins
        assert table.begin_to_count(2) == before
        for _ in range(3):
            clock.now += 1
            table.adopt(owner, "a")
            noted.append(table.last_noted)
        assert table.joins == before + 3
    assert noted == [1001, 1002, 1002, 1004, 1005, 1005]
    table.cancel_all()


@every_table
def test_what_joins_wakes_nobody_while_joins_coalesce(kind: Any) -> None:
    table, owner = new_table(kind), Thing()
    table.adopt(owner, "a")
    assert wakes(table)
    table.coalescing = True
    table.adopt(owner, "b")
    assert not wakes(table)
    assert table.joins == 2
    table.coalescing = False
    table.adopt(owner, "c")
    assert wakes(table)
    table.cancel_all()


@every_table
def test_a_deadline_before_all_others_wakes_also_while_joins_coalesce(kind: Any, clock: Clock) -> None:
    table, owner = new_table(kind, timeout=60.0), Thing()
    table.coalescing = True
    table.adopt(owner, "a")
    assert wakes(table)
    table.adopt(owner, "b")
    assert not wakes(table)
    table.adopt(owner, "c", timeout=5.0)
    assert wakes(table)
    assert table.fail_late() == ([], clock.now + 5)
    table.cancel_all()


class ClosesWhenTold:
    """A recorder that ends the future that it is told of, and closes the table: that wakes the thread too early."""

    first_key = 1

    def __init__(self) -> None:
        self.table: Any = None
        self.woken: list[bool] = []

    def joined(self, key: int, value: Any) -> None:
        (future,) = self.table.futures()
        future.set_result(None)
        self.table.close("closed")
        self.woken += [wakes(self.table), wakes(self.table), self.table.recording == 1]

    def ended(self, key: int) -> None:
        """It is all the same."""


@every_table
def test_the_end_of_telling_wakes_when_the_table_is_closed(kind: Any) -> None:
    recorder = ClosesWhenTold()
    recorder.table = table = new_table(kind, recorder=recorder)
    future = table.adopt(Thing(), "a")
    assert future.done()
    assert recorder.woken == [True, False, True]
    assert table.recording == 0
    assert wakes(table)


@every_table
def test_the_end_of_a_last_look_wakes_when_the_table_is_closed(kind: Any, clock: Clock) -> None:
    woken: list[Any] = []

    def too_late(results: list[Any], executor: object) -> None:
        table.close("closed")
        woken.extend([results, wakes(table), table.reporting])

    table: Any = new_table(kind, timeout=1.0, last_look=5.0, too_late=too_late)
    table.adopt(Thing(), "a")
    clock.now += 1
    assert table.fail_late()[0] == []
    tasks = table.take_all() if kind is _core.FullListTable else table.take_due(clock.now, 10, clock.now)[0]
    assert [task.result for task in tasks] == ["a"]
    wakes(table)
    table.reschedule(tasks, clock.now, 1.0, 1.0)
    assert woken == [["a"], True, 1]
    assert table.reporting == 0
    assert wakes(table)


@every_table
def test_poll_after_wakes(kind: Any) -> None:
    table = new_table(kind)
    table.adopt(Thing(), "a")
    tasks = table.take_all() if kind is _core.FullListTable else table.take_due(inf, 10, 0.0)[0]
    wakes(table)
    tasks[0].poll_after(3)
    assert wakes(table)
    table.cancel_all()


def test_a_back_off_that_begins_anew_wakes(clock: Clock) -> None:
    table = new_table(schedule=Backoff(10.0, jitter=0))
    table.adopt(Thing(), "a")
    tasks, _ = table.take_due(inf, 10, 0.0)
    table.reschedule(tasks, clock.now, 100.0, 100.0)
    wakes(table)
    tasks[0].restart_backoff()
    assert wakes(table)
    assert table.next_due() == clock.now + 10
    table.cancel_all()
