"""How many poll calls a burst of submits causes: what joins within `min_interval` is polled together.

Without, the poll function is called whenever something has joined since the last call.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import OURS
from .volume_rows import BURST, NO_MIN_INTERVAL

pytestmark = pytest.mark.once

SECONDS = 5.0


def calls_for(submits: int, seconds: float, **options: Any) -> float:
    """How many calls are made while so many tasks are submitted in so many seconds, and until all are polled."""
    calls: list[int] = []

    def poll(descriptors: list[Any]) -> None:
        calls.append(len(descriptors))
        if len(descriptors) == submits:
            for descriptor in descriptors:
                descriptor.yield_result()

    with Executors.sync().with_poll(poll, default_interval=SECONDS, **options) as executor:
        start = time.monotonic()
        futures = []
        for number in range(submits):
            time.sleep(max(0.0, start + seconds * number / submits - time.monotonic()))
            futures.append(executor.submit(int, number))
        for future in futures:
            future.result()
    return len(calls)


@pytest.mark.parametrize(("who", "options"), [(OURS, {"min_interval": 1.0}), (NO_MIN_INTERVAL, {})])
def test_burst(bench: Bench, who: str, options: dict[str, float]) -> None:
    submits = bench.size(4_000)
    seconds = SECONDS * submits / 4_000
    bench.value(BURST, who, lambda: calls_for(submits, seconds, **options))
