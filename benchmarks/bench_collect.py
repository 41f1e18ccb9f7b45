"""How long Python's garbage collector holds everything up, by what is outstanding whose futures are in a list.

Ten full collections, one after another. The library hides what has been outstanding for long from the collector, and
shows it again now and then: so there are two figures, the median of the ten and the longest.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from .measuring import Bench
from .rows import (
    ASYNCIO_TASKS,
    BYTEARRAYS,
    COLLECT,
    COLLECT_LONGEST,
    LONGEST_PAUSES,
    OURS,
    PAUSES,
    STDLIB_FUTURE,
)
from .workload import Parked

Summary = Callable[[list[float]], float]


def pauses() -> list[float]:
    """Of ten full collections."""

    def pause() -> float:
        began = perf_counter()
        gc.collect()
        return perf_counter() - began

    return [pause() for _ in range(10)]


def with_ours(count: int) -> list[float]:
    parked = Parked()
    parked.submit(count)
    found = pauses()
    parked.close()
    return found


def with_bytearrays(count: int) -> list[float]:
    kept = [bytearray() for _ in range(count)]
    found = pauses()
    kept.clear()
    return found


def with_stdlib_futures(count: int) -> list[float]:
    kept: list[Future[Any]] = [Future() for _ in range(count)]
    found = pauses()
    kept.clear()
    return found


def with_asyncio_tasks(count: int) -> list[float]:
    """Each waits for a future of its own, as one that waits for a reply would."""

    async def collect() -> list[float]:
        loop = asyncio.get_running_loop()
        replies = [loop.create_future() for _ in range(count)]

        async def wait_for(reply: asyncio.Future[None]) -> None:
            await reply

        tasks = [asyncio.create_task(wait_for(reply)) for reply in replies]
        await asyncio.sleep(0)
        found = pauses()
        for reply in replies:
            reply.set_result(None)
        await asyncio.wait(tasks)
        return found

    return asyncio.run(collect())


@cache
def once(collect: Callable[[int], list[float]], count: int, turn: int) -> list[float]:
    """The median and the longest are of the same ten."""
    return collect(count)


both = pytest.mark.parametrize("summary", [median, max], ids=["median", "longest"])


@both
@pytest.mark.parametrize(
    ("who", "collect"), [(OURS, with_ours), (BYTEARRAYS, with_bytearrays)], ids=["ours", "bytearray"]
)
def test_a_million(bench: Bench, turn: int, summary: Summary, who: str, collect: Callable[[int], list[float]]) -> None:
    row = COLLECT if summary is median else COLLECT_LONGEST
    bench.value(row, who, lambda: summary(once(collect, bench.size(1_000_000), turn)))


@both
@pytest.mark.once
@pytest.mark.parametrize("nominal", PAUSES)
@pytest.mark.parametrize(
    ("who", "collect"),
    [(OURS, with_ours), (STDLIB_FUTURE, with_stdlib_futures), (ASYNCIO_TASKS, with_asyncio_tasks)],
    ids=["ours", "stdlib", "asyncio"],
)
def test_by_number(
    bench: Bench, turn: int, summary: Summary, who: str, collect: Callable[[int], list[float]], nominal: int
) -> None:
    rows = PAUSES if summary is median else LONGEST_PAUSES
    bench.value(rows[nominal], who, lambda: summary(once(collect, bench.size(nominal), turn)))
