"""Polling by shards on real clusters: what cannot be had of workers that are all in one process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import Cluster, cluster_of, wait_for_workers, wait_until
from distributed import LocalCluster
from support import PATIENCE

from more_executors import Executors
from more_executors.dask import ClusterLost, ShardedPollExecutor
from more_executors.poll import PollExecutor

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here"),
    pytest.mark.usefixtures("client"),  # which keeps Dask's own threads
]


def make_shard(folder: str) -> Any:
    """What makes a shard whose tasks end once there is a file `go`."""

    def make() -> PollExecutor[Any, Any, Any]:
        from pathlib import Path

        from more_executors import Executors

        def poll(descriptors: list[Any]) -> None:
            if Path(folder, "go").exists():
                for descriptor in descriptors:
                    descriptor.yield_result(f"{descriptor.result} done")

        return Executors.thread_pool(2).with_poll(poll, default_interval=0.05)

    return make


name_of = "task-{}".format
LEASE = 5.0  # seconds: three of these are longer than a worker may have to wait for others on a busy machine


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_of(tmp_path, 2) as mortal:
        yield mortal


def assert_all_done(futures: list[Any], folder: Path) -> None:
    (folder / "go").touch()
    assert not wait(futures, PATIENCE).not_done
    assert [future.result() for future in futures] == [f"task-{number} done" for number in range(len(futures))]


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_tasks_of_a_worker_that_is_gone_are_polled_by_the_other(harm: Any, mortal: Cluster, tmp_path: Path) -> None:
    wait_for_workers(mortal, 2)
    with ShardedPollExecutor(
        mortal.address, make_shard(str(tmp_path)), shards=4, lease=LEASE, timeout=PATIENCE
    ) as executor:
        futures = executor.submit_many(name_of, range(1000))
        wait_until(lambda: executor.stats().polled == 1000)
        mortal.workers[0].send_signal(harm)
        wait_until(lambda: sum(shard.lost for shard in executor.shards()) >= 2)
        wait_until(lambda: len({shard.worker for shard in executor.shards() if shard.is_open}) == 1)
        assert_all_done(futures, tmp_path)


def test_a_chain_begins_with_a_dask_executor(mortal: Cluster, tmp_path: Path) -> None:
    wait_for_workers(mortal, 2)
    with Executors.dask(mortal.address, name="it", timeout=PATIENCE).with_sharded_poll(
        make_shard(str(tmp_path)), shards=2, timeout=PATIENCE
    ) as executor:
        assert "'it'" in repr(executor)
        assert_all_done(executor.submit_many(name_of, range(10)), tmp_path)


def test_processes_of_a_local_cluster_are_workers(tmp_path: Path) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as cluster,
        ShardedPollExecutor(cluster.scheduler_address, make_shard(str(tmp_path)), timeout=PATIENCE) as executor,
    ):
        assert len({shard.worker for shard in executor.shards()}) == 2
        assert_all_done(executor.submit_many(name_of, range(1000)), tmp_path)


def test_nobody_at_the_address_is_an_error_at_once() -> None:
    with pytest.raises(ClusterLost, match=r"nobody answers at 'tcp://127\.0\.0\.1:9'"):
        ShardedPollExecutor("tcp://127.0.0.1:9", make_shard("."), timeout=1.0)


def test_a_worker_without_the_library_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "more_executors.py").write_text("raise ImportError('there is no more_executors here')")
    with cluster_of(tmp_path, 0) as cluster:
        cluster.add_worker(PYTHONPATH=str(tmp_path))
        wait_for_workers(cluster, 1)
        with pytest.raises(Exception, match="there is no more_executors here"):
            ShardedPollExecutor(cluster.address, make_shard(str(tmp_path)), timeout=PATIENCE)


def test_a_worker_of_another_version_is_an_error_at_once(
    mortal: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_workers(mortal, 2)
    monkeypatch.setattr("more_executors.dask.sharded._deployment.__version__", "0.1")
    with pytest.raises(RuntimeError, match=r"the worker has more_executors .*, and the client 0\.1"):
        ShardedPollExecutor(mortal.address, make_shard(str(tmp_path)), timeout=PATIENCE)
