"""Thousands of calls, several at a time, whatever happens meanwhile: nothing is lost, and nothing shared."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from paced_support import paced
from support import PATIENCE, InThread

from more_executors.rate_limit import RateLimit


@pytest.mark.parametrize("options", [{}, {"max_concurrency": 4}], ids=["on its own thread", "on threads"])
def test_a_thousand_batches_lose_nothing_and_share_nothing(options: dict[str, Any]) -> None:
    polls: Counter[int] = Counter()
    in_call: set[int] = set()
    lock = threading.Lock()
    twice: list[int] = []

    def poll(descriptors: list[Any]) -> float:
        mine = [descriptor.result for descriptor in descriptors]
        with lock:
            twice.extend(in_call.intersection(mine))
            in_call.update(mine)
            polls.update(mine)
            due = [descriptor for descriptor in descriptors if polls[descriptor.result] >= 2]
        with lock:
            in_call.difference_update(mine)
        for descriptor in due:
            descriptor.yield_result(descriptor.result)
        return 0

    with paced(poll, batch_size=100, **options) as executor:
        futures = executor.adopt_many(range(50_000))
        assert [future.result(PATIENCE) for future in futures] == list(range(50_000))
        assert not twice
        assert set(polls.values()) == {2}
    stats = executor.stats()  # now that the last ones have returned and are counted
    assert (stats.outstanding, stats.in_calls, stats.done) == (0, 0, 50_000)
    assert stats.calls >= 1000


def test_calls_and_cancels_and_joins_and_notifies_all_at_once() -> None:
    def poll(descriptors: list[Any]) -> float:
        assert descriptors
        for descriptor in descriptors:
            if descriptor.polls >= 3:
                descriptor.yield_result(descriptor.result)
            elif descriptor.result % 3 == 0:
                descriptor.poll_after(0)
            elif descriptor.result % 7 == 0:
                descriptor.restart_backoff()
        return 0.0

    def join(first: int) -> list[Any]:
        futures = [executor.adopt(i) for i in range(first, first + 300)]
        for future in futures[::5]:
            future.cancel()
            executor.notify()
        return futures

    limit = RateLimit(1e6, burst=1000)
    with paced(poll, batch_size=7, max_concurrency=3, group_by=lambda i: i % 4, rate_limit=limit) as executor:
        threads = [InThread(join, 1000 * i) for i in range(4)]
        futures = [future for thread in threads for future in thread.outcome()]
        for future in futures:
            assert future.cancelled() or future.result(PATIENCE) is not None
    stats = executor.stats()
    assert (stats.outstanding, stats.in_calls, stats.done) == (0, 0, 1200)
    assert stats.errors == stats.failed == 0
