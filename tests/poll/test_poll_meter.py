"""What a poll executor measures of itself, by a clock that the test moves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support import all_at_once

from more_executors.poll._meter import PollMeter


class Clock:
    """A clock that stands still until the test sets `now`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> PollMeter:
    return PollMeter(clock)


# -- calls -----------------------------------------------------------------------------------------------------------


def test_each_call_counts_once_whatever_its_size(meter: PollMeter) -> None:
    for size, lag, seconds in ((100_000, 0.2, 0.03), (0, 0.0, 0.5)):
        meter.count_call(size, lag, seconds)
    for histogram, total in (
        (meter.batch_sizes, 100_000),
        (meter.lags, 0.2),
        (meter.call_durations, 0.53),
    ):
        assert histogram.snapshot().observations == 2
        assert histogram.snapshot().total == pytest.approx(total)


def test_a_call_with_nothing_and_one_with_a_task_are_told_apart(meter: PollMeter) -> None:
    meter.count_call(0, 0.0, 0.0)
    meter.count_call(1, 0.0, 0.0)
    assert meter.batch_sizes.snapshot().counts[:3] == (1, 1, 0)


def test_all_histograms_are_named(meter: PollMeter) -> None:
    assert dict(meter.histograms()) == {
        "duration_seconds": meter.call_durations,
        "batch_size": meter.batch_sizes,
        "lag_seconds": meter.lags,
    }


def test_calls_from_many_threads_all_count(meter: PollMeter) -> None:
    def use() -> None:
        for number in range(1000):
            meter.count_call(number, 0.5, 0.25)
            meter.note_throttled()
            meter.note_done(number)

    all_at_once(use, use, use)
    assert {histogram.snapshot().observations for _, histogram in meter.histograms()} == {3000}
    assert meter.throttled == 3000


# -- the time that is left -------------------------------------------------------------------------------------------


def test_the_time_left_is_by_the_rate_so_far(meter: PollMeter, clock: Clock) -> None:
    clock.now += 10
    meter.note_done(50)
    assert meter.seconds_left(outstanding=200, done=50) == pytest.approx(40)
    clock.now += 10
    assert meter.seconds_left(outstanding=100, done=200) == pytest.approx(10), "what was not noted counts too"


def test_nothing_is_left_of_nothing(meter: PollMeter) -> None:
    assert meter.seconds_left(outstanding=0, done=0) == 0


def test_it_is_unknown_in_the_first_second(meter: PollMeter, clock: Clock) -> None:
    clock.now += 0.9
    assert meter.seconds_left(outstanding=10, done=10) is None
    clock.now += 0.1
    assert meter.seconds_left(outstanding=10, done=10) == pytest.approx(1)


def test_it_is_unknown_while_nothing_ends(meter: PollMeter, clock: Clock) -> None:
    for _ in range(200):
        clock.now += 1
        meter.note_done(0)
    assert meter.seconds_left(outstanding=10, done=0) is None


def test_the_rate_is_that_of_the_last_minute(meter: PollMeter, clock: Clock) -> None:
    done = 0
    for rate in (100, 3):
        for _ in range(100):
            clock.now += 1
            done += rate
            meter.note_done(done)
    assert meter.seconds_left(outstanding=300, done=done) == pytest.approx(100)


def test_who_notes_often_is_sampled_once_a_second(meter: PollMeter, clock: Clock) -> None:
    for tick in range(10_000):
        clock.now += 0.03125
        meter.note_done(tick)
    times = [when for when, _ in meter._samples]
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert 55 <= len(times) <= 62
    assert 59 <= times[-1] - times[0] <= 62


def test_an_hour_without_work_does_not_slow_the_rate_down(meter: PollMeter, clock: Clock) -> None:
    clock.now += 3600
    meter.note_done(0)  # as the first call after that begins
    for second in range(1, 6):
        clock.now += 1
        meter.note_done(20 * second)
    assert meter.seconds_left(outstanding=60, done=100) == pytest.approx(3)


def test_tasks_that_end_minutes_apart_have_a_rate_too(meter: PollMeter, clock: Clock) -> None:
    for done in range(1, 11):
        clock.now += 300
        meter.note_done(done)
    assert meter.seconds_left(outstanding=2, done=10) == pytest.approx(600)


def test_when_things_stop_the_time_left_becomes_longer_and_then_unknown(meter: PollMeter, clock: Clock) -> None:
    for second in range(1, 61):
        clock.now += 1
        meter.note_done(10 * second)
    at_first = meter.seconds_left(outstanding=100, done=600)
    clock.now += 30
    later = meter.seconds_left(outstanding=100, done=600)
    assert at_first is not None
    assert later is not None
    assert at_first == pytest.approx(10)
    assert later > at_first
    clock.now += 31
    assert meter.seconds_left(outstanding=100, done=600) is None


def test_figures_that_come_out_of_order_do_no_harm(meter: PollMeter, clock: Clock) -> None:
    clock.now += 10
    meter.note_done(100)
    clock.now += 10
    meter.note_done(90)  # read before the other, on a slower thread
    clock.now += 60
    assert meter.seconds_left(outstanding=10, done=100) is None
    assert meter.seconds_left(outstanding=10, done=90) is None
