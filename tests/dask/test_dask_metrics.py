"""What is exported to Prometheus of calls that workers of a Dask cluster make."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")
pytest.importorskip("prometheus_client")

import dask_support
from dask_support import OddError, cluster_of, echo, wait_until
from exposition import eventually, executors, futures, series, timeless, unused_name
from support import PATIENCE

from more_executors import metrics
from more_executors.dask import DaskExecutor, WorkerLost

pytestmark = pytest.mark.skipif(not metrics.enabled, reason="needs metrics that are not switched off")


def sent(packs: float, again: float = 0, lost: float = 0) -> dict[str, float]:
    return {"dask_packs_total": packs, "dask_calls_again_total": again, "dask_workers_lost_total": lost}


def test_calls_count_from_submit_to_their_end(client: Any) -> None:
    name = unused_name()
    with DaskExecutor(client, name=name) as executor:
        assert series(name) == executors("dask")
        assert executor.submit(echo, 1).result(PATIENCE) == 1
        eventually(name, executors("dask") | futures("dask", 1) | sent(1))
        assert isinstance(executor.submit(dask_support.raise_from, 1).exception(PATIENCE), OddError)
    assert timeless(series(name)) == executors("dask", in_use=0) | futures("dask", 2, failed=1) | sent(2)


def test_calls_that_go_on_are_pending(client: Any, tmp_path: Path) -> None:
    name = unused_name()
    with DaskExecutor(client, name=name) as executor:
        going = [executor.submit(dask_support.wait_for, str(tmp_path / str(number))) for number in range(4)]
        try:
            wait_until(lambda: sum(future.running() for future in going) == 4)
            assert executor.submit(echo, 2).cancel()
            eventually(name, executors("dask") | futures("dask", 5, pending=4, cancelled=1) | sent(4))
        finally:
            for number in range(4):
                (tmp_path / f"{number}.go").touch()
    assert timeless(series(name)) == executors("dask", in_use=0) | futures("dask", 5, cancelled=1) | sent(4)


def test_a_pack_has_many_calls(client: Any) -> None:
    name = unused_name()
    with DaskExecutor(client, name=name) as executor:
        executor.submit(echo).result(PATIENCE)
        for future in [executor.submit(echo, number) for number in range(5000)]:
            future.result(PATIENCE)
    found = series(name)
    assert found["future_total dask"] == 5001
    assert 2 <= found["dask_packs_total"] < 1000


def test_a_call_that_is_refused_does_not_count(client: Any) -> None:
    name = unused_name()
    executor = DaskExecutor(client, name=name)
    executor.submit(echo).result(PATIENCE)
    executor.shutdown()
    with pytest.raises(RuntimeError):
        executor.submit(echo)
    assert timeless(series(name)) == executors("dask", in_use=0) | futures("dask", 1) | sent(1)


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be killed like that here")
def test_lost_workers_and_calls_that_are_made_again(client: Any, tmp_path: Path) -> None:
    name = unused_name()
    with cluster_of(tmp_path, 2) as mortal, DaskExecutor(mortal.address, retries=1, name=name) as executor:
        future = executor.submit(dask_support.wait_for, str(tmp_path / "call"))
        wait_until(lambda: (tmp_path / "call").exists() and (tmp_path / "call").read_text())
        victim = int((tmp_path / "call").read_text())
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "call.go").touch()
        assert future.result(PATIENCE)
        eventually(name, sent(2, again=1, lost=1) | futures("dask", 1))


def test_without_retries_nothing_is_made_again(client: Any, tmp_path: Path) -> None:
    name = unused_name()
    with cluster_of(tmp_path, 2) as mortal, DaskExecutor(mortal.address, name=name) as executor:
        assert isinstance(executor.submit(dask_support.kill_yourself).exception(PATIENCE), WorkerLost)
        eventually(name, sent(1, lost=1) | futures("dask", 1, failed=1))
