"""`async with` an executor: the block waits for its end, and blocks no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from async_support import AsyncStepped
from pool_support import Gate
from support import PATIENCE, SomeError, assert_ends

from more_executors import Executors

REFUSED = "after shutdown"


async def give(value: Any) -> Any:
    return value


def resolve(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


MAKERS: dict[str, Callable[[], Any]] = {
    "pool": lambda: Executors.thread_pool(2),
    "sync": Executors.sync,
    "map": lambda: Executors.thread_pool(2).with_map(),
    "flat_map, retry": lambda: Executors.thread_pool(2).with_map().with_retry(),
    "throttle": lambda: Executors.thread_pool(2).with_throttle(2),
    "timeout": lambda: Executors.thread_pool(2).with_timeout(PATIENCE),
    "poll": lambda: Executors.thread_pool(2).with_poll(resolve),
    "cancel_on_shutdown": lambda: Executors.sync().with_cancel_on_shutdown(),
    "asyncio": lambda: Executors.thread_pool(2).with_map().with_asyncio(),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_block_ends_when_the_executor_has(kind: str) -> None:
    async def main() -> None:
        async with MAKERS[kind]() as executor:
            future = executor.submit(int, 5)
        assert future.done() or asyncio.isfuture(future)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)

    asyncio.run(main())


def test_an_executor_with_an_event_loop_too() -> None:
    async def main() -> Any:
        async with Executors.event_loop(name="it").with_asyncio() as executor:
            return await executor.submit(give, 5)

    assert asyncio.run(main()) == 5
    assert not [thread for thread in threading.enumerate() if "EventLoop" in thread.name]


def test_the_loop_does_other_things_while_the_block_waits() -> None:
    async def open_later() -> None:
        await asyncio.to_thread(gate.wait)
        while executor._table.closed is None:
            await asyncio.sleep(0)
        gate.open()

    async def main() -> None:
        opening = asyncio.ensure_future(open_later())
        async with executor:
            futures.append(executor.submit(gate, "value"))
        assert futures[0].result(0) == "value"
        await opening

    gate, futures = Gate(), list[Any]()
    executor = Executors.thread_pool(1).with_map()
    asyncio.run(main())


def test_what_leaves_the_block_goes_on_and_the_executor_ends_first() -> None:
    async def block() -> None:
        async with executor:
            executor.submit(int)
            raise SomeError

    async def main() -> None:
        with pytest.raises(SomeError):
            await block()
        assert executor._table.closed is not None

    executor = Executors.thread_pool(1).with_map()
    asyncio.run(main())


def test_what_shutdown_raises_comes_out() -> None:
    class Refusing:
        def submit(self, *_: Any) -> Any:
            raise AssertionError

        def shutdown(self, wait: bool = True) -> None:
            raise SomeError

    async def main() -> None:
        with pytest.raises(SomeError):
            async with executor:
                pass

    executor = Executors.with_map(Refusing())
    asyncio.run(main())


def test_one_that_is_cancelled_while_it_waits_ends_at_once_and_the_shutdown_goes_on() -> None:
    async def block() -> None:
        async with executor:
            executor.submit(gate, 1)

    async def main() -> None:
        task = asyncio.ensure_future(block())
        await asyncio.to_thread(gate.wait)
        while executor._table.closed is None:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    gate = Gate()
    executor = Executors.thread_pool(1).with_map()
    asyncio.run(main())
    threads = [thread for thread in threading.enumerate() if thread.name == "MapExecutor-aexit"]
    assert len(threads) == 1
    gate.open()
    assert_ends(threads[0])


def test_a_timeout_of_asyncio_ends_it() -> None:
    async def block() -> None:
        async with executor:
            executor.submit(gate, 1)

    async def main() -> None:
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await asyncio.wait_for(block(), 0.01)
        gate.open()

    gate = Gate()
    executor = Executors.thread_pool(1).with_map()
    asyncio.run(main())
    for thread in threading.enumerate():
        if thread.name == "MapExecutor-aexit":
            assert_ends(thread)


@pytest.mark.parametrize("layered", [False, True])
def test_on_the_executors_own_loop_it_does_not_wait_for_itself(layered: bool) -> None:
    async def block() -> str:
        async with executor:
            pass
        return "goes on"

    executor: Any = Executors.event_loop(name="own")
    if layered:
        executor = executor.with_map().with_retry()
    assert executor.submit(block).result(PATIENCE) == "goes on"
    for thread in threading.enumerate():
        if "Executor-" in thread.name:
            assert_ends(thread)


def test_where_no_thread_can_be_had_it_does_not_wait_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("no more of those")

    async def main() -> None:
        with monkeypatch.context() as patches:
            executor = Executors.sync().with_map()
            patches.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="no more of those"):
                async with executor:
                    pass
            with pytest.raises(RuntimeError, match=REFUSED):
                executor.submit(int)

    asyncio.run(main())


def test_an_asyncio_future_that_is_awaited_in_the_block_gets_its_result() -> None:
    async def main() -> list[Any]:
        async with Executors.event_loop(3).with_asyncio() as executor:
            return await asyncio.gather(*(executor.submit(give, n) for n in range(10)))

    assert asyncio.run(main()) == [*range(10)]


def test_a_coroutine_that_is_cancelled_in_the_block_cancels_what_it_awaits() -> None:
    async def block() -> None:
        async with Executors.event_loop().with_asyncio() as executor:
            futures.append(executor.submit(steps, 1))
            await futures[0]

    async def main() -> None:
        task = asyncio.ensure_future(block())
        await asyncio.to_thread(steps.next)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert futures[0].cancelled()

    steps, futures = AsyncStepped(), list[Any]()
    asyncio.run(main())
