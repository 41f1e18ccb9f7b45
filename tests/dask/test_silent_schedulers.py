"""Schedulers that accept connections and say nothing, and functions that take long to make a client."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

import dask_support
from dask_support import Cluster, cluster_of, echo, wait_until
from shard_support import Books, FakeWorkers, sharded_executor, start_task
from support import PATIENCE, InThread, Parking

from more_executors import Executors
from more_executors.dask import ClusterLost, DaskExecutor, ShardedPollExecutor
from more_executors.dask._connection import Connection


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of somebody who accepts connections, and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("make", [DaskExecutor, partial(ShardedPollExecutor, make=int)])
def test_an_address_where_nobody_says_anything(make: Callable[..., Any], mute: str) -> None:
    with pytest.raises(ClusterLost, match="nobody answers at 'tcp://127"):
        InThread(lambda: make(mute, timeout=0.5)).outcome()


class Source:
    """A function for a client: after the first one, `then` is called before there is another."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.then: Callable[[], object] = lambda: None
        self.made: list[Any] = []

    def __call__(self) -> Any:
        from distributed import Client

        if self.made:
            self.then()
        self.made.append(Client(self.address, set_as_default=False))
        return self.made[-1]


@pytest.fixture
def source(cluster: Cluster, client: Any) -> Source:
    return Source(cluster.address)


def have_lost(executor: DaskExecutor, source: Source, seconds: float = PATIENCE) -> None:
    """Close the client, and return when `executor` has found no other one within `seconds`."""
    connection = executor._dispatcher._connection
    connection._seconds = seconds
    source.made[-1].close()
    assert isinstance(executor.submit(echo, 1).exception(PATIENCE), ClusterLost)
    with pytest.raises(ClusterLost):
        executor.submit(echo, 1)
    connection._seconds = PATIENCE  # from now on only a busy machine is silent


def works_again(executor: DaskExecutor) -> bool:
    try:
        return bool(executor.submit(echo, 1).result(PATIENCE) == 1)
    except ClusterLost:
        return False


# 1. The client is closed, and no other one can be made: calls are refused, and nothing is to be done. 2. There is a
# scheduler again: it is found although nobody has submitted anything.
def test_calls_are_taken_again_when_there_is_a_scheduler_again(source: Source) -> None:
    def fail() -> None:
        raise OSError("there is no scheduler")

    with DaskExecutor(source, timeout=PATIENCE) as executor:
        source.then = fail
        have_lost(executor, source)  # 1
        source.then = lambda: None
        wait_until(lambda: executor._dispatcher.refusal is None)  # 2
        assert works_again(executor)


# 1. The client is closed, and the function for another one does not return. 2. Calls fail, and are refused. 3. It
# returns: calls are made by that client.
def test_a_function_that_takes_too_long_for_a_client_holds_up_nothing(source: Source) -> None:
    parking = Parking()
    with DaskExecutor(source, timeout=PATIENCE) as executor:
        source.then = parking  # 1
        have_lost(executor, source, seconds=0.1)  # 2
        parking.let_go()  # 3
        wait_until(lambda: works_again(executor))
        assert len(parking.calls) == 1
        assert executor._dispatcher._connection.client is source.made[1]


def test_a_client_that_comes_after_the_end_is_closed(source: Source) -> None:
    parking = Parking()
    executor = DaskExecutor(source, timeout=PATIENCE)
    source.then = parking
    have_lost(executor, source, seconds=0.1)
    InThread(executor.shutdown).outcome()
    parking.let_go()
    wait_until(lambda: len(source.made) == 2 and source.made[1].status == "closed")


def test_a_client_that_comes_when_the_old_one_has_its_scheduler_again_is_closed(source: Source) -> None:
    parking = Parking()
    connection = Connection(source, PATIENCE)
    source.then = parking
    assert not connection.made_again(waits=False)
    assert connection.is_making()
    assert connection.workers() is not None
    assert not connection.is_making()
    parking.let_go()
    wait_until(lambda: len(source.made) == 2 and source.made[1].status == "closed")
    assert connection.client is source.made[0]
    connection.close()


# 1. The scheduler is silent for too long: another client is being made, and meanwhile nobody asks the old one. 2. It is
# there, and is asked.
def test_shards_do_not_wait_for_another_client(
    workers: FakeWorkers, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    looks: list[bool] = []
    real_look = workers.look

    def note_look(*args: Any) -> None:
        looks.append(True)
        real_look(*args)

    def made_again(*, waits: bool) -> bool:
        made.append(waits)
        return not workers.is_silent

    monkeypatch.setattr(workers, "made_again", made_again)
    monkeypatch.setattr(workers, "is_making", lambda: bool(made) and workers.is_silent)
    monkeypatch.setattr(workers, "look", note_look)
    with sharded_executor(shards=1, timeout=10.0, patience=1000.0) as executor:
        workers.is_silent = True  # 1
        while len(made) < 3:
            workers.pass_some(executor)
        before = len(looks)
        while len(made) < 6:
            workers.pass_some(executor)
        assert len(looks) == before
        assert not any(made)
        future = executor.submit(start_task, "a")  # nobody can start it
        workers.is_silent = False  # 2
        while not future.done():
            workers.pass_some(executor)
        assert future.result() == "task-a-1 done"


# -- a scheduler that is stopped, of a cluster that is the test's -----------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="processes cannot be stopped here")


@pytest.fixture
def mortal(tmp_path: Path, client: Any) -> Iterator[Cluster]:
    with cluster_of(tmp_path, 1) as cluster:
        yield cluster


@posix
@pytest.mark.long
def test_a_scheduler_that_is_stopped_is_lost_until_it_goes_on(mortal: Cluster, tmp_path: Path) -> None:
    executor = DaskExecutor(mortal.address, timeout=PATIENCE)
    going = executor.submit(dask_support.wait_for, str(tmp_path / "call"))
    wait_until((tmp_path / "call").exists)
    waiting = [executor.submit(echo, number) for number in range(100)]
    mortal.scheduler.send_signal(signal.SIGSTOP)
    executor._dispatcher._connection._seconds = 1.0
    for future in (going, *waiting):
        assert isinstance(future.exception(PATIENCE), ClusterLost)
    with pytest.raises(ClusterLost):
        executor.submit(echo, 1)
    executor._dispatcher._connection._seconds = PATIENCE
    (tmp_path / "call.go").touch()
    mortal.scheduler.send_signal(signal.SIGCONT)
    wait_until(lambda: works_again(executor))
    InThread(executor.shutdown).outcome()


@posix
@pytest.mark.long
def test_executors_end_while_the_scheduler_is_stopped(mortal: Cluster, tmp_path: Path) -> None:
    def make_endless() -> Any:
        return Executors.sync().with_poll(lambda descriptors: None)

    dask_support.wait_for_workers(mortal, 1)
    executor = DaskExecutor(mortal.address, timeout=PATIENCE)
    sharded = ShardedPollExecutor(mortal.address, make_endless, shards=1, timeout=5.0, patience=5.0)
    tasks = sharded.adopt_many(range(10))
    call = executor.submit(dask_support.wait_for, str(tmp_path / "call"))
    wait_until((tmp_path / "call").exists)
    mortal.scheduler.send_signal(signal.SIGSTOP)
    executor._dispatcher._connection._seconds = 1.0
    ending = InThread(lambda: executor.shutdown(cancel_futures=True))
    assert not wait([call, *tasks], PATIENCE).not_done
    assert {type(future.exception()) for future in (call, *tasks)} == {ClusterLost}
    ending.outcome()
    InThread(lambda: sharded.shutdown(cancel_futures=True)).outcome()
