"""What one future costs over its life, by how many are outstanding: the points of the plot.

A life is: submit, one poll pass in vain, resolved in the next. The same for the original, for stdlib futures in a dict
and for one asyncio task per operation, each as cheap as it can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .measuring import Bench
from .original import Original
from .rivals import live_in_a_dict, live_in_asyncio_tasks
from .rows import ASYNCIO_TASKS, DICT_LOOP, ORIGINAL, OURS, PLOTTED
from .workload import Parked

pytestmark = pytest.mark.once
sizes = pytest.mark.parametrize("nominal", PLOTTED)
rivals = pytest.mark.parametrize(
    ("who", "live"), [(DICT_LOOP, live_in_a_dict), (ASYNCIO_TASKS, live_in_asyncio_tasks)], ids=["dict", "asyncio"]
)


def rounds_for(count: int) -> int:
    """More of them where they are short."""
    return max(1, min(10, 300_000 // count))


@sizes
def test_ours(bench: Bench, nominal: int) -> None:
    count = bench.size(nominal)

    def run(parked: Parked) -> None:
        parked.live(count)

    bench.time(PLOTTED[nominal], OURS, run, per=count, setup=Parked, teardown=Parked.close, rounds=rounds_for(nominal))


@sizes
@rivals
def test_rival(bench: Bench, nominal: int, who: str, live: Callable[[int], list[Any]]) -> None:
    count = bench.size(nominal)

    def run(kept: list[Any]) -> None:
        kept += live(count)

    def teardown(kept: list[Any]) -> None:
        assert all(future.done() for future in kept)
        kept.clear()

    bench.time(PLOTTED[nominal], who, run, per=count, setup=list, teardown=teardown, rounds=rounds_for(nominal))


@pytest.mark.parametrize("nominal", [count for count in PLOTTED if count <= 10_000])
def test_original(bench: Bench, original: Original, nominal: int) -> None:
    bench.value(PLOTTED[nominal], ORIGINAL, lambda: original.measure("live", bench.size(nominal)))
