"""StatusPoll: what `fetch` returns is of the type that `key` and `resolve` take."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from more_executors import Executors, PollDescriptor
from more_executors.status_poll import StatusPoll, TaskMissing

if TYPE_CHECKING:
    from typing_extensions import assert_type

    from more_executors.status_poll._status_poll import AsyncStatusPoll
else:

    def assert_type(value: object, _: object) -> object:
        return value


class Status:
    """What the service says of a task."""

    def __init__(self, task_id: int) -> None:
        self.task_id = task_id


def start(name: str) -> int:
    return len(name)


def as_list(ids: list[int]) -> list[Status]:
    return [Status(task_id) for task_id in ids]


def as_pages(ids: list[int]) -> Iterator[Status]:
    yield from as_list(ids)


def as_mapping(ids: list[int]) -> dict[int, Status]:
    return {task_id: Status(task_id) for task_id in ids}


async def as_awaited_list(ids: list[int]) -> list[Status]:
    return as_list(ids)


async def as_awaited_mapping(ids: list[int]) -> dict[int, Status]:
    return as_mapping(ids)


def key(status: Status) -> int:
    return status.task_id


def resolve(descriptor: PollDescriptor[int, str], status: Status) -> None:
    descriptor.yield_result(f"{descriptor.result} {status.task_id}")


def resolve_text(descriptor: PollDescriptor[str, str], status: Status) -> None:
    descriptor.yield_result(f"{descriptor.result} {status.task_id}")


def plain() -> None:
    poll = StatusPoll(as_list, key, resolve, missing_after=60)
    assert_type(poll, StatusPoll[int, str])
    assert_type(StatusPoll(as_pages, key, resolve), StatusPoll[int, str])
    assert_type(StatusPoll(as_mapping, None, resolve), StatusPoll[int, str])
    assert_type(StatusPoll(as_list, key, resolve_text, id=int), StatusPoll[str, str])
    with Executors.sync().with_poll(poll) as executor:
        future = executor.submit(start, "one")
        assert_type(future, Future[str])
        assert future.result() == "3 3"


def awaited() -> None:
    poll = StatusPoll(as_awaited_list, key, resolve)
    if TYPE_CHECKING:
        assert_type(poll, AsyncStatusPoll[int, str])
        assert_type(StatusPoll(as_awaited_mapping, None, resolve), AsyncStatusPoll[int, str])
    with Executors.sync().with_poll(poll, batch_size=100) as executor:
        assert_type(executor.submit(start, "one"), Future[str])


def missing(error: TaskMissing) -> tuple[Any, float]:
    return error.task_id, error.seconds


def main() -> None:
    plain()
    awaited()
