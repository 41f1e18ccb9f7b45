"""Thread pools that come and go while many threads submit, with collections at any moment: the books are balanced.

`STRESS_SECONDS=600` makes it long.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed, wait
from typing import Any

import pytest
from support import PATIENCE

from more_executors import Executors

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("threads_taking_turns")]

SECONDS = float(os.environ.get("STRESS_SECONDS", "0.7"))
FEWEST_POOLS = 5  # however long that takes
MOST_PENDING = 1_000


class CallError(Exception):
    """What every third call raises."""


class Pools:
    """One pool after the other, with a layer on top or none, and what became of every call."""

    def __init__(self, wrap: Callable[[Any], Any]) -> None:
        self.wrap = wrap
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.futures: list[tuple[int, Future[Any]]] = []
        self.made: list[int] = []  # the numbers of the calls that were made; appending takes no lock
        self.numbers = iter(range(sys.maxsize))
        self.pools = 0
        self.executor = self.new()

    def new(self) -> Any:
        self.pools += 1
        return self.wrap(Executors.thread_pool(random.choice((1, 2, 8))))

    def call(self, number: int, deep: bool) -> int:
        self.made.append(number)
        if deep:
            self.submit(deep=False)
        if number % 3 == 2:
            raise CallError(number)
        return number

    def submit(self, deep: bool = True) -> None:
        if deep and len(self.futures) >= MOST_PENDING:
            time.sleep(0.0001)
            return
        with self.lock:
            number = next(self.numbers)
        try:
            future = self.executor.submit(self.call, number, deep and number % 16 == 0)
        except RuntimeError:  # after the shutdown of that one
            with self.lock:
                self.counts["refused"] += 1
            return
        future.add_done_callback(self.count_callback)
        with self.lock:
            self.counts["submitted"] += 1
            self.futures.append((number, future))

    def count_callback(self, future: Future[Any]) -> None:
        with self.lock:
            self.counts["called back"] += 1

    def wait_for_callbacks(self) -> None:
        """Of a pool that nobody waited for, the last may be called just now."""
        until = time.monotonic() + PATIENCE
        while self.counts["called back"] < self.counts["submitted"] and time.monotonic() < until:
            time.sleep(0.001)
        assert self.counts["called back"] == self.counts["submitted"]

    def cancel(self) -> None:
        with self.lock:
            future = random.choice(self.futures)[1] if self.futures else None
        if future is not None:
            future.cancel()

    def replace(self) -> None:
        """Go on with another pool; the one before is shut down in one of the ways there are, or dropped."""
        time.sleep(random.random() * 0.02)
        before, self.executor = self.executor, self.new()
        how = random.randrange(4)
        if how:
            before.shutdown(wait=how == 1, cancel_futures=how == 3)

    def look_up(self) -> None:
        """Take those that are done out of the books, and compare what they ended with."""
        with self.lock:
            futures, self.futures = self.futures, []
        pending = []
        for number, future in futures:
            if future.done():
                how = self.ended_as(number, future)
                with self.lock:
                    self.counts[how] += 1
            else:
                pending.append((number, future))
        with self.lock:
            self.futures += pending
        time.sleep(0.001)

    def ended_as(self, number: int, future: Future[Any]) -> str:
        try:
            found, how = future.result(), "returned"
        except CancelledError:
            return "cancelled"
        except CallError as error:
            found, how = error.args[0], "failed"
        assert found == number
        return how


def collect() -> None:
    gc.collect(random.choice((0, 0, 1, 2)))
    time.sleep(random.random() * 0.02)


LAYERS: dict[str, Callable[[Any], Any]] = {
    "bare": lambda pool: pool,
    "map": lambda pool: pool.with_map(lambda value: value),
    "throttle": lambda pool: pool.with_throttle(3),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_call_is_made_once_or_cancelled_whatever_becomes_of_its_pool(layer: str) -> None:
    pools = Pools(LAYERS[layer])
    until = time.monotonic() + SECONDS

    def repeat(function: Callable[[], object]) -> None:
        while time.monotonic() < until or pools.pools < FEWEST_POOLS:
            function()

    functions = (pools.submit, pools.submit, pools.cancel, pools.look_up, pools.replace, collect)
    with ThreadPoolExecutor(len(functions)) as threads:
        for done in as_completed([threads.submit(repeat, function) for function in functions]):
            done.result()
    pools.executor.shutdown()
    assert not wait([future for _, future in pools.futures], PATIENCE).not_done
    pools.look_up()
    assert pools.futures == []
    counts = pools.counts
    assert counts["submitted"] == counts["returned"] + counts["failed"] + counts["cancelled"]
    pools.wait_for_callbacks()
    assert len(pools.made) == len(set(pools.made)) == counts["returned"] + counts["failed"]
