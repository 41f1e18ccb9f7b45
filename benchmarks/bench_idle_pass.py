"""A poll pass in which nothing is done yet: what is paid again and again while one waits.

Measured from the poll function's return to its next first line, with everything in between: the turn of the thread,
the new list, and the drop of the last one. The reference makes a copy of a list as long, of objects as scattered, and
drops it: no poll function can be given a list of its own for less.
"""

from __future__ import annotations

from typing import Any

from .measuring import Bench
from .rows import IDLE_PASS, OURS
from .workload import Parked, idle

PASSES = 20


def test_ours(bench: Bench) -> None:
    count = bench.size(100_000)

    def setup() -> Parked:
        parked = Parked()
        parked.submit(count)
        return parked

    def run(parked: Parked) -> None:
        parked.play(*[idle] * (PASSES - 1))  # one more pass parks the poll function again

    bench.time(IDLE_PASS, OURS, run, per=PASSES * count, setup=setup, teardown=Parked.close)


def test_copy_of_a_list(bench: Bench) -> None:
    count = bench.size(100_000)

    def setup() -> tuple[Parked, list[Any]]:
        parked = Parked()
        parked.submit(count)
        return parked, list(parked.futures)

    def run(prepared: tuple[Parked, list[Any]]) -> None:
        items = prepared[1]
        for _ in range(PASSES):
            list(items)

    def teardown(prepared: tuple[Parked, list[Any]]) -> None:
        prepared[0].close()

    bench.time(IDLE_PASS, "list(big_list)", run, per=PASSES * count, setup=setup, teardown=teardown)
