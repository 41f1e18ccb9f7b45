"""What a client does that was itself held up: it was stopped, or others had the machine. By forced schedules."""

from __future__ import annotations

from concurrent.futures import wait

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import (
    REPLY_LOST,
    Books,
    FakeWorkers,
    Gate,
    let_coordinator_look,
    sharded_executor,
    start_slowly,
    start_task,
)
from support import PATIENCE

from more_executors.dask.sharded import _on_worker
from more_executors.dask.sharded._present_clock import PresentClock

LEASE = 30.0  # seconds


# 1. A shard has begun two calls of six when its client is stopped: what it says does not get there. 2. Its lease ends.
# The two calls start tasks; it stops, gives the others back, and keeps that. 3. The client goes on, ten leases later:
# it asks, and hears all that.
def test_a_client_that_was_stopped_asks_its_shards_before_it_takes_them_for_lost(
    workers: FakeWorkers, books: Books, gate: Gate
) -> None:
    with sharded_executor(shards=1, lease=LEASE) as executor:
        futures = executor.submit_many(start_slowly, range(6))
        for _ in range(2):  # as many threads as a shard has here
            assert gate.came.acquire(timeout=PATIENCE)
        (host,) = _on_worker._hosts.values()
        workers.fault = lambda address, function: REPLY_LOST  # 1
        workers.clock.ahead += 10 * LEASE  # 2
        gate.go.set()
        wait_until(lambda: host._events.is_over)
        assert len(books.created) == 2
        let_coordinator_look(executor)  # it is taken for lost if ten leases count
        workers.fault = lambda address, function: None
        while executor.shards()[0].generation == 1:  # 3
            workers.pass_some(executor)
        assert not wait(futures, PATIENCE).not_done
        assert [future.exception() for future in futures] == [None] * 6
        assert sorted(books.created) == list(range(6))
        assert executor.shards()[0].lost == 0


def test_a_shard_that_does_not_answer_then_is_lost_after_three_leases(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1, lease=LEASE) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        workers.frozen.add(executor.shards()[0].worker)
        workers.clock.ahead += 10 * LEASE
        workers.pass_seconds(executor, 2 * LEASE)
        assert executor.shards()[0].lost == 0
        workers.pass_seconds(executor, LEASE)
        assert executor.shards()[0].lost == 1
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(10))


def test_a_client_is_patient_for_as_long_as_it_looks(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1, lease=LEASE, patience=100.0) as executor:
        future = executor.submit(start_task, "a")
        wait_until(lambda: executor.stats().polled == 1)
        for address in list(workers.addresses):
            workers.kill(address)
        wait_until(lambda: executor.shards()[0].worker == "")
        workers.clock.ahead += 1000.0  # it is held up
        workers.pass_seconds(executor, 10.0)
        assert not future.done()
        workers.add("worker-2")
        books.ends_at_once = True
        assert future.result(PATIENCE) == "task-a-1 done"


def test_a_present_clock_counts_no_more_than_it_is_told_to() -> None:
    times = [100.0]
    clock = PresentClock(lambda: times[-1], 5.0)
    assert clock() == 100.0
    times.append(104.0)
    assert clock() == 104.0
    times.append(1000.0)
    assert clock.look() == 1000.0  # this counts nothing
    assert clock() == 109.0
    assert clock() == clock.look() == 109.0
    times.append(1001.0)
    assert clock() == 110.0
