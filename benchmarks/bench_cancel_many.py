"""Cancelling many tasks of a service that takes 30 ms to cancel one, 16 at a time; one by one takes 9 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import OURS
from .volume_rows import CANCEL_AT_ONCE

pytestmark = pytest.mark.once

SECONDS = 0.03  # of a call


def cancel(result: Any) -> bool:
    time.sleep(SECONDS)
    return True


async def cancel_async(result: Any) -> bool:
    await asyncio.sleep(SECONDS)
    return True


def seconds_to_cancel(cancel_fn: Callable[[Any], Any], tasks: int) -> float:
    """From `shutdown` to its end."""
    executor = Executors.sync().with_poll(lambda descriptors: inf, cancel_fn, max_concurrency=16)
    futures = executor.adopt_many(range(tasks))
    start = perf_counter()
    executor.shutdown(cancel_futures=True)
    seconds = perf_counter() - start
    assert all(future.cancelled() for future in futures)
    return seconds


@pytest.mark.parametrize(("what", "cancel_fn"), list(zip(CANCEL_AT_ONCE, (cancel, cancel_async), strict=True)))
def test_shutdown(bench: Bench, what: str, cancel_fn: Callable[[Any], Any]) -> None:
    tasks = bench.size(300)
    bench.value(CANCEL_AT_ONCE[what], OURS, lambda: seconds_to_cancel(cancel_fn, tasks))
