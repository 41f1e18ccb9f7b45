"""Long chains: what goes in at one end and comes out at the other."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

from more_executors import (
    CancelOnShutdownExecutor,
    Executors,
    MapExecutor,
    PollDescriptor,
    RetryExecutor,
    ThrottleExecutor,
    TimeoutExecutor,
    f_return,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


class Task:
    def __init__(self, number: int) -> None:
        self.number = number


class Report:
    def __init__(self, task: Task) -> None:
        self.text = f"{task.number}"


def start(name: str, *, urgent: bool = False) -> dict[str, int]:
    return {name: int(urgent)}


def task_of(reply: dict[str, int]) -> Task:
    return Task(len(reply))


def poll(descriptors: list[PollDescriptor[Task, Report]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(Report(descriptor.result))


def cancel(task: Task) -> bool:
    return task.number > 5


def words(report: Report) -> list[str]:
    return report.text.split()


def shout(words: list[str]) -> Future[str]:
    return f_return(" ".join(words).upper())


def nothing(error: BaseException) -> None:
    return None


def remote() -> None:
    executor = (
        Executors.thread_pool(max_workers=4, name="remote")
        .with_retry(max_attempts=5, exception_base=OSError)
        .with_throttle(2)
        .with_map(task_of)
        .with_poll(poll, cancel, default_interval=0.1)
        .with_timeout(60)
        .with_map(words)
        .with_flat_map(shout)
        .with_map(len)
        .with_retry()
        .with_cancel_on_shutdown(name="end")
    )
    assert_type(executor, CancelOnShutdownExecutor[dict[str, int], int])
    with executor:
        future = executor.submit(start, "one", urgent=True)
        assert_type(future, Future[int])
        assert_type(executor.map(start, ["two"]), Iterator[int])
        assert future.result() == 1


def handing_on() -> None:
    executor = Executors.thread_pool(1).with_throttle(3).with_timeout(60).with_retry().with_cancel_on_shutdown()
    with executor:
        assert_type(executor.submit(start, "one"), Future[dict[str, int]])
        assert_type(executor.submit(len, "four"), Future[int])
    forgiving = Executors.sync().with_retry().with_map(error_fn=nothing).with_timeout(60)
    with forgiving:
        assert_type(forgiving.submit(start, "one"), Future[dict[str, int] | None])


def step_by_step() -> None:
    pool = Executors.sync()
    mapped = pool.with_map(task_of)
    assert_type(mapped, MapExecutor[dict[str, int], Task])
    assert_type(mapped.with_throttle(5), ThrottleExecutor[dict[str, int], Task])
    assert_type(mapped.with_timeout(5).with_retry(), RetryExecutor[dict[str, int], Task])
    retried = RetryExecutor(TimeoutExecutor(MapExecutor(mapped, Report), 5))
    assert_type(retried, RetryExecutor[dict[str, int], Report])
    with retried:
        assert_type(retried.submit(start, "one").result(), Report)


def main() -> None:
    remote()
    handing_on()
    step_by_step()
