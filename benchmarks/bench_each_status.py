"""What `EachStatus` adds to requests, one for each task, 64 of them under way at a time.

The reference is 64 coroutines of one loop that take one id after the other, as one would write it by hand. Once with a
request that does nothing, in processor time, and once with real ones, of aiohttp, over loopback.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from more_executors import EachStatus, Executors

from .answering import answering
from .measuring import Bench
from .rows import OURS
from .volume_rows import EACH_REQUEST, EACH_STATUS_CPU, WORKERS

MOST = 64
TASKS = 100_000
REQUESTS = 20_000
ROUNDS = 3

FetchOne = Callable[[int], Awaitable[int]]


async def nothing(task_id: int) -> int:
    await asyncio.sleep(0)
    return task_id


def resolve(descriptor: Any, status: int) -> None:
    descriptor.yield_result(status)


def ours(fetch_one: FetchOne, count: int, **hooks: Any) -> None:
    poll = EachStatus(fetch_one, resolve, max_concurrency=MOST)
    with Executors.sync().with_poll(poll, default_interval=3600, **hooks) as executor:
        for future in executor.adopt_many(range(count)):
            future.result()


async def by_workers(fetch_one: FetchOne, count: int) -> None:
    ids = iter(range(count))
    statuses: dict[int, int] = {}

    async def work() -> None:
        for task_id in ids:
            statuses[task_id] = await fetch_one(task_id)

    await asyncio.gather(*(work() for _ in range(MOST)))
    assert len(statuses) == count


class Client:
    """One of aiohttp."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session: Any = None

    async def open(self) -> None:
        aiohttp = pytest.importorskip("aiohttp")
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MOST))

    async def close(self) -> None:
        await self._session.close()

    async def get(self, task_id: int) -> int:
        async with self._session.get(f"{self._address}/tasks/{task_id}") as reply:
            number: int = (await reply.json())["number"]
            return number

    def by_workers(self, count: int) -> None:
        async def main() -> None:
            await self.open()
            await by_workers(self.get, count)
            await self.close()

        asyncio.run(main())

    def ours(self, count: int) -> None:
        ours(self.get, count, open_fn=self.open, close_fn=self.close)


def processor_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def test_our_part(bench: Bench) -> None:
    count = bench.size(TASKS)
    bench.value(
        EACH_STATUS_CPU,
        OURS,
        lambda: min(processor_seconds(lambda: ours(nothing, count)) for _ in range(ROUNDS)) / count,
    )


def test_by_workers(bench: Bench) -> None:
    count = bench.size(TASKS)
    once = lambda: processor_seconds(lambda: asyncio.run(by_workers(nothing, count)))  # noqa: E731
    bench.value(EACH_STATUS_CPU, WORKERS, lambda: min(once() for _ in range(ROUNDS)) / count)


@pytest.mark.parametrize("who", [OURS, WORKERS])
def test_requests(bench: Bench, who: str) -> None:
    pytest.importorskip("aiohttp")
    count = bench.size(REQUESTS)
    with answering() as address:
        client = Client(address)
        run = client.ours if who == OURS else client.by_workers
        bench.time(EACH_REQUEST, who, lambda _: run(count), per=count, rounds=ROUNDS)
