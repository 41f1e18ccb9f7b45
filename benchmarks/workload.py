"""What this library and the original are both put through, by the public API alone.

The benchmarks import this for ours. For the original `jobs` does, which is run by the interpreter of the environment
that the original is installed in.
"""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter
from typing import Any

from more_executors import Executors

Scene = Callable[[list[Any]], object]


def idle(descriptors: list[Any]) -> None:
    """A poll in which no task turns out to be done."""


def resolve(descriptors: list[Any]) -> None:
    """A poll in which all are."""
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


class Parked:
    """A poll executor whose poll function blocks until it is told what to do.

    So its thread is out of the way of whatever is measured on another one. The delegate runs what is submitted at
    once: a submitted task is outstanding when `submit` returns.
    """

    def __init__(self, cancel_fn: Callable[[Any], object] | None = None, delegate: Any = None) -> None:
        self.futures: list[Future[Any]] = []
        self._scenes: list[Scene] = []
        self._cue = threading.Event()
        self._parked = threading.Event()
        self._over = False
        self.executor = (delegate or Executors.sync()).with_poll(self._poll, cancel_fn)
        self._parked.wait()

    def _poll(self, descriptors: list[Any]) -> int:
        if self._scenes:
            self._scenes.pop(0)(descriptors)
        elif not self._over:
            self._parked.set()
            self._cue.wait()
            self._cue.clear()
        return 0

    def play(self, *scenes: Scene) -> None:
        """Give each scene the list of one poll, then park again; one more poll than scenes is begun."""
        self._scenes = list(scenes)
        self._parked.clear()
        self._cue.set()
        self._parked.wait()

    def submit(self, count: int) -> None:
        """Have `count` more outstanding, and keep their futures."""
        submit = self.executor.submit
        self.futures += [submit(int) for _ in range(count)]

    def live(self, count: int) -> None:
        """Submit `count`, poll once in vain, resolve them all in the next poll."""
        self.submit(count)
        self.play(idle, resolve)

    def close(self) -> None:
        """Resolve what is outstanding and end the executor."""
        self._scenes = [resolve]
        self._over = True
        self._cue.set()
        self.executor.shutdown()
        self.futures.clear()


def seconds_to_submit(count: int) -> float:
    """What one of `count` submits takes."""
    parked = Parked()
    start = perf_counter()
    parked.submit(count)
    return (perf_counter() - start) / count


def seconds_to_cancel(count: int, sample: int = 50) -> float:
    """What one cancel takes while `count` are outstanding, the mean of the first `sample`."""
    parked = Parked(cancel_fn=agree)
    parked.submit(count)
    start = perf_counter()
    for future in parked.futures[:sample]:
        future.cancel()
    seconds = perf_counter() - start
    assert all(future.cancelled() for future in parked.futures[:sample])
    return seconds / min(sample, count)


def agree(result: object) -> bool:
    """A `cancel_fn` that succeeds."""
    return True


def seconds_to_live(count: int) -> float:
    """What one of `count` costs from submit to done, one idle pass included."""
    parked = Parked()
    start = perf_counter()
    parked.live(count)
    seconds = perf_counter() - start
    assert all(future.done() for future in parked.futures)
    return seconds / count


def bytes_outstanding(count: int) -> float:
    """The memory that one of `count` outstanding tasks takes, without the list we keep the futures in."""
    parked = Parked()
    return traced_bytes(lambda: parked.submit(count), lambda: parked.futures, count)


def traced_bytes(make: Callable[[], object], kept: Callable[[], list[Any]], count: int) -> float:
    """The memory in use after `make()` that was not before, per item of `count`, without the list `kept()`."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    make()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before - sys.getsizeof(kept())) / count
