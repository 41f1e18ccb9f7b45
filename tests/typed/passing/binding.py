"""Functions tied to executors keep their parameters."""

# pyright: strict

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from more_executors import Executors, PollDescriptor, f_return

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def download(url: str, seconds: float = 5.0) -> bytes:
    return f"{url} {seconds}".encode()


def download_later(url: str) -> Future[bytes]:
    return f_return(download(url))


def poll(descriptors: list[PollDescriptor[bytes, int]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(len(descriptor.result))


def nothing(error: BaseException) -> None:
    return None


def bound() -> None:
    with Executors.sync() as executor:
        bound = executor.bind(download)
        assert_type(bound("url", seconds=1), Future[bytes])
        assert_type(bound.with_retry(max_attempts=2)("url"), Future[bytes])
        assert_type(bound.with_throttle(3)("url"), Future[bytes])
        assert_type(bound.with_timeout(3)("url"), Future[bytes])
        assert_type(bound.with_cancel_on_shutdown()("url"), Future[bytes])
        assert_type(bound.with_map(bytes.decode)("url", seconds=2), Future[str])
        assert_type(bound.with_map(bytes.decode).with_map(len)("url"), Future[int])
        assert_type(bound.with_map(error_fn=nothing)("url"), Future[bytes | None])
        assert_type(bound.with_map(len, error_fn=nothing)("url"), Future[int | None])
        assert_type(bound.with_flat_map(decode_later)("url"), Future[str])
        assert_type(bound.with_poll(poll, cancel_fn=None, default_interval=0.1)("url"), Future[int])
        assert_type(executor.flat_bind(download_later)("url"), Future[bytes])
        assert_type(executor.flat_bind(download_later).with_map(len)("url"), Future[int])
    with Executors.sync().with_map(bytes.decode) as mapped:
        assert_type(mapped.bind(download)("url", 1), Future[str])
    with Executors.sync().with_map(decode_later) as flat:
        assert_type(flat.flat_bind(download)("url", seconds=1), Future[str])


def class_methods() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert_type(Executors.bind(pool, download)("url", seconds=1), Future[bytes])
        assert_type(Executors.flat_bind(pool, download_later)("url"), Future[bytes])
    with Executors.sync() as executor:
        assert_type(Executors.bind(executor, download)("url"), Future[bytes])
        assert_type(Executors.flat_bind(executor, download_later)("url"), Future[bytes])
    with Executors.sync().with_map(bytes.decode) as mapped:
        assert_type(Executors.bind(mapped, download)("url"), Future[str])


async def awaited() -> None:
    with Executors.sync() as executor:
        download_soon = executor.bind(download).with_map(len).with_asyncio()
        assert_type(download_soon("url", seconds=1), asyncio.Future[int])
        assert_type(await download_soon("url"), int)


def decode_later(page: bytes) -> Future[str]:
    return f_return(page.decode())


def main() -> None:
    bound()
    class_methods()
    asyncio.run(awaited())
