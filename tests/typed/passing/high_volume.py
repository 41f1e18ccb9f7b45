"""Polling at high volume: what its options take, and what its methods give."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from more_executors import (
    Backoff,
    ExceptionRetryPolicy,
    Executors,
    OutstandingTask,
    PollDescriptor,
    PollExecutor,
    PollStats,
    RateLimit,
    RetryPolicy,
    Throttled,
)
from more_executors.journal import JournalLike

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Published:
    """What a finished task comes to."""


def publish(name: str) -> int:
    return len(name)


def poll(descriptors: list[PollDescriptor[int, Published]]) -> float | None:
    for descriptor in descriptors:
        assert_type(descriptor.polls, int | None)
        assert_type(descriptor.failures, int)
        if descriptor.result < 0:
            descriptor.restart_backoff()
            descriptor.poll_after(30)
            descriptor.report()
            descriptor.report("running", 0.5)
            descriptor.report(state=None, progress=1)
        else:
            descriptor.yield_result(Published())
    return None


async def poll_async(descriptors: list[PollDescriptor[int, Published]]) -> float | None:
    return poll(descriptors)


async def poll_without_delay(descriptors: list[PollDescriptor[int, Published]]) -> None:
    poll(descriptors)


class Polls:
    async def __call__(self, descriptors: list[PollDescriptor[int, Published]]) -> int:
        poll(descriptors)
        return 5

    async def method(self, descriptors: Sequence[PollDescriptor[int, Published]]) -> None:
        poll(list(descriptors))


def from_name(name: str) -> int:
    return len(name)


def region(task_id: int) -> str:
    return f"{task_id % 4}"


async def cancel(task_id: int) -> bool:
    return task_id % 2 == 0


def cancel_many(task_ids: list[int]) -> list[bool]:
    return [task_id % 2 == 0 for task_id in task_ids]


async def cancel_many_async(task_ids: Iterable[int]) -> Iterable[object]:
    return [task_id % 2 for task_id in task_ids]


class Recorded:
    """A journal of one's own."""

    def __init__(self) -> None:
        self.tasks: dict[int, Any] = {}

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        self.tasks.update(joined)
        for key in ended:
            self.tasks.pop(key, None)

    def outstanding(self) -> Iterable[tuple[int, Any]]:
        return sorted(self.tasks.items())


def options() -> None:
    journal: JournalLike = Recorded()
    with Executors.thread_pool(max_workers=1).with_poll(
        poll,
        cancel,
        0.1,
        name="objects",
        min_interval=0.01,
        batch_size=100,
        group_by=region,
        max_concurrency=2,
        rate_limit=RateLimit(1000, per=1, burst=10),
        retry_policy=ExceptionRetryPolicy(max_attempts=5),
        schedule=Backoff(0.5, maximum=60),
        timeout=3600,
        cancel_many_fn=cancel_many,
        journal=journal,
    ) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
        assert_type(executor.submit(publish, "one").result(timeout=10), Published)
        assert_type(executor.resume(), list[tuple[int, Future[Published]]])
        assert_type(executor.flush_journal(timeout=10), bool)
    with Executors.with_poll(ThreadPoolExecutor(1), poll, batch_size=None, group_by=None, journal=None) as executor:
        assert_type(executor.submit(publish, "one"), Future[Published])
    with PollExecutor(ThreadPoolExecutor(1), poll, group_by=lambda task_id: task_id % 4, timeout=60) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
    with PollExecutor(Executors.sync(), poll, retry_policy=RetryPolicy(), cancel_many_fn=cancel_many) as executor:
        assert_type(executor, PollExecutor[int, Published, int])


def async_functions() -> None:
    with Executors.sync().with_poll(poll_async, cancel, cancel_many_fn=cancel_many_async) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
        assert_type(executor.submit(publish, "one").result(timeout=10), Published)
    with Executors.sync().with_poll(poll_without_delay, schedule=Backoff(1)) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
    with Executors.with_poll(Executors.sync(), Polls()) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
    with PollExecutor(Executors.sync(), Polls().method, max_concurrency=8) as executor:
        assert_type(executor, PollExecutor[int, Published, int])


def methods() -> None:
    with Executors.sync().with_poll(poll) as executor:
        assert_type(executor.adopt(5), Future[Published])
        assert_type(executor.adopt(6, timeout=60).result(timeout=10), Published)
        assert_type(executor.adopt_many(range(7, 9)), list[Future[Published]])
        assert_type(executor.adopt_many({9: "nine"}, timeout=None), list[Future[Published]])
        assert_type(executor.outstanding(), list[OutstandingTask])
        assert_type([task.age for task in executor.outstanding()], list[float])
        assert_type([task.future for task in executor.outstanding()], list[Future[Any]])
        stats = executor.stats()
        assert_type(stats, PollStats)
        assert_type(stats.outstanding, int)
        assert_type(stats.states, Mapping[str, int])
        for task in executor.outstanding():
            assert_type(task.state, str | None)
            assert_type(task.progress, float | None)
        assert_type(stats.rate, float | None)
        assert_type(executor.cancel_all(), int)


def on_top_of_others() -> None:
    """What is adopted is what the delegate would have made of what a callable returns."""
    with Executors.sync().with_map(from_name).with_poll(poll, group_by=region) as mapped:
        assert_type(mapped.adopt(5), Future[Published])
        plain: PollExecutor[str, Published] = mapped
        plain.adopt(6).result(timeout=10)
    with PollExecutor(Executors.sync().with_map(from_name), poll, cancel_many_fn=cancel_many) as mapped:
        assert_type(mapped.adopt_many([5]), list[Future[Published]])
    with Executors.with_poll(Executors.sync().with_map(from_name).with_retry(), poll, group_by=region) as mapped:
        assert_type(mapped.adopt(5), Future[Published])
    with Executors.sync().with_retry(max_attempts=3).with_poll(poll, group_by=region) as retrying:
        assert_type(retrying, PollExecutor[int, Published, int])
    published = Executors.sync().bind(publish).with_poll(poll, group_by=region, batch_size=100)
    assert_type(published("one").result(timeout=10), Published)


class Publishing(PollExecutor[str, Published, int]):
    """A subclass of one's own, which says what is adopted."""

    def __init__(self) -> None:
        super().__init__(Executors.sync().with_map(from_name), poll, batch_size=100, name="objects")


class Noting(PollExecutor[A, B], Generic[A, B, C]):
    """One with a type of its own."""

    note: C | None = None


def subclasses() -> None:
    with Publishing() as executor:
        assert_type(executor.adopt(5), Future[Published])
        assert_type(executor.submit(str, 5).result(timeout=10), Published)
    noting: Noting[int, Published, str] = Noting[int, Published, str](Executors.sync(), poll, timeout=60)
    with noting:
        assert_type(noting.note, str | None)
        assert_type(noting.submit(publish, "one").result(timeout=10), Published)


def adopt(executor: PollExecutor[int, Published], task_ids: Iterable[int]) -> list[Published]:
    return [future.result(timeout=10) for future in executor.adopt_many(task_ids)]


def throttled(limit: RateLimit) -> None:
    assert_type(limit.rate, float)
    assert_type(limit.limit, float)
    assert_type(limit.try_take(), float)
    assert_type(limit.take(timeout=0), bool)
    try:
        raise Throttled(0.5)
    except Throttled as error:
        assert_type(error.retry_after, float | None)
        limit.throttled(0.0, error.retry_after)
        limit.succeeded(1.0)


def main() -> None:
    options()
    async_functions()
    methods()
    on_top_of_others()
    subclasses()
    throttled(RateLimit(5.5, clock=lambda: 5.0))
    assert_type(Backoff(1.0, factor=2, maximum=60, jitter=0).delay(3), float)
    with Executors.sync().with_poll(poll) as executor:
        assert len(adopt(executor, [1, 2])) == 2
