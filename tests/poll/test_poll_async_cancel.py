"""Functions that cancel and are an `async def`: they run on the event loop of the executor, for callers elsewhere."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from math import inf
from typing import Any

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, InThread, SomeError

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import watched
from more_executors.rate_limit import RateLimit, Throttled

NEVER = 3600.0
FROM_ITS_OWN_THREAD = "this waits for the event loop of the executor: not from its own thread"


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much else to do is not reported as a function that blocks the loop."""
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


async def await_nothing(descriptors: list[Any]) -> float:
    return NEVER


@pytest.mark.parametrize("poll", [wait_for_nothing, await_nothing])
@pytest.mark.parametrize("answer", [True, False, 1, None])
def test_an_async_cancel_fn_decides_by_its_truth_value(poll: Callable[..., Any], answer: object) -> None:
    threads = []

    async def cancel(result: Any) -> object:
        threads.append((result, threading.current_thread().name))
        await asyncio.sleep(0)
        return answer

    executor = PollExecutor(SyncExecutor(), poll, cancel, name="it")
    future = executor.submit(str, "key")
    assert future.cancel() is bool(answer)
    assert future.cancelled() is bool(answer)
    assert threads == [("key", "PollExecutor-it-loop")]
    if not answer:
        future.set_result(None)
    executor.shutdown()


def test_without_a_coroutine_to_run_there_is_no_thread_for_it() -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing, AsyncStepped(), name="idle") as executor:
        future = executor.submit(str)
        assert not [thread for thread in threading.enumerate() if thread.name == "PollExecutor-idle-loop"]
        future.set_result(None)


def test_many_cancels_go_on_at_a_time_and_each_gets_its_answer() -> None:
    cancel = AsyncStepped()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel) as executor:
        futures = executor.adopt_many(range(20))
        threads = [InThread(future.cancel) for future in futures]
        calls = [cancel.next() for _ in futures]
        for call in reversed(calls):
            call.end(call.argument % 2 == 0)
        answers = [thread.outcome() for thread in threads]
        assert answers == [future.cancelled() for future in futures] == [n % 2 == 0 for n in range(20)]
        for future in futures[1::2]:
            future.set_result(None)


def test_what_an_async_cancel_fn_raises_is_logged_and_the_answer_is_no() -> None:
    logger, error = HeardLogger(), SomeError()

    async def cancel(result: Any) -> None:
        raise error

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, logger=logger) as executor:
        future = executor.submit(str, "key")
        assert future.cancel() is False
        future.set_result(None)
    ((level, message, logged),) = logger.lines
    assert (level, logged) == ("ERROR", error)
    assert message.startswith("Exception during cancel on <Future")
    error.__traceback__ = None


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")


def test_an_async_cancel_fn_runs_in_the_context_of_who_cancels() -> None:
    async def cancel(result: Any) -> bool:
        return variable.get() == "of the caller"

    def set_and_cancel() -> bool:
        variable.set("of the caller")
        return future.cancel()

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel) as executor:
        future = executor.submit(str)
        assert InThread(contextvars.copy_context().run, set_and_cancel).outcome() is True


def test_a_second_cancel_shares_the_answer() -> None:
    cancel = AsyncStepped()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel) as executor:
        future = executor.submit(str)
        threads = [InThread(future.cancel), InThread(future.cancel)]
        cancel.next().end(True)
        assert [thread.outcome() for thread in threads] == [True, True]
        assert cancel.unasked() == 0


def test_a_cancel_under_way_is_seen_through_when_the_future_ends_and_the_executor_is_shut_down() -> None:
    cancel = AsyncStepped()
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, cancel)
    future = executor.submit(str)
    cancelling = InThread(future.cancel)
    call = cancel.next()
    future.set_result("done elsewhere")
    shutting_down = InThread(executor.shutdown)
    call.end(True)
    assert cancelling.outcome() is False
    assert shutting_down.outcome() is None
    assert not call.thread.is_alive()


def test_a_cancel_after_all_is_over_needs_no_loop() -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing, AsyncStepped()) as executor:
        future = executor.submit(str)
        future.set_result(None)
    assert future.cancel() is False


# -- on the loop's own thread --------------------------------------------------------------------------------------


def cancel_on_the_loop(logger: HeardLogger, **options: Any) -> Any:
    """What `cancel()` of a polled future says to an async poll function."""

    async def poll(descriptors: list[Any]) -> float:
        while not futures:
            await asyncio.sleep(0)
        descriptors[0].yield_result(futures[0].cancel())
        return NEVER

    futures: list[Any] = []
    with PollExecutor(SyncExecutor(), poll, logger=logger, **options) as executor:
        futures.append(executor.submit(str))
        return futures[0].result(PATIENCE)


async def agree(result: Any) -> bool:
    return True


async def agree_to_all(results: list[Any]) -> list[bool]:
    return [True for _ in results]


@pytest.mark.parametrize("options", [{"cancel_fn": agree}, {"cancel_many_fn": agree_to_all}], ids=["one", "many"])
@pytest.mark.parametrize("rate_limit", [None, RateLimit(1e6)], ids=["without a limit", "with a limit"])
def test_on_the_thread_of_the_loop_a_cancel_is_refused_and_says_why(options: Any, rate_limit: Any) -> None:
    logger = HeardLogger()
    assert cancel_on_the_loop(logger, rate_limit=rate_limit, **options) is False
    ((level, message, error),) = logger.lines
    assert level == "ERROR"
    assert message.startswith("Exception during cancel o")
    assert isinstance(error, RuntimeError)
    assert FROM_ITS_OWN_THREAD in str(error)


def test_on_the_thread_of_the_loop_a_cancel_that_another_thread_is_at_is_refused_too() -> None:
    async def cancel(result: Any) -> bool:
        return futures[0].cancel() is False

    futures: list[Any] = []
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, logger=HeardLogger()) as executor:
        futures.append(executor.submit(str))
        assert InThread(futures[0].cancel).outcome() is True


def test_a_function_that_cancels_many_may_try_to_cancel_one_of_them() -> None:
    async def cancel_many(results: list[Any]) -> list[bool]:
        return [futures[result].cancel() is False for result in results]

    futures: list[Any] = []
    options: dict[str, Any] = {"cancel_many_fn": cancel_many, "logger": HeardLogger()}
    with PollExecutor(SyncExecutor(), wait_for_nothing, **options) as executor:
        futures += executor.adopt_many(range(3))
        assert InThread(executor.cancel_all).outcome() == 3


def test_shutting_down_on_the_thread_of_the_loop_does_not_wait_and_cancels_nothing_that_has_to_be_asked_for() -> None:
    logger = HeardLogger()

    async def poll(descriptors: list[Any]) -> float:
        executor.shutdown(cancel_futures=True)
        for descriptor in descriptors:
            descriptor.yield_result("seen through")
        return NEVER

    executor = PollExecutor(SyncExecutor(), poll, agree, logger=logger)
    future = executor.submit(str)
    assert future.result(PATIENCE) == "seen through"
    assert len(logger.of_level("ERROR")) == 1


# -- several, and too many -----------------------------------------------------------------------------------------


def test_an_async_function_cancels_many_at_once_on_the_loop() -> None:
    asked: list[Any] = []

    async def cancel_many(results: list[Any]) -> list[bool]:
        asked.append((threading.current_thread().name, results))
        await asyncio.sleep(0)
        return [True for _ in results]

    executor = PollExecutor(SyncExecutor(), await_nothing, cancel_many_fn=cancel_many, batch_size=2, name="it")
    with executor:
        executor.adopt_many(list("abc"))
        assert executor.cancel_all() == 3
    assert asked == [("PollExecutor-it-loop", ["a", "b"]), ("PollExecutor-it-loop", ["c"])]


def test_an_async_function_that_is_throttled_cancels_nothing_and_slows_down() -> None:
    limit, logger = RateLimit(1e6), HeardLogger()

    async def cancel(result: Any) -> bool:
        raise Throttled(0)

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, rate_limit=limit, logger=logger) as executor:
        future = executor.submit(str)
        assert future.cancel() is False
        assert limit.rate < 1e6
        future.set_result(None)
    assert not logger.lines


@pytest.mark.parametrize("most", [1, 2])
def test_one_that_is_cancelled_itself_is_a_no_for_its_task_and_the_others_are_asked_about(most: int) -> None:
    asked, logger = [], HeardLogger()

    async def cancel(result: Any) -> bool:
        asked.append(result)
        if result in "ab":
            raise asyncio.CancelledError
        return True

    options: dict[str, Any] = {"max_concurrency": most, "logger": logger}
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, **options) as executor:
        futures = executor.adopt_many(list("abcdef"))
        count = executor.cancel_all()
        for future in futures:
            if not future.done():
                future.set_result(None)
    assert (count, sorted(asked), len(logger.of_level("ERROR"))) == (4, list("abcdef"), 2)
    logger.lines.clear()


def test_late_tasks_are_cancelled_by_an_async_function() -> None:
    cancel = AsyncStepped()
    with PollExecutor(SyncExecutor(), await_nothing, cancel) as executor:
        future = executor.adopt("late", timeout=0)
        assert isinstance(future.exception(PATIENCE), TimeoutError)
        call = cancel.next()
        assert call.argument == "late"
        call.end(True)
