"""Joining the polled list while it is being polled: `adopt`, on another thread than the one that polls.

That polls 100,000 tasks in calls of 1,000 without a pause: all are due again at once, and the poll function looks at
each. So two threads want the GIL, and hold it for some ms in turn. In some runs one of them comes off badly: of five
runs the slowest counts, and of the reference the median. They are made in turns, as how fast the machine is changes
within seconds. The garbage collector is off.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import OURS
from .volume_rows import JOIN_MEANWHILE, UNDISTURBED

pytestmark = pytest.mark.once

RUNS = 5


class Polled:
    """An executor that polls `count` tasks over and over, or if it is not `busy`, once and no more."""

    def __init__(self, count: int, busy: bool) -> None:
        self._over = False
        self._interval = 0.0 if busy else 3600.0
        self.executor = Executors.sync().with_poll(self._poll, batch_size=1_000, min_interval=self._interval)
        self._futures = self.executor.adopt_many(range(count))

    def _poll(self, descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result is None or self._over:
                descriptor.yield_result()
        return self._interval

    def join(self, count: int) -> None:
        adopt = self.executor.adopt
        self._futures += [adopt(number) for number in range(count)]

    def close(self) -> None:
        self._over = True
        self.executor.notify()
        self.executor.shutdown()


def seconds_to_join(count: int, busy: bool) -> float:
    """What one of so many takes."""
    polled = Polled(count, busy)
    gc.collect()
    gc.disable()
    began = perf_counter()
    polled.join(count)
    seconds = perf_counter() - began
    gc.enable()
    polled.close()
    return seconds / count


@cache
def runs(count: int) -> dict[bool, list[float]]:
    """What one of so many takes in each run, by whether it is busy."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(RUNS):
        for busy, seconds in taken.items():
            seconds.append(seconds_to_join(count, busy))
    return taken


@pytest.mark.parametrize(("who", "busy", "summary"), [(OURS, True, max), (UNDISTURBED, False, median)])
def test_joining(bench: Bench, who: str, busy: bool, summary: Callable[[list[float]], float]) -> None:
    bench.value(JOIN_MEANWHILE, who, lambda: summary(runs(bench.size(100_000))[busy]))
