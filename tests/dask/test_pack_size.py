"""How many calls go into a pack."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed")

from more_executors.dask._pack import MOST_BYTES
from more_executors.dask._pack_size import GROWTH, MOST_CALLS, PackSize

MANY = 1_000_000  # calls that wait


def learned(*packs: tuple[float, int, int]) -> PackSize:
    size = PackSize()
    for seconds, calls, length in packs:
        size.learn(seconds, calls, length)
    return size


def test_the_first_call_goes_alone() -> None:
    assert PackSize().calls(MANY, 1) == 1


def test_short_calls_with_short_results_go_by_thousands() -> None:
    size = PackSize()
    for _ in range(10):
        calls = size.calls(MANY, 1)
        size.learn(1e-6 * calls, calls, 60 + 5 * calls)
    assert size.calls(MANY, 1) == MOST_CALLS
    assert size.calls(100, 2) == 50


def test_a_pack_returns_a_megabyte_at_most() -> None:
    assert learned((1e-6, 1, 100_000)).calls(MANY, 1) == GROWTH  # of which the largest had one
    assert learned((1e-6, 1, 100_000), (8e-6, 8, 800_000)).calls(MANY, 1) == MOST_BYTES // 100_000
    assert learned((1e-6, 1, 1_000_000)).calls(MANY, 1) == 1
    assert learned((1e-6, 1, 50_000_000)).calls(MANY, 1) == 1  # it has to go


def test_large_results_count_at_once_and_are_forgotten_by_and_by() -> None:
    size = learned((1e-6, MOST_CALLS, 5 * MOST_CALLS))
    assert size.calls(MANY, 1) == MOST_CALLS
    size.learn(1e-6, 1, 1_000_000)
    assert size.calls(MANY, 1) == 1
    size.learn(1e-6, 1, 5)
    assert size.calls(MANY, 1) == 2
    for _ in range(30):
        size.learn(1e-6, 1, 5)
    assert size.calls(MANY, 1) == MOST_CALLS
