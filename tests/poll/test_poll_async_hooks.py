"""`open_fn` and `close_fn`: what calls on the event loop share is opened before the first, closed after the last."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
import weakref
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, InThread, SomeError, assert_ends, is_gone, poll_thread

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import watched
from more_executors._runtime.loop_thread import LoopThread
from more_executors.rate_limit import RateLimit
from more_executors.retry import ExceptionRetryPolicy

NEVER = 3600.0


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much else to do is not reported as a function that blocks the loop."""
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


class Service:
    """A service behind a client that has to be opened; `events` is what was called, in order."""

    def __init__(self, *failures: BaseException) -> None:
        self.events: list[str] = []
        self.failures = list(failures)
        self.is_open = False
        self.threads: set[str] = set()
        self.executor: Any = None

    def note(self, event: str) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)

    async def open(self) -> None:
        self.note("open")
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.is_open = True

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.is_open = False
        self.note("close")

    async def resolve(self, descriptors: list[Any]) -> float:
        assert self.is_open
        self.note("poll")
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)
        return NEVER

    async def leave(self, descriptors: list[Any]) -> float:
        assert self.is_open
        self.note("poll")
        return NEVER

    async def cancel(self, result: Any) -> bool:
        assert self.is_open
        self.note("cancel")
        return True

    async def cancel_many(self, results: list[Any]) -> list[bool]:
        assert self.is_open
        self.note("cancel many")
        return [True] * len(results)

    def polled(self, poll_fn: Any, *args: Any, **options: Any) -> PollExecutor[Any, Any]:
        options = {"open_fn": self.open, "close_fn": self.close, "name": "it", **options}
        return PollExecutor(SyncExecutor(), poll_fn, *args, **options)


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


def test_they_are_awaited_on_the_loop_before_the_first_call_and_after_the_last() -> None:
    service = Service()
    with service.polled(service.resolve) as executor:
        assert executor.adopt("a").result(PATIENCE) == "a"
        assert executor.adopt("b").result(PATIENCE) == "b"
    assert service.events == ["open", "poll", "poll", "close"]
    assert service.threads == {"PollExecutor-it-loop"}


def test_a_cancel_may_be_the_first_call_and_the_last() -> None:
    service = Service()
    with service.polled(wait_for_nothing, service.cancel) as executor:
        assert executor.adopt("a").cancel()
    assert service.events == ["open", "cancel", "close"]


@pytest.mark.parametrize("options", [{}, {"max_concurrency": 4}, {"rate_limit": RateLimit(1000.0)}], ids=str)
def test_so_may_be_a_cancel_of_many(options: dict[str, Any]) -> None:
    service = Service()
    with service.polled(wait_for_nothing, None, cancel_many_fn=service.cancel_many, **options) as executor:
        executor.adopt_many(["a", "b", "c"])
        assert executor.cancel_all() == 3
    assert (service.events[0], service.events[-1]) == ("open", "close")
    assert set(service.events[1:-1]) == {"cancel many"}


def test_what_shutdown_cancels_is_cancelled_before_they_close() -> None:
    service = Service()
    executor = service.polled(service.leave, service.cancel)
    futures = executor.adopt_many(["a", "b", "c"])
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert [event for event in service.events if event != "poll"] == ["open", *["cancel"] * 3, "close"]


def test_calls_that_begin_while_it_opens_wait_for_that() -> None:
    opening, seen = AsyncStepped(), []

    async def open_fn() -> None:
        await opening(None)

    async def poll(descriptors: list[Any]) -> None:
        seen.extend(descriptor.result for descriptor in descriptors)
        for descriptor in descriptors:
            descriptor.yield_result()

    with PollExecutor(SyncExecutor(), poll, batch_size=1, max_concurrency=3, open_fn=open_fn) as executor:
        futures = executor.adopt_many(["a", "b", "c"])
        call = opening.next()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), call.loop).result(PATIENCE)
        assert not seen
        call.end()
        for future in futures:
            assert future.result(PATIENCE) is None
        assert sorted(seen) == ["a", "b", "c"]
        assert not opening.unasked()


def test_what_open_fn_raises_fails_the_call_and_the_next_call_opens_again() -> None:
    error, cause = SomeError(), SomeError()
    error.__cause__ = cause
    service, logger = Service(error), HeardLogger()
    with service.polled(service.resolve, logger=logger) as executor:
        future = executor.adopt("a")
        assert future.exception(PATIENCE) is error
        assert executor.adopt("b").result(PATIENCE) == "b"
    assert service.events == ["open", "open", "poll", "close"]
    shown = traceback.extract_tb(error.__traceback__)
    assert [frame.name for frame in shown] == ["open"]
    assert error.__cause__ is cause


def test_a_retry_policy_is_for_what_open_fn_raises_too() -> None:
    service = Service(SomeError(), SomeError())
    policy = ExceptionRetryPolicy(max_attempts=5, sleep=0.0)
    with service.polled(service.resolve, retry_policy=policy, logger=HeardLogger()) as executor:
        assert executor.adopt("a").result(PATIENCE) == "a"
    assert service.events == ["open", "open", "open", "poll", "close"]


def test_a_cancel_for_which_open_fn_raises_is_refused() -> None:
    service, logger = Service(SomeError()), HeardLogger()
    with service.polled(wait_for_nothing, service.cancel, logger=logger) as executor:
        future = executor.adopt("a")
        assert not future.cancel()
        assert future.cancel()
    assert service.events == ["open", "open", "cancel", "close"]
    assert any("Exception during cancel" in line for line in logger.of_level("ERROR"))


def test_what_close_fn_raises_is_logged_and_shutdown_ends() -> None:
    logger, service = HeardLogger(), Service()

    async def close_fn() -> None:
        raise SomeError

    with service.polled(service.resolve, close_fn=close_fn, logger=logger) as executor:
        executor.adopt("a").result(PATIENCE)
    assert any("Exception in close_fn" in line for line in logger.of_level("ERROR"))


def test_without_a_call_neither_is_awaited() -> None:
    service = Service()
    with service.polled(service.resolve):
        pass
    assert not service.events


def test_without_a_call_nothing_keeps_them_after_shutdown() -> None:
    service = Service()
    service_is = weakref.ref(service)
    gc.disable()
    try:
        with service.polled(service.resolve) as executor:
            pass
        del executor, service
        assert service_is() is None
    finally:
        gc.enable()


def test_what_never_opened_is_not_closed() -> None:
    service = Service(*[SomeError() for _ in range(3)])
    with service.polled(service.resolve, logger=HeardLogger()) as executor:
        assert type(executor.adopt("a").exception(PATIENCE)) is SomeError
    assert "close" not in service.events


def test_close_fn_alone_is_awaited_after_a_call() -> None:
    service = Service()
    service.is_open = True
    with service.polled(service.resolve, open_fn=None) as executor:
        executor.adopt("a").result(PATIENCE)
    assert service.events == ["poll", "close"]


def test_shutdown_waits_until_it_is_closed_and_without_wait_does_not() -> None:
    closing = AsyncStepped()

    async def close_fn() -> None:
        await closing(None)

    service = Service()
    executor = service.polled(service.resolve, close_fn=close_fn)
    executor.adopt("a").result(PATIENCE)
    executor.shutdown(wait=False)
    call = closing.next()
    assert call.thread.is_alive()
    call.end()
    call.thread.join(PATIENCE)
    assert not call.thread.is_alive()

    executor = service.polled(service.resolve, close_fn=close_fn)
    executor.adopt("a").result(PATIENCE)
    ending = InThread(executor.shutdown)
    call = closing.next()
    assert ending.is_alive()
    call.end()
    ending.outcome()


@pytest.mark.parametrize("in_a_cycle", [False, True])
def test_an_executor_that_is_dropped_closes_it_though_it_may_refer_to_the_executor(in_a_cycle: bool) -> None:
    closed = threading.Event()

    class NotedService(Service):
        async def close(self) -> None:
            await super().close()
            closed.set()

    service = NotedService()
    executor: Any = service.polled(service.resolve)
    if in_a_cycle:
        service.executor = executor
    executor.adopt("a").result(PATIENCE)
    thread, executor_is = poll_thread("it"), weakref.ref(executor)
    del executor, service
    assert is_gone(executor_is)  # it takes until the thread's turn is over
    assert closed.wait(PATIENCE)
    assert_ends(thread)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread("a-loop")
    yield loop
    loop.close()
    loop.join(PATIENCE)


def test_the_last_coroutine_of_a_loop_runs_when_all_others_are_over(loop: LoopThread) -> None:
    order, first = [], AsyncStepped()

    async def noted(what: str) -> None:
        order.append(what)

    async def held_up() -> None:
        await first(None)
        await noted("first")

    loop.start(held_up)
    call = first.next()
    loop.close(lambda: noted("last"))
    loop.close(lambda: noted("too late"))
    call.end()
    loop.join(PATIENCE)
    assert order == ["first", "last"]
