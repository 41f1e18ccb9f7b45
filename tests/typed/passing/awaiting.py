"""Asyncio futures, at the end of a chain."""

# pyright: strict

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from more_executors import AsyncioExecutor, Executors

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def download(url: str, seconds: float = 5.0) -> bytes:
    return f"{url} {seconds}".encode()


def nothing(error: BaseException) -> None:
    return None


async def downloads() -> None:
    with Executors.thread_pool(1).with_asyncio() as executor:
        future = executor.submit(download, "url", seconds=1)
        assert_type(future, asyncio.Future[bytes])
        assert_type(await future, bytes)
        loop = asyncio.get_running_loop()
        assert_type(executor.submit_with_loop(loop, download, "url"), asyncio.Future[bytes])
        assert_type(executor.submit_with_loop(None, download, "url", seconds=2), asyncio.Future[bytes])
        assert_type(await asyncio.gather(executor.submit(len, ""), executor.submit(str, 5)), tuple[int, str])
    with Executors.sync().with_map(len).with_retry().with_asyncio(name="lengths") as lengths:
        assert_type(lengths.submit(download, "url"), asyncio.Future[int])
        assert_type(await lengths.submit_with_loop(None, download, "url", seconds=1), int)
    with Executors.sync().with_map(error_fn=nothing).with_asyncio() as forgiving:
        assert_type(forgiving.submit(download, "url"), asyncio.Future[bytes | None])
    with AsyncioExecutor(ThreadPoolExecutor(1), loop=loop) as plain:
        assert_type(await plain.submit(download, "url"), bytes)
    with AsyncioExecutor(Executors.sync().with_map(bytes.decode)) as decoding:
        assert_type(await decoding.submit(download, "url"), str)
    with Executors.with_asyncio(Executors.sync().with_map(bytes.decode), loop) as same:
        assert_type(await same.submit(download, "url"), str)


def main() -> None:
    asyncio.run(downloads())
