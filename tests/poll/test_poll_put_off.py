"""Polled tasks that are put off: by `poll_after`, and by calls that failed or were in vain."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from paced_support import NotedPolicy, NotedPoll, PacedClock, clock_fixture, failing, in_both_modes, new_table, paced
from paced_support import poll_fixture as poll_fixture_of
from support import HeardLogger, Thing

from more_executors import _core
from more_executors.backoff import Backoff

clock = clock_fixture()
poll = poll_fixture_of()

every_table = pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])


def handed_out(table: Any, clock: PacedClock, everything: bool = False) -> list[Any]:
    """The tasks that are due."""
    if isinstance(table, _core.FullListTable):
        return table.take_all(everything)  # type: ignore[no-any-return]
    if everything:
        table.make_all_due()
    return table.take_due(_core.monotonic(), 10, _core.monotonic())[0]  # type: ignore[no-any-return]


@every_table
@pytest.mark.parametrize(("by_hand", "in_vain"), [(5.0, 50.0), (50.0, 5.0)])
def test_the_longer_of_two_pauses_holds(kind: Any, by_hand: float, in_vain: float, clock: PacedClock) -> None:
    table = new_table(kind)
    table.adopt(Thing(), "a")
    tasks = handed_out(table, clock)
    tasks[0].poll_after(by_hand)
    table.postpone(tasks, in_vain)
    clock.leap(49)
    assert handed_out(table, clock) == []
    clock.leap(1)
    assert handed_out(table, clock) == tasks
    table.cancel_all()


@every_table
def test_what_was_put_off_is_handed_out_when_everything_is_asked_for(kind: Any, clock: PacedClock) -> None:
    table = new_table(kind)
    table.adopt_many(Thing(), ["a", "b"])
    tasks = handed_out(table, clock)
    table.reschedule(tasks, _core.monotonic(), 100.0, 100.0)
    tasks[0].poll_after(200)
    assert {task.result for task in handed_out(table, clock, everything=True)} == {"a", "b"}
    table.cancel_all()


def test_nothing_is_due_any_more_when_what_was_put_off_has_been_handed_out(clock: PacedClock) -> None:
    table = new_table(_core.FullListTable)
    table.adopt_many(Thing(), ["a", "b"])
    tasks = handed_out(table, clock)
    tasks[0].poll_after(5)
    clock.leap(5)
    assert handed_out(table, clock) == tasks
    assert table.next_due() == inf
    table.cancel_all()


@every_table
def test_a_last_look_in_a_call_that_was_in_vain_ends_with_the_next_that_is_not(kind: Any, clock: PacedClock) -> None:
    late: list[Any] = []
    table = new_table(kind, timeout=1.0, last_look=100.0, too_late=lambda results, executor: late.append(results))
    future = table.adopt(Thing(), "a")
    clock.leap(1)
    assert table.fail_late()[0] == []
    for _ in range(3):
        tasks = handed_out(table, clock)
        assert len(tasks) == 1
        table.postpone(tasks, 0.0, True)
        assert not future.done()
    table.reschedule(handed_out(table, clock), _core.monotonic(), 1.0, 1.0)
    assert isinstance(future.exception(0), TimeoutError)
    assert late == [["a"]]


def test_a_call_that_was_in_vain_is_no_step_of_the_back_off(clock: PacedClock) -> None:
    table = new_table(schedule=Backoff(1.0, jitter=0))
    table.adopt(Thing(), "a")
    for _ in range(3):
        table.postpone(handed_out(table, clock), 0.0, True)
    table.reschedule(handed_out(table, clock), _core.monotonic(), -1.0, 100.0)
    assert table.next_due() == _core.monotonic() + 1
    clock.leap(1)
    table.postpone(handed_out(table, clock), 0.0)
    table.reschedule(handed_out(table, clock), _core.monotonic(), -1.0, 100.0)
    assert table.next_due() == _core.monotonic() + 4, "one that failed is"
    table.cancel_all()


@in_both_modes
def test_what_is_to_be_tried_again_at_once_does_not_wait_for_the_interval(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    with paced(
        poll, default_interval=1000, retry_policy=NotedPolicy(seconds=0), logger=HeardLogger(), **mode
    ) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1)
        executor.adopt("a")
        clock.run()
        assert poll.times("a") == [0, 0]
