"""Backoff: the delays of one task, and what an executor makes of schedules that do not do as they should."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paced_support import NotedPoll, PacedClock, clock_fixture, paced, poll_fixture
from support import HeardLogger, SomeError

from more_executors.backoff import Backoff

clock = clock_fixture()
poll = poll_fixture()

SECONDS = st.floats(1e-6, 1e6)


class Own(Backoff):
    """A schedule of the user's: `says(polls)` is the delay."""

    says: Callable[[int], Any]

    def delay(self, polls: int) -> float:
        return self.says(polls)


def own(says: Callable[[int], Any]) -> Own:
    schedule = Own(1.0)
    schedule.says = says
    return schedule


def test_each_delay_is_factor_times_the_one_before_up_to_the_maximum() -> None:
    backoff = Backoff(2.0, factor=3.0, maximum=60.0, jitter=0.0)
    assert [backoff.delay(polls) for polls in range(6)] == [2, 6, 18, 54, 60, 60]


def test_what_was_asked_for_can_be_read_and_not_set() -> None:
    backoff = Backoff(1, 2, 3, 0.5)
    assert (backoff.initial, backoff.factor, backoff.maximum, backoff.jitter) == (1.0, 2.0, 3.0, 0.5)
    assert repr(backoff) == "Backoff(1.0, factor=2.0, maximum=3.0, jitter=0.5)"
    with pytest.raises(AttributeError):
        backoff.initial = 5.0  # type: ignore[misc]


def test_by_default_it_doubles_to_300_s_give_or_take_a_tenth() -> None:
    backoff = Backoff(1)
    assert (backoff.factor, backoff.maximum, backoff.jitter) == (2.0, 300.0, 0.1)


@given(initial=SECONDS, factor=st.floats(1, 100), jitter=st.floats(0, 1), polls=st.integers(0, 2**32 - 1))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
def test_a_delay_is_within_its_jitter(initial: float, factor: float, jitter: float, polls: int) -> None:
    backoff = Backoff(initial, factor, 2e6, jitter)
    try:
        plain = min(initial * factor**polls, 2e6)
    except OverflowError:
        plain = 2e6
    delay = backoff.delay(polls)
    assert plain * (1 - jitter) * (1 - 1e-9) <= delay <= plain * (1 + jitter) * (1 + 1e-9)


def test_the_jitter_spreads_evenly() -> None:
    backoff = Backoff(10.0, jitter=0.5)
    delays = [backoff.delay(0) for _ in range(8000)]
    counts = [sum(5 + i <= delay < 6 + i for delay in delays) for i in range(10)]
    assert sum(counts) == 8000
    assert all(600 < count < 1000 for count in counts)


def test_without_jitter_it_is_exact_and_with_a_factor_of_1_it_stays() -> None:
    backoff = Backoff(0.1, factor=1, jitter=0)
    assert {backoff.delay(polls) for polls in (0, 1, 17, 2**32 - 1)} == {0.1}


@pytest.mark.parametrize("polls", [2000, 2**31, 2**32 - 1])
def test_a_delay_that_overflows_is_the_maximum(polls: int) -> None:
    assert Backoff(1.0, factor=1e300, maximum=77.0, jitter=0.0).delay(polls) == 77.0


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((0,), ValueError, "initial.*0"),
        ((-1,), ValueError, "initial.*-1"),
        ((nan,), ValueError, "initial.*nan"),
        ((inf,), ValueError, "initial.*inf"),
        ((10**400,), ValueError, "initial"),
        (("1",), TypeError, "initial.*'1'"),
        ((None,), TypeError, "initial.*None"),
        ((1, 0.5), ValueError, "factor.*0.5"),
        ((1, nan), ValueError, "factor.*nan"),
        ((1, inf), ValueError, "factor.*inf"),
        ((1, "2"), TypeError, "factor.*'2'"),
        ((10, 2, 5), ValueError, "maximum.*5"),
        ((1, 2, inf), ValueError, "maximum.*inf"),
        ((1, 2, "9"), TypeError, "maximum.*'9'"),
        ((1, 2, 3, -0.1), ValueError, "jitter.*-0.1"),
        ((1, 2, 3, 1.1), ValueError, "jitter.*1.1"),
        ((1, 2, 3, nan), ValueError, "jitter.*nan"),
        ((1, 2, 3, []), TypeError, r"jitter.*\[\]"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(arguments: tuple[Any, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Backoff(*arguments)


@pytest.mark.parametrize("schedule", [5.0, "5", Backoff, lambda polls: 1.0])
def test_an_executor_takes_nothing_else_for_a_schedule(poll: NotedPoll, schedule: Any) -> None:
    with pytest.raises(TypeError, match="schedule must be a Backoff or None"), paced(poll, schedule=schedule):
        pass


# -- in an executor ------------------------------------------------------------------------------------------------


def test_an_overridden_delay_is_asked_with_the_polls_so_far(clock: PacedClock, poll: NotedPoll) -> None:
    asked = []
    with paced(poll, schedule=own(lambda polls: asked.append(polls) or [3, 4, 5][polls])) as executor:
        executor.adopt("a")
        clock.run(11)
        assert poll.times("a") == [0, 3, 7]
        assert asked == [0, 1, 2]


def test_one_schedule_may_serve_many_tasks(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=own(lambda polls: 2 ** min(polls, 3))) as executor:
        executor.adopt_many(range(100))
        clock.run(7)
        assert all(poll.times(i) == [0, 1, 3, 7] for i in range(100))


@pytest.mark.parametrize(
    "says",
    [lambda polls: 1 / 0, lambda polls: None, lambda polls: "5", lambda polls: -1, lambda polls: nan],
    ids=["raises", "None", "a str", "negative", "NaN"],
)
def test_a_schedule_that_gives_no_delay_is_reported_once_and_the_interval_holds(
    clock: PacedClock, poll: NotedPoll, says: Any
) -> None:
    logger = HeardLogger()
    with paced(poll, schedule=own(says), default_interval=4, logger=logger) as executor:
        executor.adopt_many(list("ab"))
        clock.run(12)
        assert poll.times("a") == poll.times("b") == [0, 4, 8, 12]
    ((level, message, error),) = logger.lines
    assert level == "ERROR"
    assert message.startswith("Exception while evaluating schedule Backoff(")
    assert error is not None


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, SomeError])
def test_whatever_a_schedule_raises_no_task_is_lost(
    clock: PacedClock, poll: NotedPoll, error: type[BaseException]
) -> None:
    def says(polls: int) -> float:
        raise error

    with paced(poll, schedule=own(says), default_interval=4, logger=HeardLogger()) as executor:
        executor.adopt_many(list("abc"))
        clock.run(8)
        assert poll.times("a") == poll.times("b") == poll.times("c") == [0, 4, 8]


def test_a_schedule_that_raises_does_not_disturb_restart_backoff(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=own(lambda polls: 1 / 0), logger=HeardLogger()) as executor:
        executor.adopt("a")
        clock.run(2)
        poll.descriptors["a"].restart_backoff()
        clock.run(3)
        assert poll.times("a") == [0, 5]


def test_an_infinite_delay_is_until_notify(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=own(lambda polls: inf)) as executor:
        executor.adopt("a")
        clock.run(1e9)
        assert poll.times("a") == [0]


def test_the_longest_delay_is_five_minutes_or_the_first_if_that_is_longer() -> None:
    assert [Backoff(initial).maximum for initial in (1, 300, 301, 5000.0)] == [300, 300, 301, 5000]
    assert Backoff(5000.0, jitter=0).delay(10) == 5000
