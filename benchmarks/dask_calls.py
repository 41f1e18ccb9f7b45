"""What workers of Dask import for the benchmarks."""

from __future__ import annotations

import pickle
from typing import Any

from more_executors import Executors, PollExecutor


def call_all(encoded: bytes) -> bytes:
    """What `abs` returns for each of the numbers, both as bytes: Dask looks at each item of a list."""
    return pickle.dumps([abs(number) for number in pickle.loads(encoded)])


def poll_all(descriptors: list[Any]) -> None:
    """Ends all tasks."""
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def make_shard() -> PollExecutor[Any, Any, Any]:
    """What starts and polls such tasks."""
    return Executors.thread_pool(2).with_poll(poll_all, default_interval=0.5)


def started(number: int) -> int:
    """Starts a task of nothing."""
    return number
