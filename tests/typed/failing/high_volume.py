"""What polling at high volume cannot be asked for."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from more_executors import (
    Backoff,
    Executors,
    Journal,
    MapExecutor,
    PollDescriptor,
    PollExecutor,
    PollStats,
    RateLimit,
    StatusPoll,
    Throttled,
)
from more_executors.progress import as_completed, progress


def count(text: str) -> int:
    return len(text)


def poll(descriptors: list[PollDescriptor[int, str]]) -> None: ...


async def poll_async(descriptors: list[PollDescriptor[int, str]]) -> None: ...


async def poll_async_for_delay(descriptors: list[PollDescriptor[int, str]]) -> str:
    return "soon"


async def poll_numbers(numbers: list[int]) -> None: ...


def region(task_id: int) -> str:
    return f"{task_id}"


def region_of_name(name: str) -> str:
    return name


def regions(task_id: int) -> list[str]:
    return [f"{task_id}"]


def cancel_many(task_ids: list[int]) -> list[bool]:
    return [False for _ in task_ids]


def cancel_many_by_name(names: list[str]) -> list[bool]:
    return [False for _ in names]


def cancel_one(task_id: int) -> bool:
    return task_id > 5


async def cancel_many_async(task_ids: list[int]) -> bool:
    return bool(task_ids)


class Forgetful:
    """No journal: it has nothing to tell."""

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None: ...


def with_methods(mapped: MapExecutor[int, str]) -> None:
    sync = Executors.sync()
    sync.with_poll(poll_async_for_delay)  # wrong: a delay is a number
    sync.with_poll(poll_numbers)  # wrong: it takes no descriptors
    sync.with_poll(poll, batch_size="100")  # wrong: that is no number
    sync.with_poll(poll, batch_sise=100)  # wrong: there is no such option
    sync.with_poll(poll, max_concurrency=2.5)  # wrong: that many is no number of calls
    sync.with_poll(poll, max_concurrency=None)  # wrong: that is no number
    sync.with_poll(poll, min_interval="5")  # wrong: that is no number
    sync.with_poll(poll, timeout="60")  # wrong: that is no number
    sync.with_poll(poll, group_by=region_of_name)  # wrong: task ids are int
    sync.with_poll(poll, group_by=regions)  # wrong: a list is no key
    sync.with_poll(poll, cancel_many_fn=cancel_many_by_name)  # wrong: task ids are int
    sync.with_poll(poll, cancel_many_fn=cancel_one)  # wrong: it is given a list
    sync.with_poll(poll, cancel_many_fn=cancel_many_async)  # wrong: one answer is not enough
    sync.with_poll(poll, rate_limit=50)  # wrong: that is no RateLimit
    sync.with_poll(poll, schedule=5)  # wrong: that is no Backoff
    sync.with_poll(poll, retry_policy=5)  # wrong: that is no policy
    sync.with_poll(poll, journal="tasks.db")  # wrong: that is no journal
    sync.with_poll(poll, journal=Forgetful())  # wrong: it has no outstanding
    mapped.with_poll(poll_async)  # wrong: task ids are str
    Executors.with_poll(ThreadPoolExecutor(), poll, group_by=region_of_name)  # wrong: task ids are int
    Executors.with_poll(sync, poll, cancel_many_fn=cancel_many_by_name)  # wrong: task ids are int
    Executors.with_poll(mapped, poll, group_by=region)  # wrong: task ids are str
    sync.bind(count).with_poll(poll, group_by=region_of_name)  # wrong: task ids are int
    sync.bind(count).with_poll(poll, timeout="60")  # wrong: that is no number


def constructors(mapped: MapExecutor[int, str]) -> None:
    PollExecutor(ThreadPoolExecutor(), poll, timeout="60")  # wrong: that is no number
    PollExecutor(ThreadPoolExecutor(), poll, group_by=region_of_name)  # wrong: task ids are int
    PollExecutor(Executors.sync(), poll, cancel_many_fn=cancel_many_by_name)  # wrong: task ids are int
    PollExecutor(Executors.sync().with_map(count), poll_async_for_delay)  # wrong: a delay is a number
    PollExecutor(Executors.sync().with_map(count), poll, group_by=region_of_name)  # wrong: task ids are int
    PollExecutor(mapped, poll_async)  # wrong: task ids are str
    PollExecutor(Executors.sync(), poll, None, 5.0, None, "name", 0.5)  # wrong: min_interval is a keyword
    RateLimit("50")  # wrong: that is no number
    RateLimit(50, 1, 5)  # wrong: burst is a keyword
    Throttled("soon")  # wrong: that is no number
    Backoff()  # wrong: initial is missing
    Backoff("1")  # wrong: that is no number
    Journal(5)  # wrong: that is no path
    Journal("tasks.db", codec=5)  # wrong: that is no codec


def methods(executor: PollExecutor[str, str], stats: PollStats, names: Iterable[str]) -> None:
    polling = Executors.sync().with_poll(poll)
    polling.adopt("five")  # wrong: task ids are int
    polling.adopt(5, 60)  # wrong: timeout is a keyword
    polling.adopt(5, timeout="60")  # wrong: that is no number
    polling.adopt_many(5)  # wrong: that is one
    polling.adopt_many(names)  # wrong: task ids are int
    mapped = Executors.sync().with_map(count).with_poll(poll)
    mapped.adopt("five")  # wrong: task ids are int
    wrong: int = executor.adopt("five").result()  # wrong: it is a str
    executor.cancel_all().result()  # wrong: that is a number
    executor.flush_journal("60")  # wrong: that is no number
    stats.outstanding = 5  # wrong: it cannot be set
    print(wrong)


def descriptors(descriptor: PollDescriptor[int, str]) -> None:
    descriptor.poll_after("5")  # wrong: that is no number
    descriptor.poll_after()  # wrong: seconds are missing
    descriptor.polls = 5  # wrong: it cannot be set
    descriptor.report(5)  # wrong: a state is a str
    descriptor.report(progress="half")  # wrong: that is no number


def statuses(task_ids: list[int]) -> list[bytes]:
    return [b"" for _ in task_ids]


async def statuses_async(task_ids: list[int]) -> list[bytes]:
    return statuses(task_ids)


def id_of(status: bytes) -> int:
    return len(status)


def resolve(descriptor: PollDescriptor[int, str], status: bytes) -> None: ...


def status_polls(mapped: MapExecutor[int, str]) -> None:
    StatusPoll(count, id_of, resolve)  # wrong: it takes no ids
    StatusPoll(statuses, id_of, resolve, 60)  # wrong: missing_after is a keyword
    mapped.with_poll(StatusPoll(statuses, id_of, resolve))  # wrong: task ids are str
    mapped.with_poll(StatusPoll(statuses_async, id_of, resolve))  # wrong: task ids are str


def progress_of_what() -> None:
    progress(5)  # wrong: that is no future
    progress(["five"])  # wrong: that is no future
    progress([], interval="1")  # wrong: that is no number
    as_completed(Executors.sync())  # wrong: that is no iterable
