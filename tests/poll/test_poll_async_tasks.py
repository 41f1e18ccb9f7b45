"""Tasks that an async poll function creates: they are watched like the function itself, and leave nothing behind."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest
from async_support import StandingClock
from support import PATIENCE, HeardLogger, SomeError

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import watched


def test_a_task_that_blocks_the_loop_is_reported_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = HeardLogger()
    clock = StandingClock()
    monkeypatch.setattr(watched, "monotonic", clock)

    async def one(descriptor: Any) -> None:
        clock.pass_by(0.5)
        descriptor.yield_result("polled")

    async def poll(descriptors: list[Any]) -> None:
        await asyncio.gather(*map(one, descriptors))

    with PollExecutor(SyncExecutor(), poll, logger=logger, name="it") as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(list("ab"))] == ["polled"] * 2
    (reported,) = logger.of_level("WARNING")
    assert ".one blocked the event loop of PollExecutor-it-loop for 0.50 s" in reported


def test_a_task_is_one_to_whoever_looks() -> None:
    seen: list[Any] = []

    async def one() -> int:
        task = asyncio.current_task()
        assert task is not None
        seen.extend([task.get_name(), task.get_coro().__qualname__.rpartition(".")[2], "one" in repr(task)])
        return 1

    async def poll(descriptors: list[Any]) -> None:
        task = asyncio.create_task(one(), name="its name")
        descriptors[0].yield_result(await task)

    with PollExecutor(SyncExecutor(), poll) as executor:
        assert executor.adopt("a").result(PATIENCE) == 1
    assert seen == ["its name", "one", True]


def test_what_a_task_raises_fails_the_future_with_a_traceback_of_the_users_code() -> None:
    error = SomeError()

    async def one() -> None:
        await asyncio.sleep(0)
        raise error

    async def poll(descriptors: list[Any]) -> None:
        await asyncio.gather(one())

    with PollExecutor(SyncExecutor(), poll, logger=HeardLogger()) as executor:
        assert executor.adopt("a").exception(PATIENCE) is error
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert (names[0], names[-1]) == ("poll", "one")
    assert "__await__" not in names
    error.__traceback__ = None


def test_a_task_that_is_cancelled_may_clean_up() -> None:
    cleaned: list[str] = []

    async def one() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("one")

    async def poll(descriptors: list[Any]) -> None:
        task = asyncio.create_task(one())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        descriptors[0].yield_result(cleaned)

    with PollExecutor(SyncExecutor(), poll) as executor:
        assert executor.adopt("a").result(PATIENCE) == ["one"]
