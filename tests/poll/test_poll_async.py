"""Poll functions that are an `async def`: where they run, how many at a time, and what becomes of what they do."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import traceback
from collections import Counter
from math import inf
from typing import Any
from unittest.mock import Mock

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, RecordingPoll, SomeError, listening_to

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import watched
from more_executors.rate_limit import RateLimit, Throttled
from more_executors.retry import ExceptionRetryPolicy


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much else to do is not reported as a function that blocks the loop."""
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


async def resolve(descriptors: list[Any]) -> None:
    """Resolve each future with the name of the thread."""
    await asyncio.sleep(0)
    for descriptor in descriptors:
        descriptor.yield_result(threading.current_thread().name)


async def resolve_for(_service: str, descriptors: list[Any]) -> None:
    await resolve(descriptors)


class Resolver:
    async def __call__(self, descriptors: list[Any]) -> None:
        await resolve(descriptors)

    async def method(self, descriptors: list[Any]) -> None:
        await resolve(descriptors)


FUNCTIONS = {
    "async def": resolve,
    "partial": functools.partial(resolve_for, "service"),
    "partial of a partial": functools.partial(functools.partial(resolve_for), "service"),
    "object": Resolver(),
    "method": Resolver().method,
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_an_async_poll_function_runs_on_the_event_loop_of_the_executor(function: Any) -> None:
    with PollExecutor(SyncExecutor(), function, name="it") as executor:
        futures = [executor.submit(str, n) for n in range(3)]
        assert {future.result(PATIENCE) for future in futures} == {"PollExecutor-it-loop"}


class WithFunc:
    """No partial, although it has a `func`, which is async."""

    func = staticmethod(resolve)

    def __init__(self) -> None:
        self.threads: list[str] = []

    def __call__(self, descriptors: list[Any]) -> float:
        self.threads.append(threading.current_thread().name)
        for descriptor in descriptors:
            descriptor.yield_result()
        return inf


def test_an_object_is_async_if_calling_it_is_whatever_else_it_has() -> None:
    poll = WithFunc()
    with PollExecutor(SyncExecutor(), poll, name="it") as executor:
        executor.submit(str).result(PATIENCE)
    assert set(poll.threads) == {"PollExecutor-it"}


def test_a_mock_will_do_for_a_poll_function() -> None:
    recording = RecordingPoll()
    poll = Mock(side_effect=recording)
    with PollExecutor(SyncExecutor(), poll, Mock(return_value=True)) as executor:
        future = executor.submit(str)
        recording.next()
        assert future.cancel()
    assert poll.call_count >= 1


def test_so_many_calls_go_on_at_a_time_as_are_asked_for() -> None:
    poll = AsyncStepped()
    with PollExecutor(SyncExecutor(), poll, max_concurrency=3, batch_size=1, min_interval=0.0) as executor:
        futures = executor.adopt_many(range(5))
        calls = [poll.next() for _ in range(3)]
        assert len({call.loop for call in calls}) == len({call.thread for call in calls}) == 1
        assert executor.stats().in_calls == 3
        calls[1].argument[0].yield_result()
        calls[1].end()
        calls.append(poll.next())
        assert poll.unasked() == 0
        assert [call.argument[0].result for call in calls] == [0, 1, 2, 3]
        for call in calls:
            if call is not calls[1]:
                call.argument[0].yield_result()
                call.end()
        last = poll.next()
        last.argument[0].yield_result()
        last.end()
        for future in futures:
            future.result(PATIENCE)


def test_no_more_calls_go_on_than_are_asked_for_and_no_task_is_in_two_while_everything_is_asked_for() -> None:
    going_on: Counter[int] = Counter()
    most, twice = 0, 0

    async def poll(descriptors: list[Any]) -> float:
        nonlocal most, twice
        (descriptor,) = descriptors
        twice += going_on[descriptor.result]
        going_on[descriptor.result] += 1
        most = max(most, sum(going_on.values()))
        executor.notify()
        for _ in range(descriptor.result % 5):
            await asyncio.sleep(0)
        going_on[descriptor.result] -= 1
        if descriptor.polls > 3:
            descriptor.yield_result()
        return 0

    with PollExecutor(SyncExecutor(), poll, max_concurrency=7, batch_size=1, min_interval=0.0) as executor:
        for future in executor.adopt_many(range(100)):
            future.result(PATIENCE)
        assert twice == 0
        assert most <= 7
    assert executor.stats().in_calls == 0


@pytest.mark.long
def test_ten_thousand_calls_go_on_at_a_time_on_one_thread() -> None:
    count = 10_000
    free: asyncio.Event | None = None
    all_there = threading.Event()
    seen: Counter[int] = Counter()
    threads = set()

    async def poll(descriptors: list[Any]) -> float:
        nonlocal free
        free = free or asyncio.Event()
        threads.add(threading.current_thread())
        seen.update(descriptor.result for descriptor in descriptors)
        if len(seen) == count:
            all_there.set()
            free.set()
        await free.wait()
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)
        return inf

    with PollExecutor(SyncExecutor(), poll, max_concurrency=count, batch_size=1) as executor:
        futures = executor.adopt_many(range(count))
        assert all_there.wait(PATIENCE)
        assert [future.result(PATIENCE) for future in futures] == list(range(count))
        assert len(threads) == 1
        assert set(seen.values()) == {1}


def test_what_a_call_raises_fails_its_tasks_with_a_traceback_that_begins_in_the_function() -> None:
    error, logger = SomeError(), HeardLogger()

    async def deeper() -> None:
        await asyncio.sleep(0)
        raise error

    async def poll(descriptors: list[Any]) -> None:
        await deeper()

    with PollExecutor(SyncExecutor(), poll, logger=logger) as executor:
        future = executor.submit(str)
        assert future.exception(PATIENCE) is error
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["poll", "deeper"]
        assert logger.of_level("WARNING") == ["the poll function of PollExecutor-default failed"]
    error.__traceback__ = None  # it leads to the function, and so to this one


class EndOfSorts(BaseException):
    """No Exception."""


@pytest.mark.parametrize("error", [asyncio.CancelledError(), EndOfSorts()], ids=repr)
def test_polling_goes_on_whatever_is_raised(error: BaseException) -> None:
    poll, logger = AsyncStepped(), HeardLogger()
    with PollExecutor(SyncExecutor(), poll, logger=logger, min_interval=0.0) as executor:
        future = executor.submit(str)
        poll.next().end(raising=error)
        assert future.exception(PATIENCE) is error
        assert len(logger.of_level("ERROR")) == 1
        future = executor.submit(str)
        call = poll.next()
        call.argument[0].yield_result("polled")
        call.end()
        assert future.result(PATIENCE) == "polled"
    error.__traceback__ = None


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_an_end_of_the_program_out_of_a_task_that_is_awaited_ends_no_polling(end: type[BaseException]) -> None:
    ends = [end()]

    async def raise_it() -> None:
        if ends:
            raise ends.pop()

    async def poll(descriptors: list[Any]) -> None:
        await asyncio.create_task(raise_it())
        await resolve(descriptors)

    with listening_to("more_executors._runtime.event_loop") as heard:
        with PollExecutor(SyncExecutor(), poll, logger=HeardLogger(), retry_policy=Again()) as executor:
            assert executor.submit(str).result(PATIENCE) == "PollExecutor-default-loop"
        assert [level for level, _, _ in heard.lines] == ["ERROR"]


class Again(ExceptionRetryPolicy):
    """Tries again at once, whatever it was, for ever."""

    def __init__(self) -> None:
        super().__init__(max_attempts=1000, sleep=0.0, exception_base=BaseException)


@pytest.mark.parametrize("rate_limit", [None, RateLimit(10_000)], ids=["without a limit", "with a limit"])
def test_a_throttled_call_is_no_error_and_its_tasks_are_polled_again(rate_limit: RateLimit | None) -> None:
    poll, logger = AsyncStepped(), HeardLogger()
    with PollExecutor(SyncExecutor(), poll, logger=logger, rate_limit=rate_limit) as executor:
        future = executor.submit(str, "key")
        poll.next().end(raising=Throttled(0))
        call = poll.next()
        call.argument[0].yield_result(call.argument[0].polls)
        call.end()
        assert future.result(PATIENCE) == 2
    assert not logger.lines
    assert executor.stats()[8:11] == (2, 0, 1)  # calls, errors, throttled


def test_the_retry_policy_decides_about_a_failed_call() -> None:
    poll, logger, error = AsyncStepped(), HeardLogger(), SomeError()
    policy = ExceptionRetryPolicy(max_attempts=3, sleep=0.0)
    with PollExecutor(SyncExecutor(), poll, logger=logger, retry_policy=policy, min_interval=0.0) as executor:
        future = executor.submit(str)
        for attempt in range(3):
            call = poll.next()
            assert call.argument[0].failures == attempt
            call.end(raising=error)
        assert future.exception(PATIENCE) is error
        assert len(logger.of_level("WARNING")) == 1
    error.__traceback__ = None


def test_the_delay_that_a_call_returns_is_that_of_its_tasks() -> None:
    poll = AsyncStepped()
    options: dict[str, Any] = {"default_interval": inf, "batch_size": 1, "max_concurrency": 2, "min_interval": 0.0}
    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        patient, hasty = executor.adopt("patient"), executor.adopt("hasty")
        calls = {call.argument[0].result: call for call in (poll.next(), poll.next())}
        calls["patient"].end(inf)
        calls["hasty"].end(0)
        for _ in range(3):
            call = poll.next()
            assert [descriptor.result for descriptor in call.argument] == ["hasty"]
            call.end(0)
        poll.next().end(inf)
        executor.notify()
        for call in (poll.next(), poll.next()):
            call.argument[0].yield_result(call.argument[0].polls)
            call.end()
        assert (patient.result(PATIENCE), hasty.result(PATIENCE)) == (2, 6)


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="not set")


def test_a_call_has_a_context_of_its_own() -> None:
    async def poll(descriptors: list[Any]) -> float:
        before = variable.get()
        variable.set(descriptors[0].result)
        await asyncio.sleep(0)
        for descriptor in descriptors:
            descriptor.yield_result((before, variable.get()))
        return inf

    variable.set("of the caller")
    with PollExecutor(SyncExecutor(), poll, batch_size=1) as executor:
        futures = executor.adopt_many(["a", "b"])
        assert [future.result(PATIENCE) for future in futures] == [("of the caller", "a"), ("of the caller", "b")]


def test_a_list_that_the_function_empties_is_its_own() -> None:
    async def poll(descriptors: list[Any]) -> float:
        polls.append([descriptor.result for descriptor in descriptors])
        if len(polls) == 3:
            descriptors[0].yield_result("done")
        descriptors.clear()
        return 0.0

    polls: list[Any] = []
    with PollExecutor(SyncExecutor(), poll, min_interval=0.0) as executor:
        assert executor.adopt("a").result(PATIENCE) == "done"
    assert polls == [["a"]] * 3
