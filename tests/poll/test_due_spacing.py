"""How far apart rounds begin where `min_interval` is not given: a service that everybody shares is asked seldom."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest
from paced_support import NotedPolicy, NotedPoll, PacedClock, clock_fixture, failing, paced, poll_fixture
from support import HeardLogger

from more_executors import Backoff, _core
from more_executors.rate_limit import Throttled

clock = clock_fixture()
poll = poll_fixture()

DEFAULT: dict[str, Any] = {"min_interval": None}
A_LITTLE = 1e-6


@pytest.mark.parametrize("batch_size", [100, 1000])
def test_jobs_that_are_started_one_after_the_other_take_a_handful_of_calls(
    clock: PacedClock, poll: NotedPoll, batch_size: int
) -> None:
    with paced(poll, default_interval=15.0, batch_size=batch_size, **DEFAULT) as executor:
        joined: list[float] = []
        for number in range(150):
            executor.adopt(number)
            joined.append(clock.now)
            clock.run(0.2)
        assert 2 <= len(poll.calls) <= 12
        clock.run(30)
        assert 2 <= len([when for when, _ in poll.calls if 30 < when <= 60]) <= 12
        for number in range(150):
            times = poll.times(number)
            assert joined[number] <= times[0] <= joined[number] + 3 + A_LITTLE
            assert all(15 - A_LITTLE <= later - earlier <= 18 + A_LITTLE for earlier, later in pairwise(times))
            assert times[-1] >= clock.now - 18 - A_LITTLE


@pytest.mark.parametrize(("interval", "between"), [(1.0, 0.2), (5.0, 1.0), (15.0, 3.0), (500.0, 5.0), (inf, 5.0)])
def test_what_joins_waits_for_a_fifth_of_the_interval_at_most_five_seconds(
    clock: PacedClock, poll: NotedPoll, interval: float, between: float
) -> None:
    poll.does = lambda descriptors: inf
    with paced(poll, default_interval=interval, **DEFAULT) as executor:
        executor.adopt("a")
        clock.run()
        executor.adopt("b")
        clock.run(between - A_LITTLE)
        assert poll.times("b") == []
        clock.run(A_LITTLE)
        assert (poll.times("a"), poll.times("b")) == ([0], [pytest.approx(between)])


@pytest.mark.parametrize(("interval", "between"), [(0.1, 0.02), (5.0, 0.05), (inf, 0.05)])
def test_what_joins_is_asked_about_soon_where_each_request_is_about_one_task(
    clock: PacedClock, poll: NotedPoll, interval: float, between: float
) -> None:
    poll.does = lambda descriptors: inf
    poll.asks_one_by_one = True  # type: ignore[attr-defined]
    with paced(poll, default_interval=interval, **DEFAULT) as executor:
        executor.adopt("a")
        clock.run()
        executor.adopt_many(list("bcd"))  # a burst
        clock.run(between - A_LITTLE)
        assert poll.times("b") == []
        clock.run(A_LITTLE)
        assert [poll.times(one) for one in "abcd"] == [[0], *[[pytest.approx(between)]] * 3]


def test_the_first_that_joins_after_a_while_is_polled_at_once_and_so_is_what_notify_asks_for(
    clock: PacedClock, poll: NotedPoll
) -> None:
    with paced(poll, default_interval=inf, **DEFAULT) as executor:
        for when, result in ((0, "a"), (5, "b")):
            executor.adopt(result)
            clock.run()
            assert poll.times(result) == [when]
            clock.run(5)
        executor.adopt("c")
        clock.run()
        executor.adopt("d")
        clock.run(1)
        executor.notify()
        clock.run()
        assert (poll.times("c"), poll.times("d")) == ([10, 11], [11])


@pytest.mark.parametrize("how", ["schedule", "poll_after", "returned"])
def test_a_delay_that_is_shorter_is_kept_to_a_fifth_whatever_joins_meanwhile(
    clock: PacedClock, poll: NotedPoll, how: str
) -> None:
    # 1. A task is polled, and is to be polled again in 2 s, with rounds 5 s apart otherwise. 2. Another one joins that
    # has no such delay: it is polled within a fifth of 2 s. 3. The first is polled in time, and the next round is far.
    def does(descriptors: list[Any]) -> object:
        if descriptors[0].result == "a" and len(poll.times("a")) == 1:
            if how == "poll_after":
                descriptors[0].poll_after(2.0)
            return 2.0 if how == "returned" else None
        return 600.0

    poll.does = does
    schedule = Backoff(2.0, factor=300.0, jitter=0) if how == "schedule" else None
    with paced(poll, default_interval=60.0, schedule=schedule, **DEFAULT) as executor:
        executor.adopt("a")
        clock.run(0.25)  # 1
        executor.adopt("b")
        clock.run(0.5)  # 2
        assert 0.2 <= poll.times("b")[0] <= 0.4
        clock.run(2.75)  # 3
        assert 2.0 <= poll.times("a")[1] <= 2.4
        executor.adopt("c")
        clock.run(3.0)
        assert poll.times("c") == []
        clock.run(2.0)
        assert 7.0 <= poll.times("c")[0] <= 7.8


def test_a_call_that_failed_is_tried_again_in_time(clock: PacedClock, poll: NotedPoll) -> None:
    failing(poll, 1)
    policy = NotedPolicy(seconds=1.0)
    with paced(poll, default_interval=60.0, retry_policy=policy, logger=HeardLogger(), **DEFAULT) as executor:
        executor.adopt("a")
        clock.run(2)
        assert [0, 1.0] <= poll.times("a") <= [0, 1.2]


def test_a_call_that_was_throttled_is_made_again_as_the_pause_ends(clock: PacedClock, poll: NotedPoll) -> None:
    failing(poll, 1, error=lambda: Throttled(2.0))
    with paced(poll, default_interval=60.0, **DEFAULT) as executor:
        executor.adopt("a")
        clock.run(4)
        assert poll.times("a") == [0, 2]


def test_a_task_that_is_late_has_its_last_look_in_time(clock: PacedClock, poll: NotedPoll) -> None:
    # Its deadline passes just after a round: it is polled once more before it fails, five seconds later.
    with paced(poll, default_interval=600.0, logger=HeardLogger(), max_concurrency=1, **DEFAULT) as executor:
        future = executor.adopt("a", timeout=5.5)
        clock.run(5)
        executor.adopt("b")
        clock.run(0.75)
        assert len(poll.times("a")) == 2
        assert isinstance(future.exception(0), TimeoutError)


def test_an_interval_of_nothing_has_rounds_without_a_pause() -> None:
    assert _core.RoundSpacing(0.0, 0.0).seconds(1.0) == 0.0


def test_with_a_min_interval_nothing_changes_that(clock: PacedClock, poll: NotedPoll) -> None:
    poll.does = lambda descriptors: 0.5
    with paced(poll, default_interval=60.0, min_interval=2.0) as executor:
        executor.adopt("a")
        clock.run(6)
        assert poll.times("a") == [0, 2, 4, 6]
