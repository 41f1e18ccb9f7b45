"""The rate that a RateLimit finds, against services that stand 50 calls a second, over hours of a simulated clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from math import ceil
from random import Random
from typing import Any

import pytest

from more_executors.rate_limit import RateLimit
from more_executors.rate_limit._ceiling import RateCeiling

Hint = Callable[[float], float | None]


class Bucket:
    """A service that lets so many calls a second through, and as many as that that were saved up."""

    def __init__(self, rate: float) -> None:
        self.rate = self.saved = rate
        self.at = 0.0

    def refuses(self, now: float) -> float:
        """For how many seconds there is no call; 0 if there is one, which is taken."""
        self.saved = min(self.rate, self.saved + (now - self.at) * self.rate)
        self.at = now
        if self.saved >= 1:
            self.saved -= 1
            return 0
        return (1 - self.saved) / self.rate if self.rate else 1e-3


class Windows:
    """A service that lets so many calls through in each second by its clock."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.second = self.calls = 0

    def refuses(self, now: float) -> float:
        if int(now) != self.second:
            self.second, self.calls = int(now), 0
        if self.calls < self.rate:
            self.calls += 1
            return 0
        return self.second + 1 - now


def silent(seconds: float) -> None:
    """What a service says that says no time."""


def exact(seconds: float) -> float:
    return seconds


def whole(seconds: float) -> float:
    """What a header says: whole seconds."""
    return ceil(seconds)


class Simulation:
    """A client that calls whenever it may, with so many calls on their way at a time.

    There and back takes a call up to half a second. `asked`, `done` and `refused` have the times.
    """

    def __init__(
        self,
        service: Any,
        *,
        hint: Hint = silent,
        limit: float = 200.0,
        on_their_way: int = 16,
        jitter_there: bool = False,
        seed: int = 1,
    ) -> None:
        self.now = 0.0
        self.service = service
        self.hint = hint
        self.limit = RateLimit(limit, clock=lambda: self.now)
        self.free = on_their_way
        self.jitter_there = jitter_there
        self.random = Random(seed)
        self.asked: list[float] = []
        self.done: list[float] = []
        self.refused: list[float] = []
        self.events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.numbers = count()
        self.will_ask = False
        self.pause = 0.0  # seconds that the client leaves between two calls of its own accord
        self.at(0.0, self.ask)

    def at(self, time: float, event: Callable[..., None], *args: Any) -> None:
        heapq.heappush(self.events, (time, next(self.numbers), event, args))

    def run(self, until: float) -> None:
        while self.events[0][0] < until:
            self.now, _, event, args = heapq.heappop(self.events)
            event(*args)
        self.now = until

    def ask(self, *, woken: bool = True) -> None:
        if woken:
            self.will_ask = False
        while self.free and not self.will_ask:
            wait = self.limit.try_take()
            if not wait:
                self.call()
            if wait or self.pause:
                self.will_ask = True
                self.at(self.now + max(wait, self.pause), self.ask)

    def call(self) -> None:
        self.free -= 1
        self.asked.append(self.now)
        seconds = self.random.uniform(0, 0.5)
        there = seconds * self.random.random() if self.jitter_there else 0.0
        self.at(self.now + there, self.arrive, self.now, seconds - there)

    def arrive(self, began: float, back: float) -> None:
        wait = self.service.refuses(self.now)
        (self.refused if wait else self.done).append(self.now)
        self.at(self.now + back, self.reply, began, wait)

    def reply(self, began: float, wait: float) -> None:
        self.free += 1
        if wait:
            self.limit.throttled(began, self.hint(wait))
        else:
            self.limit.succeeded(began)
        self.ask(woken=False)


def rates(times: list[float], start: int, end: int, width: int = 10) -> list[float]:
    """The calls a second in each window of `width` seconds."""
    counts = [0] * ((end - start) // width)
    for time in times:
        if start <= time < end:
            counts[int(time - start) // width] += 1
    return [number / width for number in counts]


def test_it_halves_the_rate_once_for_all_calls_that_were_on_their_way() -> None:
    simulation = Simulation(Bucket(50), on_their_way=0)
    limit = simulation.limit
    for began in (0.0, 0.1, 0.2):
        simulation.now = 1.0
        limit.throttled(began)
    assert limit.rate == 100
    limit.throttled(1.0)
    assert limit.rate == 100, "it began no later than the rate was halved"
    simulation.now = 2.0
    limit.throttled(1.5)
    assert limit.rate == 50


@pytest.mark.parametrize(
    ("calls", "per", "lowest"), [(50, 1, 0.05), (10_000, 1, 10), (1, 1, 1 / 60), (1, 3600, 1 / 3600)]
)
def test_however_often_it_is_throttled_some_calls_go_out(calls: float, per: float, lowest: float) -> None:
    now = count()
    limit = RateLimit(calls, per, clock=lambda: float(next(now)))
    for _ in range(100):
        limit.throttled(float(next(now)))
    assert limit.rate == pytest.approx(lowest)


def test_successes_bring_it_quickly_to_just_under_the_rate_that_was_throttled_and_then_slowly_further() -> None:
    simulation = Simulation(Bucket(1e9), limit=50)
    simulation.run(5)
    simulation.limit.throttled(simulation.now)
    assert simulation.limit.rate == 25
    simulation.run(7)
    assert 45 <= simulation.limit.rate < 45.1
    simulation.run(150)
    assert 47 <= simulation.limit.rate < 47.5
    simulation.run(400)
    assert simulation.limit.rate == simulation.limit.limit == 50


def test_one_call_that_is_throttled_a_little_early_counts_half() -> None:
    simulation = Simulation(Bucket(1e9), limit=50)
    simulation.run(5)
    simulation.limit.throttled(5.0)
    simulation.run(160)
    rate = simulation.limit.rate
    assert 47 < rate < 48
    simulation.limit.throttled(160.0)
    simulation.run(164)
    assert simulation.limit.rate == pytest.approx(0.9 * (rate + 50) / 2, rel=0.003)


def test_a_success_from_before_it_was_halved_raises_nothing() -> None:
    simulation = Simulation(Bucket(1e9), limit=50)
    simulation.run(5)
    simulation.limit.throttled(5.0)
    for began in (0.0, 4.9, 5.0):
        simulation.limit.succeeded(began)
    assert simulation.limit.rate == 25


def test_it_rises_only_while_it_is_what_holds_calls_back() -> None:
    simulation = Simulation(Bucket(1e9), limit=100)
    simulation.pause = 1.0
    simulation.run(5)
    simulation.limit.throttled(5.0)
    simulation.run(3600)
    assert simulation.limit.rate < 55
    simulation.pause = 0.0
    simulation.run(3605)
    assert simulation.limit.rate >= 90


SETTLED = 60  # seconds


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.parametrize("hint", [silent, exact])
@pytest.mark.parametrize("service", [Bucket, Windows])
def test_for_an_hour_it_stays_within_a_fifth_under_what_the_service_stands(
    service: Callable[[float], Any], hint: Hint
) -> None:
    simulation = Simulation(service(50), hint=hint)
    simulation.run(3600)
    for times in simulation.asked, simulation.done:
        assert min(rates(times, SETTLED, 3600)) >= 40
        assert max(rates(times, SETTLED, 3600)) <= 50 * 1.05  # the bucket had some saved up
    assert len(simulation.refused) <= 100
    assert len([time for time in simulation.refused if time > SETTLED]) <= 0.0003 * len(simulation.asked)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("jitter_there", [False, True])
@pytest.mark.parametrize("service", [Bucket, Windows])
def test_it_stays_there_also_if_the_service_asks_for_whole_seconds_and_calls_arrive_unevenly(
    service: Callable[[float], Any], jitter_there: bool, seed: int
) -> None:
    simulation = Simulation(service(50), hint=whole, jitter_there=jitter_there, seed=seed)
    simulation.run(660)
    # A second without calls is a tenth of a window.
    assert min(rates(simulation.done, SETTLED, 660)) >= 40 - 5
    assert max(rates(simulation.asked, SETTLED, 660)) <= 50 * 1.1
    assert sum(rates(simulation.done, SETTLED, 660)) / 60 >= 41
    assert len([time for time in simulation.refused if time > SETTLED]) <= 0.0005 * len(simulation.asked)


@pytest.mark.long
@pytest.mark.parametrize("hint", [silent, exact])
@pytest.mark.parametrize("service", [Bucket, Windows])
def test_it_follows_a_limit_that_is_doubled_and_one_that_is_halved(service: Callable[[float], Any], hint: Hint) -> None:
    simulation = Simulation(service(50), hint=hint, on_their_way=64)
    simulation.run(300)
    simulation.service.rate = 100
    simulation.run(1500)
    assert min(rates(simulation.done, 1200, 1500)) >= 80
    simulation.service.rate = 50
    simulation.run(2100)
    assert min(rates(simulation.done, 1530, 2100)) >= 40
    assert max(rates(simulation.asked, 1530, 2100)) <= 50 * 1.05


def test_a_service_that_was_away_is_called_as_before_soon_after_it_is_back() -> None:
    simulation = Simulation(Bucket(50))
    simulation.run(120)
    simulation.service.rate = simulation.service.saved = 0
    simulation.run(240)
    assert simulation.limit.rate < 1
    assert len(simulation.refused) < 60
    simulation.service.rate = 50
    simulation.run(500)
    assert min(rates(simulation.done, 320, 500)) >= 40


def test_above_the_rate_that_was_throttled_the_steps_double_again_and_again() -> None:
    ceiling = RateCeiling(limit=1e4)
    ceiling.works(0.0)
    rate, now = ceiling.fall(100.0, began=-1.0, now=1.0), 1.0
    reached: dict[int, float] = {}
    while rate < 1600.0:
        now += 1 / rate
        rate = ceiling.rise(rate)
        for times in (1, 2, 4, 8):
            if rate >= times * 100.0:
                reached.setdefault(times, now)
    assert reached[4] - reached[2] < 150.0
    assert reached[8] - reached[4] < 90.0
