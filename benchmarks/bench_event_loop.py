"""Coroutines that do nothing, through an executor with an event loop: what it takes to start one, submit to done.

The reference is the same coroutines as tasks of asyncio, made and awaited on one loop. In wall time and in processor
time of all threads: what ours takes more is our own part of a start.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from more_executors import EventLoopExecutor, Executors

from .measuring import Bench
from .rows import ASYNCIO_ALONE, EVENT_LOOP, EVENT_LOOP_CPU, OURS

ROUNDS = 3


async def nothing() -> None:
    """What is started."""


def warm() -> EventLoopExecutor:
    """One whose thread has been started."""
    executor = Executors.event_loop()
    executor.submit(nothing).result()
    return executor


def through_executor(executor: EventLoopExecutor, count: int) -> None:
    for future in [executor.submit(nothing) for _ in range(count)]:
        future.result()


async def as_tasks(count: int) -> None:
    for task in [asyncio.create_task(nothing()) for _ in range(count)]:
        await task


def processor_seconds(run: Callable[[], object], count: int) -> float:
    """What one of so many takes, of all threads together."""
    began = time.process_time()
    run()
    return (time.process_time() - began) / count


def ours_of_processor(count: int) -> float:
    with warm() as executor:
        return processor_seconds(lambda: through_executor(executor, count), count)


def test_executor(bench: Bench) -> None:
    count = bench.size(100_000)
    bench.time(
        EVENT_LOOP,
        OURS,
        lambda executor: through_executor(executor, count),
        per=count,
        setup=warm,
        teardown=EventLoopExecutor.shutdown,
        rounds=ROUNDS,
    )


def test_tasks(bench: Bench) -> None:
    count = bench.size(100_000)
    bench.time(EVENT_LOOP, ASYNCIO_ALONE, lambda _: asyncio.run(as_tasks(count)), per=count, rounds=ROUNDS)


def test_processor_time(bench: Bench) -> None:
    count = bench.size(100_000)
    bench.value(EVENT_LOOP_CPU, OURS, lambda: min(ours_of_processor(count) for _ in range(ROUNDS)))


def test_processor_time_of_tasks(bench: Bench) -> None:
    count = bench.size(100_000)
    seconds = lambda: processor_seconds(lambda: asyncio.run(as_tasks(count)), count)  # noqa: E731
    bench.value(EVENT_LOOP_CPU, ASYNCIO_ALONE, lambda: min(seconds() for _ in range(ROUNDS)))
