"""A million outstanding, per future, beside a hundred thousand: the time is linear if the two are alike.

One life each: submit, one poll pass in vain, resolved by the poll function in the next, futures kept throughout.
"""

from __future__ import annotations

import pytest

from .measuring import Bench
from .rows import AT_100_000, MILLION, MILLION_NO_GC, OURS, Row
from .workload import Parked


@pytest.mark.parametrize(("row", "collecting"), [(MILLION, True), (MILLION_NO_GC, False)], ids=["gc", "no gc"])
@pytest.mark.parametrize(("who", "nominal"), [(OURS, 1_000_000), (AT_100_000, 100_000)])
def test_lives(bench: Bench, row: Row, collecting: bool, who: str, nominal: int) -> None:
    count = bench.size(nominal)

    def run(parked: Parked) -> None:
        parked.live(count)

    def teardown(parked: Parked) -> None:
        assert all(future.done() for future in parked.futures)
        parked.close()

    bench.time(row, who, run, per=count, setup=Parked, teardown=teardown, rounds=1, collecting=collecting)
