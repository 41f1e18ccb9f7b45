"""One rate limit for shards in real processes, of which one is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from distributed import LocalCluster
from support import PATIENCE

from more_executors import PollExecutor
from more_executors.dask import ShardedPollExecutor
from more_executors.rate_limit import RateLimit

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes cannot be killed here"),
    pytest.mark.usefixtures("client"),  # which keeps Dask's own threads
]

RATE = 40.0
SHARDS = 4


def make_limited_shard(folder: str) -> Any:
    """What makes a shard that notes when it calls the service, by a clock that all processes share."""

    def make(limit: RateLimit) -> PollExecutor[Any, Any, Any]:
        import os
        import time
        from pathlib import Path

        from more_executors import Executors

        def poll(descriptors: list[Any]) -> None:
            with Path(folder, f"calls-{os.getpid()}").open("a") as book:
                book.write(f"{time.monotonic()}\n")
            if Path(folder, "go").exists():
                for descriptor in descriptors:
                    descriptor.yield_result(f"{descriptor.result} done")

        return Executors.thread_pool(2).with_poll(poll, default_interval=0.01, batch_size=20, rate_limit=limit)

    return make


def calls_in(folder: Path) -> list[float]:
    return sorted(float(line) for book in folder.glob("calls-*") for line in book.read_text().split())


def test_all_together_keep_to_it_as_a_worker_is_killed(tmp_path: Path) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as cluster,
        ShardedPollExecutor(
            cluster.scheduler_address,
            make_limited_shard(str(tmp_path)),
            shards=SHARDS,
            lease=5.0,  # three of these are longer than a worker may have to wait for others on a busy machine
            timeout=PATIENCE,
            rate_limit=RateLimit(RATE, per=1.0),
        ) as executor,
    ):
        futures = executor.submit_many("task-{}".format, range(400))
        wait_until(lambda: executor.stats().polled == 400)
        wait_until(lambda: len(calls_in(tmp_path)) > RATE)
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        wait_until(lambda: sum(shard.lost for shard in executor.shards()) >= 1)
        lost = len(calls_in(tmp_path))
        # What the dead had is given to others once it is certain that they have ended.
        wait_until(lambda: sum(shard.share or 0.0 for shard in executor.shards() if shard.is_open) > 0.99 * RATE)
        wait_until(lambda: len(calls_in(tmp_path)) > lost + RATE)
        (tmp_path / "go").touch()
        assert {future.result(PATIENCE) for future in futures} == {f"task-{number} done" for number in range(400)}
        assert sum(shard.share or 0.0 for shard in executor.shards()) <= 1.001 * RATE
    calls = calls_in(tmp_path)
    # A shard may have saved one call up, and note one late; so may its next generation.
    most = 2 * 2 * SHARDS
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            assert last - first + 1 <= RATE * (calls[last] - calls[first]) + most, (first, last)
