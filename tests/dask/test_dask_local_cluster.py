"""Calls that are made by the processes of a `LocalCluster`, each with a nanny, as most programs begin with Dask."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

import dask_support
from dask_support import OddError, echo, wait_until
from support import PATIENCE

from more_executors.dask import DaskExecutor, WorkerLost


def new_cluster() -> Any:
    from distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")


@pytest.fixture(scope="module")
def local(client: Any) -> Iterator[Any]:
    """A client of such a cluster. There is a client of another, which keeps Dask's threads."""
    from distributed import Client
    from distributed.utils import offload

    with new_cluster() as cluster, Client(cluster, set_as_default=False) as own:
        own.sync(offload, int)  # by a thread of the process, which stays
        yield own


@pytest.fixture
def executor(local: Any) -> Iterator[DaskExecutor]:
    with DaskExecutor(local) as executor:
        yield executor


def workers_of(client: Any) -> set[int]:
    return set(client.run(os.getpid).values())


# -- calls -------------------------------------------------------------------------------------------------------------


def test_results_come_from_its_processes(executor: DaskExecutor, local: Any) -> None:
    workers = workers_of(local)
    assert executor.submit(dask_support.process_id).result(PATIENCE) in workers
    assert list(executor.map(echo, range(1000), timeout=PATIENCE)) == list(range(1000))


def test_an_error_keeps_type_and_cause(executor: DaskExecutor) -> None:
    error = executor.submit(dask_support.raise_from, 7).exception(PATIENCE)
    assert isinstance(error, OddError)
    assert error.number == 7
    assert isinstance(error.__cause__, KeyError)


def test_cancel_works_until_a_call_is_sent(executor: DaskExecutor, tmp_path: Path) -> None:
    going = [executor.submit(dask_support.wait_for, str(tmp_path / str(number))) for number in range(4)]
    try:
        wait_until(lambda: sum(future.running() for future in going) == 4)
        waiting = [executor.submit(echo, number) for number in range(10)]
        assert [future.cancel() for future in (*going, *waiting)] == [False] * 4 + [True] * 10
    finally:
        for number in range(4):
            (tmp_path / f"{number}.go").touch()
    assert all(future.result(PATIENCE) for future in going)
    with pytest.raises(CancelledError):
        waiting[0].result(PATIENCE)


def test_shutdown_waits_for_what_was_submitted(local: Any) -> None:
    executor = DaskExecutor(local)
    futures = [executor.submit(echo, number) for number in range(1000)]
    executor.shutdown()
    assert all(future.done() for future in futures)
    assert [future.result() for future in futures] == list(range(1000))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(echo)


# -- as a delegate -----------------------------------------------------------------------------------------------------


def fail_once(path: str) -> int:
    """Raise where there is no such file yet, and make it; returns the number of the process."""
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    raise OddError("the first of", 2)


def test_retry_calls_again(executor: DaskExecutor, local: Any, tmp_path: Path) -> None:
    with executor.with_retry(max_attempts=2, sleep=0.0) as retrying:
        assert retrying.submit(fail_once, str(tmp_path / "called")).result(PATIENCE) in workers_of(local)
        error = retrying.submit(dask_support.raise_new, KeyError, 1).exception(PATIENCE)
    assert isinstance(error, KeyError)


def test_poll_gets_what_calls_return(executor: DaskExecutor) -> None:
    seen: set[int] = set()

    def poll(descriptors: Any) -> None:
        for descriptor in descriptors:
            if descriptor.result in seen:
                descriptor.yield_result(-descriptor.result)
            seen.add(descriptor.result)

    with executor.with_poll(poll, default_interval=0.01) as polling:
        futures = [polling.submit(echo, number) for number in range(100)]
        failed = polling.submit(dask_support.raise_from, 3)
        assert [future.result(PATIENCE) for future in futures] == [-number for number in range(100)]
        assert isinstance(failed.exception(PATIENCE), OddError)


def test_map_changes_results_here(executor: DaskExecutor) -> None:
    here = threading.Event()  # cannot be sent

    def change(result: int) -> tuple[int, int]:
        here.set()
        return os.getpid(), result

    with executor.with_map(change) as mapped:
        assert mapped.submit(echo, 1).result(PATIENCE) == (os.getpid(), 1)
    assert here.is_set()


# -- its end -----------------------------------------------------------------------------------------------------------


def test_a_lost_process_comes_back_and_nothing_is_left_in_the_end(client: Any) -> None:
    from distributed import Client

    before = set(multiprocessing.active_children())
    with new_cluster() as cluster, Client(cluster, set_as_default=False) as own, DaskExecutor(own) as executor:
        first = workers_of(own)
        assert isinstance(executor.submit(dask_support.kill_yourself).exception(PATIENCE), WorkerLost)
        wait_until(lambda: len(own.scheduler_info()["workers"]) == 2 and workers_of(own) != first)
        assert executor.submit(dask_support.process_id).result(PATIENCE) in workers_of(own)
        assert len(set(multiprocessing.active_children()) - before) == 2
    assert set(multiprocessing.active_children()) <= before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("DaskExecutor")]
