"""Submit to done, through a thread pool and a poll function that resolves at once what it is given.

The reference is the same pool bare: what is left is the price of polling on top. First many at a time, which is
what polling is for; then one at a time, where the poll thread is one more thread to wake for each.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import OURS, THREAD_POOL, THREAD_POOL_SINGLE
from .workload import resolve

WORKERS = 4


def polled() -> Executor:
    return warm(Executors.thread_pool(max_workers=WORKERS).with_poll(resolve))


def bare() -> Executor:
    return warm(ThreadPoolExecutor(max_workers=WORKERS))


def warm(executor: Executor) -> Executor:
    """Have all threads started."""
    for future in [executor.submit(int) for _ in range(100)]:
        future.result()
    return executor


kinds = pytest.mark.parametrize(("who", "make"), [(OURS, polled), ("the bare ThreadPoolExecutor", bare)])


@kinds
def test_many_at_a_time(bench: Bench, who: str, make: Callable[[], Executor]) -> None:
    count = bench.size(20_000)

    def run(executor: Executor) -> None:
        for future in [executor.submit(int) for _ in range(count)]:
            future.result()

    bench.time(THREAD_POOL, who, run, per=count, setup=make, teardown=Executor.shutdown, rounds=5)


@kinds
def test_one_at_a_time(bench: Bench, who: str, make: Callable[[], Executor]) -> None:
    count = bench.size(5_000)

    def run(executor: Executor) -> None:
        for _ in range(count):
            executor.submit(int).result()

    bench.time(THREAD_POOL_SINGLE, who, run, per=count, setup=make, teardown=Executor.shutdown)
