"""Setting another limit while threads and executors wait for calls. By a clock that the test sets."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from math import inf, nan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paced_support import NotedPoll, PacedClock, clock_fixture, paced, poll_fixture
from support import PATIENCE, InThread, Parking, all_at_once

from more_executors.poll._gate import CallGate
from more_executors.rate_limit import RateLimit, _limit

clock = clock_fixture()
poll = poll_fixture()


class Clock:
    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def taken_at_once(limit: RateLimit) -> int:
    """How many calls there are now."""
    taken = 0
    while limit.try_take() == 0.0:
        taken += 1
    return taken


def test_the_rate_and_the_burst_are_others_from_then_on() -> None:
    limit = RateLimit(2, burst=2, clock=Clock())
    assert taken_at_once(limit) == 2
    assert limit.try_take() == 0.5
    limit.change(60, per=15, burst=4)
    assert (limit.limit, limit.rate, limit.burst) == (4, 4, 4)
    assert taken_at_once(limit) == 2  # four, but for those that were taken
    assert limit.try_take() == 0.25


def test_what_is_not_given_stays() -> None:
    limit = RateLimit(2, burst=3, clock=Clock())
    limit.change(8)
    assert (limit.limit, limit.burst) == (8, 3)
    limit.change(burst=5)
    assert (limit.limit, limit.burst) == (8, 5)
    limit.change()
    assert (limit.limit, limit.burst, repr(limit)) == (8, 5, "<RateLimit of 8 calls/s, 8 now>")


def test_after_a_burst_a_smaller_one_has_to_be_made_up_for() -> None:
    clock = Clock()
    limit = RateLimit(10, burst=5, clock=clock)
    assert taken_at_once(limit) == 5
    limit.change(burst=1)
    assert limit.try_take() == pytest.approx(0.5)
    clock.now += 0.5001
    assert taken_at_once(limit) == 1


def test_a_larger_burst_does_not_begin_within_a_pause() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    limit.throttled(clock.now, 30)
    limit.change(4, burst=10)
    assert limit.try_take() == 30
    clock.now += 30
    assert taken_at_once(limit) == 1


def test_what_was_taken_before_a_pause_counts_in_it_by_a_lower_limit() -> None:
    clock = Clock()
    limit = RateLimit(4, clock=clock)
    assert taken_at_once(limit) == 1
    limit.throttled(clock.now)  # no call for half a second
    limit.change(0.5)
    assert limit.try_take() == 2
    limit.change(2)
    assert limit.try_take() == 0.5


def test_a_pause_does_not_get_longer_by_a_lower_limit_and_ends_without_calls_saved_up() -> None:
    clock = Clock()
    limit = RateLimit(4, burst=3, clock=clock)
    limit.throttled(clock.now, 30)
    limit.change(0.5)
    assert limit.try_take() == 30
    clock.now += 30
    assert taken_at_once(limit) == 1
    assert limit.try_take() == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"calls": "5"}, TypeError, "calls must be a number, not '5'"),
        ({"calls": 0}, ValueError, "calls / per must be"),
        ({"calls": nan}, ValueError, "calls must be 0 or more"),
        ({"calls": 5, "per": 0}, ValueError, "calls / per must be"),
        ({"per": "1"}, TypeError, "per must be a number, not '1'"),
        ({"burst": 0}, ValueError, "burst must be 1 or more"),
        ({"calls": 7, "burst": 10**16}, ValueError, "burst must be 1 to 10+"),
        ({"calls": 7, "burst": 1.5}, TypeError, r"burst must be an int, not 1\.5"),
    ],
)
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    arguments: Any, error: type[Exception], message: str
) -> None:
    limit = RateLimit(3, burst=2)
    with pytest.raises(error, match=f"^{message}"):
        limit.change(**arguments)
    assert (limit.limit, limit.rate, limit.burst) == (3, 3, 2)


# -- with the rate that it finds ---------------------------------------------------------------------------------------


def test_what_was_found_of_the_service_holds_on() -> None:
    clock = Clock()
    limit = RateLimit(64, clock=clock)
    limit.throttled(clock.now)
    limit.change(128)
    assert (limit.limit, limit.rate) == (128, 32)
    limit.change(16)
    assert (limit.limit, limit.rate) == (16, 16)
    limit.change(100)  # nothing keeps it down any more
    assert (limit.limit, limit.rate) == (100, 100)


def test_it_rises_to_the_new_limit_and_falls_to_its_lowest() -> None:
    clock = Clock()
    limit = RateLimit(64, clock=clock)
    limit.throttled(clock.now)
    limit.change(65)
    for _ in range(200_000):
        clock.now += limit.try_take()
        limit.try_take()  # refused: it is what holds calls back
        limit.succeeded(clock.now)
    assert limit.rate == 65
    limit.change(10_000)
    for _ in range(60):
        clock.now += 1
        limit.throttled(clock.now)
    assert limit.rate == 10
    limit.change(40_000)
    assert limit.rate == 40


LIMITS = st.tuples(st.just("change"), st.none() | st.floats(0.5, 20), st.none() | st.integers(1, 5))
STEPS = st.one_of(
    st.just("take"),
    st.just("take all"),
    st.just("succeed"),
    LIMITS,
    st.tuples(st.just("throttled"), st.none() | st.floats(0, 3)),
    st.tuples(st.just("later"), st.floats(0, 5)),
)


@given(st.floats(0.5, 20), st.integers(1, 4), st.lists(STEPS, max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_window_has_more_than_the_largest_burst_and_what_each_limit_allows(
    calls: float, burst: int, steps: list[Any]
) -> None:
    clock = Clock(0.0)
    limit = RateLimit(calls, burst=burst, clock=clock)
    allowed, largest = 0.0, burst  # so many since the begin; the largest so far
    times: list[float] = []  # in calls that were allowed by then
    for step in steps:
        if step == "take":
            times += [allowed] * (limit.try_take() == 0.0)
        elif step == "take all":
            times += [allowed] * taken_at_once(limit)
        elif step == "succeed":
            limit.succeeded(clock.now)
        elif step[0] == "later":
            clock.now += step[1]
            allowed += step[1] * limit.limit
        elif step[0] == "change":
            limit.change(step[1], burst=step[2])
            largest = max(largest, limit.burst)
        else:
            limit.throttled(clock.now, step[1])
        assert 0 < limit.rate <= limit.limit
    for first, began in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= largest + times[last] - began + 1e-6


# -- those who wait ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Parking:
    """Threads that wait in `take` report here, and sleep until they are woken, whatever the time is."""
    noted = Parking()
    noted.let_go()

    def wait(waiter: _limit.Waiter, seconds: float) -> None:
        noted(seconds)
        assert waiter._waker.wait(PATIENCE), "nobody comes"

    monkeypatch.setattr(_limit.Waiter, "wait", wait)
    return noted


def test_threads_that_wait_take_what_there_is_then(asleep: Parking) -> None:
    # 1. The only call of an hour is taken; a thread waits for the next. 2. Another limit is set, by which there are
    # calls: the thread has one.
    limit = RateLimit(1, per=3600, clock=Clock())
    assert limit.take()
    waiting = InThread(limit.take)
    asleep.wait_for_one()  # 1
    limit.change(1, per=3600, burst=2)  # 2
    assert waiting.outcome() is True
    assert not limit._line


def test_an_executor_whose_turn_it_is_has_the_time_to_come(asleep: Parking) -> None:
    # 1. A thread waits for the next call, an executor is refused, and stands behind it. 2. There are two calls by
    # another limit: the thread has one, and the other is for the executor, not for a thread that comes now.
    limit = RateLimit(1, per=3600, clock=Clock())
    assert limit.take()
    waiting = InThread(limit.take)
    asleep.wait_for_one()
    assert limit.try_take() > 3600  # 1
    limit.change(burst=3)  # 2
    assert waiting.outcome() is True
    assert limit.take(0) is False
    assert limit.try_take() == 0.0


def test_an_executor_that_sleeps_until_the_next_call_looks_again(clock: PacedClock, poll: NotedPoll) -> None:
    limit = RateLimit(1, per=1000, clock=lambda: clock.now)
    with paced(poll, batch_size=1, rate_limit=limit, default_interval=inf) as executor:
        executor.adopt_many([1, 2, 3])
        clock.run(10)
        assert len(poll.calls) == 1
        limit.change(4)
        clock.run(2)
        assert [when for when, _ in poll.calls] == pytest.approx([0, 10.2475, 10.4975])  # as 0.01 has been waited for


def test_all_executors_of_a_limit_hear_of_it() -> None:
    limit = RateLimit(1)
    gates = [CallGate(limit) for _ in range(3)]
    heard: list[int] = []
    for number, gate in enumerate(gates):
        gate.when_changed = partial(heard.append, number)
    limit.change(2)
    assert heard == [0, 1, 2]


def test_a_coroutine_that_waits_for_a_call_looks_again() -> None:
    limit = RateLimit(1, per=30, clock=Clock())
    gate = CallGate(limit)
    assert limit.take()

    async def main() -> None:
        waiting = asyncio.ensure_future(gate.take_on_loop(60))
        await asyncio.sleep(0)
        assert len(gate._changed._waiting) == 1
        await asyncio.get_running_loop().run_in_executor(None, partial(limit.change, burst=2))
        await asyncio.wait_for(waiting, PATIENCE)
        assert not gate._changed._waiting

    asyncio.run(main())


def test_a_coroutine_of_a_loop_that_is_gone_is_in_nobodys_way() -> None:
    gate = CallGate(None)
    loop = asyncio.new_event_loop()
    gate._changed._waiting[loop.create_future()] = None
    loop.close()
    gate._limit_has_changed()


def test_a_limit_does_not_keep_those_who_hear_of_changes() -> None:
    limit = RateLimit(1)
    gate = CallGate(limit)
    assert len(limit._listeners._methods) == 1
    del gate
    gc.collect()
    assert not limit._listeners._methods
    limit.change(2)


def test_a_change_in_the_midst_of_another_call_comes_after_it() -> None:
    limit = RateLimit(10, clock=Clock())
    with limit._lock, limit._busy:
        limit.change(20)
        assert limit.limit == 10
    assert limit.try_take() == 0.0
    assert limit.limit == 20


def test_threads_that_change_it_leave_one_of_their_limits() -> None:
    limit = RateLimit(1, burst=3)

    def work(calls: float) -> None:
        for _ in range(200):
            limit.change(calls, burst=int(calls))
            limit.try_take()
            limit.throttled(limit.clock())

    all_at_once(*[partial(work, calls) for calls in (10, 20, 30)])
    assert limit.limit in (10, 20, 30)
    assert limit.burst == limit.limit
    assert 0 < limit.rate <= limit.limit
