"""What it takes to go through 100,000 futures with `async for` as they are done, which another thread makes them.

The reference is `asyncio.as_completed` over futures of the standard library, each wrapped.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from more_executors._core import Future as OurFuture
from more_executors.asyncio import as_completed

from .measuring import Bench
from .rows import COMPLETIONS, OURS, WRAPPED_AS_COMPLETED

Futures = list[Future[Any]]


def end_all(futures: Futures) -> None:
    for future in futures:
        future.set_result(0)


async def through_ours(futures: Futures) -> None:
    completed = as_completed(futures)
    thread = threading.Thread(target=end_all, args=(futures,))
    thread.start()
    async for future in completed:
        future.result()
    thread.join()


async def through_wrapped(futures: Futures) -> None:
    wrapped = [asyncio.wrap_future(future) for future in futures]
    thread = threading.Thread(target=end_all, args=(futures,))
    thread.start()
    for future in asyncio.as_completed(wrapped):
        await future
    thread.join()


@pytest.mark.parametrize(
    ("who", "make", "run"),
    [(OURS, OurFuture, through_ours), (WRAPPED_AS_COMPLETED, Future, through_wrapped)],
    ids=["ours", "wrapped"],
)
def test_completions(bench: Bench, who: str, make: Any, run: Any) -> None:
    count = bench.size(100_000)
    setup = lambda: [make() for _ in range(count)]  # noqa: E731
    bench.time(COMPLETIONS, who, lambda futures: asyncio.run(run(futures)), per=count, setup=setup, rounds=2)
