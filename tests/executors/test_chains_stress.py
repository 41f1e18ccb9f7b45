"""Everything at once on long chains: tasks that submit, fail and cancel at random; each future ends exactly once."""

from __future__ import annotations

import random
from concurrent.futures import Future
from typing import Any

import pytest
from chains import LONG, Counted, FlakyError, ended, make, some_orders
from support import SomeError, all_at_once

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("threads_taking_turns")]

OPERATIONS = 200  # on each of the threads; what they submit does more


class Workload:
    """A chain under stress, and what became of each of its futures. Random numbers come from `seed`."""

    def __init__(self, chain: str, seed: int) -> None:
        self.executor = make(chain)
        self.counted = Counted()
        self._seed = seed

    def submit(self, chosen: random.Random, depth: int = 0) -> None:
        number = chosen.randrange(1_000_000)
        try:
            future = self.counted.watch(self.executor.submit(self._task, number, depth))
        except RuntimeError:
            return  # shut down
        if number % 3 == 0:
            future.add_done_callback(lambda future: self._go_on(number, depth))

    def cancel(self, chosen: random.Random) -> None:
        if self.counted.futures:
            future = chosen.choice(self.counted.futures[-20:])
            if future.cancel():
                assert future.cancelled()

    def look(self, chosen: random.Random) -> None:
        if self.counted.futures:
            future = chosen.choice(self.counted.futures[-20:])
            repr(future)
            assert not future.done() or not future.running()

    def _task(self, number: int, depth: int) -> int:
        chosen = random.Random(number)
        chance = chosen.random()
        if chance < 0.2:
            raise SomeError(number)  # not one object on many threads: without a GIL, its traceback is not safe
        if chance < 0.4:
            raise FlakyError
        self._go_on(number, depth)
        return number

    def _go_on(self, number: int, depth: int) -> None:
        """What a task or a callback does: submit and cancel."""
        chosen = random.Random(number)
        if depth < 3 and chosen.random() < 0.4:
            self.submit(chosen, depth + 1)
        if chosen.random() < 0.2:
            self.cancel(chosen)

    def run(self, thread: int) -> None:
        chosen = random.Random(self._seed * 100 + thread)
        for _ in range(OPERATIONS):
            chosen.choices([self.submit, self.cancel, self.look], [6, 3, 1])[0](chosen)

    def check(self, future: Future[Any]) -> None:
        if ended(future) == "error":
            error = future.exception()
            refused = isinstance(error, RuntimeError) and "after shutdown" in str(error)
            assert isinstance(error, SomeError) or refused


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("chain", [*LONG, *some_orders(4), "sync poll throttle retry"])
@pytest.mark.parametrize("how", [{}, {"wait": False}, {"cancel_futures": True}], ids=["", "no wait", "cancelling"])
def test_each_future_ends_once_whatever_happens(chain: str, how: dict[str, bool], seed: int) -> None:
    workload = Workload(chain, seed)
    all_at_once(*(lambda thread=thread: workload.run(thread) for thread in range(3)))
    workload.executor.shutdown(**how)
    workload.counted.assert_each_ended_once()
    for future in workload.counted.futures:
        workload.check(future)
    assert len(workload.counted.futures) > OPERATIONS
