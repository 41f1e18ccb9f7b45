"""What becomes of tasks when messages, workers or the scheduler are lost, by forced schedules in this process."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from keys_support import leave_in_doubt
from shard_support import (
    REPLY_LOST,
    REQUEST_LOST,
    TWICE,
    Books,
    FakeWorkers,
    Gate,
    fake_workers,
    new_gate,
    sharded_executor,
    start_and_wait,
    start_slowly,
    start_task,
)
from support import PATIENCE

from more_executors import Journal, Keys
from more_executors.dask import ClusterLost, ShardLost
from more_executors.dask.sharded import _host, _on_worker
from more_executors.journal import StartInDoubt


@pytest.fixture
def journal(tmp_path: Any) -> Iterator[Journal]:
    with Journal(tmp_path / "tasks.db") as journal:
        yield journal


@pytest.mark.parametrize("fault", [REQUEST_LOST, REPLY_LOST, TWICE])
def test_no_message_is_lost_and_none_counts_twice(fault: str, workers: FakeWorkers, books: Books) -> None:
    kinds = random.Random(5)
    workers.fault = lambda address, function: (
        fault if function.__name__ == "exchange" and kinds.random() < 0.4 else None
    )
    with sharded_executor(lease=2.0) as executor:
        futures = executor.submit_many(start_task, range(300))
        assert not wait(futures, PATIENCE).not_done
        workers.fault = lambda address, function: None
    assert {future.result() for future in futures} == {f"{ident} done" for ident in books.polled}
    assert sorted(books.created) == list(range(300))


def test_tasks_of_a_lost_worker_are_polled_by_another(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(100))
        wait_until(lambda: executor.stats().polled == 100)
        workers.kill("worker-0")
        wait_until(lambda: sum(shard.lost for shard in executor.shards()) == 1)
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(100))
        assert sum(shard.adopted for shard in executor.shards()) == 50
        assert {shard.worker for shard in executor.shards()} == {"worker-1"}


def test_what_a_lost_worker_was_to_start_is_in_doubt(workers: FakeWorkers, books: Books, gate: Gate) -> None:
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_slowly, range(2))
        for _ in futures:
            assert gate.came.acquire(timeout=PATIENCE)
        workers.kill("worker-0")
        error = next(future for future in [wait(futures, PATIENCE, "FIRST_COMPLETED").done.pop()]).exception()
        assert isinstance(error, ShardLost)
        assert "it is not known whether a task was started" in str(error)
        gate.go.set()
        assert not wait(futures, PATIENCE).not_done
        assert sum(future.exception() is None for future in futures) == 1


def test_a_key_is_in_doubt_when_its_worker_is_lost(
    workers: FakeWorkers, books: Books, gate: Gate, journal: Journal
) -> None:
    with sharded_executor(shards=2, journal=journal) as executor:
        future = executor.submit_once("a", start_slowly, "a")
        assert gate.came.acquire(timeout=PATIENCE)
        workers.kill(next(shard.worker for shard in executor.shards() if shard.starting))
        error = future.exception(PATIENCE)
        assert isinstance(error, ShardLost)
        assert error.key == "a"
        assert isinstance(executor.submit_once("a", start_task, "a").exception(PATIENCE), StartInDoubt)
        gate.go.set()


def test_with_a_token_it_is_started_again_and_counts_once(
    workers: FakeWorkers, books: Books, gate: Gate, journal: Journal
) -> None:
    with sharded_executor(shards=2, journal=journal, keys=Keys(in_doubt="start")) as executor:
        future = executor.submit_once("a", start_and_wait, "a")
        assert gate.came.acquire(timeout=PATIENCE)
        workers.kill(next(shard.worker for shard in executor.shards() if shard.starting))
        assert gate.came.acquire(timeout=PATIENCE)  # another worker has called it, too
        gate.go.set()
        assert future.result(PATIENCE) == "task-a-1 done"
        assert books.created == ["a"]
        assert sum(shard.started_again for shard in executor.shards()) == 1


@pytest.mark.parametrize("was_started", [True, False])
def test_a_service_is_asked_once_a_lost_shard_has_certainly_ended(
    was_started: bool, workers: FakeWorkers, books: Books, gate: Gate, journal: Journal
) -> None:
    asked: list[list[str]] = []

    def find(keys: list[str]) -> dict[str, str]:
        asked.append(keys)
        return {key: "task-a-1" for key in keys if "a" in books.created}

    with sharded_executor(shards=2, journal=journal, keys=Keys(find_fn=find)) as executor:
        future = executor.submit_once("a", start_and_wait if was_started else start_slowly, "a")
        assert gate.came.acquire(timeout=PATIENCE)
        workers.kill(next(shard.worker for shard in executor.shards() if shard.starting))
        wait_until(lambda: sum(shard.lost for shard in executor.shards()) == 1)
        assert asked == []  # as it may be started yet, for three leases
        assert not future.done()
        if not was_started:
            new_gate().go.set()  # what hangs on the lost worker stays there
        workers.pass_seconds(executor, 90.0)
        assert future.result(PATIENCE) == "task-a-1 done"
        assert asked == [["a"]]
        assert books.created == ["a"]
        gate.go.set()


def test_a_shard_that_is_not_heard_for_a_lease_starts_nothing_more(
    workers: FakeWorkers, books: Books, gate: Gate
) -> None:
    with sharded_executor(shards=1) as executor:
        futures = executor.submit_many(start_slowly, range(6))
        for _ in range(2):  # as many threads as a shard has here
            assert gate.came.acquire(timeout=PATIENCE)
        workers.clock.ahead += 31.0  # as if the machine had been asleep
        gate.go.set()
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(6))
        assert executor.shards()[0].generation == 2
        assert executor.shards()[0].lost == 0  # it has said that it stopped


def test_a_worker_that_is_silent_for_three_leases_is_lost(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        workers.frozen.add("worker-0")
        workers.pass_seconds(executor, 60.0)
        assert [shard.lost for shard in executor.shards()] == [0, 0]
        workers.pass_seconds(executor, 31.0)
        assert sum(shard.lost for shard in executor.shards()) == 1
        wait_until(lambda: {shard.worker for shard in executor.shards()} == {"worker-1"})
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(10))


def test_a_shard_whose_answers_are_lost_has_ended_when_it_is_taken_for_lost(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=1, timeout=30.0) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        worker = executor.shards()[0].worker
        host = _on_worker._hosts[next(iter(workers.shards[worker]))]
        workers.fault = lambda address, function: REPLY_LOST if function.__name__ == "exchange" else None
        for _ in range(40):
            calls = [*workers.calls]
            workers.clock.ahead += 8.0  # so there is a call again and again, each of which is heard
            executor.notify()
            wait_until(lambda calls=calls: workers.calls != calls)
            if executor.shards()[0].lost:
                break
        assert host._why_stopped == "its client was not heard"
        workers.fault = lambda address, function: None
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(10))


def test_a_journal_that_cannot_be_written_holds_no_results_up(
    workers: FakeWorkers, books: Books, journal: Journal
) -> None:
    with sharded_executor(shards=1, journal=journal) as executor:
        host = _on_worker._hosts[next(name for names in workers.shards.values() for name in names)]
        with mock.patch.object(executor._coordinator.resolver, "flush", return_value=False):
            assert executor.submit(start_task, "a").result(PATIENCE) == "task-a-1 done"
            assert executor.submit(start_task, "b").result(PATIENCE) == "task-b-2 done"
            assert host._outbox._first == 1  # nothing was acknowledged
        assert executor.submit(start_task, "c").result(PATIENCE) == "task-c-3 done"
        executor.notify()
        wait_until(lambda: host._outbox._first > 1)


def test_cancelling_what_cannot_be_sent_does_not_wait(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1) as executor:
        assert executor._service.cancel([]) == []
        assert executor._service.cancel([threading.Lock()]) == [False]


def test_a_new_worker_gets_a_shard(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=4) as executor:
        futures = executor.submit_many(start_task, range(40))
        wait_until(lambda: executor.stats().polled == 40)
        workers.add("worker-2")
        wait_until(lambda: any(shard.worker == "worker-2" and shard.is_open for shard in executor.shards()))
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(40))
        assert all(shard.lost == 0 for shard in executor.shards())


def test_a_drained_worker_has_no_shards(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=4) as executor:
        futures = executor.submit_many(start_task, range(40))
        assert executor.drain("worker-0", PATIENCE)
        assert "worker-0" not in {shard.worker for shard in executor.shards()}
        workers.kill("worker-0")
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(40))
        assert all(shard.lost == 0 for shard in executor.shards())
        with pytest.raises(ValueError, match="worker must be the address of one, not 'nowhere'"):
            executor.drain("nowhere")


def test_a_poison_call_takes_no_created_task_with_it(workers: FakeWorkers, books: Books, gate: Gate) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(20))
        wait_until(lambda: executor.stats().polled == 20)
        poison = executor.submit(start_slowly, "poison")
        assert gate.came.acquire(timeout=PATIENCE)
        workers.kill(next(shard.worker for shard in executor.shards() if shard.starting))
        assert isinstance(poison.exception(PATIENCE), ShardLost)
        books.ends_at_once = True
        assert not wait(futures, PATIENCE).not_done
        assert all(future.exception() is None for future in futures)


def test_a_poison_call_with_a_token_is_found_and_takes_no_others_with_it(
    workers: FakeWorkers, books: Books, gate: Gate, journal: Journal
) -> None:
    losses = 0
    with sharded_executor(shards=1, journal=journal, keys=Keys(in_doubt="start")) as executor:
        futures = executor.submit_many_once(start_but_for_one, [f"key-{number}" for number in range(100)])
        while not futures[99].done():
            if gate.came.acquire(timeout=0.05):
                workers.add(f"new-{losses}")
                workers.kill(executor.shards()[0].worker)
                losses += 1
        assert isinstance(futures[99].exception(), ShardLost)
        assert not wait(futures, PATIENCE).not_done
        assert [number for number, future in enumerate(futures) if future.exception() is not None] == [99]
        assert losses == 5  # in 100, then in 64, in 8, alone, and once more
        assert sorted(books.created) == sorted(f"key-{number}" for number in range(100) if number != 99)


def start_but_for_one(what: str, token: str) -> str:
    return (start_slowly if what == "key-99" else start_task)(what, token)


def test_what_was_started_with_a_token_stays_in_doubt_if_nobody_can_repeat_it(
    workers: FakeWorkers, books: Books, gate: Gate, journal: Journal
) -> None:
    with sharded_executor(shards=1, journal=journal, keys=Keys(in_doubt="start"), patience=100.0) as executor:
        future = executor.submit_once("a", start_and_wait, "a")
        assert gate.came.acquire(timeout=PATIENCE)
        for address in list(workers.addresses):
            workers.kill(address)
        wait_until(lambda: executor.shards()[0].worker == "")
        workers.pass_seconds(executor, 101.0)
        assert isinstance(future.exception(PATIENCE), ClusterLost)
        gate.go.set()
        workers.add("new")
        wait_until(lambda: executor.shards()[0].is_open)
        assert executor.submit_once("a", start_and_wait, "a").result(PATIENCE) == "task-a-1 done"
    assert books.created == ["a"]


def test_a_service_is_asked_once_shards_of_an_earlier_run_have_certainly_ended(
    workers: FakeWorkers, books: Books, tmp_path: Path
) -> None:
    leave_in_doubt(tmp_path / "tasks.db", "a", "b")
    lease = 1.0
    asked: list[tuple[float, list[str]]] = []

    def find(keys: list[str]) -> dict[str, str]:
        asked.append((time.monotonic(), sorted(keys)))
        return {"b": "task-b-0"}

    began = time.monotonic()
    keys = Keys(find_fn=find)
    with (
        Journal(tmp_path / "tasks.db") as journal,
        sharded_executor(lease=lease, journal=journal, keys=keys) as executor,
    ):
        futures = executor.submit_many_once(start_task, ["a", "b", "c"])
        assert futures[2].result(PATIENCE) == "task-c-1 done"
        assert [future.result(PATIENCE) for future in futures[:2]] == ["task-a-2 done", "task-b-0 done"]
    assert [those for _, those in asked] == [["a", "b"]]
    assert asked[0][0] >= began + 3 * lease


def test_without_workers_everything_fails_in_the_end(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2, patience=100.0) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        for address in list(workers.addresses):
            workers.kill(address)
        wait_until(lambda: {shard.worker for shard in executor.shards()} == {""})
        waiting = executor.submit(start_task, "later")
        assert not wait([*futures, waiting], 0).done
        workers.pass_seconds(executor, 101.0)
        assert all(isinstance(future.exception(PATIENCE), ClusterLost) for future in (*futures, waiting))
        with pytest.raises(ClusterLost, match="there has been no worker for"):
            executor.submit(start_task, "too late")
        workers.add("worker-9")
        wait_until(lambda: any(shard.is_open for shard in executor.shards()))
        books.ends_at_once = True
        assert executor.submit(start_task, "again").result(PATIENCE).startswith("task-again")


def test_a_worker_keeps_a_shard_that_nobody_asks_for_some_minutes_only(workers: FakeWorkers, books: Books) -> None:
    with (
        mock.patch.object(_host, "SECONDS_KEPT", 0.01),
        sharded_executor(shards=1, patience=100.0) as executor,
    ):
        name = next(iter(workers.shards["worker-0"] or workers.shards["worker-1"]))
        workers.fault = lambda address, function: REQUEST_LOST
        workers.clock.ahead += 31.0
        _on_worker._hosts[name]._events.waker.set()  # as if it had waited until now
        wait_until(lambda: name not in _on_worker._hosts)
        workers.fault = lambda address, function: None
        for _ in range(5):  # what was lost is said again
            workers.pass_some(executor)
        assert executor.submit(start_task, "a").result(PATIENCE) == "task-a-1 done"


def test_cancelling_does_not_wait_for_ever_for_a_lost_worker(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(10))
        wait_until(lambda: executor.stats().polled == 10)
        workers.kill("worker-0")
        assert executor.cancel_many(futures) == 10  # by the shard that has adopted them
        assert len(books.cancelled) == 10


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_every_future_ends_and_nothing_is_made_twice(
    seed: int, books: Books, journal: Journal
) -> None:
    chance = random.Random(seed)
    with fake_workers(3) as workers:
        workers.fault = lambda address, function: (
            chance.choice((REQUEST_LOST, REPLY_LOST, TWICE))
            if function.__name__ == "exchange" and chance.random() < 0.1
            else None
        )
        with sharded_executor(lease=2.0, shards=4, journal=journal, keys=Keys(in_doubt="start")) as executor:
            futures = executor.submit_many_once(start_with_token, [f"key-{number}" for number in range(300)])
            for step in range(4):
                wait(futures, chance.random() * 0.2)
                what = chance.choice(("kill", "add", "late"))
                if what == "kill" and len(workers.addresses) > 1:
                    workers.kill(chance.choice(workers.addresses))
                elif what == "late":
                    workers.clock.ahead += 2.3  # longer than the lease
                else:
                    workers.add(f"new-{step}")
            assert not wait(futures, PATIENCE).not_done
            workers.fault = lambda address, function: None
        assert all(future.exception() is None for future in futures), [future.exception() for future in futures]
        assert sorted(books.created) == sorted(f"key-{number}" for number in range(300))


def start_with_token(what: str, token: str) -> str:
    return start_task(what, token)


def test_what_was_said_to_a_shard_that_is_not_there_is_not_in_doubt(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1) as executor:
        assert executor.submit(start_task, "a").result(PATIENCE) == "task-a-1 done"
        name = next(name for names in workers.shards.values() for name in names)
        workers._end_shard(name)
        assert executor.submit(start_task, "b").result(PATIENCE) == "task-b-2 done"
        assert executor.shards()[0].lost == 1
