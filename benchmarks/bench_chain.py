"""Submit to done through a chain of six executors, of which each of the six is charged the same.

The first reference is the same at a tenth of the size: the time is linear if the two are alike. The second is the pool
by itself, which is one of the six.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from .layers import CHAIN as CHAINED
from .layers import CHAIN_LENGTH, POOL_WORKERS, through
from .measuring import Bench
from .original import Original
from .rows import AT_5_000, BARE_POOL, CHAIN, CHAIN_NO_GC, CHAIN_SMALL, ORIGINAL, OURS, Row


def bare_pool() -> Executor:
    return ThreadPoolExecutor(max_workers=POOL_WORKERS)


collector = pytest.mark.parametrize(("row", "collecting"), [(CHAIN, True), (CHAIN_NO_GC, False)], ids=["gc", "no gc"])


@collector
@pytest.mark.parametrize(("who", "nominal", "rounds"), [(OURS, 50_000, 2), (AT_5_000, 5_000, 10)])
def test_growth(bench: Bench, row: Row, collecting: bool, who: str, nominal: int, rounds: int) -> None:
    bench.work(row, who, CHAINED, nominal, rounds=rounds, collecting=collecting, shared_by=CHAIN_LENGTH)


@collector
def test_bare_pool(bench: Bench, row: Row, collecting: bool) -> None:
    bench.work(row, BARE_POOL, through(bare_pool), 50_000, collecting=collecting)


def test_small(bench: Bench) -> None:
    bench.work(CHAIN_SMALL, OURS, CHAINED, 1_000, rounds=10, shared_by=CHAIN_LENGTH)


def test_original(bench: Bench, original: Original) -> None:
    bench.value(CHAIN_SMALL, ORIGINAL, lambda: original.measure("chain", bench.size(1_000)) / CHAIN_LENGTH)
