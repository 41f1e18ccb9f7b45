"""Who gets which share of a rate limit, when messages are lost, late or come twice: with a clock that a test moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

pytest.importorskip("distributed")

from more_executors.dask.sharded._host_events import LeaseOver
from more_executors.dask.sharded._link import Link, State
from more_executors.dask.sharded._share_limit import ShareLimit
from more_executors.dask.sharded._shares import Shares
from more_executors.rate_limit import RateLimit

LEASE = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ModelShard:
    """A generation of a shard, of which only the limit is real."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.expires = clock.now + LEASE
        self.is_stopped = False
        self.limit = ShareLimit(clock)
        self.limit.check_lease = self.check

    def check(self) -> None:
        if self.is_stopped or self._clock.now > self.expires:
            raise LeaseOver("it was not heard")

    def hear(self, share: Any, renews: bool) -> Any:
        if self._clock.now > self.expires:
            self.is_stopped = True
        elif renews:
            self.expires = self._clock.now + LEASE
        self.limit.apply(share)
        return self.limit.report()

    @property
    def may_call(self) -> float:
        """Calls/s."""
        is_over = self.is_stopped or self._clock.now > self.expires
        return 0.0 if is_over or not self.limit._has_share else self.limit._limit


class Model:
    """A client with some shards, and what is on its way between them."""

    def __init__(self, limit: RateLimit, clock: Clock, shards: int) -> None:
        self.clock = clock
        self.limit = limit
        self.links = [Link(index, "it") for index in range(shards)]
        self.shares = Shares(limit, self.links, LEASE)
        self.shards: dict[str, ModelShard] = {}  # all that ever were
        self.frozen: set[str] = set()  # those of which nothing is heard
        self.fault: Callable[[], float | None] = lambda: 0.0  # for how long a message is on its way; None: it is lost
        self.is_twice: Callable[[], bool] = lambda: False
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.most = 0.0
        for link in self.links:
            self.open(link)

    def open(self, link: Link) -> None:
        link.state = State.OPEN
        link.heard_at = self.clock.now
        self.shards[link.name] = ModelShard(self.clock)
        self.shares.change()

    def of(self, index: int) -> ModelShard:
        return self.shards[self.links[index].name]

    def give(self, index: int, tasks: int) -> None:
        self.links[index].tasks = dict.fromkeys(range(tasks))  # type: ignore[arg-type]

    def lose(self, link: Link) -> None:
        self.shares.lose(link)
        self.stopped(link)

    def stopped(self, link: Link) -> None:
        link.state = State.NOWHERE
        link.begin_again(self.clock.now)
        self.shares.change()

    def _send(self, what: Callable[[], None]) -> None:
        for _ in range(1 + self.is_twice()):
            if (late := self.fault()) is not None:
                self._due.append((self.clock.now + late, next(self._numbers), what))

    def _call(self, link: Link) -> None:
        now = self.clock.now
        name, generation, shard = link.name, link.generation, self.shards[link.name]
        share = self.shares.share_of(link, now)
        renews = now < link.heard_at + LEASE
        link.deadline = now + LEASE / 4

        def arrive() -> None:
            if name not in self.frozen:
                report = shard.hear(share, renews)
                self._send(lambda: answer(report))

        def answer(report: Any) -> None:
            if link.generation == generation and link.state in (State.OPEN, State.STOPPING):
                link.heard_at = self.clock.now
                self.shares.heard(link, report, self.clock.now)
                if shard.is_stopped:
                    self.stopped(link)

        self._send(arrive)

    def step(self, seconds: float) -> None:
        self.clock.now += seconds
        for due in sorted(due for due in self._due if due[0] <= self.clock.now):
            self._due.remove(due)
            due[2]()
            self.look()
        self.shares.step(self.clock.now)
        for link in self.links:
            if link.state in (State.OPEN, State.STOPPING):
                if self.clock.now > link.heard_at + 3 * LEASE:
                    self.lose(link)
                elif link.grant.is_pending or self.clock.now > link.deadline or self.has_answer(link):
                    self._call(link)
            elif link.state is State.NOWHERE:
                self.open(link)
        self.look()
        over = [name for name, shard in self.shards.items() if self.clock.now > shard.expires + LEASE]
        for name in over:  # nothing can revive it
            if name not in {link.name for link in self.links}:
                del self.shards[name]

    def has_answer(self, link: Link) -> bool:
        """Whether a call that waits at the shard for something to say ends."""
        limit = self.shards[link.name].limit
        return limit.is_throttled or limit.report().pauses > link.grant.pauses

    def look(self) -> None:
        self.most = max(self.most, self.may_call)

    def run(self, seconds: float, step: float = 0.1) -> None:
        for _ in range(int(seconds / step)):
            self.step(step)

    @property
    def may_call(self) -> float:
        """Calls/s of all, also of those that were lost and go on."""
        return sum(shard.may_call for shard in self.shards.values())


@pytest.fixture
def clock() -> Clock:
    return Clock()


def model_of(clock: Clock, shards: int, calls: float = 100.0, burst: int = 1) -> Model:
    return Model(RateLimit(calls, burst=burst, clock=clock), clock, shards)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_shares_are_never_more_than_the_limit(seed: int, clock: Clock) -> None:
    chance = random.Random(seed)
    model = model_of(clock, 6)
    delays = [0.0] * 6 + [0.05, 0.3, 2.0, LEASE]
    model.fault = lambda: None if chance.random() < 0.15 else chance.choice(delays)
    model.is_twice = lambda: chance.random() < 0.15
    calls: list[float] = []
    for _ in range(2000):
        what = chance.random()
        if what < 0.05:
            model.give(chance.randrange(6), chance.choice((0, 1, 10, 1000)))
        elif what < 0.055:
            model.frozen.add(chance.choice(model.links).name)  # and calls on for a lease
        elif what < 0.06:
            link = chance.choice(model.links)
            if link.state is State.OPEN:
                model.lose(link)  # as when the scheduler has lost its worker, which goes on
        elif what < 0.065:
            model.frozen.clear()
        model.step(chance.choice((0.01, 0.05, 0.3)))
        calls += [clock.now for shard in model.shards.values() if shard.limit.try_take() == 0.0]
    assert 80.0 < model.most <= 100.0
    for first, began in enumerate(calls):
        for last in (first + 10, first + 100, first + 1000):
            if last < len(calls):
                assert last - first <= 6 + len(model.links) + 100.0 * (calls[last] - began + 1e-6)
    model.fault, model.is_twice = (lambda: 0.0), lambda: False
    model.frozen.clear()
    for index in range(6):
        model.give(index, 100 * index)
    model.run(8 * LEASE)
    assert model.may_call == pytest.approx(100.0, rel=0.05)
    shares = [model.of(index).limit.limit for index in range(6)]
    assert shares == sorted(shares)
    assert shares[5] > 20 * shares[0] > 0.0


def test_a_shard_has_no_share_until_it_is_told(clock: Clock) -> None:
    model = model_of(clock, 2)
    assert model.may_call == 0.0
    assert model.of(0).limit.try_take() > 0.0
    model.run(0.3)
    assert [model.of(index).may_call for index in range(2)] == pytest.approx([50.0, 50.0])
    assert model.of(0).limit.try_take() == 0.0


def test_others_get_more_only_once_it_is_heard_that_one_has_less(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.give(0, 1000)
    model.frozen.add(model.links[1].name)
    model.run(5.0)
    assert [model.of(index).may_call for index in range(2)] == pytest.approx([50.0, 50.0])
    model.frozen.clear()
    model.run(5.0)
    assert [model.of(index).may_call for index in range(2)] == pytest.approx([97.5, 2.5])


def test_the_share_of_a_lost_shard_comes_back_after_three_leases(clock: Clock) -> None:
    model = model_of(clock, 4)
    model.run(0.3)
    model.frozen.add(model.links[3].name)
    model.run(2.0)
    heard = model.links[3].heard_at
    model.lose(model.links[3])
    model.run(heard + 3 * LEASE - 0.2 - clock.now)
    assert sum(model.of(index).may_call for index in range(4)) == pytest.approx(75.0)
    assert model.of(3).may_call == pytest.approx(75.0 / 4)  # that of the new one
    model.run(2.0)
    assert sum(model.of(index).may_call for index in range(4)) == pytest.approx(100.0)


def test_the_share_of_one_that_has_stopped_comes_back_at_once(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.of(1).is_stopped = True
    model.stopped(model.links[1])
    model.run(0.5)
    assert model.may_call == pytest.approx(100.0)
    assert model.of(1).may_call == pytest.approx(50.0)


def test_who_has_least_gets_more_first(clock: Clock) -> None:
    model = model_of(clock, 3)
    for link, rate in zip(model.links, (10.0, 60.0, 0.0), strict=True):
        link.grant.set(rate)
        link.grant.acknowledge(link.grant.version)
    model.shares._targets = {model.links[0]: 40.0, model.links[2]: 20.0}
    model.shares._raise(100.0)
    assert [link.grant.rate for link in model.links] == pytest.approx([20.0, 60.0, 20.0])


def test_one_that_is_to_stop_needs_no_share(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.links[1].state = State.STOPPING
    model.run(2.0)
    assert [model.of(index).may_call for index in range(2)] == pytest.approx([100.0, 0.0])


def test_throttling_of_one_lowers_all_once(clock: Clock) -> None:
    model = model_of(clock, 4)
    model.run(0.3)
    for index in (0, 1):
        model.of(index).limit.throttled(clock.now)
    assert model.of(0).limit.rate == pytest.approx(12.5)  # at once
    began = clock.now
    model.run(0.5)
    assert model.limit.rate == pytest.approx(50.0)
    assert [model.of(index).limit.rate for index in range(4)] == pytest.approx([12.5] * 4)
    model.of(2).limit.throttled(began)  # a call of before
    model.run(0.5)
    assert model.limit.rate == pytest.approx(50.0)
    model.of(2).limit.throttled(clock.now)
    model.run(0.5)
    assert model.limit.rate == pytest.approx(25.0)
    assert model.may_call == pytest.approx(25.0)


def test_throttling_is_heard_of_though_answers_are_lost(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    lost = iter([None, None, None, None, None])
    model.of(0).limit.throttled(clock.now)
    model.fault = lambda: next(lost, 0.0)
    model.run(20.0)
    assert model.limit.rate == pytest.approx(50.0)
    assert model.may_call == pytest.approx(50.0)


def test_a_pause_is_for_all(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.of(0).limit.throttled(clock.now, 20.0)
    began = clock.now
    model.run(0.6)  # until the other one has heard of it
    while clock.now < began + 19.8:
        assert all(model.of(index).limit.try_take() > 0.0 for index in range(2))
        model.step(0.1)
    assert model.limit.try_take() > 0.0
    model.run(1.0)
    assert all(model.of(index).limit.try_take() == 0.0 for index in range(2))


def test_a_new_shard_hears_of_a_pause(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.of(0).limit.throttled(clock.now, 60.0)
    model.run(1.0)
    model.lose(model.links[1])
    model.run(40.0)
    assert model.of(1).may_call > 0.0
    assert model.of(1).limit.try_take() > 0.0
    model.run(21.0)
    assert model.of(1).limit.try_take() == 0.0


def test_calls_that_succeed_raise_the_rate_again(clock: Clock) -> None:
    model = model_of(clock, 4)
    model.run(0.3)
    call(model, 1.0)
    model.of(0).limit.throttled(clock.now)
    model.run(0.5)
    assert model.limit.rate == pytest.approx(50.0)
    call(model, 30.0)
    assert 88.0 < model.limit.rate < 93.0  # just under the rate that was too high
    assert model.may_call == pytest.approx(model.limit.rate, rel=0.05)
    model.most = 0.0
    call(model, 30.0)
    assert model.most <= model.limit.rate


def test_calls_that_the_limit_does_not_hold_back_do_not_raise_the_rate(clock: Clock) -> None:
    model = model_of(clock, 2)
    model.run(0.3)
    model.of(0).limit.throttled(clock.now)
    model.run(2.0)
    for _ in range(30):
        for index in range(2):
            assert model.of(index).limit.try_take() == 0.0
            model.of(index).limit.succeeded(clock.now)
        model.run(1.0)
    assert model.limit.rate == pytest.approx(50.0)


def call(model: Model, seconds: float) -> None:
    """As often as the shards may."""
    until = model.clock.now + seconds
    while model.clock.now < until:
        call_once(model)
        model.step(0.02)


def call_once(model: Model) -> None:
    for index in range(len(model.links)):
        limit = model.of(index).limit
        while limit.try_take() == 0.0:
            limit.succeeded(model.clock.now)


def test_another_limit_is_shared_out_soon(clock: Clock) -> None:
    model = model_of(clock, 2, burst=20)
    model.run(0.3)
    assert [model.of(index).limit.burst for index in range(2)] == [9, 9]
    model.limit.change(10, burst=4)
    model.run(1.5)
    assert model.may_call == pytest.approx(10.0)
    assert [model.of(index).limit.burst for index in range(2)] == [1, 1]
    model.limit.change(200)
    model.run(1.5)
    assert model.may_call == pytest.approx(200.0)


def test_an_old_share_that_comes_late_is_not_taken(clock: Clock) -> None:
    model = model_of(clock, 1)
    model.run(0.3)
    limit = model.of(0).limit
    old = model.shares.share_of(model.links[0], clock.now)
    model.limit.change(10)
    model.run(1.5)
    assert old is not None
    limit.apply(old)
    assert limit.limit == pytest.approx(10.0)


def test_a_shard_cannot_change_its_share(clock: Clock) -> None:
    model = model_of(clock, 1)
    with pytest.raises(RuntimeError, match="this is the share of a shard; change the RateLimit that its client"):
        model.of(0).limit.change(5)
