"""What workers have yet to hand over: it takes memory there, and so is bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

pytest.importorskip("distributed")

import dask_support
from dask_support import echo, wait_for, wait_until
from support import PATIENCE, Parking

from more_executors.dask import ClusterLost, DaskExecutor, WorkerLost, _dispatcher
from more_executors.dask._pack import MOST_BYTES
from more_executors.dask._workers import MADE_ON_WORKER, WAITING_ON_WORKER, Worker


@pytest.fixture
def executor(client: Any) -> Iterator[DaskExecutor]:
    with DaskExecutor(client) as executor:
        workers = executor._dispatcher._workers
        wait_until(lambda: executor.submit(echo).result(PATIENCE) == [] and workers.threads() == 2)
        wait_until(partial(are_idle, executor))
        yield executor


def workers_of(executor: DaskExecutor) -> list[Worker]:
    return list(executor._dispatcher._workers._all.values())


def are_idle(executor: DaskExecutor) -> bool:
    return not any(worker.packs or worker.unmade or worker.has_suspect for worker in workers_of(executor))


def let_sender_look(executor: DaskExecutor) -> None:
    """Return when the thread that sends has sent what it can."""
    for _ in range(2):  # when the second one is told, that is done
        is_told = threading.Event()
        executor._dispatcher._tell(is_told.set)
        assert is_told.wait(PATIENCE)


def test_a_worker_has_room_for_some_packs_that_it_is_done_with() -> None:
    worker = Worker("address", {"nthreads": 2})
    worker.is_fit = True
    assert (worker.room(False), worker.room(True)) == (4, 2)
    for pack in "abcd":
        worker.add(pack)
    assert worker.room(False) == 0
    worker.made("a")
    worker.made("b")
    assert (worker.room(False), worker.room(True)) == (2, 0)
    worker.made("c")
    worker.made("d")
    assert worker.room(False) == 2  # of six in all
    worker.back("a")
    worker.made("a")  # too late
    assert worker.room(False) == 3


def test_what_is_made_is_fetched_before_much_more_is_sent(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. A callback holds up the thread that fetches outcomes. 2. The workers make all that they are sent. 3. They are
    # sent no more. 4. The callback ends: all is sent, and fetched.
    parking = Parking()
    dispatcher = executor._dispatcher
    monkeypatch.setattr(dispatcher._size, "calls", lambda waiting, threads: 1)
    monkeypatch.setattr(dispatcher._size, "takes_long", lambda: False)
    held = executor.submit(echo, 0)
    held.add_done_callback(parking)
    parking.wait_for_one()  # 1
    futures = [executor.submit(echo, number) for number in range(50)]
    most = 2 * (WAITING_ON_WORKER + MADE_ON_WORKER)
    wait_until(lambda: sum(pack.is_made for pack in dispatcher._sent.copy().values()) >= most)  # 2
    let_sender_look(executor)
    assert len(dispatcher._sent) == most  # 3
    parking.let_go()
    assert [future.result(PATIENCE) for future in futures] == list(range(50))  # 4
    wait_until(partial(are_idle, executor))


def test_a_pack_returns_no_more_than_it_may_be_sent(executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    learn = executor._dispatcher._size.learn

    def note(seconds: float, calls: int, length: int) -> None:
        lengths.append(length)
        learn(seconds, calls, length)

    assert len(executor.submit(bytes, 200_000).result(PATIENCE)) == 200_000
    monkeypatch.setattr(executor._dispatcher._resolver, "_learn", partial(executor._dispatcher._tell, note))
    futures = [executor.submit(bytes, 200_000) for _ in range(200)]
    assert all(len(future.result(PATIENCE)) == 200_000 for future in futures)
    wait_until(partial(are_idle, executor))
    assert max(lengths) <= MOST_BYTES


@pytest.mark.parametrize("run_pack", [dask_support.raise_key_error, dask_support.refuse_pack])
def test_the_room_of_a_pack_without_outcomes_comes_back(
    run_pack: Any, executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dispatcher, "run_pack", run_pack)
    assert isinstance(executor.submit(echo, 1).exception(PATIENCE), WorkerLost)
    wait_until(partial(are_idle, executor))


def test_the_room_of_a_cancelled_pack_comes_back(executor: DaskExecutor, client: Any, tmp_path: Path) -> None:
    call = tmp_path / "call"
    future = executor.submit(wait_for, str(call))
    wait_until(call.exists)
    client.cancel([pack.task for pack in executor._dispatcher._sent.copy().values()])
    assert isinstance(future.exception(PATIENCE), WorkerLost)
    wait_until(partial(are_idle, executor))
    (tmp_path / "call.go").touch()


def test_the_room_of_a_pack_whose_outcome_is_late_comes_back(
    executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = executor._dispatcher._resolver._fetch
    late: set[str] = set()

    def fetch_late(pack: Any) -> None:
        if pack.name not in late:
            late.add(pack.name)
            with monkeypatch.context() as patch:
                patch.setattr(pack.task, "result", Mock(side_effect=asyncio.TimeoutError))
                fetch(pack)
                assert pack.name in executor._dispatcher._sent
        else:
            fetch(pack)

    monkeypatch.setattr(executor._dispatcher._resolver, "_fetch", fetch_late)
    futures = [executor.submit(echo, number) for number in range(20)]
    assert [future.result(PATIENCE) for future in futures] == list(range(20))
    wait_until(partial(are_idle, executor))
    assert late


def test_the_room_of_a_pack_that_the_scheduler_forgot_comes_back(
    executor: DaskExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. A call goes on. 2. The scheduler is not there for a moment, in which its task is found to be cancelled.
    call = tmp_path / "call"
    future = executor.submit(wait_for, str(call))
    wait_until(call.exists)  # 1
    dispatcher = executor._dispatcher
    name = next(iter(dispatcher._sent))
    monkeypatch.setattr(dispatcher._connection, "is_up", lambda: False)
    dispatcher._tell(dispatcher._lose_one, name, True)  # 2
    assert isinstance(future.exception(PATIENCE), ClusterLost)
    wait_until(partial(are_idle, executor))
    (tmp_path / "call.go").touch()
