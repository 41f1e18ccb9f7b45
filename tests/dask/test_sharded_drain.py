"""Workers that are to have no shards, and others that come at their addresses."""

from __future__ import annotations

from concurrent.futures import wait
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, fake_workers, sharded_executor, start_task
from support import PATIENCE, InThread

from more_executors.dask.sharded._placement import Placement


def test_a_worker_that_comes_at_the_address_of_one_that_was_drained_gets_shards(books: Books) -> None:
    books.ends_at_once = False
    with fake_workers(1) as workers, sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        assert executor.drain("worker-0", PATIENCE)
        assert {shard.worker for shard in executor.shards()} == {""}
        workers.kill("worker-0")
        workers.add("worker-0")
        wait_until(lambda: all(shard.worker == "worker-0" and shard.is_open for shard in executor.shards()))
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(10))


def test_a_worker_is_drained_although_another_has_come_at_its_address(books: Books) -> None:
    # 1. A worker does not answer, and is to be drained. 2. It ends, and another gets its shards. 3. It is drained.
    with fake_workers(1) as workers, sharded_executor(shards=1) as executor:
        place = executor._coordinator.links[0].place
        workers.frozen.add("worker-0")
        draining = InThread(executor.drain, "worker-0", PATIENCE)
        wait_until(lambda: place.is_leaving)  # 1
        workers.kill("worker-0")
        workers.frozen.clear()
        workers.add("worker-0")
        wait_until(lambda: executor.shards()[0].generation == 2 and executor.shards()[0].is_open)  # 2
        assert draining.outcome() is True  # 3


def test_an_address_that_was_named_by_mistake_may_be_that_of_a_worker_later(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=4) as executor:
        with pytest.raises(ValueError, match="worker must be the address of one, not 'worker-2'"):
            executor.drain("worker-2")
        workers.add("worker-2")
        wait_until(lambda: any(shard.worker == "worker-2" and shard.is_open for shard in executor.shards()))


def test_a_worker_stays_drained_when_the_scheduler_was_not_heard_for_a_while() -> None:
    placement = Placement()
    found = {"a": {"id": "first", "local_directory": "folder"}, "b": {"id": "second", "local_directory": "another"}}
    placement.update(found)
    assert (drained := placement.drain("a")) is not None
    assert drained.address == "a"
    placement.clear()
    placement.update(found)
    assert [place.address for place in placement.fit()] == ["b"]
    placement.update({**found, "a": {"id": "first", "local_directory": "a new one"}})
    assert [place.address for place in placement.fit()] == ["b", "a"]


@pytest.mark.parametrize("worker", [5, None, b"worker-0", ["worker-0"]])
def test_what_is_no_address_is_refused(worker: Any, workers: FakeWorkers, books: Books) -> None:
    with sharded_executor() as executor, pytest.raises(TypeError, match="worker must be the address of one, not"):
        executor.drain(worker)
