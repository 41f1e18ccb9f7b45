"""Without memory for a moment where tasks are started by an `async def`: on the loop, and around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from operations import ended, is_balanced
from starving import PATIENCE, Hunger, Logger, threads_alive, until

from more_executors import EventLoopExecutor

OPERATIONS: dict[str, Callable[[Hunger], None]] = {}


def operation(function: Callable[[Hunger], None]) -> Callable[[Hunger], None]:
    OPERATIONS[function.__name__] = function
    return function


async def give(value: Any) -> Any:
    return value


async def wait() -> None:
    await asyncio.Event().wait()


def finish(executor: EventLoopExecutor) -> None:
    """All goes on as before; then it is shut down."""
    assert executor.submit(give, 2).result(PATIENCE) == 2
    executor.shutdown()
    is_balanced(executor)
    assert executor._calls.running == 0


def submitting(executor: EventLoopExecutor, hunger: Hunger) -> None:
    futures: list[Any] = [None]

    def starving() -> None:
        futures[0] = executor.submit(give, 1)

    hunger.here(starving)
    if futures[0] is None:
        until(lambda: len(executor._calls) == 0, "a future is outstanding that nobody has")
    else:
        ended(futures[0])
    finish(executor)


@operation
def submit_to_loop(hunger: Hunger) -> None:
    executor = EventLoopExecutor(2, Logger())
    executor.submit(give, 1).result(PATIENCE)
    submitting(executor, hunger)


@operation
def cancel_on_event_loop(hunger: Hunger) -> None:
    executor = EventLoopExecutor(1, Logger())
    futures = [executor.submit(wait) for _ in range(2)]
    until(futures[0].running, "it does not begin")
    for future in reversed(futures):
        if not future.done():
            hunger.here(future.cancel)
        future.cancel()  # it may have ended with a MemoryError
        ended(future)
    finish(executor)


@operation
def end_on_event_loop(hunger: Hunger) -> None:
    """From the last step of a coroutine on, to the first of the next."""

    async def begin() -> None:
        hunger.begin()

    async def end() -> None:
        hunger.end()

    executor = EventLoopExecutor(1, Logger())
    executor.submit(give, 1).result(PATIENCE)
    blocking = executor.submit(asyncio.sleep, 0.001)
    futures: list[Future[Any]] = [executor.submit(begin), *[executor.submit(end) for _ in range(3)]]
    hunger.wait(lambda: all(future.done() for future in [blocking, *futures]))
    for future in futures:
        ended(future)
    finish(executor)


@operation
def begin_many_on_event_loop(hunger: Hunger) -> None:
    async def block() -> None:
        while len(futures) < 400:
            pass
        hunger.begin()

    async def end() -> None:
        hunger.end()

    futures: list[Future[Any]] = []
    executor = EventLoopExecutor(1000, Logger())
    first = executor.submit(block)
    until(first.running, "it does not begin")
    futures += [executor.submit(end) for _ in range(399)]
    futures.append(first)
    hunger.wait(lambda: all(future.done() for future in futures))
    for future in futures:
        ended(future)
    finish(executor)


@operation
def shut_event_loop_down(hunger: Hunger) -> None:
    executor = EventLoopExecutor(1, Logger())
    futures = [executor.submit(wait) for _ in range(3)]
    until(futures[0].running, "it does not begin")
    hunger.here(lambda: executor.shutdown(cancel_futures=True))
    for future in futures:
        future.cancel()
        ended(future)
    executor.shutdown()
    until(lambda: not threads_alive(), "a thread goes on")
    is_balanced(executor)
