"""For how long no other thread gets to run, while something is done to a million outstanding tasks.

A second thread looks at the clock without a pause and keeps the largest gap between two looks. It asks for the GIL
after 0.1 ms instead of Python's usual 5, so a gap is as long as the GIL was not given up, plus what the machine's
scheduler adds: a loop in Python, the reference, shows how much that is. The garbage collector is off: collections
of a million objects are long, of whatever they are, and the last row tells how long.

Least of the gaps of all turns, as a gap that is ours is there every time. Free-threaded builds have no GIL: there it is
the gaps of the scheduler that are measured.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from time import perf_counter
from typing import Any

import pytest

from .measuring import Bench
from .rows import (
    GIL_COLLECTION,
    GIL_EXIT,
    GIL_FAIL,
    GIL_HAND_OUT,
    GIL_JOIN,
    GIL_RESOLVE,
    GIL_SHUTDOWN,
    OURS,
    PYTHON_LOOP,
    STDLIB_FUTURE,
    Row,
)
from .workload import Parked, idle, resolve


def longest_gap(operation: Callable[[], object]) -> float:
    """The longest time another thread was kept from running while `operation()` ran."""
    gaps: list[float] = []
    watching, over = threading.Event(), threading.Event()

    def watch() -> None:
        longest, last = 0.0, perf_counter()
        watching.set()
        while not over.is_set():
            now = perf_counter()
            longest = max(longest, now - last)
            last = now
        gaps.append(longest)

    watcher = threading.Thread(target=watch)
    watcher.start()
    watching.wait()
    operation()
    over.set()
    watcher.join()
    return gaps[0]


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """The GIL is asked for soon, and no garbage collection falls into it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(interval)


@pytest.fixture
def parked() -> Iterator[Parked]:
    parked = Parked()
    yield parked
    parked.close()


def take_all(parked: Parked) -> None:
    parked.play(*[idle] * 10)


def resolve_all(parked: Parked) -> None:
    parked.play(resolve)


def fail_all(parked: Parked) -> None:
    def scene(descriptors: list[Any]) -> None:
        parked.executor.notify()  # or the next poll, in which it parks again, would wait for the interval
        raise ConnectionError

    parked.play(scene)


def shut_down(parked: Parked) -> None:
    parked.executor.shutdown(wait=False, cancel_futures=True)


def end_with_interpreter(parked: Parked) -> None:
    parked.executor._end_with_interpreter()


@pytest.mark.parametrize(
    ("row", "operation"),
    [
        (GIL_HAND_OUT, take_all),
        (GIL_RESOLVE, resolve_all),
        (GIL_FAIL, fail_all),
        (GIL_SHUTDOWN, shut_down),
        (GIL_EXIT, end_with_interpreter),
    ],
)
def test_operation(bench: Bench, parked: Parked, row: Row, operation: Callable[[Parked], None]) -> None:
    parked.submit(bench.size(1_000_000))
    bench.value(row, OURS, lambda: longest_gap(lambda: operation(parked)))


def test_joining(bench: Bench, parked: Parked) -> None:
    bench.value(GIL_JOIN, OURS, lambda: longest_gap(lambda: parked.submit(bench.size(1_000_000))))


def test_loop_in_python(bench: Bench) -> None:
    def loop() -> None:
        for _ in range(bench.size(10_000_000)):
            pass

    bench.value(GIL_HAND_OUT, PYTHON_LOOP, lambda: longest_gap(loop))


def test_collection(bench: Bench, parked: Parked) -> None:
    parked.submit(bench.size(1_000_000))
    bench.value(GIL_COLLECTION, OURS, lambda: longest_gap(gc.collect))


@pytest.mark.once
def test_collection_of_stdlib_futures(bench: Bench) -> None:
    kept: list[Future[None]] = [Future() for _ in range(bench.size(1_000_000))]
    bench.value(GIL_COLLECTION, STDLIB_FUTURE, lambda: longest_gap(gc.collect))
    kept.clear()
