"""Tables that grow large and small again, on many threads, with collections at any moment: the books are balanced.

`STRESS_SECONDS=600 STRESS_TASKS=200000` make it long and large.
"""

from __future__ import annotations

import gc
import itertools
import os
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from typing import Any

import pytest
from support import is_gone

from more_executors import PollExecutor, SyncExecutor

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("threads_taking_turns")]

SECONDS = float(os.environ.get("STRESS_SECONDS", "1.5"))
TASKS = int(os.environ.get("STRESS_TASKS", "15000"))  # so many at most: half as many again as make a table large


class EndedError(Exception):
    """What every third task fails with."""


class Tides:
    """An executor whose tasks come in floods and go in ebbs; each ends as its number says, or cancelled."""

    def __init__(self, **options: Any) -> None:
        self.numbers = itertools.count()
        self.is_flood = True
        self.turns = 0
        self.seen = 0  # how many had been made by the last poll
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.futures: list[tuple[int, Future[Any]]] = []
        self.executor = PollExecutor(SyncExecutor(), self.poll, default_interval=0.001, **options)

    def poll(self, descriptors: list[Any]) -> float:
        if self.is_flood != (len(descriptors) < (TASKS if self.is_flood else TASKS // 10)):
            self.is_flood = not self.is_flood
            self.turns += 1
        made = self.counts["made"]
        ends = min(len(descriptors) // 50, (made - self.seen) // 2) if self.is_flood else len(descriptors) // 3
        self.seen = made  # in a flood fewer end than come, whichever thread is slow: so it gets there
        for descriptor in random.sample(descriptors, ends):
            number = descriptor.result if isinstance(descriptor.result, int) else descriptor.result[0]
            if number % 3 == 0:
                descriptor.yield_result(number)
            elif number % 3 == 1:
                descriptor.yield_result([number])
            else:
                descriptor.yield_exception(EndedError(number))
        return 0.0

    def join(self) -> None:
        if not self.is_flood and self.executor.stats().outstanding:  # of none, no poll would say that the ebb is over
            time.sleep(0.0001)
            return
        some = [next(self.numbers) for _ in range(100)]
        made = self.executor.adopt_many([n if n % 2 else (n, self) for n in some])
        made[0].add_done_callback(self.count_callback)
        with self.lock:
            self.counts["made"] += len(made)
            self.futures += zip(some, made, strict=True)

    def count_callback(self, future: Future[Any]) -> None:
        with self.lock:
            self.counts["called back"] += 1

    def cancel(self) -> None:
        with self.lock:
            future = random.choice(self.futures)[1] if self.futures else None
        if future is not None:
            future.cancel()

    def look_up(self) -> None:
        """Take those that are done out of the books, and compare what they ended with."""
        with self.lock:
            futures, self.futures = self.futures, []
        pending = []
        for number, future in futures:
            if not future.done():
                pending.append((number, future))
                continue
            how = ended_as(number, future)
            with self.lock:
                self.counts[how] += 1
        with self.lock:
            self.futures += pending


def ended_as(number: int, future: Future[Any]) -> str:
    try:
        result = future.result()
    except CancelledError:
        return "cancelled"
    except EndedError as error:
        result = error.args
    assert result == [number, [number], (number,)][number % 3]
    return "failed" if number % 3 == 2 else "resolved"


def collect() -> None:
    """Half of the time at most: where there is no GIL, all other threads stand still meanwhile."""
    began = time.monotonic()
    gc.collect(random.choice((0, 0, 1, 2)))
    time.sleep(max(random.random() * 0.02, time.monotonic() - began))


def repeat(tides: Tides, until: float, function: Callable[[], object]) -> None:
    while time.monotonic() < until or tides.turns < 2:
        function()


@pytest.mark.parametrize("options", [{}, {"batch_size": 1_000_000, "min_interval": 0.0}], ids=["whole list", "due"])
def test_tasks_of_large_tables_end_once_whenever_there_is_a_collection(options: dict[str, Any]) -> None:
    tides = Tides(**options)
    until = time.monotonic() + SECONDS
    functions = (tides.join, tides.join, tides.cancel, tides.look_up, collect)
    with ThreadPoolExecutor(len(functions)) as pool:
        for done in as_completed([pool.submit(repeat, tides, until, function) for function in functions]):
            done.result()
    tides.executor.cancel_all()
    tides.executor.shutdown()
    tides.look_up()
    assert tides.futures == []
    counts = tides.counts
    assert counts["made"] == counts["resolved"] + counts["failed"] + counts["cancelled"]
    assert counts["called back"] == counts["made"] // 100
    gone = weakref.ref(tides)
    del tides, functions
    assert is_gone(gone)
