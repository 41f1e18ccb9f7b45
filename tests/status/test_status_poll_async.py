"""StatusPoll with an `async def` fetch."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from status_poll_support import Clock, Service, key, outcomes, outstanding, resolve, status
from support import HeardLogger, SomeError

from more_executors.rate_limit import Throttled
from more_executors.status_poll import StatusPoll, TaskMissing


class AsyncCallable:
    async def __call__(self, ids: list[Any]) -> list[Any]:
        return [status(each) for each in ids]


async def with_service(_service: str, ids: list[Any]) -> list[Any]:
    return [status(each) for each in ids]


def awaited(poll: Any, descriptors: list[Any]) -> list[Any]:
    """Call it in a loop; returns the outcomes."""
    assert asyncio.run(poll(descriptors)) is None
    return outcomes(descriptors)


FETCHES = [
    AsyncCallable(),
    AsyncCallable().__call__,
    functools.partial(with_service, "somewhere"),
    functools.partial(functools.partial(with_service), "somewhere"),
]


@pytest.mark.parametrize("fetch", FETCHES, ids=["object", "method", "partial", "partial of partial"])
def test_with_an_async_fetch_it_is_an_async_poll_function(fetch: Callable[..., Any]) -> None:
    poll = StatusPoll(fetch, key, resolve)
    assert isinstance(poll, StatusPoll)
    assert inspect.iscoroutinefunction(type(poll).__call__)
    assert awaited(poll, outstanding(1, 2)) == [("result", 1), ("result", 2)]


def test_with_a_plain_fetch_it_is_none() -> None:
    assert type(StatusPoll(Service().fetch, key, resolve)) is StatusPoll
    assert not inspect.iscoroutinefunction(StatusPoll.__call__)


def test_a_mapping_can_be_awaited_too() -> None:
    poll = StatusPoll(Service({1: status(1)}).fetch_async, None, resolve)
    assert awaited(poll, outstanding(1, 2)) == [("result", 1), None]


def test_with_nobody_to_ask_about_it_does_not_ask() -> None:
    service = Service()
    awaited(StatusPoll(service.fetch_async, key, resolve), [])
    assert service.asked == []


def test_what_is_missing_or_odd_is_handled_as_without_async() -> None:
    clock, logger, tasks = Clock(), HeardLogger(), outstanding(1, 2)
    service = Service([None, status("x"), status(2, "exploded"), status(2)])
    poll = StatusPoll(service.fetch_async, key, resolve, missing_after=60, logger=logger, clock=clock)
    missing, failed = awaited(poll, tasks)
    assert missing is None
    assert isinstance(failed[1], ValueError)
    clock.now += 60
    awaited(poll, tasks[:1])
    assert isinstance(tasks[0].error, TaskMissing)
    assert len(logger.of_level("WARNING")) == 3


@pytest.mark.parametrize("error", [SomeError(), Throttled(1), asyncio.CancelledError()])
def test_what_fetch_raises_goes_out_of_the_call(error: BaseException) -> None:
    tasks = outstanding(1)
    poll = StatusPoll(Service(error).fetch_async, key, resolve, missing_after=0)
    with pytest.raises(type(error)):
        awaited(poll, tasks)
    assert outcomes(tasks) == [None]


def test_many_calls_run_at_once_in_one_loop() -> None:
    calls = 1000

    async def main() -> list[Any]:
        all_there = asyncio.Event()
        asked: list[int] = []

        async def fetch(ids: list[int]) -> list[Any]:
            asked.extend(ids)
            if len(asked) == calls:
                all_there.set()
            await all_there.wait()
            return [status(each) for each in ids]

        poll: Any = StatusPoll(fetch, key, resolve)
        tasks = outstanding(*range(calls))
        await asyncio.wait_for(asyncio.gather(*(poll([task]) for task in tasks)), 60)
        return outcomes(tasks)

    assert asyncio.run(main()) == [("result", n) for n in range(calls)]


def test_a_plain_function_that_returns_a_coroutine_is_told_to_be_async() -> None:
    service = Service()
    poll = StatusPoll(lambda ids: service.fetch_async(ids), key, resolve)
    with pytest.raises(TypeError, match="async def"):
        poll(outstanding(1))


@pytest.mark.parametrize("what", ["key", "resolve", "id"])
def test_only_fetch_may_be_async(what: str) -> None:
    async def function(*_: object) -> None: ...

    functions: dict[str, Any] = {"fetch": Service().fetch, "key": key, "resolve": resolve, what: function}
    with pytest.raises(TypeError, match=f"{what} must not be async"):
        StatusPoll(**functions)


def test_a_subclass_is_not_made_async_behind_the_back_of_its_author() -> None:
    class Mine(StatusPoll[Any, Any]):
        pass

    with pytest.raises(TypeError, match="fetch of a Mine must not be async"):
        Mine(Service().fetch_async, key, resolve)
    poll = StatusPoll(Service().fetch_async, key, resolve)

    class MineAsync(type(poll)):  # type: ignore[misc]
        pass

    tasks = outstanding(1)
    assert awaited(MineAsync(Service([status(1)]).fetch_async, key, resolve), tasks) == [("result", 1)]
