"""PollEngine: a task id of one type, a result of another."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from more_executors import Executors, PollDescriptor, PollExecutor

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


class Published:
    """What a finished task comes to."""


def publish(name: str, priority: int = 0) -> int:
    return len(name) + priority


def publish_by_name(name: str) -> str:
    return f"{publish(name)}"


def poll(descriptors: list[PollDescriptor[int, Published]]) -> float | None:
    for descriptor in descriptors:
        assert_type(descriptor.result, int)
        if descriptor.result > 0:
            descriptor.yield_result(Published())
        else:
            descriptor.yield_exception(ValueError(descriptor.result))
    return 2.5


def poll_without_delay(descriptors: list[PollDescriptor[int, Published]]) -> None:
    poll(descriptors)


def poll_for_nothing(descriptors: list[PollDescriptor[int, None]]) -> int:
    for descriptor in descriptors:
        descriptor.yield_result()
    return 1


def poll_for_perhaps(descriptors: list[PollDescriptor[int, str | None]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result()
        descriptor.yield_result("done")
        descriptor.yield_exception(ValueError)


def cancel(task_id: int) -> bool:
    return task_id % 2 == 0


def with_methods() -> None:
    with Executors.thread_pool(max_workers=2, name="objects").with_poll(poll, cancel, default_interval=0.1) as executor:
        assert_type(executor, PollExecutor[int, Published, int])
        future = executor.submit(publish, "one", priority=2)
        assert_type(future, Future[Published])
        executor.notify()
        published = [f.result(timeout=10) for f in as_completed([future, executor.submit(publish, "two")])]
        assert_type(published, list[Published])
        assert_type(executor.map(publish, ["three", "four"]), Iterator[Published])
    with Executors.sync().with_poll(poll_for_nothing) as waiting:
        assert_type(waiting.submit(publish, "one"), Future[None])
    with Executors.sync().with_poll(poll_for_perhaps) as hoping:
        assert_type(hoping.submit(publish, "one"), Future[str | None])
    with Executors.sync().with_map(int).with_poll(poll_without_delay, cancel) as mapped:
        assert_type(mapped.submit(publish_by_name, "one"), Future[Published])
    anything: Executor = Executors.sync().with_poll(poll, cancel_fn=None)
    anything.shutdown()


def class_methods() -> None:
    with Executors.with_poll(ThreadPoolExecutor(1), poll_without_delay, name="plain") as executor:
        assert_type(executor, PollExecutor[int, Published, int])
    with Executors.with_poll(Executors.sync().with_map(int), poll, cancel) as mapped:
        assert_type(mapped.submit(publish_by_name, "one"), Future[Published])


def constructors() -> None:
    with PollExecutor(ThreadPoolExecutor(1), poll, cancel) as plain:
        assert_type(plain, PollExecutor[int, Published, int])
    with PollExecutor(Executors.sync(), poll, default_interval=0.1, name="sync") as executor:
        assert_type(executor, PollExecutor[int, Published, int])
    with PollExecutor(Executors.sync().with_map(int), poll) as mapped:
        assert_type(mapped.submit(publish_by_name, "one"), Future[Published])


def run(executor: PollExecutor[int, Published], names: list[str]) -> list[Published]:
    return [future.result() for future in [executor.submit(publish, name) for name in names]]


def main() -> None:
    with_methods()
    class_methods()
    constructors()
    with Executors.sync().with_poll(poll) as executor:
        assert len(run(executor, ["one", "two"])) == 2
