"""How many calls a RateLimit lets through, and when. By a clock that the test sets."""

from __future__ import annotations

import pickle
from functools import partial
from math import inf, nan
from time import monotonic, sleep
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import all_at_once

from more_executors.rate_limit import RateLimit, Throttled


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


def test_calls_are_evenly_spaced() -> None:
    clock = Clock()
    limit = RateLimit(4, per=2.0, clock=clock)
    assert limit.try_take() == 0.0
    assert limit.try_take() == 0.5
    clock.now += 0.375
    assert limit.try_take() == 0.125
    clock.now += 0.125
    assert limit.try_take() == 0.0
    assert limit.try_take() == 0.5


def test_a_burst_may_be_made_at_once_and_again_after_a_time_without_calls() -> None:
    clock = Clock()
    limit = RateLimit(10, burst=3, clock=clock)
    assert taken_at_once(limit) == 3
    clock.now += 0.1001
    assert taken_at_once(limit) == 1
    clock.now += 0.2001
    assert taken_at_once(limit) == 2
    clock.now += 1000
    assert taken_at_once(limit) == 3


def test_a_refusal_takes_nothing() -> None:
    clock = Clock()
    limit = RateLimit(2, clock=clock)
    limit.try_take()
    assert [limit.try_take() for _ in range(100)] == [0.5] * 100


on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATES = st.floats(1e-6, 1e6)
STEPS = st.one_of(
    st.just("take"),
    st.just("take all"),
    st.just("succeed"),
    st.tuples(st.just("throttled"), st.none() | st.floats(0, 3)),
    st.tuples(st.just("later"), st.floats(0, 5)),
)


@given(RATES, st.integers(1, 5), st.floats(0, 1e6))
@on_a_busy_machine
def test_after_the_time_that_a_refusal_says_there_is_a_call(calls: float, burst: int, start: float) -> None:
    clock = Clock(start)
    limit = RateLimit(calls, burst=burst, clock=clock)
    for _ in range(burst + 3):
        while wait := limit.try_take():
            assert clock.now + wait > clock.now
            clock.now += wait


@given(st.floats(0.5, 20), st.integers(1, 4), st.lists(STEPS, max_size=60))
@on_a_busy_machine
def test_no_window_has_more_than_a_burst_and_the_calls_of_its_time(calls: float, burst: int, steps: list[Any]) -> None:
    clock = Clock(0.0)
    limit = RateLimit(calls, burst=burst, clock=clock)
    times: list[float] = []
    closed = [(-1.0, -1.0)]
    for step in steps:
        if step == "take":
            times += [clock.now] * (limit.try_take() == 0.0)
        elif step == "take all":
            times += [clock.now] * taken_at_once(limit)
        elif step == "succeed":
            limit.succeeded(clock.now)
        elif step[0] == "later":
            clock.now += step[1]
        else:
            limit.throttled(clock.now, step[1])
            closed.append((clock.now, clock.now + (step[1] or 0)))
        assert 0 < limit.rate <= limit.limit == calls
    for first, began in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + calls * (times[last] - began) + 1e-6
    # A call at the very moment of the reply may have been taken before it.
    assert not [at for at in times for after, until in closed if after < at < until - 1e-6]


def test_there_is_no_call_before_retry_after_is_over_and_no_burst_then() -> None:
    clock = Clock()
    limit = RateLimit(10, burst=5, clock=clock)
    limit.try_take()
    limit.throttled(clock.now, 30)
    assert limit.try_take() == 30
    clock.now += 29.875
    assert limit.try_take() == 0.125
    clock.now += 0.125
    assert taken_at_once(limit) == 1
    assert limit.try_take() == pytest.approx(0.2)


@pytest.mark.parametrize("pauses", [(30, 10), (10, 30), (30, None), (30, 0)])
def test_the_longest_retry_after_holds(pauses: tuple[float | None, ...]) -> None:
    clock = Clock()
    limit = RateLimit(10, clock=clock)
    for pause in pauses:
        limit.throttled(90.0, pause)
    assert limit.try_take() == 30


def test_a_pause_is_no_longer_for_a_rate_that_is_halved_meanwhile() -> None:
    clock = Clock()
    limit = RateLimit(16, burst=3, clock=clock)
    limit.throttled(clock.now, 60)
    clock.now += 30
    assert limit.try_take() == 30
    limit.throttled(90.0)  # one that was on its way
    limit.throttled(clock.now)
    assert (limit.rate, limit.try_take()) == (4, 30)


def test_a_throttled_call_without_a_time_puts_the_next_one_off_by_one_interval() -> None:
    clock = Clock()
    limit = RateLimit(10, burst=5, clock=clock)
    limit.throttled(clock.now)
    assert limit.try_take() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (partial(RateLimit, "5"), TypeError, "calls must be a number, not '5'"),
        (partial(RateLimit, 5, None), TypeError, "per must be a number, not None"),
        (partial(RateLimit, -1), ValueError, "calls must be 0 or more, not -1"),
        (partial(RateLimit, 1, nan), ValueError, "per must be 0 or more, not nan"),
        (partial(RateLimit, 0), ValueError, r"calls / per must be .*, not 0 / 1\.0"),
        (partial(RateLimit, 1, 0), ValueError, "calls / per must be .*, not 1 / 0"),
        (partial(RateLimit, inf, inf), ValueError, "calls / per must be .*, not inf / inf"),
        (partial(RateLimit, 10**400), ValueError, "calls / per must be"),
        (partial(RateLimit, 1, burst=1.5), TypeError, r"burst must be an int, not 1\.5"),
        (partial(RateLimit, 1, burst=0), ValueError, "burst must be 1 or more, not 0"),
        (partial(RateLimit, 1, burst=10**400), ValueError, "burst must be 1 to 10+, not 10+"),
        (partial(RateLimit, 1, clock=5.0), TypeError, r"clock must be callable, not 5\.0"),
        (partial(RateLimit(1).take, "1"), TypeError, "timeout must be a number, not '1'"),
        (partial(RateLimit(1).take, -0.5), ValueError, r"timeout must be 0 or more, not -0\.5"),
        (partial(RateLimit(1).succeeded, None), TypeError, "began must be .*, not None"),
        (partial(RateLimit(1).throttled, "now"), TypeError, "began must be .*, not 'now'"),
        (partial(RateLimit(1).throttled, 0.0, "60"), TypeError, "retry_after must be a number, not '60'"),
        (partial(RateLimit(1).throttled, 0.0, -1), ValueError, "retry_after must be 0 or more, not -1"),
        (partial(Throttled, "60"), TypeError, "retry_after must be a number, not '60'"),
        (partial(Throttled, -1), ValueError, "retry_after must be 0 or more, not -1"),
        (partial(Throttled, nan), ValueError, "retry_after must be 0 or more, not nan"),
        (partial(Throttled, inf), ValueError, "retry_after must be a time that ends, not inf"),
    ],
)
def test_what_cannot_be_used_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        call()


def test_a_refused_report_changes_nothing() -> None:
    clock = Clock()
    limit = RateLimit(10, clock=clock)
    with pytest.raises(ValueError):
        limit.throttled(clock.now, -1)
    assert (limit.rate, limit.try_take()) == (10, 0.0)


@pytest.mark.parametrize(
    ("error", "seconds", "text"),
    [
        (Throttled(), None, "too many calls"),
        (Throttled(90), 90, "too many calls: try again after 90 s"),
        (Throttled(retry_after=0.5), 0.5, "too many calls: try again after 0.5 s"),
    ],
)
def test_throttled_says_for_how_long_also_after_pickling(error: Throttled, seconds: float, text: str) -> None:
    for each in error, pickle.loads(pickle.dumps(error)):
        assert (type(each), each.retry_after, str(each)) == (Throttled, seconds, text)


def test_repr_says_what_is_allowed_and_what_is_in_force() -> None:
    clock = Clock()
    limit = RateLimit(120, per=60, clock=clock)
    limit.throttled(clock.now)
    assert (limit.limit, limit.rate) == (2, 1)
    assert limit.clock is clock
    assert repr(limit) == "<RateLimit of 2 calls/s, 1 now>"


def test_the_clock_is_called_with_nothing_held() -> None:
    asking = [True]  # until there is a limit

    def clock() -> float:
        if not asking:
            asking.append(True)
            assert limit.try_take() == 0.0 or limit.rate
            asking.clear()
        return 100.0

    limit = RateLimit(10, clock=clock)
    asking.clear()
    assert limit.try_take() == pytest.approx(0.1)
    assert limit.take(0) is False
    limit.throttled(50.0)
    limit.succeeded(150.0)


def test_threads_take_as_many_calls_as_there_are() -> None:
    limit = RateLimit(1e-6, burst=2000, clock=Clock())
    taken = all_at_once(*[partial(taken_at_once, limit)] * 4)
    assert sum(taken) == 2000


def test_threads_that_take_and_report_are_let_through_no_faster_than_the_limit() -> None:
    limit = RateLimit(20_000, burst=2)
    began = monotonic()

    def work() -> None:
        for number in range(100):
            if number % 2:
                assert limit.take()
            else:
                while wait := limit.try_take():
                    sleep(wait)
            (limit.throttled if number == 50 else limit.succeeded)(monotonic())

    all_at_once(*[work] * 4)
    assert monotonic() - began >= 398 / 20_000
    assert 0 < limit.rate <= 20_000
