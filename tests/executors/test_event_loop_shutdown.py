"""The end of an executor with an event loop: every form of shutdown, and what comes too late."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, InThread, SomeError, assert_ends

from more_executors import Executors

REFUSED = r"^cannot schedule new futures after shutdown$"


async def give(value: Any) -> Any:
    return value


def loop_thread(name: str) -> threading.Thread:
    (thread,) = [thread for thread in threading.enumerate() if thread.name == f"EventLoopExecutor-{name}"]
    return thread


def test_shutdown_waits_for_what_goes_on_and_what_waits_and_for_the_thread() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop(max_concurrency=1, name="it")
    futures = [executor.submit(steps, n) for n in range(2)]
    call = steps.next()
    shutting_down = InThread(executor.shutdown)
    while executor._calls.closed is None:
        threading.Event().wait(0.001)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(give, 1)
    thread = loop_thread("it")
    call.end(1)
    assert shutting_down.is_alive()
    steps.next().end(2)
    assert shutting_down.outcome() is None
    assert not thread.is_alive()
    assert [future.result(0) for future in futures] == [1, 2]
    executor.shutdown()


def test_without_wait_it_returns_at_once_and_the_thread_ends_after_the_last_call() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop(name="it")
    future = executor.submit(steps, 1)
    call = steps.next()
    executor.shutdown(wait=False)
    thread = loop_thread("it")
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(give, 1)
    call.end("result")
    assert future.result(PATIENCE) == "result"
    assert_ends(thread)


def test_without_a_call_there_is_nothing_to_end() -> None:
    for wait in (True, False):
        executor = Executors.event_loop(name="it")
        executor.shutdown(wait)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(give, 1)
        assert "shut down" in repr(executor)


def test_with_cancel_futures_what_waits_is_cancelled_and_so_is_what_goes_on() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop(max_concurrency=1)
    futures = [executor.submit(steps, n) for n in range(3)]
    steps.next()
    executor.shutdown(cancel_futures=True)
    assert [future.cancelled() for future in futures] == [True] * 3
    assert steps.unasked() == 0


def test_with_cancel_futures_and_without_wait_nobody_waits_for_the_thread() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop(name="it")
    executor.submit(steps, 1)
    steps.next()
    thread = loop_thread("it")
    executor.shutdown(wait=False, cancel_futures=True)
    assert_ends(thread)


@pytest.mark.parametrize("layered", [False, True])
def test_on_the_loops_own_thread_it_does_not_wait(layered: bool) -> None:
    async def shut_down() -> str:
        executor.shutdown()
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(give, 1)
        return "goes on"

    executor: Any = Executors.event_loop(name="it")
    if layered:
        executor = executor.with_map(str).with_retry()
    future = executor.submit(shut_down)
    assert future.result(PATIENCE) == "goes on"
    for thread in threading.enumerate():
        if "Executor-" in thread.name:
            assert_ends(thread)


def test_a_coroutine_that_still_goes_on_although_its_future_is_done_is_waited_for() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop()
    future = executor.submit(steps, 1)
    call = steps.next()
    future.set_result("from elsewhere")
    shutting_down = InThread(executor.shutdown)
    while executor._calls.closed is None:
        threading.Event().wait(0.001)
    assert shutting_down.is_alive()
    call.end()
    assert shutting_down.outcome() is None


def test_tasks_that_a_coroutine_left_are_cancelled_in_the_end() -> None:
    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(asyncio.get_running_loop())

    async def leave_it() -> None:
        kept.append(asyncio.create_task(for_ever()))
        await asyncio.sleep(0)

    ended: list[Any] = []
    kept: list[Any] = []
    with Executors.event_loop() as executor:
        executor.submit(leave_it).result(PATIENCE)
    assert len(ended) == 1


def test_an_interrupted_shutdown_can_be_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    steps = AsyncStepped()
    executor = Executors.event_loop(name="it")
    executor.submit(steps, 1)
    call = steps.next()
    thread = loop_thread("it")
    with monkeypatch.context() as patches:
        patches.setattr(executor, "_wait_until_drained", interrupt)
        with pytest.raises(KeyboardInterrupt):
            executor.shutdown()
    shutting_down = InThread(executor.shutdown)
    call.end()
    assert shutting_down.outcome() is None
    assert_ends(thread)


# -- opening and closing ---------------------------------------------------------------------------------------------


class Hooks:
    """An `open_fn` and a `close_fn` that note what happens; the first `open_fn`s fail, as often as is said."""

    def __init__(self, failures: int = 0) -> None:
        self.happened: list[str] = []
        self._failures = failures

    async def open(self) -> None:
        await asyncio.sleep(0)
        if self._failures:
            self._failures -= 1
            self.happened.append("not opened")
            raise SomeError
        self.happened.append("opened")

    async def call(self, value: Any) -> Any:
        self.happened.append(f"called with {value}")
        return value

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.happened.append("closed")


def test_open_fn_comes_before_the_first_call_and_close_fn_after_the_last() -> None:
    hooks = Hooks()
    with Executors.event_loop(open_fn=hooks.open, close_fn=hooks.close) as executor:
        assert hooks.happened == []
        futures = [executor.submit(hooks.call, n) for n in range(2)]
        assert [future.result(PATIENCE) for future in futures] == [0, 1]
        assert executor.submit(hooks.call, value=2).result(PATIENCE) == 2
    assert hooks.happened == ["opened", "called with 0", "called with 1", "called with 2", "closed"]


def test_an_open_fn_that_raises_fails_the_call_and_the_next_one_tries_again() -> None:
    hooks = Hooks(failures=1)
    with Executors.event_loop(open_fn=hooks.open, close_fn=hooks.close) as executor:
        assert isinstance(executor.submit(hooks.call, 1).exception(PATIENCE), SomeError)
        assert executor.submit(hooks.call, 2).result(PATIENCE) == 2
    assert hooks.happened == ["not opened", "opened", "called with 2", "closed"]


def test_a_call_that_is_cancelled_while_it_opens_is_cancelled_and_the_next_one_opens() -> None:
    async def open_slowly() -> None:
        await steps(None)
        hooks.happened.append("opened")

    hooks, steps = Hooks(), AsyncStepped()
    with Executors.event_loop(open_fn=open_slowly) as executor:
        first = executor.submit(hooks.call, 1)
        steps.next()
        assert first.cancel() is True
        second = executor.submit(hooks.call, 2)
        steps.next().end()
        assert second.result(PATIENCE) == 2
    assert hooks.happened == ["opened", "called with 2"]


def test_close_fn_is_not_awaited_if_nothing_was_called_and_what_it_raises_is_logged() -> None:
    async def fail() -> None:
        raise SomeError

    hooks, logger = Hooks(), HeardLogger()
    Executors.event_loop(close_fn=hooks.close).shutdown()
    assert hooks.happened == []
    with Executors.event_loop(close_fn=fail, logger=logger) as executor:
        executor.submit(give, 1).result(PATIENCE)
    ((level, message, error),) = logger.lines
    assert level == "ERROR"
    assert message.startswith("Exception in close_fn")
    assert isinstance(error, SomeError)
