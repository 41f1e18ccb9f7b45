"""Calls that take 100 ms, as those to a service do, several at a time.

Nothing but the calls takes long: so with 16 at a time 50,000 tasks should take little more than a 16th of the 50 s that
they take with one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import OURS
from .volume_rows import ASYNC_AT_ONCE, AT_ONCE
from .workload import resolve

pytestmark = pytest.mark.once

SECONDS = 0.1  # of a call


def slow_poll(descriptors: list[Any]) -> None:
    time.sleep(SECONDS)
    resolve(descriptors)


async def slow_async_poll(descriptors: list[Any]) -> None:
    await asyncio.sleep(SECONDS)
    resolve(descriptors)


def seconds_to_poll(poll_fn: Callable[[list[Any]], Any], tasks: int, **options: Any) -> float:
    """From adopting to done."""
    with Executors.sync().with_poll(poll_fn, **options) as executor:
        start = perf_counter()
        futures = executor.adopt_many(range(tasks))
        for future in futures:
            future.result()
        return perf_counter() - start


@pytest.mark.parametrize("most", AT_ONCE)
def test_threads(bench: Bench, most: int) -> None:
    tasks = bench.size(50_000)
    measure = lambda: seconds_to_poll(slow_poll, tasks, batch_size=100, max_concurrency=most)  # noqa: E731
    bench.value(AT_ONCE[most], OURS, measure)


def test_async(bench: Bench) -> None:
    tasks = bench.size(10_000)
    measure = lambda: seconds_to_poll(slow_async_poll, tasks, batch_size=1, max_concurrency=tasks)  # noqa: E731
    bench.value(ASYNC_AT_ONCE, OURS, measure)
