"""How a poll executor ends, whichever way it polls: shut down, from inside too, or with nobody referring to it."""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from async_support import AsyncStepped
from support import (
    PATIENCE,
    HeardLogger,
    InThread,
    SomeError,
    SteppedPoll,
    Thing,
    assert_ends,
    is_gone,
    listening_to,
    poll_thread,
    said,
)

from more_executors import PollExecutor, SyncExecutor
from more_executors.retry import ExceptionRetryPolicy

NEVER = 3600.0

# Ways of polling: whether the function is async, and the options.
MODES: dict[str, tuple[bool, dict[str, Any]]] = {
    "whole list": (False, {}),
    "what is due": (False, {"batch_size": 2}),
    "on threads": (False, {"max_concurrency": 2}),
    "async": (True, {"max_concurrency": 2}),
    "with a deadline": (False, {"timeout": NEVER}),
    "retrying": (True, {"retry_policy": ExceptionRetryPolicy(max_attempts=2, sleep=0.0), "min_interval": 0.0}),
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
on_others = pytest.mark.parametrize("mode", [MODES["on threads"], MODES["async"]], ids=["on threads", "async"])


def as_mode(mode: Any, function: Callable[[list[Any]], Any]) -> Any:
    """`function` as a poll function of that mode."""

    async def poll(descriptors: list[Any]) -> Any:
        try:
            await asyncio.sleep(0)
            return function(descriptors)
        finally:
            del descriptors

    return poll if mode[0] else function


def threads_of(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"PollExecutor-{name}")]


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result("polled")
    return NEVER


def fail(descriptors: list[Any]) -> float:
    if descriptors:
        raise SomeError
    return NEVER


# -- nobody refers to it -------------------------------------------------------------------------------------------


@every_mode
def test_an_executor_that_nobody_refers_to_ends_its_threads(mode: Any) -> None:
    executor = PollExecutor(SyncExecutor(), as_mode(mode, resolve), name="it", **mode[1])
    assert executor.submit(str).result(PATIENCE) == "polled"
    threads, reference = threads_of("it"), weakref.ref(executor)
    del executor
    assert is_gone(reference)
    for thread in threads:
        assert_ends(thread)


class Caller:
    """Has an executor whose functions are methods of this one, in a circle."""

    def __init__(self, mode: Any) -> None:
        self.cancels = threading.Semaphore(0)
        self.executor = PollExecutor(SyncExecutor(), self.poll_of(mode), self.cancel, name="it", **mode[1])

    def poll_of(self, mode: Any) -> Any:
        return self.poll_async if mode[0] else self.poll

    def poll(self, descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result != "waits":
                descriptor.yield_result("polled")
        return NEVER

    async def poll_async(self, descriptors: list[Any]) -> float:
        return self.poll(descriptors)

    async def cancel(self, result: Any) -> bool:
        self.cancels.release()
        return True


@every_mode
def test_its_threads_end_too_if_its_functions_refer_to_it(mode: Any) -> None:
    caller = Caller(mode)
    assert caller.executor.submit(str).result(PATIENCE) == "polled"
    assert caller.executor.submit(str, "waits").cancel()
    assert isinstance(caller.executor.adopt("waits", timeout=0).exception(PATIENCE), TimeoutError)
    for _ in range(2):
        assert caller.cancels.acquire(timeout=PATIENCE)
    threads, reference = threads_of("it"), weakref.ref(caller.executor)
    assert len(threads) >= 2  # its own, and that of the loop, which cancels, too
    del caller
    assert is_gone(reference)
    for thread in threads:
        assert_ends(thread)


@every_mode
def test_while_a_future_is_outstanding_it_goes_on_by_itself(mode: Any) -> None:
    found: list[Any] = []
    polled = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        found[:] = descriptors
        if descriptors:
            polled.set()
        return NEVER

    future = PollExecutor(SyncExecutor(), as_mode(mode, poll), name="it", **mode[1]).submit(str)
    assert polled.wait(PATIENCE)
    threads = threads_of("it")
    assert threads
    found.pop().yield_result("polled")
    assert future.result(PATIENCE) == "polled"
    for thread in threads:
        assert_ends(thread)


@every_mode
def test_what_failed_keeps_neither_the_executor_nor_other_futures(mode: Any) -> None:
    silent = logging.Logger("silent", logging.CRITICAL)  # one that hears something would keep it
    executor = PollExecutor(SyncExecutor(), as_mode(mode, fail), logger=silent, **mode[1])
    failed, value = executor.submit(str, "failed"), Thing()
    error = failed.exception(PATIENCE)
    other = executor.adopt(value)
    assert said(other) is SomeError
    references: list[weakref.ref[Any]] = [weakref.ref(executor), weakref.ref(other), weakref.ref(value)]
    del executor, other, value
    assert [is_gone(reference) for reference in references] == [True] * 3
    assert isinstance(error, SomeError)
    del error, failed


# -- shut down -----------------------------------------------------------------------------------------------------


@on_others
def test_shutdown_waits_for_calls_that_go_on_although_their_futures_are_done(mode: Any) -> None:
    poll: Any = AsyncStepped() if mode[0] else SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll, name="it", **mode[1])
    future = executor.submit(str)
    call, own = poll.next(), poll_thread("it")
    future.set_result(None)
    shutting_down = InThread(executor.shutdown)
    assert_ends(own)
    assert shutting_down.is_alive()
    assert call.thread.is_alive()
    call.end()
    shutting_down.outcome()
    assert not call.thread.is_alive()
    assert not threads_of("it")


@on_others
def test_shutdown_that_is_not_to_wait_does_not_wait_for_calls(mode: Any) -> None:
    poll: Any = AsyncStepped() if mode[0] else SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll, name="it", **mode[1])
    future = executor.submit(str)
    call = poll.next()
    executor.shutdown(wait=False)
    descriptors = call.descriptors if hasattr(call, "descriptors") else call.argument
    descriptors[0].yield_result("seen through")
    assert future.result(0) == "seen through"
    call.end()
    assert_ends(call.thread)
    del descriptors, call


@every_mode
@pytest.mark.parametrize("cancel_futures", [False, True])
def test_a_poll_call_may_shut_its_executor_down_and_what_is_left_is_seen_through(
    mode: Any, cancel_futures: bool
) -> None:
    def poll(descriptors: list[Any]) -> float:
        if descriptors:
            assert adopted.wait(PATIENCE)
            executor.shutdown(cancel_futures=cancel_futures)
            return resolve(descriptors)
        return NEVER

    adopted = threading.Event()
    executor = PollExecutor(SyncExecutor(), as_mode(mode, poll), name="it", logger=HeardLogger(), **mode[1])
    futures = executor.adopt_many(range(10))
    adopted.set()
    threads = threads_of("it")
    for future in futures:
        assert said(future) == "polled" or future.cancelled()
    if not cancel_futures:
        assert {future.result(0) for future in futures} == {"polled"}
    for thread in threads:
        assert_ends(thread)


@every_mode
def test_a_callback_on_a_thread_of_the_executor_may_shut_it_down(mode: Any) -> None:
    executor = PollExecutor(SyncExecutor(), as_mode(mode, resolve), name="it", **mode[1])
    threads: list[threading.Thread] = []

    def shut_down(_: object) -> None:
        threads.extend(threads_of("it"))
        executor.shutdown()

    executor.submit(str).add_done_callback(shut_down)
    executor._worker.join()
    for thread in threads_of("it"):
        assert_ends(thread)
    assert repr(executor) == "<PollExecutor 'it': 0 outstanding shut down>"


@every_mode
def test_an_executor_above_may_be_shut_down_by_a_poll_call(mode: Any) -> None:
    def poll(descriptors: list[Any]) -> float:
        if descriptors:
            top[0].shutdown()
        return resolve(descriptors)

    executor = PollExecutor(SyncExecutor(), as_mode(mode, poll), name="it", **mode[1])
    top = [executor.with_map(str.upper).with_retry().with_cancel_on_shutdown()]
    future = top[0].submit(str)
    assert said(future) == "POLLED" or future.cancelled()
    for thread in threads_of("it"):
        assert_ends(thread)
    top.clear()


# -- the loop cannot be had ----------------------------------------------------------------------------------------


def test_if_the_thread_of_the_loop_cannot_be_started_its_tasks_are_polled_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, start = [RuntimeError("can't start new thread")], threading.Thread.start

    def start_later(thread: threading.Thread) -> None:
        if thread.name.endswith("-loop") and left:
            raise left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_later)
    with listening_to("more_executors"), PollExecutor(SyncExecutor(), as_mode(MODES["async"], resolve)) as executor:
        assert executor.submit(str).result(PATIENCE) == "polled"
        assert not left
