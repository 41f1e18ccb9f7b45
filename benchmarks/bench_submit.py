"""A new outstanding task, from `submit` until it is in the polled list.

On a sync delegate: that runs the callable, makes a future of its own and is done when `submit` returns, and all of
it is in the figure. Every future is kept, so that the garbage collector goes over what is outstanding, as in a program.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from .measuring import Bench
from .original import Original
from .rows import ORIGINAL, OURS, STDLIB_FUTURE, SUBMIT, SUBMIT_NO_GC, Row
from .workload import Parked

collector = pytest.mark.parametrize(("row", "collecting"), [(SUBMIT, True), (SUBMIT_NO_GC, False)], ids=["gc", "no gc"])


@collector
def test_ours(bench: Bench, row: Row, collecting: bool) -> None:
    count = bench.size(100_000)

    def run(parked: Parked) -> None:
        parked.submit(count)

    bench.time(row, OURS, run, per=count, setup=Parked, teardown=Parked.close, collecting=collecting)


@collector
def test_stdlib_future(bench: Bench, row: Row, collecting: bool) -> None:
    count = bench.size(100_000)

    def run(kept: list[Any]) -> None:
        kept += [Future() for _ in range(count)]

    bench.time(row, STDLIB_FUTURE, run, per=count, setup=list, teardown=list.clear, collecting=collecting)


def test_original(bench: Bench, original: Original) -> None:
    """At 10,000: it takes quadratic time once they are to be resolved, not yet here."""
    bench.value(SUBMIT, ORIGINAL, lambda: original.measure("submit", bench.size(10_000)))
