"""Bursts of joins coalesce without any option, while a task that joins alone is polled at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, in_both_modes, paced, poll_fixture
from support import DuckDelegate, HeardLogger

from more_executors import PollDescriptor, PollExecutor
from more_executors.poll._bursts import NOTED, Bursts

clock = clock_fixture()
poll = poll_fixture()

SECOND = 1.0  # that each call takes
PAUSE = 9.0  # after it, while a burst goes on
QUIET = 0.5
DEFAULT: dict[str, Any] = {"min_interval": None, "default_interval": 60.0}


class Joins:
    """Has tasks join one after the other, also while a call goes on, which takes a second."""

    def __init__(self, clock: PacedClock, poll: NotedPoll, join: Callable[[int], object], every: float = 0.125) -> None:
        self.joined: dict[int, float] = {}
        self.until = inf  # when the last one joins
        self._clock, self._poll, self._join, self._every = clock, poll, join, every
        self._ids = count()
        clock.settle()
        poll.does = self._call

    def _call(self, descriptors: list[PollDescriptor[Any, Any]]) -> object:
        until = self._clock.now + SECOND
        while self._clock.now + self._every <= until:
            self._clock.leap(self._every)
            self.join()
        self._clock.leap(until - self._clock.now)
        return inf

    def join(self) -> None:
        if self._clock.now <= self.until:
            number = next(self._ids)
            self.joined[number] = self._clock.now
            self._join(number)

    def run(self, until: float) -> None:
        while self._clock.now < until:
            self._clock.settle()
            self.join()
            self._clock.run(self._every)


@in_both_modes
def test_while_joins_keep_coming_polling_takes_a_tenth_of_the_time(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    with paced(poll, **(DEFAULT | mode)) as executor:
        joins = Joins(clock, poll, executor.adopt)
        joins.run(120.0)
        assert 10 <= len(poll.calls) <= 14
        joins.until = clock.now
        clock.run(30)
        assert all(when <= poll.times(number)[0] <= when + 10 * SECOND for number, when in joins.joined.items())


def test_a_task_that_joins_alone_is_polled_at_once(clock: PacedClock, poll: NotedPoll) -> None:
    def does(descriptors: list[PollDescriptor[Any, Any]]) -> object:
        clock.leap(SECOND)
        for descriptor in descriptors:
            descriptor.yield_result()
        return inf

    with paced(poll, **DEFAULT | {"batch_size": None}) as executor:
        clock.settle()
        poll.does = does
        for number in range(1, 10):
            future = executor.submit(int, number)
            clock.run()
            assert future.done()
            assert clock.now == number * SECOND
            assert poll.times(number) == [(number - 1) * SECOND]


@in_both_modes
def test_the_last_of_a_burst_wait_half_as_long_as_a_poll_takes(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    def does(descriptors: list[PollDescriptor[Any, Any]]) -> object:
        for number in range(10 * len(poll.calls), 10 * len(poll.calls) + 3):
            clock.leap(last[len(poll.calls)] / 3)
            executor.adopt(number)
        clock.leap(SECOND - last[len(poll.calls)])
        poll.does = lambda descriptors: clock.leap(SECOND)
        return inf

    last = {1: 0.75, 2: 0.25}
    with paced(poll, **(DEFAULT | {"default_interval": 2.0} | mode)) as executor:
        clock.run(20)
        poll.calls.clear()
        poll.does = does
        executor.adopt("first")
        clock.run()
        began = poll.times("first")[0]
        clock.run(0.25 - 1e-6)
        assert poll.times(12) == []
        clock.run(1e-6)
        assert poll.times(12) == [pytest.approx(began + 0.75 + QUIET)]


def test_the_end_of_a_burst_of_many_is_found_out_within_a_poll(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, **DEFAULT | {"batch_size": None}) as executor:
        joins = Joins(clock, poll, executor.adopt, every=1 / 256)
        clock.run(5.25)
        joins.until = clock.now + 1
        joins.run(clock.now + 1)
        last = len(joins.joined) - 1
        assert last > 2 * NOTED
        clock.run(SECOND)
        assert joins.joined[last] + QUIET <= poll.times(last)[0] <= joins.joined[last] + SECOND


@in_both_modes
def test_while_others_are_with_the_delegate_also_the_first_waits(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    delegate = DuckDelegate()
    options = {"batch_size": 100, "default_interval": 20.0} | mode
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, poll, **options)
    try:
        clock.run(5)
        poll.does = lambda descriptors: clock.leap(SECOND) or inf
        futures = [executor.submit(int) for _ in range(4)]
        executor.adopt("a")
        clock.run()
        ended = poll.times("a")[-1] + SECOND
        delegate.given[0].end("b")
        clock.run(PAUSE - 0.5)
        assert poll.times("b") == []
        clock.run(0.5)
        assert poll.times("b") == [ended + PAUSE]
        ended += PAUSE + SECOND
        clock.run(2)
        delegate.given[1].end("c")
        clock.run(1)
        assert poll.times("c") == []
        delegate.given[2].end("d")
        delegate.given[3].end(error=ValueError())  # nothing is with the delegate, and that nothing joined
        clock.run(0.5)
        assert ended + 3 <= poll.times("c")[0] <= ended + 3 + QUIET
        assert poll.times("d") == poll.times("c")
        assert isinstance(futures[3].exception(0), ValueError)
    finally:
        for given in delegate.given:
            given.end("over")
        executor.shutdown(cancel_futures=True)


@in_both_modes
def test_notify_and_what_is_due_wait_for_nothing(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **(DEFAULT | mode)) as executor:
        joins = Joins(clock, poll, executor.adopt)
        joins.run(5.0)
        calls = len(poll.calls)
        executor.notify()
        clock.settle()
        assert len(poll.calls) == calls + 1
        due = clock.now + 3.0
        poll.descriptors[0].poll_after(3.0)
        joins.run(due + SECOND)
        assert len(poll.calls) == calls + 2
        assert poll.times(0)[-1] == due


def test_a_delay_that_the_poll_function_returned_is_kept(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, **DEFAULT | {"batch_size": None}) as executor:
        joins = Joins(clock, poll, executor.adopt)
        whatever = poll.does
        poll.does = lambda descriptors: (whatever(descriptors), 2.0)[1]
        joins.run(30.0)
        assert [when for when, _ in poll.calls][1:] == [3.0 * number for number in range(11)]


def test_they_wait_for_the_default_interval_at_most(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, **DEFAULT | {"batch_size": None, "default_interval": 2.0}) as executor:
        joins = Joins(clock, poll, executor.adopt)
        joins.run(30.0)
        assert [when for when, _ in poll.calls][1:] == [3.0 * number for number in range(11)]


@in_both_modes
def test_with_a_min_interval_that_alone_counts(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **(DEFAULT | {"min_interval": 1.5} | mode)) as executor:
        joins = Joins(clock, poll, executor.adopt)
        joins.run(30.0)
        assert len(poll.calls) == pytest.approx(30 / 1.5, abs=1)


@in_both_modes
def test_while_they_wait_what_joins_wakes_nobody(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **(DEFAULT | mode)) as executor:
        joins = Joins(clock, poll, executor.adopt, every=1 / 64)
        joins.run(5.0)
        sleeps, joined = clock.sleeps, len(joins.joined)
        joins.run(8.0)
        assert len(joins.joined) > joined + 150
        assert clock.sleeps <= sleeps + 3.0 / QUIET + 2


def test_a_deadline_has_its_last_look_while_what_joins_waits(clock: PacedClock, poll: NotedPoll) -> None:
    def join(descriptors: list[PollDescriptor[Any, Any]]) -> float:
        clock.leap(20.0)
        if not futures:
            futures.extend([*executor.adopt_many([1, 2]), executor.adopt("late", timeout=3.0)])
        return inf

    options = {"default_interval": 600.0, "schedule": None, "logger": HeardLogger()}
    futures: list[Any] = []
    poll.does = join
    with paced(poll, **(DEFAULT | options)) as executor:
        executor.adopt(0)
        clock.run()
        clock.run(2.0)
        assert len(poll.calls) == 1
        clock.run(1.0)
        assert poll.times("late") == [pytest.approx(23.0)]
        assert isinstance(futures[-1].exception(0), TimeoutError)


class Figures(SimpleNamespace):
    """Stands in for the table, and for who calls."""

    joins = with_delegate = 0
    last_noted = last_ended = -inf
    are_going_on = False

    def begin_to_count(self, noted: int) -> int:
        return self.joins


def bursts(longest: float = inf) -> tuple[Any, Bursts]:
    figures: Any = Figures()
    return figures, Bursts(figures, figures, longest)


def test_a_call_that_goes_on_takes_as_long_as_it_has_so_far() -> None:
    figures, waits = bursts(longest=30.0)
    waits.poll_begins()
    figures.are_going_on = True
    figures.joins, figures.last_noted = 1, 2.0
    assert waits.wait(2.0, 0.0) == 0.0
    figures.joins = 2
    assert waits.wait(2.0, 0.0) == 1.0
    assert waits.wait(4.0, 0.0) == 0.0
    figures.with_delegate = 1
    assert waits.wait(4.0, 0.0) == 2.0
    assert waits.wait(29.0, 0.0) == 1.0
    assert waits.wait(30.0, 0.0) == 0.0


def test_a_poll_that_took_no_time_has_nothing_wait() -> None:
    figures, waits = bursts()
    waits.poll_begins()
    figures.joins, figures.last_noted, figures.last_ended = 2, 5.0, 5.0
    assert waits.wait(5.0, 5.0) == 0.0
    figures.last_ended = 5.0001
    assert waits.wait(5.0001, 5.0) == pytest.approx(0.0004)
    figures.with_delegate = 3
    assert waits.wait(5.0001, 5.0) == pytest.approx(0.0005)
    assert waits.wait(5.001, 5.0) == 0.0


def test_when_the_last_of_many_joined_is_found_out_by_looking() -> None:
    figures, waits = bursts()
    figures.last_ended = 10.0
    figures.joins = NOTED + 1
    assert waits.has_joined
    assert waits.wait(10.0, 0.0) == 5.0
    assert waits.wait(12.0, 0.0) == 3.0
    figures.joins += 1
    assert waits.wait(13.0, 0.0) == 5.0
    assert waits.wait(18.0, 0.0) == 0.0
    waits.poll_begins()
    assert not waits.has_joined
