"""Executors that await what an `async def` gives: its parameters are checked, and its result is known."""

# pyright: strict

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

from more_executors import EventLoopExecutor, Executors, MapExecutor, PollDescriptor, RetryPolicy
from more_executors.futures import f_return

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


async def start(job: str, seconds: float = 5.0) -> int:
    return len(job)


def spell(number: int) -> str:
    return f"{number}"


def spell_later(number: int) -> Future[str]:
    return f_return(spell(number))


def poll(descriptors: list[PollDescriptor[int, str]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(spell(descriptor.result))


async def poll_async(descriptors: list[PollDescriptor[int, str]]) -> None:
    poll(descriptors)


async def cancel(task_id: int) -> bool:
    return task_id > 5


def alone() -> None:
    with Executors.event_loop(10, name="here") as executor:
        assert_type(executor, EventLoopExecutor)
        assert_type(executor.submit(start, "job", seconds=1), Future[int])
        assert_type([*executor.map(start, ["job"])], list[int])
        assert_type(executor.bind(start)("job"), Future[int])
    with EventLoopExecutor() as another:
        assert_type(another.submit(start, "job").result(), int)


def below_others() -> None:
    with Executors.event_loop().with_retry(max_attempts=2) as retrying:
        assert_type(retrying.submit(start, "job"), Future[int])
        assert_type(retrying.submit_retry(RetryPolicy(), start, "job", seconds=0.5), Future[int])
        assert_type([*retrying.map(start, ["job"])], list[int])
    with Executors.event_loop().with_throttle(4).with_timeout(50) as timed:
        assert_type(timed.submit(start, "job"), Future[int])
        assert_type(timed.submit_timeout(50, start, "job"), Future[int])
        assert_type(timed.bind(start)("job", seconds=5), Future[int])
    with Executors.event_loop().with_map(spell) as mapping:
        assert_type(mapping.submit(start, "job"), Future[str])
    with Executors.event_loop().with_flat_map(spell_later) as flat:
        assert_type(flat.submit(start, "job"), Future[str])
    with Executors.with_map(Executors.event_loop(), spell).with_cancel_on_shutdown() as chain:
        assert_type(chain.submit(start, "job"), Future[str])
    with MapExecutor(Executors.event_loop(), spell) as by_class:
        assert_type(by_class.submit(start, "job"), Future[str])


def polled() -> None:
    with Executors.event_loop().with_poll(poll) as executor:
        assert_type(executor.submit(start, "job"), Future[str])
        assert_type(executor.adopt(5), Future[str])
    with Executors.event_loop().with_retry().with_poll(poll_async, cancel, max_concurrency=4) as executor:
        assert_type(executor.submit(start, "job", 5.0), Future[str])
        assert_type(executor.bind(start)("job"), Future[str])


async def awaited() -> None:
    executor = Executors.event_loop().with_asyncio()
    assert_type(await executor.submit(start, "job"), int)
    assert_type(await executor.submit_with_loop(None, start, "job"), int)
    executor.shutdown(wait=False)
    polling = Executors.event_loop().with_poll(poll_async).with_asyncio()
    assert_type(await polling.submit(start, "job"), str)
    polling.shutdown(wait=False)


def main() -> None:
    alone()
    below_others()
    polled()
    asyncio.run(awaited())
