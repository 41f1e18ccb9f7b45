"""What it takes to await 100,000 futures in asyncio, which another thread makes done once all are waited for.

Ours are polled ones, through `with_asyncio`, that the poll function resolves; the reference wraps futures of the
standard library, one by one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from .measuring import Bench
from .rows import ASYNCIO, OURS, WRAP_FUTURE
from .workload import Parked, resolve


class Ours:
    def __init__(self, count: int) -> None:
        self._parked = Parked()
        self._executor = self._parked.executor.with_asyncio()
        self._count = count

    def begin(self) -> list[asyncio.Future[Any]]:
        submit = self._executor.submit
        return [submit(int) for _ in range(self._count)]

    def make_done(self) -> None:
        self._parked.play(resolve)

    def close(self) -> None:
        self._parked.close()


class Wrapped:
    def __init__(self, count: int) -> None:
        self._futures: list[Future[Any]] = []
        self._count = count

    def begin(self) -> list[asyncio.Future[Any]]:
        self._futures = [Future() for _ in range(self._count)]
        return [asyncio.wrap_future(future) for future in self._futures]

    def make_done(self) -> None:
        for future in self._futures:
            future.set_result(0)

    def close(self) -> None:
        self._futures.clear()


async def gather(kind: Ours | Wrapped) -> None:
    gathered = asyncio.gather(*kind.begin())
    thread = threading.Thread(target=kind.make_done)
    thread.start()
    await gathered
    thread.join()


@pytest.mark.parametrize(("who", "kind"), [(OURS, Ours), (WRAP_FUTURE, Wrapped)], ids=["ours", "wrap_future"])
def test_gather(bench: Bench, who: str, kind: Callable[[int], Ours | Wrapped]) -> None:
    count = bench.size(100_000)

    def run(prepared: Ours | Wrapped) -> None:
        asyncio.run(gather(prepared))

    def teardown(prepared: Ours | Wrapped) -> None:
        prepared.close()

    bench.time(ASYNCIO, who, run, per=count, setup=lambda: kind(count), teardown=teardown, rounds=2)
