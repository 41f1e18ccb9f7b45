"""Futures and asyncio: `wrap_future` gives one to await, ends both ways, and cancelling reaches the other side.

Each test runs over the standard library's futures as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent import futures
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    FutureKind,
    InThread,
    MadeByHand,
    OfTheStandardLibrary,
    SomeError,
    every_end,
    kind_fixture,
)

from more_executors import Executors, PollDescriptor

kind = kind_fixture(EVERY_KIND)
by_hand = pytest.mark.parametrize("kind_type", [OfTheStandardLibrary, MadeByHand])


def in_loop(main: Coroutine[Any, Any, Any]) -> Any:
    """Run `main` in an event loop. Fails if the loop meets an error, or if it takes too long."""
    errors: list[dict[str, Any]] = []

    async def guarded() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
        return await asyncio.wait_for(main, PATIENCE)

    result = asyncio.run(guarded())
    assert not errors
    return result


async def awaited(awaitable: Any) -> Any:
    """What awaiting it gives, or the type of what that raises."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as error:
        # The two are one class in some versions of Python, and not in others.
        return futures.CancelledError if isinstance(error, asyncio.CancelledError) else type(error)


@every_end
def test_a_wrapped_future_that_is_done_already_can_be_awaited(kind: FutureKind, how: str) -> None:
    future = kind.pending()
    outcome = kind.end(future, how)

    async def main() -> Any:
        return await awaited(asyncio.wrap_future(future))

    assert in_loop(main()) == outcome


@every_end
def test_a_wrapped_future_ends_as_another_thread_ends_it(kind: FutureKind, how: str) -> None:
    async def main() -> tuple[Any, Any]:
        future = kind.pending()
        wrapped = asyncio.wrap_future(future)
        ender = InThread(kind.end, future, how)
        outcome = await awaited(wrapped)
        return outcome, ender.outcome()

    outcome, expected = in_loop(main())
    assert outcome == expected


def test_an_exception_is_awaited_as_itself(kind: FutureKind) -> None:
    future, error = kind.pending(), SomeError()

    async def main() -> None:
        wrapped = asyncio.wrap_future(future)
        kind.fail(future, error)
        await wrapped

    with pytest.raises(SomeError) as raised:
        in_loop(main())
    assert raised.value is error


def test_cancelling_what_is_awaited_cancels_the_future(kind: FutureKind) -> None:
    future = kind.pending()

    async def main() -> Any:
        wrapped = asyncio.wrap_future(future)
        assert wrapped.cancel()
        return await awaited(wrapped)

    assert in_loop(main()) is futures.CancelledError
    assert future.cancelled()


def test_when_the_time_to_await_is_up_the_future_is_cancelled(kind: FutureKind) -> None:
    future = kind.pending()

    async def main() -> Any:
        return await awaited(asyncio.wait_for(asyncio.wrap_future(future), 0))

    assert in_loop(main()) in (asyncio.TimeoutError, futures.TimeoutError)
    assert future.cancelled()


@pytest.mark.parametrize("how", ["finish", "fail"])
def test_a_future_that_refuses_goes_on_when_what_is_awaited_is_cancelled(kind: FutureKind, how: str) -> None:
    future = kind.pending()
    kind.start(future)

    async def main() -> Any:
        wrapped = asyncio.wrap_future(future)
        assert wrapped.cancel()
        assert await awaited(wrapped) is futures.CancelledError
        assert future.running()
        kind.end(future, how)
        # What the end asks of the loop is done before this is.
        await asyncio.sleep(0)

    in_loop(main())
    assert future.done()
    assert not future.cancelled()


def test_many_can_be_gathered_with_those_of_the_standard_library(kind: FutureKind) -> None:
    mixed = [Future[Any]() if number % 3 == 0 else kind.pending() for number in range(30)]

    def finish_all() -> None:
        for number, future in enumerate(mixed):
            if number % 3 == 0:
                future.set_result(number)
            else:
                kind.finish(future, number)

    async def main() -> Any:
        gathered = asyncio.gather(*map(asyncio.wrap_future, mixed))
        ender = InThread(finish_all)
        results = await gathered
        ender.outcome()
        return results

    assert in_loop(main()) == list(range(30))


def poll_at_once(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


@pytest.mark.parametrize(
    "make_executor",
    [
        Executors.sync,
        lambda: Executors.sync().with_poll(poll_at_once),
        lambda: Executors.thread_pool(max_workers=1),
        lambda: Executors.thread_pool(max_workers=1).with_poll(poll_at_once),
    ],
    ids=["sync", "poll", "thread_pool", "thread_pool-poll"],
)
def test_a_loop_can_run_functions_in_our_executors(make_executor: Callable[[], Executor]) -> None:
    async def main() -> Any:
        with make_executor() as executor:
            run = asyncio.get_running_loop().run_in_executor
            succeeding, failing = run(executor, divmod, 7, 2), run(executor, divmod, 7, 0)
            return await succeeding, await awaited(failing)

    assert in_loop(main()) == ((3, 1), ZeroDivisionError)


# -- the other way: ours ends as something in a loop does, as the futures of `run_coroutine_threadsafe` do ---------


@by_hand
@every_end
def test_a_future_can_follow_one_in_a_loop(kind_type: type[MadeByHand], how: str) -> None:
    kind = kind_type()

    async def main() -> Any:
        inside = asyncio.get_running_loop().create_future()
        future = kind.pending()
        asyncio.futures._chain_future(inside, future)  # type: ignore[attr-defined]
        if how == "finish":
            inside.set_result("result")
        elif how == "fail":
            inside.set_exception(SomeError())
        else:
            inside.cancel()
        # Callbacks of a future in a loop run in the next round.
        await asyncio.sleep(0)
        assert future.done()
        return await awaited(asyncio.wrap_future(future)), await awaited(inside)

    outcome, expected = in_loop(main())
    assert outcome == expected


@by_hand
def test_cancelling_a_future_cancels_what_it_follows_in_a_loop(kind_type: type[MadeByHand]) -> None:
    async def main() -> Any:
        inside = asyncio.get_running_loop().create_future()
        future = kind_type().pending()
        asyncio.futures._chain_future(inside, future)  # type: ignore[attr-defined]
        assert future.cancel()
        return await awaited(inside)

    assert in_loop(main()) is futures.CancelledError
