"""Whose turn it is to make requests, where several calls of an async `EachStatus` go on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from more_executors import EachStatus
from more_executors.status_poll._concurrent_requests import ConcurrentRequests


class StandIn:
    """As much of a descriptor as is looked at."""

    done = False

    def __init__(self, result: str) -> None:
        self.result = result


class Service:
    """Its requests go on until `end` is called for them."""

    def __init__(self) -> None:
        self.under_way: dict[str, asyncio.Future[str]] = {}
        self.ended: list[str] = []
        self.poll: Any = EachStatus(self._fetch_one, lambda _, status: self.ended.append(status), max_concurrency=2)

    async def _fetch_one(self, task_id: str) -> str:
        self.under_way[task_id] = asyncio.get_running_loop().create_future()
        try:
            return await self.under_way[task_id]
        finally:
            del self.under_way[task_id]

    def call(self, *ids: str) -> asyncio.Task[None]:
        return asyncio.ensure_future(self.poll([StandIn(task_id) for task_id in ids]))

    async def end(self, *ids: str) -> None:
        for task_id in ids:
            self.under_way[task_id].set_result(task_id)
        await settled()

    def goes_on(self, *ids: str) -> bool:
        return list(self.under_way) == list(ids)


async def settled() -> None:
    """Let the loop do all that it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_call_that_came_first_is_first_and_its_places_are_given_on_as_they_get_free() -> None:
    async def main() -> None:
        service = Service()
        first, second = service.call("a1", "a2", "a3"), service.call("b1", "b2", "b3")
        await settled()
        assert service.goes_on("a1", "a2")
        await service.end("a1")
        assert service.goes_on("a2", "a3")
        await service.end("a2")
        assert service.goes_on("a3", "b1")
        await service.end("b1")
        assert service.goes_on("a3", "b2")
        await service.end("a3")
        assert (first.done(), second.done()) == (True, False)
        assert service.goes_on("b2", "b3")
        await service.end("b2", "b3")
        await second
        assert service.ended == ["a1", "a2", "b1", "a3", "b2", "b3"]

    asyncio.run(main())


def test_of_a_call_that_is_cancelled_the_requests_are_and_its_places_are_free() -> None:
    async def main() -> None:
        service = Service()
        first, second = service.call("a1", "a2", "a3"), service.call("b1", "b2")
        await settled()
        first.cancel()
        await settled()
        assert first.cancelled()
        assert service.goes_on("b1", "b2")
        await service.end("b1", "b2")
        await second

    asyncio.run(main())


@pytest.mark.parametrize("at", [1, 2], ids=["the first", "the second"])
def test_a_call_whose_request_cannot_begin_fails_and_the_next_one_has_its_places(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    made = 0
    make = ConcurrentRequests._make_task

    def make_or_fail(self: ConcurrentRequests, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        nonlocal made
        made += 1
        if made == at:
            raise MemoryError
        return make(self, coroutine)

    async def main() -> None:
        monkeypatch.setattr(ConcurrentRequests, "_make_task", make_or_fail)
        service = Service()
        first, second = service.call("a1", "a2", "a3"), service.call("b1", "b2")
        with pytest.raises(MemoryError):
            await first
        await settled()
        assert service.goes_on("b1", "b2")
        await service.end("b1", "b2")
        await second

    asyncio.run(main())
