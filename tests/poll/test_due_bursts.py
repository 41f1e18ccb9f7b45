"""Bursts: what joins within the minimum interval is polled together, and notify waits for nothing."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, in_both_modes, paced, poll_fixture

from more_executors import PollDescriptor, PollExecutor, SyncExecutor

clock = clock_fixture()
poll = poll_fixture()

CONTRACT: dict[str, Any] = {"batch_size": None, "min_interval": None}


def burst(clock: PacedClock, executor: PollExecutor[Any, Any], submits: int, seconds: float) -> None:
    for i in range(submits):
        clock.run(seconds / submits)
        executor.submit(int, i)
    clock.run()


@in_both_modes
def test_thousands_of_submits_make_a_handful_of_calls(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, default_interval=5.0, min_interval=1.0, **mode) as executor:
        burst(clock, executor, 4000, 5.0)
        clock.run(1)
        assert 5 <= len([results for _, results in poll.calls if results]) <= 8
        assert {result for _, results in poll.calls for result in results} == set(range(4000))
        assert sum(len(results) for _, results in poll.calls) <= 4000 * 7


@in_both_modes
def test_rounds_begin_at_least_the_minimum_interval_apart(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    with paced(poll, default_interval=60.0, min_interval=2.0, **mode) as executor:
        executor.adopt("first")
        clock.run(0.03125)
        burst(clock, executor, 64, 8.0)
        clock.run(2)
        times = [when for when, results in poll.calls if results]
        assert times == [0, 2, 4, 6, 8, 10] or times == [2, 4, 6, 8, 10]
        clock.run(6.96875)
        executor.adopt("late")
        clock.run()
        assert poll.times("late") == [17]


@in_both_modes
def test_notify_polls_at_once_within_the_minimum_interval(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    with paced(poll, default_interval=60.0, min_interval=10.0, **mode) as executor:
        executor.adopt("a")
        clock.run(11)
        executor.adopt("b")
        clock.run(1)
        before = len(poll.calls)

        def notify_twice(descriptors: list[PollDescriptor[Any, Any]]) -> None:
            poll.does = lambda descriptors: None
            executor.notify()
            executor.notify()

        poll.does = notify_twice
        executor.notify()
        clock.run()
        assert [(when, sorted(results)) for when, results in poll.calls[before:]] == [(12, ["a", "b"])] * 2
        executor.adopt("c")
        clock.run(9.5)
        assert not poll.times("c")
        clock.run(0.5)
        assert poll.times("c") == [22]


@in_both_modes
def test_the_minimum_interval_holds_up_what_is_due_again_sooner(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    poll.does = lambda descriptors: 0.5
    with paced(poll, min_interval=2.0, **mode) as executor:
        executor.adopt("a")
        clock.run(8)
        assert poll.times("a")[-4:] == [2, 4, 6, 8]


def test_by_default_the_whole_list_is_polled_for_each_that_joins(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, **CONTRACT) as executor:
        burst(clock, executor, 10, 1.0)
        assert [len(results) for _, results in poll.calls] == list(range(11))


def test_a_round_goes_on_whatever_joins_meanwhile(clock: PacedClock, poll: NotedPoll) -> None:
    # Each call makes a task join. It waits for the next round, and so does not go before, or between, what was due.
    def does(descriptors: list[Any]) -> object:
        clock.leap(0.01)
        if len(poll.calls) <= 10:
            executor.adopt(f"new {len(poll.calls)}")
        return inf

    with paced(poll, batch_size=10, min_interval=1.0) as executor:
        executor.adopt_many(range(100))
        clock.run()
        clock.run(0.5)
        poll.calls.clear()
        poll.does = does
        executor.notify()
        clock.run(3)
        assert [len(results) for _, results in poll.calls][:11] == [10] * 11
        assert all(isinstance(result, int) for _, results in poll.calls[:10] for result in results)
        assert poll.calls[10][0] == poll.calls[0][0] + 1.0


@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (nan, ValueError), ("1", TypeError), ([], TypeError)])
def test_what_is_no_interval_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="min_interval must be"):
        PollExecutor(SyncExecutor(), print, min_interval=value)


def test_what_joins_a_whole_list_in_the_minimum_interval_wakes_nobody(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=None, min_interval=10) as executor:
        clock.run(10)
        executor.adopt(0)
        clock.run()
        executor.adopt(1)
        clock.run(1)
        sleeps = clock.sleeps
        for result in range(2, 100):
            executor.adopt(result)
            clock.run()
        assert clock.sleeps == sleeps
        clock.run(9)
        assert all(poll.times(result) == [20] for result in range(1, 100))
