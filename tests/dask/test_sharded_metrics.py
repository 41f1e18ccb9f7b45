"""What is exported to Prometheus of shards."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed")
pytest.importorskip("prometheus_client")

from dask_support import wait_until
from exposition import Series, eventually, series, unused_name
from shard_support import Books, FakeWorkers, sharded_executor, start_task

from more_executors import Executors, metrics

pytestmark = pytest.mark.skipif(not metrics.enabled, reason="needs metrics that are not switched off")


def counted(made: float, lost: float = 0, adopted: float = 0, again: float = 0) -> Series:
    return {
        "poll_shards_made_total": made,
        "poll_shards_lost_total": lost,
        "poll_tasks_adopted_total": adopted,
        "poll_tasks_started_again_total": again,
    }


def test_what_only_grows_is_counted_and_stays(workers: FakeWorkers, books: Books) -> None:
    name = unused_name()
    books.ends_at_once = False
    with sharded_executor(shards=1, name=name) as executor:
        eventually(name, {**counted(1), "poll_shards_open": 1})
        executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        workers.kill(executor.shards()[0].worker)
        eventually(name, counted(2, lost=1, adopted=10))
        executor.leave()
    eventually(name, counted(2, lost=1, adopted=10))
    with sharded_executor(shards=2, name=name):
        eventually(name, counted(4, lost=1, adopted=10))


def test_who_has_no_shards_counts_none() -> None:
    name = unused_name()
    with Executors.sync().with_poll(lambda descriptors: [each.yield_result() for each in descriptors], name=name) as it:
        it.submit(int).result()
        assert not any("shard" in what or "adopted" in what or "again" in what for what in series(name))
