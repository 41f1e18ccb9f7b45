"""Whatever comes out of what is asked to cancel something: it is logged, and means no."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, ScriptedDelegate

from more_executors import AsyncioExecutor, MapExecutor, PollExecutor, SyncExecutor
from more_executors.futures import f_map, f_nocancel, f_sequence, f_timeout


class Stop(BaseException):
    """As gevent's Timeout is one."""


kinds = pytest.mark.parametrize("kind", [ValueError, NotImplementedError, SystemExit, GeneratorExit, Stop])


def wait_for_nothing(descriptors: list[Any]) -> float:
    return 3600.0


class Refusing(Future[Any]):
    """Its `cancel` raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def cancel(self) -> bool:
        raise self.error


def raising(error: BaseException) -> Callable[[Any], Any]:
    def cancel_fn(results: Any) -> Any:
        raise error

    return cancel_fn


@kinds
def test_a_cancel_fn(kind: type[BaseException]) -> None:
    logger, error = HeardLogger(), kind("refused")
    with PollExecutor(SyncExecutor(), wait_for_nothing, raising(error), logger=logger) as executor:
        future = executor.adopt("key")
        assert future.cancel() is False
        assert not future.done()
        assert [(level, message, raised) for level, message, raised in logger.lines] == [
            ("ERROR", f"Exception during cancel on {future}/key", error)
        ]
        assert f_map(future).cancel() is False
        assert f_sequence([future]).cancel() is True
        assert not future.done()
        executor._engine.table.cancel_all()  # type: ignore[attr-defined]
    error.__traceback__ = None


@kinds
def test_a_cancel_fn_for_many(kind: type[BaseException]) -> None:
    logger, error = HeardLogger(), kind("refused")
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=raising(error), logger=logger) as executor:
        futures = executor.adopt_many(range(3))
        assert executor.cancel_all() == 0
        assert not any(future.done() for future in futures)
        assert error in [raised for _, _, raised in logger.lines]
        executor._engine.table.cancel_all()  # type: ignore[attr-defined]
    error.__traceback__ = None


def mapped(delegate: Any, logger: HeardLogger) -> Any:
    return MapExecutor(delegate, logger=logger)


def polled(delegate: Any, logger: HeardLogger) -> Any:
    return PollExecutor(delegate, wait_for_nothing, logger=logger)


@kinds
@pytest.mark.parametrize("make", [mapped, polled])
def test_the_cancel_of_a_delegates_future(kind: type[BaseException], make: Callable[[Any, HeardLogger], Any]) -> None:
    logger, error = HeardLogger(), kind("refused")
    source = Refusing(error)

    class Delegate(ScriptedDelegate):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return source

    with make(Delegate(), logger) as executor:
        future = executor.submit(int)
        assert future.cancel() is False
        assert [raised for _, _, raised in logger.lines] == [error]
        source.set_exception(KeyError())
    error.__traceback__ = None


@kinds
@pytest.mark.parametrize("function", [f_map, lambda source: f_timeout(source, 1000)], ids=["f_map", "f_timeout"])
def test_the_cancel_of_an_input(
    kind: type[BaseException], function: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    source = Refusing(kind("refused"))
    future = function(source)
    assert future.cancel() is False
    assert "Exception during cancel on" in caplog.text
    caplog.clear()
    source.set_result(1)
    assert future.result(PATIENCE) == 1
    source.error.__traceback__ = None
    assert f_nocancel(source).cancel() is False


# -- awaiting ----------------------------------------------------------------------------------------------------------


async def by_wait_for(target: Any) -> None:
    await asyncio.wait_for(target, 0.01)


async def by_timeout(target: Any) -> None:
    async with asyncio.timeout(0.01):  # type: ignore[attr-defined]  # since 3.11
        await target


async def by_task_cancel(target: Any) -> None:
    async def wait() -> None:
        await target

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise asyncio.TimeoutError from None


ways = [by_wait_for, by_task_cancel, *([by_timeout] if hasattr(asyncio, "timeout") else [])]


@kinds
@pytest.mark.parametrize("awaiting", ways)
def test_awaiting_with_a_time_limit(kind: type[BaseException], awaiting: Callable[[Any], Any]) -> None:
    logger, error = HeardLogger(), kind("refused")
    source = Refusing(error)

    class Delegate(ScriptedDelegate):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return source

    async def main() -> None:
        target = AsyncioExecutor(Delegate(), logger=logger).submit(int)  # type: ignore[arg-type]
        with pytest.raises(asyncio.TimeoutError):
            await awaiting(target)
        assert target.cancelled()

    asyncio.run(main())
    ((level, message, raised),) = logger.lines
    assert (level, raised) == ("ERROR", error)
    assert message.startswith("Exception during cancel on ")
    error.__traceback__ = None


# -- interrupts --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signal can be sent to this thread alone")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Stop])
def test_what_a_signal_handler_raises_in_a_cancel_fn_gets_out(kind: type[BaseException]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise kind("by a signal")

    def cancel_fn(result: Any) -> bool:
        signal.raise_signal(signal.SIGUSR1)
        for _ in range(1000):
            pass
        return True

    logger, before = HeardLogger(), signal.signal(signal.SIGUSR1, handler)
    try:
        with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_fn, logger=logger) as executor:
            future = executor.adopt("key")
            with pytest.raises(kind):
                future.cancel()
            assert not future.done()
            assert not logger.lines
            executor._engine.table.cancel_all()  # type: ignore[attr-defined]
    finally:
        signal.signal(signal.SIGUSR1, before)
