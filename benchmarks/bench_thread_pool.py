"""Submit to done, through a thread pool, and through one with a poll function that resolves at once what it is given.

The reference is the standard library's pool, bare. First many at a time, which is what pools are for, in wall time and
in processor time of all threads; then one at a time, where a thread is woken for each call, or two of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import (
    OURS,
    POOL,
    POOL_CPU,
    POOL_POLLED,
    POOL_POLLED_CPU,
    POOL_POLLED_SINGLE,
    POOL_SINGLE,
    STDLIB_POOL,
    Row,
)
from .workload import resolve

WORKERS = 16
ROUNDS = 3


def nothing() -> None:
    """What is called."""


def pool() -> Executor:
    return warm(Executors.thread_pool(max_workers=WORKERS))


def polled() -> Executor:
    return warm(Executors.thread_pool(max_workers=WORKERS).with_poll(resolve))


def stdlib() -> Executor:
    return warm(ThreadPoolExecutor(max_workers=WORKERS))


def warm(executor: Executor) -> Executor:
    """Have threads started."""
    for future in [executor.submit(nothing) for _ in range(100)]:
        future.result()
    return executor


def all_at_once(executor: Executor, count: int) -> None:
    for future in [executor.submit(nothing) for _ in range(count)]:
        future.result()


def one_by_one(executor: Executor, count: int) -> None:
    for _ in range(count):
        executor.submit(nothing).result()


def processor_seconds(make: Callable[[], Executor], count: int) -> float:
    """What one of so many takes, of all threads together, in the best of some rounds."""

    def seconds() -> float:
        with make() as executor:
            began = time.process_time()
            all_at_once(executor, count)
            return time.process_time() - began

    return min(seconds() for _ in range(ROUNDS)) / count


def sides(row: Row, ours: Callable[[], Executor]) -> list[tuple[Row, str, Callable[[], Executor]]]:
    return [(row, OURS, ours), (row, STDLIB_POOL, stdlib)]


@pytest.mark.parametrize(("row", "who", "make"), sides(POOL, pool) + sides(POOL_POLLED, polled))
def test_many_at_a_time(bench: Bench, row: Row, who: str, make: Callable[[], Executor]) -> None:
    count = bench.size(100_000)
    bench.time(
        row,
        who,
        lambda executor: all_at_once(executor, count),
        per=count,
        setup=make,
        teardown=Executor.shutdown,
        rounds=ROUNDS,
    )


@pytest.mark.parametrize(("row", "who", "make"), sides(POOL_CPU, pool) + sides(POOL_POLLED_CPU, polled))
def test_processor_time(bench: Bench, row: Row, who: str, make: Callable[[], Executor]) -> None:
    count = bench.size(100_000)
    bench.value(row, who, lambda: processor_seconds(make, count))


@pytest.mark.parametrize(("row", "who", "make"), sides(POOL_SINGLE, pool) + sides(POOL_POLLED_SINGLE, polled))
def test_one_at_a_time(bench: Bench, row: Row, who: str, make: Callable[[], Executor]) -> None:
    count = bench.size(5_000)
    bench.time(
        row,
        who,
        lambda executor: one_by_one(executor, count),
        per=count,
        setup=make,
        teardown=Executor.shutdown,
        rounds=ROUNDS,
    )
