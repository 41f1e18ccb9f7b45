"""Tasks of shards that take too long: they fail in time, are cancelled at the service, and polled by nobody."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, let_coordinator_look, sharded_executor, start_task, the_books
from support import PATIENCE, said

from more_executors import Executors
from more_executors.dask import ShardedPollExecutor
from more_executors.dask.sharded import _on_worker
from more_executors.poll import PollExecutor

SOON = 0.01  # seconds


def make_with_timeout() -> PollExecutor[Any, Any, Any]:
    books = the_books()
    return Executors.thread_pool(2).with_poll(books.poll, books.cancel, default_interval=0.01, timeout=SOON)


def wait_until_nobody_has_a_task(executor: ShardedPollExecutor[Any, Any, Any]) -> None:
    wait_until(lambda: sum(shard.tasks for shard in executor.shards()) == 0)
    hosts = list(_on_worker._hosts.values())
    wait_until(lambda: sum(len(host._events._tasks) for host in hosts) == 0)
    assert sum(host._executor.stats().polled for host in hosts) == 0
    assert len(executor._coordinator.register) == 0


def polled_before_it_is_late(executor: ShardedPollExecutor[Any, Any, Any]) -> tuple[str, Any]:
    """A task that a shard has, and its future, which is going to be late: sooner where the machine is fast."""
    for ident, seconds in (("a", 0.5), ("b", 5.0), ("c", 0.5 * PATIENCE)):
        future = executor.adopt(ident, timeout=seconds)
        wait_until(lambda: executor.shards()[0].tasks == 1 or future.done())  # noqa: B023  # of this turn
        if not future.done():
            return ident, future
        wait_until_nobody_has_a_task(executor)
    raise AssertionError("no shard gets a task")


@pytest.mark.parametrize("seconds", [0, SOON])
def test_a_late_task_fails_is_cancelled_by_its_shard_and_polled_by_none(
    seconds: float, workers: FakeWorkers, books: Books
) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2) as executor:
        patient = executor.adopt("patient")
        late = [executor.adopt("late", timeout=seconds), *executor.adopt_many(["x", "y"], timeout=seconds)]
        assert [said(future) for future in late] == [TimeoutError] * 3
        wait_until(lambda: sorted(books.cancelled) == ["late", "x", "y"])
        assert not patient.done()
        assert [task.result for task in executor.outstanding(0)] == ["patient"]
        patient.cancel()
        wait_until_nobody_has_a_task(executor)


def test_a_late_task_that_the_service_does_not_cancel_is_polled_by_none(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    refused: list[str] = []

    def refuse(ident: str) -> bool:
        refused.append(ident)
        return False

    books.cancel = refuse  # type: ignore[method-assign]
    with sharded_executor(shards=1) as executor:
        ident, future = polled_before_it_is_late(executor)
        assert said(future) is TimeoutError
        wait_until(lambda: refused[-1:] == [ident])
        wait_until_nobody_has_a_task(executor)


def test_a_task_that_is_late_before_there_is_a_worker_is_cancelled_once_there_is_one(
    workers: FakeWorkers, books: Books
) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1) as executor:
        for address in list(workers.addresses):
            workers.kill(address)
        wait_until(lambda: executor.shards()[0].worker == "")
        assert said(executor.adopt("a", timeout=SOON)) is TimeoutError
        let_coordinator_look(executor)
        assert books.cancelled == []
        workers.add("worker-2")
        wait_until(lambda: books.cancelled == ["a"])
        wait_until_nobody_has_a_task(executor)


def test_a_late_task_is_cancelled_by_who_has_it_now_if_its_shard_is_lost(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1) as executor:
        ident, future = polled_before_it_is_late(executor)
        workers.kill(executor.shards()[0].worker)
        assert said(future) is TimeoutError
        wait_until(lambda: books.cancelled[-1:] == [ident])
        wait_until_nobody_has_a_task(executor)


def test_shards_may_have_a_timeout_of_their_own(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1, make=make_with_timeout) as executor:
        error = executor.submit(start_task, "a").exception(PATIENCE)
        assert type(error) is TimeoutError
        assert str(error).startswith("'task-a-1' is not done after 0.")
        wait_until(lambda: books.cancelled == ["task-a-1"])
        wait_until_nobody_has_a_task(executor)


def test_a_deadline_of_a_layer_cancels_at_the_service(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1) as executor:
        future = executor.with_timeout(0.2).adopt("a")  # not submitted: what is just being started cannot be cancelled
        wait_until(future.done)
        assert future.cancelled()
        wait_until_nobody_has_a_task(executor)
        assert books.cancelled == ["a"]
