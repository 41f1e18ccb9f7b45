"""Resolving on two threads at the same time, half of the tasks each, without a GIL: by how much more is done.

The reference is one thread that resolves as many. Where there is a GIL, two threads cannot do more than one.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from .measuring import Bench
from .rows import ONE_THREAD, OURS, TWO_THREADS
from .workload import Parked, resolve

pytestmark = pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has a GIL: two threads that resolve take turns"
)


class Handed:
    """As many tasks for each thread, of one executor, and their descriptors."""

    def __init__(self, count: int, threads: int) -> None:
        self._parked = Parked()
        self._parked.submit(count * threads)
        self._shares: list[list[Any]] = []
        self._count = count
        self._parked.play(self._take)

    def _take(self, descriptors: list[Any]) -> None:
        starts = range(0, len(descriptors), self._count)
        self._shares = [descriptors[start : start + self._count] for start in starts]

    def seconds(self) -> float:
        """From the moment that all threads are there until the last is done."""
        barrier = threading.Barrier(len(self._shares) + 1)

        def work(share: list[Any]) -> None:
            barrier.wait()
            resolve(share)

        threads = [threading.Thread(target=work, args=[share]) for share in self._shares]
        for thread in threads:
            thread.start()
        barrier.wait()
        began = perf_counter()
        for thread in threads:
            thread.join()
        return perf_counter() - began

    def close(self) -> None:
        assert all(future.done() for future in self._parked.futures)
        self._parked.close()


def seconds_with(threads: int, count: int) -> float:
    """For one future, the best of three."""

    def once() -> float:
        handed = Handed(count, threads)
        seconds = handed.seconds()
        handed.close()
        return seconds

    return min(once() for _ in range(3)) / (count * threads)


@pytest.mark.parametrize(("who", "threads"), [(OURS, 2), (ONE_THREAD, 1)])
def test_resolving(bench: Bench, who: str, threads: int) -> None:
    measure: Callable[[], float] = lambda: seconds_with(threads, bench.size(200_000))  # noqa: E731
    bench.value(TWO_THREADS, who, measure)
