"""`future.cancel()` of a task that is being polled, with a `cancel_fn` that agrees at once.

10,000 are outstanding, as the original's cost of one grows with their number: of it, 50 are cancelled, of ours all.
"""

from __future__ import annotations

from .measuring import Bench
from .original import Original
from .rows import CANCEL, ORIGINAL, OURS
from .workload import Parked, agree


def test_ours(bench: Bench) -> None:
    count = bench.size(10_000)

    def setup() -> Parked:
        parked = Parked(cancel_fn=agree)
        parked.submit(count)
        return parked

    def run(parked: Parked) -> None:
        for future in parked.futures:
            future.cancel()

    def teardown(parked: Parked) -> None:
        assert all(future.cancelled() for future in parked.futures)
        parked.close()

    bench.time(CANCEL, OURS, run, per=count, setup=setup, teardown=teardown)


def test_original(bench: Bench, original: Original) -> None:
    bench.value(CANCEL, ORIGINAL, lambda: original.measure("cancel", bench.size(10_000)))
