"""StatusPoll under a PollExecutor: what is submitted and adopted, and what its futures give."""

# pyright: strict

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from more_executors import Executors, PollDescriptor, PollExecutor, StatusPoll, TaskMissing

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


class Task(NamedTuple):
    """What starting one returns."""

    number: int
    region: str


class Status(NamedTuple):
    """What the service says of a task."""

    number: int
    output: str


def start(job: str) -> int:
    return len(job)


def start_in_region(job: str) -> Task:
    return Task(len(job), "here")


def statuses(numbers: list[int]) -> list[Status]:
    return [Status(number, f"{number}") for number in numbers]


def statuses_by_number(numbers: list[int]) -> Mapping[int, Status]:
    return {status.number: status for status in statuses(numbers)}


async def statuses_async(numbers: list[int]) -> list[Status]:
    return statuses(numbers)


def number_of(status: Status) -> int:
    return status.number


def number_of_task(task: Task) -> int:
    return task.number


def resolve(descriptor: PollDescriptor[int, str], status: Status) -> None:
    if status.output:
        descriptor.yield_result(status.output)


def resolve_task(descriptor: PollDescriptor[Task, str], status: Status) -> bool:
    descriptor.yield_result(f"{descriptor.result.region} {status.output}")
    return True


def by_key() -> None:
    with Executors.sync().with_poll(StatusPoll(statuses, number_of, resolve), batch_size=100) as executor:
        assert_type(executor, PollExecutor[int, str, int])
        assert_type(executor.submit(start, "one"), Future[str])
        assert executor.submit(start, "three").result(timeout=10) == "5"


def by_mapping() -> None:
    with PollExecutor(Executors.sync(), StatusPoll(statuses_by_number, None, resolve)) as executor:
        assert_type(executor.submit(start, "one").result(timeout=10), str)


def by_id() -> None:
    poll = StatusPoll(statuses, number_of, resolve_task, id=number_of_task)
    assert_type(poll, StatusPoll[Task, str])
    with Executors.sync().with_poll(poll, group_by=lambda task: task.region) as executor:
        assert_type(executor, PollExecutor[Task, str, Task])
        assert executor.submit(start_in_region, "one").result(timeout=10) == "here 3"
        assert_type(executor.adopt(Task(5, "there")), Future[str])


def by_async_functions() -> None:
    with Executors.sync().with_poll(StatusPoll(statuses_async, number_of, resolve)) as executor:
        assert_type(executor, PollExecutor[int, str, int])
        assert executor.submit(start, "one").result(timeout=10) == "3"


class Counting(StatusPoll[int, str]):
    """A subclass of one's own."""

    calls = 0

    def __call__(self, descriptors: list[PollDescriptor[int, str]]) -> None:
        self.calls += 1
        super().__call__(descriptors)


def by_subclass() -> None:
    poll = Counting(statuses, number_of, resolve)
    assert_type(poll, Counting)
    with Executors.sync().with_poll(poll) as executor:
        assert_type(executor.submit(start, "one").result(timeout=10), str)
    assert poll.calls


def missing(error: TaskMissing) -> float:
    assert_type(error.since, datetime)
    assert_type(error.seconds, float)
    task_id: Any = error.task_id
    return error.seconds + int(task_id)


def main() -> None:
    by_key()
    by_mapping()
    by_id()
    by_async_functions()
    by_subclass()
    assert missing(TaskMissing(5, datetime(2026, 5, 1), 0.5)) == 5.5
