"""A thread that polls without a pause rests now and then: other threads get the GIL without having to insist."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import executor_thread
from more_executors._runtime.executor_thread import LONGEST_RUN, REST

CALL = LONGEST_RUN / 4


@pytest.mark.parametrize(
    ("delay", "rests", "options"), [(0, True, {}), (0, True, {"batch_size": 1, "min_interval": 0}), (1e-9, False, {})]
)
def test_a_thread_that_polls_without_a_pause_rests_now_and_then(
    monkeypatch: pytest.MonkeyPatch, delay: float, rests: bool, options: dict[str, Any]
) -> None:
    now, calls = 0.0, 0
    rested: list[float] = []

    def sleep(seconds: float) -> None:
        assert seconds == REST
        rested.append(now)

    def poll(descriptors: list[Any]) -> float:
        nonlocal now, calls
        now += CALL
        calls += 1
        if calls < 100:
            return delay
        for descriptor in descriptors:
            descriptor.yield_result()
        return inf

    monkeypatch.setattr(executor_thread, "monotonic", lambda: now)
    monkeypatch.setattr(executor_thread, "sleep", sleep)
    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        executor.submit(int).result()
    assert len(rested) > 10 if rests else rested == []
    assert all(LONGEST_RUN <= later - earlier <= LONGEST_RUN + 3 * CALL for earlier, later in pairwise(rested))
