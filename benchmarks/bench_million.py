"""A million outstanding, per future, beside a hundred thousand: the time is linear if the two are alike.

One life each: submit, one poll pass in vain, resolved by the poll function in the next, futures kept throughout. In the
first rows the poll function is parked while tasks are submitted; in the last it is called as it is by default, which
is whenever something has joined, as often as the executor lets it.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import AT_100_000, MILLION, MILLION_NO_GC, MILLION_POLLED, OURS, Row
from .workload import Parked, resolve

sizes = pytest.mark.parametrize(("who", "nominal"), [(OURS, 1_000_000), (AT_100_000, 100_000)])


@pytest.mark.parametrize(("row", "collecting"), [(MILLION, True), (MILLION_NO_GC, False)], ids=["gc", "no gc"])
@sizes
def test_lives(bench: Bench, row: Row, collecting: bool, who: str, nominal: int) -> None:
    count = bench.size(nominal)

    def run(parked: Parked) -> None:
        parked.live(count)

    def teardown(parked: Parked) -> None:
        assert all(future.done() for future in parked.futures)
        parked.close()

    bench.time(row, who, run, per=count, setup=Parked, teardown=teardown, rounds=1, collecting=collecting)


class Polled:
    """An executor with no option set. Nothing is resolved before all have been handed out once in vain."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self._count = 0
        self._passed = threading.Event()
        self.executor = Executors.sync().with_poll(self._poll)

    def _poll(self, descriptors: list[Any]) -> None:
        if self._passed.is_set():
            resolve(descriptors)
        elif len(descriptors) == self._count:
            self._passed.set()

    def live(self, count: int) -> None:
        submit = self.executor.submit
        self._count = count
        self.futures = [submit(int) for _ in range(count)]
        self.executor.notify()
        self._passed.wait()
        self.executor.notify()
        for future in self.futures:
            future.result()

    def close(self) -> None:
        self.executor.shutdown()
        self.futures.clear()


@sizes
def test_lives_while_it_polls(bench: Bench, who: str, nominal: int) -> None:
    count = bench.size(nominal)

    def run(polled: Polled) -> None:
        polled.live(count)

    bench.time(MILLION_POLLED, who, run, per=count, setup=Polled, teardown=Polled.close, rounds=1)
