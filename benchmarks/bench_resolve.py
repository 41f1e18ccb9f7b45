"""Resolving tasks in a poll function: `for d in descriptors: d.yield_result(d.result)`.

Each future becomes done and its task leaves the table in that call. The reference is the floor of any such loop: of
each of as many objects made in C, one attribute is read and handed to a method that keeps it, and no more is done.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from .measuring import Bench
from .rows import DICT_LOOP, METHOD_CALL, OURS, RESOLVE, RESOLVE_MILLION, Row
from .workload import Parked, resolve


class Handed:
    """A parked executor, and the descriptors that a poll function of it was given."""

    def __init__(self, count: int) -> None:
        self.parked = Parked()
        self.parked.submit(count)
        self.parked.play(self.take)

    def take(self, descriptors: list[Any]) -> None:
        self.descriptors = descriptors

    def resolve(self) -> None:
        resolve(self.descriptors)

    def close(self) -> None:
        assert all(future.done() for future in self.parked.futures)
        self.parked.close()
        self.descriptors.clear()


rows = pytest.mark.parametrize(
    ("row", "nominal", "rounds"), [(RESOLVE, 100_000, 5), (RESOLVE_MILLION, 1_000_000, 2)], ids=["100,000", "1,000,000"]
)


@rows
def test_ours(bench: Bench, row: Row, nominal: int, rounds: int) -> None:
    count = bench.size(nominal)
    bench.time(row, OURS, Handed.resolve, per=count, setup=lambda: Handed(count), teardown=Handed.close, rounds=rounds)


@rows
def test_floor(bench: Bench, row: Row, nominal: int, rounds: int) -> None:
    count = bench.size(nominal)

    def run(errors: list[ValueError]) -> None:
        for error in errors:
            error.with_traceback(error.__traceback__)

    def setup() -> list[ValueError]:
        return [ValueError() for _ in range(count)]

    bench.time(row, METHOD_CALL, run, per=count, setup=setup, rounds=rounds)


@pytest.mark.once
def test_dict_loop(bench: Bench) -> None:
    """What the loop does where futures are kept in a dict by hand."""
    count = bench.size(100_000)

    def setup() -> dict[int, Future[int]]:
        return {key: Future() for key in range(count)}

    def run(outstanding: dict[int, Future[int]]) -> None:
        for key, future in list(outstanding.items()):
            del outstanding[key]
            future.set_result(key)

    bench.time(RESOLVE, DICT_LOOP, run, per=count, setup=setup)
