"""From `notify()` to the first line of the poll function, which runs on a thread that was asleep.

The reference is what any wake-up of a thread takes: `threading.Event.set()` to the line after its `wait()`. Each is
the median of many, one at a time, with a pause before each so that the thread is asleep.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from more_executors import Executors

from .measuring import Bench
from .rows import EVENT, NOTIFY, OURS


class Arrival:
    """When a thread came to the line that calls `note`."""

    def __init__(self) -> None:
        self._at = 0.0
        self._noted = threading.Event()

    def note(self, at: float) -> None:
        self._at = at
        self._noted.set()

    def seconds_after(self, wake: Callable[[], object]) -> float:
        """How long after the call of `wake()` that was."""
        self._noted.clear()
        time.sleep(0.0005)
        start = perf_counter()
        wake()
        self._noted.wait()
        return self._at - start


def median_of(count: int, arrival: Arrival, wake: Callable[[], object]) -> float:
    return median(arrival.seconds_after(wake) for _ in range(count))


def test_ours(bench: Bench) -> None:
    arrival = Arrival()

    def poll(descriptors: list[Any]) -> float:
        arrival.note(perf_counter())
        return math.inf

    with Executors.sync().with_poll(poll) as executor:
        bench.value(NOTIFY, OURS, lambda: median_of(bench.size(1_000), arrival, executor.notify))


def test_event(bench: Bench) -> None:
    arrival, event, over = Arrival(), threading.Event(), threading.Event()

    def sleep_and_note() -> None:
        while not over.is_set():
            event.wait()
            arrival.note(perf_counter())
            event.clear()

    thread = threading.Thread(target=sleep_and_note)
    thread.start()
    bench.value(NOTIFY, EVENT, lambda: median_of(bench.size(1_000), arrival, event.set))
    over.set()
    event.set()
    thread.join()
