"""What type checkers must make of polling, and of mistakes in it.

mypy and pyright check this file with everything on. A line with an "ignore" is wrong on purpose: that the checker
complains there is checked too, as an "ignore" without need is an error.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed

from more_executors import Executors, PollDescriptor, PollExecutor


class Published:
    """What a finished task comes to."""


def publish(name: str, priority: int = 0) -> int:
    """Start a task; returns its id."""
    return len(name) + priority


def poll(descriptors: list[PollDescriptor[int, Published]]) -> float | None:
    """Resolve what is done: a task id is an int, and a future yields a Published."""
    for descriptor in descriptors:
        task_id: int = descriptor.result
        if task_id > 0:
            descriptor.yield_result(Published())
        else:
            descriptor.yield_exception(ValueError(task_id))
    return 2.5


def poll_without_delay(descriptors: list[PollDescriptor[int, Published]]) -> None:
    """A poll function need not say when to come again."""
    poll(descriptors)


def cancel(task_id: int) -> bool:
    """Whether the task could be stopped."""
    return task_id % 2 == 0


def right() -> list[Published]:
    """What the library promises, spelled out in types."""
    with Executors.thread_pool(max_workers=2, name="objects").with_poll(poll, cancel, default_interval=0.1) as executor:
        polled: PollExecutor[int, Published] = executor
        future: Future[Published] = polled.submit(publish, "one", priority=2)
        futures: list[Future[Published]] = [future, executor.submit(publish, "two")]
        executor.notify()
        published: list[Published] = [f.result(timeout=10) for f in as_completed(futures)]
        published += executor.map(publish, ["three", "four"])
    onto: PollExecutor[int, Published] = Executors.with_poll(ThreadPoolExecutor(), poll_without_delay, name="plain")
    onto.shutdown(wait=True, cancel_futures=True)
    anything: Executor = Executors.sync().with_poll(poll, cancel_fn=None)
    anything.shutdown()
    done: Future[str] = Executors.sync().submit(str, 5)
    assert done.result() == "5"
    return published


def wrong(descriptor: PollDescriptor[int, Published], executor: PollExecutor[int, Published]) -> None:
    """Mistakes that must not pass."""
    descriptor.yield_result("done")  # type: ignore[arg-type]
    descriptor.yield_exception("failed")  # type: ignore[arg-type]
    descriptor.result = 5  # type: ignore[misc]
    executor.submit(publish)  # type: ignore[call-arg]
    executor.submit(publish, 5)  # type: ignore[arg-type]
    executor.submit(str, 5)  # type: ignore[arg-type]
    executor.notify(1)  # type: ignore[call-arg]
    Executors.sync().with_poll(publish)  # type: ignore[arg-type]
    Executors.sync().with_poll(poll, len)  # type: ignore[misc]


if __name__ == "__main__":
    print(len(right()), "published")
