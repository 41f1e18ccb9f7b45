"""`async for` over futures as they are done: woken once for many, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import weakref
from concurrent.futures import Future
from typing import Any

import pytest
from support import EVERY_KIND, PATIENCE, DuckFuture, FutureKind, InThread, Thing, every_end, kind_fixture

from more_executors import Executors, _core
from more_executors.asyncio import as_completed

kind = kind_fixture(EVERY_KIND)


async def all_of(futures: Any, timeout: float | None = None) -> list[Any]:
    return [future async for future in as_completed(futures, timeout)]


@every_end
def test_each_is_given_when_it_is_done_in_that_order(kind: FutureKind, how: str) -> None:
    async def main() -> None:
        completed = as_completed(futures, PATIENCE)
        for future in reversed(futures):
            kind.end(future, how)
            assert await completed.__anext__() is future
        with pytest.raises(StopAsyncIteration):
            await completed.__anext__()

    futures = [kind.pending() for _ in range(3)]
    asyncio.run(main())


def test_those_that_end_on_other_threads_wake_the_loop(kind: FutureKind) -> None:
    async def main() -> list[Any]:
        ending = InThread(lambda: [kind.finish(future, 1) for future in futures])
        found = await all_of(futures, PATIENCE)
        ending.outcome()
        return found

    futures = [kind.pending() for _ in range(20)]
    assert {id(future) for future in asyncio.run(main())} == {id(future) for future in futures}


def test_those_that_are_done_come_first_and_each_once() -> None:
    futures = [_core.Future[int]() for _ in range(4)]
    for n in (2, 0):
        futures[n].set_result(n)

    async def main() -> list[Any]:
        completed = as_completed([*futures, futures[0]])
        found = [await completed.__anext__(), await completed.__anext__()]
        futures[3].set_result(3)
        futures[1].set_result(1)
        return [future.result() for future in [*found, *[future async for future in completed]]]

    assert asyncio.run(main()) == [0, 2, 3, 1]


def test_of_none_there_is_none() -> None:
    assert asyncio.run(all_of([])) == []


def test_futures_of_the_loop_are_taken_too() -> None:
    async def main() -> set[int]:
        async with Executors.thread_pool(2).with_asyncio() as executor:
            futures = [executor.submit(int, n) for n in range(5)]
            return {future.result() async for future in as_completed(futures)}

    assert asyncio.run(main()) == {0, 1, 2, 3, 4}


def test_anything_like_a_future_is_taken() -> None:
    future = DuckFuture()
    future.end()
    assert asyncio.run(all_of([future])) == [future]


def test_however_many_end_the_loop_is_woken_once() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *args, **kw: (woken.append(1), wake(*args, **kw))[1]  # type: ignore
        waiting = asyncio.ensure_future(all_of(futures))
        await asyncio.sleep(0)
        for future in futures:
            future.set_result(1)
        assert len(await waiting) == 1000

    woken: list[int] = []
    futures = [_core.Future[int]() for _ in range(1000)]
    asyncio.run(main())
    assert len(woken) == 1


def test_a_timeout_counts_from_the_call() -> None:
    async def main() -> None:
        completed = as_completed(futures, 0.0)
        assert await completed.__anext__() is futures[0]
        for _ in range(2):
            with pytest.raises((asyncio.TimeoutError, TimeoutError), match=r"^1 \(of 2\) futures unfinished$"):
                await completed.__anext__()
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await all_of(futures, 0.001)
        futures[1].set_result(2)
        assert len([future async for future in completed]) == 1

    futures = [_core.Future[int](), _core.Future[int]()]
    futures[0].set_result(1)
    asyncio.run(main())


@pytest.mark.parametrize("timeout", ["soon", float("nan"), object()])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    async def main() -> None:
        with pytest.raises((TypeError, ValueError), match=r"^timeout must be a number"):
            as_completed([], timeout)

    asyncio.run(main())


@pytest.mark.parametrize("futures", [5, "text", [5], [_core.Future(), None]])
def test_what_is_no_future_is_refused(futures: Any) -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"^(futures must be|as_completed is of futures)"):
            as_completed(futures)

    asyncio.run(main())


def test_without_an_event_loop_it_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        as_completed([_core.Future()])


def test_one_coroutine_waits_at_a_time() -> None:
    async def main() -> None:
        completed: Any = as_completed([future])
        first = asyncio.ensure_future(completed.__anext__())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another coroutine waits"):
            await completed.__anext__()
        future.set_result(1)
        assert await first is future

    future = _core.Future[int]()
    asyncio.run(main())


def test_many_that_are_done_let_other_coroutines_have_their_turn() -> None:
    async def main() -> None:
        turns: list[int] = []

        async def other() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        count = 0
        async for _ in as_completed(futures):
            count += 1
        assert count == 5000
        assert len(turns) >= 4
        task.cancel()

    futures = [_core.Future[int]() for _ in range(5000)]
    for future in futures:
        future.set_result(1)
    asyncio.run(main())


# -- broken off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [_core.Future, Future])
@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_loop_that_is_broken_off_leaves_nothing_with_the_futures(make: Any, others: int) -> None:
    async def main() -> None:
        async for future in as_completed(futures):
            assert future is futures[0]
            break
        completed = as_completed(futures[1:])
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await asyncio.wait_for(completed.__anext__(), 0.001)
        del completed

    called: list[Any] = []
    futures = [make() for _ in range(3)]
    for future in futures:
        for _ in range(others):
            future.add_done_callback(called.append)
    futures[0].set_result(1)
    asyncio.run(main())
    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, _core.Arrivals)] == []
    for future in futures[1:]:
        future.set_result(2)
    assert len(called) == 3 * others


def test_a_coroutine_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> None:
        task = asyncio.ensure_future(all_of([future]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    future = _core.Future[int]()
    asyncio.run(main())
    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, _core.Arrivals)] == []


def test_what_ends_after_the_loop_was_closed_disturbs_nobody() -> None:
    async def main() -> Any:
        completed: Any = as_completed([future])
        task = asyncio.ensure_future(completed.__anext__())
        await asyncio.sleep(0)
        kept.append(completed)
        task.cancel()
        return completed

    kept: list[Any] = []
    future = _core.Future[int]()
    asyncio.run(main())
    future.set_result(1)
    kept.clear()


def test_results_that_have_been_given_are_not_kept() -> None:
    async def main() -> None:
        completed: Any = as_completed([held[0], pending])
        assert await completed.__anext__() is held.pop()
        gc.collect()
        assert gone() is None

    thing, pending = Thing(), _core.Future[Any]()
    held = [_core.Future[Any]()]
    held[0].set_result(thing)
    gone = weakref.ref(thing)
    del thing
    asyncio.run(main())
