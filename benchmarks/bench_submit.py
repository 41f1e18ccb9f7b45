"""A new outstanding task, from `submit` until it is in the polled list.

On a sync delegate: that runs the callable, makes a future of its own and is done when `submit` returns, and all of
it is in the figure. Every future is kept, so that the garbage collector goes over what is outstanding, as in a program.
In all rows but the last the poll function is parked.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .original import Original
from .rows import (
    NO_GC,
    ORIGINAL,
    OURS,
    STDLIB_FUTURE,
    SUBMIT,
    SUBMIT_MANY,
    SUBMIT_MANY_POLLED,
    SUBMIT_NO_GC,
    Row,
)
from .workload import Parked, idle

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


without = pytest.mark.parametrize(("who", "collecting"), [(OURS, True), (NO_GC, False)], ids=["gc", "no gc"])


@without
def test_many(bench: Bench, who: str, collecting: bool) -> None:
    count = bench.size(300_000)

    def run(parked: Parked) -> None:
        parked.submit(count)

    bench.time(SUBMIT_MANY, who, run, per=count, setup=Parked, teardown=Parked.close, rounds=2, collecting=collecting)


class Polled:
    """An executor with no option set, whose poll function finds nothing done until the end."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.executor: Executor = Executors.sync().with_poll(idle)

    def submit(self, count: int) -> None:
        submit = self.executor.submit
        self.futures = [submit(int) for _ in range(count)]

    def close(self) -> None:
        self.executor.shutdown(cancel_futures=True)
        self.futures.clear()


@without
def test_many_while_it_polls(bench: Bench, who: str, collecting: bool) -> None:
    count = bench.size(300_000)

    def run(polled: Polled) -> None:
        polled.submit(count)

    bench.time(
        SUBMIT_MANY_POLLED,
        who,
        run,
        per=count,
        setup=Polled,
        teardown=Polled.close,
        rounds=2,
        collecting=collecting,
    )
