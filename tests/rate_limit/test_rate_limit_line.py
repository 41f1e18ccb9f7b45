"""Waiting for a call, in `RateLimit.take`: in order, not past anybody, and no longer than until there is one.

The test sets the clock. Waiting for a time to come is either skipped to, or lasts until the test says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from threading import TIMEOUT_MAX

import pytest
from support import PATIENCE, InThread

from more_executors.rate_limit import RateLimit, _limit
from more_executors.rate_limit._limit import CLAIM_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Skipping:
    """Instead of waiting, sets the clock on; `waits` has for how long. `meanwhile` is called each time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waits: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.now += seconds
        self.meanwhile()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def skipping(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Skipping:
    skipping = Skipping(clock)
    monkeypatch.setattr(_limit.Waiter, "wait", lambda waiter, seconds: skipping.wait(seconds))
    return skipping


class Street:
    """Threads that wait in `take` for a time to come, which does when the test says so."""

    def __init__(self, clock: Clock, limit: RateLimit) -> None:
        self.clock = clock
        self.limit = limit
        self.order: list[object] = []
        self.asleep = threading.Semaphore(0)

    def wait(self, waiter: _limit.Waiter) -> None:
        self.asleep.release()
        assert waiter._waker.wait(PATIENCE), "nobody comes"

    def enter(self, who: object, timeout: float | None = None) -> InThread:
        """Have a thread wait; returns when it does."""

        def take() -> bool:
            taken = self.limit.take(timeout)
            self.order.append(who if taken else f"not {who}")
            return taken

        thread = InThread(take)
        self.settle(1)
        return thread

    def settle(self, looks: int) -> None:
        """Wait until as many threads have fallen asleep, or again."""
        for _ in range(looks):
            assert self.asleep.acquire(timeout=PATIENCE)

    def later(self, seconds: float, looks: int) -> None:
        """Let the first in line look at the clock so many seconds later."""
        self.clock.now += seconds
        with self.limit._lock:
            self.limit._wake_first()
        self.settle(looks)


@pytest.fixture
def street(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    street = Street(clock, RateLimit(1, clock=clock))
    monkeypatch.setattr(_limit.Waiter, "wait", lambda waiter, seconds: street.wait(waiter))
    assert street.limit.take()
    yield street
    assert not street.limit._line


def test_it_takes_what_there_is_without_waiting(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(10, burst=3, clock=clock)
    assert [limit.take(0) for _ in range(4)] == [True, True, True, False]
    assert skipping.waits == []
    assert limit.try_take() == pytest.approx(0.1)


def test_it_waits_until_there_is_a_call_and_no_longer(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(4, clock=clock)
    assert [limit.take() for _ in range(4)] == [True] * 4
    assert skipping.waits == [0.25] * 3
    assert clock.now == 100.75


def test_it_gives_up_after_the_timeout_and_has_taken_nothing(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(1, clock=clock)
    assert limit.take(5)
    assert limit.take(0.75) is False
    assert skipping.waits == [0.75]
    assert limit.try_take() == 0.25
    assert limit.take(0.25) is True


def test_a_wait_of_any_length_is_possible(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(1, clock=clock)
    limit.throttled(clock.now, 2.5 * TIMEOUT_MAX)
    assert limit.take(inf)
    assert skipping.waits[:2] == [TIMEOUT_MAX] * 2


def test_a_call_that_is_throttled_meanwhile_puts_off_those_who_wait(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(1, clock=clock)
    limit.take()
    pauses = iter([30, 60])
    skipping.meanwhile = lambda: limit.throttled(clock.now, next(pauses, None)) if clock.now < 150 else None
    assert limit.take()
    assert skipping.waits == [1, 30, 60]
    assert clock.now == 191


def test_those_who_wait_are_served_in_order(street: Street) -> None:
    threads = [street.enter(who) for who in range(4)]
    for left in (1, 1, 1, 0):
        street.later(1.0, left)
    assert [thread.outcome() for thread in threads] == [True] * 4
    assert street.order == [0, 1, 2, 3]


def test_a_wait_that_is_over_too_soon_takes_nothing(street: Street) -> None:
    thread = street.enter("a")
    street.later(0.5, 1)
    street.later(0.25, 1)
    assert street.order == []
    street.later(0.25, 0)
    assert thread.outcome()


def test_one_that_gives_up_lets_the_next_one_go_on(street: Street) -> None:
    first, second, third = street.enter("a", 0.5), street.enter("b"), street.enter("c")
    street.later(0.5, 1)
    assert first.outcome() is False
    street.later(0.5, 1)
    assert second.outcome()
    street.later(1.0, 0)
    assert third.outcome()
    assert street.order == ["not a", "b", "c"]


def test_one_whose_wait_is_interrupted_lets_the_next_one_go_on(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep, waiting = threading.Event(), street.wait

    def interrupted(waiter: _limit.Waiter) -> None:
        waiting(waiter)
        if asleep.is_set():
            asleep.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(street, "wait", interrupted)
    first, second = street.enter("a"), street.enter("b")
    asleep.set()
    street.later(0.5, 1)
    with pytest.raises(KeyboardInterrupt):
        first.outcome()
    street.later(0.5, 0)
    assert second.outcome()


def test_a_success_that_raises_the_rate_wakes_who_waits(street: Street) -> None:
    street.limit.throttled(street.clock.now)
    threads = [street.enter(who) for who in range(4)]
    street.later(2.0, 1)
    street.later(2.0, 1)  # so far 2 s between two
    for looks in 1, 0:
        street.limit.succeeded(street.clock.now)
        street.settle(1)
        street.later(1.2, looks)
    assert [thread.outcome() for thread in threads] == [True] * 4


def test_a_refused_try_take_has_its_turn_after_those_who_came_before(street: Street) -> None:
    before = [street.enter("a"), street.enter("b")]
    assert street.limit.try_take() == 1 + 2
    after = street.enter("c")
    assert street.limit.try_take() == 1 + 2
    street.later(1.0, 1)
    assert before[0].outcome()
    assert street.limit.try_take() == 1 + 1
    street.later(1.0, 1)
    assert before[1].outcome()
    assert street.limit.try_take() == 1
    street.later(1.0, 1)
    assert street.limit.try_take() == 0
    street.settle(1)
    assert street.limit.try_take() == 1 + 1
    street.later(1.0, 0)
    assert after.outcome()
    street.clock.now += 1
    assert street.limit.try_take() == 0
    assert street.order == ["a", "b", "c"]


def test_any_number_of_try_takes_do_not_keep_one_waiting(street: Street) -> None:
    thread = street.enter("a")
    for _ in range(99):
        street.clock.now += 0.01
        assert street.limit.try_take() > 0
    street.clock.now = 101
    assert street.limit.try_take() == 1, "it is not its turn"
    street.later(0.0, 0)
    assert thread.outcome()


def test_one_that_takes_again_and_again_does_not_keep_try_take_waiting(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(1, clock=clock)
    limit.take()
    tried: list[float] = []
    skipping.meanwhile = lambda: tried.append(limit.try_take())
    assert [limit.take() for _ in range(20)] == [True] * 20
    assert tried.count(0) >= 18


def test_a_turn_that_is_not_used_is_soon_over(street: Street) -> None:
    before = street.enter("a")
    street.limit.try_take()
    after, last = street.enter("b"), street.enter("c")
    street.later(1.0, 1)
    assert before.outcome()
    street.later(1.0, 1)
    assert street.order == ["a"]
    street.later(CLAIM_SECONDS / 2, 1)
    assert street.order == ["a"]
    street.later(CLAIM_SECONDS / 2, 1)
    assert after.outcome()
    street.later(1.0, 0)
    assert last.outcome()


def test_a_turn_that_was_missed_long_ago_delays_nobody(clock: Clock, skipping: Skipping) -> None:
    limit = RateLimit(1, clock=clock)
    limit.take()
    skipping.meanwhile = partial(limit.try_take)
    assert limit.take()
    skipping.meanwhile = lambda: None
    clock.now += 100
    skipping.waits.clear()
    assert limit.take()
    assert skipping.waits == []


def test_one_that_gives_up_behind_a_try_take_changes_nothing_for_it(street: Street) -> None:
    before = street.enter("a")
    assert street.limit.try_take() == 2
    after = street.enter("b", 0.5)
    street.clock.now += 0.5
    (waiter,) = [waiter for waiter in street.limit._line if waiter.number == 2]
    waiter.set()
    assert after.outcome() is False
    street.settle(1)  # the first, who is told
    assert street.limit.try_take() == 1.5
    street.later(0.5, 0)
    assert before.outcome()


def test_nobody_comes_before_one_that_has_yet_to_wake(street: Street) -> None:
    thread = street.enter("a")
    street.clock.now += 1
    assert street.limit.take(0) is False
    street.later(0.0, 0)
    assert thread.outcome()


def test_a_turn_is_kept_for_a_moment_from_those_who_come_then(street: Street) -> None:
    thread = street.enter("a")
    street.limit.try_take()
    street.later(1.0, 0)
    assert thread.outcome()
    street.clock.now += 1
    assert street.limit.take(0) is False
    assert street.limit.try_take() == 0
    street.clock.now += 1
    assert street.limit.take(0), "the turn has been used"


def test_a_turn_is_kept_for_a_moment_also_if_a_call_could_have_been_made_before(street: Street) -> None:
    street.limit = RateLimit(1, burst=3, clock=street.clock)
    assert [street.limit.take(0) for _ in range(3)] == [True] * 3
    before = street.enter("a")
    street.limit.try_take()
    after = street.enter("b")
    street.later(2.875, 1)  # in which two calls could have been made
    assert before.outcome()
    assert street.order == ["a"]
    assert street.limit.try_take() == 0
    street.settle(1)
    street.later(0.125, 0)
    assert after.outcome()


def test_a_clock_that_takes_a_call_on_a_thread_that_waits_for_one_is_refused_that(clock: Clock) -> None:
    answers: list[object] = []
    asked: list[object] = []

    def ask() -> float:
        if limit._line and not asked:
            asked.append(threading.current_thread())
            answers.append(limit.take(0))
            with pytest.raises(RuntimeError, match="cannot be waited for here"):
                limit.take(1)
            answers.append("refused")
        return clock.now

    limit = RateLimit(1000, clock=lambda: clock.now)
    limit._clock = ask
    limit.throttled(clock.now, 3600)
    waiter = InThread(limit.take, 3600 * 2)
    while not limit._line:
        threading.Event().wait(0.001)
    clock.now += 3600.5
    limit._wake_first()
    assert waiter.outcome() is True
    assert answers == [False, "refused"]
    assert asked == [waiter]
