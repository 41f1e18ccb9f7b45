"""Thousands of tasks of which some are due soon and most much later: whatever happens, each comes in its turn."""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from random import Random
from typing import Any

import pytest
from paced_support import new_table
from support import Thing

from more_executors import _core

SOON = [0.0, 0.0, 0.25, 1.0, 2.0]
LATER = [600.0, 900.0, 3600.0, inf]
LET_IN = 1e-5  # who is let in is due that much earlier at most


class Clock:
    now = 1000.0


class Crowd:
    """A table, and a model of it: when each task that waits is due."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self.random = Random(seed)
        clock = self.clock = Clock()
        monkeypatch.setattr(_core, "monotonic", lambda: clock.now)
        self.table = new_table()
        self.owner = Thing()
        self.serial = 0
        self.futures: dict[int, Any] = {}
        self.waiting: dict[int, float] = {}
        self.aside: set[int] = set()
        self.tasks: dict[int, Any] = {}

    @property
    def now(self) -> float:
        return self.clock.now

    def join(self, count: int) -> None:
        results = list(range(self.serial, self.serial + count))
        self.serial += count
        self.futures.update(zip(results, self.table.adopt_many(self.owner, results), strict=True))
        if self.table.sets_aside:
            self.aside.update(results)
        else:
            self.waiting.update(dict.fromkeys(results, self.now))

    def let_in(self) -> None:
        self.table.let_in(self.now)
        self.let_in_are_due()

    def make_all_due(self) -> None:
        self.table.make_all_due()
        self.waiting = {result: min(when, self.now) for result, when in self.waiting.items()}
        self.let_in_are_due()

    def let_in_are_due(self) -> None:
        self.waiting.update(dict.fromkeys(self.aside, self.now))
        self.aside.clear()

    def take(self, at_most: int) -> list[Any]:
        """Take what is due. It must be what is due first, in that order."""
        tasks = self.table.take_due(self.now, at_most, self.now)[0]
        times = sorted(when for when in self.waiting.values() if when <= self.now)[:at_most]
        assert [self.waiting[task.result] for task in tasks] == pytest.approx(times, abs=LET_IN)
        for task in tasks:
            del self.waiting[task.result]
            self.tasks[task.result] = task
        return list(tasks)

    def put_back(self, tasks: list[Any], soon: float) -> None:
        """Have this share of `tasks` be due soon, the others later."""
        for task in tasks:
            delay = self.delay(soon)
            task.poll_after(delay)
            self.waiting[task.result] = self.now + delay
        self.table.reschedule(tasks, self.now, 5.0, 5.0)

    def delay(self, soon: float) -> float:
        near = self.random.random() < soon
        return self.random.choice(SOON if near else LATER) * (self.random.random() if self.random.random() < 0.5 else 1)

    def move_some(self, count: int) -> None:
        known = [result for result in self.waiting if result in self.tasks]
        for result in self.random.sample(known, min(count, len(known))):
            delay = self.delay(0.5)
            self.tasks[result].poll_after(delay)
            self.waiting[result] = self.now + delay

    def end_some(self, count: int) -> None:
        for result in self.random.sample([*self.waiting, *self.aside], count):
            assert self.futures.pop(result).cancel()
            self.waiting.pop(result, None)
            self.aside.discard(result)

    def agree(self) -> None:
        times = sorted(self.waiting.values())
        assert self.table.next_due() == pytest.approx(times[0] if times else inf, abs=LET_IN)
        for when in (self.now - 0.5, self.now, self.now + 1.0, self.now + 700.0, 1e12):
            assert self.table.due(when) == bisect_right(times, when)
            assert self.table.has_due(when) is (self.table.due(when) > 0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("aside", [False, True])
def test_a_few_that_are_due_soon_among_many_that_are_not(
    monkeypatch: pytest.MonkeyPatch, seed: int, aside: bool
) -> None:
    crowd = Crowd(monkeypatch, seed)
    crowd.join(4_000)
    crowd.put_back(crowd.take(10_000), 0.05)
    crowd.table.sets_aside = aside
    random = crowd.random
    for _ in range(120):
        crowd.clock.now += random.choice([0.0, 0.25, 1.0])
        if random.random() < 0.5:
            crowd.join(random.choice([1, 30, 300]))
        if random.random() < 0.3:
            crowd.move_some(random.choice([1, 50]))
        if random.random() < 0.5:
            crowd.end_some(random.choice([1, 20, 100]))
        if random.random() < 0.5:
            crowd.let_in()
        crowd.agree()
        crowd.put_back(crowd.take(random.choice([1, 100, 10_000])), random.choice([0.0, 0.5, 0.9, 1.0]))
        crowd.agree()
        if random.random() < 0.03:
            crowd.clock.now += random.choice([650.0, 4000.0])
    crowd.make_all_due()
    crowd.agree()
    assert len(crowd.take(1_000_000)) == len(crowd.table) == len(crowd.futures)
    crowd.table.cancel_all()
    assert crowd.table.in_calls == crowd.table.polling == 0
