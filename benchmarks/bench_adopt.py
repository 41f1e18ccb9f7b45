"""Futures for tasks that exist already: `adopt` and `adopt_many`, until the tasks are in the polled list.

All futures are kept. The poll function is parked.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from .measuring import Bench
from .rows import OURS, STDLIB_FUTURE, Row
from .volume_rows import ADOPT, ADOPT_MANY, ADOPT_MANY_NO_GC, ADOPT_NO_GC
from .workload import Parked

one_by_one = pytest.mark.parametrize(("row", "collecting"), [(ADOPT, True), (ADOPT_NO_GC, False)], ids=["gc", "no gc"])
at_once = pytest.mark.parametrize(
    ("row", "collecting"), [(ADOPT_MANY, True), (ADOPT_MANY_NO_GC, False)], ids=["gc", "no gc"]
)


@one_by_one
def test_one_by_one(bench: Bench, row: Row, collecting: bool) -> None:
    count = bench.size(100_000)

    def run(parked: Parked) -> None:
        adopt = parked.executor.adopt
        parked.futures += [adopt(number) for number in range(count)]

    bench.time(row, OURS, run, per=count, setup=Parked, teardown=Parked.close, collecting=collecting)


@at_once
def test_at_once(bench: Bench, row: Row, collecting: bool) -> None:
    count = bench.size(1_000_000)
    tasks = list(range(count))

    def run(parked: Parked) -> None:
        parked.futures = parked.executor.adopt_many(tasks)

    bench.time(row, OURS, run, per=count, setup=Parked, teardown=Parked.close, rounds=2, collecting=collecting)


@one_by_one
def test_stdlib_future(bench: Bench, row: Row, collecting: bool) -> None:
    count = bench.size(100_000)

    def run(kept: list[Any]) -> None:
        kept += [Future() for _ in range(count)]

    bench.time(row, STDLIB_FUTURE, run, per=count, setup=list, teardown=list.clear, collecting=collecting)
