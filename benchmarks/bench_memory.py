"""The memory of an outstanding task: future, descriptor, place in the table, and whatever else is kept for it.

As `tracemalloc` sees it. What the callable returned is the user's, here one and the same number for all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from .measuring import Bench
from .original import Original
from .rows import MEMORY, ORIGINAL, OURS, STDLIB_FUTURE
from .scheduled import Scheduled
from .volume_rows import MEMORY_SCHEDULED, NO_SCHEDULE
from .workload import Parked, traced_bytes

pytestmark = pytest.mark.once


def test_ours(bench: Bench) -> None:
    count = bench.size(100_000)
    parked = Parked()
    bench.value(MEMORY, OURS, lambda: traced_bytes(lambda: parked.submit(count), lambda: parked.futures, count))
    parked.close()


@pytest.mark.parametrize(("who", "make"), [(OURS, Scheduled), (NO_SCHEDULE, Parked)])
def test_with_a_schedule(bench: Bench, who: str, make: Callable[[], Parked | Scheduled]) -> None:
    count = bench.size(100_000)
    parked = make()

    def adopt() -> None:
        parked.futures = parked.executor.adopt_many([0] * count)

    bench.value(MEMORY_SCHEDULED, who, lambda: traced_bytes(adopt, lambda: parked.futures, count))
    parked.close()


def test_stdlib_future(bench: Bench) -> None:
    count = bench.size(100_000)
    kept: list[Future[None]] = []

    def make() -> None:
        kept.extend([Future() for _ in range(count)])

    bench.value(MEMORY, STDLIB_FUTURE, lambda: traced_bytes(make, lambda: kept, count))


def test_original(bench: Bench, original: Original) -> None:
    bench.value(MEMORY, ORIGINAL, lambda: original.measure("memory", bench.size(10_000)))
